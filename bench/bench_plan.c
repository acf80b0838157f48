/* How many plans one core computes in a second: a loaded model, the generic engine, and a deployment that changes from plan to plan.
 *
 *     bench_plan [MODEL ...]        models of the catalog
 *
 * Exit code 1 where a model gets fewer than LEAST_PLANS_PER_SECOND.
 */
#include "api/catalog_model.h"
#include "engine/engines.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 7, PLANS = 60000, LEAST_PLANS_PER_SECOND = 500000 };

static const char *const default_models[] = {"meta-llama/Llama-2-70b-hf", "deepseek-ai/DeepSeek-V3",
                                             "ai21labs/AI21-Jamba-1.5-Mini"};

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

/* The deployment of plan `number`: split, length, concurrency and KV dtype change; 7 stages in 3 plans. */
static struct tn_deployment vary(uint64_t number, const struct tn_dtype *const kv_dtypes[2])
{
    return (struct tn_deployment){
        .gpu_memory_bytes = UINT64_C(80) << 30,
        .tp = 1U << number % 4,
        .pp = 1U << number / 4 % 3,
        .ep = 1,
        .dp = (uint32_t)(1 + number % 3),
        .context_tokens = 1 + 997 * number % 131072,
        .concurrency = 1 + 31 * number % 256,
        .kv_dtype = kv_dtypes[number % 2],
        .overhead_ppm = 100000,
    };
}

/* Seconds of one run; the sum keeps the plans from being optimised away. false where the engine refuses one. */
static bool run(const struct tn_model *model, struct tn_arena *arena, double *seconds, uint64_t *sum_bytes,
                struct tn_error *error)
{
    const struct tn_dtype *const kv_dtypes[2] = {tn_dtype_find(TN_STR("F16")), tn_dtype_find(TN_STR("F8_E4M3"))};
    double start = seconds_now();
    for (uint64_t k = 0; k < PLANS; k++) {
        struct tn_deployment deployment = vary(k, kv_dtypes);
        struct tn_ledger ledger = {.arena = arena};
        tn_arena_reset(arena);
        if (!tn_engine_generic.plan(model, &deployment, &ledger, error)) {
            return false;
        }
        *sum_bytes += ledger.mid_bytes;
    }
    *seconds = seconds_now() - start;
    return true;
}

static bool measure(const struct tn_catalog *catalog, const char *name, double *plans_per_second,
                    struct tn_error *error)
{
    struct tn_arena inputs = {0};
    struct tn_arena arena = {0};
    struct tn_model_input input = {0};
    double seconds[RUNS];
    uint64_t sum_bytes = 0;
    const struct tn_record *record = tn_catalog_find_model(catalog, tn_str_of(name), error);
    bool done = record && tn_catalog_model(record, &inputs, &input, error);
    struct tn_model *model = done ? tn_model_load(catalog, &input, error) : NULL;
    done = model != NULL;
    for (int k = 0; done && k < RUNS; k++) {
        done = run(model, &arena, &seconds[k], &sum_bytes, error);
    }
    if (done) {
        qsort(seconds, RUNS, sizeof seconds[0], compare_numbers);
        *plans_per_second = PLANS / seconds[RUNS / 2];
        printf("%-30s %8zu %8zu %12.0f %9.2f %22llu\n", name, model->term_count, model->cache_count, *plans_per_second,
               *plans_per_second / LEAST_PLANS_PER_SECOND, (unsigned long long)(sum_bytes / RUNS / PLANS));
    }
    tn_model_free(model);
    tn_arena_free(&arena);
    tn_arena_free(&inputs);
    return done;
}

int main(int argc, char **argv)
{
    struct tn_error error;
    struct tn_catalog *catalog = tn_catalog_open(&error);
    size_t count = argc > 1 ? (size_t)argc - 1 : sizeof default_models / sizeof default_models[0];
    bool done = catalog != NULL;
    bool fast = true;
    printf("%-30s %8s %8s %12s %9s %22s\n", "plans on one core", "terms", "caches", "plans/s", "x target",
           "mean bytes of a plan");
    for (size_t k = 0; done && k < count; k++) {
        double plans_per_second = 0;
        done = measure(catalog, argc > 1 ? argv[k + 1] : default_models[k], &plans_per_second, &error);
        fast = fast && plans_per_second >= LEAST_PLANS_PER_SECOND;
    }
    if (!done) {
        (void)fprintf(stderr, "bench_plan: %s\n", error.message);
    }
    tn_catalog_close(catalog);
    return done && fast ? 0 : 1;
}
