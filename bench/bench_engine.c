/* What a plan of a real engine costs: a hybrid model (recurrent states and attention) on eight ranks, whose context and concurrency change
 * from plan to plan, beside the generic engine on the same job; and what the first plan costs, which lays the weights on the ranks. For
 * llama.cpp a model of more than a hundred layers on eight GPUs.
 *
 * Exit code 1 where a plan takes as long as its row allows, or longer.
 */
#include "api/operations.h"
#include "engine/engines.h"
#include "plan/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 7 };

/* What is measured, and how long it may take. */
static const struct row {
    const char *engine;
    const char *model; /* of the catalog */
    uint32_t tp;
    uint32_t pp;
    uint64_t plans; /* of one run */
    double most_us; /* of one plan; 0: whatever it takes */
} rows[] = {
    {"generic", "qwen3-next-80b-a3b", 8, 1, 2000, 0},
    {"vllm", "qwen3-next-80b-a3b", 8, 1, 2000, 20},
    {"llamacpp", "llama-3.1-405b", 1, 8, 20, 5000}, /* 126 layers: graph, scheduler and allocator each time */
};

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

static struct tn_deployment vary(const struct bench *bench, const struct row *row, uint64_t number)
{
    return (struct tn_deployment){.gpu = bench->gpu,
                                  .gpu_memory_bytes = bench->gpu->memory_bytes,
                                  .tp = row->tp,
                                  .pp = row->pp,
                                  .ep = 1,
                                  .dp = 1,
                                  .context_tokens = 1024 + 997 * number % 65536,
                                  .concurrency = 1 + 31 * number % 256,
                                  .kv_dtype = tn_cache_default_dtype(bench->model),
                                  .overhead_ppm = 100000};
}

static bool plan(struct bench *bench, const struct row *row, struct tn_planner *planner, uint64_t number)
{
    struct tn_deployment deployment = vary(bench, row, number);
    struct tn_ledger ledger = {.arena = &bench->arena};
    tn_arena_reset(&bench->arena);
    bool done = planner->engine->plan(planner, &deployment, &ledger, &bench->error);
    bench->sum_bytes += ledger.mid_bytes;
    return done;
}

/* Microseconds of one plan: the median over RUNS runs of PLANS plans; and of the first. */
static bool measure(struct bench *bench, const struct row *row, double *each, double *first)
{
    double seconds[RUNS];
    struct tn_planner planner;
    const struct tn_engine *engine = tn_engine_find(tn_str_of(row->engine));
    if (!engine) {
        return tn_fail(&bench->error, TN_ERROR_USAGE, "there is no engine %s", row->engine);
    }
    bool done = tn_planner_open(&planner, engine, bench->catalog, bench->model, (struct tn_str){0}, &bench->error);
    double start = seconds_now();
    done = done && plan(bench, row, &planner, 0);
    *first = (seconds_now() - start) * MICROSECONDS;
    for (int run = 0; done && run < RUNS; run++) {
        start = seconds_now();
        for (uint64_t k = 0; done && k < row->plans; k++) {
            done = plan(bench, row, &planner, k);
        }
        seconds[run] = seconds_now() - start;
    }
    tn_planner_close(&planner);
    if (done) {
        qsort(seconds, RUNS, sizeof seconds[0], compare_numbers);
        *each = seconds[RUNS / 2] / (double)row->plans * MICROSECONDS;
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

static bool measure_row(struct bench *bench, const struct row *row, bool *fast)
{
    struct tn_arena arena = {0};
    double each = 0;
    double first = 0;
    bool done = load(bench, &arena, row->model) && measure(bench, row, &each, &first);
    if (done) {
        printf("%-10s %-24s %14.2f %14.1f   ", row->engine, row->model, each, first);
        if (row->most_us > 0) {
            printf("< %.0f", row->most_us);
        }
        (void)putchar('\n');
        *fast = *fast && (row->most_us <= 0 || each < row->most_us);
    }
    tn_model_free(bench->model);
    tn_arena_free(&arena);
    return done;
}

int main(void)
{
    struct bench bench = {0};
    bool fast = true;
    bench.catalog = tn_catalog_open(&bench.error);
    bool done = bench.catalog != NULL;
    printf("%-10s %-24s %14s %14s   %s\n", "engine", "model", "us a plan", "us the first", "wanted");
    for (size_t k = 0; done && k < sizeof rows / sizeof rows[0]; k++) {
        done = measure_row(&bench, &rows[k], &fast);
    }
    if (!done) {
        (void)fprintf(stderr, "bench_engine: %s\n", bench.error.message);
    }
    tn_catalog_close(bench.catalog);
    tn_arena_free(&bench.arena);
    return done && fast ? 0 : 1;
}
