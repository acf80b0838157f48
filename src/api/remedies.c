/* Finding remedies: fewer requests, shorter ones, a smaller KV dtype, smaller weights, more GPUs. */
#include "api/remedies.h"

#include <stdarg.h>
#include <stdio.h>

struct search {
    const struct tn_session *session;
    const struct tn_request *request;
    struct tn_plan *plan;
    struct tn_arena *arena;
};

static void offer(struct search *search, const char *meaning, const char *format, ...) TN_PRINTF(3, 4);

static void offer(struct search *search, const char *meaning, const char *format, ...)
{
    char option[80];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(option, sizeof option, format, arguments);
    va_end(arguments);
    struct tn_remedy remedy = {.meaning = tn_str_of(meaning)};
    if (search->plan->remedy_count < TN_REMEDIES && tn_str_copy(search->arena, tn_str_of(option), &remedy.option)) {
        search->plan->remedies[search->plan->remedy_count++] = remedy;
    }
}

static void try_kv_dtype(struct search *search)
{
    struct tn_deployment varied = search->plan->question.deployment;
    struct tn_arena scratch = {0};
    if (varied.kv_dtype->block_bytes == 2 * varied.kv_dtype->block_elements) {
        varied.kv_dtype = tn_dtype_find(TN_STR("fp8"));
        if (varied.kv_dtype && tn_deployment_fits(&search->plan->question.planner, &varied, &scratch)) {
            offer(search, "half the KV cache", "--kv-dtype fp8");
        }
    }
    tn_arena_free(&scratch);
}

/* The model again with its linear and expert weights in a smaller dtype; the largest that fits is offered. */
static void try_weights(struct search *search)
{
    static const struct {
        const char *dtype;
        const char *meaning;
    } smaller[] = {{"int8", "linear and expert weights in 8 bits"}, {"int4", "linear and expert weights in 4 bits"}};
    bool is_plain = !search->plan->model->quant.size && !search->request->values[TN_INPUT_QUANT].given
                    && search->plan->model->dtype->block_bytes >= 2 && search->plan->model->source != TN_SOURCE_GGUF;
    bool found = !is_plain;
    for (size_t k = 0; !found && k < sizeof smaller / sizeof smaller[0]; k++) {
        struct tn_request varied = *search->request;
        varied.values[TN_INPUT_QUANT] = (struct tn_input_value){.given = true, .text = tn_str_of(smaller[k].dtype)};
        struct tn_model *model = tn_request_model(search->session, &varied, varied.values[TN_INPUT_MODEL].text, NULL);
        struct tn_arena scratch = {0};
        struct tn_planner *planner = &search->plan->question.planner;
        struct tn_planner other = {.engine = planner->engine, .model = model, .rules = planner->rules};
        found = model && tn_deployment_fits(&other, &search->plan->question.deployment, &scratch);
        if (found) {
            offer(search, smaller[k].meaning, "--quant %s", smaller[k].dtype);
        }
        tn_arena_free(&scratch);
        tn_arena_free(&other.placement_arena); /* the rules stay the plan's */
        tn_model_free(model);
    }
}

/* More of the same GPU, with the split that does it. */
static void offer_gpus(struct search *search)
{
    const struct tn_verdict *verdict = &search->plan->verdict;
    const struct tn_gpu *gpu = search->plan->question.gpu;
    if (!verdict->gpus_needed) {
        return;
    }
    if (gpu && !search->request->values[TN_INPUT_GPU_MEMORY].given) {
        offer(search, "more GPUs", "--gpu %.*sx%u --tp %u --pp %u", (int)gpu->id.size, gpu->id.data,
              verdict->gpus_needed, verdict->needed_tp, verdict->needed_pp);
    } else {
        offer(search, "more GPUs", "--tp %u --pp %u", verdict->needed_tp, verdict->needed_pp);
    }
}

void tn_find_remedies(const struct tn_session *session, const struct tn_request *request, struct tn_plan *plan,
                      struct tn_arena *arena)
{
    const struct tn_verdict *verdict = &plan->verdict;
    struct search search = {session, request, plan, arena};
    if (!verdict->judged || verdict->fits) {
        return;
    }
    if (verdict->most_concurrency && verdict->most_concurrency != UINT64_MAX) {
        offer(&search, "fewer requests at once", "--concurrency %llu", (unsigned long long)verdict->most_concurrency);
    }
    if (verdict->most_context_tokens && verdict->most_context_tokens != UINT64_MAX) {
        offer(&search, "shorter requests", "--context %llu", (unsigned long long)verdict->most_context_tokens);
    }
    try_kv_dtype(&search);
    try_weights(&search);
    offer_gpus(&search);
}
