/* measure: runs a command by the host's runner, and makes a record and an answer of what it took. */
#include "api/measure/measure.h"

#include "api/gpu_list.h"
#include "api/launch.h"
#include "api/settings.h"
#include "text/quantity.h"

#include <stdarg.h>
#include <stdio.h>

enum { USUAL_INTERVAL_MS = 100, STATUS_UNREADABLE = 3 };

const char *const tn_run_basis_names[] = {"processes", "device", "pss", "rss"};

void tn_measuring_note(struct tn_measuring *measuring, const char *code, const char *format, ...)
{
    char text[500];
    struct tn_note note = {.code = code};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (measuring->note_count < sizeof measuring->notes / sizeof measuring->notes[0]
        && tn_str_copy(measuring->arena, tn_str_of(text), &note.message)) {
        measuring->notes[measuring->note_count++] = note;
    }
}

const struct tn_run_device *tn_measuring_fullest(const struct tn_measuring *measuring)
{
    const struct tn_run_device *fullest = NULL;
    for (size_t k = 0; k < measuring->run.device_count; k++) {
        const struct tn_run_device *device = &measuring->run.devices[k];
        if (!device->is_host && (!fullest || device->peak.bytes > fullest->peak.bytes)) {
            fullest = device;
        }
    }
    return fullest;
}

bool tn_measuring_has_gpu(const struct tn_measuring *measuring)
{
    const struct tn_run_device *fullest = tn_measuring_fullest(measuring);
    return fullest && fullest->peak.bytes;
}

struct tn_str tn_measuring_device_name(struct tn_arena *arena, const struct tn_run_device *device)
{
    struct tn_builder text = {0};
    struct tn_str name = TN_STR("host");
    if (device->is_host) {
        return name;
    }
    tn_builder_addf(&text, "GPU %u", device->gpu.index);
    if (device->gpu.is_slice) {
        tn_builder_addf(&text, ".%u", device->gpu.slice);
    }
    bool done = !text.failed && tn_str_copy(arena, tn_builder_str(&text), &name);
    tn_builder_free(&text);
    return done ? name : TN_STR("GPU");
}

/* ---- what was asked ------------------------------------------------------------------------------------------------- */

static bool needs_quotes(struct tn_str word)
{
    bool is_plain = word.size > 0;
    for (size_t k = 0; is_plain && k < word.size; k++) {
        char c = tn_lower(word.data[k]);
        is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                   || tn_str_find(TN_STR("_-./:=,@%+"), (struct tn_str){&c, 1}) != SIZE_MAX;
    }
    return !is_plain;
}

/* As one would type it into a shell. */
static bool write_command(struct tn_measuring *measuring, struct tn_error *error)
{
    const struct tn_input_value *words = &measuring->request.values[TN_INPUT_RUN];
    struct tn_builder text = {0};
    for (size_t k = 0; k < words->item_count; k++) {
        tn_builder_add_text(&text, k ? " " : "");
        if (!needs_quotes(words->items[k])) {
            tn_builder_add(&text, words->items[k]);
            continue;
        }
        tn_builder_add_char(&text, '\'');
        for (size_t at = 0; at < words->items[k].size; at++) {
            char c = words->items[k].data[at];
            tn_builder_add(&text, c == '\'' ? TN_STR("'\\''") : (struct tn_str){&c, 1});
        }
        tn_builder_add_char(&text, '\'');
    }
    bool done = (!text.failed && tn_str_copy(measuring->arena, tn_builder_str(&text), &measuring->command))
                || tn_fail_memory(error);
    tn_builder_free(&text);
    return done;
}

/* Whether a record says the setting by a key of ours: it is an input, or stands beside one. */
static bool is_said(const struct tn_question *question, struct tn_str name)
{
    bool is_dtype = tn_str_is(name, "dtype") || tn_str_is(name, "torch_dtype");
    enum tn_input input = tn_setting_input(tn_find_setting(question->planner.rules, name));
    return (input != TN_INPUT_COUNT && input != TN_INPUT_CONCURRENCY)
           || (is_dtype && question->request.values[TN_INPUT_DTYPE].given);
}

/* The length of a record is that which the engine takes, which may be more than was asked for. */
static void take_length(struct tn_measuring *measuring, const struct tn_question *question,
                        const struct tn_assignment *set)
{
    enum tn_input input = tn_setting_input(tn_find_setting(question->planner.rules, set->name));
    struct tn_input_value *context = &measuring->request.values[TN_INPUT_CONTEXT];
    if (input == TN_INPUT_CONTEXT && tn_quantity_tokens(set->value, &context->number)) {
        context->given = true;
    }
}

/* Settings that are inputs of ours become these, as `score` wants them; the others stay. false where the engine does not take them. */
static bool take_settings(struct tn_measuring *measuring, const struct tn_request *request, struct tn_error *error)
{
    struct tn_question question;
    bool done = tn_question_open(measuring->session, request, &question, error);
    size_t count = done ? question.deployment.set_count : 0;
    struct tn_assignment *sets = done ? TN_NEW_ARRAY(measuring->arena, struct tn_assignment, count + 1) : NULL;
    done = done && (sets || tn_fail_memory(error));
    if (done) {
        measuring->request = question.request;
        measuring->sets = sets;
        measuring->set_count = 0;
    }
    for (size_t k = 0; done && k < count; k++) {
        const struct tn_assignment *from = &question.deployment.sets[k];
        struct tn_assignment *to = &sets[measuring->set_count];
        take_length(measuring, &question, from);
        measuring->set_count += !is_said(&question, from->name);
        done = (tn_str_copy(measuring->arena, from->name, &to->name)
                && tn_str_copy(measuring->arena, from->value, &to->value))
               || tn_fail_memory(error);
    }
    tn_question_free(&question);
    return done;
}

/* What the command itself says of engine, model and settings. One that is no engine's, or that cannot be read, is measured all the same. */
static void read_command(struct tn_measuring *measuring)
{
    struct tn_request request = measuring->request;
    struct tn_launch launch = {0};
    if (tn_request_read_command(measuring->session->catalog, &request, measuring->command, &launch, NULL)) {
        (void)take_settings(measuring, &request, NULL);
    }
}

/* What is wrong is said before the command runs for hours. */
static bool check_inputs(struct tn_measuring *measuring, struct tn_error *error)
{
    const struct tn_input_value *values = measuring->request.values;
    if (!values[TN_INPUT_RUN].item_count) {
        tn_fail(error, TN_ERROR_USAGE, "no COMMAND given");
        return tn_fail_hint(error, "put it behind --: tonnage measure -- vllm serve MODEL");
    }
    if (!measuring->session->runner) {
        return tn_fail(error, TN_ERROR_USAGE, "no commands are run here");
    }
    if (values[TN_INPUT_MODEL].item_count > 1) {
        tn_fail(error, TN_ERROR_USAGE, "--model is given twice");
        return tn_fail_at(error, -1, "--model");
    }
    const struct tn_gpu *gpu;
    uint32_t count;
    bool asks_machine = tn_str_starts(values[TN_INPUT_GPU].text, TN_STR("auto"));
    return !values[TN_INPUT_GPU].given || asks_machine
           || tn_read_gpu(measuring->session->catalog, values[TN_INPUT_GPU].text, &gpu, &count, error);
}

/* ---- what is to be said of it ---------------------------------------------------------------------------------------- */

static void note_gpus(struct tn_measuring *measuring)
{
    const struct tn_run *run = &measuring->run;
    if (run->gpu_fault.size) {
        tn_measuring_note(measuring, "gpu_fault", TN_STR_FORMAT, TN_STR_ARGUMENTS(run->gpu_fault));
    }
    if (run->device_count == 1) {
        tn_measuring_note(measuring, "host_only",
                          "no GPU was found on this machine: the memory of the host was measured");
    }
    for (size_t k = 0; k < run->device_count; k++) {
        const struct tn_run_device *device = &run->devices[k];
        struct tn_str name = tn_measuring_device_name(measuring->arena, device);
        if (device->basis == TN_RUN_DEVICE) {
            tn_measuring_note(measuring, "by_device",
                              TN_STR_FORMAT ": the driver does not say what the command's processes hold, as in "
                                            "containers: this is what was in use beyond what was before, of whoever",
                              TN_STR_ARGUMENTS(name));
        } else if (device->basis == TN_RUN_RESIDENT) {
            tn_measuring_note(measuring, "host_resident",
                              "host: some processes may not be asked for their share: what they share with others is "
                              "counted in each");
        }
        if (device->fault.size) {
            tn_measuring_note(measuring, "gpu_refused", TN_STR_FORMAT ": " TN_STR_FORMAT, TN_STR_ARGUMENTS(name),
                              TN_STR_ARGUMENTS(device->fault));
        }
    }
}

static void note_run(struct tn_measuring *measuring)
{
    const struct tn_run *run = &measuring->run;
    if (run->left_running) {
        tn_measuring_note(measuring, "left_running", "interrupted while %u processes that it began were still running",
                          run->left_running);
    }
    note_gpus(measuring);
}

/* The measuring is not lost where its record cannot be kept. */
static void keep_record(struct tn_measuring *measuring, struct tn_result *result)
{
    const struct tn_input_value *path = &measuring->request.values[TN_INPUT_RECORD];
    const struct tn_appender *appender = measuring->session->appender;
    struct tn_error own = {.offset = -1};
    if (!path->given) {
        return;
    }
    if (!appender->add(appender->context, measuring->record, &own)) {
        tn_measuring_note(measuring, "record_lost", "the record could not be written: %s", own.message);
        result->exit_status = result->exit_status ? result->exit_status : STATUS_UNREADABLE;
        return;
    }
    const struct tn_input_value *values = measuring->request.values;
    tn_measuring_note(measuring, "recorded", "recorded in " TN_STR_FORMAT "%s", TN_STR_ARGUMENTS(path->text),
                      values[TN_INPUT_ENGINE].given && values[TN_INPUT_MODEL].given
                          ? ""
                          : "; without --engine and --model `tonnage score` cannot plan it");
}

/* ---- the operation -------------------------------------------------------------------------------------------------- */

static bool run_command(struct tn_measuring *measuring, struct tn_error *error)
{
    const struct tn_session *session = measuring->session;
    const struct tn_input_value *values = measuring->request.values;
    const struct tn_input_value *record = &values[TN_INPUT_RECORD];
    struct tn_run_ask ask = {.words = values[TN_INPUT_RUN].items,
                             .word_count = values[TN_INPUT_RUN].item_count,
                             .interval_ms = values[TN_INPUT_INTERVAL].given ? values[TN_INPUT_INTERVAL].number
                                                                            : USUAL_INTERVAL_MS};
    if (record->given && !session->appender) {
        return tn_fail(error, TN_ERROR_UNREADABLE, "no files are written here");
    }
    return (!record->given || session->appender->open(session->appender->context, record->text, error))
           && session->runner->run(session->runner->context, &ask, measuring->arena, &measuring->run, error);
}

bool tn_run_measure(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                    struct tn_error *error)
{
    struct tn_measuring measuring = {.session = session, .request = *request, .arena = &result->arena};
    if (!check_inputs(&measuring, error) || !write_command(&measuring, error)
        || (request->values[TN_INPUT_ENGINE].given && !take_settings(&measuring, request, error))) {
        return false;
    }
    read_command(&measuring);
    if (!run_command(&measuring, error) || !tn_measuring_write_record(&measuring, error)) {
        return false;
    }
    result->exit_status = measuring.run.status;
    note_run(&measuring);
    keep_record(&measuring, result);
    tn_measuring_json(&measuring, &result->json);
    tn_measuring_report(&measuring, &result->report);
    return true;
}
