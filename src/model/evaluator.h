/* The symbols of an architecture record, evaluated against the facts of one model. */
#ifndef TN_MODEL_EVALUATOR_H
#define TN_MODEL_EVALUATOR_H

#include "model/architecture.h"

enum tn_param_state { TN_PARAM_UNKNOWN, TN_PARAM_BUSY, TN_PARAM_KNOWN };

/* The values of a record's symbols for one layer at a time; used to build a model and to explain it. Fields are evaluate.c's. */
struct tn_evaluator {
    const struct tn_architecture *architecture;
    const struct tn_facts *facts;
    struct tn_arena *arena;
    int64_t layer;               /* what `i` means; -1: nothing */
    struct tn_value *values;     /* [param_count] */
    enum tn_param_state *states; /* [param_count] */
};

/* architecture, facts and arena must outlive it. NULL when memory is out. */
struct tn_evaluator *tn_evaluator_new(const struct tn_architecture *architecture, const struct tn_facts *facts,
                                      struct tn_arena *arena);

/* Sets the layer that `i` means; -1 where there is none. */
void tn_evaluator_set_layer(struct tn_evaluator *evaluator, int64_t layer);

/* A scope for expressions of the record. */
struct tn_scope tn_evaluator_scope(struct tn_evaluator *evaluator);

/* The value of a param of the record; fallback where the record has none of that name.
 * Errors: as tn_expression_integer. */
bool tn_evaluator_integer(struct tn_evaluator *evaluator, const char *param, int64_t fallback, int64_t *value,
                          struct tn_error *error);

/* Whether a param of the record is true; false where the record has none of that name, or it cannot be evaluated. */
bool tn_evaluator_is_true(struct tn_evaluator *evaluator, const char *param);

#endif
