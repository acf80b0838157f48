/* The table of ggml's operations: what shape each gives, whether it may write where its source was, and on which devices it runs. */
#ifndef TN_ENGINE_GGML_OP_H
#define TN_ENGINE_GGML_OP_H

#include "engine/ggml/graph.h"

/* What an operation is asked for. */
struct tn_ggml_call {
    const struct tn_ggml_row *row;
    struct tn_ggml_tensor *sources[TN_GGML_SOURCES]; /* NULL: left out */
    int source_count;
    const struct tn_dtype *type; /* of leafs and casts; NULL where the operation decides */
    uint64_t numbers[8];         /* shape, or axes, or a dimension, as the operation takes them */
    int number_count;
    uint64_t strides[TN_GGML_DIMS - 1]; /* of a view: nb[1] ... */
    int stride_count;
    uint64_t offset; /* of a view, in bytes */
};

enum tn_ggml_traits {
    TN_GGML_IS_VIEW = 1,  /* no work: not counted when the graph is divided */
    TN_GGML_IN_PLACE = 2, /* may take the place of a source of the same layout that nobody else needs */
};

struct tn_ggml_row {
    const char *name; /* in recipes */
    enum tn_ggml_op op;
    unsigned traits;
    int least_sources;
    int most_sources;
    struct tn_ggml_tensor *(*make)(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                   struct tn_error *error);
};

/* The whole table. */
const struct tn_ggml_row *tn_ggml_ops(size_t *count);

/* NULL where there is none of that name. */
const struct tn_ggml_row *tn_ggml_find_op(struct tn_str name);

/* Makes the result of an operation; it is not in the graph before it is expanded.
 * Errors: TN_ERROR_RECORD where sources or numbers do not go with the operation, those of tn_ggml_new. NULL then. */
struct tn_ggml_tensor *tn_ggml_make(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                    struct tn_error *error);

#endif
