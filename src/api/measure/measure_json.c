/* tonnage.measure/1 */
#include "api/measure/measure.h"

static void write_u64(struct tn_json_writer *json, const char *key, uint64_t number)
{
    tn_json_key(json, key);
    tn_json_u64(json, number);
}

static void write_processes(struct tn_json_writer *json, const struct tn_run_device *device)
{
    tn_json_key(json, "processes");
    tn_json_begin_list(json);
    for (size_t k = 0; k < device->process_count; k++) {
        const struct tn_run_process *process = &device->processes[k];
        tn_json_begin_object(json);
        write_u64(json, "pid", process->pid);
        tn_json_key(json, "name");
        tn_json_string(json, process->name);
        write_u64(json, "peak_bytes", process->peak.bytes);
        write_u64(json, "peak_at_ms", process->peak.ms);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

/* [[ms, bytes], ...] */
static void write_curve(struct tn_json_writer *json, const struct tn_run_device *device)
{
    tn_json_key(json, "curve");
    tn_json_begin_list(json);
    json->indented = false;
    for (size_t k = 0; k < device->curve_count; k++) {
        tn_json_begin_list(json);
        tn_json_u64(json, device->curve[k].ms);
        tn_json_u64(json, device->curve[k].bytes);
        tn_json_end_list(json);
    }
    json->indented = true;
    tn_json_end_list(json);
}

static void write_device(struct tn_json_writer *json, const struct tn_measuring *measuring,
                         const struct tn_run_device *device)
{
    const struct tn_detected_gpu *gpu = &device->gpu;
    bool has_memory = !device->is_host && gpu->has_memory;
    tn_json_begin_object(json);
    tn_json_key(json, "device");
    tn_json_string(json, tn_measuring_device_name(measuring->arena, device));
    tn_json_optional_string(json, "name", gpu->name);
    tn_json_optional_u64(json, "memory_bytes", has_memory, gpu->memory_bytes);
    tn_json_optional_u64(json, "used_before_bytes", has_memory, gpu->used_bytes);
    tn_json_key(json, "basis");
    tn_json_text(json, tn_run_basis_names[device->basis]);
    write_u64(json, "peak_bytes", device->peak.bytes);
    write_u64(json, "peak_at_ms", device->peak.ms);
    write_processes(json, device);
    write_curve(json, device);
    tn_json_end_object(json);
}

static void write_run(struct tn_json_writer *json, const struct tn_measuring *measuring)
{
    const struct tn_input_value *words = &measuring->request.values[TN_INPUT_RUN];
    const struct tn_run *run = &measuring->run;
    tn_json_key(json, "command");
    tn_json_begin_list(json);
    for (size_t k = 0; k < words->item_count; k++) {
        tn_json_string(json, words->items[k]);
    }
    tn_json_end_list(json);
    write_u64(json, "status", (uint64_t)run->status);
    tn_json_optional_u64(json, "signal", run->signal != 0, (uint64_t)run->signal);
    tn_json_key(json, "began_at");
    tn_json_string(json, run->began_at);
    write_u64(json, "command_ms", run->command_ms);
    write_u64(json, "duration_ms", run->duration_ms);
    write_u64(json, "samples", run->samples);
}

void tn_measuring_json(const struct tn_measuring *measuring, struct tn_builder *out)
{
    struct tn_json_writer json = {.builder = out, .indented = true};
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.measure/1");
    write_run(&json, measuring);
    tn_json_key(&json, "devices");
    tn_json_begin_list(&json);
    for (size_t k = 0; k < measuring->run.device_count; k++) {
        write_device(&json, measuring, &measuring->run.devices[k]);
    }
    tn_json_end_list(&json);
    tn_json_key(&json, "record");
    tn_json_string(&json, measuring->record);
    tn_json_key(&json, "notes");
    tn_json_begin_list(&json);
    tn_write_note_items(&json, measuring->notes, measuring->note_count);
    tn_json_end_list(&json);
    tn_json_end_object(&json);
    tn_builder_add_char(out, '\n');
}
