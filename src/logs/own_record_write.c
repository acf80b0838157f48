/* Writing a measurement in the project's own format (own_record.c reads it). */
#include "logs/reading.h"

#include "text/json.h"

static void write_text(struct tn_json_writer *json, const char *key, struct tn_str text)
{
    if (text.size) {
        tn_json_key(json, key);
        tn_json_string(json, text);
    }
}

static void write_number(struct tn_json_writer *json, const char *key, uint64_t number)
{
    tn_json_key(json, key);
    tn_json_u64(json, number);
}

/* A build is what has a remark behind its name. */
static void write_model(struct tn_json_writer *json, const struct tn_measurement *measurement)
{
    bool is_build = measurement->is_build || measurement->is_unknown_build;
    struct tn_builder name = {0};
    tn_builder_add(&name, measurement->model);
    tn_builder_add_text(&name, is_build ? " (build)" : "");
    write_text(json, "model", tn_builder_str(&name));
    json->builder->failed |= name.failed;
    tn_builder_free(&name);
    write_text(json, "quant", measurement->quant);
    write_text(json, "quantization", measurement->quantization);
    write_text(json, "dtype", measurement->dtype);
    write_text(json, "kv_dtype", measurement->kv_dtype);
}

static void write_gpus(struct tn_json_writer *json, const struct tn_measurement *measurement)
{
    write_text(json, "gpu", measurement->gpu ? measurement->gpu->id : (struct tn_str){0});
    if (measurement->gpu_memory_bytes) {
        write_number(json, "gpu_memory", measurement->gpu_memory_bytes);
    }
    if (measurement->gpu_count) {
        write_number(json, "gpus", measurement->gpu_count);
    }
    write_number(json, "tp", measurement->tp);
    write_number(json, "pp", measurement->pp);
    write_number(json, "ep", measurement->ep);
    write_number(json, "dp", measurement->dp);
    if (measurement->context_tokens) {
        write_number(json, "context", measurement->context_tokens);
    }
}

static void write_settings(struct tn_json_writer *json, const struct tn_measurement *measurement)
{
    tn_json_key(json, "settings");
    tn_json_begin_object(json);
    for (size_t k = 0; k < measurement->set_count; k++) {
        const struct tn_assignment *set = &measurement->sets[k];
        if (!tn_measurement_has_own_setting(measurement, set->name)) {
            tn_json_key_str(json, set->name);
            tn_json_string(json, set->value);
        }
    }
    tn_json_end_object(json);
}

static void write_figures(struct tn_json_writer *json, const struct tn_measurement *measurement)
{
    tn_json_key(json, "measured");
    tn_json_begin_object(json);
    for (int kind = 0; kind < TN_FIGURE_COUNT; kind++) {
        const struct tn_figure *figure = &measurement->figures[kind];
        if (figure->known) {
            tn_json_key(json, tn_figure_names[kind]);
            tn_json_begin_list(json);
            tn_json_i64(json, figure->value);
            tn_json_u64(json, figure->rounding);
            tn_json_end_list(json);
        }
    }
    if (measurement->max_concurrency > 0) {
        tn_json_key(json, "max_concurrency");
        tn_json_real(json, measurement->max_concurrency);
    }
    tn_json_end_object(json);
}

void tn_measurement_write(const struct tn_measurement *measurement, struct tn_builder *line)
{
    struct tn_json_writer json = {.builder = line};
    tn_json_begin_object(&json);
    tn_json_key(&json, "format");
    tn_json_text(&json, "tonnage.measured/1");
    write_text(&json, "id", measurement->id);
    tn_json_key(&json, "engine");
    tn_json_text(&json, tn_log_engine_name(measurement->engine));
    write_text(&json, "version", measurement->version);
    write_model(&json, measurement);
    write_gpus(&json, measurement);
    write_settings(&json, measurement);
    if (measurement->outcome != TN_OUTCOME_UNKNOWN) {
        tn_json_key(&json, "starts");
        tn_json_boolean(&json, measurement->outcome == TN_OUTCOME_STARTED);
    }
    write_text(&json, "why", measurement->outcome_why);
    write_figures(&json, measurement);
    tn_json_end_object(&json);
}
