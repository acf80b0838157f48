/* The inverse questions: the joint search over all deployments of a model with experts and 100 layers on all GPUs, and the longest context and
 * the most requests of one deployment.
 *
 * Exit code 1 where a row takes as long as it allows, or longer, or the search looks at fewer deployments than it should.
 */
#include "api/operations.h"
#include "engine/engines.h"
#include "plan/cache.h"
#include "plan/inverse.h"
#include "text/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 5, LEAST_DEPLOYMENTS = 200000 };
static const double MOST_SEARCH_MS = 1000;
static const double MOST_LIMIT_MS = 1;

static const char config[] =
    "{\"architectures\": [\"Qwen3MoeForCausalLM\"], \"hidden_size\": 4096, \"num_hidden_layers\": 100, "
    "\"num_attention_heads\": 64, \"num_key_value_heads\": 8, \"head_dim\": 128, \"intermediate_size\": 12288, "
    "\"moe_intermediate_size\": 1536, \"num_experts\": 128, \"num_experts_per_tok\": 8, \"decoder_sparse_step\": 1, "
    "\"mlp_only_layers\": [], \"norm_topk_prob\": true, \"vocab_size\": 151936, \"max_position_embeddings\": 131072, "
    "\"torch_dtype\": \"bfloat16\"}";

/* Of the processor: one core is meant, whatever else runs on the machine. */
static double milliseconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare_numbers(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;
    return (first > second) - (first < second);
}

static double median(double *numbers)
{
    qsort(numbers, RUNS, sizeof numbers[0], compare_numbers);
    return numbers[RUNS / 2];
}

struct bench {
    struct tn_catalog *catalog;
    struct tn_error error;
    bool fast;
};

static void print_row(struct bench *bench, const char *what, double milliseconds, double most)
{
    printf("%-56s %10.3f ms   < %.0f\n", what, milliseconds, most);
    bench->fast = bench->fast && milliseconds < most;
}

/* A number of the answer's "searched". */
static uint64_t searched(const struct tn_result *result, struct tn_arena *arena, const char *key)
{
    struct tn_value answer;
    const struct tn_value *counts = NULL;
    const struct tn_value *number = NULL;
    if (tn_json_read(arena, tn_builder_str(&result->json), &answer, NULL)) {
        counts = tn_value_member(&answer, TN_STR("searched"));
        number = counts ? tn_value_member(counts, tn_str_of(key)) : NULL;
    }
    return number && number->kind == TN_INTEGER ? (uint64_t)number->as.integer : 0;
}

/* All GPUs of the catalog whose memory is known. */
static bool set_gpus(struct bench *bench, struct tn_request *request)
{
    size_t count;
    const struct tn_gpu *gpus = tn_catalog_gpus(bench->catalog, &count);
    bool done = true;
    for (size_t k = 0; done && k < count; k++) {
        done = !gpus[k].memory_bytes || tn_request_set(request, TN_INPUT_GPUS, gpus[k].id, &bench->error);
    }
    return done;
}

static bool search(struct bench *bench, double *milliseconds, uint64_t *considered, uint64_t *planned)
{
    struct tn_session session = {.catalog = bench->catalog};
    struct tn_arena arena = {0};
    struct tn_result result = {0};
    struct tn_request request = {.arena = &arena, .operation = TN_STR("fit")};
    bool done = tn_json_read(&arena, tn_str_of(config), &request.config, &bench->error)
                && tn_request_set(&request, TN_INPUT_ENGINE, TN_STR("vllm"), &bench->error)
                && tn_request_set(&request, TN_INPUT_CONTEXT, TN_STR("32k"), &bench->error)
                && tn_request_set(&request, TN_INPUT_CONCURRENCY, TN_STR("32"), &bench->error)
                && tn_request_set(&request, TN_INPUT_MAX_GPUS, TN_STR("128"), &bench->error)
                && set_gpus(bench, &request);
    double start = milliseconds_now();
    done = done && tn_operation_run(&session, &request, &result, &bench->error);
    *milliseconds = milliseconds_now() - start;
    *considered = done ? searched(&result, &arena, "considered") : 0;
    *planned = done ? searched(&result, &arena, "planned") : 0;
    tn_result_free(&result);
    tn_arena_free(&arena);
    return done;
}

static bool measure_search(struct bench *bench)
{
    double times[RUNS];
    uint64_t considered = 0;
    uint64_t planned = 0;
    char text[100];
    bool done = true;
    for (int run = 0; done && run < RUNS; run++) {
        done = search(bench, &times[run], &considered, &planned);
    }
    if (!done) {
        return false;
    }
    (void)snprintf(text, sizeof text, "joint search: %llu deployments, %llu planned", (unsigned long long)considered,
                   (unsigned long long)planned);
    print_row(bench, text, median(times), MOST_SEARCH_MS);
    bench->fast = bench->fast && considered >= LEAST_DEPLOYMENTS;
    return true;
}

/* One deployment that is planned already, as that of a verdict is. */
static bool measure_limit(struct bench *bench, const char *what, enum tn_varied varied)
{
    struct tn_session session = {.catalog = bench->catalog};
    struct tn_arena arena = {0};
    struct tn_request request = {.arena = &arena, .operation = TN_STR("plan")};
    struct tn_model *model = tn_request_model(&session, &request, TN_STR("qwen3-next-80b-a3b"), &bench->error);
    const struct tn_gpu *gpu = tn_catalog_find_gpu(bench->catalog, TN_STR("h100-sxm5-80gb"), &bench->error);
    struct tn_variation variation = {.what = varied};
    struct tn_planner planner = {0};
    struct tn_limit limit;
    double times[RUNS];
    bool done = model && gpu
                && tn_planner_open(&planner, &tn_engine_vllm, bench->catalog, model, (struct tn_str){0}, &bench->error);
    struct tn_deployment deployment = {.gpu = gpu,
                                       .gpu_memory_bytes = gpu ? gpu->memory_bytes : 0,
                                       .tp = 4,
                                       .pp = 1,
                                       .ep = 1,
                                       .dp = 1,
                                       .context_tokens = 8192,
                                       .concurrency = 8,
                                       .kv_dtype = model ? tn_cache_default_dtype(model) : NULL};
    for (int run = 0; done && run < RUNS; run++) {
        double start = milliseconds_now();
        done = tn_find_limit(&planner, &deployment, &variation, NULL, &limit);
        times[run] = milliseconds_now() - start;
    }
    if (done) {
        print_row(bench, what, median(times), MOST_LIMIT_MS);
    }
    tn_planner_close(&planner);
    tn_model_free(model);
    tn_arena_free(&arena);
    return done;
}

int main(void)
{
    struct bench bench = {.fast = true};
    bench.catalog = tn_catalog_open(&bench.error);
    bool done = bench.catalog && measure_search(&bench)
                && measure_limit(&bench, "longest context, vllm, hybrid model on 4 GPUs", TN_VARIED_CONTEXT)
                && measure_limit(&bench, "most requests, the same", TN_VARIED_CONCURRENCY);
    if (!done) {
        (void)fprintf(stderr, "bench_fit: %s\n", bench.error.message);
    }
    tn_catalog_close(bench.catalog);
    return done && bench.fast ? 0 : 1;
}
