/* The front of a search: what no other deployment surpasses in everything. */
#include "api/fit/fit.h"

#include "api/gpu_list.h"

struct listing {
    struct tn_fit *fit;
    const struct tn_fit_space *space;
    const struct tn_fit_front *front;
};

static struct tn_str own_name(const struct tn_model *model)
{
    return model->quant.size ? model->quant : tn_str_of(model->dtype->name);
}

/* "tp4 pp2", and what stays on the processor. */
static struct tn_str division_of(const struct tn_fit_point *point, struct tn_report *report)
{
    struct tn_builder division = {0};
    const struct {
        const char *name;
        uint32_t number;
    } parts[] = {{" pp", point->division.pp}, {" dp", point->division.dp}, {" ep", point->division.ep}};
    tn_builder_addf(&division, "tp%u", point->division.tp);
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        if (parts[k].number > 1) {
            tn_builder_addf(&division, "%s%u", parts[k].name, parts[k].number);
        }
    }
    if (point->split.gpus) {
        tn_builder_addf(&division, " split %s", point->split.text);
    }
    if (point->offload) {
        tn_builder_addf(&division, " %s %llu", tn_fit_offload_settings[point->offload],
                        (unsigned long long)point->offload_value);
    }
    return tn_report_keep(report, &division);
}

static void add_row(const struct listing *listing, struct tn_table *table, const struct tn_fit_point *point)
{
    struct tn_report *report = &listing->fit->result->report;
    const struct tn_fit_space *space = listing->space;
    const struct tn_fit_gpu *gpu = &space->gpus[point->gpu];
    const struct tn_fit_weights *weights = &space->weights[point->weights];
    const struct tn_fit_kv *kv = &space->kvs[point->kv];
    struct tn_cell *cells = table ? tn_table_row(report, table) : NULL;
    struct tn_builder name = {0};
    if (!cells) {
        return;
    }
    if (space->asked.device_count) {
        tn_write_gpus(&name, &space->asked, point->gpus, listing->fit->units);
    } else if (gpu->gpu) {
        tn_builder_addf(&name, "%u x ", point->gpus);
        tn_builder_add(&name, gpu->gpu->id);
    } else {
        tn_builder_addf(&name, "%u x ", point->gpus);
        tn_write_bytes(&name, gpu->memory_bytes, listing->fit->units);
    }
    cells[0] = tn_cell_text(tn_report_keep(report, &name));
    cells[1] = tn_cell_text(division_of(point, report));
    cells[2] = tn_cell_text(weights->quant.size ? weights->quant : own_name(weights->model));
    cells[3] = tn_cell_text(kv->name.size ? kv->name : tn_str_of(kv->dtype->name));
    cells[4] =
        point->usd_millionths_per_hour ? tn_cell_fixed(point->usd_millionths_per_hour / 1000) : (struct tn_cell){0};
    cells[5] = tn_cell_bytes(point->headroom_bytes);
    cells[6] = point->concurrency == UINT64_MAX ? tn_cell_text(TN_STR("any")) : tn_cell_count(point->concurrency);
    cells[7] = tn_cell_count(point->kv_tokens);
}

static void report_points(const struct listing *listing, size_t most_rows)
{
    static const struct tn_column columns[] = {
        {"GPUs", "gpus", false, 0},        {"division", "division", false, 0}, {"weights", "weights", false, 0},
        {"KV", "kv_dtype", false, 0},      {"$/h", "usd_per_hour", true, 2},   {"headroom", "headroom_bytes", true, 0},
        {"requests", "requests", true, 0}, {"KV tokens", "kv_tokens", true, 0}};
    struct tn_report *report = &listing->fit->result->report;
    const struct tn_fit_front *front = listing->front;
    struct tn_table *table =
        tn_report_table(report, "What no other surpasses in everything", columns, sizeof columns / sizeof columns[0]);
    for (size_t k = 0; k < front->count && k < most_rows; k++) {
        add_row(listing, table, &front->points[k]);
    }
    if (front->count > most_rows) {
        tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM, "%zu more such deployments are in --json",
                       front->count - most_rows);
    }
}

void tn_fit_report_front(struct tn_fit *fit, const struct tn_fit_space *space, const struct tn_fit_front *front,
                         size_t most_rows)
{
    const struct listing listing = {fit, space, front};
    const struct tn_fit_counts *counts = &front->counts;
    if (front->count) {
        report_points(&listing, most_rows);
    }
    tn_report_text(&fit->result->report, TN_BLOCK_NOTE, TN_TONE_DIM,
                   "deployments looked at: %llu, of which planned: %llu, too little memory for their part of the "
                   "weights: %llu, cannot surpass others: %llu, refused by the engine: %llu, fit: %llu",
                   (unsigned long long)counts->considered, (unsigned long long)counts->planned,
                   (unsigned long long)counts->too_small, (unsigned long long)counts->surpassed,
                   (unsigned long long)counts->refused, (unsigned long long)counts->fitting);
}

static void write_point(const struct listing *listing, const struct tn_fit_point *point)
{
    struct tn_json_writer *json = &listing->fit->json;
    const struct tn_fit_space *space = listing->space;
    const struct tn_fit_gpu *gpu = &space->gpus[point->gpu];
    const struct tn_fit_weights *weights = &space->weights[point->weights];
    const struct tn_fit_kv *kv = &space->kvs[point->kv];
    const struct {
        const char *key;
        uint64_t number;
    } numbers[] = {{"gpus", point->gpus},          {"tp", point->division.tp},
                   {"pp", point->division.pp},     {"ep", point->division.ep},
                   {"dp", point->division.dp},     {"headroom_bytes", point->headroom_bytes},
                   {"kv_tokens", point->kv_tokens}};
    tn_json_begin_object(json);
    tn_json_optional_string(json, "gpu",
                            space->asked.device_count ? listing->fit->question.request.values[TN_INPUT_GPU].text
                            : gpu->gpu                ? gpu->gpu->id
                                                      : (struct tn_str){0});
    for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
        tn_json_key(json, numbers[k].key);
        tn_json_u64(json, numbers[k].number);
    }
    tn_json_key(json, "weights");
    tn_json_string(json, weights->quant.size ? weights->quant : own_name(weights->model));
    tn_json_key(json, "kv_dtype");
    tn_json_string(json, kv->name.size ? kv->name : tn_str_of(kv->dtype->name));
    tn_json_key(json, "usd_per_hour");
    if (point->usd_millionths_per_hour) {
        tn_json_real(json, (double)point->usd_millionths_per_hour / 1e6);
    } else {
        tn_json_null(json);
    }
    tn_json_optional_string(json, "tensor_split", tn_str_of(point->split.gpus ? point->split.text : ""));
    tn_json_key(json, "offload");
    if (point->offload) {
        tn_json_begin_object(json);
        tn_json_key(json, "setting");
        tn_json_text(json, tn_fit_offload_settings[point->offload]);
        tn_json_key(json, "value");
        tn_json_u64(json, point->offload_value);
        tn_json_end_object(json);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "requests");
    if (point->concurrency == UINT64_MAX) {
        tn_json_null(json);
    } else {
        tn_json_u64(json, point->concurrency);
    }
    tn_json_end_object(json);
}

void tn_fit_write_front(struct tn_fit *fit, const struct tn_fit_space *space, const struct tn_fit_front *front)
{
    const struct listing listing = {fit, space, front};
    struct tn_json_writer *json = &fit->json;
    const struct tn_fit_counts *counts = &front->counts;
    const struct {
        const char *key;
        uint64_t number;
    } numbers[] = {{"considered", counts->considered}, {"too_small", counts->too_small},
                   {"surpassed", counts->surpassed},   {"refused", counts->refused},
                   {"planned", counts->planned},       {"fitting", counts->fitting}};
    tn_json_key(json, "alternatives");
    tn_json_begin_list(json);
    for (size_t k = 0; k < front->count; k++) {
        write_point(&listing, &front->points[k]);
    }
    tn_json_end_list(json);
    tn_json_key(json, "searched");
    tn_json_begin_object(json);
    for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
        tn_json_key(json, numbers[k].key);
        tn_json_u64(json, numbers[k].number);
    }
    tn_json_end_object(json);
}
