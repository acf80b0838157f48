/* The joint search against all deployments of small spaces, each planned and compared with each. */
#include "real_catalog.h"

#include "engine/engines.h"
#include "fit/search.h"
#include "plan/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_WEIGHTS = 3, KVS = 2, MOST_GPUS = 5, MOST_POINTS = 20000 };

struct fixture {
    struct tn_fit_space space;
    struct tn_fit_weights weights[MOST_WEIGHTS];
    struct tn_fit_kv kvs[KVS];
    struct tn_fit_gpu gpus[MOST_GPUS];
    struct tn_planner planner; /* owns the engine's record */
};

static const struct {
    const char *engine;
    const char *model;
    const char *quants[MOST_WEIGHTS];
    const char *gpus[MOST_GPUS];
    uint64_t prices[MOST_GPUS]; /* millionths; 0: not known */
    uint64_t context, concurrency;
    uint32_t most_gpus;
} rows[] = {
    {"vllm",
     "llama-3.1-8b",
     {"", "fp8", "awq"},
     {"h100-sxm5-80gb", "l40s", "rtx-4090", "t4"},
     {2500000, 900000, 400000, 200000},
     8192,
     16,
     8},
    {"vllm",
     "qwen3-30b-a3b",
     {"", "fp8"},
     {"a100-sxm4-80gb", "rtx-4090", "l4", "h200-sxm5-141gb"},
     {1500000, 400000, 0, 0},
     16384,
     8,
     16},
    {"vllm", "deepseek-v2-lite", {""}, {"rtx-4090", "l40s"}, {0, 0}, 4096, 4, 8},
    {"sglang", "llama-3.1-8b", {"", "fp8"}, {"h100-sxm5-80gb", "l40s"}, {2500000, 900000}, 8192, 16, 8},
    {"generic", "llama-2-13b", {"", "int8", "int4"}, {"rtx-4090", "l40s", "t4"}, {300000, 900000, 0}, 4096, 4, 8},
    {"trtllm", "llama-3.1-8b", {""}, {"h100-sxm5-80gb", "a100-sxm4-80gb"}, {2500000, 1500000}, 8192, 16, 4},
};

static void open_space(struct fixture *fixture, size_t row)
{
    static const char *const kv_names[KVS] = {"", "fp8"};
    struct tn_fit_space *space = &fixture->space;
    const struct tn_engine *engine = tn_engine_find(tn_str_of(rows[row].engine));
    *fixture = (struct fixture){0};
    assert_true(tn_planner_open(&fixture->planner, engine, real.catalog, NULL, (struct tn_str){0}, NULL));
    space->weights = fixture->weights;
    space->kvs = fixture->kvs;
    space->gpus = fixture->gpus;
    for (size_t k = 0; k < MOST_WEIGHTS && rows[row].quants[k]; k++) {
        struct tn_fit_weights *weights = &fixture->weights[space->weights_count++];
        weights->quant = tn_str_of(rows[row].quants[k]);
        weights->model = made_up_load_named(&real, rows[row].model, rows[row].quants[k]);
        weights->millibits = 16000 - 4000 * (uint32_t)k;
        tn_planner_share(&fixture->planner, weights->model, &weights->planner);
    }
    for (size_t k = 0; k < KVS; k++) {
        const struct tn_dtype *dtype =
            k ? tn_dtype_find(TN_STR("fp8")) : tn_cache_default_dtype(space->weights[0].model);
        fixture->kvs[space->kv_count++] = (struct tn_fit_kv){.name = tn_str_of(kv_names[k]),
                                                             .dtype = dtype,
                                                             .is_named = k && engine->has_record,
                                                             .millibits = k ? 8000 : 16000};
    }
    for (size_t k = 0; k < MOST_GPUS && rows[row].gpus[k]; k++) {
        const struct tn_gpu *gpu = tn_catalog_find_gpu(real.catalog, tn_str_of(rows[row].gpus[k]), NULL);
        assert_non_null(gpu);
        fixture->gpus[space->gpu_count++] = (struct tn_fit_gpu){
            .gpu = gpu, .memory_bytes = gpu->memory_bytes, .usd_millionths_per_hour = rows[row].prices[k]};
    }
    space->least_gpus = 1;
    space->most_gpus = rows[row].most_gpus;
    space->asked = (struct tn_deployment){.context_tokens = rows[row].context,
                                          .context_is_given = true,
                                          .concurrency = rows[row].concurrency,
                                          .overhead_ppm = 100000};
}

static void close_space(struct fixture *fixture)
{
    for (size_t k = 0; k < fixture->space.weights_count; k++) {
        tn_planner_close(&fixture->weights[k].planner);
        tn_model_free(fixture->weights[k].model);
    }
    tn_planner_close(&fixture->planner);
}

/* Plans one deployment; false where it does not fit. What it holds is read off the ledger here once more. */
static bool plan_point(struct fixture *fixture, struct tn_fit_point *point, struct tn_arena *arena)
{
    const struct tn_fit_space *space = &fixture->space;
    struct tn_deployment deployment =
        tn_fit_deployment(space, &space->kvs[point->kv], &space->gpus[point->gpu], &point->division);
    struct tn_ledger ledger;
    if (!tn_plan_again(&space->weights[point->weights].planner, &deployment, arena, &ledger)
        || !tn_ledger_fits(&ledger, &deployment)) {
        return false;
    }
    uint64_t least = 0;
    for (uint32_t k = 0; k < ledger.stage_count; k++) {
        least = ledger.stages[k].least_bytes > least ? ledger.stages[k].least_bytes : least;
    }
    point->headroom_bytes = deployment.gpu_memory_bytes - least;
    point->concurrency = deployment.concurrency;
    point->kv_tokens = deployment.concurrency * deployment.context_tokens;
    if (ledger.pool.present) {
        point->concurrency = tn_pool_requests(&ledger.pool, &ledger.pool.low) * deployment.dp;
        point->kv_tokens = ledger.pool.low.tokens * deployment.dp;
    }
    return true;
}

/* All that fit, with any division. */
static size_t plan_all(struct fixture *fixture, struct tn_fit_point *points)
{
    const struct tn_fit_space *space = &fixture->space;
    struct tn_fit_division divisions[TN_FIT_MOST_DIVISIONS];
    struct tn_arena arena = {0};
    size_t count = 0;
    for (size_t w = 0; w < space->weights_count; w++) {
        for (uint32_t gpus = 1; gpus <= space->most_gpus; gpus++) {
            size_t ways = tn_fit_divisions(space, space->weights[w].model, gpus, divisions);
            for (size_t k = 0; k < ways * space->gpu_count * space->kv_count; k++) {
                size_t gpu = k / space->kv_count % space->gpu_count;
                struct tn_fit_point point = {.weights = w,
                                             .kv = k % space->kv_count,
                                             .gpu = gpu,
                                             .division = divisions[k / space->kv_count / space->gpu_count],
                                             .gpus = gpus,
                                             .usd_millionths_per_hour =
                                                 space->gpus[gpu].usd_millionths_per_hour * gpus};
                assert_true(count < MOST_POINTS);
                points[count] = point;
                count += plan_point(fixture, &points[count], &arena);
            }
        }
    }
    tn_arena_free(&arena);
    return count;
}

/* Of the divisions of the same GPUs the search keeps the one that holds the most requests: so much must be there for each that fits. */
static bool is_met(const struct fixture *fixture, const struct tn_fit_front *front, struct tn_fit_point wanted)
{
    bool met = false;
    wanted.headroom_bytes = wanted.kv_tokens = 0;
    for (size_t k = 0; k < front->count && !met; k++) {
        met = tn_fit_surpasses(&fixture->space, &front->points[k], &wanted);
    }
    return met;
}

static void nothing_that_fits_surpasses_the_front(void **state)
{
    (void)state;
    struct tn_fit_point *points = calloc(MOST_POINTS, sizeof *points);
    assert_non_null(points);
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct fixture fixture;
        struct tn_arena arena = {0};
        struct tn_fit_front front = {0};
        open_space(&fixture, row);
        size_t count = plan_all(&fixture, points);
        assert_true(tn_fit_search(&fixture.space, &arena, &front));
        assert_true(count > 0 && front.count > 0 && front.counts.considered >= count);
        for (size_t k = 0; k < count; k++) {
            if (!is_met(&fixture, &front, points[k])) {
                fail_msg("row %zu: %u x gpu %zu, tp %u pp %u ep %u dp %u, weights %zu, kv %zu, %llu requests", row,
                         points[k].gpus, points[k].gpu, points[k].division.tp, points[k].division.pp,
                         points[k].division.ep, points[k].division.dp, points[k].weights, points[k].kv,
                         (unsigned long long)points[k].concurrency);
            }
        }
        for (size_t a = 0; a < front.count; a++) { /* and nothing in it surpasses another */
            for (size_t b = 0; b < front.count; b++) {
                assert_true(a == b || !tn_fit_surpasses(&fixture.space, &front.points[a], &front.points[b]));
            }
        }
        tn_arena_free(&arena);
        close_space(&fixture);
    }
    free(points);
}

static void what_is_left_out_does_not_change_the_front(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct fixture fixture;
        struct tn_arena arena = {0};
        struct tn_fit_front pruned = {0};
        struct tn_fit_front all = {0};
        open_space(&fixture, row);
        assert_true(tn_fit_search(&fixture.space, &arena, &pruned));
        fixture.space.wants_all = true;
        assert_true(tn_fit_search(&fixture.space, &arena, &all));
        assert_int_equal(pruned.count, all.count);
        for (size_t k = 0; k < all.count; k++) {
            bool found = false;
            for (size_t i = 0; i < pruned.count; i++) {
                found = found || memcmp(&all.points[k], &pruned.points[i], sizeof all.points[k]) == 0;
            }
            assert_true(found);
        }
        assert_int_equal(all.counts.planned + all.counts.refused, all.counts.considered);
        assert_true(pruned.counts.planned <= all.counts.planned);
        tn_arena_free(&arena);
        close_space(&fixture);
    }
}

static void divisions_stay_inside_of_machines(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        uint32_t gpus;
        size_t count;
    } cases[] = {{"llama-3.1-8b", 1, 1},   {"llama-3.1-8b", 8, 4},   {"llama-3.1-8b", 6, 4}, {"llama-3.1-8b", 12, 0},
                 {"llama-3.1-8b", 16, 4},  {"llama-3.1-8b", 256, 0}, /* 32 stages of 8: more than are looked at */
                 {"qwen3-30b-a3b", 8, 10}, {"qwen3-30b-a3b", 16, 11}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_fit_space space = {0};
        struct tn_fit_division divisions[TN_FIT_MOST_DIVISIONS];
        struct tn_model *model = made_up_load_named(&real, cases[k].model, "");
        size_t count = tn_fit_divisions(&space, model, cases[k].gpus, divisions);
        assert_int_equal(count, cases[k].count);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(divisions[i].tp * divisions[i].pp * divisions[i].dp, cases[k].gpus);
            assert_true(divisions[i].tp <= TN_FIT_MACHINE);
        }
        space.asked.tp = 2;
        count = tn_fit_divisions(&space, model, 8, divisions);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(divisions[i].tp, 2);
        }
        assert_true(count > 0);
        tn_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_fits_surpasses_the_front),
        cmocka_unit_test(what_is_left_out_does_not_change_the_front),
        cmocka_unit_test(divisions_stay_inside_of_machines),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
