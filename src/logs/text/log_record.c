/* Writing the record of an engine with a pool, in the project's own format; log_devices.c has those with buffers of devices. */
#include "logs/text/log_record.h"
#include "logs/text/pairs.h"

void tn_logged_text(struct tn_logged_writer *writer, const char *key, struct tn_str text)
{
    if (text.size) {
        tn_json_key(&writer->json, key);
        tn_json_string(&writer->json, text);
    }
}

void tn_logged_number(struct tn_logged_writer *writer, const char *key, uint64_t number)
{
    if (number) {
        tn_json_key(&writer->json, key);
        tn_json_u64(&writer->json, number);
    }
}

/* ---- settings ------------------------------------------------------------------------------------------------------- */

/* The engine's row of a setting; NULL where it has none of that name. Dashes are underscores. */
static const struct tn_rules_setting *row_of(const struct tn_logged_writer *writer, struct tn_str name)
{
    const struct tn_rules_setting *rows;
    size_t count = writer->reading->rules ? tn_rules_settings(writer->reading->rules, &rows) : 0;
    for (size_t k = 0; k < count; k++) {
        bool is_same = rows[k].name.size == name.size;
        for (size_t n = 0; is_same && n < name.size; n++) {
            is_same = rows[k].name.data[n] == (name.data[n] == '-' ? '_' : name.data[n]);
        }
        if (is_same) {
            return &rows[k];
        }
    }
    return NULL;
}

static bool is_number(struct tn_str value)
{
    bool found = value.size > 0;
    for (size_t k = 0; k < value.size; k++) {
        found = found && ((value.data[k] >= '0' && value.data[k] <= '9') || value.data[k] == '.');
    }
    return found;
}

/* "torch.bfloat16" and Python's words as the engine's options have them; empty where no plan can use the value. */
static struct tn_str value_for(const struct tn_rules_setting *row, struct tn_str value)
{
    value = tn_str_starts(value, TN_STR("torch.")) ? tn_str_slice(value, 6, value.size) : value;
    if (row->type == TN_SETTING_FLAG) {
        bool is_true = tn_str_equal_any_case(value, TN_STR("true")) || tn_str_is(value, "1");
        return is_true ? TN_STR("true") : TN_STR("false");
    }
    bool is_word = row->type == TN_SETTING_WORD && value.size && value.data[0] != '{' && value.data[0] != '['
                   && !tn_str_equal_any_case(value, TN_STR("false"));
    return is_word || (row->type != TN_SETTING_WORD && is_number(value)) ? value : (struct tn_str){0};
}

/* Whether the user says it, or an input that it is has a key of its own in the record. */
static bool is_elsewhere(const struct tn_logged_writer *writer, const struct tn_rules_setting *row)
{
    static const char *const own[] = {"dtype", "quantization"};
    bool found = row->same.size > 0;
    for (size_t k = 0; k < sizeof own / sizeof own[0]; k++) {
        found = found || tn_str_is(row->name, own[k]);
    }
    for (size_t k = 0; k < writer->reading->asked->set_count; k++) {
        found = found || tn_str_equal(row->name, writer->reading->asked->sets[k].name);
    }
    return found;
}

static void write_setting(struct tn_logged_writer *writer, struct tn_str name, struct tn_str value)
{
    const struct tn_rules_setting *row = row_of(writer, name);
    struct tn_str text = row ? value_for(row, value) : (struct tn_str){0};
    if (row && text.size && !is_elsewhere(writer, row)) {
        tn_json_key_str(&writer->json, row->name);
        tn_json_string(&writer->json, text);
    }
}

/* What is inside of "{'method': 'eagle', 'num_speculative_tokens': 3}" are settings too. */
static void write_speculation(struct tn_logged_writer *writer, struct tn_str text)
{
    struct tn_str name;
    struct tn_str value;
    while (tn_pair_next(&text, &name, &value)) {
        bool is_method = tn_str_is(name, "method");
        write_setting(writer, is_method ? TN_STR("speculative_method") : name, value);
    }
}

/* A figure as a setting in bytes: what a machine had before the engine came is no prediction. */
static void write_environment(struct tn_logged_writer *writer, const char *name, enum tn_log_term term)
{
    const struct tn_rules_setting *row = row_of(writer, tn_str_of(name));
    struct tn_figure figure = tn_log_figure(writer->reading, term);
    if (row && figure.known && figure.value > 0 && !is_elsewhere(writer, row)) {
        tn_json_key(&writer->json, name);
        tn_json_u64(&writer->json, (uint64_t)figure.value);
    }
}

/* A line of its own says it, where no list of settings does. */
static void write_said(struct tn_logged_writer *writer, const char *name, enum tn_log_term term)
{
    const struct tn_log_value *value = tn_log_find(writer->reading->log, term);
    if (value && !tn_log_setting_named(writer->reading->log, name)) {
        bool is_mark = !value->text[0];
        write_setting(writer, tn_str_of(name), is_mark ? TN_STR("true") : tn_str_of(value->text));
    }
}

static void write_settings(struct tn_logged_writer *writer)
{
    static const struct {
        const char *name;
        enum tn_log_term term;
    } said[] = {{"max_num_batched_tokens", TN_LOG_BATCH},       {"enforce_eager", TN_LOG_EAGER},
                {"gpu_memory_utilization", TN_LOG_UTILIZATION}, {"max_num_tokens", TN_LOG_BATCH},
                {"max_batch_size", TN_LOG_SEQUENCES},           {"tokens_per_block", TN_LOG_BLOCK_TOKENS},
                {"chunked_prefill_size", TN_LOG_BATCH}};
    const struct tn_log *log = writer->reading->log;
    const struct tn_log_asked *asked = writer->reading->asked;
    tn_json_key(&writer->json, "settings");
    tn_json_begin_object(&writer->json);
    for (size_t k = 0; k < log->setting_count; k++) {
        struct tn_str name = tn_str_of(log->settings[k].name);
        struct tn_str value = tn_str_of(log->settings[k].value);
        if (tn_str_is(name, "speculative_config")) {
            write_speculation(writer, value);
        } else {
            write_setting(writer, name, value);
        }
    }
    for (size_t k = 0; k < sizeof said / sizeof said[0]; k++) {
        write_said(writer, said[k].name, said[k].term);
    }
    for (size_t k = 0; k < asked->set_count; k++) {
        tn_json_key_str(&writer->json, asked->sets[k].name);
        tn_json_string(&writer->json, asked->sets[k].value);
    }
    if (!asked->gpu.size && !asked->gpu_memory_bytes) {
        write_environment(writer, "gpu_total", TN_LOG_GPU_TOTAL);
    }
    write_environment(writer, "free_memory_at_start", TN_LOG_GPU_FREE);
    tn_json_end_object(&writer->json);
}

/* ---- what has a key of its own ---------------------------------------------------------------------------------------- */

/* The value of the setting that is an input: "tensor_parallel_size" for "tp". Empty where the log has none. */
static struct tn_str logged_input(const struct tn_logged_writer *writer, const char *input)
{
    const struct tn_log *log = writer->reading->log;
    for (size_t k = 0; k < log->setting_count; k++) {
        struct tn_str name = tn_str_of(log->settings[k].name);
        const struct tn_rules_setting *row = row_of(writer, name);
        bool is_input = tn_str_starts(name, TN_STR("--")) && tn_str_is(tn_str_slice(name, 2, name.size), input);
        if (is_input || (row && tn_str_is(row->same, input))) {
            return tn_str_of(log->settings[k].value);
        }
    }
    return (struct tn_str){0};
}

uint64_t tn_logged_whole(struct tn_str text)
{
    uint64_t number = 0;
    for (size_t k = 0; k < text.size && k < 12 && text.data[k] >= '0' && text.data[k] <= '9'; k++) {
        number = number * 10 + (uint64_t)(text.data[k] - '0');
    }
    return number;
}

static uint64_t logged_count(const struct tn_logged_writer *writer, const char *input)
{
    return tn_logged_whole(logged_input(writer, input));
}

static uint64_t either(uint64_t asked, uint64_t logged)
{
    return asked ? asked : logged;
}

static struct tn_str logged_setting(const struct tn_logged_writer *writer, const char *name)
{
    const struct tn_log_assignment *setting = tn_log_setting_named(writer->reading->log, name);
    struct tn_str value = setting ? tn_str_of(setting->value) : (struct tn_str){0};
    return tn_str_starts(value, TN_STR("torch.")) ? tn_str_slice(value, 6, value.size) : value;
}

/* The name of a GPU; without one the memory that the log speaks of. */
static void write_gpu(struct tn_logged_writer *writer)
{
    const struct tn_log_reading *reading = writer->reading;
    const struct tn_log_value *name = tn_log_find(reading->log, TN_LOG_GPU);
    struct tn_figure total = tn_log_figure(reading, TN_LOG_GPU_TOTAL);
    total = total.known ? total : tn_log_figure(reading, TN_LOG_OOM_TOTAL);
    uint64_t bytes = either(reading->asked->gpu_memory_bytes, total.known ? (uint64_t)total.value : 0);
    struct tn_builder text = {0};
    if (reading->asked->gpu.size) {
        tn_builder_add(&text, reading->asked->gpu);
    } else if (name && !reading->asked->gpu_memory_bytes) {
        tn_builder_add_text(&text, name->text);
    } else if (bytes) {
        tn_builder_add_text(&text, "GPU (");
        tn_builder_add_fixed(&text, bytes, UINT64_C(1) << 30, 4);
        tn_builder_add_text(&text, " GiB)");
    }
    tn_logged_text(writer, "gpu", tn_builder_str(&text));
    writer->json.builder->failed = writer->json.builder->failed || text.failed;
    tn_builder_free(&text);
}

static void write_ranks(struct tn_logged_writer *writer)
{
    const struct tn_log_asked *asked = writer->reading->asked;
    uint64_t tp = either(asked->tp, logged_count(writer, "tp"));
    uint64_t dp = either(asked->dp, logged_count(writer, "dp"));
    bool is_expert_parallel = tn_str_is(logged_setting(writer, "enable_expert_parallel"), "True");
    uint64_t ep = is_expert_parallel ? (tp ? tp : 1) * (dp ? dp : 1) : logged_count(writer, "ep");
    tn_logged_number(writer, "tp", tp);
    tn_logged_number(writer, "pp", either(asked->pp, logged_count(writer, "pp")));
    tn_logged_number(writer, "ep", either(asked->ep, ep));
    tn_logged_number(writer, "dp", dp);
}

static void write_asked(struct tn_logged_writer *writer)
{
    const struct tn_log_reading *reading = writer->reading;
    const struct tn_log_asked *asked = reading->asked;
    struct tn_figure context = tn_log_figure(reading, TN_LOG_CONTEXT);
    struct tn_str dtype = asked->dtype.size ? asked->dtype : logged_setting(writer, "dtype");
    struct tn_str kv_dtype = asked->kv_dtype.size ? asked->kv_dtype : logged_input(writer, "kv_dtype");
    struct tn_str quantization =
        asked->quantization.size ? asked->quantization : logged_setting(writer, "quantization");
    tn_logged_text(writer, "model", reading->model);
    tn_logged_text(writer, "quantization", quantization);
    tn_logged_text(writer, "dtype", tn_str_is(dtype, "auto") ? (struct tn_str){0} : dtype);
    tn_logged_text(writer, "kv_dtype", kv_dtype.size ? kv_dtype : TN_STR("auto"));
    write_gpu(writer);
    write_ranks(writer);
    uint64_t logged = context.known && context.value > 0 ? (uint64_t)context.value : 0;
    tn_logged_number(writer, "context", either(asked->context_tokens, either(logged_count(writer, "context"), logged)));
}

/* ---- figures ---------------------------------------------------------------------------------------------------------- */

static void write_figure(struct tn_logged_writer *writer, const char *key, struct tn_figure figure)
{
    if (!figure.known) {
        return;
    }
    tn_json_key(&writer->json, key);
    tn_json_begin_list(&writer->json);
    tn_json_i64(&writer->json, figure.value);
    tn_json_u64(&writer->json, figure.rounding);
    tn_json_end_list(&writer->json);
}

/* Keys and values together, where the log has them apart. */
static struct tn_figure pool_of(const struct tn_log_reading *reading)
{
    struct tn_figure pool = tn_log_figure(reading, TN_LOG_KV_POOL);
    struct tn_figure keys = tn_log_figure(reading, TN_LOG_KEYS);
    struct tn_figure values = tn_log_figure(reading, TN_LOG_VALUES);
    struct tn_figure available = tn_log_figure(reading, TN_LOG_KV_AVAILABLE);
    if (keys.known && values.known && keys.value < INT64_MAX / 2 && values.value < INT64_MAX / 2) {
        return (struct tn_figure){true, keys.value + values.value, keys.rounding + values.rounding};
    }
    return pool.known ? pool : available;
}

static void write_measured(struct tn_logged_writer *writer)
{
    static const struct {
        const char *key;
        enum tn_log_term term;
    } rows[] = {{"weights", TN_LOG_WEIGHTS},     {"activation", TN_LOG_ACTIVATION},
                {"non_torch", TN_LOG_NON_TORCH}, {"graphs", TN_LOG_GRAPHS},
                {"kv_tokens", TN_LOG_KV_TOKENS}, {"suggested_tokens", TN_LOG_SUGGESTED_TOKENS}};
    const struct tn_log_value *concurrency = tn_log_find(writer->reading->log, TN_LOG_MAX_CONCURRENCY);
    tn_json_key(&writer->json, "measured");
    tn_json_begin_object(&writer->json);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        write_figure(writer, rows[k].key, tn_log_figure(writer->reading, rows[k].term));
    }
    write_figure(writer, "kv_pool", pool_of(writer->reading));
    if (concurrency) {
        tn_json_key(&writer->json, "max_concurrency");
        tn_json_real(&writer->json, concurrency->real);
    }
    tn_json_end_object(&writer->json);
}

static void write_starts(struct tn_logged_writer *writer)
{
    enum tn_outcome outcome = tn_log_outcome(writer->reading->log);
    if (outcome != TN_OUTCOME_UNKNOWN) {
        tn_json_key(&writer->json, "starts");
        tn_json_boolean(&writer->json, outcome == TN_OUTCOME_STARTED);
    }
}

static void write_own_record(struct tn_logged_writer *writer)
{
    tn_json_key(&writer->json, "format");
    tn_json_text(&writer->json, "tonnage.measured/1");
    tn_logged_text(writer, "engine", writer->reading->engine);
    tn_logged_text(writer, "version", writer->reading->version);
    write_asked(writer);
    write_settings(writer);
    write_measured(writer);
    write_starts(writer);
}

bool tn_log_write_record(const struct tn_log_reading *reading, struct tn_builder *json, struct tn_error *error)
{
    struct tn_logged_writer writer = {.reading = reading, .json = {.builder = json}};
    tn_json_begin_object(&writer.json);
    if (reading->has_devices) {
        tn_logged_devices(&writer);
    } else {
        write_own_record(&writer);
    }
    tn_json_end_object(&writer.json);
    return !json->failed || tn_fail_memory(error);
}
