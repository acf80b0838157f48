/* GPUs that are not alike: what each is judged by, how llama.cpp divides layers over them, and the tensor_split that was found against all
 * that there are. */
#include "engine_plan.h"

#include "fit/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CASES = 24, MOST_GPUS = 3, LAYERS = 17 }; /* 16 of Llama 3.2 1B, and the output */

static const uint64_t MIB = UINT64_C(1) << 20;

/* The same numbers on every machine. */
static uint64_t next_random(uint64_t *state, uint64_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % below;
}

struct fixture {
    struct engine_plan plan;
    struct tn_device devices[MOST_GPUS];
    struct tn_deployment deployment;
    struct tn_assignment sets[1];
    struct tn_arena arena;
};

static void fixture_open(struct fixture *fixture, const char *engine, const char *model, const char *quant)
{
    *fixture = (struct fixture){0};
    engine_plan_open_named(&fixture->plan, engine, "", model, quant);
    fixture->plan.planner.model = fixture->plan.model;
}

static void fixture_close(struct fixture *fixture)
{
    tn_arena_free(&fixture->arena);
    engine_plan_close(&fixture->plan);
}

static void set_memories(struct fixture *fixture, const uint64_t *mib, uint32_t count)
{
    struct tn_deployment *deployment = &fixture->deployment;
    *deployment = engine_plan_deployment(4096);
    deployment->kv_dtype = tn_dtype_find(TN_STR("F16"));
    deployment->pp = count;
    deployment->devices = fixture->devices;
    deployment->device_count = count;
    deployment->gpu_memory_bytes = UINT64_MAX;
    for (uint32_t k = 0; k < count; k++) {
        fixture->devices[k] = (struct tn_device){NULL, mib[k] * MIB};
        deployment->gpu_memory_bytes =
            mib[k] * MIB < deployment->gpu_memory_bytes ? mib[k] * MIB : deployment->gpu_memory_bytes;
    }
}

/* ---- each rank and its own GPU ------------------------------------------------------------------------------------ */

/* 16 layers in two stages of 8, by the generic engine: as much on both, but for the ends. What the second needs fits a GPU of half the size
 * only if it stands there. */
static void each_stage_is_judged_by_its_own_gpu(void **state)
{
    (void)state;
    struct fixture fixture;
    struct tn_ledger ledger;
    fixture_open(&fixture, "generic", "llama-3.2-1b", "");
    const uint64_t plenty[] = {80000, 80000};
    set_memories(&fixture, plenty, 2);
    assert_true(tn_plan_again(&fixture.plan.planner, &fixture.deployment, &fixture.arena, &ledger));
    uint64_t first = ledger.stages[0].high_bytes / MIB + 1;
    uint64_t second = ledger.stages[1].high_bytes / MIB + 1;
    const struct {
        uint64_t mib[2];
        bool fits;
        uint32_t worst;
    } cases[] = {{{first, second}, true, 0},
                 {{first - 2, second + 100}, false, 0},
                 {{first + 100, second - 2}, false, 1},
                 {{first + 100, second + 50}, true, 1},
                 {{first - 5, second - 9}, false, 1}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        set_memories(&fixture, cases[k].mib, 2);
        assert_true(tn_plan_again(&fixture.plan.planner, &fixture.deployment, &fixture.arena, &ledger));
        assert_int_equal(tn_ledger_fits(&ledger, &fixture.deployment), cases[k].fits);
        assert_int_equal(ledger.stages[1].memory_bytes, cases[k].mib[1] * MIB);
        if (k > 0) {
            assert_ptr_equal(tn_ledger_worst(&ledger), &ledger.stages[cases[k].worst]);
        }
    }
    fixture_close(&fixture);
}

/* Ranks of tensor parallel hold the same, so that the smallest GPU of a stage counts: devices 0 and 1 are the first stage, 2 and 3 the second. */
static void the_smallest_gpu_of_a_stage_counts(void **state)
{
    (void)state;
    const struct tn_device devices[] = {{NULL, 400}, {NULL, 300}, {NULL, 100}, {NULL, 200}};
    const struct tn_deployment deployment = {
        .gpu_memory_bytes = 100, .devices = devices, .device_count = 4, .tp = 2, .pp = 2, .ep = 1, .dp = 1};
    assert_int_equal(tn_deployment_stage_device(&deployment, 0).memory_bytes, 300);
    assert_int_equal(tn_deployment_stage_device(&deployment, 1).memory_bytes, 100);
    assert_int_equal(tn_deployment_device(&deployment, 3).memory_bytes, 200);
    assert_int_equal(tn_deployment_device(&deployment, 9).memory_bytes, 100); /* none: as the smallest */
}

/* vLLM gives each rank as many blocks as the least of them has room for: with two stages that hold about the same, a larger GPU for one of them
 * changes nothing, and larger ones for both give more. */
static void the_least_pool_decides_for_engines_that_take_one(void **state)
{
    (void)state;
    static const char *const engines[] = {"vllm", "trtllm", "sglang"};
    const uint64_t pairs[][2] = {{16000, 16000}, {16000, 24000}, {24000, 16000}, {24000, 24000}};
    for (size_t e = 0; e < sizeof engines / sizeof engines[0]; e++) {
        struct fixture fixture;
        struct tn_ledger ledger;
        uint64_t tokens[4];
        fixture_open(&fixture, engines[e], "llama-3.1-8b", "");
        for (size_t k = 0; k < 4; k++) {
            set_memories(&fixture, pairs[k], 2);
            fixture.deployment.kv_dtype = tn_dtype_find(TN_STR("BF16"));
            assert_true(tn_plan_again(&fixture.plan.planner, &fixture.deployment, &fixture.arena, &ledger));
            tokens[k] = ledger.pool.mid.tokens;
            assert_true(tokens[k] > 0);
        }
        assert_int_equal(tokens[1] < tokens[2] ? tokens[1] : tokens[2], tokens[0]);
        assert_true(tokens[0] <= tokens[1] && tokens[1] < tokens[3]);
        assert_true(tokens[0] <= tokens[2] && tokens[2] < tokens[3]);
        fixture_close(&fixture);
    }
}

static void sglang_refuses_tensor_parallel_over_unequal_memory(void **state)
{
    (void)state;
    const uint64_t unequal[] = {24000, 21500};
    const uint64_t nearly[] = {24000, 21700};
    struct fixture fixture;
    struct tn_ledger ledger = {0};
    struct tn_error error = {0};
    fixture_open(&fixture, "sglang", "llama-3.1-8b", "");
    for (int k = 0; k < 2; k++) {
        set_memories(&fixture, k ? nearly : unequal, 2);
        fixture.deployment.kv_dtype = tn_dtype_find(TN_STR("BF16"));
        fixture.deployment.tp = 2;
        fixture.deployment.pp = 1;
        ledger = (struct tn_ledger){.arena = &fixture.arena};
        bool is_taken = fixture.plan.planner.engine->plan(&fixture.plan.planner, &fixture.deployment, &ledger, &error);
        assert_int_equal(is_taken, k == 1);
        assert_int_equal(error.code, TN_ERROR_DEPLOYMENT);
    }
    fixture_close(&fixture);
}

/* ---- layers by memory --------------------------------------------------------------------------------------------- */

static uint32_t layers_on(const struct tn_ledger *ledger, uint32_t gpu)
{
    return ledger->stages[gpu].layer_count;
}

/* 12 and 4 GiB less 330 MiB each: shares of 11958 and 3766, so that the first ends at 0.7605. Of 17 layers and the output, those whose number by
 * 17 is below are 0 to 12 (12 / 17 = 0.706, 13 / 17 = 0.765): 13 and 4, of which the last is the output. Alike they would be 9 and 8. */
static void llamacpp_divides_layers_by_the_memory_of_each_gpu(void **state)
{
    (void)state;
    const uint64_t unequal[] = {12288, 4096};
    const uint64_t alike[] = {4096, 4096};
    struct fixture fixture;
    struct tn_ledger ledger;
    fixture_open(&fixture, "llamacpp", "llama-3.2-1b", "q8_0");
    set_memories(&fixture, unequal, 2);
    assert_true(tn_plan_again(&fixture.plan.planner, &fixture.deployment, &fixture.arena, &ledger));
    assert_int_equal(layers_on(&ledger, 0), 13);
    assert_int_equal(layers_on(&ledger, 1), 3);
    set_memories(&fixture, alike, 2);
    assert_true(tn_plan_again(&fixture.plan.planner, &fixture.deployment, &fixture.arena, &ledger));
    assert_int_equal(layers_on(&ledger, 0), 9);
    fixture_close(&fixture);
}

/* ---- against all splits ------------------------------------------------------------------------------------------- */

/* The room of the GPU that has least, in bytes; negative where it does not fit. */
static double room_with(struct fixture *fixture, const uint32_t *layers, struct tn_deployment *changed)
{
    static struct tn_fit_split split;
    struct tn_ledger ledger;
    split = (struct tn_fit_split){.gpus = fixture->deployment.pp};
    int size = 0;
    for (uint32_t k = 0; k < split.gpus && k < MOST_GPUS; k++) {
        size += snprintf(split.text + size, sizeof split.text - (size_t)size, "%s%u", k ? "," : "", layers[k]);
    }
    *changed = tn_fit_with_split(&fixture->deployment, &split, fixture->sets);
    assert_true(tn_plan_again(&fixture->plan.planner, changed, &fixture->arena, &ledger));
    const struct tn_stage *worst = tn_ledger_worst(&ledger);
    return (double)worst->memory_bytes - (double)worst->high_bytes;
}

/* The next division of all layers over the GPUs: 0,0,17; 0,1,16; ... false behind the last. */
static bool next_division(uint32_t *layers, uint32_t gpus)
{
    for (uint32_t k = gpus - 1; k-- > 0;) {
        uint32_t before = 0;
        for (uint32_t n = 0; n < k; n++) {
            before += layers[n];
        }
        if (before + layers[k] < LAYERS) {
            layers[k]++;
            uint32_t sum = before + layers[k];
            for (uint32_t n = k + 1; n + 1 < gpus; n++) {
                layers[n] = 0;
            }
            layers[gpus - 1] = LAYERS - sum;
            return true;
        }
    }
    return false;
}

static double best_room(struct fixture *fixture)
{
    uint32_t layers[MOST_GPUS] = {0};
    struct tn_deployment changed;
    uint32_t gpus = fixture->deployment.pp;
    layers[gpus - 1] = LAYERS;
    double best = -1e18;
    do {
        double room = room_with(fixture, layers, &changed);
        best = room > best ? room : best;
    } while (next_division(layers, gpus));
    return best;
}

static void check_split(struct fixture *fixture, const uint64_t *mib, unsigned *found_count)
{
    struct tn_fit_split split;
    struct tn_deployment changed;
    double best = best_room(fixture);
    uint32_t gpus = fixture->deployment.pp;
    uint64_t largest = mib[0] > mib[1] ? mib[0] : mib[1];
    largest = gpus > 2 && mib[2] > largest ? mib[2] : largest;
    bool found = tn_fit_find_split(&fixture->plan.planner, &fixture->deployment, &split);
    if (found != (best >= 0)) {
        fail_msg("%u GPUs of %llu, %llu MiB: %s, and the best split has %.0f bytes of room", gpus,
                 (unsigned long long)mib[0], (unsigned long long)mib[1], found ? "found" : "not found", best);
    }
    *found_count += found;
    if (found) {
        double room = room_with(fixture, split.layers, &changed);
        assert_true(room >= 0 && room >= best - (double)(largest * MIB) / 32);
    }
}

static void a_split_is_found_wherever_there_is_one(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t random = 7;
    unsigned found = 0;
    fixture_open(&fixture, "llamacpp", "llama-3.2-1b", "q8_0");
    for (unsigned k = 0; k < CASES; k++) {
        uint32_t gpus = k % 4 == 3 ? 3 : 2;
        uint64_t mib[MOST_GPUS] = {0};
        for (uint32_t n = 0; n < gpus; n++) {
            mib[n] = 1200 + next_random(&random, gpus == 3 ? 900 : 1400);
        }
        set_memories(&fixture, mib, gpus);
        fixture.deployment.context_tokens = 2048 + 1024 * next_random(&random, 12);
        check_split(&fixture, mib, &found);
    }
    assert_in_range(found, CASES / 4, CASES - CASES / 4); /* both happen */
    fixture_close(&fixture);
}

/* The most of an input over all splits of two GPUs, each by tn_find_limit. */
static uint64_t best_limit(struct fixture *fixture, enum tn_varied what)
{
    struct tn_variation variation = {.what = what};
    uint32_t layers[MOST_GPUS] = {0, LAYERS, 0};
    uint64_t best = 0;
    do {
        struct tn_deployment changed;
        struct tn_limit limit;
        (void)room_with(fixture, layers, &changed);
        assert_true(tn_find_limit(&fixture->plan.planner, &changed, &variation, NULL, &limit));
        best = limit.last_fitting > best ? limit.last_fitting : best;
    } while (next_division(layers, 2));
    return best;
}

static void the_most_of_an_input_is_that_of_the_best_split(void **state)
{
    (void)state;
    static const enum tn_varied inputs[] = {TN_VARIED_CONTEXT, TN_VARIED_CONCURRENCY};
    struct fixture fixture;
    uint64_t random = 11;
    unsigned better = 0;
    fixture_open(&fixture, "llamacpp", "llama-3.2-1b", "q8_0");
    for (unsigned k = 0; k < 8; k++) {
        const uint64_t mib[] = {1500 + next_random(&random, 2500), 1500 + next_random(&random, 1500)};
        struct tn_variation variation = {.what = inputs[k % 2]};
        struct tn_fit_split split;
        struct tn_limit limit;
        set_memories(&fixture, mib, 2);
        assert_true(tn_find_limit(&fixture.plan.planner, &fixture.deployment, &variation, NULL, &limit));
        uint64_t before = limit.last_fitting;
        assert_true(
            tn_fit_split_limit(&fixture.plan.planner, &fixture.deployment, variation.what, 1000000, &limit, &split));
        assert_int_equal(split.gpus > 0, limit.last_fitting > before);
        better += split.gpus > 0;
        uint64_t best = best_limit(&fixture, variation.what);
        if (limit.last_fitting != best) {
            fail_msg("GPUs of %llu and %llu MiB: %llu with %s, and %llu of all splits", (unsigned long long)mib[0],
                     (unsigned long long)mib[1], (unsigned long long)limit.last_fitting,
                     split.gpus ? split.text : "none", (unsigned long long)best);
        }
    }
    assert_true(better > 0);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stage_is_judged_by_its_own_gpu),
        cmocka_unit_test(the_smallest_gpu_of_a_stage_counts),
        cmocka_unit_test(the_least_pool_decides_for_engines_that_take_one),
        cmocka_unit_test(sglang_refuses_tensor_parallel_over_unequal_memory),
        cmocka_unit_test(llamacpp_divides_layers_by_the_memory_of_each_gpu),
        cmocka_unit_test(a_split_is_found_wherever_there_is_one),
        cmocka_unit_test(the_most_of_an_input_is_that_of_the_best_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
