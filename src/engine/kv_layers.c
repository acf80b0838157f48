/* The caches of a model per rank. What a cache is follows from how it grows and splits: a vector without heads is latent, and a state in
 * rows beside a compressed cache is what the compressor has not folded yet. */
#include "engine/kv_layers.h"

#include "plan/shard.h"

#include <string.h>

struct build {
    const struct tn_model *model;
    const struct tn_deployment *deployment;
    struct tn_kv_layers *layers; /* with room for all */
    struct tn_error *error;
};

static bool is_compressed_kind(const struct tn_model *model, struct tn_str label)
{
    for (size_t k = 0; k < model->cache_count; k++) {
        if (model->caches[k].growth == TN_GROWTH_COMPRESSED && tn_str_equal(model->caches[k].label, label)) {
            return true;
        }
    }
    return false;
}

static enum tn_kv_kind kind_of(const struct tn_model *model, const struct tn_cache *cache)
{
    static const enum tn_kv_kind kinds[TN_GROWTH_COUNT] = {
        [TN_GROWTH_FULL] = TN_KV_FULL,
        [TN_GROWTH_WINDOW] = TN_KV_SLIDING,
        [TN_GROWTH_CHUNK] = TN_KV_CHUNKED,
        [TN_GROWTH_CONSTANT] = TN_KV_STATE,
        [TN_GROWTH_CROSS] = TN_KV_CROSS,
        [TN_GROWTH_SHARE] = TN_KV_KIND_COUNT,
        [TN_GROWTH_COMPRESSED] = TN_KV_COMPRESSED,
        [TN_GROWTH_INDEX] = TN_KV_INDEX,
        [TN_GROWTH_NONE] = TN_KV_KIND_COUNT,
    };
    enum tn_kv_kind kind = kinds[cache->growth];
    bool is_latent = cache->split.kind == TN_SPLIT_REPLICATE;
    if (kind == TN_KV_FULL && is_latent) {
        return TN_KV_LATENT;
    }
    if (kind == TN_KV_SLIDING && is_latent) {
        return TN_KV_SLIDING_LATENT;
    }
    if (kind == TN_KV_COMPRESSED && cache->dtype) { /* vectors have the KV dtype, index keys their own */
        return TN_KV_COMPRESSED_INDEX;
    }
    if (kind == TN_KV_STATE && cache->rows && is_compressed_kind(model, cache->label)) {
        return TN_KV_RING;
    }
    return kind;
}

static bool same_layers(const struct tn_kv_cache *row, const struct tn_cache *cache)
{
    return row->layer_count == cache->layer_count
           && !memcmp(row->layers, cache->layers, cache->layer_count * sizeof *cache->layers);
}

/* The states of a layer kind are one row: engines allocate them together. */
static struct tn_kv_cache *row_for(struct build *build, const struct tn_cache *cache, enum tn_kv_kind kind)
{
    for (size_t k = 0; kind == TN_KV_STATE && k < build->layers->count; k++) {
        struct tn_kv_cache *row = &build->layers->caches[k];
        if (row->kind == TN_KV_STATE && row->part_count < TN_KV_STATE_PARTS && same_layers(row, cache)) {
            return row;
        }
    }
    return &build->layers->caches[build->layers->count++];
}

static bool add_cache(struct build *build, const struct tn_cache *cache, enum tn_kv_kind kind)
{
    struct tn_share share;
    uint64_t elements;
    if (!tn_split_share(&cache->split, build->deployment, &share, build->error)
        || !tn_share_of(cache->elements_per_unit, share, &elements, build->error)) {
        return false;
    }
    struct tn_kv_cache *row = row_for(build, cache, kind);
    row->kind = kind;
    row->layers = cache->layers;
    row->layer_count = cache->layer_count;
    if (kind == TN_KV_STATE) {
        row->parts[row->part_count++] =
            (struct tn_kv_state_part){elements, cache->rows, cache->dtype ? cache->dtype->block_bytes : 2};
        return true;
    }
    bool has_heads = cache->split.kind == TN_SPLIT_KV || cache->split.kind == TN_SPLIT_HEADS;
    row->heads = has_heads ? cache->split.parts[0] * share.numerator / share.denominator : 1;
    row->argument = kind == TN_KV_RING ? cache->rows : cache->argument;
    row->elements = kind == TN_KV_RING ? elements / cache->rows : elements;
    row->dtype = cache->dtype;
    return true;
}

/* How many layers of multi-token prediction are of that kind. */
static uint32_t draft_layers(const struct tn_model *model, struct tn_str label)
{
    uint32_t count = 0;
    for (size_t k = 0; k < model->predicted_layer_count; k++) {
        const struct tn_layer *layer = &model->layers[k];
        count += tn_str_is(layer->stack, "mtp") && tn_str_equal(layer->mixer, label);
    }
    return count;
}

/* Of caches that one statement gave, as windows that differ by layer, the last one's: further tokens are predicted behind all layers. */
static bool is_last_of_rule(const struct tn_model *model, size_t index)
{
    for (size_t k = index + 1; k < model->cache_count; k++) {
        if (model->caches[k].rule == model->caches[index].rule
            && tn_str_equal(model->caches[k].label, model->caches[index].label)) {
            return false;
        }
    }
    return true;
}

static bool add_draft(struct build *build)
{
    for (size_t k = 0; k < build->model->cache_count; k++) {
        const struct tn_cache *cache = &build->model->caches[k];
        enum tn_kv_kind kind = kind_of(build->model, cache);
        uint32_t count = draft_layers(build->model, cache->label);
        if (!count || kind == TN_KV_KIND_COUNT || kind == TN_KV_STATE || !is_last_of_rule(build->model, k)) {
            continue;
        }
        if (!add_cache(build, cache, kind)) {
            return false;
        }
        struct tn_kv_cache *row = &build->layers->caches[build->layers->count - 1];
        row->layers = NULL;
        row->layer_count = count;
        row->is_draft = true;
    }
    return true;
}

bool tn_kv_layers_of(const struct tn_model *model, const struct tn_deployment *deployment, bool has_draft,
                     struct tn_arena *arena, struct tn_kv_layers *layers, struct tn_error *error)
{
    *layers = (struct tn_kv_layers){.caches = TN_NEW_ARRAY(arena, struct tn_kv_cache, 2 * model->cache_count)};
    if (!layers->caches) {
        return tn_fail_memory(error);
    }
    struct build build = {model, deployment, layers, error};
    for (size_t k = 0; k < model->cache_count; k++) {
        enum tn_kv_kind kind = kind_of(model, &model->caches[k]);
        if (kind != TN_KV_KIND_COUNT && !add_cache(&build, &model->caches[k], kind)) {
            return false;
        }
    }
    return !has_draft || add_draft(&build);
}

uint32_t tn_kv_layers_between(const struct tn_kv_cache *cache, uint32_t first, uint32_t end, bool is_last)
{
    if (cache->is_draft) {
        return is_last ? cache->layer_count : 0;
    }
    uint32_t count = 0;
    for (uint32_t k = 0; k < cache->layer_count; k++) {
        count += cache->layers[k] >= first && cache->layers[k] < end;
    }
    return count;
}
