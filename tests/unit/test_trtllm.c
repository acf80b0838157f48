/* TensorRT-LLM: plans of published models against start-up logs that people published, what it does not start with, and what it refuses. */
#include "engine_plan.h"
#include "published_configs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LLAMA_8B_FP8                                                                                         \
    LLAMA_3_1_8B_WITH("bfloat16",                                                                            \
                      ", \"quantization_config\": {\"quant_method\": \"modelopt\", \"quant_algo\": \"FP8\"," \
                      " \"ignore\": [\"lm_head\"]}")
#define QWEN_3_06B                                                                                   \
    "{\"architectures\": [\"Qwen3ForCausalLM\"], \"head_dim\": 128, \"hidden_size\": 1024,"          \
    " \"intermediate_size\": 3072, \"max_position_embeddings\": 40960, \"num_attention_heads\": 16," \
    " \"num_hidden_layers\": 28, \"num_key_value_heads\": 8, \"vocab_size\": 151936,"                \
    " \"tie_word_embeddings\": true, \"torch_dtype\": \"bfloat16\"}"

static const uint64_t GIB = UINT64_C(1) << 30;

/* NVIDIA/TensorRT-LLM#4275: "total: 31.84 GiB, available: 17.83 GiB", 8219 blocks of 32 tokens, "Allocated 16.05 GiB". 0.9 x 17.83 GiB are 8,216.06
 * blocks of 2 MiB, and one that is begun; the two decimals are 2.3 blocks. */
static void free_memory_gives_the_blocks(void **state)
{
    (void)state;
    static const struct engine_start start = {.version = "0.19.0",
                                              .config = LLAMA_8B_FP8,
                                              .gpu = "rtx-5090",
                                              .context_tokens = 2048,
                                              .kv_dtype = "fp8",
                                              .settings = "max_num_tokens=1024 free_memory_before_pool=17.83GiB"};
    struct engine_plan plan;
    assert_true(engine_plan_start(&plan, "trtllm", &start));
    assert_int_equal(plan.ledger.pool.mid.blocks, 8217);
    assert_int_equal(plan.ledger.pool.mid.tokens, 8217 * 32);
    assert_int_equal(plan.ledger.pool.low.blocks, plan.ledger.pool.high.blocks);
    assert_true(engine_plan_says(&plan, "Number of blocks in KV cache primary pool: 8217"));
    assert_true(
        engine_plan_says(&plan, "[MemUsageChange] Allocated 16.05 GiB for max tokens in paged KV cache (262944)."));
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), UINT64_C(8217) << 21);
    engine_plan_close(&plan);
}

/* DeepSeek-R1 with its cache in FP8 on H200, Jan. 2026: "Peak memory ...: 91.46 GiB, available KV cache memory ...: 41.11 GiB, fraction is set 0.85, kv
 * size is 35136. device total memory 139.81 GiB", of which max_tokens took 524,288. */
static void a_cap_of_tokens_is_a_cap_of_the_pool(void **state)
{
    (void)state;
    static const struct engine_start start = {
        .version = "1.1.0",
        .config = DEEPSEEK_R1,
        .gpu = "h200",
        .context_tokens = 16384,
        .tp = 8,
        .kv_dtype = "fp8",
        .settings = "free_gpu_memory_fraction=0.85 free_memory_before_pool=48.35GiB max_tokens=524288"};
    struct engine_plan plan;
    assert_true(engine_plan_start(&plan, "tensorrt-llm", &start));
    assert_int_equal(plan.ledger.pool.mid.tokens, 524288);
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), UINT64_C(524288) * 35136);
    assert_true(engine_plan_run(&plan, &plan.deployment,
                                "kv_cache_free_gpu_mem_fraction=0.85 free_memory_before_pool=48.35GiB"));
    assert_true(engine_plan_is_near(plan.ledger.pool.mid.bytes, 4110 * GIB / 100, 1));
    assert_true(engine_plan_run(&plan, &plan.deployment, "free_memory_before_pool=48.35GiB max_gpu_total_bytes=10GiB"));
    assert_true(plan.ledger.pool.mid.bytes <= 10 * GIB + UINT64_C(32) * 35136);
    assert_true(plan.ledger.pool.mid.bytes > 10 * GIB - UINT64_C(32) * 35136);
    engine_plan_close(&plan);
}

/* With nothing measured. Qwen3-Reranker-0.6B by 1.2.1 on one H100: "Allocated 68.69 GiB for max tokens in paged KV cache (643136)"; the engine of
 * NVIDIA/TensorRT-LLM#4275. */
static void published_start_up_logs_lie_within_the_range(void **state)
{
    (void)state;
    static const struct engine_start starts[] = {
        {"1.2.1", QWEN_3_06B, "h100-80gb", 40960, "", .tokens = 643136, .per_mille = 5},
        {"0.19.0", LLAMA_8B_FP8, "rtx-5090", 2048, "max_num_tokens=1024", .kv_dtype = "fp8", .tokens = 263008,
         .per_mille = 15},
    };
    engine_plan_expect_logged("trtllm", starts, sizeof starts / sizeof starts[0], false);
}

/* "8.46 GB for model weights" of nvidia/Llama-3.1-8B-Instruct-FP8, without the rotary table (NVIDIA/TensorRT-LLM#6294), which stands by itself. */
static void weights_are_counted_without_the_rotary_table(void **state)
{
    (void)state;
    static const struct engine_start start = {.version = "0.20.0",
                                              .config = LLAMA_8B_FP8,
                                              .gpu = "h100-80gb",
                                              .context_tokens = 8192,
                                              .settings = "backend=pytorch",
                                              .kv_dtype = "fp8"};
    struct engine_plan plan;
    assert_true(engine_plan_start(&plan, "trtllm", &start));
    assert_true(engine_plan_is_near(engine_plan_bytes(&plan, TN_CATEGORY_WEIGHTS), 846 * GIB / 100, 1));
    const struct tn_entry *table = engine_plan_entry(&plan, TN_CATEGORY_WORKSPACE, "rotary table");
    assert_int_equal(table->mid_bytes, UINT64_C(4) * 131072 * 128);
    engine_plan_close(&plan);
}

/* Each rank attends to requests of its own, with all heads: 8 pools in 8 GPUs. */
static void attention_in_data_parallel_has_a_pool_on_each_rank(void **state)
{
    (void)state;
    static const struct engine_start start = {"", DEEPSEEK_R1, "h200", 8192, "", .tp = 8};
    struct engine_plan plan;
    assert_true(engine_plan_start(&plan, "trtllm", &start));
    uint64_t tokens = plan.ledger.pool.mid.tokens;
    double together = plan.ledger.pool.mid.max_concurrency;
    assert_true(engine_plan_run(&plan, &plan.deployment, "enable_attention_dp=true"));
    assert_int_equal(plan.ledger.ranks_per_stage, 8);
    assert_true(plan.ledger.pool.mid.tokens < tokens);
    assert_true(plan.ledger.pool.mid.max_concurrency > 5 * together);
    engine_plan_close(&plan);
}

/* 61 layers are 31 and 30, of 1,152 bytes a token each; both have the tokens of the first. */
static void stages_have_the_tokens_of_the_smallest(void **state)
{
    (void)state;
    static const struct engine_start start = {"", DEEPSEEK_R1, "h200", 8192, "", .tp = 8, .pp = 2};
    struct engine_plan plan;
    assert_true(engine_plan_start(&plan, "trtllm", &start));
    assert_int_equal(plan.ledger.stage_count, 2);
    assert_int_equal(plan.ledger.stages[0].layer_count, 31);
    uint64_t first = tn_ledger_category(&plan.ledger, &plan.ledger.stages[0], TN_CATEGORY_CACHE);
    uint64_t last = tn_ledger_category(&plan.ledger, &plan.ledger.stages[1], TN_CATEGORY_CACHE);
    assert_int_equal(first, plan.ledger.pool.mid.tokens * 31 * 1152);
    assert_int_equal(last, plan.ledger.pool.mid.tokens * 30 * 1152);
    engine_plan_close(&plan);
}

static void weights_that_leave_nothing_do_not_start(void **state)
{
    (void)state;
    static const struct engine_start start = {"", LLAMA_3_1_8B, "t4", 4096, .settings = ""};
    struct engine_plan plan;
    assert_true(engine_plan_start(&plan, "trtllm", &start));
    assert_int_equal(plan.ledger.start, TN_START_NO);
    assert_true(tn_str_starts(plan.ledger.complaint, TN_STR("weights of 14.96 GiB and one step leave nothing of ")));
    engine_plan_close(&plan);
}

/* A sequence longer than the pool is shortened, not refused. */
static void long_sequences_are_shortened(void **state)
{
    (void)state;
    static const struct engine_start start = {"", LLAMA_3_1_8B, "h100-80gb", 131072,
                                              .settings = "available_kv_cache_memory=10GiB"};
    struct engine_plan plan;
    assert_true(engine_plan_start(&plan, "trtllm", &start));
    assert_int_equal(plan.ledger.start, TN_START_YES);
    assert_int_equal(plan.ledger.pool.mid.tokens, 81920);
    assert_int_equal(plan.ledger.pool.suggested_tokens, 81920);
    assert_true(plan.ledger.pool.mid.max_concurrency < 1);
    engine_plan_close(&plan);
}

/* Windows that repeat over the layers share the memory in equal parts: 16 layers of 32 each, 65,536 bytes a token; 5 GiB are 81,920 tokens of whole
 * texts. Without them all layers keep all. */
static void windows_share_the_pool(void **state)
{
    (void)state;
    static const struct engine_start start = {"", LLAMA_3_1_8B, "h100-80gb", 16384,
                                              .settings =
                                                  "available_kv_cache_memory=10GiB max_attention_window=1024,16384"};
    struct engine_plan plan;
    assert_true(engine_plan_start(&plan, "trtllm", &start));
    assert_int_equal(plan.ledger.pool.mid.tokens, 81920);
    assert_true(plan.ledger.pool.mid.max_concurrency == 5);
    assert_true(engine_plan_run(&plan, &plan.deployment, "available_kv_cache_memory=10GiB"));
    assert_int_equal(plan.ledger.pool.mid.tokens, 81920);
    engine_plan_close(&plan);
}

/* Without a GPU: what was asked for, 4 sequences of 4,096 tokens. */
static void without_a_gpu_it_has_what_was_asked_for(void **state)
{
    (void)state;
    static const struct engine_start start = {"", LLAMA_3_1_8B, NULL, 4096, "", .concurrency = 4};
    engine_plan_expect_asked("trtllm", &start, UINT64_C(4) * 4096 * 131072);
}

static void what_it_refuses(void **state)
{
    (void)state;
    static const struct engine_start starts[] = {
        {"", LLAMA_3_1_8B, "h100-80gb", 4096, "tokens_per_block=48",
         .refusal = "tokens_per_block 48 is no power of two"},
        {"", LLAMA_3_1_8B, "h100-80gb", 4096, "backend=tensorrt", .refusal = "the TensorRT backend ends with 1.2"},
        {"", LLAMA_3_1_8B, "h100-80gb", 4096, "", .tp = 3, .refusal = "32 attention heads do not divide by 3 ranks"},
    };
    engine_plan_expect_refusals("trtllm", starts, sizeof starts / sizeof starts[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(free_memory_gives_the_blocks),
        cmocka_unit_test(a_cap_of_tokens_is_a_cap_of_the_pool),
        cmocka_unit_test(published_start_up_logs_lie_within_the_range),
        cmocka_unit_test(weights_are_counted_without_the_rotary_table),
        cmocka_unit_test(attention_in_data_parallel_has_a_pool_on_each_rank),
        cmocka_unit_test(stages_have_the_tokens_of_the_smallest),
        cmocka_unit_test(weights_that_leave_nothing_do_not_start),
        cmocka_unit_test(long_sequences_are_shortened),
        cmocka_unit_test(windows_share_the_pool),
        cmocka_unit_test(without_a_gpu_it_has_what_was_asked_for),
        cmocka_unit_test(what_it_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
