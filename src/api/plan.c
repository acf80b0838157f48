/* plan: memory of one model in one deployment, per GPU, and whether it fits. */
#include "api/chart/chart.h"
#include "api/explain.h"
#include "api/launch.h"
#include "api/plan_json.h"
#include "api/remedies.h"

static bool compute(struct tn_plan *plan, struct tn_error *error)
{
    struct tn_question *question = &plan->question;
    struct tn_planner *planner = &question->planner;
    return tn_question_read(question, plan->model, error)
           && tn_planner_plan(planner, &question->deployment, &plan->ledger, error)
           && tn_cache_totals(plan->model, question->deployment.context_tokens, question->deployment.kv_dtype,
                              &plan->kv, error);
}

/* All that is assumed, in one list of its own: the model's may be another request's too. */
static bool gather_notes(struct tn_plan *plan, struct tn_arena *arena, struct tn_error *error)
{
    const struct {
        const struct tn_note *notes;
        size_t count;
    } lists[] = {{plan->question.notes, plan->question.note_count},
                 {plan->ledger.notes, plan->ledger.note_count},
                 {plan->model->notes, plan->model->note_count}};
    size_t most = plan->question.note_count + plan->ledger.note_count + plan->model->note_count;
    plan->notes = TN_NEW_ARRAY(arena, struct tn_note, most + 1);
    for (size_t k = 0; plan->notes && k < sizeof lists / sizeof lists[0]; k++) {
        for (size_t note = 0; note < lists[k].count; note++) {
            plan->notes[plan->note_count++] = lists[k].notes[note];
        }
    }
    return plan->notes || tn_fail_memory(error);
}

/* What the report and the JSON have of the plan in common, in the language that was asked for. */
static void say(struct tn_plan *plan, const struct tn_phrases *phrases, struct tn_arena *arena)
{
    if (!phrases->count) {
        return;
    }
    plan->message = tn_phrases_say(phrases, arena, plan->message);
    for (size_t k = 0; k < plan->note_count; k++) {
        plan->notes[k].message = tn_phrases_say(phrases, arena, plan->notes[k].message);
    }
    for (size_t k = 0; k < plan->remedy_count; k++) {
        plan->remedies[k].meaning = tn_phrases_say(phrases, arena, plan->remedies[k].meaning);
    }
    for (size_t k = 0; k < plan->ledger.entry_count; k++) {
        plan->ledger.entries[k].label = tn_phrases_say(phrases, arena, plan->ledger.entries[k].label);
    }
}

static bool emit(struct tn_plan *plan, struct tn_result *result, struct tn_error *error)
{
    plan->target = plan->question.request.values[TN_INPUT_EMIT].text;
    if (!plan->target.size) {
        return true;
    }
    bool done = tn_plan_emit(plan, plan->target, &result->arena, &plan->command, error);
    result->script = plan->command;
    return done;
}

/* All that there is to say of the plan. */
static bool answer(struct tn_plan *plan, struct tn_result *result, struct tn_error *error)
{
    const struct tn_question *question = &plan->question;
    bool explain = question->request.values[TN_INPUT_EXPLAIN].flag;
    tn_verdict(&plan->question.planner, &question->deployment, &plan->ledger, &plan->verdict);
    tn_find_remedies(plan, &result->arena);
    if (!tn_plan_message(plan, &result->arena)) {
        return tn_fail_memory(error);
    }
    if (!tn_plan_find_start(plan, &result->arena, error)) {
        return false;
    }
    if (!gather_notes(plan, &result->arena, error)) {
        return false;
    }
    say(plan, &result->phrases, &result->arena);
    result->fits = !plan->verdict.judged || plan->verdict.fits;
    if (!emit(plan, result, error) || !tn_plan_json(plan, explain, result, error)) {
        return false;
    }
    if (plan->chart) {
        return true;
    }
    tn_plan_report(plan, explain, &result->report);
    return !explain || tn_explain_weights(plan->model, &result->report, error);
}

/* A drawing for a page or a terminal says nothing of what else would fit: those plans are left out. */
static bool draw(struct tn_plan *plan, struct tn_result *result, struct tn_error *error)
{
    const struct tn_request *request = &plan->question.request;
    const struct tn_input_value *format = &request->values[TN_INPUT_FORMAT];
    bool alone = format->given && !tn_str_is(format->text, "json");
    struct tn_plan_chart *chart = TN_NEW(&result->arena, struct tn_plan_chart);
    if (!chart) {
        return tn_fail_memory(error);
    }
    if (!tn_plan_draw(plan, request->values[TN_INPUT_CHART].text, &result->arena, chart, error)) {
        return false;
    }
    plan->chart = chart;
    tn_plan_report_drawing(plan, chart->lines, chart->grid, &result->report);
    result->fits =
        !plan->question.deployment.gpu_memory_bytes || tn_ledger_fits(&plan->ledger, &plan->question.deployment);
    return alone || answer(plan, result, error);
}

static bool run(struct tn_plan *plan, struct tn_result *result, struct tn_error *error)
{
    const struct tn_request *request = &plan->question.request;
    plan->ledger = (struct tn_ledger){.arena = &result->arena, .wants_text = true};
    plan->model = result->model =
        tn_request_model(plan->question.session, request, request->values[TN_INPUT_MODEL].text, error);
    if (!plan->model || !compute(plan, error)) {
        return false;
    }
    return request->values[TN_INPUT_CHART].given ? draw(plan, result, error) : answer(plan, result, error);
}

bool tn_run_plan(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                 struct tn_error *error)
{
    const struct tn_input_value *name = &request->values[TN_INPUT_MODEL];
    if (name->item_count > 1) {
        tn_fail(error, TN_ERROR_USAGE, "plan takes one MODEL; '" TN_STR_FORMAT "' is a second one",
                TN_STR_ARGUMENTS(name->items[1]));
        return tn_fail_hint(error, "`tonnage table` compares several");
    }
    struct tn_plan plan = {.units = tn_request_units(request)};
    struct tn_request own = *request;
    struct tn_launch launch;
    if (!tn_plan_read_command(session, &own, &launch, error) || !tn_plan_take_target(&own, error)) {
        return false;
    }
    bool done = tn_question_open(session, &own, &plan.question, error);
    if (done) {
        tn_plan_note_command(&plan.question, &launch);
    }
    done = done && run(&plan, result, error);
    tn_question_free(&plan.question);
    return done;
}
