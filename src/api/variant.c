#include "api/variant.h"

#include "api/settings.h"
#include "launch/shell.h"

#include <stdarg.h>
#include <stdio.h>

void tn_variant_change(struct tn_variant *variant, struct tn_arena *arena, enum tn_input input, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (variant->count < TN_MOST_CHANGES) {
        struct tn_change *added = &variant->changes[variant->count];
        added->input = input;
        variant->count += tn_str_copy(arena, tn_str_of(text), &added->text);
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

void tn_variant_use_settings(const struct tn_question *question, struct tn_variant *variant, struct tn_arena *arena)
{
    for (size_t k = 0; k < variant->count; k++) {
        struct tn_change changed = variant->changes[k];
        struct tn_str name = setting_for(question, changed.input);
        if (name.size) {
            struct tn_builder pair = {0};
            tn_builder_addf(&pair, TN_STR_FORMAT "=" TN_STR_FORMAT, TN_STR_ARGUMENTS(name),
                            TN_STR_ARGUMENTS(changed.text));
            variant->changes[k].input = TN_INPUT_SET;
            (void)tn_str_copy(arena, tn_builder_str(&pair), &variant->changes[k].text);
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
static void drop_input(const struct tn_question *question, struct tn_request *request, struct tn_str pair)
{
    struct tn_assignment set;
    if (tn_split_pair(request->arena, pair, &set, NULL)) {
        enum tn_input input = tn_setting_input(tn_find_setting(question->planner.rules, set.name));
        if (input < TN_INPUT_COUNT) {
            request->values[input] = (struct tn_input_value){0};
        }
    }
}

bool tn_variant_request(const struct tn_question *question, const struct tn_variant *variant,
                        struct tn_request *request)
{
    struct tn_arena *arena = request->arena;
    bool done = true;
    *request = question->asked;
    request->arena = arena;
    for (size_t k = 0; done && k < variant->count; k++) {
        const struct tn_change *changed = &variant->changes[k];
        bool leaves_it = changed->input == TN_INPUT_SET && tn_str_ends(changed->text, TN_STR("="));
        if (changed->input == TN_INPUT_SET) {
            drop_input(question, request, changed->text);
            done = drop_pair(request, changed->text);
        } else {
            request->values[changed->input] = (struct tn_input_value){0};
        }
        done = done && (leaves_it || tn_request_set(request, changed->input, changed->text, NULL));
    }
    return done;
}

/* ---- planning it -------------------------------------------------------------------------------------------------- */

struct planning {
    struct tn_question *question;
    struct tn_model *model;
    struct tn_question varied;
    bool wants_text;
    tn_variant_reader *read;
    void *context;
};

/* With the planner of the question where the model is the same: it goes to the varied question and comes back. */
static void plan_question(struct planning *planning, struct tn_model *other, struct tn_error *error)
{
    struct tn_question *question = planning->question;
    struct tn_question *varied = &planning->varied;
    struct tn_model *model = other ? other : planning->model;
    struct tn_arena scratch = {0};
    struct tn_ledger ledger = {.arena = &scratch, .wants_text = planning->wants_text};
    varied->planner = question->planner;
    if (other) {
        tn_planner_share(&question->planner, other, &varied->planner);
    }
    bool done = tn_question_read(varied, model, error)
                && tn_planner_plan(&varied->planner, &varied->deployment, &ledger, error);
    planning->read(planning->context, model, varied, done ? &ledger : NULL, done ? NULL : error);
    tn_arena_free(&scratch);
    if (other) {
        tn_planner_close(&varied->planner);
    } else {
        question->planner = varied->planner;
        question->planner.model = planning->model;
    }
}

static bool changes_model(const struct tn_variant *variant)
{
    bool changes = false;
    for (size_t k = 0; k < variant->count; k++) {
        changes = changes || variant->changes[k].input == TN_INPUT_QUANT;
    }
    return changes;
}

void tn_variant_plan(struct tn_question *question, struct tn_model *model, const struct tn_variant *variant,
                     bool wants_text, tn_variant_reader *read, void *context)
{
    struct planning planning = {
        .question = question, .model = model, .wants_text = wants_text, .read = read, .context = context};
    struct tn_arena arena = {0};
    struct tn_request request = {.arena = &arena};
    struct tn_error error = {.offset = -1};
    struct tn_model *other = NULL;
    bool has_other = changes_model(variant);
    bool done = (tn_variant_request(question, variant, &request) || tn_fail_memory(&error))
                && tn_question_settings(question->session, &request, question->planner.rules, &planning.varied, &error);
    if (done && has_other) {
        other = tn_request_model(question->session, &planning.varied.request,
                                 planning.varied.request.values[TN_INPUT_MODEL].text, &error);
    }
    if (done && (!has_other || other)) {
        plan_question(&planning, other, &error);
    } else {
        read(context, NULL, NULL, NULL, &error);
    }
    tn_model_free(other);
    tn_arena_free(&arena);
}

static void note_outcome(void *context, const struct tn_model *model, const struct tn_question *question,
                         const struct tn_ledger *ledger, const struct tn_error *error)
{
    struct tn_varied_plan *varied = context;
    (void)model;
    (void)error;
    if (!ledger) {
        return;
    }
    const struct tn_pool *pool = &ledger->pool;
    varied->planned = true;
    varied->starts = ledger->start == TN_START_YES;
    varied->fits = tn_ledger_fits(ledger, &question->deployment);
    varied->worst_bytes = tn_ledger_worst(ledger)->mid_bytes;
    varied->has_pool = pool->present;
    if (pool->present) {
        varied->pool_tokens = pool->mid.tokens;
        varied->requests = tn_pool_requests(pool, &pool->low) * question->deployment.dp; /* both are far below 2^32 */
    }
}

void tn_variant_try(struct tn_question *question, struct tn_model *model, struct tn_variant *variant,
                    struct tn_arena *arena, struct tn_varied_plan *varied)
{
    *varied = (struct tn_varied_plan){0};
    tn_variant_use_settings(question, variant, arena);
    tn_variant_plan(question, model, variant, false, note_outcome, varied);
}

/* ---- as one would type it ----------------------------------------------------------------------------------------- */

void tn_variant_write(const struct tn_variant *variant, struct tn_builder *text)
{
    for (size_t k = 0; k < variant->count; k++) {
        tn_builder_addf(text, "%s--%s ", k ? " " : "", tn_inputs[variant->changes[k].input].name);
        tn_builder_add(text, variant->changes[k].text);
    }
}

static void write_input(struct tn_builder *text, enum tn_input input, const struct tn_input_value *value)
{
    bool is_list = value->item_count > 0;
    for (size_t k = 0; k < (is_list ? value->item_count : 1); k++) {
        if (input != TN_INPUT_MODEL) {
            tn_builder_addf(text, " --%s", tn_inputs[input].name);
        }
        if (tn_inputs[input].type != TN_INPUT_FLAG) {
            tn_builder_add_char(text, ' ');
            tn_shell_write_word(text, is_list ? value->items[k] : value->text);
        }
    }
}

void tn_request_write_command(const struct tn_request *request, struct tn_builder *text)
{
    static const enum tn_input of_output[] = {TN_INPUT_CHART, TN_INPUT_FORMAT, TN_INPUT_WIDTH, TN_INPUT_EXPLAIN,
                                              TN_INPUT_UNITS, TN_INPUT_LANG,   TN_INPUT_COLOR};
    tn_builder_add_text(text, "tonnage plan");
    if (request->config.kind == TN_OBJECT) {
        tn_builder_add_text(text, " config.json");
    }
    for (int input = 0; input < TN_INPUT_COUNT; input++) {
        const struct tn_input_value *value = &request->values[input];
        bool is_asked = value->given && tn_input_applies((enum tn_input)input, TN_STR("plan"));
        for (size_t k = 0; k < sizeof of_output / sizeof of_output[0]; k++) {
            is_asked = is_asked && (enum tn_input)input != of_output[k];
        }
        if (is_asked && !(tn_inputs[input].type == TN_INPUT_FLAG && !value->flag)) {
            write_input(text, (enum tn_input)input, value);
        }
    }
}
