/* models: the catalog, filtered and sorted. Only what passes the filters of names is loaded. */
#include "api/catalog_model.h"
#include "api/operations.h"
#include "catalog/names.h"

#include <stdlib.h>

struct listed {
    const struct tn_record *record;
    struct tn_str family;
    struct tn_str released; /* "2024-07"; empty where unknown */
    struct tn_str class;
    bool verified;
    uint64_t parameters;
    uint64_t parameters_active;
    uint64_t published;
    uint64_t checkpoint_bytes;
    uint64_t max_context_tokens;
    size_t place; /* in the catalog: equal keys keep its order */
};

struct list {
    const struct tn_session *session;
    const struct tn_request *request;
    struct tn_arena *arena;
    struct listed *models; /* [count] */
    size_t count;
    struct tn_error *error;
};

/* ---- filters ------------------------------------------------------------------------------------------------------ */

static bool contains(struct tn_str text, struct tn_str part)
{
    for (size_t start = 0; start + part.size <= text.size; start++) {
        size_t k = 0;
        while (k < part.size && tn_lower(text.data[start + k]) == tn_lower(part.data[k])) {
            k++;
        }
        if (k == part.size) {
            return true;
        }
    }
    return false;
}

/* Whether the id, a hub id, an alias or the family contains the text. */
static bool is_about(const struct tn_record *record, struct tn_str text)
{
    bool found = contains(record->id, text);
    for (uint32_t k = 0; !found && k < record->count; k++) {
        struct tn_str word = record->statements[k].word;
        bool is_name = tn_str_is(word, "hub") || tn_str_is(word, "alias") || tn_str_is(word, "family");
        found = is_name && contains(record->statements[k].rest, text);
    }
    return found;
}

static bool name_passes(const struct tn_record *record, const struct tn_request *request)
{
    const struct tn_input_value *texts = &request->values[TN_INPUT_MODEL];
    const struct tn_input_value *family = &request->values[TN_INPUT_FAMILY];
    for (size_t k = 0; k < texts->item_count; k++) {
        if (!is_about(record, texts->items[k])) {
            return false;
        }
    }
    return !family->given || tn_names_match(tn_record_text(record, "family"), family->text);
}

static bool model_passes(const struct tn_model *model, const struct tn_request *request)
{
    const struct tn_input_value *values = request->values;
    struct tn_str wanted = values[TN_INPUT_ARCHITECTURE].text;
    bool is_of = !wanted.size || contains(model->architecture_class, wanted) || contains(model->architecture, wanted);
    bool is_large = !values[TN_INPUT_MIN_PARAMS].given || model->parameters >= values[TN_INPUT_MIN_PARAMS].number;
    bool is_small = !values[TN_INPUT_MAX_PARAMS].given || model->parameters <= values[TN_INPUT_MAX_PARAMS].number;
    return is_of && is_large && is_small;
}

static bool load_model(struct list *list, const struct tn_record *record, struct tn_arena *scratch)
{
    struct tn_model_input input = {0};
    struct tn_model *model = tn_catalog_model(record, scratch, &input, list->error)
                                 ? tn_model_load(list->session->catalog, &input, list->error)
                                 : NULL;
    bool done = model != NULL;
    if (done && model_passes(model, list->request)) {
        struct listed *listed = &list->models[list->count++];
        *listed = (struct listed){.record = record,
                                  .family = tn_record_text(record, "family"),
                                  .released = tn_record_text(record, "released"),
                                  .verified = model->verified,
                                  .parameters = model->parameters,
                                  .parameters_active = model->parameters_active,
                                  .published = model->published_parameters,
                                  .checkpoint_bytes = model->checkpoint_bytes,
                                  .max_context_tokens = model->max_context_tokens,
                                  .place = list->count};
        done = tn_str_copy(list->arena, model->architecture_class, &listed->class) || tn_fail_memory(list->error);
    }
    tn_model_free(model);
    return done || tn_fail_at(list->error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(record->id));
}

static bool collect(struct list *list)
{
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(list->session->catalog, TN_STR("model"), &records);
    struct tn_arena scratch = {0};
    list->models = TN_NEW_ARRAY(list->arena, struct listed, count);
    bool done = list->models || tn_fail_memory(list->error);
    for (size_t k = 0; done && k < count; k++) {
        tn_arena_reset(&scratch);
        done = !name_passes(records[k], list->request)
               || (tn_budget_allows(list->session->budget, list->error) && load_model(list, records[k], &scratch));
    }
    tn_arena_free(&scratch);
    return done;
}

/* ---- order: the largest, longest and newest first ------------------------------------------------------------------ */

static int by_place(const struct listed *a, const struct listed *b)
{
    return (a->place > b->place) - (a->place < b->place);
}

static int compare_names(const void *a, const void *b)
{
    return tn_str_compare(((const struct listed *)a)->record->id, ((const struct listed *)b)->record->id);
}

static int compare_params(const void *a, const void *b)
{
    uint64_t first = ((const struct listed *)a)->parameters;
    uint64_t second = ((const struct listed *)b)->parameters;
    return first == second ? by_place(a, b) : (first < second) - (first > second);
}

static int compare_context(const void *a, const void *b)
{
    uint64_t first = ((const struct listed *)a)->max_context_tokens;
    uint64_t second = ((const struct listed *)b)->max_context_tokens;
    return first == second ? by_place(a, b) : (first < second) - (first > second);
}

/* "2024-07" compares as text; the unknown come last. */
static int compare_released(const void *a, const void *b)
{
    int order = tn_str_compare(((const struct listed *)b)->released, ((const struct listed *)a)->released);
    return order ? order : by_place(a, b);
}

static void sort(struct list *list)
{
    static const struct {
        const char *name;
        int (*compare)(const void *a, const void *b);
    } orders[] = {{"name", compare_names},
                  {"params", compare_params},
                  {"context", compare_context},
                  {"released", compare_released}};
    for (size_t k = 0; k < sizeof orders / sizeof orders[0] && list->count; k++) {
        if (tn_str_is(list->request->values[TN_INPUT_SORT].text, orders[k].name)) {
            qsort(list->models, list->count, sizeof *list->models, orders[k].compare);
        }
    }
}

/* ---- answers ------------------------------------------------------------------------------------------------------ */

static void write_text(struct tn_json_writer *json, const char *key, struct tn_str text)
{
    tn_json_key(json, key);
    if (text.size) {
        tn_json_string(json, text);
    } else {
        tn_json_null(json);
    }
}

/* All names but the id and the first hub id. */
static void write_aliases(struct tn_json_writer *json, const struct tn_record *record)
{
    bool is_first = true;
    tn_json_key(json, "aliases");
    tn_json_begin_list(json);
    for (uint32_t k = 0; k < record->count; k++) {
        const struct tn_statement *statement = &record->statements[k];
        struct tn_str rest = statement->rest;
        bool is_hub = tn_str_is(statement->word, "hub");
        bool counts = tn_str_is(statement->word, "alias") || (is_hub && !is_first);
        is_first = is_first && !is_hub;
        for (struct tn_str word = tn_str_word(&rest); counts && word.size; word = tn_str_word(&rest)) {
            tn_json_string(json, word);
        }
    }
    tn_json_end_list(json);
}

static void write_model(struct tn_json_writer *json, const struct listed *listed)
{
    tn_json_begin_object(json);
    write_text(json, "id", listed->record->id);
    write_text(json, "hf_id", tn_record_text(listed->record, "hub"));
    write_aliases(json, listed->record);
    write_text(json, "family", listed->family);
    write_text(json, "released", listed->released);
    write_text(json, "architecture", listed->class);
    tn_json_key(json, "verified");
    tn_json_boolean(json, listed->verified);
    tn_json_key(json, "parameters");
    tn_json_u64(json, listed->parameters);
    tn_json_key(json, "published");
    if (listed->published) {
        tn_json_u64(json, listed->published);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "parameters_active");
    tn_json_u64(json, listed->parameters_active);
    tn_json_key(json, "checkpoint_bytes");
    tn_json_u64(json, listed->checkpoint_bytes);
    tn_json_key(json, "max_context");
    tn_json_u64(json, listed->max_context_tokens);
    tn_json_end_object(json);
}

static void write_json(const struct list *list, struct tn_result *result)
{
    struct tn_json_writer json = {.builder = &result->json, .indented = true};
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.models/1");
    tn_json_key(&json, "models");
    tn_json_begin_list(&json);
    for (size_t k = 0; k < list->count; k++) {
        write_model(&json, &list->models[k]);
    }
    tn_json_end_list(&json);
    tn_json_end_object(&json);
    tn_builder_add_char(&result->json, '\n');
}

static void write_report(const struct list *list, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"model", "model", false, 0},
        {"family", "family", false, 0},
        {"released", "released", false, 0},
        {"parameters", "parameters", true, 0},
        {"active", "parameters_active", true, 0},
        {"checkpoint", "checkpoint_bytes", true, 0},
        {"context", "max_context", true, 0},
    };
    report->title = TN_STR("Models");
    if (!list->count) {
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "No model of the catalog is so.");
        return;
    }
    struct tn_table *table = tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]);
    for (size_t k = 0; table && k < list->count; k++) {
        const struct listed *listed = &list->models[k];
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(listed->record->id);
        cells[1] = tn_cell_text(listed->family);
        cells[2] = tn_cell_text(listed->released);
        cells[3] = tn_cell_count(listed->parameters);
        cells[4] = listed->parameters_active == listed->parameters ? (struct tn_cell){0}
                                                                   : tn_cell_count(listed->parameters_active);
        cells[5] = tn_cell_bytes(listed->checkpoint_bytes);
        cells[6] = listed->max_context_tokens ? tn_cell_count(listed->max_context_tokens) : (struct tn_cell){0};
    }
}

bool tn_run_models(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                   struct tn_error *error)
{
    struct list list = {.session = session, .request = request, .arena = &result->arena, .error = error};
    if (!collect(&list)) {
        return false;
    }
    sort(&list);
    write_json(&list, result);
    write_report(&list, &result->report);
    return true;
}
