/* ollama: contexts, batches and layers as it chooses them, what published logs say of them, and what `ollama ps` shows. */
#include "engine_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

static void start(struct engine_plan *plan, const char *version, const char *model, const char *quant, const char *gpu,
                  uint64_t context_tokens)
{
    engine_plan_open_named(plan, "ollama", version, model, quant);
    plan->deployment = engine_plan_deployment(context_tokens);
    engine_plan_gpu(plan, &plan->deployment, gpu, 0);
}

static void run(struct engine_plan *plan, const char *settings)
{
    if (!engine_plan_run(plan, &plan->deployment, settings)) {
        fail_msg("%s: %s", plan->error.message, plan->error.where);
    }
}

static uint64_t used(const struct engine_plan *plan, const char *name)
{
    for (size_t k = 0; k < plan->ledger.setting_count; k++) {
        if (tn_str_is(plan->ledger.settings[k].name, name)) {
            return (uint64_t)plan->ledger.settings[k].value.as.integer;
        }
    }
    fail_msg("no setting %s", name);
    return 0;
}

static uint64_t host_bytes(const struct engine_plan *plan, const char *label)
{
    const struct tn_stage *host = &plan->ledger.host;
    for (size_t k = 0; k < host->entry_count; k++) {
        const struct tn_entry *entry = &plan->ledger.entries[host->first_entry + k];
        if (tn_str_is(entry->label, label)) {
            return entry->mid_bytes;
        }
    }
    fail_msg("no entry '%s' of the host", label);
    return 0;
}

static void expect_log(const struct engine_plan *plan, const char *line)
{
    if (!engine_plan_says(plan, line)) {
        fail_msg("not in the log: %s; but %s", line,
                 plan->ledger.log_count ? plan->ledger.log[plan->ledger.log_count - 1].data : "nothing");
    }
}

/* ---- since 0.30: llama-server --------------------------------------------------------------------------------------- */

/* A log of llama-server under ollama, of a public repository, before its fit: CUDA0 4155 MiB of the model, 4096 of the cache, 140 of the
 * graph; on the host 281 and 48; 5141 MiB free of 5738 on an RTX 2060. Predicted are 4.3 GiB of the file and 2 x 32 layers x 8 heads x 128
 * x 32,768 x 2 bytes = 4 GiB: more than 80 % of 5141 - 457 MiB, hence batches of 512. */
static void a_published_log_is_met_to_the_mebibyte(void **state)
{
    (void)state;
    struct engine_plan plan;
    start(&plan, "", "llama-3.1-8b", "q4_0", "rtx-2060-6gb", 32768);
    run(&plan, "gpu_free=5141MiB num_gpu=999");
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_WEIGHTS) / MIB, 4155);
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), 4096 * MIB);
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_ACTIVATION) / MIB, 140);
    assert_int_equal(host_bytes(&plan, "model, mapped") / MIB, 281);
    assert_int_equal(host_bytes(&plan, "compute") / MIB, 48);
    assert_int_equal(used(&plan, "num_batch"), 512);
    assert_int_equal(plan.ledger.start, TN_START_YES); /* the layers that were asked for, whether they fit or not */
    engine_plan_close(&plan);
}

/* Left to itself it keeps 1024 MiB free: 4117 MiB for buffers. A layer has 117 MiB of weights and 128 of cache, the output 411 MiB, and the
 * graph about 250 MiB once layers stay on the CPU, as weights are copied: 14 layers and the output. */
static void the_fit_keeps_a_margin_free(void **state)
{
    (void)state;
    struct engine_plan plan;
    start(&plan, "", "llama-3.1-8b", "q4_0", "rtx-2060-6gb", 32768);
    run(&plan, "gpu_free=5141MiB");
    uint64_t buffers = engine_plan_bytes(&plan, TN_CATEGORY_WEIGHTS) + engine_plan_bytes(&plan, TN_CATEGORY_CACHE)
                       + engine_plan_bytes(&plan, TN_CATEGORY_ACTIVATION);
    assert_true(buffers <= 4117 * MIB && buffers + 245 * MIB > 4117 * MIB);
    assert_int_equal(plan.ledger.start, TN_START_PARTLY);
    assert_string_equal(plan.ledger.complaint.data, "15 of 33 layers find room");
    expect_log(&plan, "offloaded 15/33 layers to GPU");
    engine_plan_close(&plan);
}

/* With 23 GiB free 23,095 MiB are available. The file has 4.6 GiB (and 32,768 tokens 4 GiB):
 *      4,096 tokens: 512 whatever the room
 *     32,768 tokens: 8.6 GiB are below 75 %, and 0.75 GiB fit into 80 % besides: 1024
 *     65,536 tokens: 12.6 GiB are below 60 %, and 2 GiB fit besides: 2048
 *    131,072 tokens: 20.6 GiB are more than 80 %: 512 */
static void the_batch_follows_context_and_room(void **state)
{
    (void)state;
    static const struct {
        uint64_t context_tokens;
        uint64_t batch_tokens;
    } rows[] = {{4096, 512}, {32768, 1024}, {65536, 2048}, {131072, 512}};
    struct engine_plan plan;
    start(&plan, "", "llama-3.1-8b", "q4_k_m", "rtx-4090", 4096);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        plan.deployment.context_tokens = rows[k].context_tokens;
        run(&plan, "gpu_free=23GiB");
        assert_int_equal(used(&plan, "num_batch"), rows[k].batch_tokens);
    }
    plan.deployment.context_tokens = 32768;
    run(&plan, "gpu_free=23GiB OLLAMA_GPU_OVERHEAD=12GiB"); /* 8.6 of 10.6 GiB */
    assert_int_equal(used(&plan, "num_batch"), 512);
    run(&plan, "gpu_free=8GiB OLLAMA_FLASH_ATTENTION=0"); /* a small card without flash attention */
    assert_int_equal(used(&plan, "num_batch"), 256);
    engine_plan_close(&plan);
}

/* Each request has num_ctx cells of its own: 2 x 8192 x 32 x 2 x 1024 x 2 bytes. */
static void parallel_requests_have_caches_of_their_own(void **state)
{
    (void)state;
    struct engine_plan plan;
    start(&plan, "", "llama-3.1-8b", "q4_k_m", "rtx-4090", 8192);
    plan.deployment.concurrency = 2;
    run(&plan, "");
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), UINT64_C(2) * 8192 * 32 * 2 * 1024 * 2);
    run(&plan, "OLLAMA_KV_CACHE_TYPE=q8_0"); /* 34 bytes for 32 elements */
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), UINT64_C(2) * 8192 * 32 * 2 * 1024 * 34 / 32);
    engine_plan_close(&plan);
    start(&plan, "", "qwen3-next-80b", "q4_k_m", "h200", 8192);
    plan.deployment.concurrency = 4;
    run(&plan, ""); /* 12 of 48 layers x 2 heads x 256, keys and values */
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), UINT64_C(8192) * 12 * 2 * 512 * 2);
    expect_log(&plan, "model architecture does not currently support parallel requests, architecture=qwen3next");
    engine_plan_close(&plan);
}

/* 4155.99 MiB of weights, 1024 of the cache and 116 of the graph, as the log prints them; all is said to be on the GPU. */
static void ollama_ps_adds_up_the_buffers(void **state)
{
    (void)state;
    struct engine_plan plan;
    start(&plan, "", "llama-3.1-8b", "q4_0", "rtx-4090", 8192);
    run(&plan, "num_batch=512");
    assert_int_equal((engine_plan_bytes(&plan, TN_CATEGORY_WEIGHTS) + engine_plan_bytes(&plan, TN_CATEGORY_CACHE)
                      + engine_plan_bytes(&plan, TN_CATEGORY_ACTIVATION))
                         / 100000000,
                     55);
    expect_log(&plan, "ollama ps: SIZE 5.6 GB, PROCESSOR 100% GPU, CONTEXT 8192");
    assert_true(plan.ledger.note_count >= 2);
    run(&plan, "num_gpu=0");
    expect_log(&plan, "offloaded 0/33 layers to GPU");
    engine_plan_close(&plan);
}

/* ---- contexts ------------------------------------------------------------------------------------------------------- */

/* 23.6 GiB of an RTX 4090 are at least 23, two are at least 47; Llama 3.1 was trained for 131,072 tokens. */
static void the_default_context_follows_the_memory(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        const char *gpu;
        uint32_t gpus;
        uint64_t tokens;
    } rows[] = {
        {"", "rtx-4060", 1, 4096},        {"", "rtx-4090", 1, 32768},      {"", "rtx-4090", 2, 131072},
        {"0.15.5", "rtx-4090", 1, 32768}, {"0.13.5", "rtx-4090", 1, 4096}, {"0.6.5", "rtx-4090", 1, 2048},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct engine_plan plan;
        uint64_t tokens;
        start(&plan, rows[k].version, "llama-3.1-8b", "q4_k_m", rows[k].gpu, 0);
        plan.deployment.pp = rows[k].gpus;
        assert_true(tn_planner_default_context(&plan.planner, &plan.deployment, &tokens, NULL));
        assert_int_equal(tokens, rows[k].tokens);
        engine_plan_close(&plan);
    }
}

static void what_ollama_would_change_silently_is_refused(void **state)
{
    (void)state;
    struct engine_plan plan;
    start(&plan, "", "llama-3.1-8b", "q4_k_m", "rtx-4090", 200000);
    assert_false(engine_plan_run(&plan, &plan.deployment, ""));
    assert_string_equal(plan.error.message,
                        "ollama cuts num_ctx 200000 to the 131072 tokens that the model was trained for");
    plan.deployment.context_tokens = 4096;
    assert_false(engine_plan_run(&plan, &plan.deployment, "OLLAMA_FLASH_ATTENTION=maybe"));
    assert_string_equal(plan.error.message, "OLLAMA_FLASH_ATTENTION is 1, 0 or auto");
    assert_false(engine_plan_run(&plan, &plan.deployment, "num_gpu=some"));
    assert_int_equal(plan.error.code, TN_ERROR_USAGE);
    engine_plan_close(&plan);
}

/* ---- before 0.12.11: the estimate ----------------------------------------------------------------------------------- */

/* ollama/ollama#9181: a Llama of 70B in Q8_0, num_ctx 64000, 4 GPUs with 22.0 GiB free; logged are 44 of 81 layers, 127.4 GiB required in
 * full, 87.1 in part, a graph of 8.2.
 *     a layer        907,714,560 + 64,000 x 2,048 x 2 bytes               1.09 GiB
 *     graph          4 x 512 x 8192 + 4 x 512 x (1 + 8192 + 64,000) + 8192 x 8192 x 9 / 16
 *                    + 4 x 64,000 x (512 x 64 + 1024)                      8.25 GiB
 *     each GPU       457 MiB + 12 layers + graph                          21.8 GiB, and with one layer more over 22 */
static void a_published_estimate_of_four_gpus_is_met(void **state)
{
    (void)state;
    struct engine_plan plan;
    start(&plan, "0.5.11", "llama-3.1-70b", "q8_0", "rtx-4090", 64000);
    plan.deployment.pp = 4;
    run(&plan, "gpu_free=22GiB");
    expect_log(&plan, "offload library=cuda layers.model=81 layers.offload=44 memory.required.full=\"127.4 GiB\" "
                      "memory.required.partial=\"87.1 GiB\" memory.graph.full=\"8.2 GiB\" "
                      "memory.graph.partial=\"8.2 GiB\"");
    expect_log(&plan, "ollama ps: SIZE 136 GB, PROCESSOR 32%/68% CPU/GPU, CONTEXT 64000");
    assert_int_equal(plan.ledger.start, TN_START_PARTLY);
    engine_plan_close(&plan);
}

/* ollama/ollama#11711: gpt-oss 20B, num_ctx 8192, an RTX 4060 Ti of 16 GB; logged are 23 of 25 layers, 16.9 GiB in full, 15.4 in part, graphs
 * of 2.0 and 4.0. What was free is not said: 15.4 GiB are taken, and the 0.43 of a layer more were not there.
 *     cache          12 layers x 8192 and 12 x (4096 + 512) cells of 2,048 bytes, 300 MiB
 *     graph          4 x (64 / 8) x 24 x 8192 x 2,048 / 6 = 2 GiB, in part twice as much */
static void a_published_estimate_with_windows_is_met(void **state)
{
    (void)state;
    struct engine_plan plan;
    start(&plan, "0.11.3", "gpt-oss-20b", "mxfp4", "rtx-4060-ti-16gb", 8192);
    run(&plan, "gpu_free=15.6GiB");
    expect_log(&plan, "offload library=cuda layers.model=25 layers.offload=23 memory.required.full=\"16.9 GiB\" "
                      "memory.required.partial=\"15.4 GiB\" memory.graph.full=\"2.0 GiB\" "
                      "memory.graph.partial=\"4.0 GiB\"");
    engine_plan_close(&plan);
}

/* A cache of 8 bits is counted as one byte of each element: the estimate falls by half of 1 GiB and of the layer that is a buffer, 32 of 33.
 * Only with flash attention is the type heeded. */
static void the_estimate_counts_whole_bytes(void **state)
{
    (void)state;
    struct engine_plan plan;
    start(&plan, "0.11.10", "llama-3.1-8b", "q4_k_m", "rtx-4090", 8192);
    run(&plan, "");
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), 1024 * MIB);
    run(&plan, "OLLAMA_KV_CACHE_TYPE=q8_0");
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), 1024 * MIB);
    run(&plan, "OLLAMA_KV_CACHE_TYPE=q8_0 OLLAMA_FLASH_ATTENTION=1");
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), 544 * MIB); /* what it truly is */
    engine_plan_close(&plan);
}

/* ---- 0.12.11 to 0.29: layers are packed ------------------------------------------------------------------------------ */

/* 4,685.3 MiB of weights but the embedding's 281.8, 512 of the cache, and a graph of 4 x 512 x (1 + 4 x 4096 + 4096 x 33) bytes = 296 MiB; the
 * least that is kept and the buffer are not shown. */
static void packing_shows_its_estimate(void **state)
{
    (void)state;
    struct engine_plan plan;
    start(&plan, "0.17.4", "llama-3.1-8b", "q4_k_m", "rtx-4060", 4096);
    run(&plan, "");
    expect_log(&plan, "offloaded 33/33 layers to GPU");
    expect_log(&plan, "ollama ps: SIZE 5.5 GB, PROCESSOR 100% GPU, CONTEXT 4096");
    engine_plan_close(&plan);
}

/* Gemma 3 12B: 40 of 48 layers have a window of 1024, 8 heads x 256. One sequence keeps 1024 + 512 cells; two keep 2 x 1025 + 512 = 2562,
 * in steps of 256. The others have room for all tokens. */
static void caches_of_its_own_graphs(void **state)
{
    (void)state;
    struct engine_plan plan;
    start(&plan, "0.17.4", "gemma-3-12b", "q4_k_m", "rtx-4090", 8192);
    run(&plan, "");
    assert_int_equal(engine_plan_entry(&plan, TN_CATEGORY_CACHE, "KV cache, sliding window")->mid_bytes,
                     UINT64_C(40) * 1536 * 2 * 2048 * 2);
    plan.deployment.concurrency = 2;
    run(&plan, "");
    assert_int_equal(engine_plan_entry(&plan, TN_CATEGORY_CACHE, "KV cache, sliding window")->mid_bytes,
                     UINT64_C(40) * 2816 * 2 * 2048 * 2);
    assert_int_equal(engine_plan_entry(&plan, TN_CATEGORY_CACHE, "KV cache")->mid_bytes,
                     UINT64_C(8) * 16384 * 2 * 2048 * 2);
    const struct tn_entry *graph = engine_plan_entry(&plan, TN_CATEGORY_ACTIVATION, "compute");
    assert_true(graph->low_bytes < graph->mid_bytes && graph->mid_bytes < graph->high_bytes);
    engine_plan_close(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_published_log_is_met_to_the_mebibyte),
        cmocka_unit_test(the_fit_keeps_a_margin_free),
        cmocka_unit_test(the_batch_follows_context_and_room),
        cmocka_unit_test(parallel_requests_have_caches_of_their_own),
        cmocka_unit_test(ollama_ps_adds_up_the_buffers),
        cmocka_unit_test(the_default_context_follows_the_memory),
        cmocka_unit_test(what_ollama_would_change_silently_is_refused),
        cmocka_unit_test(a_published_estimate_of_four_gpus_is_met),
        cmocka_unit_test(a_published_estimate_with_windows_is_met),
        cmocka_unit_test(the_estimate_counts_whole_bytes),
        cmocka_unit_test(packing_shows_its_estimate),
        cmocka_unit_test(caches_of_its_own_graphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
