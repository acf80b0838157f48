/* SVG: one image of the bars of a report; of its chart, or of its table, where it has no bars. */
#include "report/writer.h"

#include "text/utf8.h"

enum {
    BAR_HEIGHT = 22,
    BAR_PITCH = 34,
    EXCESS_PITCH = 20,
    LEAST_TENTHS = 20,
    TENTHS = 10,
    MOST_LABEL_COLUMNS = 28,
    MOST_CELL_COLUMNS = 60
};

/* Where the parts of a bar's line are. */
struct frame {
    unsigned bar_left;
    unsigned bar_width;
    unsigned right; /* of the figures */
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

static void draw_boxes(struct tn_svg *svg, const struct tn_bar *bar, const struct frame *frame)
{
    size_t ends[TN_BAR_PARTS];
    size_t extent = (size_t)frame->bar_width * TENTHS;
    size_t capacity_end = tn_bar_layout(bar, extent, LEAST_TENTHS, ends);
    size_t from = 0;
    for (size_t k = 0; k < TN_BAR_PARTS; k++) {
        if (ends[k] > from) {
            tn_builder_addf(&svg->body, "<rect class=\"%s\" y=\"%u\" height=\"%d\" x=\"",
                            k < TN_SHADE_COUNT ? tn_shade_looks[k].key : "track", svg->y, BAR_HEIGHT);
            tn_builder_add_fixed(&svg->body, (size_t)frame->bar_left * TENTHS + from, TENTHS, 1);
            tn_builder_add_text(&svg->body, "\" width=\"");
            tn_builder_add_fixed(&svg->body, ends[k] - from, TENTHS, 1);
            tn_builder_add_text(&svg->body, "\"/>\n");
        }
        from = ends[k];
    }
    if (capacity_end < extent) {
        unsigned x = frame->bar_left + (unsigned)(capacity_end / TENTHS);
        tn_builder_addf(&svg->body, "<line class=\"bound\" x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>\n", x, svg->y - 3,
                        x, svg->y + BAR_HEIGHT + 3);
    }
}

static void draw_bar(struct tn_svg *svg, const struct tn_block *block, size_t first, size_t count,
                     const struct frame *frame)
{
    const struct tn_bar *bar = &block->bars[first];
    struct tn_builder text = {0};
    tn_write_bar_sentence(&text, block, first, count, svg->style);
    tn_builder_add_text(&svg->body, "<g><title>");
    tn_clean_add(&svg->body, tn_builder_str(&text), tn_escape_markup);
    tn_builder_add_text(&svg->body, "</title>\n");
    tn_builder_clear(&text);
    tn_write_bar_label(&text, block, first, count);
    tn_svg_text(svg, TN_SVG_MARGIN, svg->y + 16, NULL, tn_builder_str(&text), MOST_LABEL_COLUMNS);
    draw_boxes(svg, bar, frame);
    tn_builder_clear(&text);
    tn_write_bar_figures(&text, bar, svg->style->units);
    tn_svg_text(svg, frame->right, svg->y + 16, "class=\"right\"", tn_builder_str(&text), SIZE_MAX);
    svg->y += BAR_PITCH;
    tn_builder_clear(&text);
    tn_write_bar_excess(&text, bar, svg->style);
    if (text.size) {
        tn_svg_text(svg, frame->right, svg->y + 6, "class=\"bad right\"", tn_builder_str(&text), SIZE_MAX);
        svg->y += EXCESS_PITCH;
    }
    tn_builder_add_text(&svg->body, "</g>\n");
    svg->body.failed |= text.failed;
    tn_builder_free(&text);
}

static void draw_legend(struct tn_svg *svg, const struct tn_block *block, const struct frame *frame)
{
    uint64_t totals[TN_SHADE_COUNT];
    tn_bar_totals(block, totals);
    unsigned x = frame->bar_left;
    if (block->bar_count > 1) {
        enum tn_word word = tn_bars_equal(block) ? TN_WORD_EACH : TN_WORD_SUM;
        tn_svg_text(svg, TN_SVG_MARGIN, svg->y + 16, "class=\"dim\"", tn_str_of(tn_word(word, svg->style->language)),
                    MOST_LABEL_COLUMNS);
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
        tn_builder_addf(&svg->body, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"12\" height=\"12\"/>\n",
                        tn_shade_looks[shade].key, x, svg->y + 5);
        tn_svg_text(svg, x + 18, svg->y + 16, "class=\"dim\"", tn_builder_str(&item), SIZE_MAX);
        x += width + 8;
    }
    tn_builder_free(&item);
    svg->y += TN_SVG_LINE;
}

static void draw_bars(struct tn_svg *svg, const struct tn_block *block)
{
    struct frame frame = {.right = TN_SVG_WIDTH - TN_SVG_MARGIN};
    unsigned figures = (unsigned)widest_figures(block, svg->style->units) * TN_SVG_COLUMN;
    frame.bar_left = TN_SVG_MARGIN + (unsigned)widest_label(block) * TN_SVG_COLUMN + TN_SVG_MARGIN / 2;
    frame.bar_width = frame.right - figures - TN_SVG_MARGIN / 2 - frame.bar_left;
    for (size_t first = 0; first < block->bar_count;) {
        size_t count = tn_bar_group(block, first);
        draw_bar(svg, block, first, count, &frame);
        first += count;
    }
    draw_legend(svg, block, &frame);
}

static void draw_chart(struct tn_svg *svg, const struct tn_block *block)
{
    tn_svg_chart(svg, block->chart);
}

/* Row 0 is the titles. */
static void add_cell(struct tn_builder *out, const struct tn_table *table, size_t row, size_t column,
                     enum tn_units units)
{
    const struct tn_column *head = &table->columns[column];
    tn_builder_clear(out);
    if (row == 0) {
        tn_clean_add(out, tn_str_of(head->title), NULL);
    } else {
        tn_write_cell(out, &table->cells[(row - 1) * table->column_count + column], head, units);
    }
}

/* Draws one column of a table with its left side at svg->width, which it moves to the next column. */
static void draw_column(struct tn_svg *svg, const struct tn_table *table, size_t column)
{
    bool right = table->columns[column].right;
    size_t columns = 0;
    struct tn_builder text = {0};
    for (size_t row = 0; row <= table->row_count; row++) {
        add_cell(&text, table, row, column, svg->style->units);
        size_t width = tn_utf8_columns(tn_builder_str(&text));
        columns = width > columns ? width : columns;
    }
    columns = columns < MOST_CELL_COLUMNS ? columns : MOST_CELL_COLUMNS;
    unsigned width = (unsigned)columns * TN_SVG_COLUMN;
    static const char *const classes[2][2] = {{NULL, "class=\"right\""},
                                              {"class=\"strong\"", "class=\"strong right\""}};
    for (size_t row = 0; row <= table->row_count; row++) {
        add_cell(&text, table, row, column, svg->style->units);
        unsigned y = svg->y + (unsigned)row * TN_SVG_LINE + 16;
        tn_svg_text(svg, svg->width + (right ? width : 0), y, classes[row == 0][right], tn_builder_str(&text), columns);
    }
    svg->width += width + TN_SVG_MARGIN;
    svg->body.failed |= text.failed;
    tn_builder_free(&text);
}

static void draw_table(struct tn_svg *svg, const struct tn_block *block)
{
    const struct tn_table *table = block->table;
    if (table->title.size) {
        tn_svg_text(svg, TN_SVG_MARGIN, svg->y + 16, "class=\"strong\"", table->title,
                    (TN_SVG_WIDTH - 2 * TN_SVG_MARGIN) / TN_SVG_COLUMN);
        svg->y += TN_SVG_LINE;
    }
    unsigned least_width = svg->width;
    svg->width = TN_SVG_MARGIN;
    for (size_t k = 0; k < table->column_count; k++) {
        draw_column(svg, table, k);
    }
    for (size_t row = 0; row < table->row_count; row++) {
        svg->y += TN_SVG_LINE;
        if (row == 0 || table->ruled[row]) {
            tn_builder_addf(&svg->body, "<line class=\"axis\" x1=\"%d\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>\n",
                            TN_SVG_MARGIN, svg->y, svg->width - TN_SVG_MARGIN, svg->y);
        }
    }
    svg->y += TN_SVG_LINE;
    svg->width = svg->width > least_width ? svg->width : least_width;
}

/* The first of these kinds that a report has is drawn, all blocks of it. */
static const struct {
    enum tn_block_kind kind;
    void (*draw)(struct tn_svg *svg, const struct tn_block *block);
} drawings[] = {{TN_BLOCK_BARS, draw_bars}, {TN_BLOCK_CHART, draw_chart}, {TN_BLOCK_TABLE, draw_table}};

/* Draws all blocks of one kind, and says the same in words. false where there is none. */
static bool draw_kind(struct tn_svg *svg, const struct tn_report *report, size_t drawing, struct tn_builder *words)
{
    bool any = false;
    for (size_t k = 0; k < report->count; k++) {
        const struct tn_block *block = &report->blocks[k];
        if (block->kind != drawings[drawing].kind) {
            continue;
        }
        svg->y += any ? TN_SVG_LINE / 2 : 0;
        any = true;
        drawings[drawing].draw(svg, block);
        if (block->kind == TN_BLOCK_CHART) {
            tn_write_chart_sentence(words, block->chart, svg->style->units);
            tn_builder_add_text(words, ". ");
        }
        for (size_t first = 0; first < block->bar_count;) {
            size_t count = tn_bar_group(block, first);
            tn_write_bar_sentence(words, block, first, count, svg->style);
            tn_builder_add_text(words, ". ");
            first += count;
        }
    }
    return any;
}

static void write_page(struct tn_builder *out, const struct tn_svg *svg, struct tn_str title, struct tn_str words)
{
    unsigned height = svg->y + TN_SVG_MARGIN / 2;
    tn_builder_addf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xml:lang=\"%s\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\""
        " role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">",
        tn_word(TN_WORD_TAG, svg->style->language), svg->width, height, svg->width, height);
    tn_clean_add(out, title.size ? title : TN_STR("tonnage"), tn_escape_markup);
    tn_builder_add_text(out, "</title>\n<desc id=\"desc\">");
    tn_clean_add(out, tn_str_trim(words), tn_escape_markup);
    tn_builder_add_text(out, "</desc>\n<style>\n");
    tn_svg_style(out);
    tn_builder_addf(out, "</style>\n<rect class=\"paper\" width=\"%u\" height=\"%u\"/>\n", svg->width, height);
    tn_builder_add(out, tn_builder_str(&svg->body));
    tn_builder_add_text(out, "</svg>\n");
}

void tn_write_svg(const struct tn_report *report, const struct tn_style *style, struct tn_builder *out)
{
    struct tn_svg svg = {.style = style, .width = TN_SVG_WIDTH, .y = TN_SVG_MARGIN / 2};
    struct tn_builder words = {0};
    if (report->title.size) {
        tn_svg_text(&svg, TN_SVG_MARGIN, svg.y + 18, "class=\"strong\"", report->title,
                    (TN_SVG_WIDTH - 2 * TN_SVG_MARGIN) / TN_SVG_COLUMN);
        svg.y += TN_SVG_LINE + TN_SVG_LINE / 2;
    }
    for (size_t k = 0; k < sizeof drawings / sizeof *drawings && !draw_kind(&svg, report, k, &words); k++) {
    }
    write_page(out, &svg, report->title, tn_builder_str(&words));
    out->failed |= svg.body.failed | words.failed;
    tn_builder_free(&svg.body);
    tn_builder_free(&words);
}
