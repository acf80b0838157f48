/* TensorRT-LLM's KV pool: from the bytes that it gives to the cache to tokens and blocks. Integer arithmetic of the engine, without models
 * and settings of ours.
 *
 *     bytes(tokens) = slope * tokens + intercept     an affine cost: states of recurrent layers are the intercept, for all requests
 *     tokens        = (budget - intercept) // slope  the least of all ranks; max_tokens caps it
 *     blocks        = tokens / tokens_per_block      rounded up; down where there are states or windows
 *
 * Where layers have different attention windows ("VSWA"), each size of window has a pool of its own with an equal share of the budget. */
#ifndef TN_ENGINE_TRTLLM_POOL_H
#define TN_ENGINE_TRTLLM_POOL_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { TN_TRTLLM_WINDOWS = 8 }; /* sizes of windows of one model, all that is kept apart */

/* Layers of one rank that attend to the same number of tokens. */
struct tn_trtllm_window {
    uint64_t tokens; /* at most max_seq_len */
    uint64_t token_bytes;
};

/* What the caches of one rank of one stage take. */
struct tn_trtllm_layout {
    struct tn_trtllm_window windows[TN_TRTLLM_WINDOWS]; /* [window_count], smallest first; the last is the longest */
    uint32_t window_count;
    uint64_t state_bytes; /* states of one request; 0 where it has none */
};

struct tn_trtllm_options {
    uint64_t tokens_per_block; /* at least 1 */
    uint64_t max_seq_len;
    uint64_t max_batch_size;
    uint64_t pipeline;        /* stages, whose batches are under way at once */
    uint64_t snapshot_tokens; /* a state is kept for so many tokens of reused blocks; 0: none */
    uint64_t max_tokens;      /* 0: no cap */
};

struct tn_trtllm_pool {
    uint64_t blocks;         /* of the longest window */
    uint64_t tokens;         /* blocks x tokens_per_block */
    uint64_t bytes;          /* of one rank of the first stage, states included */
    uint64_t longest_tokens; /* the longest sequence that the pools hold; the engine lowers max_seq_len to it */
    double concurrency;      /* sequences of max_seq_len at once */
};

/* budgets  bytes that each stage gives to its pool
 * Errors: TN_ERROR_TOO_LARGE. */
bool tn_trtllm_pool(const struct tn_trtllm_layout *layouts, const uint64_t *budgets, uint32_t stage_count,
                    const struct tn_trtllm_options *options, struct tn_trtllm_pool *pool, struct tn_error *error);

/* Bytes of one rank for so many sequences of max_seq_len. Errors: TN_ERROR_TOO_LARGE. */
bool tn_trtllm_needed(const struct tn_trtllm_layout *layout, const struct tn_trtllm_options *options,
                      uint64_t sequences, uint64_t *bytes, struct tn_error *error);

#endif
