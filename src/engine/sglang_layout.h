/* A model's caches as SGLang lays them in its pools: bytes of a token, of a request's states, of windows, on one rank of one stage. */
#ifndef TN_ENGINE_SGLANG_LAYOUT_H
#define TN_ENGINE_SGLANG_LAYOUT_H

#include "engine/kv_layers.h"
#include "engine/record/rules.h"
#include "engine/sglang_pool.h"

/* What the caches' bytes depend on besides the model: figures of the record. */
struct tn_sglang_caches {
    const struct tn_model *model;
    struct tn_kv_layers layers;
    uint64_t cache_bits;           /* of one element; 4: with a scale for every 16 elements */
    uint64_t packed_latent_bytes;  /* of a sparse latent row as stored; 0: elements x bits */
    uint64_t counted_latent_bytes; /* the same as the engine counts it */
    uint64_t recurrent_bytes;      /* of an element of a recurrent state; convolutions have 2 */
    bool has_window_pool;
    bool counts_index;        /* index keys are part of the count */
    bool index_in_all_layers; /* index keys stand beside every latent cache, whether or not the layer has an indexer */
    bool counts_draft;        /* the draft's layers enlarge the count */
    bool is_v4;               /* DeepSeek V4: the record's rows */
    double compressed_bytes;  /* of one token, all layers: v4_compressed_bytes, v4_window_bytes and so on */
    double window_bytes;
    uint64_t ring_row_bytes;
};

/* The layout of the stage that holds the layers [first, end). Errors: TN_ERROR_TOO_LARGE. */
bool tn_sglang_layout(const struct tn_sglang_caches *caches, uint32_t first, uint32_t end, bool is_last,
                      struct tn_sglang_layout *layout, struct tn_error *error);

/* The longest window of the model that has a pool of its own; 0 where none has. */
uint64_t tn_sglang_window(const struct tn_sglang_caches *caches);

#endif
