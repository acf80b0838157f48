/* Architecture x facts -> groups and caches. */
#ifndef TN_MODEL_EVALUATE_H
#define TN_MODEL_EVALUATE_H

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

/* Adds the predicted groups and caches of the architecture to the model, with model->dtype for the weights.
 * Errors: TN_ERROR_CONFIG with the key, TN_ERROR_TOO_LARGE, TN_ERROR_EXPRESSION, TN_ERROR_MEMORY. */
bool tn_model_evaluate(struct tn_model *model, const struct tn_architecture *architecture, struct tn_error *error);

#endif
