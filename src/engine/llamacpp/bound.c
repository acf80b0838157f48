/* Results of one layer that are held at once, at most: those of all its products, the stream before and after it, and what attention and
 * states need. True of nearly every graph that was measured (tests/unit/test_llamacpp_bound.c), 1.1 to 4 times the buffer. */
#include "engine/llamacpp/bound.h"

#include "base/number.h"

#include <string.h>

enum { F32_BYTES = 4, F16_BYTES = 2 };

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Sums that would wrap around stay at the end of the numbers. */
static uint64_t plus(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return tn_add_u64(a, b, &sum) ? sum : UINT64_MAX;
}

static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t product;
    return tn_mul_u64(a, b, &product) ? product : UINT64_MAX;
}

struct widths {
    uint64_t results; /* outputs of all matrices of a layer, of the widest one */
    uint64_t inputs;  /* their widest input */
    uint64_t on_host; /* bytes of the largest weight in the host's memory */
    uint64_t on_gpu;
};

static uint64_t results_of(const struct tn_llama_weight *weight, uint64_t experts_used)
{
    bool is_stack = weight->ne[2] > 1 && tn_str_find(weight->name, TN_STR("exps")) != SIZE_MAX;
    uint64_t copies = is_stack ? experts_used : larger(weight->ne[2], 1);
    return weight->ne[1] > 1 ? times(weight->ne[1], copies) : 0;
}

/* Weights of a block stand in any order in the list. */
static bool measure(const struct tn_llama *llama, struct widths *widths)
{
    uint64_t experts_used = larger(tn_llama_experts_used(llama), 1);
    uint64_t *results = TN_NEW_ARRAY(llama->arena, uint64_t, (size_t)llama->block_count + 1);
    if (!results) {
        return tn_fail_memory(llama->error);
    }
    for (size_t k = 0; k < llama->weight_count; k++) {
        const struct tn_llama_weight *weight = &llama->weights[k];
        uint32_t block = weight->block;
        if (block < llama->block_count) {
            results[block] = plus(results[block], results_of(weight, experts_used));
            widths->results = larger(widths->results, results[block]);
            widths->inputs = larger(widths->inputs, weight->ne[0]);
        }
        uint64_t *largest = weight->place < 0 ? &widths->on_host : &widths->on_gpu;
        bool is_factor = block < llama->block_count || tn_str_is(weight->name, "output.weight");
        *largest = larger(*largest, is_factor ? weight->bytes : 0);
    }
    return true;
}

/* Heads, from the widths of queries where the config has no number. */
static uint64_t heads_of(const struct tn_llama *llama)
{
    const struct tn_value *value = tn_facts_find(&llama->model->facts, TN_STR("num_attention_heads"), NULL);
    uint64_t heads = 1;
    if (value && value->kind == TN_LIST) {
        for (uint32_t k = 0; k < value->count; k++) {
            heads = value->as.items[k].kind == TN_INTEGER && value->as.items[k].as.integer > (int64_t)heads
                        ? (uint64_t)value->as.items[k].as.integer
                        : heads;
        }
        return heads;
    }
    return tn_llama_fact(llama, "num_attention_heads", 1);
}

static uint64_t mask_bytes(const struct tn_llama *llama)
{
    const struct tn_llama_sizes *sizes = &llama->sizes;
    uint64_t cells = plus(sizes->sequence_tokens, sizes->window_cells);
    return times(times(llama->uses_flash ? F16_BYTES : F32_BYTES, cells), sizes->tokens);
}

/* Keys and values of the widest layer in F16, where flash attention does not read the cache as it is. */
static uint64_t copied_bytes(const struct tn_llama *llama)
{
    const struct tn_llama_settings *settings = &llama->settings;
    const struct tn_dtype *f16 = tn_dtype_find(TN_STR("F16"));
    uint64_t widest = 0;
    for (uint32_t k = 0; k < llama->layer_count; k++) {
        const struct tn_llama_layer *layer = &llama->layers[k];
        widest = larger(widest, plus(layer->key_width, plus(layer->value_width, layer->index_width)));
    }
    bool is_plain = settings->key_type == f16 && settings->value_type == f16;
    uint64_t cells = times(llama->sizes.sequence_tokens, llama->sizes.streams);
    return is_plain ? 0 : plus(times(times(F16_BYTES, cells), widest), 1 << 20);
}

/* What attention holds beside queries, keys and values: without flash attention the scores of all heads. */
static uint64_t attention_bytes(const struct tn_llama *llama)
{
    const struct tn_llama_sizes *sizes = &llama->sizes;
    uint64_t masks = times(2, mask_bytes(llama));
    if (llama->uses_flash) {
        return plus(masks, copied_bytes(llama));
    }
    uint64_t scores = times(times(F32_BYTES, sizes->sequence_tokens), sizes->tokens);
    return plus(masks, times(scores, heads_of(llama)));
}

static uint64_t state_bytes(const struct tn_llama *llama)
{
    uint64_t widest = 0;
    for (uint32_t k = 0; k < llama->layer_count; k++) {
        widest = larger(widest, plus(llama->layers[k].shift_width, llama->layers[k].state_width));
    }
    return times(times(16, times(F32_BYTES, widest)), llama->sizes.state_rows);
}

static uint64_t layer_bytes(const struct tn_llama *llama, const struct widths *widths)
{
    const struct tn_llama_sizes *sizes = &llama->sizes;
    uint64_t stream = times(8, larger(llama->embedding, widths->inputs));
    uint64_t experts = times(times(2, tn_llama_experts_used(llama)), llama->embedding);
    uint64_t elements = plus(plus(widths->results, widths->results / 4), plus(stream, experts));
    uint64_t bytes = times(times(F32_BYTES, sizes->tokens), elements);
    uint64_t logits = times(times(F32_BYTES, sizes->outputs), plus(llama->vocabulary, llama->embedding));
    return plus(plus(bytes, logits), plus(attention_bytes(llama), state_bytes(llama)));
}

bool tn_llama_has_kernels(const struct tn_llama *llama)
{
    for (uint32_t k = 0; k < llama->layer_count; k++) {
        const struct tn_llama_layer *layer = &llama->layers[k];
        uint64_t values = layer->value_width ? layer->value_width : layer->key_width;
        if (layer->has_cache && !tn_ggml_has_head(layer->key_width / layer->kv_heads, values / layer->kv_heads)) {
            return false;
        }
    }
    return true;
}

static uint64_t cache_bytes(const struct tn_llama_share *shares, uint32_t gpus)
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < gpus; k++) {
        sum = plus(sum, plus(shares[k].kv, shares[k].window_kv));
    }
    return sum;
}

bool tn_llama_bound_compute(const struct tn_llama *llama, struct tn_llama_share *shares)
{
    enum { SMALL_BYTES = 2 << 20, COPIES = TN_GGML_PIPELINE_COPIES };
    uint32_t gpus = llama->settings.gpu_count;
    struct widths widths = {0};
    if (!measure(llama, &widths)) {
        return false;
    }
    uint64_t bytes = plus(layer_bytes(llama, &widths), SMALL_BYTES);
    uint64_t passed = times(times(4, times(F32_BYTES, llama->sizes.tokens)), llama->embedding);
    uint64_t inputs = times(gpus > 1 ? COPIES : 1, plus(passed, mask_bytes(llama)));
    /* flash attention for heads without a kernel runs on the CPU, which then has copies of the GPUs' caches */
    bool copies_caches = gpus > 1 && llama->uses_flash && !tn_llama_has_kernels(llama);
    uint64_t caches = copies_caches ? times(COPIES, cache_bytes(shares, gpus)) : 0;
    for (uint32_t k = 0; k <= gpus; k++) { /* the CPU may have to do what a GPU has no kernel for */
        uint64_t offloaded = k < gpus ? widths.on_host : plus(widths.on_gpu, caches);
        shares[k].compute = plus(plus(bytes, offloaded), plus(inputs, SMALL_BYTES));
        if (shares[k].compute == UINT64_MAX) {
            return tn_fail(llama->error, TN_ERROR_TOO_LARGE, "the compute buffers exceed 64 bits");
        }
    }
    return true;
}
