/* Limits that were found by bisection, against all values of the input tried one after the other. */
#include "real_catalog.h"

#include "engine/engines.h"
#include "plan/cache.h"
#include "plan/inverse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CASES = 200, MODELS = 6, RANGE = 3000, RANGE_OF_REQUESTS = 400 };

/* Six kinds of caches: grouped heads; windows between full layers; latent attention with experts; states alone; states and attention with
 * experts; windows and sinks with experts in 4 bits. */
static const char *const models[MODELS] = {"qwen3-0.6b", "gemma-3-1b",         "deepseek-v2-lite",
                                           "mamba-130m", "qwen3-next-80b-a3b", "gpt-oss-20b"};

static const char *const gpus[] = {"t4", "rtx-4090", "a100-sxm4-80gb", "h100-sxm5-80gb", "b200", "mi300x"};

/* Engines whose plans take microseconds, with versions between which their ways changed. */
static const struct {
    const char *engine;
    const char *version;
} engines[] = {{"generic", ""}, {"vllm", ""},         {"vllm", "0.6.3"}, {"vllm", "0.8.5"}, {"sglang", ""},
               {"trtllm", ""},  {"transformers", ""}, {"tgi", ""},       {"tgi", "2.4.0"}};

/* The same numbers on every machine. */
static uint64_t next_random(uint64_t *state, uint64_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % below;
}

struct one_case {
    struct tn_planner planner;
    struct tn_deployment deployment;
    struct tn_variation variation;
    uint64_t range;
    char text[200];
};

static struct tn_arena arena;

enum fit { REFUSED, FAILS, FITS };

static enum fit fit_of(struct one_case *c, uint64_t value)
{
    struct tn_deployment varied = c->deployment;
    struct tn_ledger ledger;
    *(c->variation.what == TN_VARIED_CONTEXT ? &varied.context_tokens : &varied.concurrency) = value;
    if (!tn_plan_again(&c->planner, &varied, &arena, &ledger)) {
        return REFUSED;
    }
    return tn_ledger_fits(&ledger, &varied) ? FITS : FAILS;
}

/* And that the input is monotone, as bisection takes for granted: what did not fit does not fit again, but where a turn is declared. */
static uint64_t largest_by_trying_all(struct one_case *c)
{
    uint64_t largest = 0;
    bool failed = false;
    for (uint64_t value = 1; value <= c->range; value++) {
        enum fit fit = fit_of(c, value);
        uint64_t most = c->planner.model->max_context_tokens;
        bool is_turn = c->variation.what == TN_VARIED_CONTEXT && (value == most || value == most + 1);
        if (fit == FITS && failed && !is_turn && !c->planner.engine->is_replayed) {
            fail_msg("%s: %llu fits, and a smaller one did not", c->text, (unsigned long long)value);
        }
        failed = fit == FAILS || (failed && !is_turn);
        largest = fit == FITS ? value : largest;
    }
    return largest;
}

/* Memory with which about so much of the input fits: what that needs, and something more. false where the engine refuses. */
static bool choose_memory(struct one_case *c, uint64_t target, uint64_t percent)
{
    struct tn_deployment varied = c->deployment;
    struct tn_ledger ledger;
    varied.gpu_memory_bytes = UINT64_C(80) << 30; /* settings go by it */
    *(c->variation.what == TN_VARIED_CONTEXT ? &varied.context_tokens : &varied.concurrency) = target;
    bool done = tn_plan_again(&c->planner, &varied, &arena, &ledger);
    c->deployment.gpu_memory_bytes = done ? tn_ledger_worst(&ledger)->least_bytes * percent / 100 : 0;
    return done;
}

static bool is_checked(struct one_case *c)
{
    struct tn_limit limit;
    assert_true(tn_find_limit(&c->planner, &c->deployment, &c->variation, NULL, &limit));
    if (limit.last_fitting > c->range) {
        return false;
    }
    uint64_t largest = largest_by_trying_all(c);
    if (largest != limit.last_fitting || !(limit.is_certain || c->planner.engine->is_replayed)) {
        fail_msg("%s, %llu B: %llu by bisection%s, %llu by trying all", c->text,
                 (unsigned long long)c->deployment.gpu_memory_bytes, (unsigned long long)limit.last_fitting,
                 limit.is_certain ? "" : " (uncertain)", (unsigned long long)largest);
    }
    printf("%s: %llu of %llu\n", c->text, (unsigned long long)largest, (unsigned long long)c->range);
    assert_int_equal(limit.first_failing, largest + 1);
    return true;
}

static void open_planner(struct one_case *c, const char *engine, const char *version, const struct tn_model *model)
{
    struct tn_error error;
    if (!tn_planner_open(&c->planner, tn_engine_find(tn_str_of(engine)), real.catalog, model, tn_str_of(version),
                         &error)) {
        fail_msg("%s: %s", engine, error.message);
    }
}

/* One random deployment. false where the engine refuses it, or more fits than is worth trying. */
static bool try_case(uint64_t *state, const struct tn_model *model, const char *name)
{
    struct one_case c = {.range = RANGE};
    size_t engine = (size_t)next_random(state, sizeof engines / sizeof engines[0]);
    const char *gpu = gpus[next_random(state, sizeof gpus / sizeof gpus[0])];
    bool is_context = next_random(state, 3) > 0;
    c.variation.what = is_context ? TN_VARIED_CONTEXT : TN_VARIED_CONCURRENCY;
    c.range = is_context ? RANGE : RANGE_OF_REQUESTS;
    c.deployment = (struct tn_deployment){.gpu = tn_catalog_find_gpu(real.catalog, tn_str_of(gpu), NULL),
                                          .tp = 1U << next_random(state, 2),
                                          .pp = 1U << next_random(state, 2),
                                          .ep = 1,
                                          .dp = 1,
                                          .context_tokens = 1 + next_random(state, is_context ? 20000 : 3000),
                                          .context_is_given = true,
                                          .concurrency = 1 + next_random(state, is_context ? 4 : 1000),
                                          .overhead_ppm = 100000,
                                          .kv_dtype = tn_cache_default_dtype(model)};
    assert_non_null(c.deployment.gpu);
    uint64_t target = 1 + next_random(state, c.range);
    uint64_t percent = 98 + next_random(state, 30);
    (void)snprintf(c.text, sizeof c.text, "%s@%s %s on %s, tp %u pp %u, %s, context %llu, %llu requests",
                   engines[engine].engine, engines[engine].version, name, gpu, c.deployment.tp, c.deployment.pp,
                   is_context ? "longest" : "most", (unsigned long long)c.deployment.context_tokens,
                   (unsigned long long)c.deployment.concurrency);
    open_planner(&c, engines[engine].engine, engines[engine].version, model);
    bool checked = choose_memory(&c, target, percent) && is_checked(&c);
    tn_planner_close(&c.planner);
    return checked;
}

static void bisection_agrees_with_trying_all_values(void **state)
{
    (void)state;
    uint64_t random = 7;
    unsigned checked = 0;
    struct tn_model *loaded[MODELS];
    for (size_t k = 0; k < MODELS; k++) {
        loaded[k] = made_up_load_named(&real, models[k], "");
    }
    for (unsigned k = 0; checked < CASES && k < 8 * CASES; k++) {
        checked += try_case(&random, loaded[k % MODELS], models[k % MODELS]);
    }
    for (size_t k = 0; k < MODELS; k++) {
        tn_model_free(loaded[k]);
    }
    tn_arena_free(&arena);
    assert_int_equal(checked, CASES);
}

/* ---- where memory falls as the input grows -------------------------------------------------------------------------- */

/* A made-up engine: so many bytes for so many tokens. */
static uint64_t (*bytes_of)(uint64_t tokens);
static uint64_t least_tokens; /* fewer are refused */
static uint64_t most_tokens;  /* more are */

static bool plan_made_up(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                         struct tn_error *error)
{
    uint64_t tokens = deployment->context_tokens;
    (void)planner;
    if (tokens < least_tokens || tokens > most_tokens) {
        return tn_fail(error, TN_ERROR_DEPLOYMENT, "refused");
    }
    ledger->ranks_per_stage = 1;
    struct tn_entry cache = {
        .category = TN_CATEGORY_CACHE, .low_bytes = tokens, .mid_bytes = tokens, .high_bytes = tokens};
    uint64_t rest = bytes_of(tokens) - tokens;
    struct tn_entry buffer = {
        .category = TN_CATEGORY_ACTIVATION, .low_bytes = rest, .mid_bytes = rest, .high_bytes = rest};
    return tn_ledger_begin_stage(ledger, deployment, 0, 1) && tn_ledger_add(ledger, cache, error)
           && tn_ledger_add(ledger, buffer, error) && tn_ledger_finish(ledger, error);
}

static struct tn_limit limit_of(const struct tn_engine *engine, uint64_t (*bytes)(uint64_t), uint64_t memory_bytes,
                                uint64_t asked)
{
    struct tn_planner planner = {.engine = engine};
    struct tn_deployment deployment = {.gpu_memory_bytes = memory_bytes,
                                       .tp = 1,
                                       .pp = 1,
                                       .ep = 1,
                                       .dp = 1,
                                       .context_tokens = asked,
                                       .concurrency = 1};
    struct tn_variation context = {.what = TN_VARIED_CONTEXT};
    struct tn_limit limit;
    bytes_of = bytes;
    assert_true(tn_find_limit(&planner, &deployment, &context, NULL, &limit));
    return limit;
}

static uint64_t linear(uint64_t tokens)
{
    return tokens;
}

/* Prompts of more than 1000 tokens go in pieces. */
static uint64_t in_pieces(uint64_t tokens)
{
    return tokens <= 1000 ? 10 * tokens : 2 * tokens;
}

/* A buffer of 0 to 30 bytes beside them, in no order. */
static uint64_t rough(uint64_t tokens)
{
    return tokens + tokens * 7919 % 31;
}

static const struct tn_engine plain = {.name = "plain", .plan = plan_made_up};
static const struct tn_engine turning = {.name = "turning", .context_turn = 1000, .plan = plan_made_up};
static const struct tn_engine replayed = {.name = "replayed", .is_replayed = true, .plan = plan_made_up};

static void lengths_beyond_a_turn_are_looked_through_as_well(void **state)
{
    (void)state;
    static const struct {
        uint64_t memory, longest; /* 10 bytes a token up to 1000 of them, 2 beyond */
    } cases[] = {{9, 0}, {10, 1}, {1999, 199}, {2001, 200}, {2002, 1001}, {9999, 4999}, {20000, 10000}};
    least_tokens = 0;
    most_tokens = UINT64_MAX;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        for (uint64_t asked = 1; asked <= 6000; asked += 999) {
            struct tn_limit limit = limit_of(&turning, in_pieces, cases[k].memory, asked);
            assert_int_equal(limit.last_fitting, cases[k].longest);
            assert_int_equal(limit.first_failing, cases[k].longest + 1);
        }
    }
}

static void holes_of_an_allocator_are_looked_through(void **state)
{
    (void)state;
    least_tokens = 0;
    most_tokens = UINT64_MAX;
    for (uint64_t memory = 1; memory < 3000; memory += 13) {
        uint64_t longest = 0;
        for (uint64_t tokens = 1; tokens <= memory; tokens++) {
            longest = rough(tokens) <= memory ? tokens : longest;
        }
        struct tn_limit limit = limit_of(&replayed, rough, memory, 100);
        assert_int_equal(limit.last_fitting, longest);
        assert_true(limit.is_certain);
    }
}

static void lengths_that_the_engine_refuses_do_not_hide_those_that_it_takes(void **state)
{
    (void)state;
    static const struct {
        uint64_t least, most, memory, longest;
    } cases[] = {{1, 500, 10000, 500},      {1, 500, 200, 200},          {128, UINT64_MAX, 200, 200},
                 {128, UINT64_MAX, 100, 0}, {128, UINT64_MAX, 128, 128}, {1, 500, 0, 0}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        static const uint64_t asked[] = {1, 127, 128, 150, 200, 499, 501, 100000};
        for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
            least_tokens = cases[k].least;
            most_tokens = cases[k].most;
            struct tn_limit limit = limit_of(&plain, linear, cases[k].memory, asked[i]);
            assert_int_equal(limit.last_fitting, cases[k].longest);
        }
    }
}

static void where_every_length_fits_there_is_no_limit(void **state)
{
    (void)state;
    least_tokens = 0;
    most_tokens = UINT64_MAX;
    struct tn_limit limit = limit_of(&plain, linear, UINT64_MAX, 100);
    assert_true(limit.last_fitting == UINT64_MAX);
    assert_int_equal(limit.first_failing, 0);
    assert_true(limit.plan_count < 50);
}

/* ---- llama.cpp, and ollama, which keeps memory free and leaves layers to the processor that find no room ---------------------------------------------------------------------------------------------------- */

static const char two_layers[] =
    "{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 512, \"num_hidden_layers\": 2, "
    "\"num_attention_heads\": 8, \"num_key_value_heads\": 4, \"intermediate_size\": 1024, \"vocab_size\": 4096, "
    "\"max_position_embeddings\": 1000000, \"torch_dtype\": \"float16\"}";

static const struct {
    const char *engine;
    const char *version;
} replayed_engines[] = {
    {"llamacpp", ""}, {"llamacpp", "b4000"}, {"ollama", ""}, {"ollama", "0.20.0"}, {"ollama", "0.11.0"}};

enum { CASES_OF_REPLAYED = 4 };

/* The least memory, in MiB, with which so much of the input fits: these engines keep more free of a GPU than they need. */
static void choose_least_memory(struct one_case *c, uint64_t target)
{
    uint64_t low = 0;
    uint64_t high = UINT64_C(80) << 10;
    while (high - low > 1) {
        c->deployment.gpu_memory_bytes = (low + high) / 2 << 20;
        *(fit_of(c, target) == FITS ? &high : &low) = (low + high) / 2;
    }
    c->deployment.gpu_memory_bytes = high << 20;
}

static void engines_that_replay_agree_with_trying_all_values(void **state)
{
    (void)state;
    struct tn_model *model = made_up_load(&real, two_layers);
    assert_non_null(model);
    for (uint64_t n = 0; n < CASES_OF_REPLAYED * sizeof replayed_engines / sizeof replayed_engines[0]; n++) {
        uint64_t k = n % 8;
        size_t engine = (size_t)(n / CASES_OF_REPLAYED);
        struct one_case c = {.range = k % 4 == 3 ? 40 : 6000};
        c.variation.what = k % 4 == 3 ? TN_VARIED_CONCURRENCY : TN_VARIED_CONTEXT;
        c.deployment = (struct tn_deployment){.gpu = tn_catalog_find_gpu(real.catalog, TN_STR("rtx-4090"), NULL),
                                              .tp = 1,
                                              .pp = 1 + (uint32_t)(k % 2),
                                              .ep = 1,
                                              .dp = 1,
                                              .context_tokens = 512,
                                              .context_is_given = true,
                                              .concurrency = 1 + k % 3,
                                              .kv_dtype = tn_dtype_find(TN_STR("F16"))};
        (void)snprintf(c.text, sizeof c.text, "%s %s, case %llu", replayed_engines[engine].engine,
                       replayed_engines[engine].version, (unsigned long long)k);
        open_planner(&c, replayed_engines[engine].engine, replayed_engines[engine].version, model);
        choose_least_memory(&c, k % 4 == 3 ? 30 : 2100 + 450 * k);
        assert_true(is_checked(&c));
        tn_planner_close(&c.planner);
    }
    tn_model_free(model);
    tn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_beyond_a_turn_are_looked_through_as_well),
        cmocka_unit_test(holes_of_an_allocator_are_looked_through),
        cmocka_unit_test(lengths_that_the_engine_refuses_do_not_hide_those_that_it_takes),
        cmocka_unit_test(where_every_length_fits_there_is_no_limit),
        cmocka_unit_test(engines_that_replay_agree_with_trying_all_values),
        cmocka_unit_test(bisection_agrees_with_trying_all_values),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
