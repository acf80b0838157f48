/* Which weights an engine creates for a model, how large each is on one rank, and in which order they are made. */
#ifndef TN_ENGINE_WEIGHTS_LOAD_ORDER_H
#define TN_ENGINE_WEIGHTS_LOAD_ORDER_H

#include "engine/weights/weight.h"

struct tn_load_order {
    struct tn_weight
        *weights; /* [count], as they are made: what stands before the layers, layers, what stands behind */
    size_t count;
    size_t
        buffer_order; /* the place of the buffers and of the attention's scalars in a layer, as struct tn_weight's order */
    size_t scalar_order;
};

/* In the scope's arena. Tensors of the weights are not filled in (see storage.h).
 * Errors: TN_ERROR_DEPLOYMENT where a weight does not divide as the engine wants, TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_CONFIG,
 * TN_ERROR_MEMORY. */
bool tn_load_order_of(struct tn_weight_scope *scope, struct tn_load_order *order);

#endif
