/* Which chart, and its data as JSON. */
#include "api/chart/chart.h"

static bool needs_gpu(const struct tn_plan *plan, struct tn_error *error)
{
    if (plan->question.deployment.gpu_memory_bytes) {
        return true;
    }
    tn_fail(error, TN_ERROR_USAGE, "--chart grid shows what fits, and no GPU is named");
    tn_fail_at(error, -1, "--chart");
    return tn_fail_hint(error, "name one with --gpu or --gpu-memory");
}

bool tn_plan_draw(struct tn_plan *plan, struct tn_str name, struct tn_arena *arena, struct tn_plan_chart *chart,
                  struct tn_error *error)
{
    struct tn_chart_points points = {0};
    bool done = true;
    *chart = (struct tn_plan_chart){.kind = TN_CHART_BARS};
    if (tn_str_is(name, "grid")) {
        chart->kind = TN_CHART_GRID;
        done = needs_gpu(plan, error);
    } else if (tn_str_is(name, "context")) {
        chart->kind = TN_CHART_CONTEXT;
    }
    if (!done || chart->kind == TN_CHART_BARS) {
        return done;
    }
    done = tn_chart_points_open(&points, plan);
    if (done && chart->kind == TN_CHART_GRID) {
        chart->grid = tn_chart_grid(&points, arena);
        done = chart->grid != NULL;
    } else if (done) {
        chart->lines = tn_chart_context(&points, arena);
        done = chart->lines != NULL;
    }
    chart->plan_count = points.plan_count;
    tn_chart_points_free(&points);
    return done || tn_fail_memory(error);
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static void write_number(struct tn_json_writer *json, const char *key, uint64_t number)
{
    tn_json_key(json, key);
    tn_json_u64(json, number);
}

static void write_fits(struct tn_json_writer *json, enum tn_fits fits)
{
    static const char *const names[TN_FITS_COUNT] = {[TN_FITS_YES] = "fits",
                                                     [TN_FITS_QUEUES] = "queues",
                                                     [TN_FITS_PARTLY] = "partly",
                                                     [TN_FITS_NO] = "no",
                                                     [TN_FITS_REFUSED] = "refused"};
    tn_json_key(json, "fits");
    tn_json_text(json, names[fits]);
}

static void write_limit(struct tn_json_writer *json, uint64_t limit_bytes)
{
    tn_json_key(json, "limit_bytes");
    if (limit_bytes) {
        tn_json_u64(json, limit_bytes);
    } else {
        tn_json_null(json);
    }
}

static void write_series(struct tn_json_writer *json, const struct tn_series *series)
{
    tn_json_begin_object(json);
    write_number(json, "concurrency", series->number);
    tn_json_key(json, "points");
    tn_json_begin_list(json);
    for (size_t k = 0; k < series->count; k++) {
        tn_json_begin_object(json);
        write_number(json, "context", series->x[k]);
        write_number(json, "bytes", series->y_bytes[k]);
        if (series->fits) {
            write_fits(json, series->fits[k]);
        } else {
            tn_json_key(json, "fits");
            tn_json_null(json);
        }
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
    tn_json_end_object(json);
}

static void write_lines(struct tn_json_writer *json, const struct tn_chart *chart)
{
    write_limit(json, chart->limit_bytes);
    tn_json_key(json, "series");
    tn_json_begin_list(json);
    for (size_t k = 0; k < chart->series_count; k++) {
        write_series(json, &chart->series[k]);
    }
    tn_json_end_list(json);
}

static void write_cells(struct tn_json_writer *json, const struct tn_grid *grid)
{
    tn_json_key(json, "cells");
    tn_json_begin_list(json);
    for (size_t k = 0; k < grid->x_count * grid->y_count; k++) {
        const struct tn_grid_cell *cell = &grid->cells[k];
        tn_json_begin_object(json);
        write_number(json, "context", grid->x[k % grid->x_count]);
        write_number(json, "concurrency", grid->y[k / grid->x_count]);
        write_fits(json, cell->fits);
        tn_json_key(json, "bytes");
        if (cell->bytes) {
            tn_json_u64(json, cell->bytes);
        } else {
            tn_json_null(json);
        }
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

/* What each column holds at most; null where it is not known, or any number fits. */
static void write_frontier(struct tn_json_writer *json, const struct tn_grid *grid)
{
    tn_json_key(json, "frontier");
    tn_json_begin_list(json);
    for (size_t x = 0; x < grid->x_count; x++) {
        tn_json_begin_object(json);
        write_number(json, "context", grid->x[x]);
        tn_json_key(json, "max_concurrency");
        if (grid->most_y && grid->most_y[x] != UINT64_MAX) {
            tn_json_u64(json, grid->most_y[x]);
        } else {
            tn_json_null(json);
        }
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

void tn_plan_chart_json(struct tn_json_writer *json, const struct tn_plan *plan)
{
    const struct tn_plan_chart *chart = plan->chart;
    static const char *const names[] = {
        [TN_CHART_BARS] = "bars", [TN_CHART_CONTEXT] = "context", [TN_CHART_GRID] = "grid"};
    tn_json_key(json, "chart");
    tn_json_begin_object(json);
    tn_json_key(json, "name");
    tn_json_text(json, names[chart->kind]);
    tn_json_key(json, "asked");
    tn_json_begin_object(json);
    write_number(json, "context", plan->question.deployment.context_tokens);
    write_number(json, "concurrency", plan->question.deployment.concurrency);
    tn_json_end_object(json);
    write_number(json, "plans", chart->plan_count);
    if (chart->lines) {
        write_lines(json, chart->lines);
    } else if (chart->grid) {
        write_limit(json, chart->grid->limit_bytes);
        write_cells(json, chart->grid);
        write_frontier(json, chart->grid);
    }
    tn_json_end_object(json);
}
