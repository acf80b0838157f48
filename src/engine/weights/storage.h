/* The tensors that a weight is kept in: quantised ones as the engine's kernels read them. */
#ifndef TN_ENGINE_WEIGHTS_STORAGE_H
#define TN_ENGINE_WEIGHTS_STORAGE_H

#include "engine/weights/weight.h"

/* Fills in the tensors of a weight, by the first storage record that applies; without one as the files have it.
 * Errors: TN_ERROR_DEPLOYMENT where a record refuses, TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_storage_of(struct tn_weight_scope *scope, struct tn_weight *weight);

#endif
