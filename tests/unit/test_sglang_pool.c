/* SGLang's pools against its own start-up logs. The logged GB are GiB with two decimals. */
#include "engine/sglang_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const double GIB = 1073741824.0;

static struct tn_sglang_options options_of(uint64_t page_tokens, uint64_t context_tokens)
{
    return (struct tn_sglang_options){.page_tokens = page_tokens,
                                      .context_tokens = context_tokens,
                                      .window_ratio = 0.8,
                                      .state_ratio = 0.9,
                                      .slots_per_request = 3};
}

static struct tn_sglang_layout full(uint64_t token_bytes)
{
    return (struct tn_sglang_layout){.token_bytes = (double)token_bytes, .slot_bytes = token_bytes};
}

static uint64_t kv_bytes(const struct tn_sglang_layout *layout, const struct tn_sglang_options *options,
                         const struct tn_sglang_pool *pool)
{
    struct tn_sglang_bytes bytes;
    assert_true(tn_sglang_pool_bytes(layout, options, pool, &bytes, NULL));
    return bytes.kv_bytes;
}

/* Within half of the last of two decimals. */
static void assert_logged(uint64_t bytes, double gib)
{
    assert_true((double)bytes >= (gib - 0.005) * GIB && (double)bytes <= (gib + 0.005) * GIB);
}

/* The tokens that follow from the logged size of the pool: those of the log within what its rounding allows. */
static void assert_tokens_follow(const struct tn_sglang_layout *layout, const struct tn_sglang_options *options,
                                 double gib, double half_digit, uint64_t tokens)
{
    struct tn_sglang_pool least;
    struct tn_sglang_pool most;
    assert_true(tn_sglang_pool_of_bytes(layout, (uint64_t)((gib - half_digit) * GIB), options, &least, NULL));
    assert_true(tn_sglang_pool_of_bytes(layout, (uint64_t)((gib + half_digit) * GIB), options, &most, NULL));
    assert_in_range(tokens, least.tokens, most.tokens);
}

/* vllm-project/vllm#21348: Qwen3-235B-A22B-FP8 on 4 H100, "#tokens: 367404, K size: 8.23 GB, V size: 8.23 GB": 94 layers, one of four KV
 * heads of 128 on each rank. */
static void qwen3_235b_on_four_ranks(void **state)
{
    (void)state;
    struct tn_sglang_options options = options_of(1, 40960);
    struct tn_sglang_layout layout = full(UINT64_C(94) * 2 * 128 * 2);
    struct tn_sglang_pool pool = {.tokens = 367404};
    assert_logged(kv_bytes(&layout, &options, &pool) / 2, 8.23);
    assert_tokens_follow(&layout, &options, 16.46, 0.01, 367404);
}

/* kvcache-ai/ktransformers#1969: DeepSeek-V3.2 in bf16, 256,000 tokens in 18.68 GB: 61 layers of 576 elements in pages of 64, and index keys
 * of 128 fp8 with a scale of 4 bytes. */
static void deepseek_v32_keeps_index_keys_in_pages(void **state)
{
    (void)state;
    struct tn_sglang_options options = options_of(64, 163840);
    struct tn_sglang_layout layout = full(UINT64_C(61) * 576 * 2);
    struct tn_sglang_pool pool = {.tokens = 256000};
    layout.index_slot_bytes = UINT64_C(61) * 132;
    assert_int_equal(kv_bytes(&layout, &options, &pool), UINT64_C(20055956736));
    assert_logged(UINT64_C(20055956736), 18.68);
    assert_tokens_follow(&layout, &options, 18.68, 0.005, 256000);
}

/* sgl-project/sglang#11309: DeepSeek-V3.2-Exp, fp8 KV of 656 bytes, 8 B200 with attention in data parallel: 975,424 tokens in 43.67 GB. */
static void sparse_fp8_caches_take_656_and_132_bytes(void **state)
{
    (void)state;
    struct tn_sglang_options options = options_of(64, 163840);
    struct tn_sglang_layout layout = full(UINT64_C(61) * 656);
    layout.index_slot_bytes = UINT64_C(61) * 132;
    assert_tokens_follow(&layout, &options, 43.67, 0.005, 975424);
    assert_tokens_follow(&layout, &options, 65.49, 0.005, 1462784);
}

/* sgl-project/sglang#18263: Qwen3-30B-A3B on one MI355X: 230.20 GB free after loading, 287.18 before, mem_fraction_static 0.911, 51.75 GB kept for
 * a workspace: "#tokens: 1669816, K size: 76.44 GB". */
static void qwen3_30b_from_the_memory_that_is_left(void **state)
{
    (void)state;
    struct tn_sglang_options options = options_of(1, 262144);
    struct tn_sglang_layout layout = full(UINT64_C(48) * 4 * 2 * 128 * 2);
    struct tn_sglang_pool least;
    struct tn_sglang_pool most;
    double rest = 230.20 - 287.18 * (1 - 0.911) - 51.75;
    uint64_t rests[] = {(uint64_t)((rest - 0.02) * GIB), (uint64_t)((rest + 0.02) * GIB)}; /* four logged figures */
    assert_true(tn_sglang_pool(&layout, &rests[0], 1, &options, &least, NULL));
    assert_true(tn_sglang_pool(&layout, &rests[1], 1, &options, &most, NULL));
    assert_in_range(1669816, least.tokens, most.tokens);
    assert_tokens_follow(&layout, &options, 152.88, 0.01, 1669816);
    assert_in_range(3261, least.requests, most.requests); /* 1,669,816 / 262,144 * 512, as its workspace confirms */
    struct tn_sglang_pool logged = {.tokens = 1669816, .requests = 3261};
    struct tn_sglang_bytes bytes;
    options.scratch_bytes = UINT64_C(32) * 1024 * (128 + 2) * 4; /* 32 heads, 1,024 times 256 tokens */
    assert_true(tn_sglang_pool_bytes(&layout, &options, &logged, &bytes, NULL));
    assert_logged(bytes.scratch_bytes, 51.75);
}

/* A published log of granite-4.0-h-micro on 16 GB: 36 layers of 64 heads x 64 x 128 fp32 and 4,352 x 3 bf16; 4 attention layers of 8 KV heads of
 * 64. Before loading 15.24 GB, after it 9.26, fraction 0.771: "max_mamba_cache_size: 38, conv_state size: 0.03GB, ssm_state size: 2.74GB",
 * "#tokens: 399740, K size: 1.52 GB, V size: 1.52 GB". */
static void states_take_their_share_first(void **state)
{
    (void)state;
    struct tn_sglang_options options = options_of(1, 131072);
    struct tn_sglang_layout layout = full(UINT64_C(4) * 8 * 2 * 64 * 2);
    layout.state_bytes = layout.charged_state_bytes = UINT64_C(36) * (64 * 64 * 128 * 4 + 4352 * 3 * 2);
    double rest = 9.26 - 15.24 * (1 - 0.771);
    uint64_t rests[] = {(uint64_t)((rest - 0.016) * GIB), (uint64_t)((rest + 0.006) * GIB)};
    struct tn_sglang_pool least;
    struct tn_sglang_pool most;
    assert_true(tn_sglang_pool(&layout, &rests[0], 1, &options, &least, NULL));
    assert_true(tn_sglang_pool(&layout, &rests[1], 1, &options, &most, NULL));
    assert_int_equal(least.state_slots, 38);
    assert_int_equal(most.state_slots, 38);
    assert_in_range(399740, least.tokens, most.tokens);
    struct tn_sglang_pool pool = {.tokens = 399740, .state_slots = 38};
    struct tn_sglang_bytes bytes;
    assert_true(tn_sglang_pool_bytes(&layout, &options, &pool, &bytes, NULL));
    assert_logged(bytes.kv_bytes / 2, 1.52);
    assert_int_equal(bytes.state_bytes, 39 * layout.state_bytes);
    assert_int_equal(most.requests, 38 / 3);
}

/* 100 GiB, one MiB for a request's states, 1 KiB for a token, ratio 1. Before: 50 GiB are 51,200 slots, 51,199 with the one for nothing. With 4
 * draft tokens for 8 requests: jointly (51,200 - 5) / (1 + 4 / 4). */
static void newer_versions_count_the_slot_for_nothing_and_drafts(void **state)
{
    (void)state;
    struct tn_sglang_options options = options_of(1, 4096);
    struct tn_sglang_layout layout = full(1024);
    struct tn_sglang_pool pool;
    const uint64_t rest = UINT64_C(100) << 30;
    layout.state_bytes = layout.charged_state_bytes = UINT64_C(1) << 20;
    options.state_ratio = 1;
    assert_true(tn_sglang_pool(&layout, &rest, 1, &options, &pool, NULL));
    assert_int_equal(pool.state_slots, 51200);
    assert_int_equal(pool.tokens, UINT64_C(50) << 20);
    options.charges_padding = true;
    assert_true(tn_sglang_pool(&layout, &rest, 1, &options, &pool, NULL));
    assert_int_equal(pool.state_slots, 51199);
    assert_int_equal(pool.tokens, UINT64_C(50) << 20);
    options.draft_tokens = 4;
    options.request_limit = 8;
    options.slots_per_request = 4;
    assert_true(tn_sglang_pool(&layout, &rest, 1, &options, &pool, NULL));
    assert_int_equal(pool.state_slots, 25597);
    assert_int_equal(pool.tokens, (102400 - 25598 - 9 * 4) * UINT64_C(1024));
    assert_int_equal(pool.requests, 8);
    options.state_slots = 64; /* max_mamba_cache_size */
    assert_true(tn_sglang_pool(&layout, &rest, 1, &options, &pool, NULL));
    assert_int_equal(pool.tokens, (102400 - 65 - 9 * 4) * UINT64_C(1024));
}

/* sgl-project/sglang#18039: MiMo-V2-Flash on 4 ranks, pages of 64: windows of 300,288 tokens beside 375,360, whose 39 layers of two heads with keys of
 * 192 and values of 128 take 8.38 + 5.59 GB. And a published log of gemma-4-E4B-it: "swa size: 798276, full size: 997846" in 79.94 GB: all
 * 42 layers have caches, also those that read another's. */
static void windows_have_a_pool_of_their_own(void **state)
{
    (void)state;
    struct tn_sglang_options options = options_of(64, 262144);
    struct tn_sglang_layout mimo = {.window_slot_bytes = UINT64_C(39) * 2 * (192 + 128) * 2};
    struct tn_sglang_pool pool = {.window_tokens = 300288};
    assert_logged(kv_bytes(&mimo, &options, &pool), 13.965);
    options = options_of(1, 131072);
    struct tn_sglang_layout gemma = full(UINT64_C(7) * 2 * 2 * 512 * 2);
    gemma.window_slot_bytes = UINT64_C(35) * 2 * 2 * 256 * 2;
    gemma.window_bytes = (double)gemma.window_slot_bytes;
    const uint64_t rest = UINT64_C(997846) * (7 * 4096 + 35 * 2048 * 8 / 10) + 1000;
    assert_true(tn_sglang_pool(&gemma, &rest, 1, &options, &pool, NULL));
    assert_int_equal(pool.tokens, 997846);
    assert_int_equal(pool.window_tokens, 798276);
    assert_logged(kv_bytes(&gemma, &options, &pool), 79.94);
    assert_tokens_follow(&gemma, &options, 79.94, 0.005, 997846);
}

static void layers_with_windows_alone_need_no_ratio(void **state)
{
    (void)state;
    struct tn_sglang_options options = options_of(16, 8192);
    struct tn_sglang_layout layout = {.window_bytes = 1000, .window_slot_bytes = 1000};
    struct tn_sglang_pool pool;
    const uint64_t rest = 1000000;
    assert_true(tn_sglang_pool(&layout, &rest, 1, &options, &pool, NULL));
    assert_int_equal(pool.tokens, 992);
    assert_int_equal(pool.window_tokens, 992);
}

/* A published log of DeepSeek-V4-Flash, version of May 2026: "bytes_per_full_token=15955.85, available_bytes=19.58 GB, full_token=1317632". 44 layers
 * with windows (the draft's counts), 21 with one row of 584 bytes and one index row of 132 for 4 tokens, 20 with one for 128; rings of
 * states for the window pool: 8 rows of 8,192 and of 2,048 bytes, and 128 of 4,096, in pages of 128 tokens. Ratio 0.1. */
static void deepseek_v4_counts_a_fraction_of_a_row_for_each_token(void **state)
{
    (void)state;
    struct tn_sglang_options options = options_of(256, 1048576);
    struct tn_sglang_layout layout = {
        .compressed_bytes = 584.0 / 4 * 21 + 584.0 / 128 * 20 + 132.0 / 4 * 21,
        .window_bytes = 584.0 * 44 + 8.0 / 128 * (8192 + 2048) * 21 + 4096.0 * 20,
    };
    double per_token;
    struct tn_sglang_pool least;
    struct tn_sglang_pool most;
    uint64_t rests[] = {(uint64_t)(19.575 * GIB), (uint64_t)(19.585 * GIB)};
    options.window_ratio = 0.1;
    per_token = layout.compressed_bytes + 0.1 * layout.window_bytes;
    assert_true(per_token > 15955.845 && per_token < 15955.855);
    assert_true(tn_sglang_pool(&layout, &rests[0], 1, &options, &least, NULL));
    assert_true(tn_sglang_pool(&layout, &rests[1], 1, &options, &most, NULL));
    assert_in_range(1317632, least.tokens, most.tokens);
    assert_int_equal(1317632 % 256, 0);
    layout.ring_row_bytes = UINT64_C(20) * 4096; /* newer: rings by requests, of 128 rows each */
    options.ring_rows = 128;
    options.request_limit = 64;
    uint64_t before = least.tokens;
    assert_true(tn_sglang_pool(&layout, &rests[0], 1, &options, &least, NULL));
    /* 66 x 128 + 1 rows in steps of 128 are 8,576 of 81,920 bytes: 702,545,920 bytes, 44,030 tokens */
    assert_in_range(before - least.tokens, 44030 - 256, 44030 + 256);
}

static void the_smallest_stage_and_the_limit_decide(void **state)
{
    (void)state;
    struct tn_sglang_options options = options_of(16, 4096);
    struct tn_sglang_layout layouts[] = {full(1000), full(1200), full(0)};
    const uint64_t rests[] = {100000000, 100000000, 5};
    struct tn_sglang_pool pool;
    assert_true(tn_sglang_pool(layouts, rests, 3, &options, &pool, NULL));
    assert_int_equal(pool.tokens, 83328); /* 83,333 in pages */
    options.token_limit = 50007;
    assert_true(tn_sglang_pool(layouts, rests, 3, &options, &pool, NULL));
    assert_int_equal(pool.tokens, 50000);
    options.token_limit = 90000;
    assert_true(tn_sglang_pool(layouts, rests, 3, &options, &pool, NULL));
    assert_int_equal(pool.tokens, 83328);
    const uint64_t nothing[] = {100000000, 15000, 5};
    assert_true(tn_sglang_pool(layouts, nothing, 3, &options, &pool, NULL));
    assert_int_equal(pool.tokens, 0);
}

/* 2,048 requests at the least, 4,096 at most, never more than half of the tokens; the map has 4 columns beyond the context. */
static void requests_and_their_map(void **state)
{
    (void)state;
    static const struct {
        uint64_t tokens;
        uint64_t limit;
        uint64_t requests;
    } cases[] = {{1000000, 0, 2048}, {200000000, 0, 4096}, {20000000, 0, 2500}, {1000, 0, 500}, {1000000, 48, 48}};
    struct tn_sglang_layout layout = full(1);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_sglang_options options = options_of(1, 4096000);
        struct tn_sglang_pool pool;
        struct tn_sglang_bytes bytes;
        options.request_limit = cases[k].limit;
        options.draft_tokens = 3;
        assert_true(tn_sglang_pool(&layout, &cases[k].tokens, 1, &options, &pool, NULL));
        assert_int_equal(pool.requests, cases[k].requests);
        assert_true(tn_sglang_pool_bytes(&layout, &options, &pool, &bytes, NULL));
        assert_int_equal(bytes.map_bytes, cases[k].requests * 4096007 * 4);
    }
}

static void what_holds_so_many_requests_holds_so_many(void **state)
{
    (void)state;
    struct tn_sglang_options options = options_of(64, 1000);
    struct tn_sglang_layout layout = full(512);
    struct tn_sglang_pool pool;
    options.window_tokens = 128;
    layout.window_bytes = 100;
    layout.window_slot_bytes = 100;
    layout.state_bytes = layout.charged_state_bytes = 7;
    assert_true(tn_sglang_pool_for(&layout, &options, 5, &pool, NULL));
    assert_int_equal(pool.tokens, 5 * 1024);
    assert_int_equal(pool.window_tokens, 4096);
    assert_int_equal(pool.state_slots, 15);
    assert_true(tn_sglang_concurrency(&options, &pool) == 5);
    pool.window_tokens = 256;
    assert_true(tn_sglang_concurrency(&options, &pool) == 2);
    pool.state_slots = 3;
    assert_true(tn_sglang_concurrency(&options, &pool) == 1);
}

static void what_exceeds_64_bits_is_an_error(void **state)
{
    (void)state;
    struct tn_sglang_options options = options_of(1, 1);
    struct tn_sglang_layout layout = full(UINT64_C(1) << 40);
    struct tn_sglang_pool pool = {.tokens = UINT64_C(1) << 40};
    struct tn_sglang_bytes bytes;
    struct tn_error error;
    assert_false(tn_sglang_pool_bytes(&layout, &options, &pool, &bytes, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    options.context_tokens = UINT64_MAX;
    assert_false(tn_sglang_pool_for(&layout, &options, 5, &pool, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qwen3_235b_on_four_ranks),
        cmocka_unit_test(deepseek_v32_keeps_index_keys_in_pages),
        cmocka_unit_test(sparse_fp8_caches_take_656_and_132_bytes),
        cmocka_unit_test(qwen3_30b_from_the_memory_that_is_left),
        cmocka_unit_test(states_take_their_share_first),
        cmocka_unit_test(newer_versions_count_the_slot_for_nothing_and_drafts),
        cmocka_unit_test(windows_have_a_pool_of_their_own),
        cmocka_unit_test(layers_with_windows_alone_need_no_ratio),
        cmocka_unit_test(deepseek_v4_counts_a_fraction_of_a_row_for_each_token),
        cmocka_unit_test(the_smallest_stage_and_the_limit_decide),
        cmocka_unit_test(requests_and_their_map),
        cmocka_unit_test(what_holds_so_many_requests_holds_so_many),
        cmocka_unit_test(what_exceeds_64_bits_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
