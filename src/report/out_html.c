/* HTML: one page that stands alone, without scripts, for light and dark screens and for paper. Bars are boxes, so that they follow
 * the width of the page; charts are SVG. */
#include "report/writer.h"

enum { BAR_EXTENT = 10000 };

struct html {
    struct tn_builder *out;
    const struct tn_style *style;
    struct tn_builder scratch; /* clean text on its way to being escaped */
};

static const char page_style[] =
    ":root{color-scheme:light "
    "dark;--ink:#1d2329;--dim:#616b76;--paper:#fff;--line:#d5dae0;--box:#f5f6f8;--good:#1c7a3c;"
    "--bad:#bb2424;--track:#eef0f2}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#dfe4ea;--dim:#98a2ad;--paper:#15181c;--line:#363d46;--box:#1e2329;"
    "--good:#63c384;--bad:#ff7b72;--track:#22272e}}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\n"
    "main{max-width:62rem;margin:0 auto;padding:1.5rem 1rem 3rem}\n"
    "h1{font-size:1.45rem;margin:0 0 1rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}p{margin:.4rem 0}\n"
    ".good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}.dim{color:var(--dim)}"
    ".strong{font-weight:600}\n"
    "figure{margin:1.2rem 0}\n"
    ".bars{display:grid;grid-template-columns:auto 1fr auto;gap:.5rem 1rem;align-items:center}\n"
    ".row{display:contents}.figures{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    ".bar{position:relative;display:flex;height:1.5rem;overflow:hidden;border-radius:3px;background:var(--track);"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact}\n"
    ".bar i{flex:0 1 0}.limit{position:absolute;top:0;bottom:0;width:3px;background:var(--bad)}\n"
    ".bars .uncertain.uncertain{background-image:repeating-linear-gradient(135deg,#0006 0 1px,#0000 1px 5px)}\n"
    ".legend{grid-column:1/-1;display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;margin:0;padding:0;list-style:none;"
    "color:var(--dim)}\n"
    ".legend i{display:inline-block;width:.8em;height:.8em;margin-right:.45em;border-radius:2px;"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact}\n"
    ".scroll{overflow-x:auto;margin:1.2rem 0}table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;font-weight:600;padding:.3rem 0}th,td{padding:.28rem 1.1rem .28rem 0;text-align:left;"
    "vertical-align:top;font-weight:400}\n"
    "thead th{font-weight:600;border-bottom:1px solid var(--line)}.right{text-align:right;white-space:nowrap}"
    ".rule>*{border-top:1px solid var(--line)}\n"
    "pre{background:var(--box);border:1px solid var(--line);border-radius:4px;padding:.7rem 1rem;overflow-x:auto}"
    "ul.notes{padding-left:1.2rem}svg{width:100%;height:auto}\n"
    "@media(max-width:40rem){.bars{display:block}.row{display:flex;flex-wrap:wrap;justify-content:space-between;"
    "gap:.2rem 1rem;margin-bottom:.7rem}.bar{flex:1 0 100%;order:1}}\n"
    "@media print{main{max-width:none;padding:0}figure,tr,pre{break-inside:avoid}.scroll{overflow:visible}}\n";

static const char *const tone_classes[] = {
    [TN_TONE_PLAIN] = "",
    [TN_TONE_GOOD] = " class=\"good\"",
    [TN_TONE_BAD] = " class=\"bad\"",
    [TN_TONE_DIM] = " class=\"dim\"",
    [TN_TONE_STRONG] = " class=\"strong\"",
};

static void add(struct html *html, const char *markup)
{
    tn_builder_add_text(html->out, markup);
}

/* The scratch, emptied. */
static struct tn_builder *scratch(struct html *html)
{
    html->out->failed |= html->scratch.failed;
    tn_builder_clear(&html->scratch);
    return &html->scratch;
}

static void add_scratch(struct html *html)
{
    tn_clean_add(html->out, tn_builder_str(&html->scratch), tn_escape_markup);
}

/* The lines of a text, with breaks between them. */
static void add_lines(struct html *html, struct tn_str text)
{
    while (tn_clean_line(html->out, &text, tn_escape_markup)) {
        add(html, text.size ? "<br>\n" : "");
    }
}

static void write_heading(struct html *html, const struct tn_block *block)
{
    add(html, "<h2>");
    add_lines(html, block->text);
    add(html, "</h2>\n");
}

static void write_text(struct html *html, const struct tn_block *block)
{
    tn_builder_addf(html->out, "<p%s>", tone_classes[block->tone]);
    add_lines(html, block->text);
    add(html, "</p>\n");
}

static void write_note(struct html *html, const struct tn_block *block)
{
    tn_builder_addf(html->out, "<li%s>", tone_classes[block->tone]);
    add_lines(html, block->text);
    add(html, "</li>\n");
}

static void write_command(struct html *html, const struct tn_block *block)
{
    struct tn_str text = block->text;
    add(html, "<pre><code>");
    while (tn_clean_line(html->out, &text, tn_escape_markup)) {
        add(html, text.size ? "\n" : "");
    }
    add(html, "</code></pre>\n");
}

static void write_boxes(struct html *html, const struct tn_bar *bar)
{
    size_t ends[TN_BAR_PARTS];
    size_t capacity_end = tn_bar_layout(bar, BAR_EXTENT, 1, ends);
    size_t from = 0;
    for (size_t k = 0; k < TN_BAR_PARTS; k++) {
        if (ends[k] > from) {
            tn_builder_addf(html->out, "<i class=\"%s\" style=\"flex-grow:%zu\"></i>",
                            k < TN_SHADE_COUNT ? tn_shade_looks[k].key : "track", ends[k] - from);
        }
        from = ends[k];
    }
    if (capacity_end < BAR_EXTENT) {
        add(html, "<b class=\"limit\" style=\"left:");
        tn_builder_add_fixed(html->out, capacity_end, BAR_EXTENT / 100, 2);
        add(html, "%\"></b>");
    }
}

static void write_bar(struct html *html, const struct tn_block *block, size_t first, size_t count)
{
    const struct tn_bar *bar = &block->bars[first];
    add(html, "<div class=\"row\"><span>");
    tn_write_bar_label(scratch(html), block, first, count);
    add_scratch(html);
    add(html, "</span><div class=\"bar\" role=\"img\" aria-label=\"");
    tn_write_bar_sentence(scratch(html), block, first, count, html->style);
    add_scratch(html);
    add(html, "\">");
    write_boxes(html, bar);
    add(html, "</div><span class=\"figures\">");
    tn_write_bar_figures(scratch(html), bar, html->style->units);
    add_scratch(html);
    tn_write_bar_excess(scratch(html), bar, html->style);
    if (html->scratch.size) {
        add(html, " <span class=\"bad\">");
        add_scratch(html);
        add(html, "</span>");
    }
    add(html, "</span></div>\n");
}

static void write_bars(struct html *html, const struct tn_block *block)
{
    uint64_t totals[TN_SHADE_COUNT];
    tn_bar_totals(block, totals);
    add(html, "<figure class=\"bars tn\">\n");
    for (size_t first = 0; first < block->bar_count;) {
        size_t count = tn_bar_group(block, first);
        write_bar(html, block, first, count);
        first += count;
    }
    add(html, "<ul class=\"legend\">\n");
    if (block->bar_count > 1) {
        enum tn_word word = tn_bars_equal(block) ? TN_WORD_EACH : TN_WORD_SUM;
        tn_builder_addf(html->out, "<li>%s</li>\n", tn_word(word, html->style->language));
    }
    for (unsigned shade = 0; shade < TN_SHADE_COUNT; shade++) {
        if (totals[shade]) {
            tn_builder_addf(html->out, "<li><i class=\"%s\"></i>%s ", tn_shade_looks[shade].key,
                            tn_shade_name((enum tn_shade)shade, html->style->language));
            tn_write_bytes(html->out, totals[shade], html->style->units);
            add(html, "</li>\n");
        }
    }
    add(html, "</ul>\n</figure>\n");
}

static void write_titles(struct html *html, const struct tn_table *table)
{
    add(html, "<thead>\n<tr>");
    for (size_t k = 0; k < table->column_count; k++) {
        tn_builder_addf(html->out, "<th scope=\"col\"%s>", table->columns[k].right ? " class=\"right\"" : "");
        tn_clean_add(html->out, tn_str_of(table->columns[k].title), tn_escape_markup);
        add(html, "</th>");
    }
    add(html, "</tr>\n</thead>\n");
}

static void write_row(struct html *html, const struct tn_table *table, size_t row)
{
    add(html, table->ruled[row] ? "<tr class=\"rule\">" : "<tr>");
    for (size_t k = 0; k < table->column_count; k++) {
        const struct tn_cell *cell = &table->cells[row * table->column_count + k];
        const struct tn_column *column = &table->columns[k];
        bool heads_row = k == 0 && cell->kind == TN_CELL_TEXT;
        add(html, heads_row ? "<th scope=\"row\"" : "<td");
        add(html, column->right ? " class=\"right\">" : ">");
        tn_write_cell(scratch(html), cell, column, html->style->units);
        add_scratch(html);
        add(html, heads_row ? "</th>" : "</td>");
    }
    add(html, "</tr>\n");
}

static void write_table(struct html *html, const struct tn_block *block)
{
    const struct tn_table *table = block->table;
    add(html, "<div class=\"scroll\" tabindex=\"0\">\n<table>\n");
    if (table->title.size) {
        add(html, "<caption>");
        tn_clean_add(html->out, table->title, tn_escape_markup);
        add(html, "</caption>\n");
    }
    write_titles(html, table);
    add(html, "<tbody>\n");
    for (size_t row = 0; row < table->row_count; row++) {
        write_row(html, table, row);
    }
    add(html, "</tbody>\n</table>\n</div>\n");
}

/* A drawing in the page; html->scratch holds it in words. */
static void write_drawing(struct html *html, struct tn_svg *svg)
{
    tn_builder_addf(html->out, "<figure>\n<svg class=\"tn\" viewBox=\"0 0 %u %u\" role=\"img\" aria-label=\"",
                    svg->width, svg->y);
    add_scratch(html);
    add(html, "\">\n");
    tn_builder_add(html->out, tn_builder_str(&svg->body));
    add(html, "</svg>\n</figure>\n");
    html->out->failed |= svg->body.failed;
    tn_builder_free(&svg->body);
}

static void write_chart(struct html *html, const struct tn_block *block)
{
    struct tn_svg svg = {.style = html->style, .width = tn_svg_width(html->style)};
    tn_svg_chart(&svg, block->chart);
    tn_write_chart_sentence(scratch(html), block->chart, html->style->units);
    write_drawing(html, &svg);
}

static void write_grid(struct html *html, const struct tn_block *block)
{
    struct tn_svg svg = {.style = html->style, .width = tn_svg_width(html->style)};
    tn_svg_grid(&svg, block->grid);
    tn_write_grid_sentence(scratch(html), block->grid, html->style->language);
    write_drawing(html, &svg);
}

static void (*const block_writers[])(struct html *html, const struct tn_block *block) = {
    [TN_BLOCK_HEADING] = write_heading, [TN_BLOCK_TEXT] = write_text,      [TN_BLOCK_BARS] = write_bars,
    [TN_BLOCK_TABLE] = write_table,     [TN_BLOCK_CHART] = write_chart,    [TN_BLOCK_NOTE] = write_note,
    [TN_BLOCK_COMMAND] = write_command, [TN_BLOCK_OUTPUT] = write_command, [TN_BLOCK_PIECES] = write_command,
    [TN_BLOCK_GRID] = write_grid,
};

static void write_blocks(struct html *html, const struct tn_report *report)
{
    for (size_t k = 0; k < report->count; k++) {
        const struct tn_block *block = &report->blocks[k];
        bool note = block->kind == TN_BLOCK_NOTE;
        bool first_note = note && (k == 0 || block[-1].kind != TN_BLOCK_NOTE);
        bool last_note = note && (k + 1 == report->count || block[1].kind != TN_BLOCK_NOTE);
        add(html, first_note ? "<ul class=\"notes\">\n" : "");
        block_writers[block->kind](html, block);
        add(html, last_note ? "</ul>\n" : "");
    }
}

void tn_write_html(const struct tn_report *report, const struct tn_style *style, struct tn_builder *out)
{
    struct html html = {.out = out, .style = style};
    tn_builder_addf(out,
                    "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
                    tn_word(TN_WORD_TAG, style->language));
    tn_clean_add(out, report->title.size ? report->title : TN_STR("tonnage"), tn_escape_markup);
    tn_builder_addf(out, "</title>\n<style>\n%s", page_style);
    tn_svg_style(out, true);
    add(&html, "</style>\n</head>\n<body>\n<main>\n");
    if (report->title.size) {
        add(&html, "<h1>");
        tn_clean_add(out, report->title, tn_escape_markup);
        add(&html, "</h1>\n");
    }
    write_blocks(&html, report);
    add(&html, "</main>\n</body>\n</html>\n");
    out->failed |= html.scratch.failed;
    tn_builder_free(&html.scratch);
}
