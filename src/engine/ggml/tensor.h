/* Tensors of ggml's graphs: shapes, strides, and what depends on what; no data. Written after ggml's public interface (ggml.h), as of
 * llama.cpp 0.5.0. */
#ifndef TN_ENGINE_GGML_TENSOR_H
#define TN_ENGINE_GGML_TENSOR_H

#include "format/dtype.h"

enum { TN_GGML_DIMS = 4, TN_GGML_SOURCES = 10 };

/* Operations that scheduler, allocator or devices tell apart; those that they treat alike share a name. */
enum tn_ggml_op {
    TN_GGML_NONE, /* a leaf */
    TN_GGML_VIEW,
    TN_GGML_RESHAPE,
    TN_GGML_PERMUTE,
    TN_GGML_TRANSPOSE,
    TN_GGML_MUL_MAT,
    TN_GGML_MUL_MAT_ID,
    TN_GGML_PRECISE, /* a product by experts in full precision, which CUDA cannot do */
    TN_GGML_GET_ROWS,
    TN_GGML_SET_ROWS,
    TN_GGML_ROPE,
    TN_GGML_FLASH_ATTENTION,
    TN_GGML_CPY,
    TN_GGML_UNARY,
    TN_GGML_GLU,
    TN_GGML_NORM,   /* norm, rms_norm, l2_norm */
    TN_GGML_BINARY, /* add, sub, mul, div */
    TN_GGML_CONCAT,
    TN_GGML_REPEAT,
    TN_GGML_SUM_ROWS,
    TN_GGML_SSM_SCAN,
    TN_GGML_SSM_CONV,
    TN_GGML_CONTIGUOUS, /* on CUDA only with contiguous sources: acc, group_norm */
    TN_GGML_OTHER
};

enum tn_ggml_flags {
    TN_GGML_INPUT = 1,  /* allocated before all else */
    TN_GGML_OUTPUT = 2, /* never freed */
    TN_GGML_WEIGHT = 4, /* lies in a buffer of weights */
};

struct tn_ggml_row; /* of the table of operations (op.h) */

struct tn_ggml_tensor {
    const struct tn_ggml_row *row;
    const struct tn_dtype *type;
    uint64_t ne[TN_GGML_DIMS];                       /* elements; ne[0] is the contiguous one */
    uint64_t nb[TN_GGML_DIMS];                       /* strides in bytes */
    struct tn_ggml_tensor *sources[TN_GGML_SOURCES]; /* NULL where none, also in between */
    struct tn_ggml_tensor *viewed;                   /* the tensor whose bytes these are; never itself a view */
    uint64_t view_offset;
    enum tn_ggml_op op;
    unsigned flags;
    int place; /* of weights and caches: index of the device that holds them, or TN_GGML_HOST or _REPACKED; else _NOWHERE */
    bool visited;
    uint32_t layer; /* that it was made for */

    /* of the scheduler */
    int backend;                    /* -1: not assigned */
    struct tn_ggml_tensor **copies; /* [backends x copies], NULL until there is one */

    /* of the allocator */
    int children; /* nodes that read it and have not run */
    int views;
    int allocator; /* of which buffer */
    bool allocated;
    uint64_t offset;
};

/* Places beside the devices, which are counted from 0. */
enum { TN_GGML_NOWHERE = -1, TN_GGML_HOST = -2, TN_GGML_REPACKED = -3 };

/* Bytes from the first to the last element. */
uint64_t tn_ggml_bytes(const struct tn_ggml_tensor *tensor);

uint64_t tn_ggml_elements(const struct tn_ggml_tensor *tensor);

bool tn_ggml_is_quantised(const struct tn_dtype *type);

/* Whether the elements from dimension `from` on lie packed: 0 for all; 1: rows may have gaps between them. */
bool tn_ggml_is_contiguous(const struct tn_ggml_tensor *tensor, int from);

/* Each row is packed; strides between rows do not matter. */
bool tn_ggml_has_contiguous_rows(const struct tn_ggml_tensor *tensor);

/* Same type, shape and strides: what reuse in place needs. */
bool tn_ggml_same_layout(const struct tn_ggml_tensor *a, const struct tn_ggml_tensor *b);

#endif
