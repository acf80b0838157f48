/* Blocks of Text Generation Inference. */
#include "engine/tgi_pool.h"

#include "base/number.h"

#include <math.h>

static bool too_large(struct tn_error *error)
{
    return tn_fail(error, TN_ERROR_TOO_LARGE, "the KV cache exceeds 64 bits");
}

bool tn_tgi_blocks(const struct tn_tgi_budget *budget, uint64_t free_bytes, uint64_t *blocks, struct tn_error *error)
{
    const double most = 9223372036854775808.0;
    double total = (double)budget->total_bytes;
    double fraction = budget->memory_fraction * (budget->room_is_of_total ? budget->room : 1);
    double left = (double)free_bytes - (1 - fraction) * total;
    left = left > 0 ? left : 0;
    left = budget->room_is_of_total ? left : left * budget->room;
    double count = floor(left / (double)budget->block_bytes);
    *blocks = count < most ? (uint64_t)count : 0;
    return (count < most && tn_add_u64(*blocks, budget->warm_up_blocks, blocks)) || too_large(error);
}

bool tn_tgi_warm_up_blocks(const struct tn_tgi_warm_up *warm_up, uint64_t *requests, uint64_t *blocks,
                           struct tn_error *error)
{
    uint64_t tokens;
    bool fits;
    if (warm_up->input_tokens) {
        *requests = tn_ceil_div(warm_up->prefill_tokens, warm_up->input_tokens);
        fits = tn_add_u64(warm_up->total_tokens, warm_up->speculated_tokens, &tokens);
    } else {
        *requests = 1;
        fits = tn_add_u64(warm_up->prefill_tokens, 1 + warm_up->speculated_tokens, &tokens);
    }
    if (warm_up->batch_limit && *requests > warm_up->batch_limit) {
        *requests = warm_up->batch_limit;
    }
    tokens -= fits && tokens ? 1 : 0; /* the last one is never read */
    fits = fits && tn_mul_u64(tn_ceil_div(tokens, warm_up->block_tokens), *requests, blocks);
    return fits || too_large(error);
}
