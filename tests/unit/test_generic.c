/* The generic engine: ledgers of small models worked out by hand, and what must hold of any model in any deployment. */
#include "made_up.h"

#include "base/number.h"
#include "engine/engines.h"
#include "plan/cache.h"
#include "text/json.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Bytes in bf16: embed 8 x 4 = 64 and norm 8; each of 3 layers q 32, kv 2 heads of 2 = 32, up 8 x 4 = 64, down 64, norm 8. */
#define SMALL                                                    \
    "arch small\n"                                               \
    "  match architectures Small\n"                              \
    "  param tied = $tied ? false\n"                             \
    "  stack text l.{i}. layers 3\n"                             \
    "  mixer attention\n"                                        \
    "  layer attention q [4, 4] split heads(4)\n"                \
    "  layer attention kv [4, 4] split kv(2)\n"                  \
    "  layer attention up [8, 4] split column\n"                 \
    "  layer attention down [4, 8] split row\n"                  \
    "  layer attention norm [4] class norm\n"                    \
    "  once embed [8, 4] class embed split vocab(8)\n"           \
    "  once norm [4] class norm\n"                               \
    "  once head [8, 4] class head split vocab(8) unless tied\n" \
    "  cache attention full elements 8 split kv(2)\n"

static const struct tn_deployment alone = {
    .tp = 1, .pp = 1, .ep = 1, .dp = 1, .context_tokens = 10, .concurrency = 3, .overhead_ppm = 100000};

struct plan {
    struct tn_arena arena;
    struct tn_ledger ledger;
    struct tn_error error;
};

static bool plan_it(struct plan *plan, const struct tn_model *model, const struct tn_deployment *deployment)
{
    struct tn_deployment complete = *deployment;
    *plan = (struct plan){0};
    plan->ledger.arena = &plan->arena;
    complete.kv_dtype = complete.kv_dtype ? complete.kv_dtype : tn_dtype_find(TN_STR("fp16"));
    struct tn_planner planner = {.engine = &tn_engine_generic, .model = model};
    return tn_engine_generic.plan(&planner, &complete, &plan->ledger, &plan->error);
}

/* "embedding 64, norms 32 | embedding 64": the entries of each stage */
static const char *entries_of(struct made_up *made_up, const struct tn_ledger *ledger)
{
    struct tn_builder text = {0};
    for (uint32_t s = 0; s < ledger->stage_count; s++) {
        const struct tn_stage *stage = &ledger->stages[s];
        tn_builder_add_text(&text, s ? " | " : "");
        for (size_t k = 0; k < stage->entry_count; k++) {
            const struct tn_entry *entry = &ledger->entries[stage->first_entry + k];
            tn_builder_add_text(&text, k ? ", " : "");
            tn_builder_add(&text, entry->label);
            tn_builder_addf(&text, " %llu", (unsigned long long)entry->mid_bytes);
        }
    }
    char *copy = tn_str_terminated(&made_up->arena, tn_builder_str(&text));
    tn_builder_free(&text);
    return copy;
}

static void check_plan(const char *config, struct tn_deployment deployment, const char *entries, uint64_t total_bytes)
{
    struct made_up made_up;
    struct plan plan;
    made_up_open(&made_up, SMALL);
    struct tn_model *model = made_up_load(&made_up, config);
    assert_non_null(model);
    if (!plan_it(&plan, model, &deployment)) {
        fail_msg("%s", plan.error.message);
    }
    assert_string_equal(entries_of(&made_up, &plan.ledger), entries);
    assert_int_equal(plan.ledger.mid_bytes, total_bytes);
    tn_arena_free(&plan.arena);
    tn_model_free(model);
    made_up_close(&made_up);
}

#define UNTIED "{\"architectures\": [\"Small\"], \"dtype\": \"bfloat16\"}"
#define TIED "{\"architectures\": [\"Small\"], \"dtype\": \"bfloat16\", \"tied\": true}"

static void one_gpu_holds_the_sums(void **state)
{
    (void)state;
    /* linear 3 x (32 + 32 + 64 + 64); norms 4 x 8; cache 8 elements x 2 bytes x 10 tokens x 3 layers x 3 requests = 1440; 10 % of 2176 */
    check_plan(UNTIED, alone,
               "embedding 64, attention and feed-forward 576, norms 32, output head 64, attention 1440, overhead 218",
               64 + 576 + 32 + 64 + 1440 + 218);
    struct tn_deployment bare = alone;
    bare.overhead_ppm = 0;
    check_plan(TIED, bare, "embedding 64, attention and feed-forward 576, norms 32, attention 1440", 2112);
}

static void tensor_parallel_divides_by_the_split_rules(void **state)
{
    (void)state;
    struct tn_deployment two = alone;
    two.tp = 2;
    two.overhead_ppm = 0;
    check_plan(UNTIED, two, "embedding 32, attention and feed-forward 288, norms 32, output head 32, attention 720",
               UINT64_C(2) * (32 + 288 + 32 + 32 + 720));
    /* 2 KV heads on 4 ranks: each has one, half of 96 = 48; (96 + 192 + 192) / 4 = 120 */
    struct tn_deployment four = two;
    four.tp = 4;
    check_plan(UNTIED, four, "embedding 16, attention and feed-forward 168, norms 32, output head 16, attention 720",
               UINT64_C(4) * (16 + 168 + 32 + 16 + 720));
}

static void pipeline_parallel_gives_each_stage_its_layers(void **state)
{
    (void)state;
    struct tn_deployment two = alone;
    two.pp = 2;
    two.overhead_ppm = 0;
    /* two layers and the embedding | one layer, the last norm and the head */
    check_plan(UNTIED, two,
               "embedding 64, attention and feed-forward 384, norms 16, attention 960 | "
               "attention and feed-forward 192, norms 16, output head 64, attention 480",
               64 + 576 + 32 + 64 + 1440);
    /* tied: the last stage needs the embedding too */
    check_plan(TIED, two,
               "embedding 64, attention and feed-forward 384, norms 16, attention 960 | "
               "embedding 64, attention and feed-forward 192, norms 16, attention 480",
               64 + 64 + 576 + 32 + 1440);
}

static void data_parallel_copies_weights_and_divides_requests(void **state)
{
    (void)state;
    struct tn_deployment two = alone;
    two.dp = 2;
    two.overhead_ppm = 0;
    /* 3 requests over 2 copies: 2 on the fuller one */
    check_plan(UNTIED, two, "embedding 64, attention and feed-forward 576, norms 32, output head 64, attention 960",
               UINT64_C(2) * (64 + 576 + 32 + 64 + 960));
}

static void a_deployment_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t tp, pp, ep, dp;
        const char *where;
        const char *message;
    } cases[] = {
        {3, 1, 1, 1, "--tp", "tensor parallel 3 does not divide the 4 attention heads"},
        {8, 1, 1, 1, "--tp", "tensor parallel 8 does not divide"},
        {1, 4, 1, 1, "--pp", "pipeline parallel 4 needs at least as many layers; the model has 3"},
        {2, 1, 4, 1, "--ep", "expert parallel 4 must divide the 2 ranks"},
        {4, 1, 3, 1, "--ep", "expert parallel 3 must divide the 4 ranks"},
    };
    struct made_up made_up;
    made_up_open(&made_up, SMALL);
    struct tn_model *model = made_up_load(&made_up, UNTIED);
    assert_non_null(model);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_deployment deployment = alone;
        struct plan plan;
        deployment.tp = cases[k].tp;
        deployment.pp = cases[k].pp;
        deployment.ep = cases[k].ep;
        deployment.dp = cases[k].dp;
        assert_false(plan_it(&plan, model, &deployment));
        assert_int_equal(plan.error.code, TN_ERROR_DEPLOYMENT);
        assert_string_equal(plan.error.where, cases[k].where);
        assert_non_null(strstr(plan.error.message, cases[k].message));
        tn_arena_free(&plan.arena);
    }
    tn_model_free(model);
    made_up_close(&made_up);
}

static void memory_beyond_64_bits_is_refused(void **state)
{
    (void)state;
    struct made_up made_up;
    struct plan plan;
    made_up_open(&made_up, SMALL);
    struct tn_model *model = made_up_load(&made_up, UNTIED);
    static const struct {
        uint64_t context;
        uint64_t concurrency;
        uint32_t overhead_ppm;
        uint32_t dp;
        const char *message;
    } cases[] = {
        {UINT64_MAX, 1, 0, 1, "the KV cache of one request exceeds 64 bits"},
        {UINT64_C(1) << 40, UINT64_C(1) << 40, 0, 1, "the KV cache of all requests exceeds 64 bits"},
        {UINT64_C(1) << 58, 1, 100000000, 1, "the overhead exceeds 64 bits"},
        {UINT64_C(1) << 58, 1, 1000000, 1, "the memory of one rank exceeds 64 bits"},
        {UINT64_C(1) << 58, 8, 0, 8, "the memory of all ranks together exceeds 64 bits"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_deployment deployment = alone;
        deployment.context_tokens = cases[k].context;
        deployment.concurrency = cases[k].concurrency;
        deployment.overhead_ppm = cases[k].overhead_ppm;
        deployment.dp = cases[k].dp;
        assert_false(plan_it(&plan, model, &deployment));
        assert_int_equal(plan.error.code, TN_ERROR_TOO_LARGE);
        assert_string_equal(plan.error.message, cases[k].message);
        tn_arena_free(&plan.arena);
    }
    tn_model_free(model);
    made_up_close(&made_up);
}

static void positions_are_not_copied_with_the_tied_embedding(void **state)
{
    (void)state;
    struct made_up made_up;
    struct plan plan;
    made_up_open(&made_up, "arch x\n  match model_type x\n  param tied = true\n  stack text l.{i}. layers 2\n"
                           "  mixer a\n  layer a w [2]\n"
                           "  once words [8, 4] class embed split vocab(8)\n  once places [16, 4] class embed\n");
    struct tn_model *model = made_up_load(&made_up, "{\"model_type\": \"x\", \"dtype\": \"bfloat16\"}");
    assert_non_null(model);
    struct tn_deployment two = alone;
    two.pp = 2;
    two.overhead_ppm = 0;
    assert_true(plan_it(&plan, model, &two));
    assert_string_equal(entries_of(&made_up, &plan.ledger),
                        "embedding 192, attention and feed-forward 4 | embedding 64, attention and feed-forward 4");
    tn_arena_free(&plan.arena);
    tn_model_free(model);
    made_up_close(&made_up);
}

static void layers_beyond_the_text_stack_stay_with_the_last_stage(void **state)
{
    (void)state;
    struct made_up made_up;
    struct plan plan;
    made_up_open(&made_up, "arch x\n  match model_type x\n  param tied = true\n  stack text l.{i}. layers 2\n"
                           "  mixer a\n  layer a w [2]\n"
                           "  cache a full elements 1\n"
                           "  stack mtp l.{i}. layers 1 from 2 like text\n  cache a full elements 1\n");
    struct tn_model *model = made_up_load(&made_up, "{\"model_type\": \"x\", \"dtype\": \"bfloat16\"}");
    assert_non_null(model);
    struct tn_deployment two = alone;
    two.pp = 2;
    two.concurrency = 1;
    two.overhead_ppm = 0;
    assert_true(plan_it(&plan, model, &two));
    assert_string_equal(entries_of(&made_up, &plan.ledger),
                        "attention and feed-forward 4, a 20 | attention and feed-forward 8, a 20, a 20");
    tn_arena_free(&plan.arena);
    tn_model_free(model);
    made_up_close(&made_up);
}

/* ---- by its numbers alone ------------------------------------------------------------------------------------------ */

static void thirteen_billion_parameters_by_numbers(void **state)
{
    (void)state;
    struct tn_model_numbers numbers = {.parameters = UINT64_C(13000000000), .layers = 40, .hidden = 5120};
    struct tn_error error;
    struct plan plan;
    struct tn_model *model = tn_model_from_numbers(&numbers, &error);
    assert_non_null(model);
    struct tn_deployment deployment = alone;
    deployment.context_tokens = 4096;
    deployment.concurrency = 10;
    assert_true(plan_it(&plan, model, &deployment));
    const struct tn_stage *stage = &plan.ledger.stages[0];
    /* 13e9 x 2; 2 x 40 x 5120 x 2 = 819,200 per token, x 4096 x 10; a tenth of the sum */
    assert_int_equal(tn_ledger_category(&plan.ledger, stage, TN_CATEGORY_WEIGHTS), UINT64_C(26000000000));
    assert_int_equal(tn_ledger_category(&plan.ledger, stage, TN_CATEGORY_CACHE), UINT64_C(33554432000));
    assert_int_equal(tn_ledger_category(&plan.ledger, stage, TN_CATEGORY_RESERVE), UINT64_C(5955443200));
    assert_int_equal(plan.ledger.mid_bytes, UINT64_C(65509875200));
    tn_arena_free(&plan.arena);
    tn_model_free(model);
}

static void numbers_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct tn_model_numbers numbers;
        enum tn_code code;
        const char *message;
    } cases[] = {
        {{.layers = 1}, TN_ERROR_USAGE, "--params must be at least 1"},
        {{.parameters = 1, .layers = 65537}, TN_ERROR_USAGE, "--layers is 65537"},
        {{.parameters = 1, .kv_heads = 8}, TN_ERROR_USAGE, "need --heads"},
        {{.parameters = 1, .head_dim = 8}, TN_ERROR_USAGE, "need --heads"},
        {{.parameters = 1, .hidden = 100, .heads = 3}, TN_ERROR_USAGE, "not a multiple of --heads"},
        {{.parameters = 1, .dtype = {"nobody", 6}}, TN_ERROR_DTYPE, "unknown dtype 'nobody'"},
        {{.parameters = UINT64_MAX}, TN_ERROR_TOO_LARGE, "exceeds 64 bits"},
        {{.parameters = 1, .layers = 1, .hidden = UINT64_MAX}, TN_ERROR_TOO_LARGE, "exceeds 64 bits"},
        {{.parameters = 1, .layers = 1, .hidden = 8, .heads = 8, .head_dim = UINT64_MAX},
         TN_ERROR_TOO_LARGE,
         "64 bits"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_error error = {0};
        assert_null(tn_model_from_numbers(&cases[k].numbers, &error));
        assert_int_equal(error.code, cases[k].code);
        assert_non_null(strstr(error.message, cases[k].message));
    }
}

static void numbers_with_heads_make_a_grouped_cache(void **state)
{
    (void)state;
    struct tn_model_numbers numbers = {
        .parameters = 1000, .layers = 4, .hidden = 64, .heads = 8, .kv_heads = 2, .dtype = {"fp8", 3}};
    struct tn_error error;
    struct plan plan;
    struct tn_model *model = tn_model_from_numbers(&numbers, &error);
    assert_non_null(model);
    assert_int_equal(model->checkpoint_bytes, 1000);
    assert_int_equal(model->caches[0].elements_per_unit, 2 * 2 * 8); /* two heads of 64 / 8 */
    struct tn_deployment deployment = alone;
    deployment.tp = 2;
    deployment.pp = 4;
    deployment.overhead_ppm = 0;
    assert_true(plan_it(&plan, model, &deployment));
    assert_int_equal(plan.ledger.mid_bytes, 1000 + 4 * 32 * 2 * 10 * 3);
    tn_arena_free(&plan.arena);
    tn_model_free(model);
}

/* ---- what must hold of any model ----------------------------------------------------------------------------------- */

static uint64_t random_below(uint64_t *seed, uint64_t bound)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % bound;
}

static struct tn_deployment random_deployment(uint64_t *seed)
{
    static const char *const dtypes[] = {"fp16", "fp8", "q8_0", "q4_0"};
    struct tn_deployment deployment = alone;
    deployment.tp = (uint32_t)1 << random_below(seed, 5);
    deployment.pp = (uint32_t)random_below(seed, 6) + 1;
    deployment.dp = (uint32_t)random_below(seed, 4) + 1;
    deployment.ep = random_below(seed, 2) ? deployment.tp * deployment.dp : (uint32_t)1 << random_below(seed, 4);
    deployment.context_tokens = random_below(seed, 200000) + 1;
    deployment.concurrency = random_below(seed, 100) + 1;
    deployment.overhead_ppm = (uint32_t)random_below(seed, 300000);
    deployment.kv_dtype = tn_dtype_find(tn_str_of(dtypes[random_below(seed, 4)]));
    return deployment;
}

/* Sums of the ledger are those of its entries. */
static void check_sums(const struct tn_ledger *ledger, const struct tn_deployment *deployment)
{
    uint64_t total = 0;
    uint32_t layers = 0;
    assert_int_equal(ledger->stage_count, deployment->pp);
    assert_int_equal(ledger->ranks_per_stage, deployment->tp * deployment->dp);
    for (uint32_t s = 0; s < ledger->stage_count; s++) {
        const struct tn_stage *stage = &ledger->stages[s];
        uint64_t sum = 0;
        for (size_t k = 0; k < stage->entry_count; k++) {
            const struct tn_entry *entry = &ledger->entries[stage->first_entry + k];
            assert_true(entry->low_bytes <= entry->mid_bytes && entry->mid_bytes <= entry->high_bytes);
            assert_int_equal(entry->stage, s);
            sum += entry->mid_bytes;
        }
        assert_int_equal(sum, stage->mid_bytes);
        assert_int_equal(stage->first_layer, layers);
        assert_true(tn_ledger_worst(ledger)->high_bytes >= stage->high_bytes);
        layers += stage->layer_count;
        total += sum * ledger->ranks_per_stage;
    }
    assert_int_equal(total, ledger->mid_bytes);
}

static uint64_t plan_total(const struct tn_model *model, const struct tn_deployment *deployment)
{
    struct plan plan;
    assert_true(plan_it(&plan, model, deployment));
    uint64_t bytes = plan.ledger.mid_bytes;
    tn_arena_free(&plan.arena);
    return bytes;
}

static void check_unsharded(const struct tn_model *model, struct tn_deployment deployment)
{
    struct tn_cache_totals totals;
    deployment.tp = deployment.pp = deployment.ep = deployment.dp = 1;
    assert_true(tn_cache_totals(model, deployment.context_tokens, deployment.kv_dtype, &totals, NULL));
    uint64_t bare = model->checkpoint_bytes + totals.bytes_per_request * deployment.concurrency;
    uint64_t overhead;
    assert_true(tn_mul_div_up(bare, deployment.overhead_ppm, 1000000, &overhead));
    assert_int_equal(plan_total(model, &deployment), bare + overhead);
    /* stages hold the layers once each; of a tied embedding the last one needs its own copy */
    deployment.overhead_ppm = 0;
    deployment.pp = model->layer_count < 5 ? model->layer_count : 5;
    assert_int_equal(plan_total(model, &deployment), bare + (deployment.pp > 1 ? model->tied_bytes : 0));
}

static void check_more_costs_more(const struct tn_model *model, struct tn_deployment deployment)
{
    uint64_t bytes = plan_total(model, &deployment);
    deployment.context_tokens += 1;
    assert_true(plan_total(model, &deployment) >= bytes);
    deployment.context_tokens *= 2;
    deployment.concurrency += 1;
    assert_true(plan_total(model, &deployment) >= bytes);
}

/* Returns whether the engine takes the deployment. */
static bool check_deployment(const struct tn_model *model, const struct tn_deployment *deployment)
{
    struct plan plan;
    bool done = plan_it(&plan, model, deployment);
    if (!done) {
        assert_int_equal(plan.error.code, TN_ERROR_DEPLOYMENT);
        tn_arena_free(&plan.arena);
        return false;
    }
    check_sums(&plan.ledger, deployment);
    /* all ranks together hold at least one of everything, and one rank never more than all */
    struct tn_deployment whole = *deployment;
    whole.tp = whole.pp = whole.ep = whole.dp = 1;
    uint64_t undivided = plan_total(model, &whole);
    assert_true(plan.ledger.mid_bytes >= undivided);
    assert_true(tn_ledger_worst(&plan.ledger)->mid_bytes <= undivided);
    tn_arena_free(&plan.arena);
    check_more_costs_more(model, *deployment);
    return true;
}

/* The configs of the fixtures are those of published models. */
static const char *read_fixture(struct made_up *made_up, const char *name)
{
    char path[512];
    const char *source = getenv("SOURCE_DIR");
    (void)snprintf(path, sizeof path, "%s/tests/data/arch/%s", source ? source : ".", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = tn_arena_alloc(&made_up->arena, size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, size, file), size);
    (void)fclose(file);
    return text;
}

static struct tn_model *load_fixture(struct made_up *made_up, const char *name)
{
    struct tn_value *root = TN_NEW(&made_up->arena, struct tn_value);
    assert_non_null(root);
    *root = made_up_json(made_up, read_fixture(made_up, name));
    struct tn_model_input input = {.id = tn_str_of(name), .config = tn_value_member(root, TN_STR("config"))};
    struct tn_model *model = tn_model_load(made_up->catalog, &input, &made_up->error);
    if (!model) {
        fail_msg("%s: %s", name, made_up->error.message);
    }
    return model;
}

static void published_models_in_random_deployments(void **state)
{
    (void)state;
    struct made_up made_up;
    char folder[512];
    const char *source = getenv("SOURCE_DIR");
    uint64_t seed = 1;
    unsigned models = 0;
    unsigned planned = 0;
    (void)snprintf(folder, sizeof folder, "%s/tests/data/arch", source ? source : ".");
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    made_up_open_real(&made_up);
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        if (!tn_str_ends(tn_str_of(entry->d_name), TN_STR(".json"))) {
            continue;
        }
        struct tn_model *model = load_fixture(&made_up, entry->d_name);
        models++;
        for (int k = 0; k < 20; k++) {
            struct tn_deployment deployment = random_deployment(&seed);
            check_unsharded(model, deployment);
            planned += check_deployment(model, &deployment);
        }
        tn_model_free(model);
    }
    (void)closedir(directory);
    assert_true(models > 50);
    assert_true(planned > 2 * models);
    made_up_close(&made_up);
}

static void llama_2_70b_keeps_327680_bytes_per_token(void **state)
{
    (void)state;
    struct made_up made_up;
    struct tn_cache_totals totals;
    made_up_open_real(&made_up);
    struct tn_model *model = made_up_load(
        &made_up, "{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 8192, \"intermediate_size\": 28672,"
                  " \"num_attention_heads\": 64, \"num_key_value_heads\": 8, \"num_hidden_layers\": 80,"
                  " \"vocab_size\": 32000, \"torch_dtype\": \"float16\"}");
    assert_non_null(model);
    assert_int_equal(model->parameters, UINT64_C(68976648192));
    assert_int_equal(model->checkpoint_bytes, UINT64_C(137953296384));
    assert_true(tn_cache_totals(model, 4096, tn_dtype_find(TN_STR("fp16")), &totals, NULL));
    assert_int_equal(totals.bytes_per_token, 327680); /* 80 layers x 2 x 8 heads x 128 x 2 bytes */
    assert_int_equal(totals.bytes_per_request, UINT64_C(1342177280));
    tn_model_free(model);
    made_up_close(&made_up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_gpu_holds_the_sums),
        cmocka_unit_test(tensor_parallel_divides_by_the_split_rules),
        cmocka_unit_test(pipeline_parallel_gives_each_stage_its_layers),
        cmocka_unit_test(data_parallel_copies_weights_and_divides_requests),
        cmocka_unit_test(a_deployment_that_cannot_be_is_refused),
        cmocka_unit_test(memory_beyond_64_bits_is_refused),
        cmocka_unit_test(positions_are_not_copied_with_the_tied_embedding),
        cmocka_unit_test(layers_beyond_the_text_stack_stay_with_the_last_stage),
        cmocka_unit_test(thirteen_billion_parameters_by_numbers),
        cmocka_unit_test(numbers_that_contradict_each_other_are_refused),
        cmocka_unit_test(numbers_with_heads_make_a_grouped_cache),
        cmocka_unit_test(published_models_in_random_deployments),
        cmocka_unit_test(llama_2_70b_keeps_327680_bytes_per_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
