/* Finding remedies: other settings of the engine as its record offers them, fewer requests, shorter ones, a smaller KV dtype, smaller
 * weights, more GPUs. Each is a request with some inputs changed, read and planned as the user's own was. */
#include "api/remedies.h"

#include "api/settings.h"

#include <stdarg.h>
#include <stdio.h>

enum { MOST_CHANGES = 8 };

struct change {
    enum tn_input input;
    struct tn_str text;
};

struct search {
    struct tn_plan *plan;
    struct tn_arena *arena; /* of the plan's texts */
    struct change changes[MOST_CHANGES];
    size_t count;
    const char *meaning;
};

/* ---- changing a request ------------------------------------------------------------------------------------------- */

static void begin(struct search *search, const char *meaning)
{
    search->count = 0;
    search->meaning = meaning;
}

static void change(struct search *search, enum tn_input input, const char *format, ...) TN_PRINTF(3, 4);

static void change(struct search *search, enum tn_input input, const char *format, ...)
{
    char text[160];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct change *added = &search->changes[search->count];
    added->input = input;
    search->count += search->count < MOST_CHANGES && tn_str_copy(search->arena, tn_str_of(text), &added->text);
}

/* The setting in which the input is to be given: where it was given so, and the longest request where it was not given at all. */
static struct tn_str setting_for(const struct tn_question *question, enum tn_input input)
{
    const struct tn_deployment *deployment = &question->deployment;
    for (size_t k = 0; k < deployment->set_count; k++) {
        struct tn_str name = deployment->sets[k].name;
        if (tn_setting_input(tn_find_setting(question->planner.rules, name)) == input) {
            return name;
        }
    }
    bool is_context = input == TN_INPUT_CONTEXT && !question->request.values[input].given;
    return is_context ? deployment->context_setting : (struct tn_str){0};
}

static void use_settings(struct search *search)
{
    for (size_t k = 0; k < search->count; k++) {
        struct change changed = search->changes[k];
        struct tn_str name = setting_for(&search->plan->question, changed.input);
        if (name.size) {
            struct tn_builder pair = {0};
            tn_builder_addf(&pair, TN_STR_FORMAT "=" TN_STR_FORMAT, TN_STR_ARGUMENTS(name),
                            TN_STR_ARGUMENTS(changed.text));
            search->changes[k].input = TN_INPUT_SET;
            (void)tn_str_copy(search->arena, tn_builder_str(&pair), &search->changes[k].text);
            tn_builder_free(&pair);
        }
    }
}

/* The pairs without the one of the same key. */
static bool drop_pair(struct tn_request *request, struct tn_str pair)
{
    struct tn_input_value old = request->values[TN_INPUT_SET];
    struct tn_input_value *value = &request->values[TN_INPUT_SET];
    struct tn_assignment wanted;
    bool done = tn_split_pair(request->arena, pair, &wanted, NULL);
    *value = (struct tn_input_value){0};
    for (size_t k = 0; done && k < old.item_count; k++) {
        struct tn_assignment set;
        done = tn_split_pair(request->arena, old.items[k], &set, NULL)
               && (tn_str_equal(set.name, wanted.name) || tn_request_set(request, TN_INPUT_SET, old.items[k], NULL));
    }
    return done;
}

static bool apply(const struct search *search, struct tn_request *request)
{
    bool done = true;
    for (size_t k = 0; done && k < search->count; k++) {
        const struct change *changed = &search->changes[k];
        if (changed->input == TN_INPUT_SET) {
            done = drop_pair(request, changed->text);
        } else {
            request->values[changed->input] = (struct tn_input_value){0};
        }
        done = done && tn_request_set(request, changed->input, changed->text, NULL);
    }
    return done;
}

/* ---- planning it -------------------------------------------------------------------------------------------------- */

static void note_pool(struct tn_remedy *remedy, const struct tn_ledger *ledger, uint32_t dp)
{
    const struct tn_pool *pool = &ledger->pool;
    remedy->has_pool = pool->present;
    if (pool->present) {
        remedy->pool_tokens = pool->mid.tokens;
        remedy->requests = tn_pool_requests(pool, &pool->low) * dp; /* both are far below 2^32 */
    }
}

/* With the planner of the plan where the model is the same: it goes to the varied question and comes back. */
static bool plan_question(struct search *search, struct tn_question *varied, struct tn_model *other,
                          struct tn_remedy *remedy)
{
    struct tn_question *question = &search->plan->question;
    struct tn_model *model = other ? other : search->plan->model;
    struct tn_arena scratch = {0};
    struct tn_ledger ledger = {.arena = &scratch};
    varied->planner = question->planner;
    if (other) {
        tn_planner_share(&question->planner, other, &varied->planner);
    }
    bool fits = tn_question_read(varied, model, NULL)
                && varied->planner.engine->plan(&varied->planner, &varied->deployment, &ledger, NULL)
                && tn_ledger_fits(&ledger, &varied->deployment);
    if (fits) {
        note_pool(remedy, &ledger, varied->deployment.dp);
    }
    tn_arena_free(&scratch);
    if (other) {
        tn_planner_close(&varied->planner);
    } else {
        question->planner = varied->planner;
        question->planner.model = search->plan->model;
    }
    return fits;
}

static void write_options(const struct search *search, struct tn_builder *text)
{
    for (size_t k = 0; k < search->count; k++) {
        tn_builder_addf(text, "%s--%s ", k ? " " : "", tn_inputs[search->changes[k].input].name);
        tn_builder_add(text, search->changes[k].text);
    }
}

/* Plans the request with the changes. True where it fits; *remedy gets what its pool then has. */
static bool fits_changed(struct search *search, struct tn_remedy *remedy)
{
    const struct tn_question *question = &search->plan->question;
    struct tn_arena arena = {0};
    struct tn_request request = question->asked;
    struct tn_question varied;
    struct tn_model *other = NULL;
    bool has_other = false;
    request.arena = &arena;
    use_settings(search);
    for (size_t k = 0; k < search->count; k++) {
        has_other = has_other || search->changes[k].input == TN_INPUT_QUANT;
    }
    bool fits = apply(search, &request)
                && tn_question_settings(question->session, &request, question->planner.rules, &varied, NULL);
    if (fits && has_other) {
        other = tn_request_model(question->session, &varied.request, varied.request.values[TN_INPUT_MODEL].text, NULL);
    }
    fits = fits && (!has_other || other) && plan_question(search, &varied, other, remedy);
    tn_model_free(other);
    tn_arena_free(&arena);
    return fits;
}

/* Offers the changes if the request fits with them. */
static bool offer(struct search *search)
{
    struct tn_plan *plan = search->plan;
    struct tn_remedy remedy = {.meaning = tn_str_of(search->meaning)};
    bool fits = plan->remedy_count < TN_REMEDIES && fits_changed(search, &remedy);
    struct tn_builder option = {0};
    write_options(search, &option);
    if (fits && tn_str_copy(search->arena, tn_builder_str(&option), &remedy.option)) {
        plan->remedies[plan->remedy_count++] = remedy;
    }
    tn_builder_free(&option);
    return fits;
}

/* ---- what is tried ------------------------------------------------------------------------------------------------ */

static void change_setting(struct search *search, const struct tn_offer *offered)
{
    change(search, TN_INPUT_SET, TN_STR_FORMAT "=" TN_STR_FORMAT, TN_STR_ARGUMENTS(offered->name),
           TN_STR_ARGUMENTS(offered->value));
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
    for (size_t k = search->count; k-- > 0;) {
        struct search less = *search;
        struct tn_remedy remedy;
        for (size_t next = k; next + 1 < less.count; next++) {
            less.changes[next] = less.changes[next + 1];
        }
        less.count--;
        if (less.count && fits_changed(&less, &remedy)) {
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
    for (size_t k = 0; !fits && k < ledger->offer_count && search->count < MOST_CHANGES; k++) {
        struct tn_str name = ledger->offers[k].name;
        bool is_last = k + 1 == ledger->offer_count || !tn_str_equal(name, ledger->offers[k + 1].name);
        struct tn_remedy remedy;
        if (is_last && !tn_str_equal(name, search->plan->question.deployment.context_setting)) {
            change_setting(search, &ledger->offers[k]);
            fits = fits_changed(search, &remedy);
        }
    }
    if (fits && search->count > 1) {
        prune(search);
        (void)offer(search);
    }
}

static void try_requests(struct search *search)
{
    const struct tn_verdict *verdict = &search->plan->verdict;
    if (verdict->most_concurrency && verdict->most_concurrency != UINT64_MAX) {
        begin(search, "fewer requests at once");
        change(search, TN_INPUT_CONCURRENCY, "%llu", (unsigned long long)verdict->most_concurrency);
        (void)offer(search);
    }
    if (verdict->most_context_tokens && verdict->most_context_tokens != UINT64_MAX) {
        begin(search, "shorter requests");
        change(search, TN_INPUT_CONTEXT, "%llu", (unsigned long long)verdict->most_context_tokens);
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
        change(search, TN_INPUT_KV_DTYPE, "fp8");
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
        change(search, TN_INPUT_QUANT, "%s", smaller[k].dtype);
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
        change(search, TN_INPUT_GPU, TN_STR_FORMAT "x%u", TN_STR_ARGUMENTS(question->gpu->id), verdict->gpus_needed);
    }
    change(search, TN_INPUT_TP, "%u", verdict->needed_tp);
    change(search, TN_INPUT_PP, "%u", verdict->needed_pp);
    if (question->deployment.ep > verdict->needed_tp * question->deployment.dp) {
        change(search, TN_INPUT_EP, "%u", verdict->needed_tp * question->deployment.dp);
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
    try_requests(&search);
    try_kv_dtype(&search);
    try_weights(&search);
    try_gpus(&search);
}
