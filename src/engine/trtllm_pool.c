/* TensorRT-LLM's KV pool. */
#include "engine/trtllm_pool.h"

#include "base/number.h"

static bool fail_large(struct tn_error *error)
{
    return tn_fail(error, TN_ERROR_TOO_LARGE, "the KV pool of one rank exceeds 64 bits");
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- one pool for all layers -------------------------------------------------------------------------------------- */

static uint64_t slope_of(const struct tn_trtllm_layout *layout, const struct tn_trtllm_options *options)
{
    uint64_t slope = options->snapshot_tokens ? layout->state_bytes / options->snapshot_tokens : 0;
    for (uint32_t k = 0; k < layout->window_count; k++) {
        slope += layout->windows[k].token_bytes;
    }
    return slope;
}

static bool intercept_of(const struct tn_trtllm_layout *layout, const struct tn_trtllm_options *options,
                         uint64_t *bytes)
{
    return tn_mul_u64(options->max_batch_size, options->pipeline, bytes)
           && tn_mul_u64(*bytes, layout->state_bytes, bytes);
}

/* UINT64_MAX for a stage without caches. */
static bool plain_tokens(const struct tn_trtllm_layout *layout, uint64_t budget,
                         const struct tn_trtllm_options *options, uint64_t *tokens)
{
    uint64_t intercept;
    uint64_t slope = slope_of(layout, options);
    bool fits = intercept_of(layout, options, &intercept);
    uint64_t left = budget > intercept ? budget - intercept : 0;
    *tokens = slope ? left / slope : UINT64_MAX;
    return fits;
}

/* ---- a pool for each size of window ------------------------------------------------------------------------------- */

static uint64_t window_blocks(const struct tn_trtllm_layout *layout, uint32_t window, uint64_t budget,
                              const struct tn_trtllm_options *options)
{
    uint64_t bytes = layout->windows[window].token_bytes;
    return bytes ? budget / layout->window_count / bytes / options->tokens_per_block : UINT64_MAX;
}

/* The least that any window's pool holds, of its own window at the most: what the longest sequence is cut to. */
static uint64_t longest_in_windows(const struct tn_trtllm_layout *layout, uint64_t budget,
                                   const struct tn_trtllm_options *options)
{
    uint64_t longest = options->max_seq_len;
    for (uint32_t k = 0; k < layout->window_count; k++) {
        uint64_t blocks = window_blocks(layout, k, budget, options);
        uint64_t tokens =
            blocks < UINT64_MAX / options->tokens_per_block ? blocks * options->tokens_per_block : UINT64_MAX;
        longest = tokens < layout->windows[k].tokens ? min_u64(longest, tokens) : longest;
    }
    return longest;
}

/* Sequences of max_seq_len at once: of the pool that is used up first. */
static double sequences_in_windows(const struct tn_trtllm_layout *layout, uint64_t budget,
                                   const struct tn_trtllm_options *options)
{
    double fewest = 1e18;
    for (uint32_t k = 0; k < layout->window_count; k++) {
        uint64_t tokens = min_u64(layout->windows[k].tokens, options->max_seq_len);
        uint64_t blocks = tn_ceil_div(tokens ? tokens : 1, options->tokens_per_block);
        double sequences = (double)window_blocks(layout, k, budget, options) / (double)blocks;
        fewest = sequences < fewest ? sequences : fewest;
    }
    return fewest;
}

/* ---- both --------------------------------------------------------------------------------------------------------- */

static bool bytes_of(const struct tn_trtllm_layout *layout, uint64_t budget, const struct tn_trtllm_options *options,
                     struct tn_trtllm_pool *pool)
{
    if (!intercept_of(layout, options, &pool->bytes)) {
        return false;
    }
    uint64_t snapshots = slope_of(layout, options);
    for (uint32_t k = 0; k < layout->window_count; k++) {
        uint64_t blocks = layout->window_count > 1 ? window_blocks(layout, k, budget, options) : pool->blocks;
        uint64_t bytes;
        if (!tn_mul_u64(blocks, options->tokens_per_block, &bytes)
            || !tn_mul_u64(bytes, layout->windows[k].token_bytes, &bytes)
            || !tn_add_u64(pool->bytes, bytes, &pool->bytes)) {
            return false;
        }
        snapshots -= layout->windows[k].token_bytes;
    }
    uint64_t bytes;
    return tn_mul_u64(pool->tokens, snapshots, &bytes) && tn_add_u64(pool->bytes, bytes, &pool->bytes);
}

static bool stage_tokens(const struct tn_trtllm_layout *layout, uint64_t budget,
                         const struct tn_trtllm_options *options, uint64_t *tokens)
{
    if (layout->window_count <= 1) {
        return plain_tokens(layout, budget, options, tokens);
    }
    uint64_t blocks = window_blocks(layout, layout->window_count - 1, budget, options);
    *tokens = min_u64(blocks, UINT64_MAX / options->tokens_per_block) * options->tokens_per_block;
    return true;
}

bool tn_trtllm_pool(const struct tn_trtllm_layout *layouts, const uint64_t *budgets, uint32_t stage_count,
                    const struct tn_trtllm_options *options, struct tn_trtllm_pool *pool, struct tn_error *error)
{
    uint64_t tokens = UINT64_MAX;
    bool has_windows = false;
    bool has_states = false;
    for (uint32_t k = 0; k < stage_count; k++) {
        uint64_t one;
        if (!stage_tokens(&layouts[k], budgets[k], options, &one)) {
            return fail_large(error);
        }
        tokens = min_u64(tokens, one);
        has_windows = has_windows || layouts[k].window_count > 1;
        has_states = has_states || layouts[k].state_bytes;
    }
    tokens = tokens == UINT64_MAX ? options->max_seq_len : tokens; /* states alone */
    if (options->max_tokens && !has_windows) {                     /* of windows the engine takes no cap */
        tokens = min_u64(tokens, options->max_tokens);
    }
    /* one pool for all layers is rounded up to a block, others down */
    bool rounds_down = has_windows || has_states;
    *pool = (struct tn_trtllm_pool){.blocks = rounds_down ? tokens / options->tokens_per_block
                                                          : tn_ceil_div(tokens, options->tokens_per_block)};
    pool->blocks = min_u64(pool->blocks, UINT64_MAX / options->tokens_per_block);
    pool->tokens = pool->blocks * options->tokens_per_block;
    pool->longest_tokens = min_u64(pool->tokens, options->max_seq_len);
    uint64_t sequence_blocks = tn_ceil_div(options->max_seq_len ? options->max_seq_len : 1, options->tokens_per_block);
    pool->concurrency = (double)pool->blocks / (double)sequence_blocks;
    for (uint32_t k = 0; k < stage_count && has_windows; k++) {
        double sequences = sequences_in_windows(&layouts[k], budgets[k], options);
        pool->longest_tokens = min_u64(pool->longest_tokens, longest_in_windows(&layouts[k], budgets[k], options));
        pool->concurrency = sequences < pool->concurrency ? sequences : pool->concurrency;
    }
    if (pool->concurrency > (double)options->max_batch_size) {
        pool->concurrency = (double)options->max_batch_size;
    }
    return bytes_of(&layouts[0], budgets[0], options, pool) || fail_large(error);
}

bool tn_trtllm_needed(const struct tn_trtllm_layout *layout, const struct tn_trtllm_options *options,
                      uint64_t sequences, uint64_t *bytes, struct tn_error *error)
{
    uint64_t states;
    bool fits = intercept_of(layout, options, &states);
    *bytes = 0;
    for (uint32_t k = 0; k < layout->window_count && fits; k++) {
        /* without windows of their own all layers keep the whole sequence; with them the shares are equal, so that the largest counts */
        uint64_t tokens = min_u64(layout->windows[k].tokens, options->max_seq_len);
        uint64_t blocks = tn_ceil_div(tokens, options->tokens_per_block);
        uint64_t one;
        fits = tn_mul_u64(blocks, options->tokens_per_block, &one)
               && tn_mul_u64(one, layout->windows[k].token_bytes, &one) && tn_mul_u64(one, sequences, &one)
               && tn_mul_u64(one, layout->window_count, &one);
        *bytes = one > *bytes ? one : *bytes;
    }
    return (fits && tn_add_u64(*bytes, states, bytes)) || fail_large(error);
}
