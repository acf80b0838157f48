/* SVG: one image of the bars of a report; of its chart, or of its table, where it has no bars. */
#include "report/writer.h"

#include "text/utf8.h"

enum { MOST_CELL_COLUMNS = 60, COLUMN_GAP = 24, TOP = 12 };

static void draw_bars(struct tn_svg *svg, const struct tn_block *block)
{
    tn_svg_bars(svg, block);
}

static void draw_chart(struct tn_svg *svg, const struct tn_block *block)
{
    tn_svg_chart(svg, block->chart);
}

static void draw_grid(struct tn_svg *svg, const struct tn_block *block)
{
    tn_svg_grid(svg, block->grid);
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
    svg->width += width + COLUMN_GAP;
    svg->body.failed |= text.failed;
    tn_builder_free(&text);
}

static void draw_table(struct tn_svg *svg, const struct tn_block *block)
{
    const struct tn_table *table = block->table;
    tn_svg_heading(svg, "class=\"strong\"", table->title);
    unsigned least_width = svg->width;
    unsigned margin = tn_svg_margin(svg);
    svg->width = margin;
    for (size_t k = 0; k < table->column_count; k++) {
        draw_column(svg, table, k);
    }
    for (size_t row = 0; row < table->row_count; row++) {
        svg->y += TN_SVG_LINE;
        if (row == 0 || table->ruled[row]) {
            tn_builder_addf(&svg->body, "<line class=\"axis\" x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>\n", margin,
                            svg->y, svg->width - COLUMN_GAP, svg->y);
        }
    }
    svg->y += TN_SVG_LINE;
    svg->width = svg->width > least_width ? svg->width : least_width;
}

/* The first of these kinds that a report has is drawn, all blocks of it. */
static const struct {
    enum tn_block_kind kind;
    void (*draw)(struct tn_svg *svg, const struct tn_block *block);
} drawings[] = {
    {TN_BLOCK_BARS, draw_bars}, {TN_BLOCK_CHART, draw_chart}, {TN_BLOCK_GRID, draw_grid}, {TN_BLOCK_TABLE, draw_table}};

/* All of a drawing in words. */
static void say(struct tn_builder *words, const struct tn_block *block, const struct tn_style *style)
{
    if (block->kind == TN_BLOCK_CHART) {
        tn_write_chart_sentence(words, block->chart, style->units);
        tn_builder_add_text(words, ". ");
    } else if (block->kind == TN_BLOCK_GRID) {
        tn_write_grid_sentence(words, block->grid, style->language);
        tn_builder_add_text(words, ". ");
    }
    for (size_t first = 0; first < block->bar_count;) {
        size_t count = tn_bar_group(block, first);
        tn_write_bar_sentence(words, block, first, count, style);
        tn_builder_add_text(words, ". ");
        first += count;
    }
}

/* Draws all blocks of one kind, and says the same in words. false where there is none. */
static bool draw_kind(struct tn_svg *svg, const struct tn_report *report, size_t drawing, struct tn_builder *words)
{
    bool any = false;
    for (size_t k = 0; k < report->count; k++) {
        const struct tn_block *block = &report->blocks[k];
        if (block->kind == drawings[drawing].kind) {
            svg->y += any ? TN_SVG_LINE / 2 : 0;
            any = true;
            drawings[drawing].draw(svg, block);
            say(words, block, svg->style);
        }
    }
    return any;
}

static void write_page(struct tn_builder *out, const struct tn_svg *svg, struct tn_str title, struct tn_str words)
{
    unsigned height = svg->y + TOP;
    tn_builder_addf(out,
                    "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tn\" xml:lang=\"%s\" width=\"%u\" height=\"%u\""
                    " viewBox=\"0 0 %u %u\" role=\"img\">\n",
                    tn_word(TN_WORD_TAG, svg->style->language), svg->width, height, svg->width, height);
    tn_svg_title(out, title.size ? title : TN_STR("tonnage"));
    tn_builder_add_text(out, "\n<desc>");
    tn_clean_add(out, tn_str_trim(words), tn_escape_markup);
    tn_builder_add_text(out, "</desc>\n<style>\n");
    tn_svg_style(out, false);
    tn_builder_addf(out, "</style>\n<rect class=\"paper\" width=\"%u\" height=\"%u\"/>\n", svg->width, height);
    tn_builder_add(out, tn_builder_str(&svg->body));
    tn_builder_add_text(out, "</svg>\n");
}

void tn_write_svg(const struct tn_report *report, const struct tn_style *style, struct tn_builder *out)
{
    struct tn_svg svg = {.style = style, .width = tn_svg_width(style), .y = TOP};
    struct tn_builder words = {0};
    tn_svg_heading(&svg, "class=\"strong heading\"", report->title);
    svg.y += report->title.size ? TN_SVG_LINE / 2 : 0;
    for (size_t k = 0; k < sizeof drawings / sizeof *drawings && !draw_kind(&svg, report, k, &words); k++) {
    }
    write_page(out, &svg, report->title, tn_builder_str(&words));
    out->failed |= svg.body.failed | words.failed;
    tn_builder_free(&svg.body);
    tn_builder_free(&words);
}
