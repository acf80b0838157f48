/* Changing a request, and planning it. */
#include "api/variation.h"

#include "api/settings.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- changing a request ------------------------------------------------------------------------------------------- */

void tn_variation_change(struct tn_variation *variation, enum tn_input input, const char *format, ...)
{
    char text[160];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct tn_change *added = &variation->changes[variation->count];
    if (variation->count < TN_CHANGES && tn_str_copy(variation->arena, tn_str_of(text), &added->text)) {
        added->input = input;
        variation->count++;
    }
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

static void use_settings(struct tn_variation *variation)
{
    for (size_t k = 0; k < variation->count; k++) {
        struct tn_change changed = variation->changes[k];
        struct tn_str name = setting_for(variation->question, changed.input);
        if (name.size) {
            struct tn_builder pair = {0};
            tn_builder_addf(&pair, TN_STR_FORMAT "=" TN_STR_FORMAT, TN_STR_ARGUMENTS(name),
                            TN_STR_ARGUMENTS(changed.text));
            variation->changes[k].input = TN_INPUT_SET;
            (void)tn_str_copy(variation->arena, tn_builder_str(&pair), &variation->changes[k].text);
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

/* Where the input that the setting is was given as well, the changed setting counts. */
static void drop_input(const struct tn_variation *variation, struct tn_request *request, struct tn_str pair)
{
    struct tn_assignment set;
    if (tn_split_pair(request->arena, pair, &set, NULL)) {
        const struct tn_rules *rules = variation->question->planner.rules;
        enum tn_input input = tn_setting_input(tn_find_setting(rules, set.name));
        if (input < TN_INPUT_COUNT) {
            request->values[input] = (struct tn_input_value){0};
        }
    }
}

static bool apply_one(const struct tn_variation *variation, const struct tn_change *change, struct tn_request *request)
{
    if (change->input == TN_INPUT_SET) {
        bool leaves_it = tn_str_ends(change->text, TN_STR("="));
        drop_input(variation, request, change->text);
        return drop_pair(request, change->text)
               && (leaves_it || tn_request_set(request, change->input, change->text, NULL));
    }
    request->values[change->input] = (struct tn_input_value){0};
    return tn_request_set(request, change->input, change->text, NULL);
}

static bool apply(const struct tn_variation *variation, struct tn_request *request)
{
    bool done = true;
    for (size_t k = 0; done && k < variation->count; k++) {
        done = apply_one(variation, &variation->changes[k], request);
    }
    return done;
}

/* ---- planning it -------------------------------------------------------------------------------------------------- */

static void note_result(const struct tn_ledger *ledger, const struct tn_deployment *deployment,
                        struct tn_varied *varied)
{
    const struct tn_pool *pool = &ledger->pool;
    varied->planned = true;
    varied->starts = ledger->start == TN_START_YES;
    varied->fits = tn_ledger_fits(ledger, deployment);
    varied->worst_bytes = tn_ledger_worst(ledger)->mid_bytes;
    varied->has_pool = pool->present;
    if (pool->present) {
        varied->pool_tokens = pool->mid.tokens;
        varied->requests = tn_pool_requests(pool, &pool->low) * deployment->dp; /* both are far below 2^32 */
    }
}

/* With the planner of the question where the model is the same: it goes to the varied question and comes back. */
static void plan_question(struct tn_variation *variation, struct tn_question *question, struct tn_model *other,
                          struct tn_varied *varied)
{
    struct tn_question *asked = variation->question;
    struct tn_arena scratch = {0};
    struct tn_ledger ledger = {.arena = &scratch};
    question->planner = asked->planner;
    if (other) {
        tn_planner_share(&asked->planner, other, &question->planner);
    }
    if (tn_question_read(question, other ? other : variation->model, NULL)
        && question->planner.engine->plan(&question->planner, &question->deployment, &ledger, NULL)) {
        note_result(&ledger, &question->deployment, varied);
    }
    tn_arena_free(&scratch);
    if (other) {
        tn_planner_close(&question->planner);
    } else {
        asked->planner = question->planner;
        asked->planner.model = variation->model;
    }
}

void tn_variation_plan(struct tn_variation *variation, struct tn_varied *varied)
{
    const struct tn_question *asked = variation->question;
    struct tn_arena arena = {0};
    struct tn_request request = asked->asked;
    struct tn_question question;
    struct tn_model *other = NULL;
    bool has_other = false;
    *varied = (struct tn_varied){0};
    request.arena = &arena;
    use_settings(variation);
    for (size_t k = 0; k < variation->count; k++) {
        has_other = has_other || variation->changes[k].input == TN_INPUT_QUANT;
    }
    bool done = apply(variation, &request)
                && tn_question_settings(asked->session, &request, asked->planner.rules, &question, NULL);
    if (done && has_other) {
        other = tn_request_model(asked->session, &question.request, question.request.values[TN_INPUT_MODEL].text, NULL);
    }
    if (done && (!has_other || other)) {
        plan_question(variation, &question, other, varied);
    }
    tn_model_free(other);
    tn_arena_free(&arena);
}

void tn_variation_write(const struct tn_variation *variation, struct tn_builder *text)
{
    for (size_t k = 0; k < variation->count; k++) {
        tn_builder_addf(text, "%s--%s ", k ? " " : "", tn_inputs[variation->changes[k].input].name);
        tn_builder_add(text, variation->changes[k].text);
    }
}
