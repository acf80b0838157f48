/* How an engine lays weights on ranks, as data: a `weights` record and the `storage` records that it names, compiled. docs/engines.md,
 * "Weights", is the manual of the notation. */
#ifndef TN_ENGINE_WEIGHTS_WEIGHT_RULES_H
#define TN_ENGINE_WEIGHTS_WEIGHT_RULES_H

#include "catalog/catalog.h"
#include "model/model.h"
#include "text/expression.h"

enum { TN_MOST_PARTS = 8 };

/* Where a statement stands, for messages. */
struct tn_rule_line {
    const struct tn_record *record;
    uint32_t line;
};

/* Words with "*": the names of tensors, without ".weight". */
struct tn_globs {
    struct tn_str *items; /* [count] */
    size_t count;
};

/* merge and experts: tensors that the engine makes one of. */
struct tn_merge {
    struct tn_str name;
    struct tn_str parts[TN_MOST_PARTS]; /* the ends of their names */
    size_t part_count;
    bool of_experts;     /* of all experts of a layer */
    bool divides_inputs; /* of experts: ranks that share one divide its inputs, not its outputs */
};

/* keep, skip, whole, layers and copies */
struct tn_glob_rule {
    struct tn_globs globs;
    const struct tn_dtype *dtype;       /* keep: what they are loaded as */
    const struct tn_expression *layers; /* layers: how many are loaded */
    const struct tn_expression *when;   /* NULL: always */
    struct tn_rule_line line;
};

struct tn_symbol_rule {
    struct tn_str name;
    const struct tn_expression *expression;
    struct tn_rule_line line;
};

struct tn_refusal_rule {
    const struct tn_expression *when;
    struct tn_str text;
    struct tn_rule_line line;
};

enum tn_stored_phase {
    TN_STORED_LOADED,  /* tensor: made with the layer */
    TN_STORED_PASSES,  /* made with the layer, and freed as soon as the next tensor is made */
    TN_STORED_BECOMES, /* made after all is loaded, in place of the tensor of that name where there is one */
    TN_STORED_DROPPED  /* freed after all is loaded */
};

/* tensor, passes, becomes and drops */
struct tn_stored_rule {
    enum tn_stored_phase phase;
    struct tn_str name;
    const struct tn_dtype *dtype;     /* NULL: the model's */
    const struct tn_expression *dims; /* a list of integers; NULL for drops */
    const struct tn_expression *when; /* NULL: always */
    bool each;                        /* one for each merged part */
    struct tn_rule_line line;
};

struct tn_storage {
    const struct tn_record *record;
    const struct tn_expression *when; /* NULL: always */
    struct tn_rule_line line;
    bool takes_plain; /* weights that are not quantised, too */
    struct tn_symbol_rule *params;
    size_t param_count;
    struct tn_stored_rule *stored;
    size_t stored_count;
    struct tn_refusal_rule *refusals;
    size_t refusal_count;
};

/* rotary, buffer and rows */
struct tn_sized_rule {
    struct tn_str glob;           /* rows: whose */
    const struct tn_dtype *dtype; /* of a buffer; NULL: the model's */
    bool is_rotary;               /* a buffer that is computed in F32 first */
    const struct tn_expression *size;
    const struct tn_expression *when; /* NULL: always */
    struct tn_rule_line line;
};

/* Which stages take the layers that do not come out even. */
enum tn_remainder { TN_REMAINDER_BEFORE_LAST, TN_REMAINDER_FIRST, TN_REMAINDER_LAST };

struct tn_weight_rules {
    const struct tn_record *record;
    const struct tn_dtype
        *narrow_from; /* a model of this dtype is loaded as narrow_to where none is asked for; NULL: none is */
    const struct tn_dtype *narrow_to;
    uint64_t vocab_multiple;             /* rows of a vocabulary are rounded up to it; at least 1 */
    const struct tn_expression *scalars; /* how many F32 scalars each attention layer has; NULL: none */
    struct tn_rule_line scalars_line;
    const struct tn_expression
        *exact_blocks; /* whether blocks of memory are as large as their tensors; NULL: they are not */
    struct tn_rule_line exact_blocks_line;
    enum tn_remainder remainder;
    struct tn_globs attention; /* by these names a layer is one of attention */
    struct tn_globs grouped;   /* divided over the ranks that share one request's attention, where these are fewer */
    struct tn_globs order;
    struct tn_globs draft; /* of the layers that predict further tokens, although in no stack of theirs */
    struct tn_merge *merges;
    size_t merge_count;
    struct tn_glob_rule *keeps;
    size_t keep_count;
    struct tn_glob_rule *skips;
    size_t skip_count;
    struct tn_glob_rule *wholes; /* not divided */
    size_t whole_count;
    struct tn_glob_rule *copies; /* kept in the model's dtype as well */
    size_t copy_count;
    struct tn_glob_rule *layers; /* of which only the first layers are loaded */
    size_t layer_count;
    struct tn_sized_rule *buffers; /* made with the first layer of attention */
    size_t buffer_count;
    struct tn_sized_rule *rows;
    size_t row_count;
    struct tn_symbol_rule *params;
    size_t param_count;
    struct tn_refusal_rule *refusals;
    size_t refusal_count;
    struct tn_storage *storages; /* the first that applies */
    size_t storage_count;
};

/* The record `weights ENGINE`; NULL with the error filled. Compiled once for a catalog and kept with it; in the arena where the catalog keeps no more.
 * Errors: TN_ERROR_RECORD, TN_ERROR_EXPRESSION, both with file and line; TN_ERROR_MEMORY. */
const struct tn_weight_rules *tn_weight_rules_open(const struct tn_catalog *catalog, struct tn_str engine,
                                                   struct tn_arena *arena, struct tn_error *error);

/* The place of the first that matches, or `count`. */
size_t tn_globs_find(const struct tn_globs *globs, struct tn_str name);

#endif
