/* Charts as SVG: lines over a grid of round steps, a limit, the point that was asked for, a legend. Positions within the plot are in tenths of
 * a pixel. */
#include "report/writer.h"

#include "base/number.h"

enum {
    WIDE_LEFT = 110,
    NARROW_LEFT = 72,
    WIDE_RIGHT = 50,
    NARROW_RIGHT = 24,
    WIDE_HEIGHT = 300,
    NARROW_HEIGHT = 220,
    RADIUS = 35
};

/* Where the plot is. */
struct plot {
    unsigned left;
    unsigned right;
    unsigned top;
    unsigned height;
    struct tn_scale scale;
};

static struct plot plan_plot(const struct tn_svg *svg, const struct tn_chart *chart)
{
    bool narrow = svg->width < TN_SVG_NARROW;
    return (struct plot){.left = narrow ? NARROW_LEFT : WIDE_LEFT,
                         .right = svg->width - (narrow ? NARROW_RIGHT : WIDE_RIGHT),
                         .height = narrow ? NARROW_HEIGHT : WIDE_HEIGHT,
                         .scale = tn_chart_scale(chart, svg->style->units)};
}

static size_t place_x(const struct plot *plot, uint64_t x)
{
    return TN_SVG_TENTHS * plot->left + tn_scale_x(&plot->scale, x, TN_SVG_TENTHS * (plot->right - plot->left));
}

static size_t place_y(const struct plot *plot, uint64_t bytes)
{
    return TN_SVG_TENTHS * ((size_t)plot->top + plot->height)
           - tn_scale_y(&plot->scale, bytes, TN_SVG_TENTHS * plot->height);
}

static void draw_y_axis(struct tn_svg *svg, const struct plot *plot)
{
    const struct tn_scale *scale = &plot->scale;
    struct tn_builder label = {0};
    for (unsigned k = 0; k <= scale->y_steps; k++) {
        unsigned y = plot->top + plot->height - plot->height * k / scale->y_steps;
        tn_builder_addf(&svg->body, "<line class=\"axis\" x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>\n", plot->left, y,
                        plot->right, y);
        tn_builder_clear(&label);
        tn_builder_add_u64(&label, k * scale->y_step_units);
        tn_builder_addf(&label, " %s", scale->unit.name);
        tn_svg_text(svg, plot->left - 10, y + 5, "class=\"dim right\"", tn_builder_str(&label), SIZE_MAX);
    }
    tn_builder_free(&label);
}

static void draw_x_axis(struct tn_svg *svg, const struct plot *plot, const struct tn_chart *chart)
{
    const struct tn_scale *scale = &plot->scale;
    unsigned bottom = plot->top + plot->height;
    struct tn_builder label = {0};
    for (uint64_t x = 0;; x += scale->x_step) {
        unsigned place = (unsigned)(place_x(plot, x) / TN_SVG_TENTHS);
        tn_builder_addf(&svg->body, "<line class=\"axis\" x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>\n", place, bottom,
                        place, bottom + 5);
        tn_builder_clear(&label);
        tn_builder_add_grouped(&label, x);
        tn_svg_text(svg, place, bottom + 20, "class=\"dim middle\"", tn_builder_str(&label), SIZE_MAX);
        if (scale->x_end - x < scale->x_step) {
            break;
        }
    }
    tn_builder_free(&label);
    tn_svg_text(svg, (plot->left + plot->right) / 2, bottom + 42, "class=\"dim middle\"", chart->x_title,
                (plot->right - plot->left) / TN_SVG_COLUMN);
}

static void draw_limit(struct tn_svg *svg, const struct plot *plot, uint64_t limit)
{
    tn_builder_addf(&svg->body, "<line class=\"bound dashed\" x1=\"%u\" x2=\"%u\"", plot->left, plot->right);
    for (unsigned k = 1; k <= 2; k++) {
        tn_builder_addf(&svg->body, " y%u=\"", k);
        tn_svg_tenths(&svg->body, place_y(plot, limit));
        tn_builder_add_char(&svg->body, '"');
    }
    tn_svg_data(&svg->body, "bytes", limit);
    tn_builder_add_text(&svg->body, "/>\n");
}

static void write_place(struct tn_builder *out, const struct plot *plot, const struct tn_series *series, size_t point)
{
    tn_builder_add_text(out, " cx=\"");
    tn_svg_tenths(out, place_x(plot, series->x[point]));
    tn_builder_add_text(out, "\" cy=\"");
    tn_svg_tenths(out, place_y(plot, series->y_bytes[point]));
    tn_builder_add_char(out, '"');
}

/* A point that does not fit is hollow. */
static void draw_point(struct tn_svg *svg, const struct plot *plot, const struct tn_series *series, size_t point,
                       size_t look)
{
    struct tn_builder *out = &svg->body;
    enum tn_fits fits = series->fits ? series->fits[point] : TN_FITS_YES;
    struct tn_builder text = {0};
    if (fits == TN_FITS_YES) {
        tn_builder_addf(out, "<circle class=\"point%zu\"", look);
    } else {
        tn_builder_addf(out, "<circle class=\"hollow line%zu\"", look);
    }
    tn_builder_add_text(out, " r=\"");
    tn_svg_tenths(out, RADIUS);
    tn_builder_add_char(out, '"');
    write_place(out, plot, series, point);
    tn_svg_data(out, series->number ? "context" : "x", series->x[point]);
    tn_svg_data(out, "bytes", series->y_bytes[point]);
    if (series->fits) {
        tn_svg_data_text(out, "fits", tn_str_of(tn_fits_looks[fits].key));
    }
    tn_builder_add_char(out, '>');
    tn_clean_add(&text, series->label, NULL);
    tn_builder_add_text(&text, ", ");
    tn_builder_add_grouped(&text, series->x[point]);
    tn_builder_add_text(&text, ": ");
    tn_write_bytes(&text, series->y_bytes[point], svg->style->units);
    if (series->fits) {
        tn_builder_addf(&text, ", %s", tn_fits_looks[fits].names[svg->style->language]);
    }
    tn_svg_title(out, tn_builder_str(&text));
    tn_builder_add_text(out, "</circle>\n");
    out->failed |= text.failed;
    tn_builder_free(&text);
}

static void draw_series(struct tn_svg *svg, const struct plot *plot, const struct tn_chart *chart, size_t number)
{
    const struct tn_series *series = &chart->series[number];
    size_t look = number % TN_LINE_LOOKS;
    bool asked = chart->asked_x && number == chart->asked_series;
    struct tn_builder *out = &svg->body;
    tn_builder_add_text(out, "<g class=\"series\"");
    tn_svg_data_text(out, "label", series->label);
    if (series->number) {
        tn_svg_data(out, "concurrency", series->number);
    }
    tn_builder_addf(out, ">\n<polyline class=\"line line%zu%s\" points=\"", look, asked ? " asked-line" : "");
    for (size_t k = 0; k < series->count; k++) {
        tn_builder_add_text(out, k ? " " : "");
        tn_svg_tenths(out, place_x(plot, series->x[k]));
        tn_builder_add_char(out, ',');
        tn_svg_tenths(out, place_y(plot, series->y_bytes[k]));
    }
    tn_builder_add_text(out, "\"/>\n");
    for (size_t k = 0; k < series->count && series->count <= TN_MOST_MARKED_POINTS; k++) {
        draw_point(svg, plot, series, k, look);
        if (asked && series->x[k] == chart->asked_x) {
            tn_builder_add_text(out, "<circle class=\"asked\" r=\"8\"");
            write_place(out, plot, series, k);
            tn_builder_add_text(out, "/>\n");
        }
    }
    tn_builder_add_text(out, "</g>\n");
}

static bool has_hollow(const struct tn_chart *chart)
{
    for (size_t k = 0; k < chart->series_count; k++) {
        for (size_t point = 0; chart->series[k].fits && point < chart->series[k].count; point++) {
            if (chart->series[k].fits[point] != TN_FITS_YES) {
                return true;
            }
        }
    }
    return false;
}

/* A line for each series, one for the limit, one for hollow points, one for the ring. */
static void draw_legend(struct tn_svg *svg, const struct plot *plot, const struct tn_chart *chart)
{
    const unsigned left = svg->width < TN_SVG_NARROW ? tn_svg_margin(svg) : plot->left;
    const size_t columns = (svg->width - left - 28) / TN_SVG_COLUMN;
    for (size_t k = 0; k < chart->series_count; k++) {
        tn_builder_addf(&svg->body, "<circle class=\"point%zu\" r=\"5\" cx=\"%u\" cy=\"%u\"/>\n", k % TN_LINE_LOOKS,
                        left + 10, svg->y + 11);
        tn_svg_text(svg, left + 28, svg->y + 16, NULL, chart->series[k].label, columns);
        svg->y += TN_SVG_LINE;
    }
    if (chart->limit_bytes) {
        struct tn_builder label = {0};
        tn_write_limit(&label, chart, svg->style);
        tn_builder_addf(&svg->body, "<line class=\"bound dashed\" x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>\n", left,
                        svg->y + 11, left + 20, svg->y + 11);
        tn_svg_text(svg, left + 28, svg->y + 16, NULL, tn_builder_str(&label), columns);
        tn_builder_free(&label);
        svg->y += TN_SVG_LINE;
    }
    if (has_hollow(chart)) {
        tn_builder_addf(&svg->body, "<circle class=\"hollow axis\" r=\"4\" cx=\"%u\" cy=\"%u\"/>\n", left + 10,
                        svg->y + 11);
        tn_svg_text(svg, left + 28, svg->y + 16, NULL, tn_str_of(tn_word(TN_WORD_HOLLOW, svg->style->language)),
                    columns);
        svg->y += TN_SVG_LINE;
    }
    if (chart->asked_x) {
        tn_builder_addf(&svg->body, "<circle class=\"asked\" r=\"7\" cx=\"%u\" cy=\"%u\"/>\n", left + 10, svg->y + 11);
        tn_svg_text(svg, left + 28, svg->y + 16, NULL, tn_str_of(tn_word(TN_WORD_ASKED, svg->style->language)),
                    columns);
        svg->y += TN_SVG_LINE;
    }
}

void tn_svg_chart(struct tn_svg *svg, const struct tn_chart *chart)
{
    struct plot plot = plan_plot(svg, chart);
    tn_svg_heading(svg, "class=\"strong\"", chart->title);
    plot.top = svg->y + TN_SVG_LINE / 2;
    draw_y_axis(svg, &plot);
    draw_x_axis(svg, &plot, chart);
    if (chart->limit_bytes) {
        draw_limit(svg, &plot, chart->limit_bytes);
    }
    for (size_t k = 0; k < chart->series_count; k++) {
        draw_series(svg, &plot, chart, k);
    }
    svg->y = plot.top + plot.height + 2 * TN_SVG_LINE + TN_SVG_LINE / 4;
    draw_legend(svg, &plot, chart);
}
