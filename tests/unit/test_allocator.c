/* The replay of PyTorch's caching allocator, step by step by its rules. */
#include "engine/weights/allocator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MIB ((uint64_t)1 << 20)

struct memory {
    struct tn_arena arena;
    struct tn_allocator allocator;
};

static int open_memory(void **state)
{
    static struct memory memory;
    memory = (struct memory){0};
    memory.allocator.arena = &memory.arena;
    *state = &memory;
    return 0;
}

static int close_memory(void **state)
{
    struct memory *memory = *state;
    tn_arena_free(&memory->arena);
    return 0;
}

static uint32_t allocate(struct tn_allocator *allocator, uint64_t size_bytes)
{
    uint32_t block = tn_allocate(allocator, size_bytes);
    assert_int_not_equal(block, TN_BLOCK_NONE);
    return block;
}

static void check(const struct tn_allocator *allocator, uint64_t allocated_bytes, uint64_t reserved_bytes)
{
    assert_int_equal(allocator->allocated_bytes, allocated_bytes);
    assert_int_equal(allocator->reserved_bytes, reserved_bytes);
}

static void sizes_go_in_steps_of_512(void **state)
{
    struct tn_allocator *allocator = &((struct memory *)*state)->allocator;
    allocate(allocator, 4);
    check(allocator, 512, 2 * MIB);
    allocate(allocator, 513);
    check(allocator, 1536, 2 * MIB);
}

/* Up to 1 MiB in segments of 2 MiB, which are split to the last 512 bytes. */
static void small_tensors_share_segments_of_2_mib(void **state)
{
    struct tn_allocator *allocator = &((struct memory *)*state)->allocator;
    allocate(allocator, MIB);
    allocate(allocator, MIB);
    check(allocator, 2 * MIB, 2 * MIB);
    allocate(allocator, 512);
    check(allocator, 2 * MIB + 512, 4 * MIB);
}

/* Between 1 and 10 MiB in segments of 20 MiB: three of 6 MiB leave 2 MiB, which take one of 1.5 with the half MiB that is not worth a
 * block. */
static void tensors_below_10_mib_share_segments_of_20_mib(void **state)
{
    struct tn_allocator *allocator = &((struct memory *)*state)->allocator;
    for (int k = 0; k < 3; k++) {
        allocate(allocator, 6 * MIB);
    }
    check(allocator, 18 * MIB, 20 * MIB);
    allocate(allocator, MIB + MIB / 2);
    check(allocator, 20 * MIB, 20 * MIB);
    allocate(allocator, 6 * MIB);
    check(allocator, 26 * MIB, 40 * MIB);
}

/* From 10 MiB on a segment of their own in steps of 2 MiB. What is left is split off where it is more than 1 MiB, not where it is 1 MiB. */
static void what_is_left_counts_with_the_tensor_up_to_1_mib(void **state)
{
    struct tn_allocator *allocator = &((struct memory *)*state)->allocator;
    allocate(allocator, 11 * MIB); /* of 12: 1 MiB is left */
    check(allocator, 12 * MIB, 12 * MIB);
    allocate(allocator, 11 * MIB - 512); /* of 12: 1 MiB and 512 bytes are */
    check(allocator, 23 * MIB - 512, 24 * MIB);
    allocate(allocator, MIB + 512); /* takes what was split off */
    check(allocator, 24 * MIB, 24 * MIB);
}

static void the_smallest_free_block_that_suffices_is_taken(void **state)
{
    struct tn_allocator *allocator = &((struct memory *)*state)->allocator;
    uint32_t large = allocate(allocator, 40 * MIB);
    uint32_t fitting = allocate(allocator, 24 * MIB);
    assert_true(tn_release(allocator, large));
    assert_true(tn_release(allocator, fitting));
    check(allocator, 0, 64 * MIB);
    assert_int_equal(allocate(allocator, 22 * MIB), fitting);
    check(allocator, 22 * MIB, 64 * MIB);
}

/* Three blocks of one segment are one again when all are free, in whatever order; so a tensor of the segment's size fits. */
static void free_neighbours_become_one_block(void **state)
{
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct tn_allocator *allocator = &((struct memory *)*state)->allocator;
    for (size_t o = 0; o < sizeof orders / sizeof orders[0]; o++) {
        uint32_t blocks[3] = {allocate(allocator, 6 * MIB), allocate(allocator, 6 * MIB), allocate(allocator, 8 * MIB)};
        check(allocator, 20 * MIB, 20 * MIB);
        for (int k = 0; k < 3; k++) {
            assert_true(tn_release(allocator, blocks[orders[o][k]]));
        }
        check(allocator, 0, 20 * MIB);
    }
    allocate(allocator, 20 * MIB);
    check(allocator, 20 * MIB, 20 * MIB);
}

static void the_peak_is_remembered(void **state)
{
    struct tn_allocator *allocator = &((struct memory *)*state)->allocator;
    uint32_t block = allocate(allocator, 100 * MIB);
    assert_true(tn_release(allocator, block));
    allocate(allocator, 10 * MIB);
    assert_int_equal(allocator->allocated_bytes, 10 * MIB);
    assert_int_equal(allocator->peak_bytes, 100 * MIB);
}

/* Of two segments only the one that is free as a whole goes back. */
static void trimming_returns_segments_that_are_free_as_a_whole(void **state)
{
    struct tn_allocator *allocator = &((struct memory *)*state)->allocator;
    uint32_t whole = allocate(allocator, 32 * MIB);
    uint32_t part = allocate(allocator, 6 * MIB);
    allocate(allocator, 6 * MIB);
    assert_true(tn_release(allocator, whole));
    assert_true(tn_release(allocator, part));
    check(allocator, 6 * MIB, 52 * MIB);
    tn_allocator_trim(allocator);
    check(allocator, 6 * MIB, 20 * MIB);
}

static void expandable_segments_leave_nothing_over(void **state)
{
    struct tn_allocator *allocator = &((struct memory *)*state)->allocator;
    allocator->is_expandable = true;
    allocate(allocator, 11 * MIB);
    allocate(allocator, 12 * MIB + 100);
    assert_int_equal(allocator->allocated_bytes, 23 * MIB + 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sizes_go_in_steps_of_512, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(small_tensors_share_segments_of_2_mib, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(tensors_below_10_mib_share_segments_of_20_mib, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(what_is_left_counts_with_the_tensor_up_to_1_mib, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(the_smallest_free_block_that_suffices_is_taken, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(free_neighbours_become_one_block, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(the_peak_is_remembered, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(trimming_returns_segments_that_are_free_as_a_whole, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(expandable_segments_leave_nothing_over, open_memory, close_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
