/* A graph of ggml: tensors made by operations, and the order in which they run. */
#ifndef TN_ENGINE_GGML_GRAPH_H
#define TN_ENGINE_GGML_GRAPH_H

#include "engine/ggml/tensor.h"

struct tn_ggml_list {
    struct tn_ggml_tensor **items; /* [count] */
    size_t count;
    size_t capacity;
};

struct tn_ggml_graph {
    struct tn_arena *arena;
    const struct tn_dtype *f32;
    const struct tn_dtype *f16;
    const struct tn_dtype *i32;
    struct tn_ggml_list leafs; /* that nodes of the graph read, or that were added themselves */
    struct tn_ggml_list nodes; /* in the order in which they run */
    size_t tensor_count;       /* made so far, in the graph or not */
};

enum {
    TN_GGML_MOST_TENSORS = 1 << 18, /* more than twice the largest graph of 1,000 layers; half a second's work */
    TN_GGML_MOST_DEPTH = 1 << 14,   /* of nodes that are added at once */
    TN_GGML_ELEMENTS_BITS = 58,     /* that the elements of a tensor take, so that its bytes take no more than 61 */
};

void tn_ggml_graph_begin(struct tn_ggml_graph *graph, struct tn_arena *arena);

/* A packed tensor of that type and shape; a view of `viewed` where that is not NULL.
 * ne  [TN_GGML_DIMS]
 * Errors: TN_ERROR_TOO_LARGE where it has too many elements or there are too many tensors, TN_ERROR_RECORD where ne[0] is no whole number
 * of blocks, TN_ERROR_MEMORY. NULL then. */
struct tn_ggml_tensor *tn_ggml_new(struct tn_ggml_graph *graph, const struct tn_dtype *type, const uint64_t *ne,
                                   struct tn_ggml_tensor *viewed, uint64_t view_offset, struct tn_error *error);

/* Adds a tensor and all that it needs and that is not in the graph yet: sources first, from the first to the last.
 * Errors: TN_ERROR_TOO_LARGE where they are nested too deep, TN_ERROR_MEMORY. */
bool tn_ggml_expand(struct tn_ggml_graph *graph, struct tn_ggml_tensor *tensor, struct tn_error *error);

bool tn_ggml_append(struct tn_arena *arena, struct tn_ggml_list *list, struct tn_ggml_tensor *tensor,
                    struct tn_error *error);

#endif
