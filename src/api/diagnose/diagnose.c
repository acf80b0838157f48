/* diagnose: reads the log, makes a record of it, scores that as any record, and asks what is wrong. */
#include "api/diagnose/diagnose.h"

#include "api/remedies.h"
#include "logs/text/scan.h"
#include "plan/cache.h"
#include "text/quantity.h"

#include <stdarg.h>
#include <stdio.h>

void tn_diagnose_note(struct tn_diagnosis *diagnosis, const char *code, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct tn_note *added = &diagnosis->notes[diagnosis->note_count];
    if (diagnosis->note_count < TN_DIAGNOSED_NOTES && tn_str_copy(diagnosis->arena, tn_str_of(text), &added->message)) {
        added->code = code;
        diagnosis->note_count++;
    }
}

/* ---- the log -------------------------------------------------------------------------------------------------------- */

static bool scan_stream(const struct tn_text_source *source, struct tn_scan *scan, char *buffer, size_t size,
                        struct tn_error *error)
{
    size_t got = 1;
    bool done = true;
    while (done && got) {
        done = source->read(source->context, buffer, size, &got, error);
        tn_scan_feed(scan, (struct tn_str){buffer, done ? got : 0});
    }
    tn_scan_end(scan);
    return done;
}

static bool read_log(struct tn_diagnosis *diagnosis, struct tn_error *error)
{
    enum { BUFFER = 1 << 20 };
    const struct tn_text_source *source = diagnosis->session->texts;
    const struct tn_input_value *input = &diagnosis->request->values[TN_INPUT_LOG];
    struct tn_str name = input->given ? input->text : TN_STR("-");
    struct tn_scan scan;
    char *buffer = tn_arena_alloc(diagnosis->arena, BUFFER);
    if (input->item_count > 1) {
        return tn_fail(error, TN_ERROR_USAGE, "diagnose takes one LOG; '" TN_STR_FORMAT "' is a second one",
                       TN_STR_ARGUMENTS(input->items[1]));
    }
    if (!source) {
        return tn_fail(error, TN_ERROR_UNREADABLE, "files cannot be read here");
    }
    if (!buffer || !tn_log_begin(&diagnosis->log, &diagnosis->shapes, diagnosis->arena)
        || !tn_scan_begin(&scan, &diagnosis->log, diagnosis->arena)) {
        return tn_fail_memory(error);
    }
    bool done = source->open(source->context, name, error) && scan_stream(source, &scan, buffer, BUFFER, error);
    source->close(source->context);
    return done || tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
}

/* ---- what is asked beside it ------------------------------------------------------------------------------------------ */

static bool read_asked(struct tn_diagnosis *diagnosis, struct tn_error *error)
{
    const struct tn_input_value *values = diagnosis->request->values;
    const struct tn_input_value *pairs = &values[TN_INPUT_SET];
    struct tn_assignment *sets = TN_NEW_ARRAY(diagnosis->arena, struct tn_assignment, pairs->item_count + 1);
    if (!sets) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < pairs->item_count; k++) {
        size_t mark = tn_str_find(pairs->items[k], TN_STR("="));
        sets[k].name = tn_str_slice(pairs->items[k], 0, mark);
        sets[k].value = tn_str_slice(pairs->items[k], mark + 1, pairs->items[k].size);
    }
    diagnosis->asked = (struct tn_log_asked){.engine = values[TN_INPUT_ENGINE].text,
                                             .model = values[TN_INPUT_MODEL].text,
                                             .gpu = values[TN_INPUT_GPU].text,
                                             .gpu_memory_bytes = values[TN_INPUT_GPU_MEMORY].number,
                                             .context_tokens = values[TN_INPUT_CONTEXT].number,
                                             .dtype = values[TN_INPUT_DTYPE].text,
                                             .quantization = values[TN_INPUT_QUANT].text,
                                             .kv_dtype = values[TN_INPUT_KV_DTYPE].text,
                                             .tp = values[TN_INPUT_TP].number,
                                             .pp = values[TN_INPUT_PP].number,
                                             .ep = values[TN_INPUT_EP].number,
                                             .dp = values[TN_INPUT_DP].number,
                                             .sets = sets,
                                             .set_count = pairs->item_count};
    return true;
}

/* ---- record and plan -------------------------------------------------------------------------------------------------- */

static bool keep_reason(struct tn_diagnosis *diagnosis, const char *why, struct tn_error *error)
{
    return tn_str_copy(diagnosis->arena, tn_str_of(why), &diagnosis->why_not) || tn_fail_memory(error);
}

/* The record of the log, read as those of files are. */
static bool make_measurement(struct tn_diagnosis *diagnosis, struct tn_error *error)
{
    struct tn_builder json = {0};
    struct tn_str line = {0};
    struct tn_measurements list = {0};
    bool done =
        tn_log_write_record(&diagnosis->reading, &json, error)
        && (tn_str_copy(diagnosis->arena, tn_builder_str(&json), &line) || tn_fail_memory(error))
        && tn_measurements_read(diagnosis->arena, diagnosis->session->catalog, line, TN_STR("log"), &list, error);
    tn_builder_free(&json);
    if (!done || !list.count) {
        return done;
    }
    struct tn_measurement *measurement = list.items; /* in the arena */
    measurement->outcome = diagnosis->outcome;
    diagnosis->measurement = measurement;
    return true;
}

/* Of a request that is ready: the plan, and what it comes to as it is. */
static bool plan_question(struct tn_diagnosis *diagnosis, struct tn_error *error)
{
    struct tn_plan *plan = &diagnosis->plan;
    struct tn_question *question = &plan->question;
    struct tn_variant none = {0};
    plan->ledger = (struct tn_ledger){.arena = diagnosis->arena, .wants_text = true};
    if (!tn_question_read(question, plan->model, error)
        || !tn_planner_plan(&question->planner, &question->deployment, &plan->ledger, error)
        || !tn_cache_totals(plan->model, question->deployment.context_tokens, question->deployment.kv_dtype, &plan->kv,
                            error)) {
        return false;
    }
    tn_verdict(&question->planner, &question->deployment, &plan->ledger, &plan->verdict);
    tn_find_remedies(plan, diagnosis->arena);
    tn_variant_try(question, plan->model, &none, diagnosis->arena, &diagnosis->base);
    return true;
}

/* The request as the record asks it, with how many are to be served at once. */
static bool ask(struct tn_diagnosis *diagnosis, struct tn_result *result)
{
    struct tn_score_work *work = &diagnosis->work;
    const struct tn_input_value *concurrency = &diagnosis->request->values[TN_INPUT_CONCURRENCY];
    bool done = tn_score_request(work) && tn_score_model(work);
    result->model = diagnosis->plan.model = work->model;
    if (done && concurrency->given) {
        work->request.values[TN_INPUT_CONCURRENCY] = *concurrency;
    }
    return done && tn_score_input(work, TN_INPUT_MODEL, work->model->id)
           && tn_question_open(diagnosis->session, &work->request, &diagnosis->plan.question, work->error);
}

/* What goes wrong with the plan becomes why_not; the findings that need none are there all the same. */
static bool make_plan(struct tn_diagnosis *diagnosis, struct tn_result *result, struct tn_error *error)
{
    struct tn_error own = {.offset = -1};
    diagnosis->work = (struct tn_score_work){.session = diagnosis->session,
                                             .measurement = diagnosis->measurement,
                                             .arena = diagnosis->arena,
                                             .scratch = diagnosis->arena,
                                             .request = {.arena = diagnosis->arena, .operation = TN_STR("plan")},
                                             .scored = &diagnosis->scored,
                                             .error = &own};
    diagnosis->work.request.values[TN_INPUT_MODELS] = diagnosis->request->values[TN_INPUT_MODELS];
    diagnosis->has_question = true;
    diagnosis->is_planned = ask(diagnosis, result) && plan_question(diagnosis, &own);
    diagnosis->work.error = NULL;
    if (own.code == TN_ERROR_MEMORY) {
        return tn_fail_memory(error);
    }
    return diagnosis->is_planned || keep_reason(diagnosis, own.message, error);
}

static bool score(struct tn_diagnosis *diagnosis, struct tn_result *result, struct tn_error *error)
{
    struct tn_arena scratch = {0};
    const struct tn_measurement *measurement = diagnosis->measurement;
    bool done = tn_score_record(diagnosis->session, diagnosis->request, measurement, diagnosis->arena, &scratch,
                                &diagnosis->scored, error);
    tn_arena_free(&scratch);
    if (done && measurement->fault.size) {
        diagnosis->why_not = measurement->fault;
        return true;
    }
    return done && make_plan(diagnosis, result, error);
}

/* ---- what is to be said of it ------------------------------------------------------------------------------------------- */

static void note_reading(struct tn_diagnosis *diagnosis)
{
    const struct tn_log *log = &diagnosis->log;
    const struct tn_log_reading *reading = &diagnosis->reading;
    if (!reading->engine.size) {
        tn_diagnose_note(diagnosis, "nothing_known",
                         "no line is one that is known of vLLM, SGLang, TensorRT-LLM, llama.cpp or ollama");
    } else if (reading->version_is_outside) {
        tn_diagnose_note(diagnosis, "version_outside",
                         "version " TN_STR_FORMAT " is not known here: the newest that is stands for it",
                         TN_STR_ARGUMENTS(reading->logged_version));
    } else if (reading->version_is_guessed) {
        tn_diagnose_note(diagnosis, "version_guessed",
                         "the log names no version; its lines are those of versions up to " TN_STR_FORMAT,
                         TN_STR_ARGUMENTS(reading->version));
    } else if (!reading->version.size) {
        tn_diagnose_note(diagnosis, "version_unknown",
                         "the log names no version: the newest is planned; --engine NAME@VERSION says otherwise");
    }
    if (diagnosis->why_not.size) {
        tn_diagnose_note(diagnosis, "not_planned",
                         "no plan stands beside the log: " TN_STR_FORMAT
                         " (--model, --gpu and --set say what a log does not)",
                         TN_STR_ARGUMENTS(diagnosis->why_not));
    } else if (diagnosis->is_planned && !diagnosis->plan.verdict.judged) {
        tn_diagnose_note(diagnosis, "gpu_unknown",
                         "the log does not say on which GPUs it ran: with --gpu NAME what helps is planned, too");
    }
    if (log->starts > 1) {
        tn_diagnose_note(diagnosis, "several_starts",
                         "the log has %llu starts: the last one that measured anything or failed is looked at",
                         (unsigned long long)log->starts);
    }
    if (log->cut_lines) {
        tn_diagnose_note(diagnosis, "cut_lines", "%llu lines are longer than any of a log and were looked at in pieces",
                         (unsigned long long)log->cut_lines);
    }
    if (log->is_full) {
        tn_diagnose_note(diagnosis, "too_many_values", "the log has more ranks, devices or settings than are kept");
    }
}

static bool diagnose(struct tn_diagnosis *diagnosis, struct tn_result *result, struct tn_error *error)
{
    const struct tn_log_value *ready;
    diagnosis->reading = (struct tn_log_reading){.catalog = diagnosis->session->catalog,
                                                 .log = &diagnosis->log,
                                                 .asked = &diagnosis->asked,
                                                 .arena = diagnosis->arena};
    if (!tn_log_shapes_open(diagnosis->session->catalog, diagnosis->arena, &diagnosis->shapes, error)
        || !read_asked(diagnosis, error) || !read_log(diagnosis, error) || !tn_diagnose_command(diagnosis, error)
        || !tn_log_identify(&diagnosis->reading, error)) {
        return false;
    }
    ready = tn_log_find(&diagnosis->log, TN_LOG_READY);
    diagnosis->outcome = tn_log_outcome(&diagnosis->log);
    diagnosis->fails_running = diagnosis->log.fail_line && ready && ready->first_line < diagnosis->log.fail_line;
    if (diagnosis->reading.engine.size && (!make_measurement(diagnosis, error) || !score(diagnosis, result, error))) {
        return false;
    }
    note_reading(diagnosis);
    return tn_diagnose_terms(diagnosis, error) && tn_diagnose_findings(diagnosis, error);
}

bool tn_run_diagnose(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                     struct tn_error *error)
{
    struct tn_diagnosis diagnosis = {
        .session = session, .request = request, .arena = &result->arena, .plan.units = tn_request_units(request)};
    bool done = diagnose(&diagnosis, result, error);
    if (done) {
        done = (tn_diagnose_json(&diagnosis, &result->json) && tn_diagnose_report(&diagnosis, &result->report))
               || tn_fail_memory(error);
        result->fits = diagnosis.outcome != TN_OUTCOME_FAILED && !diagnosis.fails_running;
    }
    if (diagnosis.has_question) {
        tn_question_free(&diagnosis.plan.question);
    }
    return done;
}
