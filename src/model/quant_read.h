/* A quant record, read: its statements and those of the mixes that it uses, expressions ready to evaluate. docs/records.md is the
 * manual of the notation. */
#ifndef TN_MODEL_QUANT_READ_H
#define TN_MODEL_QUANT_READ_H

#include "catalog/catalog.h"
#include "model/model.h"

enum { TN_MOST_STORES = 8, TN_MOST_KEPT = 8 };

/* A tensor that a quantised one becomes. */
struct tn_quant_store {
    struct tn_str name; /* with {base} */
    const struct tn_dtype *dtype;
    const struct tn_expression *dims[TN_MAX_DIMS];
    uint32_t dim_count;
    const struct tn_expression *when; /* NULL: always */
};

/* A tensor keeps its name and shape and is stored in this dtype. */
struct tn_quant_type {
    const struct tn_dtype *dtype;
    const struct tn_expression *when; /* NULL: always */
};

/* What a tensor is for, by the look of its name. */
struct tn_quant_role {
    struct tn_str name;
    struct tn_str globs; /* words */
};

struct tn_quant_param {
    struct tn_str name;
    const struct tn_expression *expression;
};

/* What is taken in place of a dtype whose blocks do not divide the rows. */
struct tn_quant_fallback {
    const struct tn_dtype *from;
    const struct tn_dtype *to;
};

struct tn_quant_keep {
    const struct tn_expression *list;
    uint32_t line;
    bool parts; /* entries are parts of names, not modules */
};

struct tn_quant_rules {
    const struct tn_record *record;
    struct tn_str classes;
    struct tn_quant_store stores[TN_MOST_STORES];
    size_t store_count;
    struct tn_quant_keep keeps[TN_MOST_KEPT];
    size_t keep_count;
    struct tn_quant_type *types; /* [type_count], the first that applies */
    size_t type_count;
    struct tn_quant_role *roles; /* [role_count], the first that matches */
    size_t role_count;
    struct tn_quant_param *params; /* [param_count] */
    size_t param_count;
    struct tn_quant_fallback *fallbacks; /* [fallback_count] */
    size_t fallback_count;
    const struct tn_expression *drop; /* which tensors are left out; NULL: none */
};

/* Errors: TN_ERROR_RECORD, TN_ERROR_EXPRESSION, both with file and line; TN_ERROR_MEMORY. */
bool tn_quant_read(const struct tn_catalog *catalog, const struct tn_record *record, struct tn_arena *arena,
                   struct tn_quant_rules *rules, struct tn_error *error);

/* The quant record that a user means: by its id or an alias, in any case and with any separators; NULL where there is none. */
const struct tn_record *tn_quant_named(const struct tn_catalog *catalog, struct tn_str name);

/* Fails with TN_ERROR_DTYPE and the nearest names as the hint. Always returns false. */
bool tn_quant_fail_unknown(const struct tn_catalog *catalog, struct tn_str name, struct tn_error *error);

#endif
