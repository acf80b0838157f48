/* Finding remedies: other settings of the engine as its record offers them, fewer requests, shorter ones, a smaller KV dtype, smaller
 * weights, more GPUs. Each is a request with some inputs changed, read and planned as the user's own was. */
#include "api/remedies.h"

#include "api/variant.h"
#include "fit/split.h"

struct search {
    struct tn_plan *plan;
    struct tn_arena *arena; /* of the plan's texts */
    struct tn_variant variant;
    const char *meaning;
};

static void begin(struct search *search, const char *meaning)
{
    search->variant.count = 0;
    search->meaning = meaning;
}

/* Plans the request with the changes. True where it fits; *remedy gets what its pool then has. */
static bool fits_changed(struct search *search, struct tn_remedy *remedy)
{
    struct tn_varied_plan varied;
    tn_variant_try(&search->plan->question, search->plan->model, &search->variant, search->arena, &varied);
    remedy->has_pool = varied.has_pool;
    remedy->pool_tokens = varied.pool_tokens;
    remedy->requests = varied.requests;
    remedy->worst_bytes = varied.worst_bytes;
    return varied.fits;
}

/* Offers the changes if the request fits with them. */
static bool offer(struct search *search)
{
    struct tn_plan *plan = search->plan;
    struct tn_remedy remedy = {.meaning = tn_str_of(search->meaning)};
    bool fits = plan->remedy_count < TN_REMEDIES && fits_changed(search, &remedy);
    struct tn_builder option = {0};
    tn_variant_write(&search->variant, &option);
    if (fits && tn_str_copy(search->arena, tn_builder_str(&option), &remedy.option)) {
        plan->remedies[plan->remedy_count++] = remedy;
    }
    tn_builder_free(&option);
    return fits;
}

/* ---- what is tried ------------------------------------------------------------------------------------------------ */

static void change_setting(struct search *search, const struct tn_offer *offered)
{
    tn_variant_change(&search->variant, search->arena, TN_INPUT_SET, TN_STR_FORMAT "=" TN_STR_FORMAT,
                      TN_STR_ARGUMENTS(offered->name), TN_STR_ARGUMENTS(offered->value));
}

/* The record's own, those first that the engine's complaint is about; of several values of a setting the first that does. The longest
 * request is not among them: the verdict has found the longest that is certain. */
static void try_settings(struct search *search)
{
    const struct tn_ledger *ledger = &search->plan->ledger;
    struct tn_str context = search->plan->question.deployment.context_setting;
    for (int about = 1; about >= 0; about--) {
        struct tn_str done = {0};
        for (size_t k = 0; k < ledger->offer_count; k++) {
            const struct tn_offer *offered = &ledger->offers[k];
            if (tn_str_equal(offered->name, ledger->remedy) != (about == 1) || tn_str_equal(offered->name, done)
                || tn_str_equal(offered->name, context)) {
                continue;
            }
            begin(search, offered->meaning.data);
            change_setting(search, offered);
            done = offer(search) ? offered->name : done;
        }
    }
}

/* Leaves out what is not needed of changes that cure together, from the dearest on. */
static void prune(struct search *search)
{
    for (size_t k = search->variant.count; k-- > 0;) {
        struct search less = *search;
        struct tn_remedy remedy;
        for (size_t next = k; next + 1 < less.variant.count; next++) {
            less.variant.changes[next] = less.variant.changes[next + 1];
        }
        less.variant.count--;
        if (less.variant.count && fits_changed(&less, &remedy)) {
            *search = less;
        }
    }
}

/* Where no setting does alone: as many of them as it takes, each at its last value. */
static void try_settings_together(struct search *search)
{
    const struct tn_ledger *ledger = &search->plan->ledger;
    bool fits = search->plan->remedy_count > 0;
    begin(search, "together");
    for (size_t k = 0; !fits && k < ledger->offer_count && search->variant.count < TN_MOST_CHANGES; k++) {
        struct tn_str name = ledger->offers[k].name;
        bool is_last = k + 1 == ledger->offer_count || !tn_str_equal(name, ledger->offers[k + 1].name);
        struct tn_remedy remedy;
        if (is_last && !tn_str_equal(name, search->plan->question.deployment.context_setting)) {
            change_setting(search, &ledger->offers[k]);
            fits = fits_changed(search, &remedy);
        }
    }
    if (fits && search->variant.count > 1) {
        prune(search);
        (void)offer(search);
    }
}

/* Another division of the layers over the GPUs, of llama.cpp. */
static void try_split(struct search *search)
{
    struct tn_question *question = &search->plan->question;
    struct tn_fit_split split;
    if (!tn_may_split(question) || !tn_fit_find_split(&question->planner, &question->deployment, &split)) {
        return;
    }
    begin(search, "so many layers on each GPU");
    tn_variant_change(&search->variant, search->arena, TN_INPUT_SET, "tensor_split=%s", split.text);
    (void)offer(search);
}

static void try_requests(struct search *search)
{
    const struct tn_verdict *verdict = &search->plan->verdict;
    if (verdict->most_concurrency && verdict->most_concurrency != UINT64_MAX) {
        begin(search, "fewer requests at once");
        tn_variant_change(&search->variant, search->arena, TN_INPUT_CONCURRENCY, "%llu",
                          (unsigned long long)verdict->most_concurrency);
        (void)offer(search);
    }
    if (verdict->most_context_tokens && verdict->most_context_tokens != UINT64_MAX) {
        begin(search, "shorter requests");
        tn_variant_change(&search->variant, search->arena, TN_INPUT_CONTEXT, "%llu",
                          (unsigned long long)verdict->most_context_tokens);
        (void)offer(search);
    }
}

/* Engines with a record name the dtypes that they have among their remedies. */
static void try_kv_dtype(struct search *search)
{
    const struct tn_question *question = &search->plan->question;
    const struct tn_dtype *dtype = question->deployment.kv_dtype;
    if (!question->planner.engine->has_record && dtype->block_bytes == 2 * dtype->block_elements) {
        begin(search, "half the KV cache");
        tn_variant_change(&search->variant, search->arena, TN_INPUT_KV_DTYPE, "fp8");
        (void)offer(search);
    }
}

/* The model again with its linear and expert weights in a smaller dtype; the largest that fits is offered. */
static void try_weights(struct search *search)
{
    static const struct {
        const char *dtype;
        const char *meaning;
    } smaller[] = {{"int8", "linear and expert weights in 8 bits"}, {"int4", "linear and expert weights in 4 bits"}};
    const struct tn_model *model = search->plan->model;
    bool is_plain = !model->quant.size && !search->plan->question.request.values[TN_INPUT_QUANT].given
                    && model->dtype->block_bytes >= 2 && model->source != TN_SOURCE_GGUF;
    bool found = !is_plain;
    for (size_t k = 0; !found && k < sizeof smaller / sizeof smaller[0]; k++) {
        begin(search, smaller[k].meaning);
        tn_variant_change(&search->variant, search->arena, TN_INPUT_QUANT, "%s", smaller[k].dtype);
        found = offer(search);
    }
}

/* More of the same GPU, with the split that does it. */
static void try_gpus(struct search *search)
{
    const struct tn_verdict *verdict = &search->plan->verdict;
    const struct tn_question *question = &search->plan->question;
    if (!verdict->gpus_needed) {
        return;
    }
    begin(search, "more GPUs");
    if (question->gpu && !question->request.values[TN_INPUT_GPU_MEMORY].given) {
        tn_variant_change(&search->variant, search->arena, TN_INPUT_GPU, TN_STR_FORMAT "x%u",
                          TN_STR_ARGUMENTS(question->gpu->id), verdict->gpus_needed);
    }
    tn_variant_change(&search->variant, search->arena, TN_INPUT_TP, "%u", verdict->needed_tp);
    tn_variant_change(&search->variant, search->arena, TN_INPUT_PP, "%u", verdict->needed_pp);
    if (question->deployment.ep > verdict->needed_tp * question->deployment.dp) {
        tn_variant_change(&search->variant, search->arena, TN_INPUT_EP, "%u",
                          verdict->needed_tp * question->deployment.dp);
    }
    (void)offer(search);
}

void tn_find_remedies(struct tn_plan *plan, struct tn_arena *arena)
{
    struct search search = {.plan = plan, .arena = arena};
    if (!plan->verdict.judged || plan->verdict.fits) {
        return;
    }
    try_settings(&search);
    try_settings_together(&search);
    try_split(&search);
    try_requests(&search);
    try_kv_dtype(&search);
    try_weights(&search);
    try_gpus(&search);
}
