/* vLLM's pool: from pages and groups to blocks, tokens and the check that one request fits. */
#include "engine/vllm_blocks.h"

#include "base/number.h"
#include "engine/vllm_pages.h"

enum { LARGEST_SHIFT = 40 }; /* as for sizes of models: a setting above 2^40 is a mistake */

static bool check_options(const struct tn_vllm_kv_options *options, struct tn_error *error)
{
    const struct {
        const char *name;
        uint64_t value;
    } limits[] = {
        {"max_model_len", options->max_model_len},
        {"max_num_batched_tokens", options->max_num_batched_tokens},
        {"block_size", options->block_tokens},
        {"max_num_encoder_input_tokens", options->encoder_tokens},
        {"mamba_chunk_size", options->mamba_chunk_tokens},
    };
    if (!options->max_model_len) {
        tn_fail(error, TN_ERROR_DEPLOYMENT, "max_model_len is 0");
        return tn_fail_at(error, -1, "max_model_len");
    }
    for (size_t k = 0; k < sizeof limits / sizeof limits[0]; k++) {
        if (limits[k].value >> LARGEST_SHIFT) {
            tn_fail(error, TN_ERROR_TOO_LARGE, "%s is %llu: no engine takes that many", limits[k].name,
                    (unsigned long long)limits[k].value);
            return tn_fail_at(error, -1, "%s", limits[k].name);
        }
    }
    return true;
}

/* Windows are not divided among context-parallel ranks; vLLM asserts it. */
static bool check_context_parallel(const struct tn_vllm_kv *kv, struct tn_error *error)
{
    for (uint32_t k = 0; kv->options.context_ranks > 1 && k < kv->group_count; k++) {
        if (kv->groups[k].kind == TN_KV_SLIDING || kv->groups[k].kind == TN_KV_SLIDING_LATENT) {
            tn_fail(error, TN_ERROR_DEPLOYMENT, "vLLM has no decode context parallelism for sliding windows");
            return tn_fail_at(error, -1, "decode_context_parallel_size");
        }
    }
    return true;
}

bool tn_vllm_kv_prepare(const struct tn_kv_layers *layers, const struct tn_vllm_kv_options *options,
                        struct tn_arena *arena, struct tn_vllm_kv *kv, struct tn_error *error)
{
    *kv = (struct tn_vllm_kv){.options = *options};
    kv->options.context_ranks += !options->context_ranks;
    kv->options.batches_in_flight += !options->batches_in_flight;
    return check_options(options, error) && tn_vllm_make_specs(layers, arena, kv, error)
           && tn_vllm_make_groups(arena, kv, error) && check_context_parallel(kv, error);
}

/* ---- one request -------------------------------------------------------------------------------------------------- */

static uint64_t saturated(tn_u128 value)
{
    return value > UINT64_MAX ? UINT64_MAX : (uint64_t)value;
}

static uint64_t of_group(const struct tn_vllm_kv *kv, const struct tn_vllm_kv_group *group, uint64_t tokens)
{
    return tn_vllm_group_blocks(&kv->options, group->kind, group->argument, group->block_tokens, tokens);
}

/* Blocks of all block tables. */
static uint64_t table_blocks(const struct tn_vllm_kv *kv, uint64_t tokens)
{
    tn_u128 sum = 0;
    for (uint32_t k = 0; k < kv->group_count; k++) {
        sum += (tn_u128)of_group(kv, &kv->groups[k], tokens) * kv->groups[k].count;
    }
    return saturated(sum);
}

uint64_t tn_vllm_kv_request_blocks(const struct tn_vllm_kv *kv, uint64_t tokens)
{
    if (!kv->first_block_bytes) {
        return table_blocks(kv, tokens);
    }
    tn_u128 bytes =
        0; /* until 0.26 groups of several page sizes counted by their bytes, in blocks of the first group */
    for (uint32_t k = 0; k < kv->group_count; k++) {
        bytes += (tn_u128)of_group(kv, &kv->groups[k], tokens) * kv->groups[k].bytes;
    }
    return saturated((bytes + kv->first_block_bytes - 1) / kv->first_block_bytes);
}

/* Before 0.14 it went layer by layer, before windows were taken for full attention and pages were made equal. */
static tn_u128 guard_of_layers(const struct tn_vllm_kv *kv, uint32_t stage, uint64_t tokens)
{
    tn_u128 sum = 0;
    for (uint32_t k = 0; k < kv->spec_count; k++) {
        const struct tn_vllm_spec *spec = &kv->specs[k];
        uint64_t blocks =
            tn_vllm_group_blocks(&kv->options, spec->plain_kind, spec->plain_argument, spec->block_tokens, tokens);
        sum += (tn_u128)blocks * spec->page_bytes * spec->in_stage[stage];
    }
    return sum;
}

/* What the check before the start takes for a request. */
static uint64_t guard_bytes(const struct tn_vllm_kv *kv, uint32_t stage, uint64_t tokens)
{
    uint64_t version = kv->options.version;
    if (version >= TN_VLLM_V1 && version < TN_VLLM_GROUP_GUARD) {
        return saturated(guard_of_layers(kv, stage, tokens));
    }
    bool is_first = version >= TN_VLLM_GROUP_GUARD && version < TN_VLLM_ALL_GROUPS_GUARD;
    uint64_t blocks = is_first ? of_group(kv, &kv->groups[0], tokens) : table_blocks(kv, tokens);
    return saturated((tn_u128)kv->guard_bytes[stage] * blocks);
}

/* The longest request that passes the check, by the engine's own search; 0 where not even one token does. */
static uint64_t longest(const struct tn_vllm_kv *kv, uint32_t stage, uint64_t checked_bytes)
{
    uint64_t low = 1;
    uint64_t high = kv->options.max_model_len;
    uint64_t best = 0;
    if (guard_bytes(kv, stage, 1) > checked_bytes) {
        return 0;
    }
    while (low <= high) {
        uint64_t middle = low + (high - low) / 2;
        if (guard_bytes(kv, stage, middle) <= checked_bytes) {
            best = middle;
            low = middle + 1;
        } else {
            high = middle - 1;
        }
    }
    return best;
}

/* ---- the pool ----------------------------------------------------------------------------------------------------- */

/* Bytes that the check may count on: those of the blocks that were asked for, if any were. */
static uint64_t checked_bytes(const struct tn_vllm_kv *kv, uint32_t stage, uint64_t available_bytes)
{
    uint64_t version = kv->options.version;
    uint64_t block = kv->block_bytes[stage];
    bool is_override = kv->options.blocks_override && version >= TN_VLLM_TOKENS_BY_CONCURRENCY;
    uint64_t bytes = is_override ? saturated((tn_u128)kv->options.blocks_override * block) : available_bytes;
    if (version < TN_VLLM_NULL_BLOCK_CHECKED) {
        return bytes;
    }
    return bytes > block ? bytes - block : 0;
}

static uint64_t least_block_tokens(const struct tn_vllm_kv *kv)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t k = 0; k < kv->group_count; k++) {
        bool is_whole = kv->groups[k].kind == TN_KV_STATE && kv->options.mamba_mode == TN_VLLM_MAMBA_NONE;
        uint64_t tokens = is_whole ? kv->options.max_model_len : kv->groups[k].block_tokens;
        least = tokens < least ? tokens : least;
    }
    return least;
}

static void count_tokens(const struct tn_vllm_kv *kv, struct tn_vllm_kv_pool *pool)
{
    const struct tn_vllm_kv_options *options = &kv->options;
    uint64_t by_blocks =
        saturated((tn_u128)(pool->blocks / kv->table_count) * least_block_tokens(kv) * options->context_ranks);
    pool->request_blocks = tn_vllm_kv_request_blocks(kv, options->max_model_len);
    pool->max_concurrency = options->version < TN_VLLM_REQUEST_BLOCKS
                                ? (double)by_blocks / (double)options->max_model_len
                                : (double)pool->blocks / (double)pool->request_blocks;
    double by_concurrency = pool->max_concurrency * (double)options->max_model_len;
    bool is_by_blocks = options->version < TN_VLLM_TOKENS_BY_CONCURRENCY;
    uint64_t truncated = by_concurrency < 0x1p63 ? (uint64_t)by_concurrency : UINT64_MAX;
    pool->tokens = is_by_blocks ? by_blocks : truncated;
}

static void check_stages(const struct tn_vllm_kv *kv, const uint64_t *available_bytes, struct tn_vllm_kv_pool *pool)
{
    bool is_least = kv->options.version >= TN_VLLM_GROUP_GUARD && kv->options.version < TN_VLLM_STAGES_APART;
    uint64_t least = UINT64_MAX;
    for (uint32_t s = 0; s < tn_vllm_stages(&kv->options); s++) {
        least = available_bytes[s] < least ? available_bytes[s] : least;
    }
    for (uint32_t s = 0; s < tn_vllm_stages(&kv->options) && pool->is_enough; s++) {
        uint64_t checked = checked_bytes(kv, s, is_least ? least : available_bytes[s]);
        uint64_t needed = guard_bytes(kv, s, kv->options.max_model_len);
        pool->is_enough = kv->block_bytes[s] == 0 || (needed <= checked && available_bytes[s] > 0);
        if (!pool->is_enough || s == pool->stage) {
            pool->stage = s;
            pool->needed_bytes = needed;
            pool->checked_bytes = checked;
        }
    }
    pool->suggested_tokens = pool->is_enough ? 0 : longest(kv, pool->stage, pool->checked_bytes);
}

void tn_vllm_kv_size(const struct tn_vllm_kv *kv, const uint64_t *available_bytes, struct tn_vllm_kv_pool *pool)
{
    *pool = (struct tn_vllm_kv_pool){.blocks = UINT64_MAX, .is_enough = true};
    for (uint32_t s = 0; s < tn_vllm_stages(&kv->options); s++) {
        uint64_t blocks = kv->block_bytes[s] ? available_bytes[s] / kv->block_bytes[s] : UINT64_MAX;
        if (blocks < pool->blocks) {
            pool->blocks = blocks;
            pool->stage = s;
        }
    }
    if (!kv->group_count) { /* nothing to cache: the null block alone */
        pool->blocks = 1;
        return;
    }
    pool->blocks = kv->options.blocks_override ? kv->options.blocks_override : pool->blocks;
    count_tokens(kv, pool);
    check_stages(kv, available_bytes, pool);
}

uint64_t tn_vllm_kv_pool_bytes(const struct tn_vllm_kv *kv, const struct tn_vllm_kv_pool *pool, uint32_t stage)
{
    return saturated((tn_u128)pool->blocks * kv->block_bytes[stage]);
}
