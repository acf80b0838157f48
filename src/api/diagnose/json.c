/* tonnage.diagnose/1 */
#include "api/diagnose/diagnose.h"

static void write_line(struct tn_json_writer *json, uint64_t line)
{
    tn_json_key(json, "line");
    if (line) {
        tn_json_u64(json, line);
    } else {
        tn_json_null(json);
    }
}

static void write_settings(struct tn_json_writer *json, const struct tn_diagnosis *diagnosis)
{
    const struct tn_measurement *measurement = diagnosis->measurement;
    tn_json_key(json, "settings");
    tn_json_begin_object(json);
    for (size_t k = 0; measurement && k < measurement->set_count; k++) {
        tn_json_key_str(json, measurement->sets[k].name);
        tn_json_string(json, measurement->sets[k].value);
    }
    tn_json_end_object(json);
}

/* Bytes and tokens are whole numbers; requests at once are not. */
static void write_number(struct tn_json_writer *json, const char *key, bool is_known, double number)
{
    tn_json_key(json, key);
    if (!is_known) {
        tn_json_null(json);
    } else if (number > -9e15 && number < 9e15 && (double)(int64_t)number == number) {
        tn_json_i64(json, (int64_t)number);
    } else {
        tn_json_real(json, number);
    }
}

static void write_term(struct tn_json_writer *json, const struct tn_diagnosed_term *term)
{
    tn_json_begin_object(json);
    tn_json_key(json, "term");
    tn_json_text(json, term->name);
    if (term->device.size) {
        tn_json_key(json, "device");
        tn_json_string(json, term->device);
    }
    write_number(json, "measured", term->is_measured, term->measured);
    write_number(json, "predicted", term->is_predicted, term->predicted);
    write_number(json, "low", term->is_predicted, term->low);
    write_number(json, "high", term->is_predicted, term->high);
    tn_json_key(json, "unit");
    tn_json_text(json, term->unit);
    if (term->is_predicted) {
        tn_json_key(json, "exact");
        tn_json_boolean(json, term->exact);
    }
    write_line(json, term->line);
    if (term->why) {
        tn_json_key(json, "why");
        tn_json_text(json, term->why);
    }
    tn_json_end_object(json);
}

static void write_changed(struct tn_json_writer *json, const struct tn_diagnosed_remedy *remedy)
{
    struct tn_str option = remedy->option;
    struct tn_str name;
    struct tn_str value;
    tn_json_key(json, "settings");
    tn_json_begin_object(json);
    while (tn_diagnosed_change(&option, &name, &value)) {
        tn_json_key_str(json, name);
        tn_json_string(json, value);
    }
    tn_json_end_object(json);
}

static void write_after(struct tn_json_writer *json, const struct tn_varied_plan *after)
{
    tn_json_key(json, "after");
    tn_json_begin_object(json);
    tn_json_key(json, "fits");
    tn_json_boolean(json, after->fits);
    tn_json_key(json, "pool_tokens");
    if (after->has_pool) {
        tn_json_u64(json, after->pool_tokens);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "worst_bytes");
    tn_json_u64(json, after->worst_bytes);
    tn_json_end_object(json);
}

static void write_remedies(struct tn_json_writer *json, const struct tn_finding *finding)
{
    tn_json_key(json, "remedies");
    tn_json_begin_list(json);
    for (size_t k = 0; k < finding->remedy_count; k++) {
        const struct tn_diagnosed_remedy *remedy = &finding->remedies[k];
        tn_json_begin_object(json);
        tn_json_optional_string(json, "option", remedy->option);
        tn_json_key(json, "meaning");
        tn_json_string(json, remedy->meaning);
        write_changed(json, remedy);
        write_after(json, &remedy->after);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

/* "remedy" and "settings" are those of the first, cheapest one. */
static void write_finding(struct tn_json_writer *json, const struct tn_finding *finding)
{
    static const struct tn_diagnosed_remedy nothing = {0};
    const struct tn_diagnosed_remedy *first = finding->remedy_count ? &finding->remedies[0] : &nothing;
    tn_json_begin_object(json);
    tn_json_key(json, "code");
    tn_json_string(json, finding->code);
    tn_json_key(json, "weight");
    tn_json_text(json, tn_finding_weight_names[finding->weight]);
    tn_json_key(json, "message");
    tn_json_string(json, finding->message);
    write_line(json, finding->line);
    tn_json_optional_string(json, "remedy", first->option.size ? first->option : first->meaning);
    write_changed(json, first);
    write_remedies(json, finding);
    tn_json_end_object(json);
}

/* The plan beside the log as a command, so that anybody can make it again. */
static void write_plan(struct tn_json_writer *json, const struct tn_diagnosis *diagnosis)
{
    const struct tn_request *request = &diagnosis->work.request;
    struct tn_builder command = {0};
    tn_json_key(json, "plan");
    if (!diagnosis->is_planned) {
        tn_json_null(json);
        return;
    }
    tn_request_write_command(request, &command);
    tn_json_string(json, tn_builder_str(&command));
    json->builder->failed = json->builder->failed || command.failed;
    tn_builder_free(&command);
}

static const char *outcome_name(const struct tn_diagnosis *diagnosis)
{
    static const char *const names[] = {"unknown", "started", "failed"};
    return diagnosis->fails_running ? "failed_later" : names[diagnosis->outcome];
}

static void write_log(struct tn_json_writer *json, const struct tn_log *log)
{
    const struct {
        const char *key;
        uint64_t number;
    } rows[] = {{"lines", log->lines},   {"known_lines", log->known_lines}, {"bytes", log->bytes},
                {"starts", log->starts}, {"start_line", log->start_line},   {"fail_line", log->fail_line}};
    tn_json_key(json, "log");
    tn_json_begin_object(json);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        tn_json_key(json, rows[k].key);
        tn_json_u64(json, rows[k].number);
    }
    tn_json_end_object(json);
}

bool tn_diagnose_json(const struct tn_diagnosis *diagnosis, struct tn_builder *out)
{
    struct tn_json_writer json = {.builder = out, .indented = true};
    const struct tn_measurement *measurement = diagnosis->measurement;
    bool has_engine = measurement && measurement->engine;
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.diagnose/1");
    tn_json_optional_string(&json, "engine",
                            has_engine ? tn_str_of(tn_log_engine_name(measurement->engine)) : (struct tn_str){0});
    tn_json_optional_string(&json, "version",
                            diagnosis->reading.logged_version.size ? diagnosis->reading.logged_version
                                                                   : diagnosis->reading.version);
    tn_json_optional_string(&json, "planned_as", diagnosis->scored.engine);
    tn_json_optional_string(&json, "model", diagnosis->reading.model);
    tn_json_key(&json, "outcome");
    tn_json_text(&json, outcome_name(diagnosis));
    write_plan(&json, diagnosis);
    write_settings(&json, diagnosis);
    tn_json_key(&json, "terms");
    tn_json_begin_list(&json);
    for (size_t k = 0; k < diagnosis->term_count; k++) {
        write_term(&json, &diagnosis->terms[k]);
    }
    tn_json_end_list(&json);
    tn_json_key(&json, "findings");
    tn_json_begin_list(&json);
    for (size_t k = 0; k < diagnosis->finding_count; k++) {
        write_finding(&json, &diagnosis->findings[k]);
    }
    tn_json_end_list(&json);
    write_log(&json, &diagnosis->log);
    tn_json_key(&json, "notes");
    tn_json_begin_list(&json);
    tn_write_note_items(&json, diagnosis->notes, diagnosis->note_count);
    tn_json_end_list(&json);
    tn_json_end_object(&json);
    tn_builder_add_char(out, '\n');
    return !out->failed;
}
