/* Which device runs which node, and what is copied: ggml's scheduler, by hand. Device 0 (and 1) are GPUs, the last one is the CPU. */
#include "ggml_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { GPU = 0, CPU = 1, SECOND_GPU = 1, CPU_OF_TWO = 2 };

static struct ggml_graph graph;

static int open_one(void **state)
{
    ggml_open(&graph, 1);
    *state = &graph;
    return 0;
}

static int open_two(void **state)
{
    ggml_open(&graph, 2);
    *state = &graph;
    return 0;
}

static int close_graph(void **state)
{
    ggml_close(*state);
    return 0;
}

/* ---- where nodes run ---------------------------------------------------------------------------------------------- */

static void nodes_run_where_their_weight_lies(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *x = ggml_input(test, "F32 64 4");
    struct tn_ggml_tensor *y = ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", GPU), x, NULL);
    struct tn_ggml_tensor *z = ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", TN_GGML_HOST), y, NULL);
    ggml_divide(test);
    assert_int_equal(x->backend, CPU);
    assert_int_equal(y->backend, GPU);
    assert_int_equal(z->backend, CPU);
    assert_int_equal(test->schedule.split_count, 2);
}

/* What is written into a cache is written where that lies. */
static void nodes_run_where_their_result_lies(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *rows = ggml_input(test, "F32 64 4");
    struct tn_ggml_tensor *places = ggml_input(test, "I64 4");
    struct tn_ggml_tensor *near = ggml_add(test, "set_rows", ggml_cache(test, "F16 64 256", GPU), rows, places);
    struct tn_ggml_tensor *far = ggml_add(test, "set_rows", ggml_cache(test, "F16 64 256", TN_GGML_HOST), rows, places);
    ggml_divide(test);
    assert_int_equal(near->backend, GPU);
    assert_int_equal(far->backend, CPU);
}

/* Weights of positions and of attention are too small to decide. */
static void some_weights_do_not_decide(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *x = ggml_input(test, "F32 64 4");
    struct tn_ggml_tensor *y = ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", GPU), x, NULL);
    struct tn_ggml_tensor *turned =
        ggml_add(test, "rope", y, ggml_input(test, "I32 4"), ggml_weight(test, "F32 32", TN_GGML_HOST));
    ggml_divide(test);
    assert_int_equal(turned->backend, GPU);
}

/* From the products, which are bound, to what is not: before and behind the GPU's, behind the CPU's; between both the GPU comes first. */
static void other_nodes_go_with_their_neighbours(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *near = ggml_weight(test, "F32 64 64", GPU);
    struct tn_ggml_tensor *far = ggml_weight(test, "F32 64 64", TN_GGML_HOST);
    struct tn_ggml_tensor *before = ggml_add(test, "scale", ggml_input(test, "F32 64 4"), NULL, NULL);
    struct tn_ggml_tensor *x = ggml_add(test, "mul_mat", near, before, NULL);
    struct tn_ggml_tensor *behind = ggml_add(test, "scale", x, NULL, NULL);
    x = ggml_add(test, "mul_mat", far, behind, NULL);
    struct tn_ggml_tensor *between = ggml_add(test, "scale", x, NULL, NULL);
    x = ggml_add(test, "mul_mat", near, between, NULL);
    ggml_add(test, "mul_mat", far, x, NULL);
    struct tn_ggml_tensor *last = ggml_add(test, "scale", x, NULL, NULL); /* of what lies on the GPU */
    ggml_divide(test);
    assert_int_equal(before->backend, GPU);
    assert_int_equal(behind->backend, GPU);
    assert_int_equal(between->backend, GPU);
    assert_int_equal(last->backend, CPU);
    assert_int_equal(test->schedule.split_count, 4);
}

/* Before the CPU's, where no GPU's is near: although what it reads lies on the GPU. */
static void nodes_before_the_cpus_go_with_them(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *before = ggml_add(test, "scale", ggml_cache(test, "F32 64 4", GPU), NULL, NULL);
    ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", TN_GGML_HOST), before, NULL);
    ggml_divide(test);
    assert_int_equal(before->backend, CPU);
}

/* Between two nodes of the GPU, one that CUDA does not take: its rows have gaps. */
static void what_a_gpu_cannot_do_runs_on_the_cpu(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *near = ggml_weight(test, "F32 32 64", GPU);
    struct tn_ggml_tensor *x = ggml_add(test, "mul_mat", near, ggml_input(test, "F32 32 4"), NULL);
    struct tn_ggml_tensor *half = ggml_make_numbers(test, "view", x, "32 4");
    half->nb[1] = x->nb[1];
    half->nb[2] = half->nb[3] = x->nb[2];
    struct tn_ggml_tensor *odd = ggml_add(test, "silu", half, NULL, NULL);
    struct tn_ggml_tensor *last = ggml_add(test, "mul_mat", near, odd, NULL);
    ggml_divide(test);
    assert_int_equal(odd->backend, CPU);
    assert_int_equal(last->backend, GPU);
}

/* Neither a split nor a copy of their own. */
static void views_go_with_what_they_view(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *near = ggml_weight(test, "F32 64 64", GPU);
    struct tn_ggml_tensor *far = ggml_weight(test, "F32 64 64", TN_GGML_HOST);
    struct tn_ggml_tensor *x = ggml_add(test, "mul_mat", near, ggml_input(test, "F32 64 4"), NULL);
    struct tn_ggml_tensor *view = ggml_make_numbers(test, "reshape", x, "64 2 2");
    ggml_expand(test, view);
    ggml_add(test, "mul_mat", far, x, NULL);
    struct tn_ggml_tensor *late = ggml_make_numbers(test, "reshape", x, "32 8");
    ggml_expand(test, late);
    ggml_divide(test);
    assert_int_equal(view->backend, GPU);
    assert_int_equal(late->backend, GPU);
    assert_int_equal(test->schedule.split_count, 2);
}

/* The second GPU does not read the first one's memory: what has a weight here and a cache there runs on the CPU. */
static void a_gpu_does_not_read_the_memory_of_another(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *x =
        ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", GPU), ggml_cache(test, "F32 64 4", SECOND_GPU), NULL);
    ggml_divide(test);
    assert_int_equal(x->backend, CPU_OF_TWO);
}

/* A tensor that no node but a view reads has no neighbour. */
static void a_leaf_that_nothing_reads_lies_on_the_host(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *leaf = ggml_leaf(test, "F32 64 4");
    ggml_expand(test, ggml_make_numbers(test, "reshape", leaf, "256"));
    ggml_expand(test, ggml_leaf(test, "F32 64"));
    ggml_allocate(test);
    assert_int_equal(leaf->backend, CPU);
    assert_int_equal(test->bytes[GPU], 0);
    assert_int_equal(test->bytes[CPU], (64 * 4 + 64) * 4);
}

/* ---- weights on the host, with large batches ---------------------------------------------------------------------- */

static void multiply_on_host(struct ggml_graph *test, const char *weight, int place, const char *batch)
{
    test->schedule.offloads = true;
    ggml_add(test, "mul_mat", ggml_weight(test, weight, place), ggml_input(test, batch), NULL);
    ggml_allocate(test);
}

/* 31 tokens: 64 x 31 x 4 = 7,936 bytes of input, and as many of the result. */
static void small_batches_stay_with_the_weight(void **state)
{
    struct ggml_graph *test = *state;
    multiply_on_host(test, "F32 64 64", TN_GGML_HOST, "F32 64 31");
    assert_int_equal(test->bytes[GPU], 0);
    assert_int_equal(test->bytes[CPU], 2 * 7936);
}

/* 32 tokens: the weight's copy of 64 x 64 x 4 = 16,384 bytes lies in the GPU's buffer, beside that of the input, 8,192, and the result. */
static void large_batches_go_to_the_gpu_with_a_copy_of_the_weight(void **state)
{
    struct ggml_graph *test = *state;
    multiply_on_host(test, "F32 64 64", TN_GGML_HOST, "F32 64 32");
    assert_int_equal(test->bytes[GPU], 16384 + 2 * 8192);
    assert_int_equal(test->bytes[CPU], 8192);
}

static void without_offload_large_batches_stay(void **state)
{
    struct ggml_graph *test = *state;
    ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", TN_GGML_HOST), ggml_input(test, "F32 64 32"), NULL);
    ggml_allocate(test);
    assert_int_equal(test->bytes[GPU], 0);
}

/* What was repacked for the CPU's kernels only they can read. */
static void repacked_weights_are_not_offloaded(void **state)
{
    struct ggml_graph *test = *state;
    multiply_on_host(test, "F32 64 64", TN_GGML_REPACKED, "F32 64 32");
    assert_int_equal(test->bytes[GPU], 0);
    assert_int_equal(test->bytes[CPU], 2 * 8192);
}

/* CUDA has no kernel for TQ1_0. */
static void types_without_a_kernel_are_not_offloaded(void **state)
{
    struct ggml_graph *test = *state;
    multiply_on_host(test, "TQ1_0 256 64", TN_GGML_HOST, "F32 256 32");
    assert_int_equal(test->bytes[GPU], 0);
}

/* Of experts the batch is the third dimension, of rows there is none. */
static void the_batch_is_that_of_the_operation(void **state)
{
    struct ggml_graph *test = *state;
    test->schedule.offloads = true;
    struct tn_ggml_tensor *experts = ggml_weight(test, "F32 64 64 4", TN_GGML_HOST);
    struct tn_ggml_tensor *few =
        ggml_add(test, "mul_mat_id", experts, ggml_input(test, "F32 64 1 31"), ggml_input(test, "I32 2 31"));
    struct tn_ggml_tensor *many =
        ggml_add(test, "mul_mat_id", experts, ggml_input(test, "F32 64 1 32"), ggml_input(test, "I32 2 32"));
    struct tn_ggml_tensor *rows =
        ggml_add(test, "get_rows", ggml_weight(test, "F32 64 100", TN_GGML_HOST), ggml_input(test, "I32 512"), NULL);
    ggml_divide(test);
    assert_int_equal(few->backend, CPU);
    assert_int_equal(many->backend, GPU);
    assert_int_equal(rows->backend, CPU);
}

/* Two such products begin a split each. The first has the weight's copy at 0, the input's at 16,384 and its result at 24,576; the second finds
 * room for its weight at 0 and for its result at 16,384. In one split both copies would be there from the beginning: 49,152. */
static void splits_begin_anew_so_that_copies_of_weights_share_memory(void **state)
{
    struct ggml_graph *test = *state;
    test->schedule.offloads = true;
    struct tn_ggml_tensor *x = ggml_input(test, "F32 64 32");
    x = ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", TN_GGML_HOST), x, NULL);
    x = ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", TN_GGML_HOST), x, NULL);
    ggml_allocate(test);
    assert_int_equal(test->schedule.split_count, 2);
    assert_int_equal(x->offset, 16384);
    assert_int_equal(test->bytes[GPU], 32768);
}

/* ---- copies ------------------------------------------------------------------------------------------------------- */

static size_t copies_in_nodes(const struct ggml_graph *test, int device)
{
    size_t count = 0;
    for (size_t k = 0; k < test->schedule.nodes.count; k++) {
        const struct tn_ggml_tensor *node = test->schedule.nodes.items[k];
        count += node->op == TN_GGML_NONE && !node->viewed && test->schedule.node_devices[k] == device;
    }
    return count;
}

/* GPU, CPU, GPU again: the input is read in both of the GPU's splits, by three nodes, and copied once; beside it what the CPU computed. */
static void an_input_is_copied_once_to_a_device(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *near = ggml_weight(test, "F32 64 64", GPU);
    struct tn_ggml_tensor *input = ggml_input(test, "F32 64 4");
    struct tn_ggml_tensor *x = ggml_add(test, "mul_mat", near, input, NULL);
    x = ggml_add(test, "add", x, input, NULL);
    x = ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", TN_GGML_HOST), x, NULL);
    x = ggml_add(test, "mul_mat", near, x, NULL);
    ggml_add(test, "add", x, input, NULL);
    ggml_divide(test);
    assert_int_equal(test->schedule.split_count, 3);
    assert_int_equal(copies_in_nodes(test, GPU), 2);
    assert_int_equal(copies_in_nodes(test, CPU), 1);
}

static void an_input_is_copied_to_each_device(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *input = ggml_input(test, "F32 64 4");
    struct tn_ggml_tensor *x = ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", GPU), input, NULL);
    x = ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", SECOND_GPU), x, NULL);
    ggml_add(test, "add", x, input, NULL);
    ggml_divide(test);
    assert_int_equal(copies_in_nodes(test, GPU), 1);
    assert_int_equal(copies_in_nodes(test, SECOND_GPU), 2); /* that of x, too */
}

/* What is copied stays until the copy is there: x of 1,024 bytes lies on the first GPU, and its successor not in its place. */
static void what_is_copied_is_kept_until_then(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *near = ggml_weight(test, "F32 64 64", GPU);
    struct tn_ggml_tensor *x = ggml_add(test, "mul_mat", near, ggml_cache(test, "F32 64 4", GPU), NULL);
    struct tn_ggml_tensor *y = ggml_add(test, "scale", x, NULL, NULL);
    ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", SECOND_GPU), x, NULL);
    ggml_allocate(test);
    assert_int_equal(y->offset, 1024);
    assert_int_equal(test->bytes[GPU], 2048);
    assert_int_equal(test->bytes[SECOND_GPU], 2048);
}

/* Two GPUs in a pipeline, all tensors of 64 x 4 x 4 = 1,024 bytes: the input four times on the host and on the first GPU, what goes to the
 * second GPU four times there. Each GPU has its result beside them. */
static void run_pipeline(struct ggml_graph *test)
{
    test->schedule.copies = TN_GGML_PIPELINE_COPIES;
    struct tn_ggml_tensor *x = ggml_input(test, "F32 64 4");
    struct tn_ggml_tensor *unread = ggml_input(test, "F32 64 4");
    x = ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", GPU), x, NULL);
    ggml_expand(test, unread);
    ggml_add(test, "mul_mat", ggml_weight(test, "F32 64 64", SECOND_GPU), x, NULL);
    ggml_allocate(test);
}

static void a_pipeline_has_four_of_each_input(void **state)
{
    struct ggml_graph *test = *state;
    run_pipeline(test);
    assert_int_equal(test->bytes[GPU], 5 * 1024);
    assert_int_equal(test->bytes[SECOND_GPU], 5 * 1024);
    assert_int_equal(test->bytes[CPU_OF_TWO], 5 * 1024); /* the unread one once */
}

static void since_0_6_of_unread_inputs_too(void **state)
{
    struct ggml_graph *test = *state;
    test->schedule.copies_unread = true;
    run_pipeline(test);
    assert_int_equal(test->bytes[GPU], 5 * 1024);
    assert_int_equal(test->bytes[SECOND_GPU], 5 * 1024);
    assert_int_equal(test->bytes[CPU_OF_TWO], 8 * 1024);
}

/* The copies are there from the beginning and never freed: four of the input, 4,096 bytes, before all results. */
static void copies_of_a_pipeline_are_not_reused(void **state)
{
    struct ggml_graph *test = *state;
    test->schedule.copies = TN_GGML_PIPELINE_COPIES;
    struct tn_ggml_tensor *near = ggml_weight(test, "F32 64 64", GPU);
    struct tn_ggml_tensor *x = ggml_add(test, "mul_mat", near, ggml_input(test, "F32 64 4"), NULL);
    struct tn_ggml_tensor *y = ggml_add(test, "mul_mat", near, x, NULL);
    ggml_allocate(test);
    assert_int_equal(x->offset, 4096);
    assert_int_equal(y->offset, 5120);
    assert_int_equal(test->bytes[GPU], 6144);
}

#define ON_ONE(name) cmocka_unit_test_setup_teardown(name, open_one, close_graph)
#define ON_TWO(name) cmocka_unit_test_setup_teardown(name, open_two, close_graph)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ONE(nodes_run_where_their_weight_lies),
        ON_ONE(nodes_run_where_their_result_lies),
        ON_ONE(some_weights_do_not_decide),
        ON_ONE(other_nodes_go_with_their_neighbours),
        ON_ONE(nodes_before_the_cpus_go_with_them),
        ON_ONE(what_a_gpu_cannot_do_runs_on_the_cpu),
        ON_ONE(views_go_with_what_they_view),
        ON_TWO(a_gpu_does_not_read_the_memory_of_another),
        ON_ONE(a_leaf_that_nothing_reads_lies_on_the_host),
        ON_ONE(small_batches_stay_with_the_weight),
        ON_ONE(large_batches_go_to_the_gpu_with_a_copy_of_the_weight),
        ON_ONE(without_offload_large_batches_stay),
        ON_ONE(repacked_weights_are_not_offloaded),
        ON_ONE(types_without_a_kernel_are_not_offloaded),
        ON_ONE(the_batch_is_that_of_the_operation),
        ON_ONE(splits_begin_anew_so_that_copies_of_weights_share_memory),
        ON_ONE(an_input_is_copied_once_to_a_device),
        ON_TWO(an_input_is_copied_to_each_device),
        ON_TWO(what_is_copied_is_kept_until_then),
        ON_TWO(a_pipeline_has_four_of_each_input),
        ON_TWO(since_0_6_of_unread_inputs_too),
        ON_ONE(copies_of_a_pipeline_are_not_reused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
