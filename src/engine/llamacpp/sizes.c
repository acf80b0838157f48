/* Context sizes, layers on devices, and caches. */
#include "base/number.h"
#include "engine/llamacpp/llama.h"

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t rounded(uint64_t number, uint64_t step)
{
    return (number + step - 1) / step * step;
}

uint64_t tn_llama_fact(const struct tn_llama *llama, const char *key, uint64_t otherwise)
{
    const struct tn_value *value = tn_facts_find(&llama->model->facts, tn_str_of(key), NULL);
    return value && value->kind == TN_INTEGER && value->as.integer >= 0 ? (uint64_t)value->as.integer : otherwise;
}

uint64_t tn_llama_experts_used(const struct tn_llama *llama)
{
    for (size_t k = 0; k < llama->model->group_count; k++) {
        const struct tn_group *group = &llama->model->groups[k];
        if (group->class == TN_CLASS_EXPERT && group->active_of > 1) {
            return group->active_copies;
        }
    }
    return 0;
}

static bool too_large(const struct tn_llama *llama, const char *what)
{
    return tn_fail(llama->error, TN_ERROR_TOO_LARGE, "%s exceeds 64 bits", what);
}

/* ---- contexts ----------------------------------------------------------------------------------------------------- */

/* The batch is cut to the context as it was asked for, before that is rounded up. */
bool tn_llama_size(struct tn_llama *llama)
{
    enum { MOST_TOKENS_BITS = 48 };
    const struct tn_llama_settings *settings = &llama->settings;
    struct tn_llama_sizes *sizes = &llama->sizes;
    if (settings->context_tokens >> MOST_TOKENS_BITS || settings->sequences >> MOST_TOKENS_BITS / 2) {
        return too_large(llama, "the context of all sequences");
    }
    bool is_causal = !tn_recipe_is_encoder(llama->recipe);
    uint64_t limit = is_causal ? settings->context_tokens : UINT64_MAX;
    sizes->batch_tokens = least(limit, settings->batch_tokens);
    uint64_t ubatch =
        least(sizes->batch_tokens, settings->ubatch_tokens ? settings->ubatch_tokens : settings->batch_tokens);
    sizes->context_tokens = rounded(settings->context_tokens, settings->context_step);
    sizes->sequence_tokens = sizes->context_tokens;
    sizes->streams = settings->is_unified ? 1 : settings->sequences;
    if (!settings->is_unified) {
        sizes->sequence_tokens = rounded(sizes->context_tokens / settings->sequences, settings->context_step);
        sizes->context_tokens = sizes->sequence_tokens * settings->sequences;
    }
    sizes->tokens = rounded(least(sizes->context_tokens, ubatch), settings->sequences);
    bool has_encoder = tn_llama_fact(llama, "num_decoder_layers", 0) > 0; /* whose rows are all outputs */
    sizes->outputs = settings->outputs && !has_encoder ? settings->outputs : sizes->batch_tokens;
    sizes->outputs = least(least(sizes->context_tokens, ubatch), sizes->outputs);
    sizes->state_rows = settings->sequences;
    return sizes->sequence_tokens || tn_fail(llama->error, TN_ERROR_DEPLOYMENT, "a context of no tokens");
}

static void size_window(struct tn_llama *llama)
{
    const struct tn_llama_settings *settings = &llama->settings;
    struct tn_llama_sizes *sizes = &llama->sizes;
    uint64_t ubatch =
        least(sizes->batch_tokens, settings->ubatch_tokens ? settings->ubatch_tokens : settings->batch_tokens);
    uint64_t kept = settings->window_kept ? settings->window_kept : sizes->window_tokens;
    uint64_t window = least(kept, sizes->sequence_tokens);
    uint64_t cells = window * (settings->is_unified ? settings->sequences : 1) + ubatch;
    sizes->window_cells = rounded(least(sizes->sequence_tokens, cells), TN_LLAMA_CELL_STEP);
    if (settings->window_is_full) {
        sizes->window_cells = sizes->sequence_tokens;
    }
}

/* ---- layers ------------------------------------------------------------------------------------------------------- */

/* The first GPU whose share of the layers, added up, exceeds the layer's place among those on GPUs; in 32-bit arithmetic, as there. */
static int gpu_of(const struct tn_llama_settings *settings, uint64_t index, uint64_t count)
{
    float ends[TN_LLAMA_MOST_GPUS];
    float sum = 0;
    bool any = false;
    for (uint32_t k = 0; k < settings->gpu_count; k++) {
        any = any || settings->shares[k] > 0;
    }
    for (uint32_t k = 0; k < settings->gpu_count; k++) {
        sum += any ? settings->shares[k] : 1;
        ends[k] = sum;
    }
    float place = (float)index / (float)count;
    for (uint32_t k = 0; k + 1 < settings->gpu_count; k++) {
        if (ends[k] / sum > place) {
            return (int)k;
        }
    }
    return (int)settings->gpu_count - 1;
}

/* Layers leave the GPUs from the front; behind the last one comes the output. */
static int place_of_layer(const struct tn_llama *llama, uint64_t layer)
{
    const struct tn_llama_settings *settings = &llama->settings;
    uint64_t all = (uint64_t)llama->block_count + 1;
    uint64_t wanted = settings->gpu_layers < 0 ? all : least((uint64_t)settings->gpu_layers, all);
    uint64_t counted = settings->counts_output ? all : llama->block_count;
    uint64_t first = counted - least(wanted, counted);
    if (!settings->gpu_count || layer < first || layer - first >= wanted) {
        return TN_GGML_HOST;
    }
    return settings->splits_layers ? gpu_of(settings, layer - first, wanted) : (int)settings->main_gpu;
}

static void add_attention(struct tn_llama *llama, struct tn_llama_layer *layer, const struct tn_cache *cache)
{
    layer->has_cache = true;
    layer->is_window = (cache->growth == TN_GROWTH_WINDOW || cache->growth == TN_GROWTH_CHUNK)
                       && (!llama->recipe || tn_recipe_has_windows(llama->recipe));
    layer->key_width = cache->elements_per_unit - cache->values_per_unit;
    layer->value_width = cache->values_per_unit;
    bool has_heads = cache->split.kind == TN_SPLIT_KV || cache->split.kind == TN_SPLIT_HEADS;
    layer->kv_heads = has_heads ? cache->split.parts[0] : 1;
    layer->key_row = layer->key_width / (llama->settings.rows_by_head ? layer->kv_heads : 1);
    if (!layer->value_width && llama->settings.keeps_latent_values) {
        layer->value_width = tn_llama_fact(llama, "kv_lora_rank", 0);
    }
    llama->has_latent_cache = llama->has_latent_cache || !layer->value_width;
    if (layer->is_window) {
        llama->sizes.window_tokens = cache->argument;
    }
    if (layer->value_width > llama->sizes.value_width_max) {
        llama->sizes.value_width_max = layer->value_width;
    }
}

/* Rows of a convolution's inputs are shifts; of states without rows the first is, where there are two. */
static void add_state(struct tn_llama_layer *layer, const struct tn_cache *cache, bool is_shift)
{
    if (is_shift) {
        layer->shift_width += cache->elements_per_unit;
    } else {
        layer->state_width += cache->elements_per_unit;
    }
}

static bool is_shift(const struct tn_llama *llama, size_t index)
{
    const struct tn_cache *cache = &llama->model->caches[index];
    if (cache->rows) {
        return true;
    }
    bool first = true;
    bool others = false;
    for (size_t k = 0; k < llama->model->cache_count; k++) {
        const struct tn_cache *other = &llama->model->caches[k];
        if (other->growth == TN_GROWTH_CONSTANT && k != index && tn_str_equal(other->label, cache->label)) {
            first = first && k > index && !other->rows;
            others = true;
        }
    }
    return first && others;
}

/* The last layer of the same kind that has a cache. */
static void share_cache(struct tn_llama *llama, uint32_t index, struct tn_str label)
{
    for (size_t k = 0; k < llama->model->cache_count; k++) {
        const struct tn_cache *cache = &llama->model->caches[k];
        for (uint32_t n = 0; tn_growth_has_values(cache->growth) && tn_str_equal(cache->label, label)
                             && n < cache->layer_count && cache->layers[n] < index;
             n++) {
            struct tn_llama_layer *layer = &llama->layers[index];
            *layer = llama->layers[cache->layers[n]];
            layer->own_layer = cache->layers[n];
            layer->has_cache = false;
        }
    }
}

static void add_cache(struct tn_llama *llama, size_t index)
{
    const struct tn_cache *cache = &llama->model->caches[index];
    for (uint32_t k = 0; k < cache->layer_count; k++) {
        if (cache->layers[k] >= llama->layer_count) {
            continue; /* of layers for further tokens: an ordinary context has none */
        }
        struct tn_llama_layer *layer = &llama->layers[cache->layers[k]];
        if (tn_growth_has_values(cache->growth)) {
            add_attention(llama, layer, cache);
        } else if (cache->growth == TN_GROWTH_INDEX) {
            layer->index_width = tn_llama_fact(llama, "index_head_dim", cache->elements_per_unit);
        } else if (cache->growth == TN_GROWTH_CONSTANT) {
            add_state(layer, cache, is_shift(llama, index));
        }
    }
}

static void share_caches(struct tn_llama *llama)
{
    for (size_t k = 0; k < llama->model->cache_count; k++) {
        const struct tn_cache *cache = &llama->model->caches[k];
        for (uint32_t n = 0; cache->growth == TN_GROWTH_SHARE && n < cache->layer_count; n++) {
            if (cache->layers[n] < llama->layer_count) {
                share_cache(llama, cache->layers[n], cache->label);
            }
        }
    }
}

/* Transposed values are as wide as the widest in every layer, also where a layer has no heads of keys; and rows of one head are padded
 * also where there are none. Hybrid models leave layers without attention out. */
static void fill_layers_without_heads(struct tn_llama *llama)
{
    bool rows_by_head = llama->settings.rows_by_head;
    bool is_hybrid = false;
    uint64_t row = 0;
    for (uint32_t k = 0; k < llama->layer_count; k++) {
        is_hybrid = is_hybrid || llama->layers[k].state_width || llama->layers[k].shift_width;
        row = rows_by_head && llama->layers[k].key_row ? llama->layers[k].key_row : row;
    }
    bool applies = !is_hybrid && !llama->has_latent_cache && (tn_llama_is_transposed(llama) || rows_by_head);
    for (uint32_t k = 0; applies && k < llama->layer_count; k++) {
        struct tn_llama_layer *layer = &llama->layers[k];
        if (!layer->has_cache && layer->own_layer == k) {
            layer->has_cache = true;
            layer->kv_heads = 1;
            layer->key_row = row;
            layer->value_width = tn_llama_is_transposed(llama) ? llama->sizes.value_width_max : 0;
        }
    }
}

bool tn_llama_place_layers(struct tn_llama *llama)
{
    llama->layers = TN_NEW_ARRAY(llama->arena, struct tn_llama_layer, llama->layer_count);
    if (!llama->layers && llama->layer_count) {
        return tn_fail_memory(llama->error);
    }
    for (uint32_t k = 0; k < llama->layer_count; k++) {
        llama->layers[k].own_layer = k;
    }
    for (size_t k = 0; k < llama->model->cache_count; k++) {
        add_cache(llama, k);
    }
    share_caches(llama);
    fill_layers_without_heads(llama);
    for (uint32_t k = 0; k < llama->layer_count; k++) {
        llama->layers[k].place = place_of_layer(llama, k);
        llama->layers[k].cache_place = llama->settings.kv_on_gpu ? llama->layers[k].place : TN_GGML_HOST;
    }
    llama->output_place = place_of_layer(llama, llama->block_count);
    if (llama->sizes.window_tokens) {
        size_window(llama);
    }
    return true;
}

/* ---- bytes of caches ---------------------------------------------------------------------------------------------- */

struct tn_llama_share *tn_llama_share_of(const struct tn_llama *llama, struct tn_llama_share *shares, int place)
{
    return &shares[place >= 0 ? (uint32_t)place : llama->settings.gpu_count];
}

/* One tensor of a cache, padded as the device's buffers are, which depends on the elements of a row. */
static bool cache_bytes(const struct tn_llama *llama, const struct tn_dtype *type, uint64_t width, uint64_t row,
                        uint64_t cells, int place, uint64_t *sum)
{
    enum tn_ggml_kind kind = place >= 0 ? TN_GGML_CUDA : TN_GGML_CPU;
    uint64_t elements;
    uint64_t bytes;
    if (!row) {
        return true;
    }
    if (width % type->block_elements) {
        tn_fail(llama->error, TN_ERROR_DEPLOYMENT, "a cell of %llu elements cannot be kept in blocks of %s",
                (unsigned long long)width, type->name);
        return tn_fail_hint(llama->error, "--set type_k=f16 --set type_v=f16");
    }
    bool fits = tn_mul_u64(width, cells, &elements) && tn_dtype_bytes(type, elements, &bytes) && !(bytes >> 60);
    if (!fits) {
        return too_large(llama, "the KV cache");
    }
    bytes = rounded(tn_ggml_stored_bytes(kind, type, row, bytes), tn_ggml_alignment(kind));
    return tn_add_u64(*sum, bytes, sum) || too_large(llama, "the KV cache");
}

bool tn_llama_is_transposed(const struct tn_llama *llama)
{
    return llama->settings.flash == TN_LLAMA_FLASH_OFF;
}

static bool add_kv(const struct tn_llama *llama, const struct tn_llama_layer *layer, struct tn_llama_share *shares)
{
    const struct tn_llama_sizes *sizes = &llama->sizes;
    struct tn_llama_share *share = tn_llama_share_of(llama, shares, layer->cache_place);
    uint64_t *sum = layer->is_window ? &share->window_kv : &share->kv;
    uint64_t cells = (layer->is_window ? sizes->window_cells : sizes->sequence_tokens) * sizes->streams;
    uint64_t values = layer->value_width;
    if (tn_llama_is_transposed(llama) && values) { /* transposed: all layers as wide as the widest */
        values = sizes->value_width_max;
    }
    return cache_bytes(llama, llama->settings.key_type, layer->key_width, layer->key_row, cells, layer->cache_place,
                       sum)
           && cache_bytes(llama, llama->settings.key_type, layer->index_width, layer->index_width, cells,
                          layer->cache_place, sum)
           && cache_bytes(llama, llama->settings.value_type, values, values, cells, layer->cache_place, sum);
}

static bool add_states(const struct tn_llama *llama, const struct tn_llama_layer *layer, struct tn_llama_share *shares)
{
    const struct tn_dtype *f32 = tn_dtype_find(TN_STR("F32"));
    uint64_t *sum = &tn_llama_share_of(llama, shares, layer->cache_place)->recurrent;
    uint64_t rows = llama->sizes.state_rows;
    return cache_bytes(llama, f32, layer->shift_width, layer->shift_width, rows, layer->cache_place, sum)
           && cache_bytes(llama, f32, layer->state_width, layer->state_width, rows, layer->cache_place, sum);
}

/* An encoder's states are kept for its decoder. */
static bool embeds(const struct tn_llama *llama)
{
    return llama->settings.embeds || tn_str_is(llama->file->architecture, "t5");
}

bool tn_llama_add_caches(const struct tn_llama *llama, struct tn_llama_share *shares)
{
    bool done = true;
    for (uint32_t k = 0; done && k < llama->layer_count; k++) {
        const struct tn_llama_layer *layer = &llama->layers[k];
        done = (!layer->has_cache || add_kv(llama, layer, shares)) && add_states(llama, layer, shares);
    }
    uint64_t rows = llama->settings.sequences;
    uint64_t row = (llama->vocabulary + (embeds(llama) ? llama->embedding : 0)) * 4;
    uint64_t bytes;
    done = done && (tn_mul_u64(row, rows, &bytes) || too_large(llama, "the output buffer"));
    if (done) {
        shares[llama->settings.gpu_count].output = bytes;
    }
    return done;
}
