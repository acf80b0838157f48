/* Architecture x facts -> groups and caches. */
#ifndef TN_MODEL_EVALUATE_H
#define TN_MODEL_EVALUATE_H

#include "model/evaluator.h"

/* Adds the predicted groups and caches of the architecture to the model, with model->dtype for the weights.
 * Errors: TN_ERROR_CONFIG with the key, TN_ERROR_TOO_LARGE, TN_ERROR_EXPRESSION, TN_ERROR_MEMORY. */
bool tn_model_evaluate(struct tn_model *model, const struct tn_architecture *architecture, struct tn_error *error);

#endif
