/* The pool of Text Generation Inference: blocks of the warm-up and of the pool, worked out by hand and read back from start-up logs. */
#include "engine/tgi_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t blocks_of(struct tn_tgi_budget budget, uint64_t free_bytes)
{
    uint64_t blocks;
    struct tn_error error;
    assert_true(tn_tgi_blocks(&budget, free_bytes, &blocks, &error));
    return blocks;
}

static uint64_t warm_up_of(struct tn_tgi_warm_up warm_up, uint64_t requests)
{
    uint64_t blocks;
    uint64_t count;
    struct tn_error error;
    assert_true(tn_tgi_warm_up_blocks(&warm_up, &count, &blocks, &error));
    assert_int_equal(count, requests);
    return blocks;
}

/* The launcher's defaults of 2.x, as its log prints them: 4095 input, 4096 in all, 4145 in a prefill. The second request has 50 tokens of
 * input and may have 4046 new ones: both have (4096 - 1) / 16 = 256 blocks. */
static void requests_of_the_warm_up_have_room_for_all_their_tokens(void **state)
{
    (void)state;
    struct tn_tgi_warm_up warm_up = {
        .prefill_tokens = 4145, .input_tokens = 4095, .total_tokens = 4096, .block_tokens = 16};
    assert_int_equal(warm_up_of(warm_up, 2), 512);
    warm_up.prefill_tokens = 4095;
    assert_int_equal(warm_up_of(warm_up, 1), 256);
    warm_up.speculated_tokens = 2; /* 4097 / 16 */
    assert_int_equal(warm_up_of(warm_up, 1), 257);
    warm_up.prefill_tokens = 40950;
    assert_int_equal(warm_up_of(warm_up, 10), 2570);
    warm_up.batch_limit = 4;
    assert_int_equal(warm_up_of(warm_up, 4), 1028);
    warm_up = (struct tn_tgi_warm_up){.prefill_tokens = 8000, .block_tokens = 1}; /* 3.x, nothing set */
    assert_int_equal(warm_up_of(warm_up, 1), 8000);
    warm_up.block_tokens = 256;
    assert_int_equal(warm_up_of(warm_up, 1), 32);
}

/* 24 GiB with 4 GiB free, blocks of 2 MiB: 2048 x 0.95 = 1945.6. Of 80 % of the GPU 4.8 GiB are not ours. */
static void older_versions_use_a_share_of_what_is_free(void **state)
{
    (void)state;
    const uint64_t gib = UINT64_C(1) << 30;
    struct tn_tgi_budget budget = {.total_bytes = 24 * gib,
                                   .memory_fraction = 1,
                                   .room = 0.95,
                                   .block_bytes = 2 << 20,
                                   .block_tokens = 16,
                                   .warm_up_blocks = 512};
    assert_int_equal(blocks_of(budget, 4 * gib), 1945 + 512);
    assert_int_equal(blocks_of(budget, 0), 512);
    budget.memory_fraction = 0.8;
    assert_int_equal(blocks_of(budget, 4 * gib), 512);
    assert_int_equal(blocks_of(budget, 6 * gib), 583 + 512); /* 1.2 GiB x 0.95 / 2 MiB = 583.68 */
}

/* 80 GiB, 90 % of which are used: with 20 GiB free 12 GiB are left. Blocks of one token of 128 KiB: 98304. */
static void newer_versions_leave_a_share_of_the_gpu_alone(void **state)
{
    (void)state;
    const uint64_t gib = UINT64_C(1) << 30;
    struct tn_tgi_budget budget = {.total_bytes = 80 * gib,
                                   .memory_fraction = 1,
                                   .room = 0.9,
                                   .room_is_of_total = true,
                                   .block_bytes = 131072,
                                   .block_tokens = 1,
                                   .warm_up_blocks = 4096};
    assert_int_equal(blocks_of(budget, 20 * gib), 98304 + 4096);
    assert_int_equal(blocks_of(budget, 7 * gib), 4096);
    budget.memory_fraction = 0.5; /* 45 % are used: 44 GiB are not ours */
    assert_int_equal(blocks_of(budget, 50 * gib), 6 * 8192 + 4096);
}

static void pools_beyond_64_bits_are_refused(void **state)
{
    (void)state;
    struct tn_tgi_budget budget = {
        .memory_fraction = 1, .room = 0.9, .block_bytes = 1, .block_tokens = 1, .warm_up_blocks = UINT64_MAX};
    struct tn_tgi_warm_up warm_up = {
        .prefill_tokens = UINT64_MAX, .input_tokens = 1, .total_tokens = UINT64_C(1) << 60, .block_tokens = 1};
    struct tn_error error;
    uint64_t blocks;
    uint64_t requests;
    assert_false(tn_tgi_blocks(&budget, 1 << 30, &blocks, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    assert_false(tn_tgi_warm_up_blocks(&warm_up, &requests, &blocks, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    warm_up.total_tokens = UINT64_MAX;
    warm_up.speculated_tokens = 1;
    assert_false(tn_tgi_warm_up_blocks(&warm_up, &requests, &blocks, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_the_warm_up_have_room_for_all_their_tokens),
        cmocka_unit_test(older_versions_use_a_share_of_what_is_free),
        cmocka_unit_test(newer_versions_leave_a_share_of_the_gpu_alone),
        cmocka_unit_test(pools_beyond_64_bits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
