/* How many plans one core computes in a second: a loaded model, the generic engine, and a deployment that changes from plan to plan.
 * Ledgers are the whole answer, in an arena that is reset between plans; sizes are tn_model_sizes, the public function.
 *
 *     bench_plan [MODEL ...]        models of the catalog
 *
 * It also says how long the catalog takes to open. Exit code 1 where a model gets fewer than LEAST_PLANS_PER_SECOND of either.
 */
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

/* One way to plan; adds the bytes to a sum, so that no plan can be optimised away. false where the engine refuses. */
typedef bool plan_function(const struct tn_model *model, const struct tn_deployment *deployment, struct tn_arena *arena,
                           uint64_t *sum_bytes, struct tn_error *error);

static bool plan_ledger(const struct tn_model *model, const struct tn_deployment *deployment, struct tn_arena *arena,
                        uint64_t *sum_bytes, struct tn_error *error)
{
    struct tn_ledger ledger = {.arena = arena};
    tn_arena_reset(arena);
    struct tn_planner planner = {.engine = &tn_engine_generic, .model = model};
    bool done = tn_engine_generic.plan(&planner, deployment, &ledger, error);
    *sum_bytes += ledger.mid_bytes;
    return done;
}

static bool plan_sizes(const struct tn_model *model, const struct tn_deployment *deployment, struct tn_arena *arena,
                       uint64_t *sum_bytes, struct tn_error *error)
{
    (void)arena;
    struct tn_ask ask = {.tp = deployment->tp,
                         .pp = deployment->pp,
                         .dp = deployment->dp,
                         .context_tokens = deployment->context_tokens,
                         .concurrency = deployment->concurrency,
                         .kv_dtype = deployment->kv_dtype->name,
                         .overhead_ppm = deployment->overhead_ppm};
    struct tn_sizes sizes = {0};
    bool done = tn_model_sizes(model, &ask, &sizes, error);
    *sum_bytes += sizes.total_bytes;
    return done;
}

/* The median over RUNS runs of PLANS plans. */
static bool measure(const struct tn_model *model, plan_function *plan, double *plans_per_second, uint64_t *mean_bytes,
                    struct tn_error *error)
{
    const struct tn_dtype *const kv_dtypes[2] = {tn_dtype_find(TN_STR("F16")), tn_dtype_find(TN_STR("F8_E4M3"))};
    struct tn_arena arena = {0};
    double seconds[RUNS];
    uint64_t sum_bytes = 0;
    bool done = true;
    for (int run = 0; done && run < RUNS; run++) {
        double start = seconds_now();
        sum_bytes = 0;
        for (uint64_t k = 0; done && k < PLANS; k++) {
            struct tn_deployment deployment = vary(k, kv_dtypes);
            done = plan(model, &deployment, &arena, &sum_bytes, error);
        }
        seconds[run] = seconds_now() - start;
    }
    if (done) {
        qsort(seconds, RUNS, sizeof seconds[0], compare_numbers);
        *plans_per_second = PLANS / seconds[RUNS / 2];
        *mean_bytes = sum_bytes / PLANS;
    }
    tn_arena_free(&arena);
    return done;
}

static bool measure_model(const struct tn_context *context, const char *name, bool *fast, struct tn_error *error)
{
    char request[200];
    int size = snprintf(request, sizeof request, "{\"operation\": \"plan\", \"model\": \"%.100s\"}", name);
    struct tn_model *model = tn_model_open(context, request, (size_t)size, error);
    double ledgers;
    double sizes;
    uint64_t ledger_bytes;
    uint64_t sizes_bytes;
    bool done = model && measure(model, plan_ledger, &ledgers, &ledger_bytes, error)
                && measure(model, plan_sizes, &sizes, &sizes_bytes, error);
    if (done && ledger_bytes != sizes_bytes) {
        done = tn_fail(error, TN_ERROR_INTERNAL, "the two ways to plan differ");
    }
    if (done) {
        printf("%-32s %7zu %7zu %12.0f %12.0f   %d\n", name, model->term_count, model->cache_count, ledgers, sizes,
               LEAST_PLANS_PER_SECOND);
        *fast = *fast && ledgers >= LEAST_PLANS_PER_SECOND && sizes >= LEAST_PLANS_PER_SECOND;
    }
    tn_model_free(model);
    return done;
}

/* Milliseconds to open the catalog: the median of RUNS times. */
static bool measure_catalog(struct tn_error *error)
{
    double seconds[RUNS];
    for (int run = 0; run < RUNS; run++) {
        double start = seconds_now();
        struct tn_context *context = tn_context_open(error);
        seconds[run] = seconds_now() - start;
        if (!context) {
            return false;
        }
        tn_context_close(context);
    }
    qsort(seconds, RUNS, sizeof seconds[0], compare_numbers);
    printf("opening the catalog: %.2f ms\n", seconds[RUNS / 2] * 1e3);
    return true;
}

int main(int argc, char **argv)
{
    struct tn_error error;
    struct tn_context *context = tn_context_open(&error);
    size_t count = argc > 1 ? (size_t)argc - 1 : sizeof default_models / sizeof default_models[0];
    bool done = context && measure_catalog(&error);
    bool fast = true;
    printf("%-32s %7s %7s %12s %12s   %s\n", "plans on one core", "terms", "caches", "ledgers/s", "sizes/s", "wanted");
    for (size_t k = 0; done && k < count; k++) {
        done = measure_model(context, argc > 1 ? argv[k + 1] : default_models[k], &fast, &error);
    }
    if (!done) {
        (void)fprintf(stderr, "bench_plan: %s\n", error.message);
    }
    tn_context_close(context);
    return done && fast ? 0 : 1;
}
