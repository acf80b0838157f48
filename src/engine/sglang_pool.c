/* SGLang's pools: the engine's arithmetic. It divides memory in floating point, and so does this. */
#include "engine/sglang_pool.h"

#include "base/number.h"

#include <math.h>

enum {
    INDEX_PAGE = 64, /* tokens of a page of index keys */
    RING_ROWS = 128, /* rings are allocated in steps of so many rows */
    FEWEST = 2048,   /* requests that the engine provides for where nobody says how many */
    MOST = 4096,
    EXTRA_CONTEXT = 4, /* columns of req_to_token beyond the context */
    MAP_ENTRY = 4      /* bytes */
};
static const double REQUESTS_PER_CONTEXT = 512;

static bool fail_large(struct tn_error *error)
{
    return tn_fail(error, TN_ERROR_TOO_LARGE, "the KV pool of one rank exceeds 64 bits");
}

static uint64_t page_down(double tokens, uint64_t page)
{
    const double most = 9007199254740992.0; /* 2^53 */
    return tokens >= 1 ? (uint64_t)fmin(tokens, most) / page * page : 0;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- from bytes to pools ------------------------------------------------------------------------------------------ */

static double cell_bytes(const struct tn_sglang_layout *layout, const struct tn_sglang_options *options)
{
    bool has_full = layout->token_bytes > 0 || layout->compressed_bytes > 0;
    /* where all layers have windows, the window pool is all there is */
    return layout->token_bytes + layout->compressed_bytes
           + layout->window_bytes * (has_full ? options->window_ratio : 1);
}

/* Intermediate states that a draft's tokens leave until they are verified. */
static double draft_states(const struct tn_sglang_options *options, double state_bytes, uint64_t slots)
{
    uint64_t requests = min_u64(options->request_limit, slots / options->slots_per_request);
    return state_bytes * (double)(requests + 1) * (double)options->draft_tokens;
}

static double slots_of(double bytes, double slot_bytes)
{
    return fmax(floor(bytes / slot_bytes), 0);
}

/* Before 0.5.18: no slot for nothing, drafts reserved before the division. */
static uint64_t plain_state_slots(const struct tn_sglang_options *options, double per, double *rest)
{
    *rest -= per * (double)options->request_limit * (double)options->draft_tokens;
    uint64_t slots = options->state_slots;
    if (!slots) {
        slots = (uint64_t)slots_of(*rest * options->state_ratio / (1 + options->state_ratio), per);
    }
    *rest -= (double)slots * per;
    return slots;
}

static uint64_t padded_state_slots(const struct tn_sglang_options *options, double per, double *rest)
{
    uint64_t slots = options->state_slots;
    double drafts = (double)options->draft_tokens;
    if (!slots) {
        double budget = *rest * options->state_ratio / (1 + options->state_ratio) - per * (1 + drafts);
        slots = (uint64_t)slots_of(budget, per * (1 + drafts / (double)options->slots_per_request));
    }
    *rest -= options->draft_tokens ? draft_states(options, per, slots) : 0;
    *rest -= (double)(slots + 1) * per;
    return slots;
}

static uint64_t requests_of(const struct tn_sglang_options *options, uint64_t tokens, uint64_t state_slots)
{
    double many = (double)tokens / (double)max_u64(options->context_tokens, 1) * REQUESTS_PER_CONTEXT;
    uint64_t requests = many >= MOST ? MOST : max_u64((uint64_t)many, FEWEST);
    requests = min_u64(options->request_limit ? options->request_limit : requests, tokens / 2);
    return state_slots ? min_u64(requests, state_slots / options->slots_per_request) : requests;
}

static double ring_bytes(const struct tn_sglang_layout *layout, const struct tn_sglang_options *options,
                         uint64_t requests)
{
    uint64_t rows = (requests + 2) * options->ring_rows + 1; /* requests are at most 2^53, ring rows a few hundred */
    return layout->ring_row_bytes ? (double)(tn_ceil_div(rows, RING_ROWS) * RING_ROWS) * (double)layout->ring_row_bytes
                                  : 0;
}

/* What one stage alone would take. */
static struct tn_sglang_pool stage_pool(const struct tn_sglang_layout *layout, double rest,
                                        const struct tn_sglang_options *options)
{
    struct tn_sglang_pool pool = {0};
    if (layout->charged_state_bytes) {
        double per = (double)layout->charged_state_bytes;
        pool.state_slots =
            options->charges_padding ? padded_state_slots(options, per, &rest) : plain_state_slots(options, per, &rest);
    }
    double cell = cell_bytes(layout, options);
    if (layout->ring_row_bytes && cell > 0) {
        uint64_t requests = requests_of(options, page_down(rest / cell, 1), 0);
        rest -= ring_bytes(layout, options, requests);
    }
    /* a stage without caches takes any number of tokens */
    pool.tokens = cell > 0 ? page_down(rest / cell, options->page_tokens) : UINT64_MAX;
    return pool;
}

static void complete(const struct tn_sglang_layout *layout, const struct tn_sglang_options *options,
                     struct tn_sglang_pool *pool)
{
    bool has_full = layout->token_bytes > 0 || layout->compressed_bytes > 0;
    if (layout->window_bytes > 0) {
        double tokens = (double)pool->tokens * (has_full ? options->window_ratio : 1);
        pool->window_tokens = page_down(floor(tokens), options->page_tokens);
    }
    pool->requests = requests_of(options, pool->tokens, pool->state_slots);
}

bool tn_sglang_pool(const struct tn_sglang_layout *layouts, const uint64_t *rests, uint32_t stage_count,
                    const struct tn_sglang_options *options, struct tn_sglang_pool *pool, struct tn_error *error)
{
    *pool = (struct tn_sglang_pool){.tokens = UINT64_MAX, .state_slots = UINT64_MAX};
    uint32_t widest = 0; /* a stage whose layers have all kinds of pools */
    for (uint32_t k = 0; k < stage_count; k++) {
        struct tn_sglang_pool one = stage_pool(&layouts[k], (double)rests[k], options);
        pool->tokens = min_u64(pool->tokens, one.tokens);
        pool->state_slots =
            layouts[k].charged_state_bytes ? min_u64(pool->state_slots, one.state_slots) : pool->state_slots;
        widest = layouts[k].window_bytes > layouts[widest].window_bytes ? k : widest;
    }
    pool->state_slots = pool->state_slots == UINT64_MAX ? 0 : pool->state_slots;
    if (pool->tokens == UINT64_MAX) { /* states alone: as many tokens as one context */
        pool->tokens = options->context_tokens;
    }
    if (options->token_limit) {
        pool->tokens = min_u64(pool->tokens, options->token_limit / options->page_tokens * options->page_tokens);
    }
    complete(&layouts[widest], options, pool);
    struct tn_sglang_bytes bytes;
    return tn_sglang_pool_bytes(&layouts[widest], options, pool, &bytes, error);
}

/* ---- from pools to bytes ------------------------------------------------------------------------------------------ */

static bool add_product(uint64_t a, uint64_t b, uint64_t *sum)
{
    uint64_t product;
    return tn_mul_u64(a, b, &product) && tn_add_u64(*sum, product, sum);
}

static bool kv_bytes_of(const struct tn_sglang_layout *layout, const struct tn_sglang_options *options,
                        const struct tn_sglang_pool *pool, uint64_t *bytes)
{
    const double most = 9223372036854775808.0; /* 2^63 */
    uint64_t page = options->page_tokens;
    double compressed = layout->compressed_bytes * (double)pool->tokens;
    double rings = ring_bytes(layout, options, pool->requests);
    *bytes = 0;
    return compressed + rings < most && pool->tokens <= UINT64_MAX - page - 1
           && pool->window_tokens <= UINT64_MAX - page && add_product(pool->tokens + page, layout->slot_bytes, bytes)
           && (!layout->window_slot_bytes || add_product(pool->window_tokens + page, layout->window_slot_bytes, bytes))
           && add_product((pool->tokens + page + 1) / INDEX_PAGE * INDEX_PAGE, layout->index_slot_bytes, bytes)
           && add_product(1, (uint64_t)(compressed + rings), bytes);
}

bool tn_sglang_pool_bytes(const struct tn_sglang_layout *layout, const struct tn_sglang_options *options,
                          const struct tn_sglang_pool *pool, struct tn_sglang_bytes *bytes, struct tn_error *error)
{
    *bytes = (struct tn_sglang_bytes){0};
    uint64_t columns = options->context_tokens;
    uint64_t padding = options->charges_padding;
    uint64_t cells;
    bool fits = kv_bytes_of(layout, options, pool, &bytes->kv_bytes)
                && add_product(pool->tokens + options->page_tokens, layout->draft_slot_bytes, &bytes->draft_bytes)
                && tn_add_u64(columns, EXTRA_CONTEXT + options->draft_tokens, &columns)
                && tn_mul_u64(columns, MAP_ENTRY, &cells)
                && add_product(pool->requests + padding, cells, &bytes->map_bytes)
                && add_product(pool->requests, options->scratch_bytes, &bytes->scratch_bytes);
    if (fits && layout->state_bytes) {
        fits =
            add_product(pool->state_slots + 1, layout->state_bytes, &bytes->state_bytes)
            && (!options->draft_tokens
                || add_product((pool->requests + 1) * options->draft_tokens, layout->state_bytes, &bytes->state_bytes));
    }
    return fits || fail_large(error);
}

bool tn_sglang_pool_of_bytes(const struct tn_sglang_layout *layout, uint64_t kv_bytes,
                             const struct tn_sglang_options *options, struct tn_sglang_pool *pool,
                             struct tn_error *error)
{
    double slot = (double)layout->slot_bytes + (double)layout->index_slot_bytes + layout->compressed_bytes;
    double per = slot + (double)layout->window_slot_bytes * (slot > 0 ? options->window_ratio : 1);
    uint64_t slots = options->state_slots;
    if (layout->charged_state_bytes && !slots) {
        slots = (uint64_t)slots_of((double)kv_bytes * options->state_ratio, (double)layout->charged_state_bytes);
    }
    *pool = (struct tn_sglang_pool){.tokens = options->context_tokens, .state_slots = slots};
    if (per > 0) {
        pool->tokens = page_down((double)kv_bytes / per, options->page_tokens);
    }
    for (;;) { /* the page that means nothing, and what rounding adds: a few steps */
        uint64_t taken;
        complete(layout, options, pool);
        if (!kv_bytes_of(layout, options, pool, &taken)) {
            return fail_large(error);
        }
        if (taken <= kv_bytes || pool->tokens < options->page_tokens || !(per > 0)) {
            return true;
        }
        pool->tokens -= options->page_tokens;
    }
}

bool tn_sglang_pool_for(const struct tn_sglang_layout *layout, const struct tn_sglang_options *options,
                        uint64_t requests, struct tn_sglang_pool *pool, struct tn_error *error)
{
    *pool = (struct tn_sglang_pool){0};
    uint64_t pages = tn_ceil_div(options->context_tokens, options->page_tokens);
    if (!tn_mul_u64(pages, options->page_tokens, &pool->tokens) || !tn_mul_u64(pool->tokens, requests, &pool->tokens)
        || (layout->state_bytes && !tn_mul_u64(requests, options->slots_per_request, &pool->state_slots))) {
        return fail_large(error);
    }
    complete(layout, options, pool);
    pool->requests = requests;
    return true;
}

double tn_sglang_concurrency(const struct tn_sglang_options *options, const struct tn_sglang_pool *pool)
{
    uint64_t context = max_u64(options->context_tokens, 1);
    double pages = (double)tn_ceil_div(context, options->page_tokens) * (double)options->page_tokens;
    double most = fmin((double)pool->tokens / pages, (double)pool->requests);
    if (pool->window_tokens && options->window_tokens) {
        most = fmin(most, (double)pool->window_tokens / (double)min_u64(options->window_tokens, context));
    }
    uint64_t with_states = pool->state_slots / options->slots_per_request;
    return pool->state_slots ? fmin(most, (double)with_states) : most;
}
