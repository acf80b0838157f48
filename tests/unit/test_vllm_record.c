/* vLLM's record: defaults by version and GPU, what a profile takes, what is deducted; against logs and figures worked out by hand. */
#include "real_catalog.h"

#include "engine/record/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_SETS = 8 };

static const double GIB = 1 << 30;

struct run {
    struct tn_model *model;
    struct tn_assignment sets[MOST_SETS];
    struct tn_deployment deployment;
    struct tn_evaluation *evaluation;
    struct tn_error error;
};

static void begin(struct run *run, const char *version, const char *gpu, const char *model, uint32_t tp, uint32_t pp,
                  const char *sets)
{
    *run = (struct run){.model = made_up_load_named(&real, model, "")};
    run->deployment = (struct tn_deployment){.tp = tp, .pp = pp, .ep = 1, .dp = 1, .concurrency = 1, .sets = run->sets};
    run->deployment.context_tokens = run->model->max_context_tokens;
    run->deployment.gpu = tn_catalog_find_gpu(real.catalog, tn_str_of(gpu), NULL);
    assert_non_null(run->deployment.gpu);
    run->deployment.gpu_memory_bytes = run->deployment.gpu->memory_bytes;
    run->deployment.set_count = made_up_sets(sets, run->sets, MOST_SETS);
    const struct tn_rules *rules =
        tn_rules_open(real.catalog, TN_STR("vllm"), tn_str_of(version), &real.arena, &run->error);
    assert_non_null(rules);
    run->evaluation = tn_evaluation_new(rules, &run->model->facts, &run->deployment, &real.arena, &run->error);
    if (run->evaluation == NULL) {
        fail_msg("%s", run->error.message);
    }
    struct tn_widths widths;
    tn_widths_of(run->model, &widths);
    tn_give_facts(run->evaluation, run->model, &widths, &run->deployment);
}

static void end(struct run *run)
{
    tn_model_free(run->model);
}

static uint64_t value(struct run *run, const char *name)
{
    uint64_t number;
    if (!tn_evaluation_number(run->evaluation, name, &number, &run->error)) {
        fail_msg("%s: %s (%s)", name, run->error.message, run->error.where);
    }
    return number;
}

static double gib(struct run *run, const char *name)
{
    return (double)value(run, name) / GIB;
}

static void near(double got, double expected, double within)
{
    if (!(got > expected - within && got < expected + within)) {
        fail_msg("%.3f is not within %.3f of %.3f", got, within, expected);
    }
}

/* ---- defaults ----------------------------------------------------------------------------------------------------- */

/* vllm/engine/arg_utils.py of these versions; Llama 3.1 8B has 131,072 positions. */
static void defaults_follow_version_and_gpu(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        const char *gpu;
        const char *sets;
        uint64_t seqs;
        uint64_t tokens;
    } cases[] = {
        {"0.5.4", "a100-sxm4-80gb", "", 256, 512},                    /* longer than 32,768: chunks of 512 */
        {"0.7.3", "a100-sxm4-80gb", "", 256, 2048},                   /* of 2,048 since 0.6.4 */
        {"0.7.3", "a100-sxm4-80gb", "max_model_len=8192", 256, 8192}, /* V0 without chunks */
        {"0.8.4", "l40s", "", 1024, 2048},                            /* V1: 1,024 everywhere at first */
        {"0.8.4", "v100-sxm2-32gb", "max_model_len=8192", 256, 8192}, /* V1 needs compute capability 8.0 */
        {"0.19.0", "l40s", "", 256, 2048},                            /* then only on large cards */
        {"0.19.0", "h100-sxm5-80gb", "", 1024, 8192},
        {"0.19.0", "h100-sxm5-80gb", "usage=llm", 1024, 16384},
        {"0.19.0", "a100-sxm4-80gb", "", 256, 2048}, /* large, but by name excepted */
        {"0.19.0", "rtx-4090", "usage=llm", 256, 8192},
        {"0.29.0", "h100-sxm5-80gb", "", 1024, 16384},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct run run;
        begin(&run, cases[k].version, cases[k].gpu, "llama-3.1-8b", 1, 1, cases[k].sets);
        assert_int_equal(value(&run, "max_num_seqs"), cases[k].seqs);
        assert_int_equal(value(&run, "max_num_batched_tokens"), cases[k].tokens);
        end(&run);
    }
}

static void utilization_rose_and_graphs_are_deducted_from_0_21_on(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        double share;
        bool deducted;
    } cases[] = {{"0.20.2", 0.9, false}, {"0.21.0", 0.92, true}};
    for (size_t k = 0; k < 2; k++) {
        struct run run;
        double share;
        begin(&run, cases[k].version, "h100-sxm5-80gb", "gpt-oss-20b", 1, 1, "");
        assert_true(tn_evaluation_real(run.evaluation, "gpu_memory_utilization", &share, NULL));
        assert_true(share == cases[k].share);
        assert_int_equal(value(&run, "cuda_graph_estimate") > 0, cases[k].deducted);
        end(&run);
    }
}

/* Sizes 1, 2, 4, then every 8th to 248, every 16th from 256: "PIECEWISE=51, FULL=51" with 1,024 requests, "51, 35" with 256. */
static void graphs_are_counted_as_the_log_counts_them(void **state)
{
    (void)state;
    struct run run;
    begin(&run, "0.19.0", "h100-sxm5-80gb", "llama-3.1-8b", 1, 1, "");
    assert_int_equal(value(&run, "piecewise_graphs"), 51);
    assert_int_equal(value(&run, "full_graphs"), 51);
    end(&run);
    begin(&run, "0.19.0", "h100-sxm5-80gb", "llama-3.1-8b", 1, 1, "max_num_seqs=256");
    assert_int_equal(value(&run, "piecewise_graphs"), 51);
    assert_int_equal(value(&run, "full_graphs"), 35);
    end(&run);
    begin(&run, "0.19.0", "h100-sxm5-80gb", "gpt-oss-20b", 1, 1, "");
    assert_int_equal(value(&run, "piecewise_graphs"), 83);
    end(&run);
    static const struct {
        const char *sets;
        uint64_t piecewise;
        uint64_t full;
    } few[] = {
        {"max_num_seqs=1", 2, 1},                               /* [1, 2]; [1] (noonghunna/club-3090#652) */
        {"max_num_seqs=3", 3, 2},                               /* [1, 2, 4]; [1, 2] */
        {"max_num_seqs=2 max_cudagraph_capture_size=16", 5, 2}, /* "PIECEWISE=5 (largest=16)" (club-3090#104) */
    };
    for (size_t k = 0; k < sizeof few / sizeof few[0]; k++) {
        begin(&run, "0.24.0", "rtx-5090", "llama-3.1-8b", 1, 1, few[k].sets);
        assert_int_equal(value(&run, "piecewise_graphs"), few[k].piecewise);
        assert_int_equal(value(&run, "full_graphs"), few[k].full);
        end(&run);
    }
}

/* ---- the profile -------------------------------------------------------------------------------------------------- */

/* By hand: 1,024 x 128,256 x 14 = 1,838,678,016; buffer of the top-k kernel 132 x 128,256 x 4 = 67,719,168; hidden states
 * (8,192 + 1,024) x 4,096 x 2 = 75,497,472. With 32 MiB for cuBLAS 1.88 GiB; the log says 1.89. */
static void the_sampler_decides_the_peak_of_a_large_vocabulary(void **state)
{
    (void)state;
    struct run run;
    begin(&run, "0.19.0", "h100-sxm5-80gb", "llama-3.1-8b", 1, 1, "");
    assert_int_equal(value(&run, "sampler_phase"), UINT64_C(1838678016) + 67719168 + 75497472);
    near(gib(&run, "peak_activation_memory"), 1.89, 0.015);
    end(&run);
    begin(&run, "0.19.0", "h100-sxm5-80gb", "llama-3.1-8b", 1, 1, "dtype=float32");
    near(gib(&run, "peak_activation_memory"), 2.21, 0.015);
    end(&run);
    begin(&run, "0.11.0", "h100-sxm5-80gb", "llama-3.1-8b", 1, 1, ""); /* 38 bytes a logit */
    near(gib(&run, "peak_activation_memory"), 4.76, 0.02);
    end(&run);
}

/* Scratch memory of experts stays: 8,192 x 6 x (2,816 + 2,048) x 2 = 478,150,656. The log says 1.93 GiB. */
static void scratch_memory_of_experts_comes_on_top(void **state)
{
    (void)state;
    struct run run;
    begin(&run, "0.19.0", "h100-sxm5-80gb", "deepseek-v2-lite", 1, 1, "");
    assert_int_equal(value(&run, "expert_workspace"), 478150656);
    near(gib(&run, "peak_activation_memory"), 1.93, 0.02);
    end(&run);
    begin(&run, "0.19.0", "h100-sxm5-80gb", "mixtral-8x7b", 2, 1, "");
    near(gib(&run, "peak_activation_memory"), 1.21, 0.02);
    end(&run);
}

/* Logs of vLLM 0.19: 0.77 GiB with 32,016 words; 1.10 and 1.05 GiB on stages that do not sample. */
static void elsewhere_the_forward_pass_decides(void **state)
{
    (void)state;
    struct run run;
    begin(&run, "0.19.0", "h100-sxm5-80gb", "codellama-7b", 1, 1, "max_model_len=8192");
    near(gib(&run, "peak_activation_memory"), 0.77, 0.03);
    end(&run);
    begin(&run, "0.19.0", "h100-sxm5-80gb", "llama-3.1-8b", 1, 4, "");
    near(gib(&run, "peak_activation_memory"), 1.07, 0.06);
    tn_evaluation_give(run.evaluation, TN_GIVEN_STAGE, 3);
    near(gib(&run, "peak_activation_memory"), 1.89, 0.015);
    end(&run);
}

/* Gemma 3 12B keeps 8,192 outputs of its tower and the pixels of 32 images; without the tower only the sampler is left. */
static void towers_add_what_they_put_out(void **state)
{
    (void)state;
    struct run run;
    begin(&run, "0.19.0", "h100-sxm5-80gb", "gemma-3-12b", 1, 1, "");
    near(gib(&run, "peak_activation_memory"), 3.94, 0.04);
    assert_int_equal(value(&run, "tower_kept"), 8192 * (3840 * 2 + 3 * 14 * 14 * 16 * 2));
    end(&run);
    begin(&run, "0.19.0", "h100-sxm5-80gb", "gemma-3-12b", 1, 1, "language_model_only=true");
    assert_int_equal(value(&run, "tower_kept"), 0);
    end(&run);
}

/* ---- the budget --------------------------------------------------------------------------------------------------- */

/* The log of vLLM 0.19 with Qwen2.5 7B on one and two H100: 75.23 GiB; 58.53 and 63.84 GiB for the cache. Weights as logged. */
static void the_rest_of_the_budget_is_the_pool(void **state)
{
    (void)state;
    static const struct {
        uint32_t tp;
        double weights_gib;
        double pool_gib;
    } cases[] = {{1, 14.25, 58.53}, {2, 7.12, 63.84}};
    for (size_t k = 0; k < 2; k++) {
        struct run run;
        begin(&run, "0.19.0", "h100-sxm5-80gb", "qwen2.5-7b", cases[k].tp, 1, "gpu_memory_utilization=0.95");
        tn_evaluation_give(run.evaluation, TN_GIVEN_WEIGHTS_ALLOCATED, (uint64_t)(cases[k].weights_gib * GIB));
        near(gib(&run, "requested_memory"), 75.23, 0.01);
        near(gib(&run, "available_kv_cache_memory"), cases[k].pool_gib, 0.1);
        struct tn_range range;
        assert_true(tn_evaluation_range(run.evaluation, "available_kv_cache_memory", &range, NULL));
        assert_true((double)range.low < cases[k].pool_gib * GIB && cases[k].pool_gib * GIB < (double)range.high);
        end(&run);
    }
}

/* What was measured leaves nothing to estimate: 72.78 - 7.39 - 1.54 - 0.60 - 2.04 = 61.21. */
static void measured_terms_replace_the_formulas(void **state)
{
    (void)state;
    struct run run;
    begin(&run, "0.22.0", "h100-sxm5-80gb", "gpt-oss-20b", 4, 1,
          "gpu_total=79.11GiB weights_memory=7.39GiB peak_activation_memory=1.54GiB non_torch_memory=0.60GiB "
          "cuda_graph_estimate=2.04GiB");
    near(gib(&run, "available_kv_cache_memory"), 61.21, 0.02);
    end(&run);
}

/* gpt-oss-20b on two H100: at 0.95 the sampler's warm-up ran out of memory, at 0.90 it did not. */
static void start_up_takes_more_than_the_budget(void **state)
{
    (void)state;
    static const char *const shares[] = {"gpu_memory_utilization=0.95", "gpu_memory_utilization=0.9"};
    for (size_t k = 0; k < 2; k++) {
        struct run run;
        begin(&run, "0.19.0", "h100-sxm5-80gb", "gpt-oss-20b", 2, 1, shares[k]);
        uint64_t used = value(&run, "memory_used_at_start") + value(&run, "requested_memory")
                        + value(&run, "cuda_graph_memory") + value(&run, "fragmentation")
                        + value(&run, "late_workspace");
        assert_int_equal(used > value(&run, "gpu_total"), k == 0);
        end(&run);
    }
}

/* On GB10 the engine's processes and the page cache count as well: 113.69 of 121.69 GiB were free in a log of 0.28. */
static void shared_memory_is_uncertain(void **state)
{
    (void)state;
    struct run run;
    struct tn_range range;
    begin(&run, "0.28.0", "gb10", "llama-3.1-8b", 1, 1, "");
    assert_true(tn_evaluation_range(run.evaluation, "available_kv_cache_memory", &range, NULL));
    assert_true((double)(range.high - range.low) > 10 * GIB);
    near(gib(&run, "free_memory_at_start"), 113.69, 1.5);
    end(&run);
}

/* Experts of data parallel ranks see the tokens of all: 2 x 8192 tokens x 8 ranks x 2048 wide x 2 bytes. */
static void data_parallel_gathers_tokens(void **state)
{
    (void)state;
    struct run run;
    begin(&run, "0.19.0", "h100-sxm5-80gb", "qwen3-30b-a3b", 1, 1, "");
    assert_int_equal(value(&run, "gathered_hidden"), 0);
    tn_evaluation_give(run.evaluation, TN_GIVEN_DP, 8);
    assert_int_equal(value(&run, "gathered_hidden"), 2 * 8192 * 8 * 2048 * 2);
    end(&run);
}

/* ---- refusals and the log ----------------------------------------------------------------------------------------- */

static void deployments_that_the_engine_does_not_take(void **state)
{
    (void)state;
    static const struct {
        const char *gpu;
        const char *model;
        uint32_t tp;
        uint32_t pp;
        const char *sets;
        const char *part; /* of the message; NULL: taken */
    } cases[] = {
        {"h100-sxm5-80gb", "llama-3.1-8b", 8, 1, "", NULL},
        {"h100-sxm5-80gb", "llama-3.1-8b", 3, 1, "", "32 attention heads do not divide"},
        {"h100-sxm5-80gb", "qwen3-14b", 5, 1, "", "vocabulary"}, /* 40 heads, but 151,936 words */
        {"h100-sxm5-80gb", "llama-3.2-3b", 6, 1, "", "8 heads of keys and values"},
        {"h100-sxm5-80gb", "llama-3.1-8b", 1, 33, "", "32 layers"},
        {"h100-sxm5-80gb", "phi-2", 1, 1, "max_model_len=8192", "2048 of the model"},
        {"h100-sxm5-80gb", "llama-3.1-8b", 1, 1, "block_size=24", "multiple of 16"},
        {"h100-sxm5-80gb", "llama-3.1-8b", 1, 1, "block_size=128", NULL},
        {"h100-sxm5-80gb", "llama-3.1-8b", 1, 1, "gpu_memory_utilization=90", "share of 1"},
        {"h100-sxm5-80gb", "qwen3-235b-a22b-fp8", 8, 1, "", "multiples of 128"}, /* 1,536 / 8 = 192 */
        {"h100-sxm5-80gb", "qwen3-235b-a22b-fp8", 4, 1, "", NULL},
        {"h100-sxm5-80gb", "llama-3.1-8b", 4, 1, "decode_context_parallel_size=3", "no multiple"},
        {"t4", "llama-3.1-8b", 1, 1, "dtype=bfloat16", "compute capability"},
        {"h100-sxm5-80gb", "llama-3.1-8b", 1, 1, "enable_chunked_prefill=false max_num_batched_tokens=2048",
         "without chunked prefill"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct run run;
        begin(&run, "0.19.0", cases[k].gpu, cases[k].model, cases[k].tp, cases[k].pp, cases[k].sets);
        bool taken = tn_evaluation_check(run.evaluation, &run.error);
        if (taken != !cases[k].part || (cases[k].part && !strstr(run.error.message, cases[k].part))) {
            fail_msg("%s, tp %u: %s", cases[k].model, cases[k].tp, run.error.message);
        }
        end(&run);
    }
}

/* Where it is not known what stays on the GPU, nothing is guessed. */
static void offloading_is_refused_where_it_is_not_known(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        const char *gpu;
        const char *model;
        const char *sets;
        const char *part; /* of the message; NULL: taken */
    } cases[] = {
        {"0.8.2", "h100-sxm5-80gb", "llama-3.1-8b", "", "from 0.8.3 on"},
        {"0.8.3", "h100-sxm5-80gb", "llama-3.1-8b", "", NULL},
        {"0.8.3", "t4", "llama-3.1-8b", "dtype=float16", "engine V1"},
        {"0.22.0", "h100-sxm5-80gb", "llama-3.1-8b", "", "model runner V2"},
        {"0.25.0", "h100-sxm5-80gb", "qwen3-30b-a3b", "", NULL},
        {"0.25.0", "h100-sxm5-80gb", "gemma-3-12b", "", NULL},
        {"0.27.0", "h100-sxm5-80gb", "qwen3-30b-a3b", "", "model runner V2"},
        {"0.28.0", "h100-sxm5-80gb", "llama-3.1-8b", "", NULL},
        {"0.19.0", "gb10", "llama-3.1-8b", "", "this GPU's memory is the processor's"},
        {"0.19.0", "h100-sxm5-80gb", "gpt-oss-20b", "", "quantised so"},
        {"0.19.0", "h100-sxm5-80gb", "llama-3.1-8b", "quantization=fp8", "quantised so"},
        {"0.16.0", "h100-sxm5-80gb", "qwen3-32b-fp8", "", "quantised so"},
        {"0.19.0", "h100-sxm5-80gb", "qwen3-32b-fp8", "", NULL},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct run run;
        char sets[100];
        (void)snprintf(sets, sizeof sets, "cpu_offload_gb=2.5 %s", cases[k].sets);
        begin(&run, cases[k].version, cases[k].gpu, cases[k].model, 1, 1, sets);
        bool taken = tn_evaluation_check(run.evaluation, &run.error);
        if (taken != !cases[k].part || (cases[k].part && !strstr(run.error.message, cases[k].part))) {
            fail_msg("%s, %s: %s", cases[k].model, cases[k].version, run.error.message);
        }
        assert_int_equal(value(&run, "offload_limit"), UINT64_C(5) << 29);
        end(&run);
    }
}

static void the_log_speaks_as_its_version_does(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        const char *line;
    } cases[] = {{"0.7.3", "Loading model weights took 14.9888 GB"},
                 {"0.11.0", "Model loading took 14.9888 GiB"},
                 {"0.19.0", "Model loading took 14.99 GiB memory"},
                 {"0.19.0", "Total CPU offloaded parameters: 24.28"},
                 {"0.19.0", "GPU KV cache size: 476,000 tokens"},
                 {"0.19.0", "Maximum concurrency for 8,192 tokens per request: 58.11x"},
                 {"0.19.0", "Available KV cache memory: 58.11 GiB"}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct run run;
        struct tn_ledger ledger = {.arena = &real.arena, .wants_text = true};
        begin(&run, cases[k].version, "h100-sxm5-80gb", "llama-3.1-8b", 1, 1, "max_model_len=8192");
        tn_evaluation_give(run.evaluation, TN_GIVEN_WEIGHTS_ALLOCATED, UINT64_C(16094136320));
        tn_evaluation_give(run.evaluation, TN_GIVEN_WEIGHTS_OFFLOADED, (uint64_t)(24.28 * GIB));
        tn_evaluation_give(run.evaluation, TN_GIVEN_AVAILABLE, (uint64_t)(58.11 * GIB));
        tn_evaluation_give(run.evaluation, TN_GIVEN_STARTS, 1);
        tn_evaluation_give(run.evaluation, TN_GIVEN_POOL_TOKENS, 476000);
        tn_evaluation_give(run.evaluation, TN_GIVEN_BLOCKS, 29750);
        tn_evaluation_give_real(run.evaluation, TN_GIVEN_MAX_CONCURRENCY, 58.1054);
        assert_true(tn_evaluation_add_log(run.evaluation, &ledger, &run.error));
        bool found = false;
        for (size_t line = 0; line < ledger.log_count; line++) {
            found = found || tn_str_is(ledger.log[line], cases[k].line);
        }
        if (!found) {
            fail_msg("%s does not say: %s", cases[k].version, cases[k].line);
        }
        end(&run);
    }
}

/* Every formula of every version must evaluate. */
static void all_formulas_evaluate_at_every_version(void **state)
{
    (void)state;
    static const char *const models[] = {"llama-3.1-8b", "deepseek-v2-lite", "gemma-3-12b",
                                         "gpt-oss-20b",  "qwen3.8-27b",      "glm-5.1-nvfp4"};
    for (size_t model = 0; model < sizeof models / sizeof models[0]; model++) {
        for (unsigned minor = 2; minor <= 29; minor++) {
            struct run run;
            char version[16];
            struct tn_ledger ledger = {.arena = &real.arena, .wants_text = true};
            (void)snprintf(version, sizeof version, "0.%u.0", minor);
            begin(&run, version, "rtx-5090", models[model], 2, 1, "");
            assert_non_null(tn_ledger_begin_stage(&ledger, NULL, 0, 1));
            if (!tn_evaluation_add_entries(run.evaluation, &ledger, &run.error)
                || !tn_evaluation_add_settings(run.evaluation, &ledger, &run.error)
                || !tn_evaluation_add_log(run.evaluation, &ledger, &run.error)
                || !tn_evaluation_check(run.evaluation, &run.error)) {
                fail_msg("%s %s: %s (%s)", models[model], version, run.error.message, run.error.where);
            }
            end(&run);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_follow_version_and_gpu),
        cmocka_unit_test(utilization_rose_and_graphs_are_deducted_from_0_21_on),
        cmocka_unit_test(graphs_are_counted_as_the_log_counts_them),
        cmocka_unit_test(the_sampler_decides_the_peak_of_a_large_vocabulary),
        cmocka_unit_test(scratch_memory_of_experts_comes_on_top),
        cmocka_unit_test(elsewhere_the_forward_pass_decides),
        cmocka_unit_test(towers_add_what_they_put_out),
        cmocka_unit_test(the_rest_of_the_budget_is_the_pool),
        cmocka_unit_test(measured_terms_replace_the_formulas),
        cmocka_unit_test(start_up_takes_more_than_the_budget),
        cmocka_unit_test(shared_memory_is_uncertain),
        cmocka_unit_test(data_parallel_gathers_tokens),
        cmocka_unit_test(deployments_that_the_engine_does_not_take),
        cmocka_unit_test(offloading_is_refused_where_it_is_not_known),
        cmocka_unit_test(the_log_speaks_as_its_version_does),
        cmocka_unit_test(all_formulas_evaluate_at_every_version),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
