/* What SVG images and HTML pages draw alike: the CSS of shades and lines, text of a known room, charts. */
#include "report/writer.h"

#include "text/utf8.h"

/* The plot, from the top of the chart. Positions within it are in tenths of a pixel. */
enum { PLOT_LEFT = 110, PLOT_RIGHT = 910, PLOT_HEIGHT = 300 };
static const size_t TENTHS = 10;

static const char light_style[] =
    "svg text{fill:#1d2329;font:14px system-ui,-apple-system,\"Segoe UI\",\"Noto Sans\",sans-serif}\n"
    "svg .dim{fill:#616b76}svg .bad{fill:#bb2424}svg .strong{font-weight:600}svg .right{text-anchor:end}"
    "svg .middle{text-anchor:middle}rect{shape-rendering:crispEdges}\n"
    ".paper{fill:#fff}.track{fill:#eef0f2}.axis{stroke:#d5dae0}.bound{stroke:#bb2424;stroke-width:3}"
    ".dashed{stroke-width:1.5;stroke-dasharray:7 5}.line{fill:none;stroke-width:2;stroke-linejoin:round}\n";

static const char dark_style[] =
    "svg text{fill:#dfe4ea}svg .dim{fill:#98a2ad}svg .bad{fill:#ff7b72}\n"
    ".paper{fill:#15181c}.track{fill:#22272e}.axis{stroke:#363d46}.bound{stroke:#ff7b72}\n";

static void write_colours(struct tn_builder *out, bool dark)
{
    for (size_t k = 0; k < TN_SHADE_COUNT; k++) {
        const struct tn_shade_look *look = &tn_shade_looks[k];
        const char *colour = dark ? look->dark : look->light;
        tn_builder_addf(out, ".%s{fill:%s;background:%s}\n", look->key, colour, colour);
    }
    for (size_t k = 0; k < TN_LINE_LOOKS; k++) {
        const char *colour = dark ? tn_line_looks[k].dark : tn_line_looks[k].light;
        tn_builder_addf(out, ".line%zu{stroke:%s}.point%zu{fill:%s}\n", k, colour, k, colour);
    }
}

void tn_svg_style(struct tn_builder *out)
{
    tn_builder_add_text(out, light_style);
    write_colours(out, false);
    tn_builder_add_text(out, "@media(prefers-color-scheme:dark){\n");
    tn_builder_add_text(out, dark_style);
    write_colours(out, true);
    tn_builder_add_text(out, "}\n");
}

/* The longest beginning of clean text that is so many columns wide. */
static struct tn_str cut(struct tn_str text, size_t columns)
{
    size_t width = 0;
    size_t at = 0;
    while (at < text.size) {
        uint32_t code_point;
        struct tn_str rest = tn_str_slice(text, at, text.size);
        size_t size = tn_utf8_decode(rest, &code_point);
        width += tn_utf8_columns(tn_str_slice(rest, 0, size));
        if (width > columns) {
            break;
        }
        at += size;
    }
    return tn_str_slice(text, 0, at);
}

void tn_svg_text(struct tn_svg *svg, unsigned x, unsigned y, const char *attributes, struct tn_str text, size_t columns)
{
    struct tn_builder clean = {0};
    tn_clean_add(&clean, text, NULL);
    struct tn_str all = tn_builder_str(&clean);
    bool fits = tn_utf8_columns(all) <= columns;
    tn_builder_addf(&svg->body, "<text x=\"%u\" y=\"%u\"%s%s>", x, y, attributes ? " " : "",
                    attributes ? attributes : "");
    tn_clean_add(&svg->body, fits ? all : cut(all, columns ? columns - 1 : 0), tn_escape_markup);
    tn_builder_add_text(&svg->body, fits ? "</text>\n" : "…</text>\n");
    svg->body.failed |= clean.failed;
    tn_builder_free(&clean);
}

static void add_tenths(struct tn_builder *out, size_t tenths)
{
    tn_builder_add_fixed(out, tenths, TENTHS, 1);
}

static size_t place_x(const struct tn_scale *scale, uint64_t x)
{
    return TENTHS * PLOT_LEFT + tn_scale_x(scale, x, TENTHS * (PLOT_RIGHT - PLOT_LEFT));
}

static size_t place_y(const struct tn_scale *scale, unsigned top, uint64_t bytes)
{
    return TENTHS * ((size_t)top + PLOT_HEIGHT) - tn_scale_y(scale, bytes, TENTHS * PLOT_HEIGHT);
}

static void draw_y_axis(struct tn_svg *svg, const struct tn_scale *scale, unsigned top)
{
    struct tn_builder label = {0};
    for (unsigned k = 0; k <= scale->y_steps; k++) {
        unsigned y = top + PLOT_HEIGHT - PLOT_HEIGHT * k / scale->y_steps;
        tn_builder_addf(&svg->body, "<line class=\"axis\" x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>\n", PLOT_LEFT, y,
                        PLOT_RIGHT, y);
        tn_builder_clear(&label);
        tn_builder_add_u64(&label, k * scale->y_step_units);
        tn_builder_addf(&label, " %s", scale->unit.name);
        tn_svg_text(svg, PLOT_LEFT - 10, y + 5, "class=\"dim right\"", tn_builder_str(&label), SIZE_MAX);
    }
    tn_builder_free(&label);
}

static void draw_x_axis(struct tn_svg *svg, const struct tn_scale *scale, const struct tn_chart *chart, unsigned bottom)
{
    struct tn_builder label = {0};
    for (uint64_t x = 0;; x += scale->x_step) {
        unsigned place = (unsigned)(place_x(scale, x) / TENTHS);
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
    tn_svg_text(svg, (PLOT_LEFT + PLOT_RIGHT) / 2, bottom + 42, "class=\"dim middle\"", chart->x_title,
                (PLOT_RIGHT - PLOT_LEFT) / TN_SVG_COLUMN);
}

static void draw_series(struct tn_svg *svg, const struct tn_scale *scale, const struct tn_series *series, size_t look,
                        unsigned top)
{
    struct tn_builder *out = &svg->body;
    tn_builder_addf(out, "<polyline class=\"line line%zu\" points=\"", look);
    for (size_t k = 0; k < series->count; k++) {
        tn_builder_add_text(out, k ? " " : "");
        add_tenths(out, place_x(scale, series->x[k]));
        tn_builder_add_char(out, ',');
        add_tenths(out, place_y(scale, top, series->y_bytes[k]));
    }
    tn_builder_add_text(out, "\"/>\n");
    for (size_t k = 0; k < series->count && series->count <= TN_MOST_MARKED_POINTS; k++) {
        tn_builder_addf(out, "<circle class=\"point%zu\" r=\"3.5\" cx=\"", look);
        add_tenths(out, place_x(scale, series->x[k]));
        tn_builder_add_text(out, "\" cy=\"");
        add_tenths(out, place_y(scale, top, series->y_bytes[k]));
        tn_builder_add_text(out, "\"/>\n");
    }
}

/* A line for each series, and one for the limit. */
static void draw_legend(struct tn_svg *svg, const struct tn_chart *chart)
{
    const size_t columns = (PLOT_RIGHT - PLOT_LEFT) / TN_SVG_COLUMN;
    for (size_t k = 0; k < chart->series_count; k++) {
        tn_builder_addf(&svg->body, "<circle class=\"point%zu\" r=\"5\" cx=\"%u\" cy=\"%u\"/>\n", k % TN_LINE_LOOKS,
                        PLOT_LEFT + 10, svg->y + 11);
        tn_svg_text(svg, PLOT_LEFT + 28, svg->y + 16, NULL, chart->series[k].label, columns);
        svg->y += TN_SVG_LINE;
    }
    if (chart->limit_bytes) {
        struct tn_builder label = {0};
        tn_builder_addf(&label, "%s ", tn_word(TN_WORD_CAPACITY, svg->style->language));
        tn_write_bytes(&label, chart->limit_bytes, svg->style->units);
        tn_builder_addf(&svg->body, "<line class=\"bound dashed\" x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>\n",
                        PLOT_LEFT, svg->y + 11, PLOT_LEFT + 20, svg->y + 11);
        tn_svg_text(svg, PLOT_LEFT + 28, svg->y + 16, NULL, tn_builder_str(&label), columns);
        tn_builder_free(&label);
        svg->y += TN_SVG_LINE;
    }
}

void tn_svg_chart(struct tn_svg *svg, const struct tn_chart *chart)
{
    struct tn_scale scale = tn_chart_scale(chart, svg->style->units);
    if (chart->title.size) {
        tn_svg_text(svg, TN_SVG_MARGIN, svg->y + 16, "class=\"strong\"", chart->title,
                    (TN_SVG_WIDTH - 2 * TN_SVG_MARGIN) / TN_SVG_COLUMN);
        svg->y += TN_SVG_LINE;
    }
    unsigned top = svg->y + TN_SVG_LINE / 2;
    draw_y_axis(svg, &scale, top);
    draw_x_axis(svg, &scale, chart, top + PLOT_HEIGHT);
    if (chart->limit_bytes) {
        tn_builder_addf(&svg->body, "<line class=\"bound dashed\" x1=\"%u\" x2=\"%u\"", PLOT_LEFT, PLOT_RIGHT);
        for (unsigned k = 1; k <= 2; k++) {
            tn_builder_addf(&svg->body, " y%u=\"", k);
            add_tenths(&svg->body, place_y(&scale, top, chart->limit_bytes));
            tn_builder_add_char(&svg->body, '"');
        }
        tn_builder_add_text(&svg->body, "/>\n");
    }
    for (size_t k = 0; k < chart->series_count; k++) {
        draw_series(svg, &scale, &chart->series[k], k % TN_LINE_LOOKS, top);
    }
    svg->y = top + PLOT_HEIGHT + 2 * TN_SVG_LINE + TN_SVG_LINE / 4;
    draw_legend(svg, chart);
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
