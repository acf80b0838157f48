/* The scale of a chart: round steps on both axes, and where a value lies between them. Integers only. And a chart in words. */
#include "report/writer.h"

#include "base/number.h"

enum { X_STEPS = 4, Y_STEPS = 5 }; /* at most */

/* The least of 1, 2, 5, 10, 20, 25, 50, 100 ... of which `steps` reach `end`. */
static uint64_t round_step(uint64_t end, unsigned steps)
{
    static const uint64_t leads[] = {10, 20, 25, 50};
    uint64_t least = tn_ceil_div(end, steps);
    for (uint64_t power = 1;; power *= 10) {
        for (size_t k = 0; k < sizeof leads / sizeof *leads; k++) {
            bool is_whole = power > 1 || leads[k] % 10 == 0;
            uint64_t step = power > 1 ? leads[k] * (power / 10) : leads[k] / 10;
            if (is_whole && step >= least) {
                return step;
            }
        }
    }
}

/* Contexts are powers of two more often than not: 32,768 reads better under such an axis than 50,000. */
static uint64_t x_step(uint64_t end)
{
    if (end % 1024 != 0 || end == 0) {
        return round_step(end, X_STEPS);
    }
    uint64_t step = 1024;
    while (step < tn_ceil_div(end, X_STEPS)) {
        step *= 2;
    }
    return step;
}

struct tn_scale tn_chart_scale(const struct tn_chart *chart, enum tn_units units)
{
    struct tn_scale scale = {0};
    uint64_t y_end = chart->limit_bytes;
    for (size_t k = 0; k < chart->series_count; k++) {
        const struct tn_series *series = &chart->series[k];
        for (size_t point = 0; point < series->count; point++) {
            scale.x_end = series->x[point] > scale.x_end ? series->x[point] : scale.x_end;
            y_end = series->y_bytes[point] > y_end ? series->y_bytes[point] : y_end;
        }
    }
    scale.x_step = x_step(scale.x_end);
    scale.unit = tn_unit_for(y_end, units, 0);
    uint64_t y_units = tn_ceil_div(y_end, scale.unit.bytes);
    y_units = y_units ? y_units : 1;
    scale.y_step_units = round_step(y_units, Y_STEPS);
    scale.y_steps = (unsigned)tn_ceil_div(y_units, scale.y_step_units);
    return scale;
}

static size_t share(tn_u128 value, tn_u128 end, size_t extent)
{
    return end ? (size_t)(((tn_u128)2 * extent * value + end) / (2 * end)) : 0;
}

size_t tn_scale_x(const struct tn_scale *scale, uint64_t x, size_t extent)
{
    return share(x, scale->x_end, extent);
}

size_t tn_scale_y(const struct tn_scale *scale, uint64_t bytes, size_t extent)
{
    return share(bytes, (tn_u128)scale->unit.bytes * scale->y_step_units * scale->y_steps, extent);
}

void tn_write_limit(struct tn_builder *out, const struct tn_chart *chart, const struct tn_style *style)
{
    if (chart->limit_text.size) {
        tn_clean_add(out, chart->limit_text, NULL);
    } else {
        tn_builder_add_text(out, tn_word(TN_WORD_CAPACITY, style->language));
    }
    tn_builder_add_char(out, ' ');
    tn_write_bytes(out, chart->limit_bytes, style->units);
}

static void write_point(struct tn_builder *out, const struct tn_series *series, size_t k, enum tn_units units)
{
    tn_write_bytes(out, series->y_bytes[k], units);
    tn_builder_add_text(out, " @ ");
    tn_builder_add_grouped(out, series->x[k]);
}

void tn_write_chart_sentence(struct tn_builder *out, const struct tn_chart *chart, enum tn_units units)
{
    tn_clean_add(out, chart->title, NULL);
    for (size_t k = 0; k < chart->series_count; k++) {
        const struct tn_series *series = &chart->series[k];
        tn_builder_add_text(out, k || chart->title.size ? "; " : "");
        tn_clean_add(out, series->label, NULL);
        bool few = series->count <= TN_MOST_MARKED_POINTS; /* of many, the first and the last */
        for (size_t point = 0; point < series->count; point += few || point > 0 ? 1 : series->count - 1) {
            tn_builder_add_text(out, point ? ", " : ": ");
            write_point(out, series, point, units);
        }
    }
}
