/* Text Generation Inference: start-up logs that people published, defaults by version, and refusals. */
#include "engine_plan.h"
#include "published_configs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LLAMA(hidden, feed, heads, kv_heads, layers, vocab, length)                                                  \
    "{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": " #hidden ", \"intermediate_size\": " #feed        \
    ", \"num_attention_heads\": " #heads ", \"num_key_value_heads\": " #kv_heads ", \"num_hidden_layers\": " #layers \
    ", \"vocab_size\": " #vocab ", \"max_position_embeddings\": " #length ", \"torch_dtype\": \"bfloat16\"}"
#define SWALLOW_7B LLAMA(4096, 11008, 32, 32, 32, 43176, 4096)
#define MISTRAL_7B_V3 LLAMA(4096, 14336, 32, 8, 32, 32768, 32768)
#define GEMMA_3_27B                                                                                    \
    "{\"architectures\": [\"Gemma3ForConditionalGeneration\"], \"model_type\": \"gemma3\","            \
    " \"mm_tokens_per_image\": 256, \"torch_dtype\": \"bfloat16\","                                    \
    " \"text_config\": {\"head_dim\": 128, \"hidden_size\": 5376, \"intermediate_size\": 21504,"       \
    " \"num_attention_heads\": 32, \"num_hidden_layers\": 62, \"num_key_value_heads\": 16,"            \
    " \"max_position_embeddings\": 131072, \"model_type\": \"gemma3_text\", \"sliding_window\": 1024," \
    " \"sliding_window_pattern\": 6, \"vocab_size\": 262208},"                                         \
    " \"vision_config\": {\"hidden_size\": 1152, \"image_size\": 896, \"intermediate_size\": 4304,"    \
    " \"model_type\": \"siglip_vision_model\", \"num_attention_heads\": 16, \"num_channels\": 3,"      \
    " \"num_hidden_layers\": 27, \"patch_size\": 14, \"vision_use_head\": false}}"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* "Setting max batch total tokens to N", or the blocks of the first shard. The GPUs have 22.2 GiB (A10, A10G) and 47.4 GiB (RTX A6000)
 * for programs. Sources: Swallow-7b on OCI A10, Qiita, May 2024; Meta-Llama-3.1-8B-Instruct on an EC2 A10G, Sept 2024; Mistral-7B v0.3 of
 * SageMaker JumpStart (its settings: 8191, 8192, 8191) on ml.g5, Oct 2025; gemma-3-27b-it on two RTX A6000, July 2025. */
static void published_start_up_logs_lie_within_the_range(void **state)
{
    (void)state;
    static const struct engine_start starts[] = {
        {"2.0.3", SWALLOW_7B, "a10g", 4096, "", .gpu_memory_bytes = 22733 * MIB, .tokens = 15232, .per_mille = 20},
        {"2.2.0", LLAMA_3_1_8B, "a10g", 4096, "", .gpu_memory_bytes = 22733 * MIB, .tokens = 19056, .per_mille = 270},
        {"2.0.3", MISTRAL_7B_V3, "a10g", 8192, "max_batch_prefill_tokens=8191", .gpu_memory_bytes = 22733 * MIB,
         .tokens = 43808, .per_mille = 40},
        {"3.3.4", GEMMA_3_27B, "rtx-a6000", 8000, "", .tp = 2, .gpu_memory_bytes = 48538 * MIB, .tokens = 52719,
         .per_mille = 70},
    };
    engine_plan_expect_logged("tgi", starts, sizeof starts / sizeof starts[0], false);
}

/* A pool as measured: 10 GiB in blocks of 16 tokens of 131,072 bytes are 5,120 blocks; in blocks of one token 81,920. */
static void a_measured_pool_gives_its_tokens(void **state)
{
    (void)state;
    struct engine_plan plan;
    struct tn_deployment deployment = engine_plan_deployment(4096);
    engine_plan_open(&plan, "tgi", "2.0.0", LLAMA_3_1_8B);
    engine_plan_gpu(&plan, &deployment, "h100-80gb", 0);
    assert_true(engine_plan_run(&plan, &deployment, "available_kv_cache_memory=10GiB"));
    assert_int_equal(plan.ledger.pool.mid.blocks, 5120);
    assert_int_equal(plan.ledger.pool.mid.tokens, 81920);
    assert_true(plan.ledger.pool.mid.max_concurrency == 20);
    engine_plan_close(&plan);
    engine_plan_open(&plan, "tgi", "", LLAMA_3_1_8B);
    engine_plan_gpu(&plan, &deployment, "h100-80gb", 0);
    assert_true(engine_plan_run(&plan, &deployment, "available_kv_cache_memory=10GiB"));
    assert_int_equal(plan.ledger.pool.mid.blocks, 81920);
    assert_true(engine_plan_run(&plan, &deployment, "available_kv_cache_memory=10GiB ATTENTION=flashdecoding"));
    assert_int_equal(plan.ledger.pool.mid.blocks, 320);
    deployment.kv_dtype = tn_dtype_find(TN_STR("fp8"));
    assert_true(engine_plan_run(&plan, &deployment, "available_kv_cache_memory=10GiB"));
    assert_int_equal(plan.ledger.pool.mid.blocks, 163840);
    engine_plan_close(&plan);
}

/* 61 layers x 16 heads of one of 8 ranks x (192 + 192) x 2 bytes: values are as wide as keys. */
static void latent_attention_keeps_heads_of_one_width(void **state)
{
    (void)state;
    struct engine_plan plan;
    struct tn_deployment deployment = engine_plan_deployment(4096);
    deployment.tp = 8;
    engine_plan_open(&plan, "tgi", "", DEEPSEEK_V3_BF16);
    assert_true(engine_plan_run(&plan, &deployment, "")); /* no GPU: what was asked for */
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), UINT64_C(61) * 16 * 384 * 2 * 4096);
    engine_plan_close(&plan);
}

/* Operations of a token: 32 x (2 x 4096 x 128 x (3 x 32 + 2 x 8) + 6 x 4096 x 14336) = 15,032,385,536; 900 and 125 x 10^12 over it. */
static void the_launcher_chooses_the_prefill_by_the_gpu(void **state)
{
    (void)state;
    struct engine_plan plan;
    struct tn_deployment deployment = engine_plan_deployment(4096);
    engine_plan_open(&plan, "tgi", "3.0.0", LLAMA_3_1_8B);
    engine_plan_gpu(&plan, &deployment, "h100-80gb", 0);
    assert_true(engine_plan_run(&plan, &deployment, ""));
    assert_true(engine_plan_says(&plan, "Default `max_batch_prefill_tokens` to 59870"));
    engine_plan_gpu(&plan, &deployment, "a10g", 0);
    assert_true(engine_plan_run(&plan, &deployment, ""));
    assert_true(engine_plan_says(&plan, "Default `max_batch_prefill_tokens` to 8315"));
    assert_true(engine_plan_says(&plan, "Using attention flashinfer"));
    engine_plan_close(&plan);
    engine_plan_open(&plan, "tgi", "2.2.0", LLAMA_3_1_8B);
    engine_plan_gpu(&plan, &deployment, "a10g", 0);
    assert_true(engine_plan_run(&plan, &deployment, ""));
    assert_true(engine_plan_says(&plan, "Default `max_batch_prefill_tokens` to 4145"));
    deployment.context_tokens = 131072; /* nothing asked for: the launcher's own 4096 */
    assert_true(engine_plan_run(&plan, &deployment, ""));
    assert_true(engine_plan_says(&plan, "Default `max_batch_prefill_tokens` to 4145"));
    engine_plan_close(&plan);
}

static void a_prefill_that_does_not_fit_keeps_it_from_starting(void **state)
{
    (void)state;
    static const struct engine_start start = {"2.0.3", LLAMA_3_1_8B, "a10g", 4096, "", .gpu_memory_bytes = 18 * GIB};
    struct engine_plan plan;
    assert_true(engine_plan_start(&plan, "tgi", &start));
    assert_int_equal(plan.ledger.start, TN_START_NO);
    assert_non_null(strstr(plan.ledger.complaint.data, "4145 prefill tokens"));
    assert_true(tn_str_is(plan.ledger.remedy, "max_batch_prefill_tokens"));
    assert_int_equal(plan.ledger.log_count, 1); /* the log ends there */
    assert_true(engine_plan_says(&plan, "Default `max_batch_prefill_tokens` to 4145"));
    assert_true(engine_plan_run(&plan, &plan.deployment, "available_kv_cache_memory=100MiB"));
    assert_int_equal(plan.ledger.start, TN_START_NO);
    assert_non_null(strstr(plan.ledger.complaint.data, "max_total_tokens 4096 is more than the 800 tokens"));
    assert_true(engine_plan_says(&plan, "Setting max batch total tokens to 800"));
    engine_plan_close(&plan);
}

static void what_the_launcher_does_not_take_is_refused(void **state)
{
    (void)state;
    static const struct engine_start starts[] = {
        {"2.4.0", LLAMA_3_1_8B, NULL, 4096, "max_input_tokens=4096",
         .refusal = "max_input_tokens 4096 must be less than max_total_tokens 4096"},
        {"2.4.0", LLAMA_3_1_8B, NULL, 4096, "max_batch_prefill_tokens=100",
         .refusal = "max_batch_prefill_tokens 100 must be at least max_input_tokens 4095"},
        {"2.4.0", LLAMA_3_1_8B, NULL, 4096, "max_batch_total_tokens=4000",
         .refusal = "max_total_tokens 4096 must be at most max_batch_total_tokens 4000"},
        {"2.4.0", LLAMA_3_1_8B, NULL, 4096, "", .tp = 3, .refusal = "32 attention heads do not divide by num_shard 3"},
        {"2.4.0", LLAMA_3_1_8B, NULL, 4096, "", .tp = 16, .refusal = "8 KV heads do not divide by num_shard 16"},
        {"2.4.0", LLAMA_3_1_8B, NULL, 4096, "", .pp = 2,
         .refusal = "TGI has no pipeline parallel: a shard is a part of every layer"},
        {"2.2.0", LLAMA_3_1_8B, NULL, 4096, "ATTENTION=flashinfer", .refusal = "flashinfer came with 2.3"},
        {"2.4.0", LLAMA_3_1_8B, NULL, 4096, "ATTENTION=sdpa",
         .refusal = "ATTENTION is flashinfer, flashdecoding or paged, not 'sdpa'"},
        {"2.4.0", LLAMA_3_1_8B, NULL, 4096, "TGI_WIGGLE_ROOM=1.5", .refusal = "TGI_WIGGLE_ROOM lies between 0 and 1"},
        {"2.4.0", LLAMA_3_1_8B, NULL, 4096, "cuda_memory_fraction=0",
         .refusal = "cuda_memory_fraction is a share of the GPU"},
    };
    engine_plan_expect_refusals("tgi", starts, sizeof starts / sizeof starts[0]);
}

static void fp8_caches_need_the_right_attention(void **state)
{
    (void)state;
    static const struct engine_start starts[] = {
        {"", LLAMA_3_1_8B, NULL, 4096, "ATTENTION=flashdecoding", .kv_dtype = "fp8",
         .refusal = "an FP8 cache needs ATTENTION flashinfer or paged"},
        {"2.2.0", LLAMA_3_1_8B, NULL, 4096, "", .kv_dtype = "fp8", .refusal = "FP8 caches came with 2.4"},
    };
    engine_plan_expect_refusals("tgi", starts, sizeof starts / sizeof starts[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_start_up_logs_lie_within_the_range),
        cmocka_unit_test(a_measured_pool_gives_its_tokens),
        cmocka_unit_test(latent_attention_keeps_heads_of_one_width),
        cmocka_unit_test(the_launcher_chooses_the_prefill_by_the_gpu),
        cmocka_unit_test(a_prefill_that_does_not_fit_keeps_it_from_starting),
        cmocka_unit_test(what_the_launcher_does_not_take_is_refused),
        cmocka_unit_test(fp8_caches_need_the_right_attention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
