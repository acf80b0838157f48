/* Verdicts: what is said to be the most or the least is checked by planning it and its neighbour. */
#include "made_up.h"

#include "engine/engines.h"
#include "plan/cache.h"
#include "plan/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A dense model of 8 layers with grouped attention; one with latent attention, whose cache every rank holds; one with experts. */
static const char records[] =
    "arch dense\n  match model_type dense\n  stack text l.{i}. layers 8\n  mixer a\n"
    "  layer a q [64, 64] split heads(16)\n  layer a kv [16, 64] split kv(2)\n  layer a up [256, 64] split column\n"
    "  layer a down [64, 256] split row\n  once embed [1000, 64] class embed split vocab(1000)\n"
    "  cache a full elements 64 split kv(2)\n"
    "arch latent\n  match model_type latent\n  stack text l.{i}. layers 8\n  mixer a\n  layer a q [64, 64] split "
    "heads(16)\n"
    "  cache a full elements 500\n"
    "arch experts\n  match model_type experts\n  stack text l.{i}. layers 4\n  mixer a\n"
    "  layer a q [64, 64] split heads(16)\n  layer a w.{e} [64, 64] x 32 class expert split expert(32) active 2 of 32\n"
    "  cache a window(256) elements 64 split kv(16)\n  cache a constant elements 5000 split kv(16)\n";

static const char *const models[] = {"{\"model_type\": \"dense\", \"dtype\": \"bfloat16\"}",
                                     "{\"model_type\": \"latent\", \"dtype\": \"bfloat16\"}",
                                     "{\"model_type\": \"experts\", \"dtype\": \"bfloat16\"}"};

enum { MODELS = 3, MOST_GPUS = 128 };

static struct tn_deployment deployment_of(uint64_t gpu_memory_bytes)
{
    return (struct tn_deployment){.gpu_memory_bytes = gpu_memory_bytes,
                                  .tp = 1,
                                  .pp = 1,
                                  .ep = 1,
                                  .dp = 1,
                                  .context_tokens = 1000,
                                  .concurrency = 4,
                                  .overhead_ppm = 100000,
                                  .kv_dtype = tn_dtype_find(TN_STR("fp16"))};
}

static struct tn_verdict judge(const struct tn_model *model, const struct tn_deployment *deployment)
{
    struct tn_arena arena = {0};
    struct tn_ledger ledger = {.arena = &arena};
    struct tn_verdict verdict;
    struct tn_planner planner = {.engine = &tn_engine_generic, .model = model};
    assert_true(tn_engine_generic.plan(&planner, deployment, &ledger, NULL));
    tn_verdict(&planner, deployment, &ledger, &verdict);
    tn_arena_free(&arena);
    return verdict;
}

static bool fits(const struct tn_model *model, const struct tn_deployment *deployment)
{
    struct tn_arena arena = {0};
    struct tn_planner planner = {.engine = &tn_engine_generic, .model = model};
    bool result = tn_deployment_fits(&planner, deployment, &arena);
    tn_arena_free(&arena);
    return result;
}

static struct tn_model *load(struct made_up *made_up, const char *config)
{
    struct tn_model *model = made_up_load(made_up, config);
    if (!model) {
        fail_msg("%s: %s", made_up->error.where, made_up->error.message);
    }
    return model;
}

/* Memories from far too small to far too large, and the very bytes at which it just fits. */
static size_t list_memories(const struct tn_model *model, uint64_t *memories)
{
    struct tn_arena arena = {0};
    struct tn_ledger ledger = {.arena = &arena};
    struct tn_deployment deployment = deployment_of(1);
    struct tn_planner planner = {.engine = &tn_engine_generic, .model = model};
    assert_true(tn_engine_generic.plan(&planner, &deployment, &ledger, NULL));
    uint64_t need = tn_ledger_worst(&ledger)->high_bytes;
    tn_arena_free(&arena);
    size_t count = 0;
    for (uint64_t divisor = 64; divisor >= 1; divisor /= 2) {
        memories[count++] = need / divisor;
        memories[count++] = need / divisor + need / divisor / 3;
    }
    memories[count++] = need - 1;
    memories[count++] = need + 1;
    memories[count++] = need * 10;
    return count;
}

static void the_largest_that_fits_is_followed_by_one_that_does_not(void **state)
{
    (void)state;
    struct made_up made_up;
    uint64_t memories[32];
    made_up_open(&made_up, records);
    for (size_t m = 0; m < MODELS; m++) {
        struct tn_model *model = load(&made_up, models[m]);
        size_t count = list_memories(model, memories);
        for (size_t k = 0; k < count; k++) {
            struct tn_deployment deployment = deployment_of(memories[k]);
            struct tn_verdict verdict = judge(model, &deployment);
            assert_true(verdict.judged);
            assert_int_equal(verdict.fits, fits(model, &deployment));
            uint64_t *inputs[2] = {&deployment.context_tokens, &deployment.concurrency};
            uint64_t most[2] = {verdict.most_context_tokens, verdict.most_concurrency};
            for (size_t i = 0; i < 2; i++) {
                uint64_t asked = *inputs[i];
                assert_int_equal(verdict.fits, asked <= most[i]);
                if (most[i] != 0) {
                    *inputs[i] = most[i] == UINT64_MAX ? UINT64_C(1) << 40 : most[i];
                    assert_true(fits(model, &deployment));
                }
                *inputs[i] = most[i] + 1;
                assert_true(most[i] == UINT64_MAX || !fits(model, &deployment));
                *inputs[i] = asked;
            }
        }
        tn_model_free(model);
    }
    made_up_close(&made_up);
}

/* The least number by trying all numbers with all splits; 0 where none does. */
static uint32_t least_gpus(const struct tn_model *model, const struct tn_deployment *deployment)
{
    for (uint32_t gpus = 1; gpus <= MOST_GPUS; gpus++) {
        for (uint32_t tp = 1; tp <= gpus; tp++) {
            struct tn_deployment varied = *deployment;
            varied.tp = tp;
            varied.pp = gpus / tp;
            varied.ep = varied.ep > tp * varied.dp ? tp * varied.dp : varied.ep;
            if (gpus % tp == 0 && fits(model, &varied)) {
                return gpus * deployment->dp;
            }
        }
    }
    return 0;
}

static void no_fewer_gpus_than_said_are_enough(void **state)
{
    (void)state;
    static const struct {
        uint32_t tp, pp, ep, dp;
    } asked[] = {{1, 1, 1, 1}, {8, 1, 1, 1}, {2, 2, 1, 1}, {1, 1, 1, 2}, {8, 1, 8, 1}, {4, 1, 8, 2}, {2, 1, 2, 1}};
    struct made_up made_up;
    uint64_t memories[32];
    made_up_open(&made_up, records);
    for (size_t m = 0; m < MODELS; m++) {
        struct tn_model *model = load(&made_up, models[m]);
        size_t count = list_memories(model, memories);
        for (size_t k = 0; k < count * (sizeof asked / sizeof asked[0]); k++) {
            struct tn_deployment deployment = deployment_of(memories[k % count]);
            deployment.tp = asked[k / count].tp;
            deployment.pp = asked[k / count].pp;
            deployment.ep = asked[k / count].ep;
            deployment.dp = asked[k / count].dp;
            struct tn_verdict verdict = judge(model, &deployment);
            assert_int_equal(verdict.gpus_needed, least_gpus(model, &deployment));
            if (verdict.gpus_needed) {
                assert_int_equal(verdict.needed_tp * verdict.needed_pp * deployment.dp, verdict.gpus_needed);
                deployment.tp = verdict.needed_tp;
                deployment.pp = verdict.needed_pp;
                deployment.ep =
                    deployment.ep > deployment.tp * deployment.dp ? deployment.tp * deployment.dp : deployment.ep;
                assert_true(fits(model, &deployment));
            }
        }
        tn_model_free(model);
    }
    made_up_close(&made_up);
}

static void caches_that_every_rank_holds_do_not_hide_the_least_number(void **state)
{
    (void)state;
    /* with --tp 8 there are eight copies of the cache; one GPU holds the only one that is needed */
    struct made_up made_up;
    made_up_open(&made_up, records);
    struct tn_model *model = load(&made_up, models[1]);
    struct tn_deployment deployment = deployment_of(1);
    struct tn_arena arena = {0};
    struct tn_ledger ledger = {.arena = &arena};
    struct tn_planner planner = {.engine = &tn_engine_generic, .model = model};
    assert_true(tn_engine_generic.plan(&planner, &deployment, &ledger, NULL));
    deployment.gpu_memory_bytes = ledger.high_bytes;
    deployment.tp = 8;
    assert_int_equal(judge(model, &deployment).gpus_needed, 1);
    tn_arena_free(&arena);
    tn_model_free(model);
    made_up_close(&made_up);
}

static void no_gpu_means_no_verdict(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open(&made_up, records);
    struct tn_model *model = load(&made_up, models[0]);
    struct tn_deployment deployment = deployment_of(0);
    struct tn_verdict verdict = judge(model, &deployment);
    assert_false(verdict.judged);
    assert_false(verdict.fits);
    assert_int_equal(verdict.gpus_needed, 0);
    tn_model_free(model);
    made_up_close(&made_up);
}

static void any_memory_can_be_judged(void **state)
{
    (void)state;
    static const uint64_t memories[] = {1, UINT64_C(1) << 52, UINT64_C(1) << 63, UINT64_MAX};
    struct made_up made_up;
    made_up_open(&made_up, records);
    struct tn_model *model = load(&made_up, models[0]);
    for (size_t k = 0; k < sizeof memories / sizeof memories[0]; k++) {
        for (uint32_t dp = 1; dp <= 4096; dp *= 2) {
            struct tn_deployment deployment = deployment_of(memories[k]);
            deployment.dp = dp;
            struct tn_verdict verdict = judge(model, &deployment);
            assert_int_equal(verdict.fits, memories[k] > 1);
            assert_int_equal(verdict.gpus_needed, memories[k] > 1 ? dp : 0);
        }
    }
    tn_model_free(model);
    made_up_close(&made_up);
}

static void a_model_without_a_cache_takes_any_context(void **state)
{
    (void)state;
    struct tn_model_numbers numbers = {.parameters = 1000000};
    struct tn_error error;
    struct tn_model *model = tn_model_from_numbers(&numbers, &error);
    assert_non_null(model);
    struct tn_deployment deployment = deployment_of(2200000);
    struct tn_verdict verdict = judge(model, &deployment);
    assert_true(verdict.fits);
    assert_true(verdict.most_context_tokens == UINT64_MAX);
    assert_true(verdict.most_concurrency == UINT64_MAX);
    deployment.gpu_memory_bytes = 2199999;
    verdict = judge(model, &deployment);
    assert_false(verdict.fits);
    assert_int_equal(verdict.most_context_tokens, 0);
    assert_int_equal(verdict.most_concurrency, 0);
    tn_model_free(model);
}

static void what_binds_is_the_largest_part(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open(&made_up, records);
    struct tn_model *model = load(&made_up, models[0]);
    struct tn_deployment deployment = deployment_of(1);
    deployment.context_tokens = deployment.concurrency = 1;
    assert_int_equal(judge(model, &deployment).binding, TN_CATEGORY_WEIGHTS);
    deployment.context_tokens = 1000000;
    assert_int_equal(judge(model, &deployment).binding, TN_CATEGORY_CACHE);
    deployment.context_tokens = 1;
    deployment.overhead_ppm = 2000000;
    assert_int_equal(judge(model, &deployment).binding, TN_CATEGORY_RESERVE);
    tn_model_free(model);
    model = load(&made_up, models[2]);
    deployment = deployment_of(1);
    deployment.context_tokens = 1;
    deployment.concurrency = 1000000;
    assert_int_equal(judge(model, &deployment).binding, TN_CATEGORY_STATE);
    tn_model_free(model);
    made_up_close(&made_up);
}

static void gpus_are_split_with_the_most_tensor_parallel_that_is_possible(void **state)
{
    (void)state;
    static const struct {
        uint32_t gpus, tp, pp; /* tp 0: impossible. 16 attention heads, 2 KV heads, 8 layers */
    } cases[] = {{1, 1, 1}, {2, 2, 1},  {4, 4, 1},    {16, 16, 1}, {32, 16, 2}, {6, 2, 3},
                 {7, 1, 7}, {12, 4, 3}, {128, 16, 8}, {256, 0, 0}, {11, 0, 0}};
    struct made_up made_up;
    made_up_open(&made_up, records);
    struct tn_model *model = load(&made_up, models[0]);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_deployment deployment = deployment_of(1);
        uint32_t tp = 0;
        uint32_t pp = 0;
        struct tn_planner planner = {.engine = &tn_engine_generic, .model = model};
        bool found = tn_split_gpus(&planner, &deployment, cases[k].gpus, &tp, &pp);
        assert_int_equal(found, cases[k].tp > 0);
        assert_int_equal(tp, cases[k].tp);
        assert_int_equal(pp, cases[k].pp);
    }
    tn_model_free(model);
    made_up_close(&made_up);
}

/* ---- engines that place weights ------------------------------------------------------------------------------------ */

static unsigned plan_count;
static uint32_t least_ranks; /* from so many ranks on every GPU has room */

static bool plan_by_ranks(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                          struct tn_error *error)
{
    (void)planner;
    plan_count++;
    ledger->ranks_per_stage = deployment->tp * deployment->dp;
    bool has_room = deployment->tp * deployment->pp >= least_ranks;
    if (!tn_ledger_begin_stage(ledger, deployment, 0, 1)) {
        return tn_fail_memory(error);
    }
    tn_ledger_set_stage(ledger, 1, 1, has_room ? 1 : 1000, 1); /* the undivided model says nothing of the number */
    return tn_ledger_finish(ledger, error);
}

static void engines_that_place_weights_are_asked_about_few_divisions(void **state)
{
    (void)state;
    static const struct tn_engine engine = {.name = "by ranks", .has_record = true, .plan = plan_by_ranks};
    static const struct {
        uint32_t least_ranks, gpus;
    } cases[] = {{1, 1}, {3, 3}, {8, 8}, {9, 16}, {17, 24}, {5000, 0}};
    struct tn_planner planner = {.engine = &engine};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_deployment deployment = deployment_of(100);
        struct tn_arena arena = {0};
        struct tn_ledger ledger = {.arena = &arena};
        struct tn_verdict verdict;
        least_ranks = cases[k].least_ranks;
        assert_true(plan_by_ranks(&planner, &deployment, &ledger, NULL));
        plan_count = 0;
        tn_verdict(&planner, &deployment, &ledger, &verdict);
        assert_int_equal(verdict.gpus_needed, cases[k].gpus);
        assert_true(plan_count < 200); /* 80 for the most, and a bounded number of divisions */
        tn_arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_that_fits_is_followed_by_one_that_does_not),
        cmocka_unit_test(no_fewer_gpus_than_said_are_enough),
        cmocka_unit_test(caches_that_every_rank_holds_do_not_hide_the_least_number),
        cmocka_unit_test(no_gpu_means_no_verdict),
        cmocka_unit_test(any_memory_can_be_judged),
        cmocka_unit_test(a_model_without_a_cache_takes_any_context),
        cmocka_unit_test(what_binds_is_the_largest_part),
        cmocka_unit_test(engines_that_place_weights_are_asked_about_few_divisions),
        cmocka_unit_test(gpus_are_split_with_the_most_tensor_parallel_that_is_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
