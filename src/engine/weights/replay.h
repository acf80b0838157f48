/* Loading, replayed: the weights of one pipeline stage made one after the other in PyTorch's allocator, then turned into what the kernels
 * read. */
#ifndef TN_ENGINE_WEIGHTS_REPLAY_H
#define TN_ENGINE_WEIGHTS_REPLAY_H

#include "engine/weights/load_order.h"

/* Fills in all but the layers of a stage, which are given.
 * order  with the tensors of its weights
 * Errors: TN_ERROR_TOO_LARGE, TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_CONFIG, TN_ERROR_MEMORY. */
bool tn_replay(struct tn_weight_scope *scope, const struct tn_load_order *order, bool is_first, bool is_last,
               struct tn_placed_stage *stage);

#endif
