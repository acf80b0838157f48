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

/* A buffer of llama.cpp by device, in a field log or as measured with a model made up for it. */
static bool is_llamacpp(const struct tn_value *record)
{
    return tn_reading_member(tn_reading_member(record, "measured"), "model_mib")
           || tn_reading_member(record, "llama_cpp") || tn_reading_member(record, "tensor_shapes_by_suffix");
}

static bool is_field_log(const struct tn_value *record)
{
    const struct tn_value *measured = tn_reading_member(record, "measured");
    return measured && measured->kind == TN_OBJECT;
}

static bool read_llamacpp(struct tn_reading *reading)
{
    struct tn_str none = {0};
    return tn_reading_engine(reading, TN_STR("llama.cpp"), none, none, none);
}

/* The first that applies. */
static const struct {
    bool (*is)(const struct tn_value *record);
    bool (*read)(struct tn_reading *reading);
} formats[] = {{is_own, tn_read_own_record}, {is_llamacpp, read_llamacpp}, {is_field_log, tn_read_field_log}};

static bool read_record(struct tn_reading *reading)
{
    for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++) {
        if (formats[k].is(reading->record)) {
            return formats[k].read(reading);
        }
    }
    return tn_reading_fault(reading, "no measured record: it has no \"measured\" figures");
}

/* ---- lines -------------------------------------------------------------------------------------------------------- */

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

static bool read_line(struct tn_arena *arena, const struct tn_catalog *catalog, struct tn_str line,
                      struct tn_measurements *list, struct tn_error *error)
{
    struct tn_measurement *measurement = &list->items[list->count - 1];
    struct tn_value root;
    struct tn_reading reading = {arena, catalog, line, &root, measurement, error};
    measurement->tp = measurement->pp = measurement->ep = measurement->dp = 1;
    bool done = tn_json_read(arena, line, &root, error);
    if (done && root.kind != TN_OBJECT) {
        done = tn_fail(error, TN_ERROR_JSON, "a measured record is a JSON object, this is %s", tn_kind_name(root.kind));
    }
    if (!done) {
        return tn_fail_at(error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(measurement->file), measurement->line);
    }
    return name_record(&reading) && check_name(&reading, list) && read_record(&reading);
}

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
    list->items[list->count] = (struct tn_measurement){0};
    return &list->items[list->count++];
}

bool tn_measurements_read(struct tn_arena *arena, const struct tn_catalog *catalog, struct tn_str text,
                          struct tn_str file, struct tn_measurements *list, struct tn_error *error)
{
    bool done = true;
    for (uint32_t number = 1; done && text.size; number++) {
        size_t end = tn_str_find(text, TN_STR("\n"));
        struct tn_str line = tn_str_trim(tn_str_slice(text, 0, end));
        text = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(text, end + 1, text.size);
        if (!line.size) {
            continue;
        }
        struct tn_measurement *measurement = add_measurement(arena, list);
        if (!measurement) {
            return tn_fail_memory(error);
        }
        measurement->file = file;
        measurement->line = number;
        done = read_line(arena, catalog, line, list, error);
    }
    return done;
}
