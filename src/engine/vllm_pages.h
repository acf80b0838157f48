/* Inside vLLM's KV planning: what one layer keeps, as the engine's "specs" say it, and when the engine's rules changed. */
#ifndef TN_ENGINE_VLLM_PAGES_H
#define TN_ENGINE_VLLM_PAGES_H

#include "engine/vllm_blocks.h"

/* The first versions in which a rule holds, read off released packages. */
enum tn_vllm_since {
    TN_VLLM_V1 = 8000,                 /* the engine with groups; before it, blocks of 16 for every layer */
    TN_VLLM_REQUEST_BLOCKS = 9000,     /* concurrency counts whole blocks */
    TN_VLLM_UNIFORM_TYPES = 11000,     /* layers of one type may differ in their pages */
    TN_VLLM_UNIFIED_PAGES = 12000,     /* pages of unlike groups are made equal; before, they had to be */
    TN_VLLM_DS_MLA_ON_REQUEST = 12000, /* sparse latent caches are FP8 only where asked for */
    TN_VLLM_NEAR_GROUPS = 12000,       /* buckets that differ by less than a quarter are padded to the larger */
    TN_VLLM_GROUP_GUARD = 14000,       /* the check counts groups with their padding, not layers */
    TN_VLLM_FLASHINFER_MLA = 15000,    /* on Blackwell in place of CUTLASS, which has blocks of 128 */
    TN_VLLM_STATE_DRAFTS = 15000,      /* states keep a block per speculative token */
    TN_VLLM_STAGES_APART = 17000,      /* the check looks at each stage; pages of one group are those of its stage */
    TN_VLLM_NEARER_GROUPS = 18000,     /* the same, by less than a half */
    TN_VLLM_BACKEND_BLOCKS = 18000,    /* each backend names its block sizes; 16 where it can */
    TN_VLLM_ALL_GROUPS_GUARD = 19000,  /* the check counts all groups, not the first alone */
    TN_VLLM_SPARSE_BACKENDS = 19000,   /* sparse latent caches of Blackwell are plain FP8 */
    TN_VLLM_HYBRID_BLOCKS = 20000,     /* blocks beside states align to the block size, not to 16 */
    TN_VLLM_SLIDING_LATENT = 20000,    /* DeepSeek V4: layers in tuples of page sizes */
    TN_VLLM_TOKENS_BY_CONCURRENCY = 20001, /* "GPU KV cache size" is max_concurrency x max_model_len */
    TN_VLLM_ALL_STATE_DRAFTS = 21000,      /* the same in mode `all` */
    TN_VLLM_SLOTS = 23000,                 /* DeepSeek V4: as many places of a page size as the group that needs most */
    TN_VLLM_PADDED_PAGES = 24000,          /* pages that do not divide the largest are padded */
    TN_VLLM_SMALL_WINDOW_BLOCKS = 25000,   /* windows have the backend's smallest blocks, whatever --block-size says */
    TN_VLLM_IN_FLIGHT = 26000, /* windows keep blocks of all steps that run at once; states pad to a draft's page */
    TN_VLLM_SLAB = 27000,      /* DeepSeek V4: groups lie over one another in each block */
    TN_VLLM_BLOCKS_BY_GROUP = 27000,   /* concurrency rounds up in each group */
    TN_VLLM_LATENT_HYBRID_128 = 27000, /* blocks of latent caches beside states are multiples of 128 */
    TN_VLLM_FULL_FALLBACK = 27000,     /* a draft's windows beside latent caches become full where pages do not unify */
    TN_VLLM_PACKED_GROUPS = 29000,     /* DeepSeek V4: the general packing; its check takes the real blocks */
    TN_VLLM_NULL_BLOCK_CHECKED = 29000, /* the check leaves the null block out */
};

/* The layers that keep the same. */
struct tn_vllm_spec {
    enum tn_kv_kind kind;
    uint64_t argument;
    enum tn_kv_kind plain_kind; /* before a window was taken for full attention */
    uint64_t plain_argument;
    uint64_t heads;
    uint64_t elements;
    uint64_t block_tokens;
    uint64_t page_bytes; /* of one layer */
    uint32_t layer_count;
    const uint32_t *in_stage; /* [stage_count] how many of them */
};

static inline uint32_t tn_vllm_stages(const struct tn_vllm_kv_options *options)
{
    return options->stage_count ? options->stage_count : 1;
}

/* Full attention and all latent caches without a window: what vLLM takes for one type. */
bool tn_vllm_is_full(enum tn_kv_kind kind);

/* The smallest block that the kernels of the attention backend take, and the one that the engine chooses without --block-size. */
struct tn_vllm_block_choice {
    uint64_t kernel_tokens;
    uint64_t preferred_tokens;
};

struct tn_vllm_block_choice tn_vllm_choose_block(const struct tn_kv_layers *layers,
                                                 const struct tn_vllm_kv_options *options);

/* Bytes of one token (of a state: of one request) in one layer. false where they exceed 64 bits. */
bool tn_vllm_token_bytes(const struct tn_kv_cache *cache, bool is_sparse, const struct tn_vllm_kv_options *options,
                         uint64_t *bytes);

/* The specs of all layers, those of the draft last, and kv->block_tokens, kv->state_bytes, kv->state_page_bytes. */
bool tn_vllm_make_specs(const struct tn_kv_layers *layers, struct tn_arena *arena, struct tn_vllm_kv *kv,
                        struct tn_error *error);

/* Blocks of a request in one group. */
uint64_t tn_vllm_group_blocks(const struct tn_vllm_kv_options *options, enum tn_kv_kind kind, uint64_t argument,
                              uint64_t block_tokens, uint64_t tokens);

/* Groups the specs: fills the rest of kv. */
bool tn_vllm_make_groups(struct tn_arena *arena, struct tn_vllm_kv *kv, struct tn_error *error);

#endif
