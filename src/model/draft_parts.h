/* What a draft is made from: the tensors of a header sorted into stacks, rows and kinds of layers. Between draft_parts.c, which sorts, and
 * draft.c, which writes. */
#ifndef TN_MODEL_DRAFT_PARTS_H
#define TN_MODEL_DRAFT_PARTS_H

#include "base/map.h"
#include "model/architecture.h"

enum { TN_DRAFT_NO_STACK = -1 };

/* Tensors whose names differ in the number of the layer only: one line of the record. */
struct tn_draft_row {
    struct tn_str name;               /* behind the stack's prefix; of a row without a stack all of it */
    int32_t stack;                    /* TN_DRAFT_NO_STACK: outside of layers */
    enum tn_slot slot;                /* which choice of the layer decides about it */
    const struct tn_tensor **tensors; /* [layer_count] by layer from the stack's first; NULL where the layer has none */
    uint32_t tensor_count;            /* those that are not NULL */
    uint32_t dim_count;               /* of all of them */
    uint64_t copies;                  /* the numbers that {e} in the name takes; 1 where there is none */
    bool is_folded;                   /* stands in another row's copies */
};

struct tn_draft_stack {
    struct tn_str prefix; /* "model.layers.{i}." */
    struct tn_str name;   /* "text", "vision" ... */
    bool *seen;           /* by number: which layers there are */
    uint32_t first;
    uint32_t last;
    uint32_t tensor_count;
    uint64_t elements;
    bool is_real;                        /* layers from first to last without a hole */
    uint32_t *kinds[TN_SLOT_COUNT];      /* [layer_count] the number of each layer's kind */
    uint32_t kind_counts[TN_SLOT_COUNT]; /* how many kinds there are */
};

struct tn_draft_parts {
    struct tn_arena *arena;
    struct tn_draft_stack *stacks; /* [stack_count] */
    size_t stack_count;
    struct tn_draft_row *rows; /* [row_count] in the order of the file */
    size_t row_count;
    size_t row_capacity;
    size_t cells;    /* rows x layers */
    size_t left_out; /* tensors whose names cannot stand in a record, or that have more dimensions in some layers */
};

/* Errors: TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_draft_sort(const struct tn_header *header, struct tn_arena *arena, struct tn_draft_parts *parts,
                   struct tn_error *error);

static inline uint32_t tn_draft_layers(const struct tn_draft_stack *stack)
{
    return stack->last - stack->first + 1;
}

/* Whether the text contains one of the words, which stand between spaces. */
bool tn_draft_has_word(struct tn_str text, const char *words);

#endif
