/* gpus: the list of GPUs, of the catalog or of this machine. */
#include "api/detect.h"

static void gpu_json(struct tn_json_writer *json, const struct tn_gpu *gpu)
{
    tn_json_begin_object(json);
    tn_json_key(json, "id");
    tn_json_string(json, gpu->id);
    tn_json_key(json, "name");
    tn_json_string(json, gpu->name);
    tn_json_key(json, "vendor");
    tn_json_string(json, gpu->vendor);
    tn_json_key(json, "memory_bytes");
    if (gpu->memory_bytes) {
        tn_json_u64(json, gpu->memory_bytes);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "memory_basis");
    tn_json_text(json, gpu->memory_bytes ? (gpu->memory_is_marketed ? "marketed" : "driver") : NULL);
    tn_json_key(json, "bandwidth_bytes_per_s");
    if (gpu->bandwidth_bytes_per_s) {
        tn_json_u64(json, gpu->bandwidth_bytes_per_s);
    } else {
        tn_json_null(json);
    }
    tn_json_end_object(json);
}

bool tn_run_gpus(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                 struct tn_error *error)
{
    if (request->values[TN_INPUT_DETECT].flag) {
        return tn_run_detect(session, request, result, error);
    }
    static const struct tn_column columns[] = {
        {"GPU", "id", false, 0},          {"name", "name", false, 0},
        {"vendor", "vendor", false, 0},   {"memory", "memory_bytes", true, 0},
        {"as", "memory_basis", false, 0}, {"GB/s", "bandwidth_gb_per_s", true, 0},
    };
    struct tn_json_writer json = {.builder = &result->json, .indented = true};
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.gpus/1");
    tn_json_key(&json, "gpus");
    tn_json_begin_list(&json);
    struct tn_table *table = tn_report_table(&result->report, NULL, columns, sizeof columns / sizeof columns[0]);
    size_t count;
    const struct tn_gpu *gpus = tn_catalog_gpus(session->catalog, &count);
    result->report.title = TN_STR("GPUs");
    for (size_t k = 0; k < count; k++) {
        const struct tn_gpu *gpu = &gpus[k];
        struct tn_cell *cells = table ? tn_table_row(&result->report, table) : NULL;
        gpu_json(&json, gpu);
        if (cells) {
            cells[0] = tn_cell_text(gpu->id);
            cells[1] = tn_cell_text(gpu->name);
            cells[2] = tn_cell_text(gpu->vendor);
            cells[3] = gpu->memory_bytes ? tn_cell_bytes(gpu->memory_bytes) : tn_cell_text(TN_STR("by machine"));
            cells[4] = gpu->memory_bytes ? tn_cell_text(gpu->memory_is_marketed ? TN_STR("marketed") : TN_STR("driver"))
                                         : (struct tn_cell){0};
            cells[5] = gpu->bandwidth_bytes_per_s ? tn_cell_count(gpu->bandwidth_bytes_per_s / 1000000000)
                                                  : (struct tn_cell){0};
        }
    }
    tn_json_end_list(&json);
    tn_json_end_object(&json);
    tn_builder_add_char(&result->json, '\n');
    return true;
}
