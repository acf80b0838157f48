/* What the allocator and the scheduler of ggml ask of a device: alignment, sizes that it adds, and which operations it can do. CUDA as of
 * llama.cpp 0.5.0 (ggml-cuda.cu, fattn.cu). */
#ifndef TN_ENGINE_GGML_DEVICE_H
#define TN_ENGINE_GGML_DEVICE_H

#include "engine/ggml/tensor.h"

enum tn_ggml_kind { TN_GGML_CPU, TN_GGML_CUDA };

struct tn_ggml_device {
    enum tn_ggml_kind kind;
    uint32_t compute_capability; /* 89 for 8.9; 0: unknown, then as a card with tensor cores of Turing or later */
    bool takes_gaps;             /* unary operations take rows with gaps between them: since llama.cpp 0.6 */
    bool copies_inside; /* copies of a quantised cache in F16 are part of the buffer of flash attention's result */
};

uint64_t tn_ggml_alignment(enum tn_ggml_kind kind);

/* Bytes that a tensor takes in a buffer of the device, before alignment. */
uint64_t tn_ggml_allocated_bytes(const struct tn_ggml_device *device, const struct tn_ggml_tensor *tensor);

/* The same for a weight or a cache. */
uint64_t tn_ggml_stored_bytes(enum tn_ggml_kind kind, const struct tn_dtype *type, uint64_t row_elements,
                              uint64_t bytes);

bool tn_ggml_supports(const struct tn_ggml_device *device, const struct tn_ggml_tensor *tensor);

/* Whether CUDA has kernels of flash attention for heads of that size, for any number of them. */
bool tn_ggml_has_head(uint64_t key_elements, uint64_t value_elements);

/* Whether a device multiplies by matrices of that type. */
bool tn_ggml_multiplies(enum tn_ggml_kind kind, const struct tn_dtype *type);

/* Whether a device would take over an operation whose weight lies in the host's memory: worth it from 32 tokens on. */
bool tn_ggml_offloads(const struct tn_ggml_device *device, const struct tn_ggml_tensor *tensor);

#endif
