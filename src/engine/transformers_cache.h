/* The caches of Hugging Face transformers, one layer at a time: how many bytes of keys, values and states are alive when the prompt has
 * been read, when the last token is generated, and how much is held twice in between. Pure arithmetic, after src/transformers/cache_utils.py
 * of versions 4.36 to 5.23. */
#ifndef TN_ENGINE_TRANSFORMERS_CACHE_H
#define TN_ENGINE_TRANSFORMERS_CACHE_H

#include "engine/kv_layers.h"

enum tn_transformers_cache {
    TN_TRANSFORMERS_DYNAMIC,   /* grows by concatenation: the old tensor lives until the new one is there */
    TN_TRANSFORMERS_STATIC,    /* allocated for the longest request at once */
    TN_TRANSFORMERS_QUANTIZED, /* old tokens in few bits, the latest in full; unpacked anew for each token */
    TN_TRANSFORMERS_CACHE_COUNT
};

struct tn_transformers_use {
    enum tn_transformers_cache cache;
    bool is_offloaded;        /* to the processor's memory, but for the layer at work and the next one */
    bool keeps_windows;       /* layers with a window or chunks drop what they do not see any more */
    uint64_t sequences;       /* at once: requests x beams */
    uint64_t prompt_tokens;   /* of one sequence, at least 1 */
    uint64_t total_tokens;    /* prompt and what is generated, at least prompt_tokens */
    uint64_t chunk_tokens;    /* the prompt is read in pieces of so many; 0: as a whole */
    uint64_t static_tokens;   /* of a static cache: max_cache_len */
    uint64_t element_bytes;   /* of the computation, in which keys and values are kept */
    uint64_t recurrent_bytes; /* of an element of a recurrent state; 0: as the model's record says */
    uint64_t
        latent_elements; /* of MLA, per token, layer and rank, where keys and values of all heads are kept; 0: the latent vector */
    uint64_t index_elements; /* of the keys of a sparse indexer, per token */
    uint64_t quantized_bits; /* of a quantised cache: bits of an element, */
    uint64_t
        group_elements; /* elements that share a scale and a zero point, each of element_bytes (0: neither is kept), */
    uint64_t residual_tokens; /* and the number of tokens at which those in full are quantised too */
};

/* Bytes of one layer for all sequences. */
struct tn_transformers_layer {
    uint64_t prompt_bytes; /* when the prompt has been read */
    uint64_t token_bytes;  /* while the last token is generated */
    uint64_t copy_bytes;   /* what is held a second time then */
};

/* layer  cache of one layer, per rank
 * Errors: TN_ERROR_TOO_LARGE. */
bool tn_transformers_layer_bytes(const struct tn_transformers_use *use, const struct tn_kv_cache *layer,
                                 struct tn_transformers_layer *bytes, struct tn_error *error);

/* The caches of one pipeline stage. */
struct tn_transformers_caches {
    uint64_t kind_bytes[TN_KV_KIND_COUNT]; /* while the last token is generated; their sum is token_bytes */
    uint32_t kind_layers[TN_KV_KIND_COUNT];
    uint64_t prompt_bytes;
    uint64_t token_bytes;
    uint64_t copy_bytes; /* of the layer that holds most twice */
};

/* first_layer, layer_count  of the stage
 * is_last                   the stage also has the layers beyond those of the text stack
 * Errors: TN_ERROR_TOO_LARGE. */
bool tn_transformers_caches_of(const struct tn_transformers_use *use, const struct tn_kv_layers *layers,
                               uint32_t first_layer, uint32_t layer_count, bool is_last,
                               struct tn_transformers_caches *caches, struct tn_error *error);

#endif
