/* fit: which question is asked, and what frames every answer. */
#include "api/fit/fit.h"

#include "api/launch.h"
#include "api/price.h"

/* At most one of the goals. */
static bool find_goal(const struct tn_request *request, const char **verb, struct tn_str *what, struct tn_error *error)
{
    static const enum tn_input goals[] = {TN_INPUT_MOST, TN_INPUT_LEAST, TN_INPUT_BEST, TN_INPUT_REQUESTS};
    *verb = "search";
    *what = (struct tn_str){0};
    bool is_given = false;
    for (size_t k = 0; k < sizeof goals / sizeof goals[0]; k++) {
        const struct tn_input_value *value = &request->values[goals[k]];
        if (value->given && is_given) {
            tn_fail(error, TN_ERROR_USAGE, "--%s and --%s are two questions", *verb, tn_inputs[goals[k]].name);
            return tn_fail_at(error, -1, "--%s", tn_inputs[goals[k]].name);
        }
        if (value->given) {
            *verb = tn_inputs[goals[k]].name;
            *what = value->text;
            is_given = true;
        }
    }
    return true;
}

static bool check_inputs(const struct tn_session *session, const struct tn_request *request, struct tn_error *error)
{
    const struct tn_input_value *models = &request->values[TN_INPUT_MODEL];
    if (models->item_count > 1) {
        tn_fail(error, TN_ERROR_USAGE, "fit takes one MODEL; '" TN_STR_FORMAT "' is a second one",
                TN_STR_ARGUMENTS(models->items[1]));
        return tn_fail_hint(error, "`tonnage table` compares several");
    }
    return tn_check_prices(session, request, error);
}

static void begin(struct tn_fit *fit, const char *verb, struct tn_str what)
{
    struct tn_json_writer *json = &fit->json;
    struct tn_builder question = {0};
    tn_builder_add_text(&question, verb);
    if (what.size && !fit->question.request.values[TN_INPUT_REQUESTS].given) {
        tn_builder_add_char(&question, ' ');
        tn_builder_add(&question, what);
    }
    tn_json_begin_object(json);
    tn_json_key(json, "schema");
    tn_json_text(json, "tonnage.fit/1");
    tn_json_key(json, "question");
    tn_json_string(json, tn_builder_str(&question));
    tn_builder_free(&question);
    tn_write_model_json(json, fit->model);
}

static void end(struct tn_fit *fit)
{
    struct tn_json_writer *json = &fit->json;
    const struct tn_question *question = &fit->question;
    tn_json_key(json, "notes");
    tn_json_begin_list(json);
    tn_write_note_items(json, question->notes, question->note_count);
    tn_write_note_items(json, fit->model->notes, fit->model->note_count);
    tn_json_end_list(json);
    tn_json_end_object(json);
    tn_builder_add_char(&fit->result->json, '\n');
    struct tn_note notes[sizeof question->notes / sizeof question->notes[0]];
    tn_write_notes(&fit->result->report, notes,
                   tn_question_machine_notes(question, fit->arena, notes, sizeof notes / sizeof notes[0]));
    tn_write_notes(&fit->result->report, fit->model->notes, fit->model->note_count);
}

/* The question's own way to its answer. */
static bool find_answer(struct tn_fit *fit, struct tn_str what)
{
    const struct tn_input_value *values = fit->question.request.values;
    if (values[TN_INPUT_REQUESTS].given) {
        return tn_fit_requests(fit, values[TN_INPUT_REQUESTS].text);
    }
    return values[TN_INPUT_MOST].given ? tn_fit_most(fit, what) : tn_fit_choose(fit, what);
}

static bool answer(struct tn_fit *fit)
{
    const struct tn_request *request = &fit->question.request;
    const char *verb;
    struct tn_str what;
    if (!find_goal(request, &verb, &what, fit->error)) {
        return false;
    }
    fit->model = fit->result->model =
        tn_request_model(fit->session, request, request->values[TN_INPUT_MODEL].text, fit->error);
    if (!fit->model || !tn_question_read(&fit->question, fit->model, fit->error)) {
        return false;
    }
    begin(fit, verb, what);
    if (!find_answer(fit, what)) {
        return false;
    }
    end(fit);
    return true;
}

/* llama.cpp's -c is the cells of all sequences: what is asked varies with the length of one and their number, which the command gave as well. */
static bool free_cells(struct tn_request *request, const struct tn_launch *launch, struct tn_error *error)
{
    struct tn_input_value old = request->values[TN_INPUT_SET];
    bool is_llamacpp = launch->engine && launch->engine == &tn_engine_llamacpp;
    bool done = true;
    if (is_llamacpp && request->values[TN_INPUT_CONTEXT].given) {
        request->values[TN_INPUT_SET] = (struct tn_input_value){0};
        for (size_t k = 0; done && k < old.item_count; k++) {
            done = tn_str_starts(old.items[k], TN_STR("n_ctx="))
                   || tn_request_set(request, TN_INPUT_SET, old.items[k], error);
        }
    }
    return done;
}

bool tn_run_fit(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                struct tn_error *error)
{
    struct tn_fit fit = {.session = session,
                         .result = result,
                         .arena = &result->arena,
                         .json = {.builder = &result->json, .indented = true},
                         .error = error,
                         .units = tn_request_units(request)};
    struct tn_request own = *request;
    struct tn_launch launch;
    if (!tn_plan_read_command(session, &own, &launch, error) || !free_cells(&own, &launch, error)
        || !tn_plan_take_target(&own, error)) {
        return false;
    }
    fit.target = own.values[TN_INPUT_EMIT].text;
    own.values[TN_INPUT_COMMAND] = own.values[TN_INPUT_EMIT] =
        (struct tn_input_value){0}; /* of no plan of the answer */
    bool done = check_inputs(session, &own, error) && tn_question_open(session, &own, &fit.question, error);
    if (done) {
        tn_plan_note_command(&fit.question, &launch);
    }
    done = done && answer(&fit);
    tn_question_free(&fit.question);
    return done;
}
