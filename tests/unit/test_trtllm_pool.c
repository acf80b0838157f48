/* TensorRT-LLM's KV pool against its own start-up logs and by hand. */
#include "engine/trtllm_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const double GIB = 1073741824.0;

static struct tn_trtllm_options options_of(uint64_t max_seq_len)
{
    return (struct tn_trtllm_options){
        .tokens_per_block = 32, .max_seq_len = max_seq_len, .max_batch_size = 2048, .pipeline = 1};
}

static struct tn_trtllm_layout full(uint64_t token_bytes, uint64_t max_seq_len)
{
    struct tn_trtllm_layout layout = {.window_count = 1};
    layout.windows[0] = (struct tn_trtllm_window){max_seq_len, token_bytes};
    return layout;
}

/* NVIDIA/TensorRT-LLM#5306: Qwen2.5-7B, 28 layers of 4 KV heads of 128 in 16 bits: 301,472 tokens of 57,344 bytes are 16.10 GiB. */
static void qwen25_7b(void **state)
{
    (void)state;
    struct tn_trtllm_options options = options_of(32768);
    struct tn_trtllm_layout layout = full(UINT64_C(28) * 2 * 4 * 128 * 2, 32768);
    struct tn_trtllm_pool pool;
    const uint64_t budget = UINT64_C(301441) * 57344; /* one token of the last block is enough for it */
    assert_true(tn_trtllm_pool(&layout, &budget, 1, &options, &pool, NULL));
    assert_int_equal(pool.tokens, 301472);
    assert_int_equal(pool.blocks, 9421);
    assert_int_equal(pool.bytes, UINT64_C(301472) * 57344);
    assert_true((double)pool.bytes > 16.095 * GIB && (double)pool.bytes < 16.105 * GIB);
    assert_int_equal(pool.longest_tokens, 32768);
    assert_true(pool.concurrency == 9421.0 / 1024);
}

/* NVIDIA/TensorRT-LLM#4275: Llama-3.1-8B in fp8 on an RTX 5090: "available 17.83 GiB", 0.9 of it: 16.05 GiB, 263,008 tokens, 8,219 blocks of 32. */
static void llama_31_8b_in_fp8(void **state)
{
    (void)state;
    struct tn_trtllm_options options = options_of(2048);
    struct tn_trtllm_layout layout = full(UINT64_C(32) * 2 * 8 * 128, 2048);
    struct tn_trtllm_pool least;
    struct tn_trtllm_pool most;
    const uint64_t budgets[] = {(uint64_t)(0.9 * 17.825 * GIB), (uint64_t)(0.9 * 17.835 * GIB)};
    assert_true(tn_trtllm_pool(&layout, &budgets[0], 1, &options, &least, NULL));
    assert_true(tn_trtllm_pool(&layout, &budgets[1], 1, &options, &most, NULL));
    assert_in_range(263008, least.tokens, most.tokens);
    assert_in_range(8219, least.blocks, most.blocks);
    assert_int_equal(263008 / 32, 8219);
    options.max_tokens = 100000;
    assert_true(tn_trtllm_pool(&layout, &budgets[0], 1, &options, &least, NULL));
    assert_int_equal(least.tokens, 100000);
}

/* 10 requests x 2 stages x 1,000 bytes are fixed; 100 bytes a token and 1,000 / 250 more for the states that are kept. (50,000 - 20,000) / 104 = 288
 * tokens, 9 blocks: 288 x 104 + 20,000 bytes. */
static void states_are_a_fixed_cost(void **state)
{
    (void)state;
    struct tn_trtllm_options options = options_of(64);
    struct tn_trtllm_layout layouts[] = {full(100, 64), full(90, 64)};
    struct tn_trtllm_pool pool;
    const uint64_t budgets[] = {50000, 50000};
    layouts[0].state_bytes = 1000;
    options.max_batch_size = 10;
    options.pipeline = 2;
    options.snapshot_tokens = 250;
    assert_true(tn_trtllm_pool(layouts, budgets, 2, &options, &pool, NULL));
    assert_int_equal(pool.tokens, 288);
    assert_int_equal(pool.bytes, 288 * 104 + 20000);
    options.max_batch_size = 30; /* states alone take more than the budget */
    assert_true(tn_trtllm_pool(layouts, budgets, 2, &options, &pool, NULL));
    assert_int_equal(pool.tokens, 0);
    assert_int_equal(pool.longest_tokens, 0);
}

/* 1,000,000 bytes, two sizes of windows: 500,000 each; 100 bytes a token in windows of 64, 200 in the long ones: 156 blocks and 78. */
static void windows_have_equal_shares(void **state)
{
    (void)state;
    struct tn_trtllm_options options = options_of(1024);
    struct tn_trtllm_layout layout = {.windows = {{64, 100}, {1024, 200}}, .window_count = 2};
    struct tn_trtllm_pool pool;
    const uint64_t budget = 1000000;
    options.max_tokens = 5; /* not taken with windows */
    assert_true(tn_trtllm_pool(&layout, &budget, 1, &options, &pool, NULL));
    assert_int_equal(pool.blocks, 78);
    assert_int_equal(pool.tokens, 2496);
    assert_int_equal(pool.bytes, 156 * 32 * 100 + 78 * 32 * 200);
    assert_true(pool.concurrency == 78.0 / 32);
    uint64_t needed;
    assert_true(tn_trtllm_needed(&layout, &options, 2, &needed, NULL));
    assert_int_equal(needed, 2 * 2 * 1024 * 200); /* the long ones decide, twice as the shares are equal */
    const uint64_t small = 300000;                /* 150,000 bytes are 23 blocks of the long ones */
    assert_true(tn_trtllm_pool(&layout, &small, 1, &options, &pool, NULL));
    assert_int_equal(pool.longest_tokens, 23 * 32);
}

static void what_exceeds_64_bits_is_an_error(void **state)
{
    (void)state;
    struct tn_trtllm_options options = options_of(UINT64_C(1) << 40);
    struct tn_trtllm_layout layout = full(UINT64_C(1) << 30, UINT64_C(1) << 40);
    uint64_t bytes;
    struct tn_error error;
    struct tn_trtllm_pool pool;
    assert_false(tn_trtllm_needed(&layout, &options, 1, &bytes, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    layout.state_bytes = UINT64_MAX;
    assert_false(tn_trtllm_pool(&layout, &(uint64_t){1}, 1, &options, &pool, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qwen25_7b),
        cmocka_unit_test(llama_31_8b_in_fp8),
        cmocka_unit_test(states_are_a_fixed_cost),
        cmocka_unit_test(windows_have_equal_shares),
        cmocka_unit_test(what_exceeds_64_bits_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
