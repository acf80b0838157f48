/* What a plan of a real engine costs: a hybrid model (recurrent states and attention) on eight ranks, whose context and concurrency change
 * from plan to plan, beside the generic engine on the same job; and what the first plan costs, which lays the weights on the ranks.
 *
 *     bench_engine [MODEL]        a model of the catalog
 *
 * Exit code 1 where a plan of vLLM takes MOST_MICROSECONDS or more.
 */
#include "api/operations.h"
#include "engine/engines.h"
#include "plan/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 7, PLANS = 2000, RANKS = 8, MOST_MICROSECONDS = 20 };

static const double MICROSECONDS = 1e6;

static double seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare_numbers(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;
    return (first > second) - (first < second);
}

struct bench {
    struct tn_catalog *catalog;
    struct tn_model *model;
    const struct tn_gpu *gpu;
    struct tn_arena arena;
    uint64_t sum_bytes; /* of all plans, so that none can be optimised away */
    struct tn_error error;
};

static struct tn_deployment vary(const struct bench *bench, uint64_t number)
{
    return (struct tn_deployment){.gpu = bench->gpu,
                                  .gpu_memory_bytes = bench->gpu->memory_bytes,
                                  .tp = RANKS,
                                  .pp = 1,
                                  .ep = 1,
                                  .dp = 1,
                                  .context_tokens = 1024 + 997 * number % 65536,
                                  .concurrency = 1 + 31 * number % 256,
                                  .kv_dtype = tn_cache_default_dtype(bench->model),
                                  .overhead_ppm = 100000};
}

static bool plan(struct bench *bench, struct tn_planner *planner, uint64_t number)
{
    struct tn_deployment deployment = vary(bench, number);
    struct tn_ledger ledger = {.arena = &bench->arena};
    tn_arena_reset(&bench->arena);
    bool done = planner->engine->plan(planner, &deployment, &ledger, &bench->error);
    bench->sum_bytes += ledger.mid_bytes;
    return done;
}

/* Microseconds of one plan: the median over RUNS runs of PLANS plans; and of the first. */
static bool measure(struct bench *bench, const char *name, double *each, double *first)
{
    double seconds[RUNS];
    struct tn_planner planner;
    const struct tn_engine *engine = tn_engine_find(tn_str_of(name));
    if (!engine) {
        return tn_fail(&bench->error, TN_ERROR_USAGE, "there is no engine %s", name);
    }
    bool done = tn_planner_open(&planner, engine, bench->catalog, bench->model, (struct tn_str){0}, &bench->error);
    double start = seconds_now();
    done = done && plan(bench, &planner, 0);
    *first = (seconds_now() - start) * MICROSECONDS;
    for (int run = 0; done && run < RUNS; run++) {
        start = seconds_now();
        for (uint64_t k = 0; done && k < PLANS; k++) {
            done = plan(bench, &planner, k);
        }
        seconds[run] = seconds_now() - start;
    }
    tn_planner_close(&planner);
    if (done) {
        qsort(seconds, RUNS, sizeof seconds[0], compare_numbers);
        *each = seconds[RUNS / 2] / PLANS * MICROSECONDS;
    }
    return done;
}

static bool measure_all(struct bench *bench, const char *name, bool *fast)
{
    static const char *const engines[] = {"generic", "vllm"};
    bool done = true;
    printf("%-32s %14s %14s   %s\n", name, "us a plan", "us the first", "wanted");
    for (size_t k = 0; done && k < sizeof engines / sizeof engines[0]; k++) {
        double each = 0;
        double first = 0;
        done = measure(bench, engines[k], &each, &first);
        if (done) {
            bool is_wanted = tn_engine_find(tn_str_of(engines[k]))->has_record;
            printf("%-32s %14.2f %14.1f   %s\n", engines[k], each, first, is_wanted ? "< 20" : "");
            *fast = *fast && (!is_wanted || each < MOST_MICROSECONDS);
        }
    }
    return done;
}

/* The model with its facts, as plans of engines read them. They lie in an arena that no plan resets. */
static bool load(struct bench *bench, struct tn_arena *arena, const char *name)
{
    struct tn_session session = {.catalog = bench->catalog};
    struct tn_request request = {.arena = arena, .operation = TN_STR("plan")};
    bench->gpu = tn_catalog_find_gpu(bench->catalog, TN_STR("h100-sxm5-80gb"), &bench->error);
    bench->model = bench->gpu ? tn_request_model(&session, &request, tn_str_of(name), &bench->error) : NULL;
    return bench->model != NULL;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "qwen3-next-80b-a3b";
    struct bench bench = {0};
    struct tn_arena arena = {0};
    bool fast = true;
    bench.catalog = tn_catalog_open(&bench.error);
    bool done = bench.catalog && load(&bench, &arena, name) && measure_all(&bench, name, &fast);
    if (!done) {
        (void)fprintf(stderr, "bench_engine: %s\n", bench.error.message);
    }
    tn_model_free(bench.model);
    tn_catalog_close(bench.catalog);
    tn_arena_free(&bench.arena);
    tn_arena_free(&arena);
    return done && fast ? 0 : 1;
}
