/* From caches per layer to SGLang's pools. What another engine saves by sharing caches between layers SGLang does not: layers that read
 * another's have one of their own. */
#include "engine/sglang_layout.h"

#include "base/number.h"

enum { CONVOLUTION_BYTES = 2, SCALE_ELEMENTS = 16 };

struct build {
    const struct tn_sglang_caches *caches;
    struct tn_sglang_layout *layout;
    struct tn_error *error;
};

static bool fail_large(const struct build *build)
{
    return tn_fail(build->error, TN_ERROR_TOO_LARGE, "the caches of one token exceed 64 bits");
}

/* Bytes of one token in one layer of the cache, as stored. */
static uint64_t row_bytes(const struct tn_sglang_caches *caches, const struct tn_kv_cache *cache)
{
    if (cache->kind == TN_KV_LATENT && caches->packed_latent_bytes) {
        return caches->packed_latent_bytes;
    }
    if (cache->dtype) {
        return cache->elements / cache->dtype->block_elements * cache->dtype->block_bytes;
    }
    uint64_t bytes = cache->elements / 8 * caches->cache_bits + cache->elements % 8 * caches->cache_bits / 8;
    return caches->cache_bits == 4 ? bytes + cache->elements / SCALE_ELEMENTS : bytes;
}

static bool has_window(const struct tn_sglang_caches *caches, const struct tn_kv_cache *cache)
{
    return caches->has_window_pool && (cache->kind == TN_KV_SLIDING || cache->kind == TN_KV_CHUNKED);
}

static bool is_label(const struct tn_cache *a, const struct tn_cache *b)
{
    return tn_str_equal(a->label, b->label);
}

/* Layers of that kind that read another's cache, in the stage. */
static uint32_t sharing_layers(const struct tn_model *model, const struct tn_kv_cache *owner, uint32_t first,
                               uint32_t end)
{
    const struct tn_cache *own = NULL;
    for (size_t k = 0; k < model->cache_count; k++) {
        own = model->caches[k].layers == owner->layers && model->caches[k].layers ? &model->caches[k] : own;
    }
    uint32_t count = 0;
    for (size_t k = 0; own && k < model->cache_count; k++) {
        const struct tn_cache *cache = &model->caches[k];
        bool shares = cache->growth == TN_GROWTH_SHARE && is_label(cache, own);
        for (uint32_t layer = 0; shares && layer < cache->layer_count; layer++) {
            count += cache->layers[layer] >= first && cache->layers[layer] < end;
        }
    }
    return count;
}

static bool add_product(uint64_t *sum, uint64_t bytes, uint64_t layers)
{
    uint64_t product;
    return tn_mul_u64(bytes, layers, &product) && tn_add_u64(*sum, product, sum);
}

static bool add_states(const struct build *build, const struct tn_kv_cache *cache, uint32_t layers)
{
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < cache->part_count; k++) {
        uint64_t element = cache->parts[k].rows ? CONVOLUTION_BYTES : build->caches->recurrent_bytes;
        if (!add_product(&bytes, cache->parts[k].elements, element)) {
            return false;
        }
    }
    return add_product(&build->layout->state_bytes, bytes, layers);
}

/* Of a token in the pool for whole texts; the count may differ from what is stored. */
static bool add_tokens(const struct build *build, const struct tn_kv_cache *cache, uint32_t layers)
{
    uint64_t stored = row_bytes(build->caches, cache);
    uint64_t counted = cache->kind == TN_KV_LATENT && build->caches->packed_latent_bytes
                           ? build->caches->counted_latent_bytes
                           : stored;
    build->layout->token_bytes += (double)counted * layers;
    return add_product(&build->layout->slot_bytes, stored, layers);
}

static bool add_cache(const struct build *build, const struct tn_kv_cache *cache, uint32_t layers)
{
    uint64_t bytes = row_bytes(build->caches, cache);
    switch (cache->kind) {
    case TN_KV_STATE:
        return add_states(build, cache, layers);
    case TN_KV_INDEX:
        build->layout->token_bytes += build->caches->counts_index ? (double)bytes * layers : 0;
        return add_product(&build->layout->index_slot_bytes, bytes, layers);
    case TN_KV_CROSS: /* encoder tokens lie in the same pool as others */
    case TN_KV_FULL:
    case TN_KV_LATENT:
    case TN_KV_SLIDING:
    case TN_KV_CHUNKED:
        if (has_window(build->caches, cache)) {
            build->layout->window_bytes += (double)bytes * layers;
            return add_product(&build->layout->window_slot_bytes, bytes, layers);
        }
        return add_tokens(build, cache, layers);
    default: /* of DeepSeek V4 alone, whose rows the record has */
        return true;
    }
}

static uint32_t latent_layers(const struct tn_sglang_caches *caches, uint32_t first, uint32_t end, bool is_last)
{
    uint32_t count = 0;
    for (size_t k = 0; k < caches->layers.count; k++) {
        const struct tn_kv_cache *cache = &caches->layers.caches[k];
        bool counts = cache->kind == TN_KV_LATENT && !cache->is_draft;
        count += counts ? tn_kv_layers_between(cache, first, end, is_last) : 0;
    }
    return count;
}

/* Layers of the stage that have rows of the cache. */
static uint32_t layers_of(const struct tn_sglang_caches *caches, const struct tn_kv_cache *cache, uint32_t first,
                          uint32_t end, bool is_last)
{
    if (cache->kind == TN_KV_INDEX && caches->index_in_all_layers) {
        return latent_layers(caches, first, end, is_last);
    }
    uint32_t own = tn_kv_layers_between(cache, first, end, is_last);
    return own + (cache->kind == TN_KV_STATE ? 0 : sharing_layers(caches->model, cache, first, end));
}

/* V4's pools are counted over all layers at once: a stage has its share of them. */
static void take_v4(const struct build *build, uint32_t layers)
{
    const struct tn_sglang_caches *caches = build->caches;
    uint32_t all = caches->model->layer_count;
    double share = all ? (double)layers / all : 1;
    build->layout->compressed_bytes = caches->compressed_bytes * share;
    build->layout->window_bytes = caches->window_bytes * share;
    build->layout->window_slot_bytes = (uint64_t)build->layout->window_bytes;
    build->layout->ring_row_bytes = (uint64_t)((double)caches->ring_row_bytes * share);
}

/* The engine enlarges the count by the draft's share of the layers, whatever those layers keep. */
static void count_draft(const struct build *build, uint32_t layers, uint32_t draft_layers)
{
    double scale = layers ? (double)(layers + draft_layers) / layers : 1;
    build->layout->token_bytes = (double)(uint64_t)(build->layout->token_bytes * scale);
}

bool tn_sglang_layout(const struct tn_sglang_caches *caches, uint32_t first, uint32_t end, bool is_last,
                      struct tn_sglang_layout *layout, struct tn_error *error)
{
    struct build build = {caches, layout, error};
    uint32_t token_layers = 0;
    uint32_t draft_layers = 0;
    *layout = (struct tn_sglang_layout){0};
    if (caches->is_v4) {
        take_v4(&build, end - first);
        return true;
    }
    for (size_t k = 0; k < caches->layers.count; k++) {
        const struct tn_kv_cache *cache = &caches->layers.caches[k];
        if (cache->is_draft) {
            uint32_t count = tn_kv_layers_between(cache, first, end, is_last);
            draft_layers += cache->kind == TN_KV_STATE || cache->kind == TN_KV_INDEX ? 0 : count;
            if (!add_product(&layout->draft_slot_bytes, row_bytes(caches, cache), count)) {
                return fail_large(&build);
            }
            continue;
        }
        bool is_window = has_window(caches, cache);
        uint32_t count = layers_of(caches, cache, first, end, is_last);
        token_layers += cache->kind == TN_KV_STATE || cache->kind == TN_KV_INDEX || is_window ? 0 : count;
        if (!add_cache(&build, cache, count)) {
            return fail_large(&build);
        }
    }
    if (caches->counts_draft) {
        count_draft(&build, token_layers, draft_layers);
    }
    layout->charged_state_bytes = layout->state_bytes;
    return true;
}

uint64_t tn_sglang_window(const struct tn_sglang_caches *caches)
{
    uint64_t longest = 0;
    for (size_t k = 0; k < caches->layers.count; k++) {
        const struct tn_kv_cache *cache = &caches->layers.caches[k];
        bool counts = has_window(caches, cache) || (caches->is_v4 && cache->kind == TN_KV_SLIDING_LATENT);
        longest = counts && cache->argument > longest ? cache->argument : longest;
    }
    return longest;
}
