/* What a person reads of a measuring: how it ended, the peaks of devices and processes, the curves. */
#include "api/measure/measure.h"

enum { SHOWN_PROCESSES = 10, MS_PER_S = 1000 };

/* ---- how it ended --------------------------------------------------------------------------------------------------- */

static void report_end(const struct tn_measuring *measuring, struct tn_report *report)
{
    const struct tn_run *run = &measuring->run;
    struct tn_builder text = {0};
    bool is_good = run->status == 0;
    tn_builder_add_text(&text, is_good ? "ended with exit status 0" : "");
    if (run->signal) {
        tn_builder_addf(&text, "was ended by signal %d", run->signal);
    } else if (!is_good) {
        tn_builder_addf(&text, "ended with exit status %d", run->status);
    }
    tn_builder_add_text(&text, " after ");
    tn_builder_add_fixed(&text, run->command_ms, MS_PER_S, 1);
    tn_builder_add_text(&text, " s");
    struct tn_str line = tn_report_keep(report, &text);
    tn_report_text(report, TN_BLOCK_TEXT, is_good ? TN_TONE_GOOD : TN_TONE_BAD, TN_STR_FORMAT, TN_STR_ARGUMENTS(line));
}

/* ---- peaks ---------------------------------------------------------------------------------------------------------- */

static struct tn_cell seconds_cell(uint64_t ms)
{
    return tn_cell_fixed(ms);
}

static void report_devices(const struct tn_measuring *measuring, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"device", "device", false, 0},           {"name", "name", false, 0},
        {"peak", "peak_bytes", true, 0},          {"at s", "peak_at_s", true, 1},
        {"before", "used_before_bytes", true, 0}, {"memory", "memory_bytes", true, 0},
        {"counted by", "basis", false, 0},
    };
    struct tn_table *table = tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]);
    for (size_t k = 0; table && k < measuring->run.device_count; k++) {
        const struct tn_run_device *device = &measuring->run.devices[k];
        bool has_memory = !device->is_host && device->gpu.has_memory;
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(tn_measuring_device_name(report->arena, device));
        cells[1] = tn_cell_text(device->gpu.name);
        cells[2] = tn_cell_bytes(device->peak.bytes);
        cells[3] = seconds_cell(device->peak.ms);
        cells[4] = has_memory ? tn_cell_bytes(device->gpu.used_bytes) : (struct tn_cell){0};
        cells[5] = has_memory ? tn_cell_bytes(device->gpu.memory_bytes) : (struct tn_cell){0};
        cells[6] = tn_cell_text(tn_str_of(tn_run_basis_names[device->basis]));
    }
}

static void report_processes(const struct tn_measuring *measuring, bool of_host, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"pid", "pid", true, 0},         {"process", "process", false, 0}, {"device", "device", false, 0},
        {"peak", "peak_bytes", true, 0}, {"at s", "peak_at_s", true, 1},
    };
    struct tn_table *table = NULL;
    for (size_t k = 0; k < measuring->run.device_count; k++) {
        const struct tn_run_device *device = &measuring->run.devices[k];
        for (size_t at = 0; device->is_host == of_host && at < device->process_count && at < SHOWN_PROCESSES; at++) {
            const struct tn_run_process *process = &device->processes[at];
            table = table ? table : tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]);
            struct tn_cell *cells = table ? tn_table_row(report, table) : NULL;
            struct tn_builder pid = {0};
            if (!cells) {
                return;
            }
            tn_builder_add_u64(&pid, process->pid);
            cells[0] = tn_cell_text(tn_report_keep(report, &pid));
            cells[1] = tn_cell_text(process->name);
            cells[2] = tn_cell_text(tn_measuring_device_name(report->arena, device));
            cells[3] = tn_cell_bytes(process->peak.bytes);
            cells[4] = seconds_cell(process->peak.ms);
        }
    }
}

/* ---- curves --------------------------------------------------------------------------------------------------------- */

/* The unit of the axis of time. */
struct time_unit {
    const char *name;
    uint64_t ms;
};

static struct time_unit unit_for(uint64_t duration_ms)
{
    static const struct time_unit units[] = {{"milliseconds", 1}, {"seconds", 1000}, {"minutes", 60000}};
    enum { MOST = 10000 }; /* figures on the axis */
    size_t k = 0;
    while (k + 1 < sizeof units / sizeof units[0] && duration_ms / units[k].ms >= MOST) {
        k++;
    }
    return units[k];
}

static bool add_series(const struct tn_run_device *device, struct time_unit unit, struct tn_report *report,
                       struct tn_series *series)
{
    uint64_t *x = TN_NEW_ARRAY(report->arena, uint64_t, device->curve_count + 1);
    uint64_t *y = TN_NEW_ARRAY(report->arena, uint64_t, device->curve_count + 1);
    for (size_t k = 0; x && y && k < device->curve_count; k++) {
        x[k] = device->curve[k].ms / unit.ms;
        y[k] = device->curve[k].bytes;
    }
    *series = (struct tn_series){
        .label = tn_measuring_device_name(report->arena, device), .x = x, .y_bytes = y, .count = device->curve_count};
    return x && y;
}

static void report_curves(const struct tn_measuring *measuring, bool of_host, struct tn_report *report)
{
    const struct tn_run *run = &measuring->run;
    struct tn_chart *chart = TN_NEW(report->arena, struct tn_chart);
    struct time_unit unit = unit_for(run->duration_ms);
    struct tn_series *series = TN_NEW_ARRAY(report->arena, struct tn_series, run->device_count + 1);
    bool done = chart && series;
    for (size_t k = 0; done && k < run->device_count; k++) {
        const struct tn_run_device *device = &run->devices[k];
        if (device->is_host == of_host && device->peak.bytes && device->curve_count > 1) {
            done = add_series(device, unit, report, &series[chart->series_count++]);
        }
    }
    report->failed = report->failed || !done;
    if (!done || !chart->series_count) {
        return;
    }
    const struct tn_run_device *fullest = tn_measuring_fullest(measuring);
    if (!of_host && fullest
        && fullest->peak.bytes > fullest->gpu.memory_bytes / 2) { /* else all else would be small beside it */
        chart->limit_bytes = fullest->gpu.memory_bytes;
    }
    chart->title = TN_STR("memory over time");
    chart->x_title = tn_str_of(unit.name);
    chart->series = series;
    struct tn_block *block = tn_report_add(report, TN_BLOCK_CHART);
    if (block) {
        block->chart = chart;
    }
}

void tn_measuring_report(const struct tn_measuring *measuring, struct tn_report *report)
{
    bool of_host = !tn_measuring_has_gpu(measuring);
    report->title = measuring->command;
    report_devices(measuring, report);
    report_processes(measuring, of_host, report);
    report_curves(measuring, of_host, report);
    report_end(measuring, report);
    tn_write_notes(report, measuring->notes, measuring->note_count);
}
