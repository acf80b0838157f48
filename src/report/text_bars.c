/* Bars as text: block elements with borders to an eighth of a cell, figures at the right, a legend below. */
#include "report/out_text.h"

#include "text/utf8.h"

/* With 12 eighths every part fills at least one whole cell, wherever in a cell it begins. */
enum { EIGHTHS = 8, LEAST_EIGHTHS = 12, LEAST_BAR_COLUMNS = 16, GAP = 2, LEGEND_GAP = 3 };

struct columns {
    size_t label;
    size_t bar;
    size_t figures;
    bool stacked; /* too narrow: the bar has a line of its own */
};

typedef void write_part(struct tn_page *page, const struct tn_block *block, size_t first, size_t count);

static void add_label(struct tn_page *page, const struct tn_block *block, size_t first, size_t count)
{
    tn_write_bar_label(&page->scratch, block, first, count);
}

static void add_figures(struct tn_page *page, const struct tn_block *block, size_t first, size_t count)
{
    (void)count;
    tn_write_bar_figures(&page->scratch, &block->bars[first], page->style->units);
}

static void add_excess(struct tn_page *page, const struct tn_block *block, size_t first, size_t count)
{
    (void)count;
    tn_write_bar_excess(&page->scratch, &block->bars[first], page->style);
}

/* One part of a bar's line, in the scratch. */
static struct tn_str part(struct tn_page *page, write_part *add, const struct tn_block *block, size_t first,
                          size_t count)
{
    (void)tn_page_scratch(page);
    add(page, block, first, count);
    return tn_builder_str(&page->scratch);
}

/* The columns that this part needs in the longest line. */
static size_t widest(struct tn_page *page, write_part *add, const struct tn_block *block)
{
    size_t most = 0;
    for (size_t first = 0; first < block->bar_count;) {
        size_t count = tn_bar_group(block, first);
        size_t width = tn_utf8_columns(part(page, add, block, first, count));
        most = width > most ? width : most;
        first += count;
    }
    return most;
}

/* What the legend holds for; empty where there is one bar. */
static struct tn_str legend_label(const struct tn_page *page, const struct tn_block *block)
{
    enum tn_word word = tn_bars_equal(block) ? TN_WORD_EACH : TN_WORD_SUM;
    return tn_str_of(block->bar_count > 1 ? tn_word(word, page->style->language) : NULL);
}

static struct columns plan_columns(struct tn_page *page, const struct tn_block *block)
{
    struct columns columns = {.label = widest(page, add_label, block), .figures = widest(page, add_figures, block)};
    size_t legend = tn_utf8_columns(legend_label(page, block));
    size_t excess = widest(page, add_excess, block);
    columns.label = columns.label > legend ? columns.label : legend;
    size_t taken = TN_TEXT_INDENT + columns.label + GAP + GAP + columns.figures + (excess ? GAP + excess : 0);
    columns.stacked = taken + LEAST_BAR_COLUMNS > page->columns;
    columns.bar = page->columns - (columns.stacked ? TN_TEXT_INDENT : taken);
    return columns;
}

/* One cell of a bar: what it shows and in which colours (background NULL: the terminal's own). */
struct cell {
    const char *glyph;
    const char *foreground;
    const char *background;
};

static size_t part_at(const size_t ends[TN_BAR_PARTS], size_t eighth)
{
    size_t k = 0;
    while (k < TN_BAR_PARTS - 1 && ends[k] <= eighth) {
        k++;
    }
    return k;
}

/* A part that fills its cells completely can end within a cell. Without colour only the full block does that. */
static bool is_solid(size_t k, bool colour)
{
    return colour ? k < TN_SHADE_COUNT && tn_shade_looks[k].solid : k == TN_SHADE_WEIGHTS;
}

static struct cell bar_cell(const size_t ends[TN_BAR_PARTS], size_t index, bool colour)
{
    static const char *const eighths[EIGHTHS] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    size_t left = part_at(ends, index * EIGHTHS);
    size_t right = part_at(ends, index * EIGHTHS + EIGHTHS - 1);
    size_t covered = left == right ? EIGHTHS : ends[left] - index * EIGHTHS;
    if (covered < EIGHTHS && is_solid(left, colour)) {
        return (struct cell){eighths[covered], tn_shade_looks[left].ansi,
                             is_solid(right, colour) ? tn_shade_looks[right].ansi : NULL};
    }
    size_t shown = 2 * covered >= EIGHTHS ? left : right;
    if (shown == TN_SHADE_COUNT) {
        return (struct cell){"╌", "5;240", NULL};
    }
    const char *fill = is_solid(shown, colour) ? "█" : tn_shade_looks[shown].fill;
    return (struct cell){fill, tn_shade_looks[shown].ansi, NULL};
}

static void draw_bar(struct tn_page *page, const struct tn_bar *bar, size_t width)
{
    static const struct cell limit = {"┃", "5;160", NULL};
    size_t ends[TN_BAR_PARTS];
    size_t capacity_end = tn_bar_layout(bar, width * EIGHTHS, LEAST_EIGHTHS, ends);
    struct cell before = {NULL, NULL, NULL};
    for (size_t k = 0; k < width; k++) {
        struct cell cell = k == capacity_end / EIGHTHS ? limit : bar_cell(ends, k, page->style->colour);
        if (cell.foreground != before.foreground || cell.background != before.background) {
            if (before.foreground) {
                tn_page_unpaint(page);
            }
            tn_page_paint(page, cell.foreground, cell.background);
        }
        tn_builder_add_text(page->out, cell.glyph);
        before = cell;
    }
    tn_page_unpaint(page);
}

static void write_excess(struct tn_page *page, const struct tn_block *block, size_t first)
{
    struct tn_str excess = part(page, add_excess, block, first, 1);
    if (excess.size) {
        tn_page_space(page, GAP);
        tn_page_toned(page, TN_TONE_BAD, excess);
    }
}

static void write_bar(struct tn_page *page, const struct tn_block *block, size_t first, size_t count,
                      const struct columns *columns)
{
    struct tn_str label = part(page, add_label, block, first, count);
    tn_page_space(page, TN_TEXT_INDENT);
    tn_builder_add(page->out, label);
    tn_page_space(page, columns->label - tn_utf8_columns(label) + GAP);
    draw_bar(page, &block->bars[first], columns->bar);
    struct tn_str figures = part(page, add_figures, block, first, count);
    tn_page_space(page, columns->figures - tn_utf8_columns(figures) + GAP);
    tn_builder_add(page->out, figures);
    write_excess(page, block, first);
    tn_builder_add_char(page->out, '\n');
}

static void write_stacked_bar(struct tn_page *page, const struct tn_block *block, size_t first, size_t count,
                              const struct columns *columns)
{
    static write_part *const parts[] = {add_label, add_figures, add_excess};
    (void)tn_page_scratch(page);
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        tn_builder_add_text(&page->scratch, k ? "  " : "");
        parts[k](page, block, first, count);
    }
    tn_page_space(page, TN_TEXT_INDENT);
    tn_page_wrapped(page, TN_TEXT_INDENT, TN_TONE_PLAIN, tn_builder_str(&page->scratch));
    tn_page_space(page, TN_TEXT_INDENT);
    draw_bar(page, &block->bars[first], columns->bar);
    tn_builder_add_char(page->out, '\n');
}

/* "weights 32.10 GiB", in the scratch. */
static struct tn_str legend_item(struct tn_page *page, enum tn_shade shade, uint64_t bytes)
{
    struct tn_builder *item = tn_page_scratch(page);
    tn_builder_add_text(item, tn_shade_name(shade, page->style->language));
    tn_builder_add_char(item, ' ');
    tn_write_bytes(item, bytes, page->style->units);
    return tn_builder_str(item);
}

static void write_swatch(struct tn_page *page, enum tn_shade shade)
{
    const struct tn_shade_look *look = &tn_shade_looks[shade];
    tn_page_paint(page, look->ansi, NULL);
    tn_builder_add_text(page->out, page->style->colour && look->solid ? "■" : look->fill);
    tn_page_unpaint(page);
    tn_builder_add_char(page->out, ' ');
}

static void write_legend(struct tn_page *page, const struct tn_block *block, const struct columns *columns)
{
    uint64_t totals[TN_SHADE_COUNT];
    tn_bar_totals(block, totals);
    struct tn_str label = legend_label(page, block);
    size_t label_width = tn_utf8_columns(label);
    size_t label_room = columns->stacked ? label_width : columns->label;
    size_t margin = TN_TEXT_INDENT + label_room + (label_room ? GAP : 0);
    size_t at = 0;
    for (unsigned shade = 0; shade < TN_SHADE_COUNT; shade++) {
        if (!totals[shade]) {
            continue;
        }
        struct tn_str item = legend_item(page, (enum tn_shade)shade, totals[shade]);
        size_t width = tn_utf8_columns(item) + 2;
        if (at == 0) {
            tn_page_space(page, TN_TEXT_INDENT);
            tn_page_toned(page, TN_TONE_DIM, label);
            tn_page_space(page, margin - TN_TEXT_INDENT - label_width);
            at = margin;
        } else if (at + LEGEND_GAP + width > page->columns) {
            tn_builder_add_char(page->out, '\n');
            tn_page_space(page, margin);
            at = margin;
        } else {
            tn_page_space(page, LEGEND_GAP);
            at += LEGEND_GAP;
        }
        write_swatch(page, (enum tn_shade)shade);
        tn_builder_add(page->out, item);
        at += width;
    }
    tn_builder_add_text(page->out, at ? "\n" : "");
}

void tn_page_bars(struct tn_page *page, const struct tn_block *block)
{
    struct columns columns = plan_columns(page, block);
    for (size_t first = 0; first < block->bar_count;) {
        size_t count = tn_bar_group(block, first);
        (columns.stacked ? write_stacked_bar : write_bar)(page, block, first, count, &columns);
        first += count;
    }
    write_legend(page, block, &columns);
}
