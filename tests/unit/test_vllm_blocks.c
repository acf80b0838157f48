/* vLLM's KV pool against its own logs: models of the catalog, the bytes that a log says were left, and the blocks, tokens and concurrency
 * that the same log says came of them. Where a log gives no bytes, the block size, or the bytes of a token. Each comment is the calculation
 * and names the log. */
#include "kv_plan.h"
#include "real_catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct run {
    const char *model;
    uint32_t tp;
    bool has_draft;
    struct tn_vllm_kv_options options;
    uint64_t available_bytes;
};

struct logged {
    uint64_t blocks;
    uint64_t request_blocks; /* 0: not compared */
    uint64_t tokens;
    double max_concurrency; /* as logged, two digits; 0: not logged */
};

static void check(const struct run *run, struct logged logged)
{
    struct kv_plan plan;
    kv_plan_load(&plan, &real, run->model, run->tp, run->has_draft);
    if (!kv_plan_start(&plan, run->options, run->available_bytes)) {
        fail_msg("%s: %s", run->model, plan.error.message);
    }
    assert_int_equal(plan.pool.blocks, logged.blocks);
    assert_int_equal(plan.pool.tokens, logged.tokens);
    if (logged.request_blocks) {
        assert_int_equal(plan.pool.request_blocks, logged.request_blocks);
    }
    if (logged.max_concurrency > 0) {
        assert_int_equal((int)(plan.pool.max_concurrency * 100 + 0.5), (int)(logged.max_concurrency * 100 + 0.5));
    }
    kv_plan_close(&plan);
}

static const struct tn_vllm_kv_dtype *dtype(const char *name)
{
    const struct tn_vllm_kv_dtype *found = tn_vllm_kv_dtype_find(tn_str_of(name));
    assert_non_null(found);
    return found;
}

/* ---- attention alone ------------------------------------------------------------------------------------------------ */

/* 80 layers x 2 x 1 head x 128 x 2 = 40,960 bytes per token, 655,360 per block of 16; the log of vLLM 0.18 on H100 says 46.4 GiB and
 * 76,016 blocks, which are 46.397 GiB; 16,384 tokens are 1,024 blocks. */
static void llama_3_3_70b_on_8_h100(void **state)
{
    (void)state;
    struct run run = {
        .model = "llama-3.3-70b",
        .tp = 8,
        .options = {.version = 18000, .compute_capability = 90, .max_model_len = 16384, .max_num_batched_tokens = 8192},
        .available_bytes = UINT64_C(76016) * 655360 + 1000};
    check(&run, (struct logged){76016, 1024, 1216256, 74.23});
}

/* 28 x 2 x 4 x 128 x 2 = 57,344 bytes per token; RTX 3090, 5.82 GiB: between 5.815 and 5.825, and 6,810 blocks are 5.819 */
static void qwen_2_5_7b_on_rtx_3090(void **state)
{
    (void)state;
    struct run run = {
        .model = "qwen2.5-7b",
        .tp = 1,
        .options = {.version = 18000, .compute_capability = 86, .max_model_len = 4096, .max_num_batched_tokens = 2048},
        .available_bytes = kv_plan_gib(5.8195)};
    check(&run, (struct logged){6810, 256, 108960, 26.60});
}

/* vLLM 0.19 on H100, Llama 3.1 8B: 131,072 bytes per token in 16 bits, half in FP8, twice in FP32. Logs of one study, GiB in two digits:
 * 58.11, 58.11 and 42.79. */
static void llama_3_1_8b_in_three_dtypes(void **state)
{
    (void)state;
    struct run run = {
        .model = "llama-3.1-8b",
        .tp = 1,
        .options = {.version = 19000, .compute_capability = 90, .max_model_len = 8192, .max_num_batched_tokens = 8192},
        .available_bytes = UINT64_C(476000) * 131072};
    check(&run, (struct logged){29750, 512, 476000, 58.11});
    run.options.dtype = dtype("fp8");
    run.available_bytes = UINT64_C(952032) * 65536;
    check(&run, (struct logged){59502, 512, 952032, 116.21});
    run.options.dtype = NULL;
    run.options.model_bytes = 4;
    run.available_bytes = UINT64_C(175296) * 262144;
    check(&run, (struct logged){10956, 512, 175296, 21.40});
}

/* One latent vector of 576 x 2 bytes in 27 layers = 31,104 bytes per token and rank, whatever the tensor parallel size. vLLM 0.19 on H100:
 * 43.61 GiB and 94,097 blocks of 16 on one GPU, 63.73 GiB and 137,493 on each of four. */
static void latent_vectors_are_the_same_on_every_rank(void **state)
{
    (void)state;
    struct run run = {
        .model = "deepseek-v2-lite",
        .tp = 1,
        .options = {.version = 19000, .compute_capability = 90, .max_model_len = 8192, .max_num_batched_tokens = 8192},
        .available_bytes = UINT64_C(94097) * 497664};
    check(&run, (struct logged){94097, 512, 1505552, 183.78});
    run.tp = 4;
    run.available_bytes = UINT64_C(137493) * 497664;
    check(&run, (struct logged){137493, 512, 2199888, 268.54});
}

/* Kimi K2, 61 x 1,152 = 70,272 bytes per token, FlashMLA's blocks of 64: 46.80 GiB are 11,173 of them (vllm-project/recipes). Eight
 * context-parallel ranks share the tokens: eight times as many with 11,174 blocks (recipes#115). */
static void kimi_k2_alone_and_context_parallel(void **state)
{
    (void)state;
    struct run run = {.model = "kimi-k2",
                      .tp = 8,
                      .options = {.version = 11000,
                                  .compute_capability = 90,
                                  .max_model_len = 131072,
                                  .max_num_batched_tokens = 8192},
                      .available_bytes = kv_plan_gib(46.80)};
    check(&run, (struct logged){11173, 2048, 715072, 5.46});
    run.options.context_ranks = 8;
    run.available_bytes = kv_plan_gib(46.803);
    check(&run, (struct logged){11174, 256, 5721088, 43.65});
}

/* GLM-5.1 in NVFP4 with FP8 KV on RTX PRO 6000, 656 + 132 bytes per token and layer, 79 layers with the one that predicts: 62,252; without
 * it 61,464. local-inference-lab/rtx6kpro: 18.42 GiB and 635,520 tokens on 2 context-parallel ranks with it, 19.47 GiB and 680,192 without,
 * 18.50 and 319,232 with it alone. */
static void glm_5_1_has_latent_and_index_pages(void **state)
{
    (void)state;
    struct run run = {.model = "glm-5.1",
                      .tp = 8,
                      .has_draft = true,
                      .options = {.version = 20002,
                                  .compute_capability = 120,
                                  .dtype = dtype("fp8"),
                                  .context_ranks = 2,
                                  .max_model_len = 202752,
                                  .max_num_batched_tokens = 8192},
                      .available_bytes = UINT64_C(4965) * 64 * 62252};
    check(&run, (struct logged){4965, 1584, 635520, 3.13});
    run.options.context_ranks = 1;
    run.available_bytes = UINT64_C(4988) * 64 * 62252;
    check(&run, (struct logged){4988, 3168, 319232, 1.57});
    run.has_draft = false;
    run.options.context_ranks = 2;
    run.available_bytes = UINT64_C(5314) * 64 * 61464;
    check(&run, (struct logged){5314, 1584, 680192, 3.35});
}

/* MiniMax M2.7 on two GPUs: 62 x 2 x 4 x 128 x 2 = 126,976 bytes per token; 196,608 tokens are 24,964,497,408 bytes, 23.25 GiB. 22.50 GiB
 * hold 190,272, which is what vLLM suggests (eugr/spark-vllm-docker#396). */
static void minimax_m2_7_does_not_fit_and_says_what_would(void **state)
{
    (void)state;
    struct kv_plan plan;
    kv_plan_load(&plan, &real, "minimax-m2.7", 2, false);
    struct tn_vllm_kv_options options = {
        .version = 20000, .compute_capability = 121, .max_model_len = 196608, .max_num_batched_tokens = 8192};
    assert_true(kv_plan_start(&plan, options, kv_plan_gib(22.502)));
    assert_false(plan.pool.is_enough);
    assert_int_equal(plan.pool.needed_bytes, UINT64_C(24964497408));
    assert_int_equal(plan.pool.suggested_tokens, 190272);
    kv_plan_close(&plan);
}

/* ---- windows -------------------------------------------------------------------------------------------------------- */

/* Gemma 4 26B: 25 layers with a window of 1,024 keep 8 x 512 elements, 5 others 2 x 1,024: a page of 131,072 bytes holds 16 and 32
 * tokens. Six groups of 5. A request of 32,768 tokens: 1,024 blocks + 5 x (ceil((1,023 + 2 x 2,496) / 16) + 1) = 2,909; 4.25 GiB are
 * 6,963 blocks. Public notes on vLLM 0.29. */
static void gemma_4_26b_at_three_lengths(void **state)
{
    (void)state;
    static const struct {
        uint64_t max_model_len;
        struct logged logged;
    } rows[] = {
        {32768, {6963, 2909, 78433, 2.39}},
        {65536, {6963, 3933, 116025, 0}},
        {131072, {6963, 5981, 152592, 1.16}},
        {162496, {6963, 6963, 162496, 1.00}},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct run run = {.model = "gemma-4-26b-a4b",
                          .tp = 1,
                          .options = {.version = 29000,
                                      .max_model_len = rows[k].max_model_len,
                                      .max_num_batched_tokens = 2496,
                                      .batches_in_flight = 2},
                          .available_bytes = kv_plan_gib(4.25)};
        check(&run, rows[k].logged);
    }
}

/* Gemma 4 12B on two RTX 3090: 40 and 8 layers, pages of 65,536 bytes, 524,288 in a group; 131,072 tokens are 4,096 + 5 x 321 = 5,701
 * blocks. 8.16 GiB, 384,019 tokens and 2.93 requests (noonghunna/club-3090, calibration): 16,703 blocks. */
static void gemma_4_12b_on_two_rtx_3090(void **state)
{
    (void)state;
    struct run run = {.model = "gemma-4-12b",
                      .tp = 2,
                      .options = {.version = 27000,
                                  .compute_capability = 86,
                                  .max_model_len = 131072,
                                  .max_num_batched_tokens = 2048,
                                  .batches_in_flight = 2},
                      .available_bytes = kv_plan_gib(8.156)};
    check(&run, (struct logged){16703, 5701, 384019, 2.93});
}

/* gpt-oss-20b, --kv-cache-memory 8603448832, blocks of 64: 12 layers with a window of 128 and 12 without, pages of 64 x 2,048 = 131,072.
 * 8,603,448,832 / (12 x 131,072) = 5,469 blocks; 131,072 tokens are 2,048 + ceil((127 + 2 x 2,048) / 64) + 1 = 2,115. vLLM 0.29 on XPU. */
static void gpt_oss_20b_with_blocks_of_64(void **state)
{
    (void)state;
    struct run run = {.model = "gpt-oss-20b",
                      .tp = 1,
                      .options = {.version = 29000,
                                  .block_tokens = 64,
                                  .max_model_len = 131072,
                                  .max_num_batched_tokens = 2048,
                                  .batches_in_flight = 2},
                      .available_bytes = UINT64_C(8603448832)};
    check(&run, (struct logged){5469, 2115, 338928, 2.59});
}

/* Before 0.20.1 the log counts tokens by blocks, in each group: Gemma 2 9B has 21 + 21 layers, two groups; 21,110 blocks are 10,555 x 16.
 * Gemma 3 12B has 40 + 8, six groups of 8; 48,867 // 6 x 16 = 130,304. vLLM 0.19 on H100. */
static void before_0_20_tokens_are_those_of_the_blocks(void **state)
{
    (void)state;
    struct run run = {
        .model = "gemma-2-9b",
        .tp = 1,
        .options = {.version = 19000, .compute_capability = 90, .max_model_len = 8192, .max_num_batched_tokens = 8192},
        .available_bytes = UINT64_C(21110) * 21 * 131072};
    check(&run, (struct logged){21110, 1025, 168880, 20.60});
    run.model = "gemma-3-12b";
    run.available_bytes = UINT64_C(48867) * 8 * 131072;
    check(&run, (struct logged){48867, 3077, 130304, 15.88});
}

/* ---- states --------------------------------------------------------------------------------------------------------- */

/* Qwen3.8 27B on two GPUs, FP8 KV, prefix caching: a state is 5,120 x 3 x 2 + 24 x 128 x 128 x 4 = 1,603,584 bytes, a token 2 x 2 x 256 =
 * 1,024: blocks of 1,568 hold it. 64 layers, 16 with attention: 4 groups of 16; 25,690,112 bytes a block, 208 in 4.99 GiB; a request of
 * 131,072 has 84 blocks and 2 in each group of states (mitchross/talos-argocd-proxmox#1995). */
static void qwen_3_8_27b_on_two_gpus(void **state)
{
    (void)state;
    struct run run = {.model = "qwen3.8-27b",
                      .tp = 2,
                      .options = {.version = 28000,
                                  .compute_capability = 86,
                                  .dtype = dtype("fp8"),
                                  .max_model_len = 131072,
                                  .max_num_batched_tokens = 2048,
                                  .mamba_mode = TN_VLLM_MAMBA_ALIGN},
                      .available_bytes = kv_plan_gib(4.99)};
    check(&run, (struct logged){208, 90, 302921, 2.31});
}

/* Qwen3.6 35B A3B: states of 8,192 x 3 x 2 + 32 x 128 x 128 x 4 = 2,146,304 bytes are 2,096 tokens of 1,024, without rest; groups of 10.
 * 5.98 and 6.01 GiB are 299 and 300 blocks; 63 + 3 x 2 (noonghunna/club-3090#612, #652). */
static void qwen_3_6_35b_on_rtx_5090(void **state)
{
    (void)state;
    struct run run = {.model = "qwen3.6-35b-a3b",
                      .tp = 1,
                      .options = {.version = 24000,
                                  .compute_capability = 120,
                                  .dtype = dtype("fp8"),
                                  .max_model_len = 131072,
                                  .max_num_batched_tokens = 2048,
                                  .mamba_mode = TN_VLLM_MAMBA_ALIGN},
                      .available_bytes = kv_plan_gib(5.98)};
    check(&run, (struct logged){299, 69, 567978, 4.33});
    run.available_bytes = kv_plan_gib(6.01);
    check(&run, (struct logged){300, 69, 569878, 4.35});
}

/* With three speculative tokens the convolution has 6 rows and a request 3 more blocks in each group of states; the layer that predicts
 * joins those with attention: 17 and 48, 4 groups of 17. 262,144 tokens: 164 + 3 x (2 + 3) = 179 (club-3090#294, #295). */
static void qwen_3_6_27b_with_three_speculative_tokens(void **state)
{
    (void)state;
    struct run run = {.model = "qwen3.6-27b",
                      .tp = 2,
                      .has_draft = true,
                      .options = {.version = 24000,
                                  .compute_capability = 86,
                                  .dtype = dtype("fp8"),
                                  .max_model_len = 262144,
                                  .max_num_batched_tokens = 2048,
                                  .speculative_tokens = 3,
                                  .mamba_mode = TN_VLLM_MAMBA_ALIGN,
                                  .blocks_override = 424},
                      .available_bytes = kv_plan_gib(20)};
    check(&run, (struct logged){424, 179, 620944, 2.37});
    run.options.blocks_override = 425;
    check(&run, (struct logged){425, 179, 622408, 2.37});
}

/* Qwen3.8 27B on two RTX 5090 with a draft model of its own: 5 layers with a window of 2,048, 8 KV heads of 128. Groups of 5: 10 of
 * states, 4 of attention, 1 of the draft. 7 speculative tokens, FP8 KV: blocks of 1,648, 147,456 tokens take 90 in each group of
 * attention, 2 + 7 of states, ceil((2,047 + 2 x 8,192) / 1,648) + 1 = 13 of the draft: 463. 16 bits: blocks of 832, 65,536 tokens: 4 x
 * 79 + 90 + 24 = 430. 11.15 GiB are 1,418 and 1,405 blocks (club-3090#1085, #1086). */
static void qwen_3_8_27b_with_a_draft_model(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {0, 1, 2, 3, 4};
    struct tn_kv_cache window = {
        .kind = TN_KV_SLIDING, .argument = 2048, .heads = 4, .elements = 1024, .layers = numbers, .layer_count = 5};
    struct tn_kv_layers draft = {&window, 1};
    struct run run = {.model = "qwen3.8-27b",
                      .tp = 2,
                      .options = {.version = 27001,
                                  .compute_capability = 120,
                                  .dtype = dtype("fp8"),
                                  .max_model_len = 147456,
                                  .max_num_batched_tokens = 8192,
                                  .batches_in_flight = 2,
                                  .speculative_tokens = 7,
                                  .draft = &draft,
                                  .mamba_mode = TN_VLLM_MAMBA_ALIGN},
                      .available_bytes = kv_plan_gib(11.15)};
    check(&run, (struct logged){1418, 463, 451603, 3.06});
    run.options.dtype = NULL;
    run.options.max_model_len = 65536;
    check(&run, (struct logged){1405, 430, 214135, 3.27});
}

/* Block sizes that logs name, with the share of the state's page that is padding:
 *   15 speculative tokens, all in 16 bits: 18 x 10,240 x 2 + 48 x 128 x 128 x 2 = 1,941,504; 4,096 per token: 480, 1.27 %
 *   7, KV in int8_per_token_head, 4 x 2 x 256 and 4 x 8 for scales: 1,777,664; 2,080: 864, 1.09 % (both syv-ai/qwen38-27b-rtx3090#102)
 *   none, FP8 KV: 61,440 + 3,145,728 = 3,207,168; 2,048: 1,568, 0.13 % (club-3090#1047)
 * Nemotron Nano 9B v2, all in 16 bits: 12,288 x 3 x 2 + 128 x 80 x 128 x 2 = 2,695,168; 4,096: 672 (vllm#24280). Granite 4.0 H, whose
 * states are 394 tokens long: 400, or, where prefixes are cached at every block, the next multiple of the chunk of 256: 512 (vllm#25752) */
static void blocks_grow_until_they_hold_a_state(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        uint64_t version;
        const char *dtype;
        uint32_t state_bytes;
        uint32_t speculative_tokens;
        enum tn_vllm_mamba_mode mode;
        uint64_t bytes;
        uint64_t block_tokens;
        uint64_t page_bytes;
    } rows[] = {
        {"qwen3.8-27b", 28000, "auto", 2, 15, TN_VLLM_MAMBA_NONE, 1941504, 480, 1966080},
        {"qwen3.8-27b", 28000, "int8_per_token_head", 2, 7, TN_VLLM_MAMBA_NONE, 1777664, 864, 1797120},
        {"qwen3.8-27b", 28000, "fp8", 0, 0, TN_VLLM_MAMBA_NONE, 3207168, 1568, 3211264},
        {"nemotron-nano-9b-v2", 10002, "auto", 2, 0, TN_VLLM_MAMBA_NONE, 2695168, 672, 2752512},
        {"granite-4.0-h-350m", 11000, "auto", 0, 0, TN_VLLM_MAMBA_NONE, 403968, 400, 409600},
        {"granite-4.0-h-350m", 11000, "auto", 0, 0, TN_VLLM_MAMBA_ALL, 403968, 512, 524288},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct kv_plan plan;
        struct tn_vllm_kv_options options = {.version = rows[k].version,
                                             .compute_capability = 86,
                                             .dtype = dtype(rows[k].dtype),
                                             .state_bytes = rows[k].state_bytes,
                                             .max_model_len = 32768,
                                             .max_num_batched_tokens = 2048,
                                             .speculative_tokens = rows[k].speculative_tokens,
                                             .mamba_mode = rows[k].mode,
                                             .mamba_chunk_tokens = 256};
        kv_plan_load(&plan, &real, rows[k].model, 1, rows[k].speculative_tokens > 0);
        assert_true(kv_plan_start(&plan, options, kv_plan_gib(8)));
        assert_int_equal(plan.kv.state_bytes, rows[k].bytes);
        assert_int_equal(plan.kv.block_tokens, rows[k].block_tokens);
        assert_int_equal(plan.kv.state_page_bytes, rows[k].page_bytes);
        kv_plan_close(&plan);
    }
}

/* Kimi Linear on two RTX 3090: a state of 3 x 2,048 x 3 x 2 + 16 x 128 x 128 x 4 = 1,085,440 bytes is 942 latent vectors of 1,152: blocks
 * of 960. 20 and 7 layers, four groups; a request of 120,000 takes 125 + 3 blocks. 75,840 tokens and 2.48 requests in 2.3 GiB (vllm#28228)
 * are 318 blocks, which version 0.11 counts as 318 // 4 x 960 tokens. */
static void kimi_linear_has_states_and_latent_vectors(void **state)
{
    (void)state;
    struct run run = {.model = "kimi-linear-48b-a3b",
                      .tp = 2,
                      .options = {.version = 11002,
                                  .compute_capability = 86,
                                  .max_model_len = 120000,
                                  .max_num_batched_tokens = 64000},
                      .available_bytes = UINT64_C(318) * 7 * 960 * 1152};
    check(&run, (struct logged){318, 128, 75840, 2.48});
}

/* GLM-5.3-Flash on four RTX PRO 6000, three speculative tokens: 34 layers of states, 12 of latent vectors with the one that predicts.
 * State: 3 x 2,048 x 6 x 2 + 16 x 128 x 128 x 4 = 1,122,304; 512 per token, multiples of 128: blocks of 2,304. Latent vectors have 512 + 16
 * bytes, index keys 132 for 4 tokens: 12 x (528 + 33) x 2,304 = 15,510,528. A request of 1,048,576: 456 + 3 x (2 + 3) = 471 blocks,
 * 6.8 GiB; 15.36 GiB are 1,063 (local-inference-lab/vllm#501: 2,366,531 tokens, 6.8 GiB for one request). */
static void glm_5_3_flash_packs_its_groups(void **state)
{
    (void)state;
    struct run run = {.model = "glm-5.3-flash-nvfp4",
                      .tp = 4,
                      .has_draft = true,
                      .options = {.version = 29000,
                                  .compute_capability = 120,
                                  .max_model_len = 1048576,
                                  .max_num_batched_tokens = 8192,
                                  .speculative_tokens = 3,
                                  .mamba_mode = TN_VLLM_MAMBA_ALIGN},
                      .available_bytes = kv_plan_gib(15.36)};
    check(&run, (struct logged){1063, 471, 2366531, 0});
}

/* Seven groups as a design note for GLM-5.3 has them (vllm#54662): 1,000,000 tokens in blocks of 3,584 are 280; one ring; four groups of
 * states with 2 + 7; a window of 2,048 with 2 x 2,048 tokens in flight in blocks of 64 is 97. 643 blocks, 414 per request: 1,553,140. */
static void seven_groups_of_four_kinds(void **state)
{
    (void)state;
    static const struct tn_vllm_kv_group groups[] = {
        {.kind = TN_KV_LATENT, .block_tokens = 3584, .count = 1},
        {.kind = TN_KV_RING, .argument = 4, .block_tokens = 4, .count = 1},
        {.kind = TN_KV_STATE, .block_tokens = 3584, .count = 4},
        {.kind = TN_KV_SLIDING, .argument = 2048, .block_tokens = 64, .count = 1},
    };
    static const uint64_t block_bytes = 1 << 20;
    const struct tn_vllm_kv kv = {.options = {.version = 29000,
                                              .context_ranks = 1,
                                              .max_model_len = 1000000,
                                              .max_num_batched_tokens = 2048,
                                              .batches_in_flight = 2,
                                              .speculative_tokens = 7,
                                              .mamba_mode = TN_VLLM_MAMBA_ALIGN},
                                  .block_tokens = 3584,
                                  .groups = groups,
                                  .group_count = 4,
                                  .table_count = 7,
                                  .block_bytes = &block_bytes,
                                  .guard_bytes = &block_bytes};
    uint64_t available = 643 * block_bytes + 1;
    struct tn_vllm_kv_pool pool;
    tn_vllm_kv_size(&kv, &available, &pool);
    assert_int_equal(pool.request_blocks, 414);
    assert_int_equal(pool.blocks, 643);
    assert_int_equal(pool.tokens, 1553140);
    assert_true(pool.is_enough);
    assert_int_equal(tn_vllm_kv_pool_bytes(&kv, &pool, 0), 643 * block_bytes);
}

/* ---- DeepSeek V4 ---------------------------------------------------------------------------------------------------- */

/* V4-Flash on two GH200, vLLM 0.22, prompts of 16,384 in a step, 30,000 tokens: full 118 blocks, windows 2 x 259, rings 4,099 and 2,065:
 * 6,800; the check takes 22 tuples of 37,440 + 8,640 + 1,728 bytes for each: 6.66 GiB. 5.44 GiB hold 13,524 tokens by that count; the log
 * says 13,528 (vllm#44376), which 5.441 GiB give. */
static void deepseek_v4_flash_before_0_23(void **state)
{
    (void)state;
    struct kv_plan plan;
    kv_plan_load(&plan, &real, "deepseek-v4-flash", 2, false);
    struct tn_vllm_kv_options options = {.version = 22000,
                                         .compute_capability = 90,
                                         .dtype = dtype("fp8"),
                                         .max_model_len = 30000,
                                         .max_num_batched_tokens = 16384};
    assert_true(kv_plan_start(&plan, options, kv_plan_gib(5.44)));
    assert_false(plan.pool.is_enough);
    assert_int_equal(plan.pool.needed_bytes, UINT64_C(6800) * 22 * (37440 + 8640 + 1728));
    assert_int_equal(plan.pool.suggested_tokens, 13524);
    tn_vllm_kv_size(&plan.kv, &(uint64_t){kv_plan_gib(5.4411)}, &plan.pool);
    assert_int_equal(plan.pool.suggested_tokens, 13528);
    kv_plan_close(&plan);
}

/* The same model in later versions, 131,072 tokens, 8,192 in a step. Layers: 21 x (37,440 + 8,640) and 20 x 1,728 of compressed vectors and
 * keys; 43 windows of 37,440, in two groups 22; rings of 21 x (33,408 + 8,640) and 20 x 33,408. A block:
 *   0.23  as many places of each page as the group with most of it needs: 22 x 37,440 + 21 x 8,640 + 20 x 1,728 (windows padded)
 *   0.27  the largest group: 21 x 37,440 + 21 x 8,640 + 20 x 1,728
 * A request: 512 + 2 x 131 + 2,051 + 1,041 = 3,866 blocks; until 0.26 by its bytes in blocks of the first group,
 * 512 + ceil((131 x 43 x 37,440 + 2,051 x 21 x 46,080 + 1,041 x 20 x 37,440) / 1,002,240) = 3,481. The check before the start took 22 whole
 * tuples of all pages until 0.28. */
static void deepseek_v4_flash_since_0_23(void **state)
{
    (void)state;
    enum {
        TUPLES = 22 * (37440 + 8640 + 1728),
        SLOTS = 22 * 37440 + 21 * 8640 + 20 * 1728,
        SLAB = 21 * 37440 + 21 * 8640 + 20 * 1728
    };
    static const struct {
        uint64_t version;
        uint64_t block_bytes;
        uint64_t request_blocks;
        uint64_t guard_bytes;
    } rows[] = {{22000, TUPLES, 3481, TUPLES},
                {23000, SLOTS, 3481, TUPLES},
                {27000, SLAB, 3866, TUPLES},
                {29000, SLAB, 3866, SLAB}};
    struct kv_plan plan;
    kv_plan_load(&plan, &real, "deepseek-v4-flash", 2, false);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_vllm_kv_options options = {.version = rows[k].version,
                                             .compute_capability = 90,
                                             .dtype = dtype("fp8"),
                                             .max_model_len = 131072,
                                             .max_num_batched_tokens = 8192};
        assert_true(kv_plan_start(&plan, options, kv_plan_gib(20)));
        assert_int_equal(plan.kv.table_count, 5);
        assert_int_equal(plan.kv.block_bytes[0], rows[k].block_bytes);
        assert_int_equal(plan.pool.request_blocks, rows[k].request_blocks);
        assert_int_equal(plan.kv.guard_bytes[0], rows[k].guard_bytes);
        assert_int_equal(plan.pool.needed_bytes, 3866 * rows[k].guard_bytes);
        assert_int_equal(plan.pool.blocks, kv_plan_gib(20) / rows[k].block_bytes);
    }
    kv_plan_close(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama_3_3_70b_on_8_h100),
        cmocka_unit_test(qwen_2_5_7b_on_rtx_3090),
        cmocka_unit_test(llama_3_1_8b_in_three_dtypes),
        cmocka_unit_test(latent_vectors_are_the_same_on_every_rank),
        cmocka_unit_test(kimi_k2_alone_and_context_parallel),
        cmocka_unit_test(glm_5_1_has_latent_and_index_pages),
        cmocka_unit_test(minimax_m2_7_does_not_fit_and_says_what_would),
        cmocka_unit_test(gemma_4_26b_at_three_lengths),
        cmocka_unit_test(gemma_4_12b_on_two_rtx_3090),
        cmocka_unit_test(gpt_oss_20b_with_blocks_of_64),
        cmocka_unit_test(before_0_20_tokens_are_those_of_the_blocks),
        cmocka_unit_test(qwen_3_8_27b_on_two_gpus),
        cmocka_unit_test(qwen_3_6_35b_on_rtx_5090),
        cmocka_unit_test(qwen_3_6_27b_with_three_speculative_tokens),
        cmocka_unit_test(qwen_3_8_27b_with_a_draft_model),
        cmocka_unit_test(blocks_grow_until_they_hold_a_state),
        cmocka_unit_test(kimi_linear_has_states_and_latent_vectors),
        cmocka_unit_test(glm_5_3_flash_packs_its_groups),
        cmocka_unit_test(seven_groups_of_four_kinds),
        cmocka_unit_test(deepseek_v4_flash_before_0_23),
        cmocka_unit_test(deepseek_v4_flash_since_0_23),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
