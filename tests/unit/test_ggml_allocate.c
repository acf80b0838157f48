/* The replay of ggml's allocator, by hand. Sizes are units of 32 bytes, what the host's buffers are aligned to: "F32 8" is one. */
#include "ggml_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int open_cpu(void **state)
{
    static struct ggml_graph test;
    ggml_open(&test, 0);
    *state = &test;
    return 0;
}

static int open_gpu(void **state)
{
    static struct ggml_graph test;
    ggml_open(&test, 1);
    *state = &test;
    return 0;
}

static int close_graph(void **state)
{
    ggml_close(*state);
    return 0;
}

static void expect_at(const struct tn_ggml_tensor *tensor, uint64_t units)
{
    assert_int_equal(tensor->offset, units * UNIT);
}

static void expect_bytes(const struct ggml_graph *test, uint64_t units)
{
    assert_int_equal(test->bytes[0], units * UNIT);
}

/* ---- holes -------------------------------------------------------------------------------------------------------- */

/* a 0-3, b 3-4, c 4-6, d 6-7. The first node lies at 7 and is the last to read a and c: holes of 3 at 0 and of 2 at 4. The second one needs 2. */
static void the_smallest_hole_that_suffices_is_taken(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 24");
    struct tn_ggml_tensor *b = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *c = ggml_input(test, "F32 16");
    struct tn_ggml_tensor *d = ggml_input(test, "F32 8");
    ggml_expand(test, a);
    ggml_expand(test, b);
    struct tn_ggml_tensor *first = ggml_add_any(test, "F32 8", a, c, NULL);
    ggml_expand(test, d);
    struct tn_ggml_tensor *second = ggml_add_any(test, "F32 16", first, b, d);
    ggml_allocate(test);
    expect_at(first, 7);
    expect_at(second, 4);
    expect_bytes(test, 8);
}

/* a 0-2, b 2-3, c 3-5, d 5-6, the first node at 6: two holes of 2, at 0 and 3. */
static void of_equal_holes_the_later_is_taken(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 16");
    struct tn_ggml_tensor *b = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *c = ggml_input(test, "F32 16");
    struct tn_ggml_tensor *d = ggml_input(test, "F32 8");
    ggml_expand(test, a);
    ggml_expand(test, b);
    struct tn_ggml_tensor *first = ggml_add_any(test, "F32 8", a, c, NULL);
    ggml_expand(test, d);
    struct tn_ggml_tensor *second = ggml_add_any(test, "F32 16", first, b, d);
    ggml_allocate(test);
    expect_at(first, 6);
    expect_at(second, 3);
}

/* a 0-3, b 3-4, the first node at 4. What needs 4 does not fit in the hole of 3: it goes to the open end, behind the first node. */
static void what_fits_in_no_hole_goes_to_the_end(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 24");
    struct tn_ggml_tensor *b = ggml_input(test, "F32 8");
    ggml_expand(test, a);
    struct tn_ggml_tensor *first = ggml_add_any(test, "F32 8", a, NULL, NULL);
    struct tn_ggml_tensor *second = ggml_add_any(test, "F32 32", first, b, NULL);
    ggml_allocate(test);
    expect_at(second, 5);
    expect_bytes(test, 9);
}

/* A hole is filled from its beginning: of the 3 at 0 the second node takes 1, the third the 2 that are left. */
static void a_hole_is_filled_from_its_beginning(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 24");
    struct tn_ggml_tensor *b = ggml_input(test, "F32 8");
    ggml_expand(test, a);
    ggml_expand(test, b);
    struct tn_ggml_tensor *first = ggml_add_any(test, "F32 8", a, NULL, NULL);
    struct tn_ggml_tensor *second = ggml_add_any(test, "F32 8", first, b, NULL);
    struct tn_ggml_tensor *third = ggml_add_any(test, "F32 16", first, second, b);
    ggml_allocate(test);
    expect_at(second, 0);
    expect_at(third, 1);
    expect_bytes(test, 5);
}

/* a, b, c, d of one unit each at 0 to 3, e at 4. The first node (at 5) frees a and c; the second (at 6) frees b, which closes the gap between
 * them: a hole of 3 at 0, for the third. */
static void free_neighbours_become_one_hole(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *inputs[5];
    for (int k = 0; k < 5; k++) {
        inputs[k] = ggml_input(test, "F32 8");
        ggml_expand(test, inputs[k]);
    }
    struct tn_ggml_tensor *first = ggml_add_any(test, "F32 8", inputs[0], inputs[2], NULL);
    struct tn_ggml_tensor *second = ggml_add_any(test, "F32 32", inputs[1], first, NULL);
    struct tn_ggml_tensor *third = ggml_add_any(test, "F32 24", inputs[3], inputs[4], second);
    ggml_allocate(test);
    expect_at(first, 5);
    expect_at(second, 6);
    expect_at(third, 0);
    expect_bytes(test, 10);
}

/* The first node lies at 1 and is freed before the third is placed: the open end begins at 1 again, so that 3 units end at 4. */
static void what_lies_before_the_end_becomes_part_of_it(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *first = ggml_add_any(test, "F32 16", a, NULL, NULL);
    struct tn_ggml_tensor *second = ggml_add_any(test, "F32 8", first, NULL, NULL);
    struct tn_ggml_tensor *third = ggml_add_any(test, "F32 24", second, NULL, NULL);
    ggml_allocate(test);
    expect_at(first, 1);
    expect_at(second, 0); /* where a was */
    expect_at(third, 1);
    expect_bytes(test, 4);
}

/* Sizes are rounded up to 32 bytes: 9 elements are 36, hence 2 units. */
static void sizes_are_rounded_up(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 9");
    ggml_add_any(test, "F32 1", a, NULL, NULL);
    ggml_allocate(test);
    expect_bytes(test, 3);
}

/* ---- inputs and outputs ------------------------------------------------------------------------------------------- */

/* The input that only the last node reads lies before all results; a tensor without data of its own, as well. */
static void inputs_are_placed_first(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *late = ggml_input(test, "F32 16");
    struct tn_ggml_tensor *leaf = ggml_leaf(test, "F32 8");
    struct tn_ggml_tensor *first = ggml_add_any(test, "F32 8", a, NULL, NULL);
    struct tn_ggml_tensor *last = ggml_add_any(test, "F32 8", first, late, leaf);
    ggml_allocate(test);
    expect_at(a, 0);
    expect_at(late, 1);
    expect_at(leaf, 3);
    expect_at(first, 4);
    expect_at(last, 0);
    expect_bytes(test, 5);
}

/* An input in the middle of the graph has its place before any node runs; nobody frees what nobody reads. */
static void an_input_that_is_a_node_is_placed_first(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *first = ggml_add_any(test, "F32 8", a, NULL, NULL);
    struct tn_ggml_tensor *second = ggml_add_any(test, "F32 8", first, NULL, NULL);
    second->flags |= TN_GGML_INPUT;
    ggml_allocate(test);
    expect_at(second, 1);
    expect_at(first, 2);
    expect_bytes(test, 3);
}

/* The first node (at 1) is an output: the third finds the hole of a alone, which the second has taken, and what the second leaves. */
static void outputs_are_never_freed(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *first = ggml_add_any(test, "F32 8", a, NULL, NULL);
    first->flags |= TN_GGML_OUTPUT;
    struct tn_ggml_tensor *second = ggml_add_any(test, "F32 8", first, NULL, NULL);
    struct tn_ggml_tensor *third = ggml_add_any(test, "F32 8", second, NULL, NULL);
    ggml_allocate(test);
    expect_at(second, 0);
    expect_at(third, 2);
    expect_bytes(test, 3);
}

/* Weights and caches have buffers of their own, and views no bytes. */
static void what_lies_elsewhere_takes_nothing(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *weight = ggml_weight(test, "F32 8 8", TN_GGML_HOST);
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8 8");
    struct tn_ggml_tensor *view = ggml_make_numbers(test, "reshape", a, "64");
    struct tn_ggml_tensor *product = ggml_add(test, "mul_mat", weight, a, NULL);
    struct tn_ggml_tensor *last = ggml_add_any(test, "F32 8", view, product, NULL);
    ggml_allocate(test);
    expect_at(product, 8);
    expect_at(last, 16);
    expect_bytes(test, 17);
}

/* Of a size of 0: it takes nothing and leaves nothing. */
static void tensors_without_elements_take_nothing(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *none = ggml_input(test, "F32 8 0");
    struct tn_ggml_tensor *first = ggml_add_any(test, "F32 0 4", a, none, NULL);
    struct tn_ggml_tensor *second = ggml_add_any(test, "F32 16", first, a, NULL);
    ggml_allocate(test);
    expect_at(none, 1);
    expect_at(second, 1);
    expect_bytes(test, 3);
}

/* ---- in place ----------------------------------------------------------------------------------------------------- */

/* sum = a + b goes where a is, as nobody else reads that. */
static void results_take_the_place_of_their_source(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *b = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *sum = ggml_add(test, "add", a, b, NULL);
    ggml_allocate(test);
    expect_at(sum, 0);
    expect_bytes(test, 2);
}

/* Not every operation can: a copy of a goes behind it. */
static void only_some_operations_work_in_place(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *copy = ggml_add(test, "cont", a, NULL, NULL);
    ggml_allocate(test);
    expect_at(copy, 1);
    expect_bytes(test, 2);
}

/* a is read again later: the sum takes the place of b. When a is read for the last time, its place is taken. */
static void a_source_that_is_read_again_stays(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *b = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *sum = ggml_add(test, "add", a, b, NULL);
    struct tn_ggml_tensor *product = ggml_add(test, "mul", a, sum, NULL);
    ggml_allocate(test);
    expect_at(sum, 1);
    expect_at(product, 0);
    expect_bytes(test, 2);
}

/* a * a reads a twice. */
static void a_source_that_is_read_twice_stays(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *square = ggml_add(test, "mul", a, a, NULL);
    ggml_allocate(test);
    expect_at(square, 1);
    expect_bytes(test, 2);
}

static void outputs_are_not_overwritten(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *first = ggml_add(test, "scale", a, NULL, NULL);
    first->flags |= TN_GGML_OUTPUT;
    struct tn_ggml_tensor *second = ggml_add(test, "scale", first, NULL, NULL);
    ggml_allocate(test);
    expect_at(first, 0);
    expect_at(second, 1);
    expect_bytes(test, 2);
}

/* The copy (at 1) is read through a view: its scaled form does not take its place, but that of a. */
static void views_are_not_overwritten(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *copy = ggml_add(test, "cont", a, NULL, NULL);
    struct tn_ggml_tensor *view = ggml_make_numbers(test, "reshape", copy, "8");
    struct tn_ggml_tensor *scaled = ggml_add(test, "scale", view, NULL, NULL);
    ggml_allocate(test);
    expect_at(copy, 1);
    expect_at(scaled, 0);
    expect_bytes(test, 2);
}

/* The copy (at 1) is read once more, when its view still waits to be read: the result goes where a was. */
static void what_has_a_view_is_not_overwritten(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *copy = ggml_add(test, "cont", a, NULL, NULL);
    struct tn_ggml_tensor *view = ggml_make_numbers(test, "reshape", copy, "4 2");
    ggml_expand(test, view);
    struct tn_ggml_tensor *scaled = ggml_add(test, "scale", copy, NULL, NULL);
    ggml_add_any(test, "F32 8", view, scaled, NULL);
    ggml_allocate(test);
    expect_at(copy, 1);
    expect_at(scaled, 0);
    expect_bytes(test, 3);
}

/* The view's reader was the last of both: view and viewed are given back, and the next copy lies where the first did. */
static void the_last_reader_of_a_view_frees_what_it_views(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 16");
    struct tn_ggml_tensor *copy = ggml_add(test, "cont", a, NULL, NULL);
    struct tn_ggml_tensor *view = ggml_make_numbers(test, "reshape", copy, "8 2");
    struct tn_ggml_tensor *next = ggml_add_any(test, "F32 8", view, NULL, NULL);
    struct tn_ggml_tensor *last = ggml_add_any(test, "F32 16", next, NULL, NULL);
    ggml_allocate(test);
    expect_at(copy, 2);
    expect_at(next, 0);
    expect_at(last, 1); /* 1 of a's units is left, and behind it the 2 of the copy and the open end */
    expect_bytes(test, 4);
}

/* The sum is as its first source, F32 and packed: b is F16. What is transposed has other strides than what becomes of it. */
static void another_layout_is_not_overwritten(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *b = ggml_input(test, "F16 16");
    struct tn_ggml_tensor *sum = ggml_add(test, "add", a, b, NULL);
    a->flags |= TN_GGML_OUTPUT;
    struct tn_ggml_tensor *turned = ggml_input(test, "F32 4 2");
    turned->nb[0] = 8;
    turned->nb[1] = 4;
    struct tn_ggml_tensor *scaled = ggml_add(test, "scale", turned, NULL, NULL);
    ggml_allocate(test);
    expect_at(turned, 2);
    expect_at(sum, 3);
    expect_at(scaled, 1); /* where b was */
    expect_bytes(test, 4);
}

/* Where the first source cannot be replaced, a later one may be. */
static void a_later_source_may_be_overwritten(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    struct tn_ggml_tensor *b = ggml_input(test, "F32 8");
    a->flags |= TN_GGML_OUTPUT;
    struct tn_ggml_tensor *sum = ggml_add(test, "add", a, b, NULL);
    ggml_allocate(test);
    expect_at(sum, 1);
    expect_bytes(test, 2);
}

/* ---- a GPU -------------------------------------------------------------------------------------------------------- */

/* 64 tokens with 2 heads of 64 against 256 cells of one head in Q8_0. Queries and mask come from the host: 64 x 2 x 64 x 4 = 32,768 bytes and
 * 256 x 64 x 2 = 32,768. The result at 65,536 has 32,768 bytes and behind them the F16 copies of keys and values: 2 x 256 x 64 x 2 = 65,536, so
 * that it ends at 163,840. What is scaled in its place needs the first 32,768 alone: the open end begins at 98,304 again, where the next
 * tensor, of 64 x 320 x 4 = 81,920 bytes and so larger than the hole at 0, ends at 180,224. */
static void what_a_result_does_not_need_of_its_place_is_given_back(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *q = ggml_input(test, "F32 64 64 2");
    struct tn_ggml_tensor *k = ggml_cache(test, "Q8_0 64 256 1", 0);
    struct tn_ggml_tensor *v = ggml_cache(test, "Q8_0 64 256 1", 0);
    struct tn_ggml_tensor *mask = ggml_input(test, "F16 256 64");
    struct tn_ggml_call call = {
        .row = tn_ggml_find_op(TN_STR("flash_attn")), .sources = {q, k, v, mask}, .source_count = 4};
    struct tn_ggml_tensor *attention = tn_ggml_make(&test->graph, &call, &test->error);
    assert_non_null(attention);
    attention->backend = 0;
    ggml_expand(test, attention);
    struct tn_ggml_tensor *scaled = ggml_add(test, "scale", attention, NULL, NULL);
    struct tn_ggml_tensor *next = ggml_add_any(test, "F32 64 320", scaled, NULL, NULL);
    ggml_allocate(test);
    assert_int_equal(attention->offset, 65536);
    assert_int_equal(scaled->offset, 65536);
    assert_int_equal(next->offset, 98304);
    assert_int_equal(test->bytes[0], 180224);
}

/* GPUs round up to 128 bytes. */
static void a_gpu_rounds_up_to_128_bytes(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *weight = ggml_weight(test, "F32 8", 0);
    struct tn_ggml_tensor *a = ggml_input(test, "F32 8");
    ggml_add(test, "mul", a, weight, NULL);
    ggml_allocate(test);
    assert_int_equal(test->bytes[0], 128); /* the copy of a, and the product in its place */
    assert_int_equal(test->bytes[1], 32);
}

#define ON_CPU(name) cmocka_unit_test_setup_teardown(name, open_cpu, close_graph)
#define ON_GPU(name) cmocka_unit_test_setup_teardown(name, open_gpu, close_graph)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_CPU(the_smallest_hole_that_suffices_is_taken),
        ON_CPU(of_equal_holes_the_later_is_taken),
        ON_CPU(what_fits_in_no_hole_goes_to_the_end),
        ON_CPU(a_hole_is_filled_from_its_beginning),
        ON_CPU(free_neighbours_become_one_hole),
        ON_CPU(what_lies_before_the_end_becomes_part_of_it),
        ON_CPU(sizes_are_rounded_up),
        ON_CPU(inputs_are_placed_first),
        ON_CPU(an_input_that_is_a_node_is_placed_first),
        ON_CPU(outputs_are_never_freed),
        ON_CPU(what_lies_elsewhere_takes_nothing),
        ON_CPU(tensors_without_elements_take_nothing),
        ON_CPU(results_take_the_place_of_their_source),
        ON_CPU(only_some_operations_work_in_place),
        ON_CPU(a_source_that_is_read_again_stays),
        ON_CPU(a_source_that_is_read_twice_stays),
        ON_CPU(outputs_are_not_overwritten),
        ON_CPU(views_are_not_overwritten),
        ON_CPU(what_has_a_view_is_not_overwritten),
        ON_CPU(the_last_reader_of_a_view_frees_what_it_views),
        ON_CPU(another_layout_is_not_overwritten),
        ON_CPU(a_later_source_may_be_overwritten),
        ON_GPU(what_a_result_does_not_need_of_its_place_is_given_back),
        ON_GPU(a_gpu_rounds_up_to_128_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
