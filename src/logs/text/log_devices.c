/* Writing the record of an engine that logs the buffers of each device, as field logs of llama.cpp have them. */
#include "logs/text/log_record.h"

#include <string.h>

/* MiB with two decimals, as the log has them. */
static void write_mib(struct tn_logged_writer *writer, const char *key, int64_t bytes)
{
    tn_json_key(&writer->json, key);
    tn_json_real(&writer->json, (double)((bytes * 100 + (1 << 19)) >> 20) / 100);
}

static bool is_size(int64_t bytes)
{
    return bytes >= 0 && bytes < INT64_MAX / 200;
}

/* The first model's buffers of one kind. Those of weights and caches come one for each file and each cache; of others the last counts. */
static void write_buffers(struct tn_logged_writer *writer, const char *key, enum tn_log_term term, bool adds)
{
    const struct tn_log *log = writer->reading->log;
    tn_json_key(&writer->json, key);
    tn_json_begin_object(&writer->json);
    for (const struct tn_log_value *value = tn_log_find(log, term); value; value = tn_log_next(log, term, value)) {
        int64_t bytes = adds ? value->sum : value->figure.value;
        if (!value->part && value->device[0] && is_size(bytes)) {
            write_mib(writer, value->device, bytes);
        }
    }
    tn_json_end_object(&writer->json);
}

/* The engine's own table has whole MiB, cut off. */
static void write_column(struct tn_logged_writer *writer, const char *key, enum tn_log_term term)
{
    const struct tn_log *log = writer->reading->log;
    tn_json_key(&writer->json, key);
    tn_json_begin_object(&writer->json);
    for (const struct tn_log_value *value = tn_log_find(log, term); value; value = tn_log_next(log, term, value)) {
        if (is_size(value->figure.value)) {
            tn_json_key(&writer->json, value->device);
            tn_json_i64(&writer->json, value->figure.value >> 20);
        }
    }
    tn_json_end_object(&writer->json);
}

/* Where the log has the table alone: caches and states are one column. */
static void write_table(struct tn_logged_writer *writer)
{
    write_column(writer, "model_mib", TN_LOG_TABLE_MODEL);
    write_column(writer, "kv_mib", TN_LOG_TABLE_CONTEXT);
    write_column(writer, "compute_mib", TN_LOG_TABLE_COMPUTE);
    tn_json_key(&writer->json, "rs_mib");
    tn_json_begin_object(&writer->json);
    tn_json_key(&writer->json, "derived_total");
    tn_json_i64(&writer->json, 0);
    tn_json_end_object(&writer->json);
}

/* A buffer that was not to be had is the next one that the engine makes: for weights, then caches, then the computation. */
static enum tn_log_term kind_of_failed(const struct tn_log *log)
{
    if (!tn_log_find(log, TN_LOG_MODEL_BUFFER)) {
        return TN_LOG_MODEL_BUFFER;
    }
    return tn_log_find(log, TN_LOG_KV_BUFFER) ? TN_LOG_COMPUTE_BUFFER : TN_LOG_KV_BUFFER;
}

static void write_failed(struct tn_logged_writer *writer, const char *key)
{
    const struct tn_log_value *failed = tn_log_find(writer->reading->log, TN_LOG_ALLOCATION_FAILED);
    while (failed && !failed->device[0]) {
        failed = tn_log_next(writer->reading->log, TN_LOG_ALLOCATION_FAILED, failed);
    }
    tn_json_key(&writer->json, key);
    tn_json_begin_object(&writer->json);
    if (failed && is_size(failed->figure.value)) {
        write_mib(writer, failed->device, failed->figure.value);
    }
    tn_json_end_object(&writer->json);
}

static void write_device_figures(struct tn_logged_writer *writer)
{
    static const struct {
        const char *key;
        enum tn_log_term term;
        bool adds;
    } rows[] = {{"model_mib", TN_LOG_MODEL_BUFFER, true},
                {"kv_mib", TN_LOG_KV_BUFFER, true},
                {"rs_mib", TN_LOG_RECURRENT_BUFFER, true},
                {"output_mib", TN_LOG_OUTPUT_BUFFER, false},
                {"compute_mib", TN_LOG_COMPUTE_BUFFER, false}};
    const struct tn_log *log = writer->reading->log;
    bool has_failed = tn_log_find(log, TN_LOG_ALLOCATION_FAILED) != NULL;
    bool has_table = !has_failed && tn_log_find(log, TN_LOG_TABLE_MODEL) && !tn_log_find(log, TN_LOG_MODEL_BUFFER);
    tn_json_key(&writer->json, "measured");
    tn_json_begin_object(&writer->json);
    if (has_table) {
        write_table(writer);
    }
    for (size_t k = 0; !has_table && k < sizeof rows / sizeof rows[0]; k++) {
        if (has_failed && rows[k].term == kind_of_failed(log)) {
            write_failed(writer, rows[k].key);
        } else {
            write_buffers(writer, rows[k].key, rows[k].term, rows[k].adds);
        }
    }
    tn_json_end_object(&writer->json);
}

static void write_gpu_names(struct tn_logged_writer *writer)
{
    const struct tn_log *log = writer->reading->log;
    enum tn_log_term term = tn_log_find(log, TN_LOG_DEVICE_NAME) ? TN_LOG_DEVICE_NAME : TN_LOG_GPU;
    struct tn_str asked = writer->reading->asked->gpu;
    size_t mark = tn_str_find(asked, TN_STR("x"));
    while (mark < asked.size && tn_logged_whole(tn_str_slice(asked, mark + 1, asked.size)) == 0) {
        size_t next = tn_str_find(tn_str_slice(asked, mark + 1, asked.size), TN_STR("x"));
        mark = next == SIZE_MAX ? SIZE_MAX : mark + 1 + next;
    }
    tn_json_key(&writer->json, "gpus");
    tn_json_begin_list(&writer->json);
    if (asked.size) {
        enum { MOST = 64 };
        bool is_whole = tn_catalog_find_gpu(writer->reading->catalog, asked, NULL) != NULL;
        uint64_t count =
            is_whole || mark == SIZE_MAX ? MOST : tn_logged_whole(tn_str_slice(asked, mark + 1, asked.size));
        for (uint64_t k = 0; k < count && k < MOST; k++) {
            tn_json_string(&writer->json, is_whole ? asked : tn_str_slice(asked, 0, mark));
        }
    }
    for (const struct tn_log_value *value = tn_log_find(log, term); value && !asked.size;
         value = tn_log_next(log, term, value)) {
        tn_json_text(&writer->json, value->text);
    }
    tn_json_end_list(&writer->json);
}

/* Of several GPUs, as the layers are divided by it. */
static void write_free_memory(struct tn_logged_writer *writer)
{
    const struct tn_log *log = writer->reading->log;
    const struct tn_log_value *value = tn_log_find(log, TN_LOG_DEVICE_FREE);
    if (!value || !tn_log_next(log, TN_LOG_DEVICE_FREE, value)) {
        return;
    }
    tn_json_key(&writer->json, "free_mib");
    tn_json_begin_list(&writer->json);
    for (; value; value = tn_log_next(log, TN_LOG_DEVICE_FREE, value)) {
        tn_json_i64(&writer->json, value->first.value >> 20);
    }
    tn_json_end_list(&writer->json);
}

static const char *text_of(const struct tn_log *log, enum tn_log_term term)
{
    const struct tn_log_value *value = tn_log_find(log, term);
    return value ? value->text : "";
}

static void write_flash(struct tn_logged_writer *writer)
{
    static const struct {
        const char *logged;
        const char *written;
    } words[] = {{"1", "1"},    {"0", "0"},     {"enabled", "1"}, {"disabled", "0"},
                 {"true", "1"}, {"false", "0"}, {"auto", "auto"}};
    const char *flash = text_of(writer->reading->log, TN_LOG_FLASH);
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (strcmp(flash, words[k].logged) == 0) {
            tn_logged_text(writer, "flash_attn", tn_str_of(words[k].written));
        }
    }
}

static uint64_t count_of(const struct tn_logged_writer *writer, enum tn_log_term term)
{
    struct tn_figure figure = tn_log_figure(writer->reading, term);
    return figure.known && figure.value > 0 ? (uint64_t)figure.value : 0;
}

static void write_flag(struct tn_logged_writer *writer, const char *key, bool is_set)
{
    if (is_set) {
        tn_json_key(&writer->json, key);
        tn_json_boolean(&writer->json, true);
    }
}

/* All layers are on GPUs, and the caches of none. */
static bool keeps_cache_on_host(const struct tn_log *log, const struct tn_log_value *layers)
{
    const struct tn_log_value *all = tn_log_find(log, TN_LOG_ALL_LAYERS);
    const struct tn_log_value *cache = tn_log_find(log, TN_LOG_KV_BUFFER);
    bool on_host = cache != NULL && layers && all && layers->first.value == all->first.value;
    for (; on_host && cache; cache = tn_log_next(log, TN_LOG_KV_BUFFER, cache)) {
        on_host = strncmp(cache->device, "CPU", 3) == 0;
    }
    return on_host;
}

static void write_device_settings(struct tn_logged_writer *writer)
{
    const struct tn_log *log = writer->reading->log;
    const struct tn_log_value *layers = tn_log_find(log, TN_LOG_GPU_LAYERS);
    uint64_t sequences = count_of(writer, TN_LOG_SEQUENCES);
    uint64_t cells = count_of(writer, TN_LOG_TOTAL_CONTEXT);
    bool is_ollama = tn_str_is(writer->reading->engine, "ollama");
    tn_logged_number(writer, "n_ctx", is_ollama && sequences ? cells / sequences : cells);
    tn_logged_number(writer, "n_batch", count_of(writer, TN_LOG_BATCH));
    tn_logged_number(writer, "n_ubatch", count_of(writer, TN_LOG_MICRO_BATCH));
    tn_logged_number(writer, "n_seq_max", sequences);
    tn_logged_text(writer, "type_k", tn_str_of(text_of(log, TN_LOG_KEY_DTYPE)));
    tn_logged_text(writer, "type_v", tn_str_of(text_of(log, TN_LOG_VALUE_DTYPE)));
    write_flash(writer);
    if (layers && layers->first.value >= 0) {
        tn_json_key(&writer->json, "n_gpu_layers");
        tn_json_i64(&writer->json, layers->first.value);
    }
    write_flag(writer, "swa_full", tn_log_find(log, TN_LOG_WINDOW_FULL) != NULL);
    write_flag(writer, "no_kv_offload", keeps_cache_on_host(log, layers));
}

void tn_logged_devices(struct tn_logged_writer *writer)
{
    const struct tn_log *log = writer->reading->log;
    struct tn_figure file = tn_log_figure(writer->reading, TN_LOG_FILE_BYTES);
    struct tn_str file_type = writer->reading->asked->quantization;
    uint64_t layers = count_of(writer, TN_LOG_ALL_LAYERS);
    tn_logged_text(writer, "engine", writer->reading->engine);
    tn_logged_text(writer, "engine_version", writer->reading->version);
    tn_logged_text(writer, "model", writer->reading->model);
    tn_logged_text(writer, "arch", tn_str_of(text_of(log, TN_LOG_ARCHITECTURE)));
    tn_logged_text(writer, "file_type", file_type.size ? file_type : tn_str_of(text_of(log, TN_LOG_FILE_TYPE)));
    if (file.known && file.value > 0) {
        tn_json_key(&writer->json, "file_size_gib");
        tn_json_real(&writer->json, (double)((file.value * 100 + (1 << 29)) >> 30) / 100);
    }
    if (layers > 1) {
        tn_json_key(&writer->json, "hparams");
        tn_json_begin_object(&writer->json);
        tn_logged_number(writer, "n_layer", layers - 1);
        tn_json_end_object(&writer->json);
    }
    write_device_settings(writer);
    write_gpu_names(writer);
    write_free_memory(writer);
    write_device_figures(writer);
}
