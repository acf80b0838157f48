/* How Text Generation Inference sizes its KV cache: after a prefill of the longest batch has run, from what the GPU has free then.
 * Pure arithmetic, in doubles where the server computes in them (server/text_generation_server/models/flash_causal_lm.py, warmup;
 * utils/import_utils.py, get_cuda_free_memory). */
#ifndef TN_ENGINE_TGI_POOL_H
#define TN_ENGINE_TGI_POOL_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct tn_tgi_budget {
    uint64_t total_bytes;    /* of the GPU, as a program sees it */
    double memory_fraction;  /* CUDA_MEMORY_FRACTION */
    double room;             /* TGI_WIGGLE_ROOM: the share that is used, */
    bool room_is_of_total;   /* of the GPU's memory (3.0 and later), else of what is free */
    uint64_t block_bytes;    /* keys and values of all layers of one rank; at least 1 */
    uint64_t block_tokens;   /* at least 1 */
    uint64_t warm_up_blocks; /* which the prefill has, and which are made anew with the others */
};

/* free_bytes  of the GPU (cudaMemGetInfo) after the prefill, before its blocks are given back
 * Errors: TN_ERROR_TOO_LARGE. */
bool tn_tgi_blocks(const struct tn_tgi_budget *budget, uint64_t free_bytes, uint64_t *blocks, struct tn_error *error);

/* The batch that the router sends for the warm-up: requests of max_input_tokens, the last one shorter, until max_batch_prefill_tokens are
 * reached; each is given blocks for all tokens that it may have.
 * input_tokens  0: one request takes all of prefill_tokens and one new token (3.0 and later, where nothing is set)
 * batch_limit   of requests (max_batch_size); 0: none
 * Errors: TN_ERROR_TOO_LARGE. */
struct tn_tgi_warm_up {
    uint64_t prefill_tokens;
    uint64_t input_tokens;
    uint64_t total_tokens;
    uint64_t speculated_tokens;
    uint64_t batch_limit;
    uint64_t block_tokens;
};

bool tn_tgi_warm_up_blocks(const struct tn_tgi_warm_up *warm_up, uint64_t *requests, uint64_t *blocks,
                           struct tn_error *error);

#endif
