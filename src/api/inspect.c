/* inspect: architecture, tensor groups, parameters, caches, and the check of a header against the prediction. */
#include "api/anatomy.h"
#include "api/explain.h"
#include "api/operations.h"
#include "model/draft.h"

#include <string.h>

enum { FEW_NAMES = 20 };

static void write_numbers(struct tn_json_writer *json, const char *key, const uint64_t *numbers, size_t count)
{
    tn_json_key(json, key);
    tn_json_begin_list(json);
    for (size_t k = 0; k < count; k++) {
        tn_json_u64(json, numbers[k]);
    }
    tn_json_end_list(json);
}

static void write_layers(struct tn_json_writer *json, const uint32_t *layers, uint32_t count)
{
    tn_json_key(json, "layers");
    tn_json_begin_list(json);
    for (uint32_t k = 0; layers && k < count; k++) {
        tn_json_u64(json, layers[k]);
    }
    tn_json_end_list(json);
}

static void write_group(struct tn_json_writer *json, const struct tn_group *group)
{
    tn_json_begin_object(json);
    tn_json_key(json, "name");
    tn_json_string(json, group->name);
    tn_json_key(json, "stack");
    tn_json_string(json, group->stack);
    tn_json_key(json, "class");
    tn_json_text(json, tn_class_names[group->class]);
    write_numbers(json, "dims", group->dims, group->dim_count);
    tn_json_key(json, "copies");
    tn_json_u64(json, group->tensors);
    if (group->first_copy) {
        tn_json_key(json, "first_copy");
        tn_json_u64(json, group->first_copy);
    }
    write_layers(json, group->layers, group->layer_count);
    tn_json_key(json, "dtype");
    tn_json_text(json, group->dtype ? group->dtype->name : NULL);
    tn_json_key(json, "split");
    tn_json_text(json, tn_split_names[group->split.kind]);
    tn_json_key(json, "parameters");
    tn_json_u64(json, group->parameters);
    tn_json_key(json, "bytes");
    tn_json_u64(json, group->bytes);
    tn_json_end_object(json);
}

static void write_tensors(struct tn_json_writer *json, const struct tn_model *model)
{
    struct tn_builder name = {0};
    tn_json_key(json, "tensors");
    tn_json_begin_list(json);
    for (size_t g = 0; g < model->group_count; g++) {
        const struct tn_group *group = &model->groups[g];
        for (uint64_t t = 0; t < group->tensors; t++) {
            uint64_t layer = t / group->copies;
            tn_builder_clear(&name);
            tn_group_tensor_name(group, group->layers && layer < group->layer_count ? group->layers[layer] : 0,
                                 t % group->copies, &name);
            tn_json_begin_object(json);
            tn_json_key(json, "name");
            tn_json_string(json, tn_builder_str(&name));
            write_numbers(json, "dims", group->dims, group->dim_count);
            tn_json_key(json, "dtype");
            tn_json_text(json, group->dtype ? group->dtype->name : NULL);
            tn_json_end_object(json);
        }
    }
    tn_json_end_list(json);
    json->builder->failed = json->builder->failed || name.failed;
    tn_builder_free(&name);
}

static void write_cache(struct tn_json_writer *json, const struct tn_cache *cache)
{
    tn_json_begin_object(json);
    tn_json_key(json, "label");
    tn_json_string(json, cache->label);
    write_layers(json, cache->layers, cache->layer_count);
    tn_json_key(json, "rule");
    tn_json_text(json, tn_growth_names[cache->growth]);
    tn_json_key(json, "elements_per_unit");
    tn_json_u64(json, cache->elements_per_unit);
    tn_json_key(json, "window");
    if (cache->argument) {
        tn_json_u64(json, cache->argument);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "dtype");
    tn_json_text(json, cache->dtype ? cache->dtype->name : NULL);
    tn_json_end_object(json);
}

static void write_names(struct tn_json_writer *json, const char *key, const struct tn_str *names, size_t count)
{
    tn_json_key(json, key);
    tn_json_begin_list(json);
    for (size_t k = 0; k < count && k < TN_CHECK_NAMES; k++) {
        tn_json_string(json, names[k]);
    }
    tn_json_end_list(json);
}

static void write_check(struct tn_json_writer *json, const struct tn_check *check)
{
    tn_json_key(json, "check");
    tn_json_begin_object(json);
    tn_json_key(json, "done");
    tn_json_boolean(json, check->done);
    write_names(json, "missing", check->missing, check->missing_count);
    write_names(json, "extra", check->extra, check->extra_count);
    write_names(json, "different", check->different, check->different_count);
    tn_json_end_object(json);
}

static bool write_json(const struct tn_anatomy *anatomy, const struct tn_request *request, struct tn_str draft,
                       struct tn_result *result, struct tn_error *error)
{
    const struct tn_model *model = anatomy->model;
    struct tn_json_writer json = {.builder = &result->json, .indented = true};
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.inspect/1");
    tn_write_model_json(&json, model);
    tn_json_key(&json, "record");
    tn_json_string(&json, model->architecture);
    tn_anatomy_json(anatomy, &json);
    tn_json_key(&json, "groups");
    tn_json_begin_list(&json);
    for (size_t k = 0; k < model->group_count; k++) {
        write_group(&json, &model->groups[k]);
    }
    tn_json_end_list(&json);
    if (request->values[TN_INPUT_TENSORS].flag) {
        write_tensors(&json, model);
    }
    tn_json_key(&json, "caches");
    tn_json_begin_list(&json);
    for (size_t k = 0; k < model->cache_count; k++) {
        write_cache(&json, &model->caches[k]);
    }
    tn_json_end_list(&json);
    write_check(&json, &model->check);
    if (draft.size) {
        tn_json_key(&json, "draft");
        tn_json_string(&json, draft);
    }
    tn_json_key(&json, "notes");
    tn_json_begin_list(&json);
    tn_write_note_items(&json, model->notes, model->note_count);
    tn_json_end_list(&json);
    if (request->values[TN_INPUT_EXPLAIN].flag && !tn_explain_json(model, &result->arena, &json, error)) {
        return false;
    }
    tn_json_end_object(&json);
    tn_builder_add_char(&result->json, '\n');
    return true;
}

/* ---- for people --------------------------------------------------------------------------------------------------- */

static struct tn_str shape_text(struct tn_report *report, const struct tn_group *group)
{
    struct tn_builder text = {0};
    tn_builder_add_char(&text, '[');
    for (uint32_t k = 0; k < group->dim_count; k++) {
        tn_builder_addf(&text, "%s%llu", k ? ", " : "", (unsigned long long)group->dims[k]);
    }
    tn_builder_add_char(&text, ']');
    return tn_report_keep(report, &text);
}

static void report_groups(struct tn_report *report, const struct tn_model *model)
{
    static const struct tn_column columns[] = {
        {"tensors", "name", false, 0}, {"class", "class", false, 0}, {"shape", "dims", false, 0},
        {"copies", "copies", true, 0}, {"dtype", "dtype", false, 0}, {"parameters", "parameters", true, 0},
        {"bytes", "bytes", true, 0},
    };
    struct tn_table *table = tn_report_table(report, "Tensors", columns, sizeof columns / sizeof columns[0]);
    for (size_t k = 0; table && k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(group->name);
        cells[1] = tn_cell_text(tn_str_of(tn_class_names[group->class]));
        cells[2] = tn_cell_text(shape_text(report, group));
        cells[3] = tn_cell_count(group->tensors);
        cells[4] = tn_cell_text(tn_str_of(group->dtype ? group->dtype->name : "?"));
        cells[5] = tn_cell_count(group->parameters);
        cells[6] = tn_cell_bytes(group->bytes);
    }
    if (!table) {
        return;
    }
    tn_table_rule(table);
    struct tn_cell *cells = tn_table_row(report, table);
    if (cells) {
        cells[0] = tn_cell_text(TN_STR("total"));
        cells[5] = tn_cell_count(model->parameters);
        cells[6] = tn_cell_bytes(model->checkpoint_bytes);
    }
}

static bool is_unknown(const struct tn_model *model)
{
    return tn_str_is(model->architecture, TN_UNKNOWN_ARCHITECTURE);
}

static void report_names(struct tn_report *report, const char *what, const struct tn_str *names, size_t count,
                         size_t most)
{
    for (size_t n = 0; n < count && n < most && n < TN_CHECK_NAMES; n++) {
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_BAD, "%s: %.*s", what, (int)names[n].size, names[n].data);
    }
    if (count > most) {
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_BAD, "... and %zu more %s", count - most, what);
    }
}

static void report_check(struct tn_report *report, const struct tn_model *model, size_t most)
{
    const struct tn_check *check = &model->check;
    if (!check->done || is_unknown(model) || model->source == TN_SOURCE_GGUF) {
        return;
    }
    report_names(report, "missing", check->missing, check->missing_count, most);
    report_names(report, "extra", check->extra, check->extra_count, most);
    report_names(report, "of another shape", check->different, check->different_count, most);
    if (!(check->missing_count || check->extra_count || check->different_count)) {
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_GOOD,
                       "The files hold exactly the tensors that the record predicts%s.",
                       check->names_only ? " (by name)" : "");
    }
}

/* The record that could be, as text; empty where there is one, or nothing to draft from. */
static bool draft_record(const struct tn_session *session, const struct tn_model *model, struct tn_result *result,
                         struct tn_str *draft, struct tn_error *error)
{
    struct tn_builder text = {0};
    bool done = !is_unknown(model) || model->source != TN_SOURCE_SAFETENSORS
                || tn_draft_record(model, session->catalog, &text, error);
    done = done && (tn_str_copy(&result->arena, tn_builder_str(&text), draft) || tn_fail_memory(error));
    tn_builder_free(&text);
    return done;
}

/* --check needs something to compare: names of an index or tensors of a header, and names that the record has. */
static bool can_check(const struct tn_model *model, struct tn_error *error)
{
    if (model->source == TN_SOURCE_GGUF) {
        tn_fail(error, TN_ERROR_USAGE, "--check compares names, and those of a GGUF are not the record's");
        return tn_fail_hint(error, "give the folder with the safetensors files");
    }
    if (!model->check.done) {
        tn_fail(error, TN_ERROR_USAGE, "nothing to check: there is no header and no index");
        return tn_fail_hint(error, "give the folder with the safetensors files, or with their index");
    }
    return true;
}

static void report_draft(struct tn_report *report, struct tn_str draft)
{
    if (draft.size) {
        tn_report_text(report, TN_BLOCK_HEADING, TN_TONE_PLAIN,
                       "A record to begin with, for data/arch (--json has it without the indentation):");
        struct tn_block *block = tn_report_add(report, TN_BLOCK_COMMAND);
        if (block) {
            block->text = draft;
        }
    }
}

static void write_report(const struct tn_anatomy *anatomy, const struct tn_request *request, struct tn_str draft,
                         struct tn_report *report)
{
    const struct tn_model *model = anatomy->model;
    struct tn_builder line = {0};
    tn_builder_add(&line, model->id);
    tn_builder_add_text(&line, ": ");
    tn_builder_add(&line, model->architecture_class);
    tn_builder_add_text(&line, model->architecture_class.size ? ", record " : "record ");
    tn_builder_add(&line, model->architecture);
    tn_builder_addf(&line, "%s, from %s", model->verified ? "" : " (unverified)", tn_source_name(model->source));
    report->title = tn_report_keep(report, &line);
    if (request->values[TN_INPUT_CHECK].flag) {
        report_check(report, model, TN_CHECK_NAMES);
        report_draft(report, draft);
        tn_write_notes(report, model->notes, model->note_count);
        return;
    }
    tn_anatomy_report(anatomy, tn_request_units(request), report);
    if (request->values[TN_INPUT_TENSORS].flag) {
        report_groups(report, model);
    }
    report_check(report, model, FEW_NAMES);
    tn_write_notes(report, model->notes, model->note_count);
}

bool tn_run_inspect(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                    struct tn_error *error)
{
    const struct tn_model *model = result->model =
        tn_request_model(session, request, request->values[TN_INPUT_MODEL].text, error);
    if (!model) {
        return false;
    }
    bool checks = request->values[TN_INPUT_CHECK].flag;
    struct tn_str draft = {0};
    struct tn_anatomy *anatomy = TN_NEW(&result->arena, struct tn_anatomy);
    if (!anatomy) {
        return tn_fail_memory(error);
    }
    if (checks && (!can_check(model, error) || !draft_record(session, model, result, &draft, error))) {
        return false;
    }
    if (!tn_anatomy_find(model, &result->arena, anatomy, error)
        || !write_json(anatomy, request, draft, result, error)) {
        return false;
    }
    write_report(anatomy, request, draft, &result->report);
    return !request->values[TN_INPUT_EXPLAIN].flag || tn_explain_weights(model, &result->report, error);
}
