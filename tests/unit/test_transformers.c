/* transformers: plans of published models against what was followed through the library itself (tools/transformers_trace.py, versions
 * 4.57.6 and 5.23.0), against measured peaks, and its refusals. */
#include "engine_plan.h"
#include "published_configs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define GEMMA_3_1B                                                                                                    \
    "{\"architectures\": [\"Gemma3ForCausalLM\"], \"head_dim\": 256, \"hidden_size\": 1152,"                          \
    " \"intermediate_size\": 6912, \"max_position_embeddings\": 32768, \"num_attention_heads\": 4,"                   \
    " \"num_hidden_layers\": 26, \"num_key_value_heads\": 1, \"sliding_window\": 512, \"sliding_window_pattern\": 6," \
    " \"vocab_size\": 262144, \"torch_dtype\": \"bfloat16\"}"
#define GPT2                                                                                       \
    "{\"architectures\": [\"GPT2LMHeadModel\"], \"n_embd\": 768, \"n_head\": 12, \"n_layer\": 12," \
    " \"n_positions\": 1024, \"vocab_size\": 50257, \"torch_dtype\": \"bfloat16\"}"
#define OCTOCODER                                                                                            \
    "{\"architectures\": [\"GPTBigCodeForCausalLM\"], \"n_embd\": 6144, \"n_head\": 48, \"n_inner\": 24576," \
    " \"n_layer\": 40, \"n_positions\": 8192, \"vocab_size\": 49152, \"multi_query\": true,"                 \
    " \"torch_dtype\": \"bfloat16\"%s}"

/* What a forward pass has beside weights: caches and the highest moment above them. */
static uint64_t moving_bytes(const struct engine_plan *plan)
{
    return engine_plan_bytes(plan, TN_CATEGORY_CACHE) + engine_plan_bytes(plan, TN_CATEGORY_STATE)
           + engine_plan_bytes(plan, TN_CATEGORY_ACTIVATION);
}

/* Peaks above the weights while the prompt is read, as followed. */
static void prompts_take_what_was_followed(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        const char *config;
        uint64_t prompt_tokens;
        uint64_t sequences;
        const char *settings;
        uint64_t peak_bytes;
    } cases[] = {
        {"4.57.6", LLAMA_3_1_8B, 4096, 1, "max_new_tokens=1", 1025572864},
        {"5.23.0", LLAMA_3_1_8B, 4096, 1, "max_new_tokens=1", 1025572864},
        {"4.57.6", LLAMA_3_1_8B, 2000, 2, "max_new_tokens=1 attn_implementation=eager", UINT64_C(3297968640)},
        {"5.23.0", LLAMA_3_1_8B_WITH("float32", ""), 2000, 2, "max_new_tokens=1", UINT64_C(2000944640)},
        {"4.57.6", LLAMA_3_1_8B_WITH("float32", ""), 2000, 2, "max_new_tokens=1 attn_implementation=eager",
         UINT64_C(3523888640)},
        {"4.57.6", GEMMA_3_1B, 4096, 1, "max_new_tokens=1", 341901312},
        {"4.57.6", QWEN_3_8B, 4096, 1, "max_new_tokens=1", 1042350080},
        {"4.57.6", GPT2, 4096, 1, "max_new_tokens=1", 289472512},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct engine_plan plan;
        engine_plan_open(&plan, "transformers", cases[k].version, cases[k].config);
        struct tn_deployment deployment = engine_plan_deployment(cases[k].prompt_tokens + 1);
        deployment.concurrency = cases[k].sequences;
        assert_true(engine_plan_run(&plan, &deployment, cases[k].settings));
        if (!engine_plan_is_near(moving_bytes(&plan), cases[k].peak_bytes, 15)) {
            fail_msg("case %u: %llu", (unsigned)k, (unsigned long long)moving_bytes(&plan));
        }
        engine_plan_close(&plan);
    }
}

/* Weights: 8,030,261,248 parameters in 16 bits. Caches: 32 x 2 x 8 x 128 x 2 bytes per token. */
static void weights_and_caches_are_exact(void **state)
{
    (void)state;
    struct engine_plan plan;
    engine_plan_open(&plan, "transformers", "", LLAMA_3_1_8B);
    for (uint64_t sequences = 1; sequences <= 8; sequences *= 2) {
        struct tn_deployment deployment = engine_plan_deployment(4096);
        deployment.concurrency = sequences;
        assert_true(engine_plan_run(&plan, &deployment, ""));
        assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_WEIGHTS), UINT64_C(16060522496));
        assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), 536870912 * sequences);
    }
    assert_false(plan.ledger.pool.present);
    engine_plan_close(&plan);
}

static uint64_t cache_bytes(const char *version, const char *config, uint64_t tokens, const char *settings)
{
    struct engine_plan plan;
    engine_plan_open(&plan, "transformers", version, config);
    struct tn_deployment deployment = engine_plan_deployment(tokens);
    if (!engine_plan_run(&plan, &deployment, settings)) {
        fail_msg("%s", plan.error.message);
    }
    uint64_t bytes = engine_plan_bytes(&plan, TN_CATEGORY_CACHE);
    engine_plan_close(&plan);
    return bytes;
}

/* Gemma 3 1B: 22 layers with a window of 512, 4 without; 1024 bytes per token and layer. Llama 3.1 8B: 131,072 bytes per token. A static
 * cache of 1,255 tokens was followed: 16,674,816 and 164,495,360 bytes. */
static void caches_follow_implementation_and_version(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        const char *config;
        uint64_t tokens;
        const char *settings;
        uint64_t bytes;
    } cases[] = {
        {"4.57.6", GEMMA_3_1B, 4096, "", UINT64_C(22) * 512 * 1024 + UINT64_C(4) * 4096 * 1024},
        {"4.57.6", GEMMA_3_1B, 4096, "cache_implementation=dynamic_full", UINT64_C(26) * 4096 * 1024},
        {"4.55.0", GEMMA_3_1B, 4096, "",
         UINT64_C(22) * 512 * 1024 + UINT64_C(4) * 4095 * 1024}, /* hybrid was the default, and static */
        {"4.55.0", GEMMA_3_1B, 4096, "cache_implementation=dynamic", UINT64_C(26) * 4096 * 1024},
        {"4.57.6", GEMMA_3_1B, 1256, "cache_implementation=static", 16674816},
        {"4.57.6", LLAMA_3_1_8B, 1256, "cache_implementation=static", 164495360},
        {"4.57.6", LLAMA_3_1_8B, 1256, "cache_implementation=static max_cache_len=4096", 536870912},
        {"4.57.6", LLAMA_3_1_8B, 4096, "cache_implementation=offloaded", UINT64_C(2) * 4096 * 4096},
        {"4.57.6", LLAMA_3_1_8B, 4096, "use_cache=false", 0},
        {"4.57.6", LLAMA_3_1_8B, 4096, "num_beams=4", UINT64_C(4) * 536870912},
        {"5.23.0", LLAMA_3_1_8B_WITH("float32", ""), 4096, "", 1073741824},
        {"5.23.0", LLAMA_3_1_8B_WITH("float32", ""), 4096, "torch_dtype=bfloat16", 536870912},
        {"5.23.0", LLAMA_3_1_8B, 4096, "torch_dtype=float32", 1073741824},
        /* 3,969 tokens in 4 bits with 4 bytes per 64, the last 127 in full: per layer 3969 x 1152 + 127 x 4096 */
        {"4.57.6", LLAMA_3_1_8B, 4096, "cache_implementation=quantized", UINT64_C(32) * (3969 * 1152 + 127 * 4096)},
        {"5.23.0", LLAMA_3_1_8B, 4096, "cache_implementation=quantized backend=fp8", 268435456},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        uint64_t bytes = cache_bytes(cases[k].version, cases[k].config, cases[k].tokens, cases[k].settings);
        if (bytes != cases[k].bytes) {
            fail_msg("case %u: %llu", (unsigned)k, (unsigned long long)bytes);
        }
    }
}

/* Keys of 128 x (128 + 64) and values of 128 x 128 elements, until 5.15 keeps the 512 + 64 of the latent vector. */
static void deepseek_v3_keeps_81920_bytes_per_layer_and_token(void **state)
{
    (void)state;
    assert_int_equal(cache_bytes("5.14.1", DEEPSEEK_V3_BF16, 1000, ""), UINT64_C(61) * 81920 * 1000);
    assert_int_equal(cache_bytes("5.15.0", DEEPSEEK_V3_BF16, 1000, ""), UINT64_C(61) * 1152 * 1000);
}

/* bigcode/octocoder, a short prompt and 60 new tokens: torch.cuda.max_memory_allocated() as printed in huggingface/transformers,
 * docs/source/en/llm_tutorial_optimization.md, in bfloat16, in 8 and in 4 bits. What PyTorch does not count: the context and what its
 * allocator keeps. */
static void measured_peaks_of_octocoder(void **state)
{
    (void)state;
    static const struct {
        const char *quantisation;
        uint64_t peak_bytes;
        uint64_t per_mille;
    } cases[] = {
        {"", UINT64_C(31166499840), 1},
        {", \"quantization_config\": {\"quant_method\": \"bitsandbytes\", \"load_in_8bit\": true}",
         UINT64_C(16341528576), 6},
        {", \"quantization_config\": {\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": true}",
         UINT64_C(10247334912), 4},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_builder config = {0};
        struct engine_plan plan;
        tn_builder_addf(&config, OCTOCODER, cases[k].quantisation);
        engine_plan_open(&plan, "transformers", "4.36.0", config.data);
        struct tn_deployment deployment = engine_plan_deployment(84);
        assert_true(engine_plan_run(&plan, &deployment, "max_new_tokens=60"));
        uint64_t peak = plan.ledger.stages[0].mid_bytes - engine_plan_bytes(&plan, TN_CATEGORY_RUNTIME)
                        - engine_plan_bytes(&plan, TN_CATEGORY_RESERVE);
        if (!engine_plan_is_near(peak, cases[k].peak_bytes, cases[k].per_mille)) {
            fail_msg("case %u: %llu", (unsigned)k, (unsigned long long)peak);
        }
        engine_plan_close(&plan);
        tn_builder_free(&config);
    }
}

/* Until 4.44 logits of the whole prompt are computed, and copied in 32 bits: 4095 x 128256 x 6 bytes. */
static void logits_of_the_whole_prompt_were_computed_until_4_44(void **state)
{
    (void)state;
    struct engine_plan plan;
    struct tn_deployment deployment = engine_plan_deployment(4096);
    engine_plan_open(&plan, "transformers", "4.44.2", LLAMA_3_1_8B);
    assert_true(engine_plan_run(&plan, &deployment, "max_new_tokens=1"));
    assert_true(engine_plan_bytes(&plan, TN_CATEGORY_ACTIVATION) > UINT64_C(4095) * 128256 * 6);
    engine_plan_close(&plan);
    engine_plan_open(&plan, "transformers", "4.45.0", LLAMA_3_1_8B);
    assert_true(engine_plan_run(&plan, &deployment, "max_new_tokens=1"));
    assert_true(engine_plan_bytes(&plan, TN_CATEGORY_ACTIVATION) < UINT64_C(4095) * 128256);
    assert_true(engine_plan_run(&plan, &deployment, "max_new_tokens=1 logits_to_keep=0"));
    assert_true(engine_plan_bytes(&plan, TN_CATEGORY_ACTIVATION) > UINT64_C(4095) * 128256 * 2);
    uint64_t whole = engine_plan_bytes(&plan, TN_CATEGORY_ACTIVATION);
    assert_true(engine_plan_run(&plan, &deployment, "max_new_tokens=1 logits_to_keep=0 prefill_chunk_size=512"));
    assert_true(engine_plan_bytes(&plan, TN_CATEGORY_ACTIVATION) < whole / 4);
    engine_plan_close(&plan);
}

/* Four stages of eight layers; the embedding on the first, the head on the last, and their caches with them. */
static void stages_have_whole_layers(void **state)
{
    (void)state;
    static const struct engine_start start = {"", LLAMA_3_1_8B, NULL, 4096, "", .pp = 4};
    struct engine_plan plan;
    assert_true(engine_plan_start(&plan, "transformers", &start));
    assert_int_equal(plan.ledger.stage_count, 4);
    uint64_t layer = UINT64_C(2) * (2 * 4096 * 4096 + 2 * 1024 * 4096 + 3 * 14336 * 4096 + 2 * 4096);
    assert_int_equal(tn_ledger_category(&plan.ledger, &plan.ledger.stages[1], TN_CATEGORY_WEIGHTS), 8 * layer);
    assert_int_equal(tn_ledger_category(&plan.ledger, &plan.ledger.stages[0], TN_CATEGORY_WEIGHTS),
                     8 * layer + UINT64_C(128256) * 4096 * 2);
    assert_int_equal(tn_ledger_category(&plan.ledger, &plan.ledger.stages[2], TN_CATEGORY_CACHE), 134217728);
    engine_plan_close(&plan);
}

/* tp_plan divides layers and head, not the embedding. */
static void tensor_parallel_keeps_the_embedding_whole(void **state)
{
    (void)state;
    static const struct engine_start start = {"", LLAMA_3_1_8B, NULL, 4096, "tp_plan=auto", .tp = 4};
    struct engine_plan plan;
    assert_true(engine_plan_start(&plan, "transformers", &start));
    uint64_t matrices =
        UINT64_C(32) * (UINT64_C(2) * 4096 * 4096 + UINT64_C(2) * 1024 * 4096 + UINT64_C(3) * 14336 * 4096)
        + UINT64_C(128256) * 4096;
    uint64_t whole = UINT64_C(128256) * 4096 + UINT64_C(65) * 4096;
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_WEIGHTS), 2 * (matrices / 4 + whole));
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), 134217728);
    engine_plan_close(&plan);
}

static void what_it_does_not_take_is_refused(void **state)
{
    (void)state;
    static const struct engine_start starts[] = {
        {"", LLAMA_3_1_8B, NULL, 4096, "cache_implementation=paged",
         .refusal = "there is no cache_implementation 'paged': choose dynamic, dynamic_full, static, offloaded, "
                    "offloaded_static or quantized"},
        {"", GEMMA_3_1B, NULL, 4096, "cache_implementation=quantized",
         .refusal = "a quantised cache takes only layers of full attention: this model has 22 with a window"},
        {"4.40.0", LLAMA_3_1_8B, NULL, 4096, "cache_implementation=quantized",
         .refusal = "quantised caches came with 4.42"},
        {"", LLAMA_3_1_8B, NULL, 4096, "cache_implementation=quantized nbits=3",
         .refusal = "quanto keeps caches in 2 or 4 bits, not in 3"},
        {"", LLAMA_3_1_8B, NULL, 4096, "cache_implementation=quantized backend=gguf",
         .refusal = "quantised caches have the backends quanto, hqq and fp8, not 'gguf'"},
        {"", LLAMA_3_1_8B, NULL, 4096, "cache_implementation=static max_cache_len=100",
         .refusal = "a static cache of 100 tokens is too short for 4096"},
        {"", LLAMA_3_1_8B, NULL, 4096, "max_new_tokens=4096",
         .refusal = "no prompt is left: max_new_tokens is 4096 of 4096 tokens"},
        {"", LLAMA_3_1_8B, NULL, 4096, "attn_implementation=paged",
         .refusal = "there is no attn_implementation 'paged'"},
        {"", LLAMA_3_1_8B, NULL, 4096, "", .tp = 2,
         .refusal = "device_map keeps layers whole and divides the model by layers (--pp); tensor parallel needs --set "
                    "tp_plan=auto"},
        {"", LLAMA_3_1_8B, NULL, 4096, "tp_plan=auto", .tp = 2, .pp = 2,
         .refusal = "tp_plan and device_map exclude each other"},
        {"", LLAMA_3_1_8B, NULL, 4096, "tp_plan=auto", .tp = 16,
         .refusal = "8 KV heads do not divide by 16, and transformers does not repeat them"},
    };
    engine_plan_expect_refusals("transformers", starts, sizeof starts / sizeof starts[0]);
}

static void a_cache_of_another_dtype_is_refused(void **state)
{
    (void)state;
    static const struct engine_start start = {
        "",
        LLAMA_3_1_8B,
        NULL,
        4096,
        "",
        .kv_dtype = "fp8",
        .refusal =
            "the cache has the dtype of the computation; --set cache_implementation=quantized keeps it in fewer bits"};
    engine_plan_expect_refusals("transformers", &start, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prompts_take_what_was_followed),
        cmocka_unit_test(weights_and_caches_are_exact),
        cmocka_unit_test(caches_follow_implementation_and_version),
        cmocka_unit_test(deepseek_v3_keeps_81920_bytes_per_layer_and_token),
        cmocka_unit_test(measured_peaks_of_octocoder),
        cmocka_unit_test(logits_of_the_whole_prompt_were_computed_until_4_44),
        cmocka_unit_test(stages_have_whole_layers),
        cmocka_unit_test(tensor_parallel_keeps_the_embedding_whole),
        cmocka_unit_test(what_it_does_not_take_is_refused),
        cmocka_unit_test(a_cache_of_another_dtype_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
