/* vLLM's rules for pages, groups and the check before the start, each on caches made up for it, in the versions in which they changed. What
 * is expected was worked out by hand, and also given by the engine's own planning functions of those versions. */
#include "kv_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_LAYERS = 128 };

static const uint64_t PAGE = 16384; /* of 16 tokens with 512 elements of 2 bytes */

static uint32_t numbers[MOST_LAYERS];

static int fill_numbers(void **state)
{
    (void)state;
    for (uint32_t k = 0; k < MOST_LAYERS; k++) {
        numbers[k] = k;
    }
    return 0;
}

/* `elements` per token in 16 bits; layers from `first` on */
static struct tn_kv_cache cache(enum tn_kv_kind kind, uint64_t argument, uint64_t elements, uint32_t first,
                                uint32_t count)
{
    assert_true(first + count <= MOST_LAYERS);
    return (struct tn_kv_cache){.kind = kind,
                                .argument = argument,
                                .heads = 1,
                                .elements = elements,
                                .layers = numbers + first,
                                .layer_count = count};
}

static struct tn_kv_cache state_of(uint64_t bytes, uint32_t first, uint32_t count)
{
    struct tn_kv_cache made = cache(TN_KV_STATE, 0, 0, first, count);
    made.part_count = 1;
    made.parts[0] = (struct tn_kv_state_part){bytes / 4, 0, 4};
    return made;
}

/* A request of 4,096 tokens, 2,048 in a step. */
static struct tn_vllm_kv_options options_of(uint64_t version)
{
    return (struct tn_vllm_kv_options){
        .version = version, .compute_capability = 90, .max_model_len = 4096, .max_num_batched_tokens = 2048};
}

static bool start(struct kv_plan *plan, struct tn_kv_cache *caches, size_t count, struct tn_vllm_kv_options options,
                  uint64_t available_bytes)
{
    tn_arena_free(&plan->arena);
    *plan = (struct kv_plan){.layers = {caches, count}};
    return kv_plan_start(plan, options, available_bytes);
}

static void expect(struct kv_plan *plan, struct tn_kv_cache *caches, size_t count, struct tn_vllm_kv_options options,
                   uint64_t available_bytes)
{
    if (!start(plan, caches, count, options, available_bytes)) {
        fail_msg("%s", plan->error.message);
    }
}

static void refuse(struct kv_plan *plan, struct tn_kv_cache *caches, size_t count, struct tn_vllm_kv_options options,
                   enum tn_code code, const char *message_part)
{
    assert_false(start(plan, caches, count, options, kv_plan_gib(1)));
    assert_int_equal(plan->error.code, code);
    if (!strstr(plan->error.message, message_part)) {
        fail_msg("'%s' is not in '%s'", message_part, plan->error.message);
    }
}

/* ---- bytes of a token ------------------------------------------------------------------------------------------------ */

/* One layer of 2 heads of 128 keeps 512 elements per token: blocks of 16 in each dtype. NVFP4: half a byte, and a scale for 16; inline
 * scales: 4 bytes each for keys and values of a head. */
static void pages_follow_the_cache_dtype(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t model_bytes;
        uint64_t bytes;
    } rows[] = {
        {"auto", 2, 1024},
        {"auto", 4, 2048},
        {"bfloat16", 4, 1024},
        {"fp8", 2, 512},
        {"fp8_e5m2", 2, 512},
        {"nvfp4", 2, 256 + 32},
        {"int8_per_token_head", 2, 512 + 16},
        {"fp8_per_token_head", 2, 512 + 16},
        {"int4_per_token_head", 2, 256 + 16},
    };
    struct kv_plan plan = {0};
    struct tn_kv_cache full = cache(TN_KV_FULL, 0, 512, 0, 1);
    full.heads = 2;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_vllm_kv_options options = options_of(28000);
        options.dtype = tn_vllm_kv_dtype_find(tn_str_of(rows[k].name));
        options.model_bytes = rows[k].model_bytes;
        assert_non_null(options.dtype);
        expect(&plan, &full, 1, options, kv_plan_gib(1));
        assert_int_equal(plan.kv.block_bytes[0], 16 * rows[k].bytes);
    }
    assert_null(tn_vllm_kv_dtype_find(TN_STR("fp7")));
    tn_arena_free(&plan.arena);
}

/* DeepSeek V3.2: 576 elements in 16 bits are 1,152 bytes, in plain FP8 576, with scales and 16-bit rotation 656; keys of the indexer
 * 132, or in FP4 64 and 4 scales. Without an indexer FP8 is plain. */
static void latent_vectors_may_have_scales(void **state)
{
    (void)state;
    static const struct {
        uint64_t version;
        uint32_t capability;
        const char *dtype;
        bool has_indexer;
        uint64_t bytes;
    } rows[] = {
        {24000, 90, "auto", true, 1152},  {24000, 90, "fp8", true, 656},         {24000, 100, "fp8", true, 576},
        {18000, 100, "fp8", true, 656},   {24000, 100, "fp8_ds_mla", true, 656}, {24000, 120, "auto", true, 656},
        {23000, 120, "auto", true, 1152}, {11000, 90, "auto", true, 656},        {12000, 90, "auto", true, 1152},
        {24000, 90, "fp8", false, 576},   {24000, 120, "bfloat16", true, 1152},  {24000, 120, "auto", false, 1152},
    };
    struct kv_plan plan = {0};
    struct tn_kv_cache caches[] = {cache(TN_KV_LATENT, 0, 576, 0, 1), cache(TN_KV_INDEX, 0, 132, 0, 1)};
    caches[1].dtype = tn_dtype_find(TN_STR("F8_E4M3"));
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_vllm_kv_options options = options_of(rows[k].version);
        options.compute_capability = rows[k].capability;
        options.dtype = tn_vllm_kv_dtype_find(tn_str_of(rows[k].dtype));
        expect(&plan, caches, rows[k].has_indexer ? 2 : 1, options, kv_plan_gib(1));
        uint64_t token = rows[k].bytes + (rows[k].has_indexer ? 132 : 0);
        assert_int_equal(plan.kv.block_bytes[0], plan.kv.block_tokens * token);
    }
    struct tn_vllm_kv_options options = options_of(24000);
    options.has_fp4_index = true;
    expect(&plan, caches, 2, options, kv_plan_gib(1));
    assert_int_equal(plan.kv.block_bytes[0], 64 * (1152 + 64 + 4));
    tn_arena_free(&plan.arena);
}

/* Speculation adds a row of 4 x 100 to the convolution and none to the recurrent state; each part's bytes may be set. */
static void states_grow_by_rows(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache mamba = state_of(4000, 0, 1);
    mamba.part_count = 2;
    mamba.parts[1] = (struct tn_kv_state_part){300, 3, 2};
    struct tn_vllm_kv_options options = options_of(28000);
    expect(&plan, &mamba, 1, options, kv_plan_gib(1));
    assert_int_equal(plan.kv.block_bytes[0], 4000 + 600);
    options.speculative_tokens = 4;
    expect(&plan, &mamba, 1, options, kv_plan_gib(1));
    assert_int_equal(plan.kv.block_bytes[0], 4000 + 700 * 2);
    options.state_bytes = 2;
    options.convolution_bytes = 4;
    expect(&plan, &mamba, 1, options, kv_plan_gib(1));
    assert_int_equal(plan.kv.block_bytes[0], 2000 + 700 * 4);
    tn_arena_free(&plan.arena);
}

/* ---- sizes of blocks -------------------------------------------------------------------------------------------------- */

static void blocks_follow_the_attention_backend(void **state)
{
    (void)state;
    static const struct {
        enum tn_kv_kind kind;
        bool has_indexer;
        uint32_t capability;
        const char *dtype;
        uint64_t version;
        uint64_t block_tokens;
    } rows[] = {
        {TN_KV_FULL, false, 90, "auto", 28000, 16},        {TN_KV_FULL, false, 0, "auto", 28000, 16},
        {TN_KV_LATENT, false, 90, "auto", 17000, 64}, /* FlashMLA */
        {TN_KV_LATENT, false, 90, "auto", 18000, 16}, /* FlashAttention */
        {TN_KV_LATENT, false, 90, "fp8", 18000, 64},       {TN_KV_LATENT, false, 80, "fp8", 18000, 16},
        {TN_KV_LATENT, false, 100, "auto", 14000, 128}, /* CUTLASS */
        {TN_KV_LATENT, false, 100, "auto", 15000, 64},  /* FlashInfer */
        {TN_KV_LATENT, false, 103, "auto", 18000, 32},     {TN_KV_LATENT, false, 120, "auto", 18000, 16}, /* Triton */
        {TN_KV_LATENT, true, 90, "auto", 28000, 64},       {TN_KV_LATENT, true, 100, "fp8", 14000, 64},
        {TN_KV_COMPRESSED, false, 90, "auto", 28000, 256},
    };
    struct kv_plan plan = {0};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_kv_cache caches[] = {cache(rows[k].kind, 4, 576, 0, 1), cache(TN_KV_INDEX, 0, 132, 0, 1)};
        caches[1].dtype = tn_dtype_find(TN_STR("F8_E4M3"));
        struct tn_vllm_kv_options options = options_of(rows[k].version);
        options.compute_capability = rows[k].capability;
        options.dtype = tn_vllm_kv_dtype_find(tn_str_of(rows[k].dtype));
        expect(&plan, caches, rows[k].has_indexer ? 2 : 1, options, kv_plan_gib(1));
        assert_int_equal(plan.kv.block_tokens, rows[k].block_tokens);
        options.block_tokens = 512;
        expect(&plan, caches, rows[k].has_indexer ? 2 : 1, options, kv_plan_gib(1));
        assert_int_equal(plan.kv.block_tokens, 512);
    }
    tn_arena_free(&plan.arena);
}

/* A state of 100,000 bytes beside 1,024 per token is 98 tokens. */
static void blocks_beside_states_are_aligned(void **state)
{
    (void)state;
    static const struct {
        enum tn_kv_kind kind;
        uint64_t elements;
        uint32_t capability;
        uint64_t version;
        uint64_t asked;
        uint64_t block_tokens;
    } rows[] = {
        {TN_KV_FULL, 512, 90, 28000, 0, 112},   {TN_KV_FULL, 512, 90, 19000, 64, 112},
        {TN_KV_FULL, 512, 90, 20000, 64, 128},  {TN_KV_FULL, 512, 90, 28000, 256, 256},
        {TN_KV_FULL, 512, 100, 19000, 0, 128}, /* heads of 256 on Blackwell: multiples of 32 */
        {TN_KV_FULL, 512, 100, 20000, 0, 112},  {TN_KV_LATENT, 512, 90, 19000, 0, 128},
        {TN_KV_LATENT, 512, 90, 26000, 0, 112}, {TN_KV_LATENT, 512, 90, 27000, 0, 128},
    };
    struct kv_plan plan = {0};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_kv_cache caches[] = {state_of(100000, 0, 3), cache(rows[k].kind, 0, rows[k].elements, 3, 1)};
        struct tn_vllm_kv_options options = options_of(rows[k].version);
        options.compute_capability = rows[k].capability;
        options.block_tokens = rows[k].asked;
        expect(&plan, caches, 2, options, kv_plan_gib(1));
        assert_int_equal(plan.kv.block_tokens, rows[k].block_tokens);
        assert_int_equal(plan.kv.state_page_bytes, rows[k].block_tokens * 1024);
        assert_int_equal(plan.kv.block_bytes[0], rows[k].block_tokens * 1024);
        assert_int_equal(plan.kv.table_count, 4);
    }
    tn_arena_free(&plan.arena);
}

/* ---- groups ----------------------------------------------------------------------------------------------------------- */

struct deal {
    uint64_t version;
    uint32_t windows;
    uint32_t full;
    uint32_t tables;
    uint32_t length;
};

/* Groups are as long as the fewest layers of a kind, or, where the numbers are near, as the most. */
static void layers_are_dealt_to_groups_of_equal_length(void **state)
{
    (void)state;
    static const struct deal rows[] = {
        {28000, 25, 5, 6, 5},   {28000, 12, 12, 2, 12}, {28000, 40, 8, 6, 8},
        {28000, 26, 5, 7, 5},   {11000, 26, 22, 3, 22}, {12000, 26, 22, 2, 26},
        {17000, 30, 22, 3, 22}, {18000, 30, 22, 2, 30}, {18000, 33, 22, 3, 22}, /* one and a half is not near */
    };
    struct kv_plan plan = {0};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_kv_cache caches[] = {cache(TN_KV_SLIDING, 128, 512, 0, rows[k].windows),
                                       cache(TN_KV_FULL, 0, 512, rows[k].windows, rows[k].full)};
        expect(&plan, caches, 2, options_of(rows[k].version), kv_plan_gib(1));
        assert_int_equal(plan.kv.table_count, rows[k].tables);
        assert_int_equal(plan.kv.block_bytes[0], PAGE * rows[k].length);
    }
    tn_arena_free(&plan.arena);
}

/* Full attention of two sizes is one group, whose block is the sum: 10 x 16 x 1,024 + 4 x 16 x 512. */
static void full_attention_of_two_sizes_is_one_group(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache caches[] = {cache(TN_KV_FULL, 0, 512, 0, 10), cache(TN_KV_FULL, 0, 256, 10, 4)};
    expect(&plan, caches, 2, options_of(11000), kv_plan_gib(1));
    assert_int_equal(plan.kv.table_count, 1);
    assert_int_equal(plan.kv.block_bytes[0], 10 * 16384 + 4 * 8192);
    refuse(&plan, caches, 2, options_of(10000), TN_ERROR_DEPLOYMENT, "cannot unify the pages");
    tn_arena_free(&plan.arena);
}

/* Pages of windows: half of the others', so blocks of 32; two thirds, so padded, since 0.24. */
static void pages_are_made_equal(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache caches[] = {cache(TN_KV_SLIDING, 128, 256, 0, 2), cache(TN_KV_FULL, 0, 512, 2, 2)};
    expect(&plan, caches, 2, options_of(12000), kv_plan_gib(1));
    assert_int_equal(plan.kv.groups[0].block_tokens, 32);
    assert_int_equal(plan.kv.groups[1].block_tokens, 16);
    assert_int_equal(plan.kv.block_bytes[0], 2 * PAGE);
    /* 127 + 2,048 tokens in blocks of 32, one more where the window begins inside of one; 4,096 in blocks of 16 */
    assert_int_equal(plan.pool.request_blocks, 68 + 1 + 256);
    refuse(&plan, caches, 2, options_of(11000), TN_ERROR_DEPLOYMENT, "8192 bytes of a layer do not divide");
    caches[0].elements = 384;
    refuse(&plan, caches, 2, options_of(23000), TN_ERROR_DEPLOYMENT, "12288 bytes of a layer do not divide");
    expect(&plan, caches, 2, options_of(24000), kv_plan_gib(1));
    assert_int_equal(plan.kv.groups[0].block_tokens, 16);
    assert_int_equal(plan.kv.block_bytes[0], 2 * PAGE);
    tn_arena_free(&plan.arena);
}

/* A draft with windows beside latent vectors of 1,152 bytes, whose page no multiple of its own fills: since 0.27 it is planned as full
 * attention, and all are one group. */
static void windows_beside_latent_vectors_become_full(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache caches[] = {cache(TN_KV_LATENT, 0, 576, 0, 10), cache(TN_KV_SLIDING, 128, 1024, 10, 2)};
    refuse(&plan, caches, 2, options_of(26000), TN_ERROR_DEPLOYMENT, "18432 bytes of a layer do not divide");
    expect(&plan, caches, 2, options_of(27000), kv_plan_gib(1));
    assert_int_equal(plan.kv.table_count, 1);
    assert_int_equal(plan.kv.block_bytes[0], 10 * 18432 + 2 * 32768);
    assert_int_equal(plan.pool.request_blocks, 256);
    tn_arena_free(&plan.arena);
}

/* Without the hybrid manager all is full attention; states cannot be. Before 0.14 the check knew the windows nevertheless. */
static void without_the_hybrid_manager_windows_are_full(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache caches[] = {cache(TN_KV_SLIDING, 128, 512, 0, 5), cache(TN_KV_CHUNKED, 1024, 512, 5, 2),
                                   cache(TN_KV_FULL, 0, 512, 7, 1)};
    struct tn_vllm_kv_options options = options_of(28000);
    options.is_hybrid_disabled = true;
    expect(&plan, caches, 3, options, kv_plan_gib(1));
    assert_int_equal(plan.kv.table_count, 1);
    assert_int_equal(plan.kv.block_bytes[0], 8 * PAGE);
    assert_int_equal(plan.pool.request_blocks, 256);
    assert_int_equal(plan.pool.needed_bytes, UINT64_C(256) * 8 * PAGE);
    options.version = 13000;
    expect(&plan, caches, 3, options, kv_plan_gib(1));
    assert_int_equal(plan.pool.request_blocks, 256);
    assert_int_equal(plan.pool.needed_bytes, (5 * (136 + 1) + 2 * 192 + 256) * PAGE);
    options.version = 28000;
    struct tn_kv_cache hybrid[] = {state_of(100000, 0, 3), cache(TN_KV_FULL, 0, 512, 3, 1)};
    refuse(&plan, hybrid, 2, options, TN_ERROR_DEPLOYMENT, "without its hybrid KV cache manager");
    tn_arena_free(&plan.arena);
}

/* Windows alone stay windows, in one group. */
static void windows_alone_are_one_group(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache window = cache(TN_KV_SLIDING, 1024, 512, 0, 32);
    struct tn_vllm_kv_options options = options_of(28000);
    options.is_hybrid_disabled = true;
    options.max_model_len = 32768;
    expect(&plan, &window, 1, options, kv_plan_gib(1));
    assert_int_equal(plan.pool.request_blocks, (1023 + 2048 + 15) / 16 + 1);
    tn_arena_free(&plan.arena);
}

/* ---- blocks of a request ----------------------------------------------------------------------------------------------- */

/* Of chunks of 8,192 a request keeps one and what a step brings, of an encoder what it has, of a state one. */
static void each_kind_has_its_own_length(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache caches[] = {cache(TN_KV_CHUNKED, 8192, 512, 0, 3), cache(TN_KV_FULL, 0, 512, 3, 3)};
    struct tn_vllm_kv_options options = options_of(28000);
    options.max_model_len = 131072;
    expect(&plan, caches, 2, options, kv_plan_gib(1));
    assert_int_equal(plan.pool.request_blocks, (8192 + 2048) / 16 + 8192);
    caches[0] = cache(TN_KV_CROSS, 1500, 512, 0, 3);
    expect(&plan, caches, 2, options, kv_plan_gib(1));
    assert_int_equal(plan.pool.request_blocks, 94 + 8192);
    options.encoder_tokens = 3000;
    expect(&plan, caches, 2, options, kv_plan_gib(1));
    assert_int_equal(plan.pool.request_blocks, 188 + 8192);
    options.context_ranks = 4; /* each keeps a quarter of the tokens */
    expect(&plan, caches + 1, 1, options, kv_plan_gib(1));
    assert_int_equal(plan.pool.request_blocks, 2048);
    tn_arena_free(&plan.arena);
}

/* Windows hold the tokens of all steps in flight: since 0.26 those are two with asynchronous scheduling, as many as stages in a
 * pipeline. */
static void windows_hold_what_is_in_flight(void **state)
{
    (void)state;
    assert_int_equal(tn_vllm_batches_in_flight(25000, 4, true, false), 1);
    assert_int_equal(tn_vllm_batches_in_flight(26000, 1, true, false), 2);
    assert_int_equal(tn_vllm_batches_in_flight(26000, 1, false, false), 1);
    assert_int_equal(tn_vllm_batches_in_flight(26000, 4, true, false), 4);
    assert_int_equal(tn_vllm_batches_in_flight(29000, 0, true, true), 2);
    assert_int_equal(tn_vllm_batches_in_flight(29000, 4, true, true), 5);
    assert_int_equal(tn_vllm_batches_in_flight(29000, 4, false, true), 4);
    struct kv_plan plan = {0};
    struct tn_kv_cache window = cache(TN_KV_SLIDING, 1024, 512, 0, 32);
    struct tn_vllm_kv_options options = options_of(28000);
    options.max_model_len = 32768;
    options.batches_in_flight = 2;
    expect(&plan, &window, 1, options, kv_plan_gib(1));
    assert_int_equal(plan.pool.request_blocks, 320 + 1);
    tn_arena_free(&plan.arena);
}

/* Blocks of states that a request takes, with 3 speculative tokens, in blocks of 112 tokens. */
static void states_take_blocks_by_mode_and_version(void **state)
{
    (void)state;
    static const struct {
        enum tn_vllm_mamba_mode mode;
        uint64_t version;
        uint64_t blocks;
    } rows[] = {
        {TN_VLLM_MAMBA_NONE, 14000, 1}, {TN_VLLM_MAMBA_NONE, 15000, 4},    {TN_VLLM_MAMBA_ALIGN, 15000, 5},
        {TN_VLLM_MAMBA_ALL, 20000, 2},  {TN_VLLM_MAMBA_ALL, 21000, 2 + 3},
    };
    struct kv_plan plan = {0};
    struct tn_kv_cache caches[] = {state_of(100000, 0, 1), cache(TN_KV_FULL, 0, 512, 1, 1)};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_vllm_kv_options options = options_of(rows[k].version);
        options.speculative_tokens = 3;
        options.mamba_mode = rows[k].mode;
        expect(&plan, caches, 2, options, kv_plan_gib(1));
        uint64_t block = rows[k].mode == TN_VLLM_MAMBA_ALL ? 2048 : 112;
        assert_int_equal(plan.kv.block_tokens, block);
        assert_int_equal(plan.pool.request_blocks, rows[k].blocks + (4096 + block - 1) / block);
    }
    tn_arena_free(&plan.arena);
}

/* ---- the pool ----------------------------------------------------------------------------------------------------------- */

/* 61 layers on four stages: 16 + 15 + 15 + 15 of them. A block is as large as a stage has layers, the pool as many as the fewest. */
static void stages_have_the_same_number_of_blocks(void **state)
{
    (void)state;
    static const struct tn_vllm_kv_stage stages[] = {{0, 16}, {16, 15}, {31, 15}, {46, 15}};
    struct kv_plan plan = {0};
    struct tn_kv_cache full = cache(TN_KV_FULL, 0, 512, 0, 61);
    struct tn_vllm_kv_options options = options_of(19000);
    options.stages = stages;
    options.stage_count = 4;
    uint64_t available[] = {kv_plan_gib(16), kv_plan_gib(15.5), kv_plan_gib(14), kv_plan_gib(15.5)};
    expect(&plan, &full, 1, options, kv_plan_gib(16));
    assert_int_equal(plan.pool.blocks, 65536);
    assert_int_equal(plan.pool.stage, 0);
    tn_vllm_kv_size(&plan.kv, available, &plan.pool);
    assert_int_equal(plan.pool.blocks, kv_plan_gib(14) / (15 * PAGE));
    assert_int_equal(plan.pool.stage, 2);
    assert_int_equal(tn_vllm_kv_pool_bytes(&plan.kv, &plan.pool, 0), plan.pool.blocks * 16 * PAGE);
    assert_int_equal(plan.pool.tokens, plan.pool.blocks * 16);
    tn_arena_free(&plan.arena);
}

/* Groups are made over all stages: 24 layers, one in six without a window, 20 + 4, five groups of windows. On two stages of 12 each
 * group has two layers; on stages of 9 and 15 the largest has 2 and 3. Until 0.16 the check counted all stages' layers. */
static void groups_are_of_all_stages(void **state)
{
    (void)state;
    static const struct tn_vllm_kv_stage even[] = {{0, 12}, {12, 12}};
    static const struct tn_vllm_kv_stage uneven[] = {{0, 9}, {9, 15}};
    static const uint32_t windows[] = {0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22};
    static const uint32_t full[] = {5, 11, 17, 23};
    struct kv_plan plan = {0};
    struct tn_kv_cache caches[] = {cache(TN_KV_SLIDING, 128, 512, 0, 20), cache(TN_KV_FULL, 0, 512, 0, 4)};
    caches[0].layers = windows;
    caches[1].layers = full;
    struct tn_vllm_kv_options options = options_of(19000);
    options.stages = even;
    options.stage_count = 2;
    expect(&plan, caches, 2, options, kv_plan_gib(1));
    assert_int_equal(plan.kv.table_count, 6);
    assert_int_equal(plan.kv.block_bytes[0], 2 * PAGE);
    assert_int_equal(plan.kv.block_bytes[1], 2 * PAGE);
    options.stages = uneven;
    expect(&plan, caches, 2, options, kv_plan_gib(1));
    assert_int_equal(plan.kv.block_bytes[0], 2 * PAGE);
    assert_int_equal(plan.kv.block_bytes[1], 3 * PAGE);
    assert_int_equal(plan.kv.guard_bytes[1], 3 * PAGE);
    options.version = 16000;
    expect(&plan, caches, 2, options, kv_plan_gib(1));
    assert_int_equal(plan.kv.block_bytes[1], 3 * PAGE);
    assert_int_equal(plan.kv.guard_bytes[1], 4 * PAGE);
    tn_arena_free(&plan.arena);
}

/* A layer that drafts is on the last stage. */
static void a_draft_is_on_the_last_stage(void **state)
{
    (void)state;
    static const struct tn_vllm_kv_stage stages[] = {{0, 5}, {5, 5}};
    struct kv_plan plan = {0};
    struct tn_kv_cache own = cache(TN_KV_FULL, 0, 512, 0, 1);
    struct tn_kv_cache full = cache(TN_KV_FULL, 0, 512, 0, 10);
    struct tn_kv_layers draft = {&own, 1};
    struct tn_vllm_kv_options options = options_of(28000);
    options.stages = stages;
    options.stage_count = 2;
    options.draft = &draft;
    expect(&plan, &full, 1, options, kv_plan_gib(1));
    assert_int_equal(plan.kv.block_bytes[0], 5 * PAGE);
    assert_int_equal(plan.kv.block_bytes[1], 6 * PAGE);
    tn_arena_free(&plan.arena);
}

/* The log's tokens: until 0.20.0 blocks of each group times the smallest block, then concurrency times length; until 0.8 concurrency is
 * tokens over length. 1,000 blocks in 6 groups are 166 x 16 = 2,656 tokens; 5 groups of windows take 136 + 1 each, one without 256. */
static void tokens_are_reported_by_version(void **state)
{
    (void)state;
    static const struct {
        uint64_t version;
        uint64_t tokens;
        double max_concurrency;
    } rows[] = {
        {8000, 2656, 2656 / 4096.0},
        {9000, 2656, 1000 / 941.0},
        {20000, 2656, 1000 / 941.0},
        {20001, 4352, 1000 / 941.0}, /* 1,000 / 941 x 4,096 = 4,352.8 */
    };
    struct kv_plan plan = {0};
    struct tn_kv_cache caches[] = {cache(TN_KV_SLIDING, 128, 512, 0, 5), cache(TN_KV_FULL, 0, 512, 5, 1)};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        expect(&plan, caches, 2, options_of(rows[k].version), UINT64_C(1000) * PAGE);
        assert_int_equal(plan.pool.request_blocks, 5 * 137 + 256);
        assert_int_equal(plan.pool.tokens, rows[k].tokens);
        assert_true(plan.pool.max_concurrency == rows[k].max_concurrency);
    }
    tn_arena_free(&plan.arena);
}

/* What the check before the start takes for one request of 4,096 tokens, with 10 windows and 2 layers without, whose pages are twice as
 * large: it was by layer until 0.13, by the first group until 0.18, then by all groups. */
static void the_check_counts_layers_then_groups(void **state)
{
    (void)state;
    static const struct {
        uint64_t version;
        uint64_t needed_bytes;
    } rows[] = {
        {13000, UINT64_C(10) * 137 * PAGE / 2 + UINT64_C(2) * 256 * PAGE},
        {14000, UINT64_C(2) * 69 * PAGE},
        {18000, UINT64_C(2) * 69 * PAGE},
        {19000, UINT64_C(2) * (5 * 69 + 256) * PAGE},
        {28000, UINT64_C(2) * (5 * 69 + 256) * PAGE},
    };
    struct kv_plan plan = {0};
    struct tn_kv_cache caches[] = {cache(TN_KV_SLIDING, 128, 256, 0, 10), cache(TN_KV_FULL, 0, 512, 10, 2)};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        expect(&plan, caches, 2, options_of(rows[k].version), rows[k].needed_bytes);
        assert_int_equal(plan.pool.needed_bytes, rows[k].needed_bytes);
        assert_true(plan.pool.is_enough);
        expect(&plan, caches, 2, options_of(rows[k].version), rows[k].needed_bytes - 1);
        assert_false(plan.pool.is_enough);
        assert_true(plan.pool.suggested_tokens < 4096);
    }
    tn_arena_free(&plan.arena);
}

/* One block of the pool is never given out; since 0.29 the check knows. 32 layers, 256 blocks for 4,096 tokens. */
static void the_null_block_is_left_out_of_the_check(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache full = cache(TN_KV_FULL, 0, 512, 0, 32);
    const uint64_t block = UINT64_C(32) * PAGE;
    expect(&plan, &full, 1, options_of(28000), 256 * block);
    assert_true(plan.pool.is_enough);
    assert_int_equal(plan.pool.suggested_tokens, 0);
    expect(&plan, &full, 1, options_of(29000), 256 * block);
    assert_false(plan.pool.is_enough);
    assert_int_equal(plan.pool.blocks, 256);
    assert_int_equal(plan.pool.needed_bytes, 256 * block);
    assert_int_equal(plan.pool.checked_bytes, 255 * block);
    assert_int_equal(plan.pool.suggested_tokens, 255 * 16);
    expect(&plan, &full, 1, options_of(29000), 257 * block);
    assert_true(plan.pool.is_enough);
    tn_arena_free(&plan.arena);
}

/* With windows the longest request is more than the share of the memory: 5 windows keep 137 blocks each from 2,176 tokens on. 900 blocks
 * leave 215 for the others: 3,440 tokens. No block: not even one token. */
static void the_longest_request_is_suggested(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache caches[] = {cache(TN_KV_SLIDING, 128, 512, 0, 5), cache(TN_KV_FULL, 0, 512, 5, 1)};
    expect(&plan, caches, 2, options_of(28000), UINT64_C(900) * PAGE);
    assert_false(plan.pool.is_enough);
    assert_int_equal(plan.pool.suggested_tokens, 215 * 16);
    expect(&plan, caches, 2, options_of(28000), UINT64_C(10) * PAGE);
    assert_false(plan.pool.is_enough);
    assert_int_equal(plan.pool.suggested_tokens, 0);
    expect(&plan, caches, 2, options_of(28000), 0);
    assert_int_equal(plan.pool.blocks, 0);
    assert_false(plan.pool.is_enough);
    tn_arena_free(&plan.arena);
}

/* The longest request may be changed without a new plan. */
static void the_length_may_change_between_plan_and_pool(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache full = cache(TN_KV_FULL, 0, 512, 0, 1);
    uint64_t available = UINT64_C(256) * PAGE;
    expect(&plan, &full, 1, options_of(28000), available);
    assert_int_equal(plan.pool.request_blocks, 256);
    plan.kv.options.max_model_len = 1024;
    tn_vllm_kv_size(&plan.kv, &available, &plan.pool);
    assert_int_equal(plan.pool.request_blocks, 64);
    assert_true(plan.pool.max_concurrency == 4.0);
    assert_int_equal(tn_vllm_kv_request_blocks(&plan.kv, 17), 2);
    tn_arena_free(&plan.arena);
}

/* num_gpu_blocks_override: that many blocks in any case; the check believes it since 0.20.1. */
static void blocks_may_be_set_by_hand(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache full = cache(TN_KV_FULL, 0, 512, 0, 1);
    struct tn_vllm_kv_options options = options_of(20000);
    options.blocks_override = 300;
    expect(&plan, &full, 1, options, UINT64_C(100) * PAGE);
    assert_int_equal(plan.pool.blocks, 300);
    assert_int_equal(plan.pool.tokens, 4800);
    assert_false(plan.pool.is_enough);
    options.version = 20001;
    expect(&plan, &full, 1, options, UINT64_C(100) * PAGE);
    assert_true(plan.pool.is_enough);
    assert_int_equal(plan.pool.checked_bytes, UINT64_C(300) * PAGE);
    tn_arena_free(&plan.arena);
}

/* Before 0.8 everything is full attention in blocks of 16, and states lie elsewhere. */
static void the_first_engine_has_one_kind_of_block(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache caches[] = {cache(TN_KV_SLIDING, 128, 512, 0, 5), cache(TN_KV_LATENT, 0, 512, 5, 1),
                                   state_of(100000, 6, 3)};
    expect(&plan, caches, 3, options_of(7000), kv_plan_gib(1));
    assert_int_equal(plan.kv.block_tokens, 16);
    assert_int_equal(plan.kv.table_count, 1);
    assert_int_equal(plan.kv.block_bytes[0], 6 * PAGE);
    assert_int_equal(plan.pool.tokens, kv_plan_gib(1) / (6 * PAGE) * 16);
    tn_arena_free(&plan.arena);
}

/* States alone, one for each request; and no cache at all. */
static void models_may_have_states_alone_or_nothing(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache mamba = state_of(100000, 0, 64);
    expect(&plan, &mamba, 1, options_of(28000), kv_plan_gib(1));
    assert_int_equal(plan.pool.blocks, kv_plan_gib(1) / 6400000);
    assert_int_equal(plan.pool.request_blocks, 1);
    assert_int_equal(plan.pool.tokens, plan.pool.blocks * 4096);
    expect(&plan, NULL, 0, options_of(28000), kv_plan_gib(1));
    assert_int_equal(plan.pool.blocks, 1);
    assert_true(plan.pool.is_enough);
    assert_int_equal(tn_vllm_kv_pool_bytes(&plan.kv, &plan.pool, 0), 0);
    tn_arena_free(&plan.arena);
}

/* ---- every way to be wrong ---------------------------------------------------------------------------------------------- */

static void settings_that_no_engine_has_are_refused(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_kv_cache full = cache(TN_KV_FULL, 0, 512, 0, 1);
    struct tn_kv_cache window = cache(TN_KV_SLIDING, 128, 512, 0, 1);
    struct tn_vllm_kv_options options = options_of(28000);
    options.max_model_len = 0;
    refuse(&plan, &full, 1, options, TN_ERROR_DEPLOYMENT, "max_model_len is 0");
    assert_string_equal(plan.error.where, "max_model_len");
    options.max_model_len = UINT64_C(1) << 40;
    refuse(&plan, &full, 1, options, TN_ERROR_TOO_LARGE, "max_model_len is 1099511627776");
    options.max_model_len = 4096;
    options.block_tokens = UINT64_C(1) << 41;
    refuse(&plan, &full, 1, options, TN_ERROR_TOO_LARGE, "block_size");
    options.block_tokens = 0;
    options.context_ranks = 2;
    refuse(&plan, &window, 1, options, TN_ERROR_DEPLOYMENT, "no decode context parallelism for sliding windows");
    tn_arena_free(&plan.arena);
}

static void sizes_beyond_64_bits_are_refused(void **state)
{
    (void)state;
    struct kv_plan plan = {0};
    struct tn_vllm_kv_options options = options_of(28000);
    struct tn_kv_cache full = cache(TN_KV_FULL, 0, UINT64_C(1) << 60, 0, 1);
    refuse(&plan, &full, 1, options, TN_ERROR_TOO_LARGE, "exceeds 64 bits");
    full.elements = UINT64_C(1) << 54; /* a page fits, 64 layers of it do not */
    full.layer_count = 64;
    refuse(&plan, &full, 1, options, TN_ERROR_TOO_LARGE, "exceeds 64 bits");
    struct tn_kv_cache caches[] = {cache(TN_KV_SLIDING, 128, UINT64_C(1) << 54, 0, 32),
                                   cache(TN_KV_FULL, 0, UINT64_C(1) << 54, 32, 32)};
    refuse(&plan, caches, 2, options, TN_ERROR_TOO_LARGE, "exceeds 64 bits");
    struct tn_kv_cache hybrid[] = {state_of(UINT64_MAX, 0, 3), cache(TN_KV_FULL, 0, 512, 3, 1)};
    hybrid[0].parts[0].elements = UINT64_MAX / 2;
    refuse(&plan, hybrid, 2, options, TN_ERROR_TOO_LARGE, "exceeds 64 bits");
    hybrid[0].parts[0] = (struct tn_kv_state_part){UINT64_MAX / 8, 1, 2};
    options.speculative_tokens = 100;
    refuse(&plan, hybrid, 2, options, TN_ERROR_TOO_LARGE, "exceeds 64 bits");
    tn_arena_free(&plan.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_follow_the_cache_dtype),
        cmocka_unit_test(latent_vectors_may_have_scales),
        cmocka_unit_test(states_grow_by_rows),
        cmocka_unit_test(blocks_follow_the_attention_backend),
        cmocka_unit_test(blocks_beside_states_are_aligned),
        cmocka_unit_test(layers_are_dealt_to_groups_of_equal_length),
        cmocka_unit_test(full_attention_of_two_sizes_is_one_group),
        cmocka_unit_test(pages_are_made_equal),
        cmocka_unit_test(windows_beside_latent_vectors_become_full),
        cmocka_unit_test(without_the_hybrid_manager_windows_are_full),
        cmocka_unit_test(windows_alone_are_one_group),
        cmocka_unit_test(each_kind_has_its_own_length),
        cmocka_unit_test(windows_hold_what_is_in_flight),
        cmocka_unit_test(states_take_blocks_by_mode_and_version),
        cmocka_unit_test(stages_have_the_same_number_of_blocks),
        cmocka_unit_test(groups_are_of_all_stages),
        cmocka_unit_test(a_draft_is_on_the_last_stage),
        cmocka_unit_test(tokens_are_reported_by_version),
        cmocka_unit_test(the_check_counts_layers_then_groups),
        cmocka_unit_test(the_null_block_is_left_out_of_the_check),
        cmocka_unit_test(the_longest_request_is_suggested),
        cmocka_unit_test(the_length_may_change_between_plan_and_pool),
        cmocka_unit_test(blocks_may_be_set_by_hand),
        cmocka_unit_test(the_first_engine_has_one_kind_of_block),
        cmocka_unit_test(models_may_have_states_alone_or_nothing),
        cmocka_unit_test(settings_that_no_engine_has_are_refused),
        cmocka_unit_test(sizes_beyond_64_bits_are_refused),
    };
    return cmocka_run_group_tests(tests, fill_numbers, NULL);
}
