#include "engine/llamacpp/search.h"

#include "base/bisect.h"

/* One question: the settings with a number changed. */
struct search {
    const struct tn_llama *asked;
    const uint64_t *limit_bytes; /* of each GPU */
    void (*change)(struct tn_llama_settings *settings, uint64_t number);
    struct tn_arena arena; /* of one try */
};

static bool fits(struct search *search, uint64_t number)
{
    struct tn_llama_share shares[TN_LLAMA_MOST_GPUS + 1] = {0};
    struct tn_error error = {0};
    struct tn_llama tried = tn_llama_anew(search->asked, &search->arena, &error);
    tn_arena_reset(&search->arena);
    search->change(&tried.settings, number);
    bool done = tn_llama_compute(&tried, shares);
    for (uint32_t k = 0; done && k < tried.settings.gpu_count; k++) {
        const struct tn_llama_share *share = &shares[k];
        done = share->weights + share->kv + share->window_kv + share->recurrent + share->compute
               <= search->limit_bytes[k]; /* each was bounded before */
    }
    return done;
}

static struct tn_trial try_number(void *context, uint64_t number)
{
    bool done = fits(context, number);
    return (struct tn_trial){.value = number, .result = done ? TN_TRIAL_FITS : TN_TRIAL_FAILS};
}

/* The largest number from `least` to `most` that fits, if more is harder; 0 where not even the least does. */
static uint64_t largest(struct search *search, uint64_t least, uint64_t most)
{
    if (least > most || !fits(search, least)) {
        return 0;
    }
    struct tn_trial low = {.value = least, .result = TN_TRIAL_FITS};
    struct tn_trial high = {.value = most + 1};
    tn_bisect(&low, &high, try_number, search);
    return low.value;
}

static void change_layers(struct tn_llama_settings *settings, uint64_t number)
{
    settings->gpu_layers = (int64_t)number;
}

static void change_steps(struct tn_llama_settings *settings, uint64_t number)
{
    settings->context_tokens = number * settings->context_step * settings->sequences;
}

/* Layers whose experts stay on the GPU, of the most there are: more is harder. */
static void change_experts(struct tn_llama_settings *settings, uint64_t number)
{
    settings->layers_with_experts_on_cpu = TN_LLAMA_MOST_BLOCKS - number;
}

static bool has_experts(const struct tn_llama_file *file)
{
    for (size_t k = 0; k < file->tensor_count; k++) {
        if (tn_str_find(file->tensors[k].name, TN_STR("_exps.")) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

bool tn_llama_advise(const struct tn_llama *llama, const uint64_t *limit_bytes, struct tn_llama_advice *advice)
{
    uint64_t steps = llama->settings.context_tokens / llama->settings.context_step / llama->settings.sequences;
    struct search search = {.asked = llama, .limit_bytes = limit_bytes};
    *advice = (struct tn_llama_advice){0};
    search.change = change_steps;
    advice->context_tokens = largest(&search, 1, steps) * llama->settings.context_step * llama->settings.sequences;
    if (has_experts(llama->file)) {
        search.change = change_experts;
        uint64_t on_gpu = largest(&search, TN_LLAMA_MOST_BLOCKS - llama->file->block_count, TN_LLAMA_MOST_BLOCKS);
        advice->cpu_experts = on_gpu ? TN_LLAMA_MOST_BLOCKS - on_gpu : 0;
    }
    search.change = change_layers;
    advice->gpu_layers = largest(&search, 1, llama->file->block_count);
    tn_arena_free(&search.arena);
    return true;
}

/* ---- fit ---------------------------------------------------------------------------------------------------------- */

/* Everything on the GPUs, as far as it has been chosen by now. */
static void change_nothing(struct tn_llama_settings *settings, uint64_t number)
{
    (void)settings;
    (void)number;
}

static bool cut_context(struct search *search, struct tn_llama *llama, uint64_t least_tokens)
{
    uint64_t step = llama->settings.context_step * llama->settings.sequences;
    uint64_t least = least_tokens * llama->settings.sequences;
    if (!least_tokens || llama->settings.context_tokens <= least) {
        return false;
    }
    search->change = change_steps;
    uint64_t steps = largest(search, least / step ? least / step : 1, llama->settings.context_tokens / step);
    llama->settings.context_tokens = steps ? steps * step : least;
    return steps > 0;
}

bool tn_llama_fit(struct tn_llama *llama, const uint64_t *limit_bytes, uint64_t least_context_tokens)
{
    struct search search = {.asked = llama, .limit_bytes = limit_bytes, .change = change_nothing};
    bool done = fits(&search, 0) || cut_context(&search, llama, least_context_tokens);
    if (!done && has_experts(llama->file)) {
        search.change = change_experts;
        uint64_t on_gpu = largest(&search, TN_LLAMA_MOST_BLOCKS - llama->file->block_count, TN_LLAMA_MOST_BLOCKS);
        llama->settings.layers_with_experts_on_cpu = on_gpu ? TN_LLAMA_MOST_BLOCKS - on_gpu : 0;
        done = on_gpu > 0;
    }
    if (!done) {
        search.change = change_layers;
        llama->settings.gpu_layers = (int64_t)largest(&search, 1, llama->file->block_count);
    }
    tn_arena_free(&search.arena);
    return true;
}
