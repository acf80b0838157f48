/* Measurements of llama.cpp with models made for them: settings under its own names, bytes of each buffer type. */
#include "logs/reading.h"

static const uint64_t MIB = UINT64_C(1) << 20;

/* The GPUs are simulated: 80 GiB each, with the rules of CUDA for recent cards. */
#define SIMULATED_GPU "A100 SXM4 80GB"
static const uint64_t SIMULATED_BYTES = UINT64_C(80) << 30;

/* ---- settings --------------------------------------------------------------------------------------------------------- */

/* "3/1" on a command line is "3,1" as a list. */
static bool set_split(struct tn_reading *reading, const struct tn_value *value)
{
    struct tn_str copy;
    if (value->kind != TN_STRING) {
        return tn_reading_set(reading, "tensor_split", value);
    }
    char *text = tn_str_terminated(reading->arena, value->as.string);
    if (!text) {
        return tn_fail_memory(reading->error);
    }
    copy = (struct tn_str){text, value->as.string.size};
    for (size_t k = 0; k < copy.size; k++) {
        text[k] = (char)(text[k] == '/' ? ',' : text[k]);
    }
    return tn_reading_set_text(reading, "tensor_split", copy);
}

/* Keys of the rows that are settings under another name, or say the opposite of one. */
static const struct {
    const char *key;
    const char *name; /* NULL: read elsewhere */
    bool is_opposite;
} renamed[] = {
    {"gpus", NULL, false},
    {"load_mode", NULL, false},
    {"tensor_split", NULL, false},
    {"n_ctx_requested", "n_ctx", false},
    {"extra_bufts", "no_repack", true},
    {"offload_kqv", "no_kv_offload", true},
};

static bool set_opposite(struct tn_reading *reading, const char *name, const struct tn_value *value)
{
    bool is_zero = value->kind == TN_INTEGER && value->as.integer == 0;
    return tn_reading_set_text(reading, name, is_zero ? TN_STR("1") : TN_STR("0"));
}

static bool set_member(struct tn_reading *reading, const struct tn_member *member)
{
    for (size_t k = 0; k < sizeof renamed / sizeof renamed[0]; k++) {
        if (tn_str_is(member->key, renamed[k].key)) {
            return !renamed[k].name
                   || (renamed[k].is_opposite ? set_opposite(reading, renamed[k].name, &member->value)
                                              : tn_reading_set(reading, renamed[k].name, &member->value));
        }
    }
    const char *name = tn_str_terminated(reading->arena, member->key);
    return name ? tn_reading_set(reading, name, &member->value) : tn_fail_memory(reading->error);
}

/* A run without memory lays everything out as if nothing were mapped, and forgets where some nodes were to run. It says nothing about what
 * would have fitted. */
static bool set_mode(struct tn_reading *reading, const struct tn_value *row)
{
    struct tn_str mode = {0};
    if (!tn_reading_text(reading, row, "mode", &mode)) {
        return false;
    }
    bool is_measured_only = tn_str_is(mode, "no_alloc");
    reading->measurement->outcome = is_measured_only ? TN_OUTCOME_UNKNOWN : TN_OUTCOME_STARTED;
    return tn_reading_set_text(reading, "no_alloc", is_measured_only ? TN_STR("1") : TN_STR("0"));
}

static bool set_placement(struct tn_reading *reading, const struct tn_value *settings)
{
    const struct tn_value *gpus = tn_reading_member(settings, "gpus");
    const struct tn_value *split = tn_reading_member(settings, "tensor_split");
    bool has_gpu = !gpus || gpus->kind != TN_INTEGER || gpus->as.integer > 0;
    struct tn_str mode = TN_STR("none");
    return tn_reading_text(reading, settings, "load_mode", &mode)
           && tn_reading_set_text(reading, "no_mmap", tn_str_is(mode, "mmap") ? TN_STR("0") : TN_STR("1"))
           && (has_gpu || tn_reading_set_text(reading, "device", TN_STR("none")))
           && (!split || set_split(reading, split));
}

/* What a row leaves out is the library's default, not unknown. */
static bool set_defaults(struct tn_reading *reading, const struct tn_value *settings)
{
    static const char *const zeros[] = {"n_outputs_max", "kv_unified"};
    bool done = tn_reading_set_text(reading, "server", TN_STR("0"));
    for (size_t k = 0; done && k < sizeof zeros / sizeof zeros[0]; k++) {
        done = tn_reading_member(settings, zeros[k]) || tn_reading_set_text(reading, zeros[k], TN_STR("0"));
    }
    return done;
}

static bool read_settings(struct tn_reading *reading, const struct tn_value *settings)
{
    bool done = set_defaults(reading, settings) && set_placement(reading, settings);
    for (uint32_t k = 0; done && settings && k < settings->count; k++) {
        const struct tn_member *member = &settings->as.members[k];
        done = member->value.kind == TN_NULL || set_member(reading, member);
    }
    return done;
}

/* ---- figures ---------------------------------------------------------------------------------------------------------- */

static bool read_device(struct tn_reading *reading, const struct tn_member *device)
{
    static const struct {
        const char *key;
        enum tn_buffer buffer;
    } rows[] = {{"model", TN_BUFFER_MODEL}, {"context", TN_BUFFER_CONTEXT}, {"compute", TN_BUFFER_COMPUTE}};
    bool done = true;
    for (size_t k = 0; done && k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_figure figure = {0};
        done = tn_reading_figure(reading, &device->value, rows[k].key, 1, 0, &figure)
               && (!figure.known || tn_reading_buffer(reading, device->key, rows[k].buffer, &figure));
    }
    return done;
}

/* "llama_context:  CUDA_Host  output buffer size =     0.58 MiB" */
static struct tn_str output_in(const struct tn_value *log)
{
    struct tn_str part = TN_STR("output buffer size =");
    for (uint32_t k = 0; log && log->kind == TN_LIST && k < log->count; k++) {
        const struct tn_value *line = &log->as.items[k];
        size_t at = line->kind == TN_STRING ? tn_str_find(line->as.string, part) : SIZE_MAX;
        if (at != SIZE_MAX) {
            struct tn_str rest = tn_str_trim(tn_str_slice(line->as.string, at + part.size, line->as.string.size));
            return tn_str_word(&rest);
        }
    }
    return (struct tn_str){0};
}

static bool read_output(struct tn_reading *reading)
{
    enum { LOGGED_DECIMALS = 2 };
    static const char key[] = "output_buffer_MiB_logged";
    struct tn_figure figure = {0};
    struct tn_str text = output_in(tn_reading_member(reading->record, "log"));
    return tn_reading_text(reading, reading->record, key, &text)
           && (!text.size || tn_reading_printed(reading, key, text, MIB, LOGGED_DECIMALS, &figure))
           && (!figure.known || tn_reading_buffer(reading, TN_STR("host"), TN_BUFFER_OUTPUT, &figure));
}

/* Whether tensors of a mapped file lie elsewhere too: its size then counts what lies between those that stay in it. */
static bool is_mapped_in_part(const struct tn_value *bytes, bool all_offloaded)
{
    bool is_mapped = false;
    size_t others = 0;
    for (uint32_t k = 0; k < bytes->count; k++) {
        const struct tn_member *device = &bytes->as.members[k];
        const struct tn_value *model = tn_reading_member(&device->value, "model");
        bool holds = model && model->kind == TN_INTEGER && model->as.integer > 0;
        bool is_file = tn_str_is(device->key, "CPU_Mapped");
        is_mapped = is_mapped || (holds && is_file);
        others += holds && !is_file;
    }
    return is_mapped && others && !all_offloaded;
}

static bool read_devices(struct tn_reading *reading, const struct tn_value *bytes, const struct tn_value *settings)
{
    const struct tn_value *layers = tn_reading_member(settings, "n_gpu_layers");
    bool done = bytes && bytes->kind == TN_OBJECT;
    if (!done) {
        return tn_reading_fault(reading, "'bytes' must be an object, by buffer type");
    }
    for (uint32_t k = 0; done && k < bytes->count; k++) {
        done = read_device(reading, &bytes->as.members[k]);
    }
    done = done && read_output(reading) && tn_reading_number_devices(reading, true);
    bool all_offloaded =
        layers && layers->kind == TN_INTEGER && layers->as.integer < 0 && reading->measurement->gpu_count;
    if (done && is_mapped_in_part(bytes, all_offloaded)) {
        tn_reading_leave_out_host(reading->measurement, TN_BUFFER_MODEL, tn_mapped_in_part);
    }
    return done;
}

static void find_gpu(struct tn_reading *reading)
{
    struct tn_measurement *measurement = reading->measurement;
    measurement->gpu = tn_catalog_find_gpu(reading->catalog, TN_STR(SIMULATED_GPU), NULL);
    for (size_t k = 0; k < measurement->device_count; k++) {
        struct tn_measured_device *device = &measurement->devices[k];
        device->memory_bytes = device->is_host ? 0 : SIMULATED_BYTES;
    }
}

bool tn_read_llamacpp_row(struct tn_reading *reading)
{
    struct tn_measurement *measurement = reading->measurement;
    const struct tn_value *record = reading->record;
    const struct tn_value *settings = tn_reading_member(record, "settings");
    struct tn_str none = {0};
    struct tn_str version = {0};
    if (!tn_reading_text(reading, record, "llama_cpp", &version)
        || !tn_reading_engine(reading, TN_STR("llama.cpp"), version, none, none)
        || !tn_reading_text(reading, record, "model", &measurement->model)) {
        return false;
    }
    if (!measurement->model.size) {
        return tn_reading_fault(reading, "the record names no model");
    }
    if (settings && settings->kind != TN_OBJECT) {
        return tn_reading_fault(reading, "'settings' must be an object");
    }
    measurement->is_described = true;
    if (!set_mode(reading, record) || !read_settings(reading, settings)
        || !read_devices(reading, tn_reading_member(record, "bytes"), settings)) {
        return false;
    }
    find_gpu(reading);
    return true;
}
