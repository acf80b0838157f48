/* SGLang's memory pools: from the memory that is left beside weights and reserve to tokens, states and requests. Integer arithmetic of the
 * engine, without models and settings of ours.
 *
 *     rest    = free memory after loading - free memory before it * (1 - mem_fraction_static)
 *     states  = rest * ratio / (1 + ratio) / bytes per request        models with recurrent layers, first
 *     tokens  = rest // bytes per token // page * page                the least of all pipeline stages; max_total_tokens caps it
 *     windows = tokens * swa_full_tokens_ratio // page * page         a pool of their own where the class has one
 *
 * Pools are allocated with one page more than their tokens, for writes that mean nothing; states with one slot more. */
#ifndef TN_ENGINE_SGLANG_POOL_H
#define TN_ENGINE_SGLANG_POOL_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* What the caches of one rank of one stage take. */
struct tn_sglang_layout {
    double token_bytes;           /* of one token, as the engine counts when it divides the memory; without windows */
    double window_bytes;          /* of one token of the window pool; 0 where there is none */
    uint64_t slot_bytes;          /* of one token as allocated, without windows and index keys */
    uint64_t window_slot_bytes;   /* of one token of the window pool as allocated */
    uint64_t index_slot_bytes;    /* index keys of one token, in pages of 64 */
    double compressed_bytes;      /* of one token in pools that keep one row for several, as counted and allocated */
    uint64_t state_bytes;         /* states of one request in this stage */
    uint64_t charged_state_bytes; /* what the engine counts for them: in newer versions the largest of all stages */
    uint64_t draft_slot_bytes;    /* of one token in the pool that a draft's layers have beside this one */
    uint64_t ring_row_bytes;      /* rows of rings that each request slot has (DeepSeek V4's 128-fold compression) */
};

struct tn_sglang_options {
    uint64_t page_tokens;
    uint64_t context_tokens;
    uint64_t window_tokens;     /* the longest window; 0 where there is none */
    double window_ratio;        /* swa_full_tokens_ratio */
    double state_ratio;         /* mamba_full_memory_ratio */
    uint64_t state_slots;       /* max_mamba_cache_size of one worker; 0: by the ratio */
    uint64_t slots_per_request; /* 1 without radix cache, else 3 to 5; at least 1 */
    uint64_t request_limit;     /* max_running_requests of one worker; 0: derived */
    uint64_t token_limit;       /* max_total_tokens; 0: none */
    uint64_t draft_tokens;      /* of speculation; 0 without */
    uint64_t ring_rows;         /* of one request slot; 0 where there are none */
    uint64_t scratch_bytes;     /* what the attention backend keeps for each request slot; 0 for nothing */
    bool charges_padding;       /* the slot for nothing is counted, and intermediate states are solved for jointly */
};

/* Pools of one rank; tokens are those of the log. */
struct tn_sglang_pool {
    uint64_t tokens;        /* max_total_num_tokens */
    uint64_t window_tokens; /* of the window pool; 0 where there is none */
    uint64_t state_slots;   /* max_mamba_cache_size; 0 where there are no states */
    uint64_t requests;      /* max_running_requests */
};

/* Bytes that the pools of one stage take. */
struct tn_sglang_bytes {
    uint64_t kv_bytes;      /* "KV size", windows included: of pages with the one that means nothing */
    uint64_t state_bytes;   /* with the slot that means nothing, and intermediate states of drafts */
    uint64_t draft_bytes;   /* the draft's own pool */
    uint64_t map_bytes;     /* req_to_token: where each request's tokens lie */
    uint64_t scratch_bytes; /* partial results of decode attention, of all request slots */
};

/* rests  bytes that each stage has for its pools
 * The pools are all 0 where the memory does not suffice for one page; state_slots alone where states left nothing for tokens.
 * Errors: TN_ERROR_TOO_LARGE. */
bool tn_sglang_pool(const struct tn_sglang_layout *layouts, const uint64_t *rests, uint32_t stage_count,
                    const struct tn_sglang_options *options, struct tn_sglang_pool *pool, struct tn_error *error);

/* The same where the bytes of the KV pool are known, as the log gives them ("K size" and "V size"): the most tokens whose pools take no
 * more. States are then a share of the KV pool.
 * kv_bytes  of the first stage's rank */
bool tn_sglang_pool_of_bytes(const struct tn_sglang_layout *layout, uint64_t kv_bytes,
                             const struct tn_sglang_options *options, struct tn_sglang_pool *pool,
                             struct tn_error *error);

/* Errors: TN_ERROR_TOO_LARGE. */
bool tn_sglang_pool_bytes(const struct tn_sglang_layout *layout, const struct tn_sglang_options *options,
                          const struct tn_sglang_pool *pool, struct tn_sglang_bytes *bytes, struct tn_error *error);

/* The smallest pools that hold so many requests of the context at once. Errors: TN_ERROR_TOO_LARGE. */
bool tn_sglang_pool_for(const struct tn_sglang_layout *layout, const struct tn_sglang_options *options,
                        uint64_t requests, struct tn_sglang_pool *pool, struct tn_error *error);

/* How many requests of the context the pools hold at once: by tokens, by windows, by states and by the engine's own limit. */
double tn_sglang_concurrency(const struct tn_sglang_options *options, const struct tn_sglang_pool *pool);

#endif
