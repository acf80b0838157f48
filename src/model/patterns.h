/* What a tensor is by the look of its name: the `names` records. Used where no architecture record predicts the tensor. */
#ifndef TN_MODEL_PATTERNS_H
#define TN_MODEL_PATTERNS_H

#include "catalog/catalog.h"
#include "model/evaluator.h"

struct tn_pattern {
    struct tn_str glob; /* "*" stands for anything */
    enum tn_class class;
    struct tn_split_rule split;
    bool is_companion; /* a scale, a zero point or a buffer: no parameter */
};

struct tn_patterns {
    struct tn_pattern *items; /* first match wins */
    size_t count;
};

/* Errors: TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_MEMORY. */
bool tn_patterns_read(const struct tn_catalog *catalog, const char *id, struct tn_arena *arena,
                      struct tn_patterns *patterns, struct tn_error *error);

/* The pattern that a name matches, or NULL. */
const struct tn_pattern *tn_patterns_find(const struct tn_patterns *patterns, struct tn_str name);

/* "a*b" matches the whole text. */
bool tn_glob_matches(struct tn_str pattern, struct tn_str text);

#endif
