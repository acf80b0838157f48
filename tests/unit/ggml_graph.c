/* Graphs of ggml for tests. */
#include "ggml_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void ggml_open(struct ggml_graph *test, int gpu_count)
{
    *test = (struct ggml_graph){0};
    tn_ggml_graph_begin(&test->graph, &test->arena);
    for (int k = 0; k < gpu_count; k++) {
        test->devices[k] = (struct tn_ggml_device){.kind = TN_GGML_CUDA, .copies_inside = true};
    }
    test->schedule = (struct tn_ggml_schedule){
        .devices = test->devices, .device_count = gpu_count + 1, .copies = 1, .graph = &test->graph};
}

void ggml_close(struct ggml_graph *test)
{
    tn_arena_free(&test->arena);
}

static void *not_null(const struct ggml_graph *test, void *pointer)
{
    if (!pointer) {
        fail_msg("%s", test->error.message);
    }
    return pointer;
}

int ggml_read_numbers(const char *text, uint64_t *numbers, int most)
{
    int count = 0;
    for (char *end; text && *text && count < most; text = end) {
        numbers[count++] = strtoull(text, &end, 10);
    }
    return count;
}

struct tn_ggml_tensor *ggml_leaf(struct ggml_graph *test, const char *shape)
{
    struct tn_str rest = tn_str_of(shape);
    const struct tn_dtype *type = tn_dtype_find(tn_str_word(&rest));
    uint64_t ne[TN_GGML_DIMS] = {1, 1, 1, 1};
    assert_non_null(type);
    ggml_read_numbers(rest.data, ne, TN_GGML_DIMS);
    return not_null(test, tn_ggml_new(&test->graph, type, ne, NULL, 0, &test->error));
}

struct tn_ggml_tensor *ggml_input(struct ggml_graph *test, const char *shape)
{
    struct tn_ggml_tensor *tensor = ggml_leaf(test, shape);
    tensor->flags = TN_GGML_INPUT;
    return tensor;
}

struct tn_ggml_tensor *ggml_weight(struct ggml_graph *test, const char *shape, int place)
{
    struct tn_ggml_tensor *tensor = ggml_cache(test, shape, place);
    tensor->flags = TN_GGML_WEIGHT;
    return tensor;
}

struct tn_ggml_tensor *ggml_cache(struct ggml_graph *test, const char *shape, int place)
{
    struct tn_ggml_tensor *tensor = ggml_leaf(test, shape);
    tensor->place = place;
    return tensor;
}

static struct tn_ggml_tensor *make(struct ggml_graph *test, struct tn_ggml_call *call, const char *op)
{
    call->row = tn_ggml_find_op(tn_str_of(op));
    assert_non_null(call->row);
    while (call->source_count < TN_GGML_SOURCES && call->sources[call->source_count]) {
        call->source_count++;
    }
    return not_null(test, tn_ggml_make(&test->graph, call, &test->error));
}

struct tn_ggml_tensor *ggml_make(struct ggml_graph *test, const char *op, struct tn_ggml_tensor *a,
                                 struct tn_ggml_tensor *b, struct tn_ggml_tensor *c)
{
    struct tn_ggml_call call = {.sources = {a, b, c}};
    return make(test, &call, op);
}

struct tn_ggml_tensor *ggml_make_numbers(struct ggml_graph *test, const char *op, struct tn_ggml_tensor *a,
                                         const char *numbers)
{
    struct tn_ggml_call call = {.sources = {a}};
    call.number_count = ggml_read_numbers(numbers, call.numbers, TN_GGML_DIMS);
    return make(test, &call, op);
}

struct tn_ggml_tensor *ggml_add(struct ggml_graph *test, const char *op, struct tn_ggml_tensor *a,
                                struct tn_ggml_tensor *b, struct tn_ggml_tensor *c)
{
    struct tn_ggml_tensor *tensor = ggml_make(test, op, a, b, c);
    ggml_expand(test, tensor);
    return tensor;
}

struct tn_ggml_tensor *ggml_add_any(struct ggml_graph *test, const char *shape, struct tn_ggml_tensor *a,
                                    struct tn_ggml_tensor *b, struct tn_ggml_tensor *c)
{
    struct tn_ggml_tensor *tensor = ggml_leaf(test, shape);
    tensor->op = TN_GGML_OTHER;
    tensor->sources[0] = a;
    tensor->sources[1] = b;
    tensor->sources[2] = c;
    ggml_expand(test, tensor);
    return tensor;
}

void ggml_expand(struct ggml_graph *test, struct tn_ggml_tensor *tensor)
{
    if (!tn_ggml_expand(&test->graph, tensor, &test->error)) {
        fail_msg("%s", test->error.message);
    }
}

void ggml_divide(struct ggml_graph *test)
{
    if (!tn_ggml_divide(&test->schedule, &test->error)) {
        fail_msg("%s", test->error.message);
    }
}

void ggml_allocate(struct ggml_graph *test)
{
    ggml_divide(test);
    if (!tn_ggml_allocate(&test->schedule, test->bytes, &test->error)) {
        fail_msg("%s", test->error.message);
    }
}
