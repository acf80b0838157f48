/* How a cache grows: one function per growth rule. */
#ifndef TN_PLAN_CACHE_H
#define TN_PLAN_CACHE_H

#include "model/model.h"

/* Units that one request of that many tokens keeps in one layer. */
uint64_t tn_cache_units(const struct tn_cache *cache, uint64_t context_tokens);

/* True where a longer request keeps more: false for states, cross attention, and layers without a cache of their own. */
bool tn_cache_grows(const struct tn_cache *cache);

/* Bytes of one request in all layers of the cache together, one copy, unsharded.
 * kv_dtype  of caches that have no dtype of their own
 * Errors: TN_ERROR_TOO_LARGE. */
bool tn_cache_request_bytes(const struct tn_cache *cache, uint64_t context_tokens, const struct tn_dtype *kv_dtype,
                            uint64_t *bytes, struct tn_error *error);

/* What KV caches cost per request and per token, over the whole model, one copy. */
struct tn_cache_totals {
    uint64_t
        bytes_per_token; /* while every layer that grows still grows; a compressed layer counts its average, rounded up */
    uint64_t state_bytes_per_request; /* what does not depend on the length */
    uint64_t bytes_per_request;       /* all of it, at the given length */
};

/* Errors: TN_ERROR_TOO_LARGE. */
bool tn_cache_totals(const struct tn_model *model, uint64_t context_tokens, const struct tn_dtype *kv_dtype,
                     struct tn_cache_totals *totals, struct tn_error *error);

/* Caches are kept in 16 bits unless asked otherwise: in the dtype of the computation, not in that of packed weights. */
const struct tn_dtype *tn_cache_default_dtype(const struct tn_model *model);

#endif
