/* The project's own measured records (tests/measured, docs/measured.md): what was asked under the names of our options, further settings
 * under the engine's, figures in bytes with the rounding of what was printed. */
#include "logs/reading.h"

static bool fault_figure(struct tn_reading *reading, const char *name)
{
    return tn_reading_fault(reading, "figure '%s' must be an integer, or a list of it and its rounding", name);
}

/* 1234 or [1234, 5] */
static bool read_figure(struct tn_reading *reading, const char *name, const struct tn_value *value,
                        struct tn_figure *figure)
{
    const struct tn_value *number = value;
    int64_t rounding = 0;
    if (value->kind == TN_LIST) {
        bool is_pair = value->count == 2 && value->as.items[1].kind == TN_INTEGER && value->as.items[1].as.integer >= 0;
        if (!is_pair) {
            return fault_figure(reading, name);
        }
        number = &value->as.items[0];
        rounding = value->as.items[1].as.integer;
    }
    if (number->kind != TN_INTEGER) {
        return fault_figure(reading, name);
    }
    *figure = (struct tn_figure){true, number->as.integer, (uint64_t)rounding};
    return true;
}

static bool read_measured(struct tn_reading *reading, const struct tn_value *measured)
{
    struct tn_measurement *measurement = reading->measurement;
    bool done = true;
    for (int kind = 0; done && kind < TN_FIGURE_COUNT; kind++) {
        const struct tn_value *value = tn_reading_member(measured, tn_figure_names[kind]);
        done = !value || read_figure(reading, tn_figure_names[kind], value, &measurement->figures[kind]);
    }
    return done && tn_reading_real(reading, measured, "max_concurrency", &measurement->max_concurrency);
}

static bool read_settings(struct tn_reading *reading)
{
    const struct tn_value *settings = tn_reading_member(reading->record, "settings");
    bool done = true;
    if (settings && settings->kind != TN_OBJECT) {
        return tn_reading_fault(reading, "'settings' is %s where an object is needed", tn_kind_name(settings->kind));
    }
    for (uint32_t k = 0; done && settings && k < settings->count; k++) {
        const struct tn_member *member = &settings->as.members[k];
        if (!member->key.size) {
            return tn_reading_fault(reading, "'settings' has one without a name");
        }
        const char *name = tn_str_terminated(reading->arena, member->key);
        done = name ? tn_reading_set(reading, name, &member->value) : tn_fail_memory(reading->error);
    }
    return done;
}

/* "starts": true, false with the reason in "why", or not there where nobody knows. */
static bool read_starts(struct tn_reading *reading)
{
    struct tn_measurement *measurement = reading->measurement;
    const struct tn_value *starts = tn_reading_member(reading->record, "starts");
    if (starts && starts->kind != TN_BOOL) {
        return tn_reading_fault(reading, "'starts' is %s where a boolean is needed", tn_kind_name(starts->kind));
    }
    if (starts) {
        measurement->outcome = starts->as.boolean ? TN_OUTCOME_STARTED : TN_OUTCOME_FAILED;
    }
    return tn_reading_text(reading, reading->record, "why", &measurement->outcome_why);
}

bool tn_read_own_record(struct tn_reading *reading)
{
    static const struct tn_reading_keys keys = {
        .kv_dtype = "kv_dtype", .gpu_count = "gpus", .context_tokens = "context"};
    const struct tn_value *record = reading->record;
    struct tn_str engine = {0};
    struct tn_str version = {0};
    struct tn_str source = {0};
    uint64_t gpu_memory_bytes = 0;
    bool done =
        tn_reading_text(reading, record, "engine", &engine) && tn_reading_text(reading, record, "version", &version)
        && tn_reading_text(reading, record, "source", &source)
        && tn_reading_text(reading, record, "quant", &reading->measurement->quant)
        && tn_reading_tokens(reading, record, "gpu_memory", &gpu_memory_bytes)
        && tn_reading_engine(reading, engine, version, source, (struct tn_str){0}) && tn_reading_asked(reading, &keys);
    if (gpu_memory_bytes) {
        reading->measurement->gpu_memory_bytes = gpu_memory_bytes;
    }
    return done && tn_reading_own_settings(reading) && read_settings(reading)
           && read_measured(reading, tn_reading_member(record, "measured")) && read_starts(reading)
           && tn_reading_check(reading);
}
