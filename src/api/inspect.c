/* inspect: architecture, tensor groups, parameters, caches, and the check of a header against the prediction. */
#include "api/explain.h"
#include "api/operations.h"
#include "plan/cache.h"

#include <string.h>

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

static bool write_json(const struct tn_model *model, const struct tn_request *request, struct tn_result *result,
                       struct tn_error *error)
{
    struct tn_json_writer json = {.builder = &result->json, .indented = true};
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.inspect/1");
    tn_write_model_json(&json, model);
    tn_json_key(&json, "record");
    tn_json_string(&json, model->architecture);
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
    const struct tn_check *check = &model->check;
    tn_json_key(&json, "check");
    tn_json_begin_object(&json);
    tn_json_key(&json, "done");
    tn_json_boolean(&json, check->done);
    write_names(&json, "missing", check->missing, check->missing_count);
    write_names(&json, "extra", check->extra, check->extra_count);
    write_names(&json, "different", check->different, check->different_count);
    tn_json_end_object(&json);
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

static struct tn_str text_of(struct tn_report *report, struct tn_builder *builder)
{
    struct tn_str text = {0};
    if (builder->failed || !tn_str_copy(report->arena, tn_builder_str(builder), &text)) {
        report->failed = true;
    }
    tn_builder_free(builder);
    return text;
}

static struct tn_str shape_text(struct tn_report *report, const struct tn_group *group)
{
    struct tn_builder text = {0};
    tn_builder_add_char(&text, '[');
    for (uint32_t k = 0; k < group->dim_count; k++) {
        tn_builder_addf(&text, "%s%llu", k ? ", " : "", (unsigned long long)group->dims[k]);
    }
    tn_builder_add_char(&text, ']');
    return text_of(report, &text);
}

/* 0-3, 5, 7-9 */
static struct tn_str layers_text(struct tn_report *report, const uint32_t *layers, uint32_t count)
{
    struct tn_builder text = {0};
    for (uint32_t k = 0; k < count;) {
        uint32_t end = k + 1;
        while (end < count && layers[end] == layers[end - 1] + 1) {
            end++;
        }
        tn_builder_addf(&text, "%s%u", k ? "," : "", layers[k]);
        if (end - k > 1) {
            tn_builder_addf(&text, "-%u", layers[end - 1]);
        }
        k = end;
    }
    return text_of(report, &text);
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

static void report_caches(struct tn_report *report, const struct tn_model *model)
{
    static const struct tn_column columns[] = {
        {"cache of", "label", false, 0},
        {"layers", "layers", false, 0},
        {"grows", "rule", false, 0},
        {"up to", "window", true, 0},
        {"elements per unit", "elements_per_unit", true, 0},
        {"dtype", "dtype", false, 0},
    };
    if (!model->cache_count) {
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "No cache: nothing is kept per request.");
        return;
    }
    struct tn_table *table =
        tn_report_table(report, "Caches, per request", columns, sizeof columns / sizeof columns[0]);
    for (size_t k = 0; table && k < model->cache_count; k++) {
        const struct tn_cache *cache = &model->caches[k];
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(cache->label);
        cells[1] = tn_cell_text(layers_text(report, cache->layers, cache->layer_count));
        cells[2] = tn_cell_text(tn_str_of(tn_growth_names[cache->growth]));
        cells[3] = cache->argument ? tn_cell_count(cache->argument) : (struct tn_cell){0};
        cells[4] = tn_cell_count(cache->elements_per_unit);
        cells[5] = tn_cell_text(tn_str_of(cache->dtype ? cache->dtype->name : "KV dtype"));
    }
}

static void report_check(struct tn_report *report, const struct tn_model *model)
{
    const struct tn_check *check = &model->check;
    bool is_predicted = !tn_str_is(model->architecture, TN_UNKNOWN_ARCHITECTURE) && model->source != TN_SOURCE_GGUF;
    if (!check->done || !is_predicted) {
        return;
    }
    const struct {
        const char *what;
        const struct tn_str *names;
        size_t count;
    } lists[] = {{"missing", check->missing, check->missing_count},
                 {"extra", check->extra, check->extra_count},
                 {"of another shape", check->different, check->different_count}};
    bool equal = true;
    for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++) {
        for (size_t n = 0; n < lists[k].count && n < 20; n++) {
            equal = false;
            tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_BAD, "%s: %.*s", lists[k].what, (int)lists[k].names[n].size,
                           lists[k].names[n].data);
        }
        if (lists[k].count > 20) {
            tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_BAD, "... and %zu more %s", lists[k].count - 20,
                           lists[k].what);
        }
    }
    if (equal) {
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_GOOD,
                       "The files hold exactly the tensors that the record predicts%s.",
                       check->names_only ? " (by name)" : "");
    }
}

static void write_report(const struct tn_model *model, struct tn_report *report)
{
    struct tn_builder line = {0};
    tn_builder_add(&line, model->id);
    tn_builder_add_text(&line, ": ");
    tn_builder_add(&line, model->architecture_class);
    tn_builder_add_text(&line, model->architecture_class.size ? ", record " : "record ");
    tn_builder_add(&line, model->architecture);
    tn_builder_addf(&line, "%s, from %s", model->verified ? "" : " (unverified)", tn_source_name(model->source));
    report->title = text_of(report, &line);
    tn_builder_add_grouped(&line, model->parameters);
    tn_builder_add_text(&line, " parameters");
    if (model->parameters_active != model->parameters) {
        tn_builder_add_text(&line, ", ");
        tn_builder_add_grouped(&line, model->parameters_active);
        tn_builder_add_text(&line, " active per token");
    }
    struct tn_str totals = text_of(report, &line);
    tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "%.*s", (int)totals.size, totals.data);
    report_groups(report, model);
    report_caches(report, model);
    report_check(report, model);
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
    bool done = write_json(model, request, result, error);
    write_report(model, &result->report);
    return done && (!request->values[TN_INPUT_EXPLAIN].flag || tn_explain_weights(model, &result->report, error));
}
