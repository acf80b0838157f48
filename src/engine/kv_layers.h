/* The caches of a model as serving engines see them: one row for all layers that keep the same, per rank. */
#ifndef TN_ENGINE_KV_LAYERS_H
#define TN_ENGINE_KV_LAYERS_H

#include "model/model.h"
#include "plan/deployment.h"

enum tn_kv_kind {
    TN_KV_FULL,
    TN_KV_SLIDING,
    TN_KV_CHUNKED,
    TN_KV_LATENT,           /* MLA: one vector per token, the same on every rank */
    TN_KV_SLIDING_LATENT,   /* likewise with a window (DeepSeek V4) */
    TN_KV_COMPRESSED,       /* one latent vector per `argument` tokens */
    TN_KV_INDEX,            /* keys of a sparse indexer, per token */
    TN_KV_COMPRESSED_INDEX, /* one per `argument` tokens */
    TN_KV_RING,             /* what a compressor has not yet folded: the last `argument` tokens */
    TN_KV_STATE,            /* recurrent and convolution states: per request */
    TN_KV_CROSS,            /* `argument` tokens of an encoder */
    TN_KV_KIND_COUNT
};

enum { TN_KV_STATE_PARTS = 4 };

struct tn_kv_state_part {
    uint64_t elements; /* on this rank, without speculation */
    uint64_t rows;     /* of a convolution: elements / rows more for each speculative token; 0 for a recurrent state */
    uint32_t element_bytes;
};

/* One cache of some layers. Layers that read another's cache are in none. */
struct tn_kv_cache {
    enum tn_kv_kind kind;
    uint64_t argument; /* window, chunk, ratio, tokens of the encoder; 0 where it has none */
    uint64_t heads;    /* KV heads on this rank; 1 where it has none */
    uint64_t elements; /* per unit on this rank: heads x (key + value size), or the latent vector; 0 for states */
    const struct tn_dtype *dtype;                     /* of the cache where the model fixes it; NULL: the KV dtype */
    struct tn_kv_state_part parts[TN_KV_STATE_PARTS]; /* of a state: [part_count] */
    uint32_t part_count;
    const uint32_t *layers; /* [layer_count] their numbers, rising; owned by the model; NULL for a draft */
    uint32_t layer_count;
    bool is_draft; /* of layers that predict further tokens: they stand on the last stage */
};

struct tn_kv_layers {
    struct tn_kv_cache *caches; /* [count]; those of multi-token prediction stand behind the others */
    size_t count;
};

/* All caches, of all stages. A layer of multi-token prediction keeps what the text layers of its kind keep; as many count as the model
 * has.
 * has_draft  whether those are used
 * In the arena. Errors: TN_ERROR_DEPLOYMENT where heads do not divide, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_kv_layers_of(const struct tn_model *model, const struct tn_deployment *deployment, bool has_draft,
                     struct tn_arena *arena, struct tn_kv_layers *layers, struct tn_error *error);

/* Layers of the cache on a stage of the pipeline that holds the layers [first, end); a draft is on the last one. */
uint32_t tn_kv_layers_between(const struct tn_kv_cache *cache, uint32_t first, uint32_t end, bool is_last);

#endif
