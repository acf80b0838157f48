#include "engine/ggml/graph.h"

#include "base/number.h"

void tn_ggml_graph_begin(struct tn_ggml_graph *graph, struct tn_arena *arena)
{
    *graph = (struct tn_ggml_graph){.arena = arena,
                                    .f32 = tn_dtype_find(TN_STR("F32")),
                                    .f16 = tn_dtype_find(TN_STR("F16")),
                                    .i32 = tn_dtype_find(TN_STR("I32"))};
}

/* Also beside a dimension of 0, so that no product of some dimensions wraps around, and no sum of a few sizes in bytes. */
static bool is_countable(const uint64_t *ne)
{
    uint64_t elements = 1;
    for (int d = 0; d < TN_GGML_DIMS; d++) {
        if (!tn_mul_u64(elements, ne[d] ? ne[d] : 1, &elements) || elements >> TN_GGML_ELEMENTS_BITS) {
            return false;
        }
    }
    return true;
}

static void pack(struct tn_ggml_tensor *tensor)
{
    uint64_t bytes = tensor->type->block_bytes;
    tensor->nb[0] = bytes;
    bytes *= tensor->ne[0] / tensor->type->block_elements;
    for (int d = 1; d < TN_GGML_DIMS; d++) {
        tensor->nb[d] = bytes;
        bytes *= tensor->ne[d];
    }
}

struct tn_ggml_tensor *tn_ggml_new(struct tn_ggml_graph *graph, const struct tn_dtype *type, const uint64_t *ne,
                                   struct tn_ggml_tensor *viewed, uint64_t view_offset, struct tn_error *error)
{
    if (++graph->tensor_count > TN_GGML_MOST_TENSORS) {
        tn_fail(error, TN_ERROR_TOO_LARGE, "the graph has more than %d tensors", TN_GGML_MOST_TENSORS);
        return NULL;
    }
    if (ne[0] % type->block_elements) {
        tn_fail(error, TN_ERROR_RECORD, "rows of %llu elements are no whole blocks of %s", (unsigned long long)ne[0],
                type->name);
        return NULL;
    }
    if (!is_countable(ne)) {
        tn_fail(error, TN_ERROR_TOO_LARGE, "a tensor of the graph has 2^%d elements or more", TN_GGML_ELEMENTS_BITS);
        return NULL;
    }
    struct tn_ggml_tensor *tensor = TN_NEW(graph->arena, struct tn_ggml_tensor);
    if (!tensor) {
        tn_fail_memory(error);
        return NULL;
    }
    *tensor = (struct tn_ggml_tensor){.type = type,
                                      .ne = {ne[0], ne[1], ne[2], ne[3]},
                                      .viewed = viewed && viewed->viewed ? viewed->viewed : viewed,
                                      .view_offset = view_offset + (viewed ? viewed->view_offset : 0),
                                      .place = TN_GGML_NOWHERE,
                                      .backend = -1};
    pack(tensor);
    return tensor;
}

bool tn_ggml_append(struct tn_arena *arena, struct tn_ggml_list *list, struct tn_ggml_tensor *tensor,
                    struct tn_error *error)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 1024;
        struct tn_ggml_tensor **items =
            tn_arena_grow(arena, list->items, list->count, capacity, sizeof(struct tn_ggml_tensor *));
        if (!items) {
            return tn_fail_memory(error);
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = tensor;
    return true;
}

static bool visit(struct tn_ggml_graph *graph, struct tn_ggml_tensor *tensor, int depth, struct tn_error *error)
{
    if (tensor->visited) {
        return true;
    }
    if (depth > TN_GGML_MOST_DEPTH) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "more than %d tensors of the graph wait for each other",
                       TN_GGML_MOST_DEPTH);
    }
    tensor->visited = true;
    for (int k = 0; k < TN_GGML_SOURCES; k++) {
        if (tensor->sources[k] && !visit(graph, tensor->sources[k], depth + 1, error)) {
            return false;
        }
    }
    struct tn_ggml_list *list = tensor->op == TN_GGML_NONE ? &graph->leafs : &graph->nodes;
    return tn_ggml_append(graph->arena, list, tensor, error);
}

bool tn_ggml_expand(struct tn_ggml_graph *graph, struct tn_ggml_tensor *tensor, struct tn_error *error)
{
    return visit(graph, tensor, 0, error);
}
