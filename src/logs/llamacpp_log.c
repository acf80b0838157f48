/* Field logs of llama.cpp, its forks and the programs around it: what the loader and the contexts logged of their buffers, in MiB. */
#include "logs/reading.h"

static const uint64_t MIB = UINT64_C(1) << 20;
static const uint64_t GIB = UINT64_C(1) << 30;

enum { LOGGED_DECIMALS = 2, LEAST_SIZE_DECIMALS = 2 };

/* ---- what was asked --------------------------------------------------------------------------------------------------- */

/* llama.cpp's settings in records, and under the engine's own names. */
static bool read_same_settings(struct tn_reading *reading)
{
    static const struct {
        const char *key;
        const char *ollama; /* NULL: it follows from another one */
    } names[] = {{"n_ctx", "num_ctx"},
                 {"n_batch", NULL},
                 {"n_ubatch", "num_batch"},
                 {"n_seq_max", "OLLAMA_NUM_PARALLEL"},
                 {"type_k", "OLLAMA_KV_CACHE_TYPE"},
                 {"type_v", NULL},
                 {"n_gpu_layers", "num_gpu"},
                 {"swa_full", NULL},
                 {"no_kv_offload", NULL}};
    bool is_ollama = tn_log_engine_is_ollama(reading->measurement->engine);
    bool done = true;
    for (size_t k = 0; done && k < sizeof names / sizeof names[0]; k++) {
        const struct tn_value *value = tn_reading_member(reading->record, names[k].key);
        const char *name = is_ollama ? names[k].ollama : names[k].key;
        done = !value || !name || tn_reading_set(reading, name, value);
    }
    return done;
}

static bool read_attention(struct tn_reading *reading)
{
    static const struct {
        const char *written;
        const char *value;
    } rows[] = {{"1", "on"}, {"enabled", "on"}, {"0", "off"}, {"auto", "auto"}};
    struct tn_str written = {0};
    const char *name = tn_log_engine_is_ollama(reading->measurement->engine) ? "OLLAMA_FLASH_ATTENTION" : "flash_attn";
    bool done = tn_reading_text(reading, reading->record, "flash_attn", &written);
    for (size_t k = 0; done && k < sizeof rows / sizeof rows[0]; k++) {
        done = !tn_str_is(written, rows[k].written) || tn_reading_set_text(reading, name, tn_str_of(rows[k].value));
    }
    return done;
}

/* What only the notes say. */
static bool read_said_settings(struct tn_reading *reading, struct tn_str notes)
{
    static const struct {
        const char *part;
        const char *name;
        const char *value;
    } rows[] = {
        {"n_outputs_max = n_batch", "n_outputs_max", "0"},
        {"n_outputs_max = 1", "n_outputs_max", "1"},
        {"engine projection before fitting", "num_gpu", "999"}}; /* of ollama: all layers, whether they fit or not */
    bool done = true;
    for (size_t k = 0; done && k < sizeof rows / sizeof rows[0]; k++) {
        done = tn_str_find(notes, tn_str_of(rows[k].part)) == SIZE_MAX
               || tn_reading_set_text(reading, rows[k].name, tn_str_of(rows[k].value));
    }
    return done;
}

/* llama-server takes four sequences by itself, and then one cache for all of them. */
static bool read_slots(struct tn_reading *reading)
{
    enum { SLOTS = 4 };
    uint64_t sequences = 0;
    bool done = tn_reading_tokens(reading, reading->record, "n_seq_max", &sequences);
    return done && (sequences != SLOTS || tn_reading_set_text(reading, "kv_unified", TN_STR("1")));
}

/* The fork has no caches for windows: all layers have room for the whole context; and it keeps keys in rows of one head. */
static bool read_windows(struct tn_reading *reading)
{
    return !tn_log_engine_is_fork(reading->measurement->engine)
           || (tn_reading_set_text(reading, "swa_full", TN_STR("1"))
               && tn_reading_set_text(reading, "rows_by_head", TN_STR("1")));
}

static bool read_settings(struct tn_reading *reading, struct tn_str notes)
{
    return read_same_settings(reading) && read_attention(reading) && read_said_settings(reading, notes)
           && read_slots(reading) && read_windows(reading);
}

/* Names that tell a model by its size alone: those of the number of layers that are meant, or that are of the same shapes. */
static bool read_model(struct tn_reading *reading)
{
    static const struct {
        const char *name;
        uint64_t layers;
        const char *model;
    } vague[] = {
        {"Models", 94, "Qwen3-235B-A22B"},
        {"LLaMA v2", 40, "Llama-2-13b"},
        {"Llama 3.x 70B", 80, "Llama-3.1-70B"},
        {"Qwen3-30B-A3B class", 48, "Qwen3-30B-A3B"},
        {"Qwen3-VL MoE", 48, "Qwen3-VL-30B-A3B-Instruct"},
        {"Qwen3.x-27B", 65, "Qwen3.6-27B"},
    };
    struct tn_measurement *measurement = reading->measurement;
    struct tn_str name = {0};
    uint64_t layers = 0;
    if (!tn_reading_text(reading, reading->record, "model", &name)
        || !tn_reading_tokens(reading, tn_reading_member(reading->record, "hparams"), "n_layer", &layers)
        || !tn_reading_model(reading, name)) {
        return false;
    }
    for (size_t k = 0; k < sizeof vague / sizeof vague[0]; k++) {
        if (tn_str_is(measurement->model, vague[k].name) && layers == vague[k].layers) {
            measurement->model = tn_str_of(vague[k].model);
            break;
        }
    }
    return true;
}

/* ---- quantisations ---------------------------------------------------------------------------------------------------- */

/* *quant stays as it is where no record has that name. false where memory is out. */
static bool find_quant(struct tn_reading *reading, struct tn_str base, const char *ending, struct tn_str *quant)
{
    struct tn_builder builder = {0};
    struct tn_str name;
    for (size_t k = 0; k < base.size; k++) {
        tn_builder_add_char(&builder, tn_lower(base.data[k]));
    }
    tn_builder_add_text(&builder, ending);
    bool done = !builder.failed && tn_str_copy(reading->arena, tn_builder_str(&builder), &name);
    tn_builder_free(&builder);
    if (done && tn_catalog_record(reading->catalog, TN_STR("quant"), name)) {
        *quant = name;
    }
    return done || tn_fail_memory(reading->error);
}

/* "Q4_K - Medium" is q4_k_m, "IQ4_XS - 4.25 bpw" iq4_xs, "MXFP4 MoE" mxfp4_moe. Others are of a fork, and not known. */
static bool read_quant(struct tn_reading *reading)
{
    static const struct {
        const char *written;
        const char *ending;
    } endings[] = {{" - Small", "_s"}, {" - Medium", "_m"},    {" - Large", "_l"},
                   {" MoE", "_moe"},   {"MXFP4", "mxfp4_moe"}, {"", ""}};
    struct tn_str *quant = &reading->measurement->quant;
    struct tn_str type = {0};
    bool done = tn_reading_text(reading, reading->record, "file_type", &type)
                && tn_reading_figure(reading, reading->record, "file_size_gib", GIB, LEAST_SIZE_DECIMALS,
                                     &reading->measurement->model_file);
    struct tn_str name = tn_str_slice(type, 0, tn_str_find(type, TN_STR(" - ")));
    for (size_t k = 0; done && type.size && !quant->size && k < sizeof endings / sizeof endings[0]; k++) {
        struct tn_str written = tn_str_of(endings[k].written);
        if (tn_str_ends(type, written)) {
            struct tn_str base = tn_str_slice(type, 0, type.size - written.size);
            done = find_quant(reading, written.size ? base : name, endings[k].ending, quant);
        }
    }
    return done;
}

/* ---- figures ---------------------------------------------------------------------------------------------------------- */

/* A table of the engine's own prints whole MiB, cut off; its log two decimals. */
static bool read_mib(struct tn_reading *reading, const struct tn_member *member, const struct tn_value *object,
                     struct tn_figure *figure)
{
    const char *key = tn_str_terminated(reading->arena, member->key);
    if (!key) {
        return tn_fail_memory(reading->error);
    }
    bool is_cut = member->value.kind == TN_INTEGER;
    bool done = tn_reading_figure(reading, object, key, MIB, is_cut ? 0 : LOGGED_DECIMALS, figure);
    if (done && figure->known && is_cut) {
        figure->value += (int64_t)(MIB / 2);
    }
    return done;
}

static bool read_buffers(struct tn_reading *reading, const char *key, enum tn_buffer buffer)
{
    const struct tn_value *devices = tn_reading_member(tn_reading_member(reading->record, "measured"), key);
    bool done = true;
    if (devices && devices->kind != TN_OBJECT) {
        return tn_reading_fault(reading, "'%s' is %s where an object is needed", key, tn_kind_name(devices->kind));
    }
    for (uint32_t k = 0; done && devices && k < devices->count; k++) {
        struct tn_figure figure = {0};
        done = read_mib(reading, &devices->as.members[k], devices, &figure)
               && (!figure.known || tn_reading_buffer(reading, devices->as.members[k].key, buffer, &figure));
    }
    return done;
}

static bool read_figures(struct tn_reading *reading)
{
    const struct tn_value *measured = tn_reading_member(reading->record, "measured");
    const struct tn_value *states = tn_reading_member(measured, "rs_mib");
    bool is_one_buffer = tn_reading_member(states, "derived_total") != NULL; /* of caches and states */
    const struct {
        const char *key;
        enum tn_buffer buffer;
    } rows[] = {{"model_mib", TN_BUFFER_MODEL},     {"kv_mib", is_one_buffer ? TN_BUFFER_CONTEXT : TN_BUFFER_KV},
                {"rs_mib", TN_BUFFER_RECURRENT},    {"output_mib", TN_BUFFER_OUTPUT},
                {"compute_mib", TN_BUFFER_COMPUTE}, {"process_mib", TN_BUFFER_USED}};
    bool done = true;
    for (size_t k = 0; done && k < sizeof rows / sizeof rows[0]; k++) {
        done = read_buffers(reading, rows[k].key, rows[k].buffer);
    }
    return done;
}

/* What the driver says of a device that this process has alone, above what it said before. */
static bool read_device_delta(struct tn_reading *reading)
{
    const struct tn_value *measured = tn_reading_member(reading->record, "measured");
    struct tn_figure figure = {0};
    return tn_reading_figure(reading, measured, "device_delta_mib", MIB, 0, &figure)
           && (!figure.known || tn_reading_buffer(reading, TN_STR("CUDA0"), TN_BUFFER_USED, &figure));
}

/* ---- GPUs ------------------------------------------------------------------------------------------------------------- */

/* Sizes that are only marketed are counted in GB of 10^9 bytes; the driver's are as many GiB at the most. */
static uint64_t memory_of(const struct tn_gpu *gpu, uint64_t other_bytes)
{
    double scale = gpu && gpu->memory_is_marketed ? 0x1p30 / 1e9 : 1;
    return other_bytes ? other_bytes : gpu ? (uint64_t)((double)gpu->memory_bytes * scale) : 0;
}

/* The list has all cards of the machine; a device without a card of its number is the next of as many. */
static bool read_gpus(struct tn_reading *reading)
{
    struct tn_measurement *measurement = reading->measurement;
    const struct tn_value *gpus = tn_reading_member(reading->record, "gpus");
    uint32_t order = 0;
    if (gpus && gpus->kind != TN_LIST) {
        return tn_reading_fault(reading, "'gpus' is %s where a list is needed", tn_kind_name(gpus->kind));
    }
    for (size_t k = 0; gpus && k < measurement->device_count; k++) {
        struct tn_measured_device *device = &measurement->devices[k];
        uint32_t number = device->first_gpu < gpus->count ? device->first_gpu : order;
        order += !device->is_host;
        if (!device->is_host && number < gpus->count && gpus->as.items[number].kind == TN_STRING) {
            uint64_t other_bytes;
            const struct tn_gpu *gpu = tn_reading_find_gpu(reading, gpus->as.items[number].as.string, &other_bytes);
            device->memory_bytes = memory_of(gpu, other_bytes);
            bool is_first = !measurement->gpu && gpu && gpu->memory_bytes;
            measurement->gpu = is_first ? gpu : measurement->gpu;
        }
    }
    return true;
}

/* "free_mib": what was free on each GPU before the model came decides how its layers are divided. */
static bool read_free_memory(struct tn_reading *reading, bool *is_known)
{
    const struct tn_value *free_mib = tn_reading_member(reading->record, "free_mib");
    struct tn_builder text = {0};
    struct tn_str copy;
    *is_known = free_mib && free_mib->kind == TN_LIST && free_mib->count
                && !tn_log_engine_is_ollama(reading->measurement->engine);
    for (uint32_t k = 0; *is_known && k < free_mib->count; k++) {
        const struct tn_value *mib = &free_mib->as.items[k];
        *is_known = mib->kind == TN_INTEGER && mib->as.integer > 0;
        tn_builder_addf(&text, "%s%lldMiB", k ? "," : "", (long long)mib->as.integer);
    }
    bool done = !*is_known
                || ((!text.failed && tn_str_copy(reading->arena, tn_builder_str(&text), &copy))
                        ? tn_reading_set_text(reading, "free_memory", copy)
                        : tn_fail_memory(reading->error));
    tn_builder_free(&text);
    return done;
}

/* ---- the record ------------------------------------------------------------------------------------------------------- */

/* What an engine expects of a start is no start. */
static void read_outcome(struct tn_measurement *measurement, struct tn_str notes)
{
    static const char *const expectations[] = {"not an allocation", "fit pass"};
    measurement->outcome = TN_OUTCOME_STARTED;
    for (size_t k = 0; k < sizeof expectations / sizeof expectations[0]; k++) {
        if (tn_str_find(notes, tn_str_of(expectations[k])) != SIZE_MAX) {
            measurement->outcome = TN_OUTCOME_UNKNOWN;
        }
    }
}

/* The engine as the record names it. Logs that have options of the fork are of the fork. */
static bool read_engine_name(struct tn_reading *reading, struct tn_str *engine)
{
    const struct tn_value *record = reading->record;
    bool is_fork = tn_reading_member(record, "mla_attn") || tn_reading_member(record, "attn_max_batch");
    bool done = tn_reading_text(reading, record, "engine", engine);
    *engine = is_fork && tn_str_is(*engine, "llama.cpp") ? TN_STR("ik_llama.cpp") : *engine;
    return done;
}

bool tn_read_llamacpp_log(struct tn_reading *reading)
{
    const struct tn_value *record = reading->record;
    struct tn_str engine = {0};
    struct tn_str version = {0};
    struct tn_str source = {0};
    struct tn_str notes = {0};
    if (!read_engine_name(reading, &engine) || !tn_reading_text(reading, record, "engine_version", &version)
        || !tn_reading_text(reading, record, "source", &source) || !tn_reading_text(reading, record, "notes", &notes)
        || !tn_reading_engine(reading, engine, version, source, notes)) {
        return false;
    }
    if (!reading->measurement->engine) {
        return true; /* the fault is said */
    }
    bool is_division_known;
    bool done = read_model(reading) && read_quant(reading) && read_settings(reading, notes)
                && read_free_memory(reading, &is_division_known) && read_figures(reading) && read_device_delta(reading)
                && read_gpus(reading) && tn_reading_number_devices(reading, is_division_known)
                && tn_leave_out_llamacpp(reading, notes);
    read_outcome(reading->measurement, notes);
    return done;
}
