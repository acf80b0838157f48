/* Bars of GPUs as SVG: what is in each, the range in which it may end as hatching, a legend. */
#include "report/writer.h"

#include "base/number.h"
#include "text/utf8.h"

enum {
    BAR_HEIGHT = 22,
    BAR_PITCH = 34,
    EXCESS_PITCH = 20,
    LEAST_TENTHS = 20,
    MOST_LABEL_COLUMNS = 28,
    HATCH_PITCH = 50,
    LEGEND_GAP = 8
};

/* Where the parts of a bar's line are. */
struct frame {
    unsigned left;
    unsigned bar_left;
    unsigned bar_width;
    unsigned right; /* of the figures */
    bool stacked;   /* the bar stands below its label and figures */
};

static size_t widest_label(const struct tn_block *block)
{
    struct tn_builder label = {0};
    size_t most = 0;
    for (size_t first = 0; first < block->bar_count;) {
        size_t count = tn_bar_group(block, first);
        tn_builder_clear(&label);
        tn_write_bar_label(&label, block, first, count);
        size_t width = tn_utf8_columns(tn_builder_str(&label));
        most = width > most ? width : most;
        first += count;
    }
    tn_builder_free(&label);
    return most < MOST_LABEL_COLUMNS ? most : MOST_LABEL_COLUMNS;
}

static size_t widest_figures(const struct tn_block *block, enum tn_units units)
{
    struct tn_builder figures = {0};
    size_t most = 0;
    for (size_t k = 0; k < block->bar_count; k++) {
        tn_builder_clear(&figures);
        tn_write_bar_figures(&figures, &block->bars[k], units);
        size_t width = tn_utf8_columns(tn_builder_str(&figures));
        most = width > most ? width : most;
    }
    tn_builder_free(&figures);
    return most;
}

static struct frame plan_frame(const struct tn_svg *svg, const struct tn_block *block)
{
    unsigned margin = tn_svg_margin(svg);
    unsigned figures = (unsigned)widest_figures(block, svg->style->units) * TN_SVG_COLUMN;
    unsigned label = (unsigned)widest_label(block) * TN_SVG_COLUMN;
    struct frame frame = {.left = margin, .right = svg->width - margin, .stacked = svg->width < TN_SVG_NARROW};
    frame.bar_left = frame.stacked ? margin : margin + label + (label ? margin : 0);
    frame.bar_width = frame.stacked ? frame.right - margin : frame.right - figures - margin - frame.bar_left;
    return frame;
}

/* One shade of a bar, with what a program and a pointer want to know of it. */
static void draw_box(struct tn_svg *svg, const struct tn_bar *bar, size_t part, const struct tn_svg_box *box)
{
    struct tn_builder *out = &svg->body;
    bool is_shade = part < TN_SHADE_COUNT;
    tn_builder_addf(out, "<rect class=\"%s\"", is_shade ? tn_shade_looks[part].key : "track");
    tn_svg_box(out, box);
    if (is_shade) {
        struct tn_builder text = {0};
        tn_builder_addf(&text, "%s ", tn_shade_name((enum tn_shade)part, svg->style->language));
        tn_write_bytes(&text, bar->bytes[part], svg->style->units);
        tn_svg_data_text(out, "category", tn_str_of(tn_shade_looks[part].key));
        tn_svg_data(out, "bytes", bar->bytes[part]);
        tn_builder_add_char(out, '>');
        tn_svg_title(out, tn_builder_str(&text));
        out->failed |= text.failed;
        tn_builder_free(&text);
    }
    tn_builder_add_text(out, is_shade ? "</rect>\n" : "/>\n");
}

/* From the least to the most that a bar may come to: as far as the drawing of the uncertain part reaches, and as far before it in scale. */
static void draw_range(struct tn_svg *svg, const struct tn_bar *bar, struct tn_svg_box box,
                       const size_t ends[TN_BAR_PARTS])
{
    struct tn_bar_sum sum = tn_bar_sum(bar);
    size_t mid = ends[TN_SHADE_OVERHEAD];
    size_t end = ends[TN_SHADE_UNCERTAIN];
    size_t from = mid;
    if (bar->low_bytes && bar->low_bytes < sum.sure_bytes) {
        from = (size_t)((tn_u128)mid * bar->low_bytes / sum.sure_bytes);
    }
    if (end > from) {
        box.x += from;
        box.width = end - from;
        tn_svg_hatch(svg, &box, HATCH_PITCH);
    }
}

static void draw_boxes(struct tn_svg *svg, const struct tn_bar *bar, const struct frame *frame)
{
    size_t ends[TN_BAR_PARTS];
    size_t extent = (size_t)frame->bar_width * TN_SVG_TENTHS;
    size_t capacity_end = tn_bar_layout(bar, extent, LEAST_TENTHS, ends);
    struct tn_svg_box box = {frame->bar_left * TN_SVG_TENTHS, svg->y * TN_SVG_TENTHS, 0, BAR_HEIGHT * TN_SVG_TENTHS};
    size_t from = 0;
    for (size_t k = 0; k < TN_BAR_PARTS; k++) {
        struct tn_svg_box part = box;
        part.x += from;
        part.width = ends[k] - from;
        if (part.width) {
            draw_box(svg, bar, k, &part);
        }
        from = ends[k];
    }
    draw_range(svg, bar, box, ends);
    if (capacity_end < extent) {
        unsigned x = frame->bar_left + (unsigned)(capacity_end / TN_SVG_TENTHS);
        tn_builder_addf(&svg->body, "<line class=\"bound\" x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>\n", x, svg->y - 3,
                        x, svg->y + BAR_HEIGHT + 3);
    }
}

/* The bar in numbers, in a group's attributes. */
static void begin_bar(struct tn_svg *svg, const struct tn_bar *bar, struct tn_str label, size_t count,
                      struct tn_str sentence)
{
    struct tn_builder *out = &svg->body;
    struct tn_bar_sum sum = tn_bar_sum(bar);
    tn_builder_add_text(out, "<g class=\"bar\"");
    tn_svg_data_text(out, "label", label);
    tn_svg_data(out, "count", count);
    tn_svg_data(out, "low", bar->low_bytes ? bar->low_bytes : sum.sure_bytes);
    tn_svg_data(out, "mid", sum.sure_bytes);
    tn_svg_data(out, "high", sum.used_bytes);
    if (bar->capacity_bytes) {
        tn_svg_data(out, "capacity", bar->capacity_bytes);
        tn_svg_data_text(out, "fits", sum.excess_bytes ? TN_STR("no") : TN_STR("fits"));
    }
    tn_builder_add_char(out, '>');
    tn_svg_title(out, sentence);
    tn_builder_add_char(out, '\n');
}

static void draw_bar(struct tn_svg *svg, const struct tn_block *block, size_t first, size_t count,
                     const struct frame *frame)
{
    const struct tn_bar *bar = &block->bars[first];
    struct tn_builder text = {0};
    struct tn_builder label = {0};
    tn_write_bar_sentence(&text, block, first, count, svg->style);
    tn_write_bar_label(&label, block, first, count);
    begin_bar(svg, bar, tn_builder_str(&label), count, tn_builder_str(&text));
    tn_svg_text(svg, frame->left, svg->y + 16, NULL, tn_builder_str(&label), MOST_LABEL_COLUMNS);
    tn_builder_clear(&text);
    tn_write_bar_figures(&text, bar, svg->style->units);
    tn_svg_text(svg, frame->right, svg->y + 16, "class=\"right\"", tn_builder_str(&text), SIZE_MAX);
    svg->y += frame->stacked ? TN_SVG_LINE : 0;
    draw_boxes(svg, bar, frame);
    svg->y += BAR_PITCH;
    tn_builder_clear(&text);
    tn_write_bar_excess(&text, bar, svg->style);
    if (text.size) {
        tn_svg_text(svg, frame->right, svg->y + 6, "class=\"bad right\"", tn_builder_str(&text), SIZE_MAX);
        svg->y += EXCESS_PITCH;
    }
    tn_builder_add_text(&svg->body, "</g>\n");
    svg->body.failed |= text.failed | label.failed;
    tn_builder_free(&text);
    tn_builder_free(&label);
}

static void draw_swatch(struct tn_svg *svg, enum tn_shade shade, unsigned x)
{
    enum { SIDE = 12 };
    struct tn_svg_box box = {x * TN_SVG_TENTHS, (svg->y + 5) * TN_SVG_TENTHS, SIDE * TN_SVG_TENTHS,
                             SIDE * TN_SVG_TENTHS};
    tn_builder_addf(&svg->body, "<rect class=\"%s\"", tn_shade_looks[shade].key);
    tn_svg_box(&svg->body, &box);
    tn_builder_add_text(&svg->body, "/>\n");
    if (shade == TN_SHADE_UNCERTAIN) {
        tn_svg_hatch(svg, &box, HATCH_PITCH);
    }
}

static void draw_legend(struct tn_svg *svg, const struct tn_block *block, const struct frame *frame)
{
    uint64_t totals[TN_SHADE_COUNT];
    tn_bar_totals(block, totals);
    unsigned x = frame->bar_left;
    if (block->bar_count > 1) {
        struct tn_str word =
            tn_str_of(tn_word(tn_bars_equal(block) ? TN_WORD_EACH : TN_WORD_SUM, svg->style->language));
        tn_svg_text(svg, frame->left, svg->y + 16, "class=\"dim\"", word, MOST_LABEL_COLUMNS);
        svg->y += frame->stacked ? TN_SVG_LINE : 0;
    }
    struct tn_builder item = {0};
    for (unsigned shade = 0; shade < TN_SHADE_COUNT; shade++) {
        if (!totals[shade]) {
            continue;
        }
        tn_builder_clear(&item);
        tn_builder_addf(&item, "%s ", tn_shade_name((enum tn_shade)shade, svg->style->language));
        tn_write_bytes(&item, totals[shade], svg->style->units);
        unsigned width = (unsigned)tn_utf8_columns(tn_builder_str(&item)) * TN_SVG_COLUMN + 20;
        if (x > frame->bar_left && x + width > frame->right) {
            x = frame->bar_left;
            svg->y += TN_SVG_LINE;
        }
        draw_swatch(svg, (enum tn_shade)shade, x);
        tn_svg_text(svg, x + 18, svg->y + 16, "class=\"dim\"", tn_builder_str(&item), SIZE_MAX);
        x += width + LEGEND_GAP;
    }
    tn_builder_free(&item);
    svg->y += TN_SVG_LINE;
}

void tn_svg_bars(struct tn_svg *svg, const struct tn_block *block)
{
    struct frame frame = plan_frame(svg, block);
    for (size_t first = 0; first < block->bar_count;) {
        size_t count = tn_bar_group(block, first);
        draw_bar(svg, block, first, count, &frame);
        first += count;
    }
    draw_legend(svg, block, &frame);
}
