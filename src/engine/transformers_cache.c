/* Keys, values and states as transformers keeps them. What is said here of tensors that stay alive was also seen by following the
 * allocations of versions 4.57.6 and 5.23.0 through a forward pass (tools/transformers_trace.py). */
#include "engine/transformers_cache.h"

#include "base/number.h"

/* What a layer keeps of one sequence. */
struct shape {
    uint64_t elements; /* per token */
    uint64_t window;   /* tokens that it sees; 0: all */
    bool has_two;      /* keys and values are tensors of their own, of about the same size */
};

static bool too_large(struct tn_error *error)
{
    return tn_fail(error, TN_ERROR_TOO_LARGE, "the KV cache of all requests exceeds 64 bits");
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* tokens of all sequences in the dtype of the computation */
static bool plain_bytes(const struct tn_transformers_use *use, const struct shape *shape, uint64_t tokens,
                        uint64_t *bytes)
{
    return tn_mul_u64(tokens, shape->elements, bytes) && tn_mul_u64(*bytes, use->sequences, bytes)
           && tn_mul_u64(*bytes, use->element_bytes, bytes);
}

/* ---- dynamic ------------------------------------------------------------------------------------------------------ */

/* A layer with a window keeps a view of its last tokens, and with it the whole tensor: of a prompt that is read at once everything, until
 * the next token makes a tensor of the window's size. */
static uint64_t window_prompt_tokens(const struct tn_transformers_use *use, uint64_t window)
{
    uint64_t chunk = use->chunk_tokens ? use->chunk_tokens : use->prompt_tokens;
    return least(use->prompt_tokens, chunk >= use->prompt_tokens ? chunk : window - 1 + chunk);
}

/* Old keys are freed before the values are copied, but with a window both are copied before one is freed. */
static bool dynamic_layer(const struct tn_transformers_use *use, const struct shape *shape,
                          struct tn_transformers_layer *bytes)
{
    bool has_window = shape->window && use->keeps_windows;
    uint64_t prompt = has_window ? window_prompt_tokens(use, shape->window) : use->prompt_tokens;
    uint64_t tokens = has_window ? least(use->total_tokens, shape->window) : use->total_tokens;
    bool fits =
        plain_bytes(use, shape, prompt, &bytes->prompt_bytes) && plain_bytes(use, shape, tokens, &bytes->token_bytes);
    bytes->copy_bytes = has_window || !shape->has_two ? bytes->token_bytes : bytes->token_bytes / 2;
    return fits;
}

/* ---- static ------------------------------------------------------------------------------------------------------- */

/* A full window is rolled on by copying it. */
static bool static_layer(const struct tn_transformers_use *use, const struct shape *shape,
                         struct tn_transformers_layer *bytes)
{
    uint64_t tokens = shape->window ? least(use->static_tokens, shape->window) : use->static_tokens;
    bool rolls = shape->window && use->total_tokens > tokens;
    bool fits = plain_bytes(use, shape, tokens, &bytes->token_bytes);
    bytes->prompt_bytes = bytes->token_bytes;
    bytes->copy_bytes = rolls ? bytes->token_bytes : 0;
    return fits;
}

/* ---- quantised ---------------------------------------------------------------------------------------------------- */

static bool packed_bytes(const struct tn_transformers_use *use, const struct shape *shape, uint64_t tokens,
                         uint64_t *bytes)
{
    uint64_t elements;
    uint64_t scales = 0;
    bool fits = tn_mul_u64(tokens, shape->elements, &elements) && tn_mul_u64(elements, use->sequences, &elements)
                && tn_mul_div_up(elements, use->quantized_bits, 8, bytes);
    if (use->group_elements) { /* a scale and a zero point */
        fits = fits && tn_mul_u64(tn_ceil_div(elements, use->group_elements), 2 * use->element_bytes, &scales);
    }
    return fits && tn_add_u64(*bytes, scales, bytes);
}

/* For each token all is unpacked, and put together with the latest tokens: twice the layer in full. */
static bool quantized_layer(const struct tn_transformers_use *use, const struct shape *shape,
                            struct tn_transformers_layer *bytes)
{
    uint64_t latest = use->residual_tokens ? use->residual_tokens - 1 : 0;
    latest = least(latest, use->total_tokens - use->prompt_tokens);
    uint64_t plain;
    uint64_t whole;
    return packed_bytes(use, shape, use->prompt_tokens, &bytes->prompt_bytes)
           && packed_bytes(use, shape, use->total_tokens - latest, &bytes->token_bytes)
           && plain_bytes(use, shape, latest, &plain) && tn_add_u64(bytes->token_bytes, plain, &bytes->token_bytes)
           && plain_bytes(use, shape, use->total_tokens, &whole) && tn_mul_u64(whole, 2, &bytes->copy_bytes);
}

static bool (*const cache_rules[TN_TRANSFORMERS_CACHE_COUNT])(const struct tn_transformers_use *use,
                                                              const struct shape *shape,
                                                              struct tn_transformers_layer *bytes) = {
    [TN_TRANSFORMERS_DYNAMIC] = dynamic_layer,
    [TN_TRANSFORMERS_STATIC] = static_layer,
    [TN_TRANSFORMERS_QUANTIZED] = quantized_layer,
};

/* ---- layers that do not grow -------------------------------------------------------------------------------------- */

/* A convolution keeps as many columns as its kernel has, one more than what serving engines keep. */
static bool state_layer(const struct tn_transformers_use *use, const struct tn_kv_cache *layer,
                        struct tn_transformers_layer *bytes)
{
    bool fits = true;
    uint64_t sum = 0;
    for (uint32_t k = 0; k < layer->part_count; k++) {
        const struct tn_kv_state_part *part = &layer->parts[k];
        uint64_t each = part->element_bytes;
        uint64_t part_bytes;
        if (!part->rows && use->recurrent_bytes) {
            each = use->recurrent_bytes;
        }
        uint64_t elements = part->rows ? part->elements / part->rows * (part->rows + 1) : part->elements;
        fits = fits && tn_mul_u64(elements, each, &part_bytes) && tn_mul_u64(part_bytes, use->sequences, &part_bytes)
               && tn_add_u64(sum, part_bytes, &sum);
    }
    *bytes = (struct tn_transformers_layer){.prompt_bytes = sum, .token_bytes = sum};
    return fits;
}

/* Keys and values of the encoder's output, written once; a ring likewise has its length. */
static bool cross_layer(const struct tn_transformers_use *use, const struct tn_kv_cache *layer,
                        struct tn_transformers_layer *bytes)
{
    struct shape shape = {.elements = layer->elements};
    *bytes = (struct tn_transformers_layer){0};
    bool fits = plain_bytes(use, &shape, layer->argument, &bytes->token_bytes);
    bytes->prompt_bytes = bytes->token_bytes;
    return fits;
}

static struct shape shape_of(const struct tn_transformers_use *use, const struct tn_kv_cache *layer)
{
    bool is_latent = layer->kind == TN_KV_LATENT || layer->kind == TN_KV_SLIDING_LATENT;
    bool is_window =
        layer->kind == TN_KV_SLIDING || layer->kind == TN_KV_CHUNKED || layer->kind == TN_KV_SLIDING_LATENT;
    bool is_index = layer->kind == TN_KV_INDEX || layer->kind == TN_KV_COMPRESSED_INDEX;
    struct shape shape = {.elements = layer->elements, .window = is_window ? layer->argument : 0};
    shape.has_two = layer->kind == TN_KV_FULL || (is_latent && use->latent_elements);
    if (is_latent && use->latent_elements) {
        shape.elements = use->latent_elements;
    } else if (is_index && use->index_elements) {
        shape.elements = use->index_elements;
    }
    return shape;
}

bool tn_transformers_layer_bytes(const struct tn_transformers_use *use, const struct tn_kv_cache *layer,
                                 struct tn_transformers_layer *bytes, struct tn_error *error)
{
    bool is_compressed = layer->kind == TN_KV_COMPRESSED || layer->kind == TN_KV_COMPRESSED_INDEX;
    struct tn_transformers_use of_layer = *use;
    *bytes = (struct tn_transformers_layer){0};
    if (layer->kind == TN_KV_STATE) {
        return state_layer(use, layer, bytes) || too_large(error);
    }
    if (layer->kind == TN_KV_CROSS || layer->kind == TN_KV_RING) {
        return cross_layer(use, layer, bytes) || too_large(error);
    }
    if (is_compressed && layer->argument) {
        of_layer.prompt_tokens = tn_ceil_div(use->prompt_tokens, layer->argument);
        of_layer.total_tokens = tn_ceil_div(use->total_tokens, layer->argument);
        of_layer.static_tokens = tn_ceil_div(use->static_tokens, layer->argument);
    }
    struct shape shape = shape_of(use, layer);
    return cache_rules[use->cache](&of_layer, &shape, bytes) || too_large(error);
}

/* ---- a stage ------------------------------------------------------------------------------------------------------ */

static bool is_window_kind(enum tn_kv_kind kind)
{
    return kind == TN_KV_SLIDING || kind == TN_KV_CHUNKED || kind == TN_KV_SLIDING_LATENT;
}

/* On the GPU are the layer at work and the one that is fetched ahead; a static cache leaves its windows there. */
static bool leaves_gpu(const struct tn_transformers_use *use, enum tn_kv_kind kind)
{
    return use->is_offloaded && (use->cache != TN_TRANSFORMERS_STATIC || !is_window_kind(kind));
}

struct tally {
    struct tn_transformers_caches *caches;
    uint64_t largest_bytes[TN_KV_KIND_COUNT]; /* of the layers of a kind that leave the GPU */
};

static bool add_layers(const struct tn_transformers_use *use, struct tally *tally, enum tn_kv_kind kind,
                       const struct tn_transformers_layer *bytes, uint32_t count)
{
    struct tn_transformers_caches *caches = tally->caches;
    uint64_t prompt_bytes;
    uint64_t token_bytes;
    caches->kind_layers[kind] += count;
    caches->copy_bytes = bytes->copy_bytes > caches->copy_bytes ? bytes->copy_bytes : caches->copy_bytes;
    if (leaves_gpu(use, kind)) {
        uint64_t *largest = &tally->largest_bytes[kind];
        *largest = bytes->token_bytes > *largest ? bytes->token_bytes : *largest;
        return true;
    }
    return tn_mul_u64(bytes->token_bytes, count, &token_bytes) && tn_mul_u64(bytes->prompt_bytes, count, &prompt_bytes)
           && tn_add_u64(caches->kind_bytes[kind], token_bytes, &caches->kind_bytes[kind])
           && tn_add_u64(caches->prompt_bytes, prompt_bytes, &caches->prompt_bytes);
}

static bool add_largest(struct tally *tally, enum tn_kv_kind kind)
{
    struct tn_transformers_caches *caches = tally->caches;
    uint64_t on_gpu = caches->kind_layers[kind] < 2 ? caches->kind_layers[kind] : 2;
    uint64_t bytes;
    return tn_mul_u64(tally->largest_bytes[kind], on_gpu, &bytes)
           && tn_add_u64(caches->kind_bytes[kind], bytes, &caches->kind_bytes[kind])
           && tn_add_u64(caches->prompt_bytes, bytes, &caches->prompt_bytes);
}

bool tn_transformers_caches_of(const struct tn_transformers_use *use, const struct tn_kv_layers *layers,
                               uint32_t first_layer, uint32_t layer_count, bool is_last,
                               struct tn_transformers_caches *caches, struct tn_error *error)
{
    struct tally tally = {.caches = caches};
    bool fits = true;
    *caches = (struct tn_transformers_caches){0};
    for (size_t k = 0; k < layers->count && fits; k++) {
        const struct tn_kv_cache *cache = &layers->caches[k];
        struct tn_transformers_layer bytes;
        uint32_t here = tn_kv_layers_between(cache, first_layer, first_layer + layer_count, is_last);
        if (here && !tn_transformers_layer_bytes(use, cache, &bytes, error)) {
            return false;
        }
        fits = !here || add_layers(use, &tally, cache->kind, &bytes, here);
    }
    for (int kind = 0; kind < TN_KV_KIND_COUNT && fits; kind++) {
        fits = add_largest(&tally, (enum tn_kv_kind)kind)
               && tn_add_u64(caches->token_bytes, caches->kind_bytes[kind], &caches->token_bytes);
    }
    return fits || too_large(error);
}
