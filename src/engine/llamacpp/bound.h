/* How much the compute buffers are at most, where no recipe tells the graph. */
#ifndef TN_ENGINE_LLAMACPP_BOUND_H
#define TN_ENGINE_LLAMACPP_BOUND_H

#include "engine/llamacpp/llama.h"

/* Whether CUDA's flash attention has kernels for the heads of all layers, however many of them share a key. */
bool tn_llama_has_kernels(const struct tn_llama *llama);

/* shares  [gpu_count + 1]: `compute` is set
 * Errors: TN_ERROR_TOO_LARGE. */
bool tn_llama_bound_compute(const struct tn_llama *llama, struct tn_llama_share *shares);

#endif
