/* engines: the serving engines, or the settings of one at a version. */
#include "api/deployment.h"
#include "api/settings.h"
#include "engine/record/rules.h"

/* The oldest and the newest version that the engine's record knows; empty where it has no record. */
static void find_versions(const struct tn_session *session, const struct tn_engine *engine, struct tn_str *oldest,
                          struct tn_str *newest)
{
    const struct tn_record *record =
        engine->has_record ? tn_catalog_record(session->catalog, TN_STR("engine"), tn_str_of(engine->name)) : NULL;
    *newest = record ? tn_record_text(record, "versions") : (struct tn_str){0};
    *oldest = tn_str_word(newest);
}

static void begin_engine(struct tn_json_writer *json, const struct tn_session *session, const struct tn_engine *engine)
{
    struct tn_str oldest;
    struct tn_str newest;
    find_versions(session, engine, &oldest, &newest);
    tn_json_begin_object(json);
    tn_json_key(json, "name");
    tn_json_text(json, engine->name);
    tn_json_key(json, "summary");
    tn_json_text(json, engine->summary);
    tn_json_optional_string(json, "oldest", oldest);
    tn_json_optional_string(json, "newest", newest);
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

static struct tn_str versions_text(const struct tn_session *session, const struct tn_engine *engine,
                                   struct tn_report *report)
{
    struct tn_str oldest;
    struct tn_str newest;
    struct tn_builder text = {0};
    find_versions(session, engine, &oldest, &newest);
    if (newest.size) {
        tn_builder_addf(&text, TN_STR_FORMAT " to " TN_STR_FORMAT, TN_STR_ARGUMENTS(oldest), TN_STR_ARGUMENTS(newest));
    }
    return tn_report_keep(report, &text);
}

static void list_engines(const struct tn_session *session, struct tn_json_writer *json, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"engine", "engine", false, 0}, {"versions", "versions", false, 0}, {"what it counts", "summary", false, 0}};
    struct tn_table *table = tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]);
    report->title = TN_STR("Engines");
    for (size_t k = 0; tn_engines[k]; k++) {
        struct tn_cell *cells = table ? tn_table_row(report, table) : NULL;
        begin_engine(json, session, tn_engines[k]);
        tn_json_end_object(json);
        if (cells) {
            cells[0] = tn_cell_text(tn_str_of(tn_engines[k]->name));
            cells[1] = tn_cell_text(versions_text(session, tn_engines[k], report));
            cells[2] = tn_cell_text(tn_str_of(tn_engines[k]->summary));
        }
    }
}

/* ---- one ---------------------------------------------------------------------------------------------------------- */

/* The name of the input that the setting is; empty: none. */
static struct tn_str option_of(const struct tn_rules_setting *setting)
{
    enum tn_input input = tn_setting_input(setting);
    return tn_str_of(input == TN_INPUT_COUNT ? NULL : tn_inputs[input].name);
}

static void write_settings_json(struct tn_json_writer *json, const struct tn_rules *rules)
{
    const struct tn_rules_setting *settings;
    size_t count = rules ? tn_rules_settings(rules, &settings) : 0;
    tn_json_key(json, "settings");
    tn_json_begin_list(json);
    for (size_t k = 0; k < count; k++) {
        tn_json_begin_object(json);
        tn_json_key(json, "name");
        tn_json_string(json, settings[k].name);
        tn_json_key(json, "type");
        tn_json_text(json, tn_setting_type_names[settings[k].type]);
        tn_json_optional_string(json, "option", option_of(&settings[k]));
        tn_json_key(json, "default");
        tn_json_string(json, settings[k].formula);
        tn_json_optional_string(json, "help", settings[k].help);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

static struct tn_str setting_help(const struct tn_rules_setting *setting, struct tn_report *report)
{
    struct tn_builder text = {0};
    tn_builder_add(&text, setting->help);
    struct tn_str option = option_of(setting);
    if (option.size) {
        tn_builder_addf(&text, "%sthe same as --" TN_STR_FORMAT, setting->help.size ? "; " : "",
                        TN_STR_ARGUMENTS(option));
    }
    return tn_report_keep(report, &text);
}

static void report_settings(struct tn_report *report, const struct tn_rules *rules)
{
    static const struct tn_column columns[] = {{"setting", "setting", false, 0},
                                               {"type", "type", false, 0},
                                               {"default", "default", false, 0},
                                               {"what it is", "help", false, 0}};
    const struct tn_rules_setting *settings;
    size_t count = tn_rules_settings(rules, &settings);
    struct tn_table *table = tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]);
    for (size_t k = 0; table && k < count; k++) {
        struct tn_cell *cells = tn_table_row(report, table);
        if (cells) {
            cells[0] = tn_cell_text(settings[k].name);
            cells[1] = tn_cell_text(tn_str_of(tn_setting_type_names[settings[k].type]));
            cells[2] = tn_cell_text(settings[k].formula);
            cells[3] = tn_cell_text(setting_help(&settings[k], report));
        }
    }
}

static bool show_engine(const struct tn_session *session, struct tn_str text, struct tn_json_writer *json,
                        struct tn_result *result, struct tn_error *error)
{
    const struct tn_engine *engine;
    struct tn_str version;
    struct tn_planner planner;
    struct tn_report *report = &result->report;
    if (!tn_read_engine(text, &engine, &version, error)) {
        return false;
    }
    bool done = tn_planner_open(&planner, engine, session->catalog, NULL, version, error);
    if (done) {
        begin_engine(json, session, engine);
        tn_json_optional_string(json, "version", planner.rules ? tn_rules_version(planner.rules) : (struct tn_str){0});
        write_settings_json(json, planner.rules);
        tn_json_end_object(json);
    }
    if (done && planner.rules) {
        struct tn_builder title = {0};
        tn_builder_addf(&title, "Settings of %s " TN_STR_FORMAT, engine->name,
                        TN_STR_ARGUMENTS(tn_rules_version(planner.rules)));
        report->title = tn_report_keep(report, &title);
        report_settings(report, planner.rules);
    } else if (done) {
        report->title = tn_str_of(engine->name);
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "No settings of its own.");
    }
    tn_planner_close(&planner);
    return done;
}

bool tn_run_engines(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                    struct tn_error *error)
{
    const struct tn_input_value *name = &request->values[TN_INPUT_ENGINE];
    struct tn_json_writer json = {.builder = &result->json, .indented = true};
    bool done = true;
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.engines/1");
    tn_json_key(&json, "engines");
    tn_json_begin_list(&json);
    if (name->given) {
        done = show_engine(session, name->text, &json, result, error);
    } else {
        list_engines(session, &json, &result->report);
    }
    tn_json_end_list(&json);
    tn_json_end_object(&json);
    tn_builder_add_char(&result->json, '\n');
    return done;
}
