/* vLLM's KV cache, as the engine plans it at its start: pages of each layer kind, groups of layers that share block tables, the number of
 * blocks, and what its log says of them. Integer arithmetic throughout, replayed from the engine's own code of versions 0.9 to 0.29
 * (vllm/v1/core/kv_cache_utils.py, vllm/v1/kv_cache_interface.py, vllm/platforms/interface.py); before 0.8, the engine that came
 * before it.
 *
 *     tn_kv_layers_of(model, deployment, ...)   what there is to cache
 *     tn_vllm_kv_prepare(...)                   pages and groups; nothing here depends on memory
 *     tn_vllm_kv_size(...)                      blocks, tokens and the rest, from the bytes that are left for the pool
 */
#ifndef TN_ENGINE_VLLM_BLOCKS_H
#define TN_ENGINE_VLLM_BLOCKS_H

#include "engine/kv_layers.h"

/* ---- what it depends on ------------------------------------------------------------------------------------------- */

/* A --kv-cache-dtype. */
struct tn_vllm_kv_dtype {
    const char *name;
    uint32_t bits;            /* of an element; 0: those of the model's dtype */
    uint32_t scale_bits;      /* of the scale that 16 elements share; 0 where there is none */
    uint32_t head_bytes;      /* more per token and head, for keys and values together: inline scales */
    bool is_quantised;        /* which attention backends refuse */
    bool is_packed_with_rope; /* fp8_ds_mla: a latent vector in FP8 with its scales, and the rotated part in 16 bits */
};

/* NULL where vLLM has none of that name ("auto", "fp8", "nvfp4", "int8_per_token_head" ...). */
const struct tn_vllm_kv_dtype *tn_vllm_kv_dtype_find(struct tn_str name);

/* --mamba-cache-mode as it takes effect: none without prefix caching. Until 0.14 prefix caching of such models is what is now `all`. */
enum tn_vllm_mamba_mode { TN_VLLM_MAMBA_NONE, TN_VLLM_MAMBA_ALIGN, TN_VLLM_MAMBA_ALL };

/* Layers of one stage of the pipeline. */
struct tn_vllm_kv_stage {
    uint32_t first_layer;
    uint32_t layer_count;
};

struct tn_vllm_kv_options {
    uint64_t version;                      /* major * 1000000 + minor * 1000 + patch */
    const struct tn_vllm_kv_stage *stages; /* [stage_count] */
    uint32_t stage_count;                  /* pipeline parallel; 0: one stage with all layers */
    uint32_t context_ranks;                /* decode (x prefill) context parallel, 0 or 1: none */
    uint32_t compute_capability;           /* 90 for 9.0; 0 where there is none: the backends of older GPUs */
    const struct tn_vllm_kv_dtype *dtype;  /* NULL: auto */
    uint32_t model_bytes;                  /* of an element of the model's dtype: 2 or 4 */
    uint32_t state_bytes;                  /* of an element of recurrent states; 0: as the model has them */
    uint32_t convolution_bytes;            /* likewise of convolution states */
    uint64_t block_tokens;                 /* --block-size; 0: the engine's choice */
    uint64_t max_model_len;                /* tokens of the longest request */
    uint64_t max_num_batched_tokens;
    uint32_t
        batches_in_flight;   /* that hold blocks of a window at once (see tn_vllm_batches_in_flight); 0 counts as 1 */
    uint64_t encoder_tokens; /* of cross attention: max_num_encoder_input_tokens; 0: what the model's encoder has */
    uint32_t speculative_tokens;      /* num_speculative_tokens; 0 without speculation */
    const struct tn_kv_layers *draft; /* caches of a draft model of its own; NULL where there is none */
    enum tn_vllm_mamba_mode mamba_mode;
    uint64_t mamba_chunk_tokens; /* of mode `all`: the model's chunk size; 0: 2048 */
    bool is_hybrid_disabled;  /* --disable-hybrid-kv-cache-manager: windows and chunks take as much as full attention */
    bool has_fp4_index;       /* index keys of a sparse indexer in MXFP4 */
    uint64_t blocks_override; /* num_gpu_blocks_override; 0 where not given */
};

/* Steps whose tokens are scheduled and not yet settled: one before 0.26; then as many as run at once.
 * has_v2_runner  vLLM's second model runner, the default since 0.29 */
uint32_t tn_vllm_batches_in_flight(uint64_t version, uint32_t stage_count, bool is_async, bool has_v2_runner);

/* ---- what is known without memory --------------------------------------------------------------------------------- */

/* Groups that are alike: each has a block table of its own, and takes as many blocks for a request. */
struct tn_vllm_kv_group {
    enum tn_kv_kind kind;
    uint64_t argument;
    uint64_t block_tokens;
    uint64_t bytes; /* of a block in all of these groups on the first stage, where kv->first_block_bytes is; else 0 */
    uint32_t count; /* groups */
    uint32_t layer_count; /* of all of them */
};

struct tn_vllm_kv {
    struct tn_vllm_kv_options options;
    uint64_t block_tokens;     /* cache_config.block_size: of attention layers */
    uint64_t state_bytes;      /* of one layer and request, before it is padded to a page; 0 without states */
    uint64_t state_page_bytes; /* after it */
    const struct tn_vllm_kv_group *groups; /* [group_count] in the order of their first layers */
    uint32_t group_count;
    uint32_t table_count;             /* groups, each counted */
    const uint64_t *block_bytes;      /* [stage_count] of one block of the pool */
    const uint64_t *guard_bytes;      /* [stage_count] what the check before the start takes for one block */
    const struct tn_vllm_spec *specs; /* [spec_count] of the layers before they were grouped */
    uint32_t spec_count;
    /* Of a block in the first group on the first stage, where a request's blocks are its bytes over these (DeepSeek V4 until 0.26);
     * else 0. */
    uint64_t first_block_bytes;
};

/* In the arena; kv->options is a copy. kv->options.max_model_len may be changed before tn_vllm_kv_size, nothing else.
 * Errors: TN_ERROR_DEPLOYMENT where vLLM refuses to start, with its own rule; TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_vllm_kv_prepare(const struct tn_kv_layers *layers, const struct tn_vllm_kv_options *options,
                        struct tn_arena *arena, struct tn_vllm_kv *kv, struct tn_error *error);

/* Blocks that a request of that many tokens takes, in all groups. UINT64_MAX where they exceed 64 bits. */
uint64_t tn_vllm_kv_request_blocks(const struct tn_vllm_kv *kv, uint64_t tokens);

/* ---- with the memory of a GPU ------------------------------------------------------------------------------------- */

struct tn_vllm_kv_pool {
    uint64_t blocks;           /* of each rank: the fewest of all stages; one of them stays unused, the null block */
    uint64_t request_blocks;   /* of one request of max_model_len tokens */
    uint64_t tokens;           /* "GPU KV cache size" */
    double max_concurrency;    /* "Maximum concurrency" */
    bool is_enough;            /* one request of max_model_len fits: else the engine does not start */
    uint32_t stage;            /* the first stage where it does not fit, else the one with the fewest blocks */
    uint64_t needed_bytes;     /* of that stage, for one request; as the engine's complaint has it */
    uint64_t checked_bytes;    /* what it compares them with: available, since 0.29 less the null block */
    uint64_t suggested_tokens; /* "the estimated maximum model length"; 0 where is_enough, or not even one token fits */
};

/* available_bytes  [stage_count, at least 1] of one rank of each stage, left for the pool; kv_cache_memory_bytes where that is set */
void tn_vllm_kv_size(const struct tn_vllm_kv *kv, const uint64_t *available_bytes, struct tn_vllm_kv_pool *pool);

/* What the pool takes on a rank of that stage. */
uint64_t tn_vllm_kv_pool_bytes(const struct tn_vllm_kv *kv, const struct tn_vllm_kv_pool *pool, uint32_t stage);

#endif
