/* What would fit: other settings of the same deployment, each computed whole. */
#ifndef TN_ENGINE_LLAMACPP_SEARCH_H
#define TN_ENGINE_LLAMACPP_SEARCH_H

#include "engine/llamacpp/llama.h"

/* What to change when the buffers of a GPU exceed its memory; all 0 where nothing of the kind helps. */
struct tn_llama_advice {
    uint64_t gpu_layers;     /* n_gpu_layers: the most that fit */
    uint64_t cpu_experts;    /* n_cpu_moe: the fewest layers whose experts go to the CPU, so that all others fit */
    uint64_t context_tokens; /* n_ctx: the longest that fits with everything on the GPUs, in whole steps */
};

/* llama        as it was planned; not changed
 * limit_bytes  [gpu_count] of each GPU for its buffers
 * Errors: TN_ERROR_MEMORY; what cannot be planned does not fit. */
bool tn_llama_advise(const struct tn_llama *llama, const uint64_t *limit_bytes, struct tn_llama_advice *advice);

/* As llama.cpp fits its settings to the memory that is free (--fit): first a context that was not asked for is cut, then experts or layers
 * leave the GPUs. llama->settings are changed to what it would choose.
 * limit_bytes  [gpu_count] of each GPU for its buffers, its margin taken off
 * least_context_tokens  a context that was not asked for is not cut below; 0: it was asked for, and stays
 * Errors: TN_ERROR_MEMORY. */
bool tn_llama_fit(struct tn_llama *llama, const uint64_t *limit_bytes, uint64_t least_context_tokens);

#endif
