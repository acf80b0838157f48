/* The growth rules. */
#include "plan/cache.h"

#include "base/number.h"

static uint64_t units_full(uint64_t argument, uint64_t tokens)
{
    (void)argument;
    return tokens;
}

static uint64_t units_at_most(uint64_t argument, uint64_t tokens)
{
    return tokens < argument ? tokens : argument;
}

static uint64_t units_one(uint64_t argument, uint64_t tokens)
{
    (void)argument;
    (void)tokens;
    return 1;
}

static uint64_t units_argument(uint64_t argument, uint64_t tokens)
{
    (void)tokens;
    return argument;
}

static uint64_t units_none(uint64_t argument, uint64_t tokens)
{
    (void)argument;
    (void)tokens;
    return 0;
}

static uint64_t units_compressed(uint64_t argument, uint64_t tokens)
{
    return tn_ceil_div(tokens, argument);
}

static const struct {
    uint64_t (*units)(uint64_t argument, uint64_t tokens);
    bool grows;
} rules[TN_GROWTH_COUNT] = {
    [TN_GROWTH_FULL] = {units_full, true},
    [TN_GROWTH_WINDOW] = {units_at_most, true},
    [TN_GROWTH_CHUNK] = {units_at_most, true},
    [TN_GROWTH_CONSTANT] = {units_one, false},
    [TN_GROWTH_CROSS] = {units_argument, false},
    [TN_GROWTH_SHARE] = {units_none, false},
    [TN_GROWTH_COMPRESSED] = {units_compressed, true},
    [TN_GROWTH_INDEX] = {units_full, true},
    [TN_GROWTH_NONE] = {units_none, false},
};

uint64_t tn_cache_units(const struct tn_cache *cache, uint64_t context_tokens)
{
    return rules[cache->growth].units(cache->argument, context_tokens);
}

bool tn_cache_grows(const struct tn_cache *cache)
{
    return rules[cache->growth].grows;
}

bool tn_cache_request_bytes(const struct tn_cache *cache, uint64_t context_tokens, const struct tn_dtype *kv_dtype,
                            uint64_t *bytes, struct tn_error *error)
{
    const struct tn_dtype *dtype = cache->dtype ? cache->dtype : kv_dtype;
    uint64_t elements;
    bool fits = tn_mul_u64(tn_cache_units(cache, context_tokens), cache->elements_per_unit, &elements)
                && tn_dtype_bytes(dtype, elements, bytes) && tn_mul_u64(*bytes, cache->layer_count, bytes);
    return fits || tn_fail(error, TN_ERROR_TOO_LARGE, "the KV cache of one request exceeds 64 bits");
}

bool tn_cache_totals(const struct tn_model *model, uint64_t context_tokens, const struct tn_dtype *kv_dtype,
                     struct tn_cache_totals *totals, struct tn_error *error)
{
    *totals = (struct tn_cache_totals){0};
    for (size_t k = 0; k < model->cache_count; k++) {
        const struct tn_cache *cache = &model->caches[k];
        uint64_t bytes;
        uint64_t per_token;
        struct tn_cache one_token = *cache;
        one_token.growth = TN_GROWTH_FULL;
        if (!tn_cache_request_bytes(cache, context_tokens, kv_dtype, &bytes, error)
            || !tn_cache_request_bytes(&one_token, 1, kv_dtype, &per_token, error)) {
            return false;
        }
        uint64_t average = cache->growth == TN_GROWTH_COMPRESSED ? tn_ceil_div(per_token, cache->argument) : per_token;
        bool fits = tn_add_u64(totals->bytes_per_request, bytes, &totals->bytes_per_request);
        if (tn_cache_grows(cache)) {
            fits = fits && tn_add_u64(totals->bytes_per_token, average, &totals->bytes_per_token);
        } else {
            totals->state_bytes_per_request += bytes; /* bounded by bytes_per_request */
        }
        if (!fits) {
            return tn_fail(error, TN_ERROR_TOO_LARGE, "the KV cache of one request exceeds 64 bits");
        }
    }
    return true;
}

const struct tn_dtype *tn_cache_default_dtype(const struct tn_model *model)
{
    bool is_16_bit = model->dtype->block_elements == 1 && model->dtype->block_bytes == 2;
    return is_16_bit ? model->dtype : tn_dtype_find(TN_STR("F16"));
}
