/* Lines to records: which format a line has, and what all formats share. */
#include "logs/reading.h"

#include "text/json.h"

const char *const tn_figure_names[TN_FIGURE_COUNT] = {
    "weights", "activation", "non_torch", "graphs", "kv_pool", "kv_tokens", "suggested_tokens", "used", "peak",
};

/* ---- formats ------------------------------------------------------------------------------------------------------ */

static bool is_own(const struct tn_value *record)
{
    const struct tn_value *format = tn_reading_member(record, "format");
    return format && format->kind == TN_STRING && tn_str_is(format->as.string, "tonnage.measured/1");
}

/* Buffers by device, which may be null where the log was cut. */
static bool is_llamacpp_log(const struct tn_value *record)
{
    const struct tn_value *measured = tn_reading_member(record, "measured");
    return measured && tn_value_member(measured, TN_STR("model_mib"));
}

static bool is_llamacpp_row(const struct tn_value *record)
{
    return tn_reading_member(record, "llama_cpp") != NULL;
}

static bool is_described_model(const struct tn_value *record)
{
    return tn_reading_member(record, "tensor_shapes_by_suffix") || tn_reading_member(record, "tensors");
}

static bool is_field_log(const struct tn_value *record)
{
    const struct tn_value *measured = tn_reading_member(record, "measured");
    return measured && measured->kind == TN_OBJECT;
}

/* The first that applies. */
static const struct {
    bool (*is)(const struct tn_value *record);
    bool (*read)(struct tn_reading *reading);
} formats[] = {{is_own, tn_read_own_record},
               {is_llamacpp_log, tn_read_llamacpp_log},
               {is_llamacpp_row, tn_read_llamacpp_row},
               {is_field_log, tn_read_field_log}};

static bool read_record(struct tn_reading *reading)
{
    for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++) {
        if (formats[k].is(reading->record)) {
            return formats[k].read(reading);
        }
    }
    return tn_reading_fault(reading, "no measured record: it has no \"measured\" figures");
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

/* The record's own name; the place where it has none. */
static bool name_record(struct tn_reading *reading)
{
    struct tn_measurement *measurement = reading->measurement;
    struct tn_builder text = {0};
    if (!tn_reading_text(reading, reading->record, "id", &measurement->id)) {
        return false;
    }
    if (measurement->id.size) {
        return true;
    }
    tn_builder_addf(&text, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(measurement->file), measurement->line);
    bool done = !text.failed && tn_str_copy(reading->arena, tn_builder_str(&text), &measurement->id);
    tn_builder_free(&text);
    return done || tn_fail_memory(reading->error);
}

static bool check_name(struct tn_reading *reading, struct tn_measurements *list)
{
    uint32_t existing;
    if (!tn_map_insert(reading->arena, &list->ids, reading->measurement->id, (uint32_t)list->count - 1, &existing)) {
        return tn_fail_memory(reading->error);
    }
    if (existing != TN_MAP_NONE) {
        const struct tn_measurement *other = &list->items[existing];
        return tn_reading_fault(reading, "contradictory: its id is that of " TN_STR_FORMAT ":%u",
                                TN_STR_ARGUMENTS(other->file), other->line);
    }
    return true;
}

/* ---- models that the file describes ------------------------------------------------------------------------------- */

/* Keeps the model for the records of its file. */
static bool add_model(struct tn_reading reading, struct tn_measurements *list)
{
    struct tn_measurement none = {0};
    struct tn_described_model *model = TN_NEW(reading.arena, struct tn_described_model);
    if (!model) {
        return tn_fail_memory(reading.error);
    }
    model->next = list->models;
    list->models = model;
    reading.measurement = &none;
    return tn_read_described_model(&reading, model);
}

static const struct tn_described_model *model_named(const struct tn_measurements *list, struct tn_str name)
{
    const struct tn_described_model *model = list->models;
    while (model && !tn_str_equal(model->name, name)) {
        model = model->next;
    }
    return model;
}

/* Gives the records from `first` on the models that they are about, wherever in the file these stand. */
static bool connect_models(struct tn_reading reading, struct tn_measurements *list, size_t first)
{
    bool done = true;
    for (size_t k = first; done && k < list->count; k++) {
        struct tn_measurement *measurement = reading.measurement = &list->items[k];
        if (!measurement->is_described) {
            continue;
        }
        const struct tn_described_model *model = measurement->described = model_named(list, measurement->model);
        if (!model) {
            done = tn_reading_fault(&reading, "the file does not describe the model '" TN_STR_FORMAT "'",
                                    TN_STR_ARGUMENTS(measurement->model));
        } else if (model->fault.size) {
            done = tn_reading_fault(&reading, "model '" TN_STR_FORMAT "': " TN_STR_FORMAT,
                                    TN_STR_ARGUMENTS(model->name), TN_STR_ARGUMENTS(model->fault));
        }
    }
    return done;
}

/* ---- lines -------------------------------------------------------------------------------------------------------- */

/* An empty record at the end of the list; NULL when memory is out. */
static struct tn_measurement *add_measurement(struct tn_arena *arena, struct tn_measurements *list)
{
    enum { FIRST = 64 };
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : FIRST;
        struct tn_measurement *grown = tn_arena_grow(arena, list->items, list->count, capacity, sizeof *grown);
        if (!grown || list->count >= UINT32_MAX / 2) {
            return NULL;
        }
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count] = (struct tn_measurement){.tp = 1, .pp = 1, .ep = 1, .dp = 1};
    return &list->items[list->count++];
}

static bool read_object(struct tn_reading reading, struct tn_str file, uint32_t number, struct tn_measurements *list)
{
    if (is_described_model(reading.record)) {
        return add_model(reading, list);
    }
    reading.measurement = add_measurement(reading.arena, list);
    if (!reading.measurement) {
        return tn_fail_memory(reading.error);
    }
    reading.measurement->file = file;
    reading.measurement->line = number;
    return name_record(&reading) && check_name(&reading, list) && read_record(&reading);
}

static bool read_line(struct tn_reading reading, struct tn_str file, uint32_t number, struct tn_measurements *list)
{
    struct tn_value root;
    bool done = tn_json_read(reading.arena, reading.line, &root, reading.error);
    if (done && root.kind != TN_OBJECT) {
        done = tn_fail(reading.error, TN_ERROR_JSON, "a measured record is a JSON object, this is %s",
                       tn_kind_name(root.kind));
    }
    reading.record = &root;
    return done ? read_object(reading, file, number, list)
                : tn_fail_at(reading.error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(file), number);
}

bool tn_measurements_read(struct tn_arena *arena, const struct tn_catalog *catalog, struct tn_str text,
                          struct tn_str file, struct tn_measurements *list, struct tn_error *error)
{
    struct tn_reading reading = {.arena = arena, .catalog = catalog, .error = error};
    size_t first = list->count;
    bool done = true;
    list->models = NULL;
    for (uint32_t number = 1; done && text.size; number++) {
        size_t end = tn_str_find(text, TN_STR("\n"));
        reading.line = tn_str_trim(tn_str_slice(text, 0, end));
        text = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(text, end + 1, text.size);
        done = !reading.line.size || read_line(reading, file, number, list);
    }
    return done && connect_models(reading, list, first);
}
