/* A measured record of the project's own format (docs/measured.md): what was asked, as far as it is known, and the driver's account of the
 * fullest GPU. */
#include "api/deployment.h"
#include "api/detect.h"
#include "api/gpu_list.h"
#include "api/measure/measure.h"

static void write_text(struct tn_json_writer *json, const char *key, struct tn_str text)
{
    if (text.size) {
        tn_json_key(json, key);
        tn_json_string(json, text);
    }
}

static void write_engine(struct tn_json_writer *json, struct tn_str engine)
{
    size_t mark = tn_str_find(engine, TN_STR("@"));
    write_text(json, "engine", tn_str_slice(engine, 0, mark));
    write_text(json, "version", mark == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(engine, mark + 1, engine.size));
}

static void write_number(struct tn_json_writer *json, const char *key, const struct tn_input_value *value)
{
    if (value->given) {
        tn_json_key(json, key);
        tn_json_u64(json, value->number);
    }
}

/* As the driver reports it. What the catalog does not say of it is written beside: the size of a slice, or of a card that it does not have. */
static void write_found_gpu(struct tn_json_writer *json, const struct tn_measuring *measuring,
                            const struct tn_detected_gpu *gpu)
{
    const struct tn_gpu *known = tn_detected_in_catalog(measuring->session->catalog, gpu);
    struct tn_builder name = {0};
    tn_builder_add(&name, tn_str_slice(gpu->name, 0, tn_str_find(gpu->name, TN_STR(" MIG "))));
    if (!known && gpu->has_memory) {
        tn_builder_add_text(&name, " (");
        tn_write_bytes(&name, gpu->memory_bytes, TN_UNITS_IEC);
        tn_builder_add_text(&name, ")");
    }
    write_text(json, "gpu", tn_builder_str(&name));
    if (known && gpu->has_memory && gpu->memory_bytes != known->memory_bytes) {
        tn_json_key(json, "gpu_memory");
        tn_json_u64(json, gpu->memory_bytes);
    }
    json->builder->failed |= name.failed;
    tn_builder_free(&name);
}

/* GPUs of which the command held memory; what --gpu says goes before what was found. */
static void write_gpu(struct tn_json_writer *json, const struct tn_measuring *measuring)
{
    const struct tn_input_value *asked = &measuring->request.values[TN_INPUT_GPU];
    const struct tn_run_device *fullest = tn_measuring_fullest(measuring);
    const struct tn_gpu *gpu;
    uint32_t asked_count = 0;
    uint64_t count = 0;
    for (size_t k = 0; k < measuring->run.device_count; k++) {
        const struct tn_run_device *device = &measuring->run.devices[k];
        count += !device->is_host && device->peak.bytes;
    }
    if (asked->given && tn_read_gpu(measuring->session->catalog, asked->text, &gpu, &asked_count, NULL)) {
        write_text(json, "gpu", gpu->id);
    } else if (fullest) {
        write_found_gpu(json, measuring, &fullest->gpu);
    }
    if (count || asked_count > 1) {
        tn_json_key(json, "gpus");
        tn_json_u64(json, count ? count : asked_count);
    }
}

static void write_settings(struct tn_json_writer *json, const struct tn_measuring *measuring)
{
    if (!measuring->set_count) {
        return;
    }
    tn_json_key(json, "settings");
    tn_json_begin_object(json);
    for (size_t k = 0; k < measuring->set_count; k++) {
        tn_json_key_str(json, measuring->sets[k].name);
        tn_json_string(json, measuring->sets[k].value);
    }
    tn_json_end_object(json);
}

static void write_asked(struct tn_json_writer *json, const struct tn_measuring *measuring)
{
    const struct tn_input_value *values = measuring->request.values;
    write_engine(json, values[TN_INPUT_ENGINE].text);
    write_text(json, "model", values[TN_INPUT_MODEL].text);
    write_text(json, "quant", values[TN_INPUT_QUANT].text);
    write_text(json, "dtype", values[TN_INPUT_DTYPE].text);
    write_gpu(json, measuring);
    write_number(json, "tp", &values[TN_INPUT_TP]);
    write_number(json, "pp", &values[TN_INPUT_PP]);
    write_number(json, "ep", &values[TN_INPUT_EP]);
    write_number(json, "dp", &values[TN_INPUT_DP]);
    write_number(json, "context", &values[TN_INPUT_CONTEXT]);
    write_text(json, "kv_dtype", values[TN_INPUT_KV_DTYPE].text);
    write_settings(json, measuring);
}

static void write_measured(struct tn_json_writer *json, const struct tn_measuring *measuring)
{
    const struct tn_run *run = &measuring->run;
    tn_json_key(json, "measured");
    tn_json_begin_object(json);
    if (tn_measuring_has_gpu(measuring)) {
        tn_json_key(json, "used");
        tn_json_u64(json, tn_measuring_fullest(measuring)->peak.bytes);
    }
    if (run->device_count) {
        tn_json_key(json, "host");
        tn_json_u64(json, run->devices[run->device_count - 1].peak.bytes);
    }
    tn_json_end_object(json);
}

bool tn_measuring_write_record(struct tn_measuring *measuring, struct tn_error *error)
{
    const struct tn_run *run = &measuring->run;
    struct tn_builder line = {0};
    struct tn_builder text = {0};
    struct tn_json_writer json = {.builder = &line};
    tn_json_begin_object(&json);
    tn_json_key(&json, "format");
    tn_json_text(&json, "tonnage.measured/1");
    tn_json_key(&json, "id");
    tn_builder_addf(&text, "measure-" TN_STR_FORMAT "-%u", TN_STR_ARGUMENTS(run->began_at), run->pid);
    tn_json_string(&json, tn_builder_str(&text));
    write_asked(&json, measuring);
    write_measured(&json, measuring);
    tn_json_key(&json, "source");
    tn_builder_clear(&text);
    tn_builder_add_text(&text, "tonnage measure -- ");
    tn_builder_add(&text, measuring->command);
    tn_json_string(&json, tn_builder_str(&text));
    tn_json_end_object(&json);
    bool done =
        !line.failed && !text.failed && tn_str_copy(measuring->arena, tn_builder_str(&line), &measuring->record);
    tn_builder_free(&line);
    tn_builder_free(&text);
    return done || tn_fail_memory(error);
}
