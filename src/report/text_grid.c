/* Grids as text: a cell of a few columns for each point, filled by whether it fits. */
#include "report/out_text.h"

#include "text/utf8.h"

enum { MOST_CELL = 7, LEGEND_GAP = 3 };

struct layout {
    size_t label; /* columns of the labels of rows */
    size_t cell;
};

static void write_y(struct tn_page *page, const struct tn_grid *grid, size_t y)
{
    tn_builder_add_grouped(tn_page_scratch(page), grid->y[y]);
}

static void write_x(struct tn_page *page, const struct tn_grid *grid, size_t x)
{
    tn_write_tokens(tn_page_scratch(page), grid->x[x]);
}

static void write_top(struct tn_page *page, const struct tn_grid *grid, size_t x)
{
    tn_write_most(tn_page_scratch(page), grid->most_y[x], page->style->language);
}

static size_t widest(struct tn_page *page, const struct tn_grid *grid, size_t count,
                     void (*write)(struct tn_page *page, const struct tn_grid *grid, size_t k))
{
    size_t most = 0;
    for (size_t k = 0; k < count; k++) {
        write(page, grid, k);
        size_t width = tn_utf8_columns(tn_builder_str(&page->scratch));
        most = width > most ? width : most;
    }
    return most;
}

static struct layout plan_layout(struct tn_page *page, const struct tn_grid *grid)
{
    struct layout layout = {.label = widest(page, grid, grid->y_count, write_y)};
    size_t word = grid->most_y ? tn_utf8_columns(tn_str_of(tn_word(TN_WORD_MOST, page->style->language))) : 0;
    layout.label = layout.label > word ? layout.label : word;
    size_t taken = TN_TEXT_INDENT + layout.label + 1;
    layout.cell = page->columns > taken ? (page->columns - taken) / grid->x_count : 0;
    layout.cell = layout.cell < MOST_CELL ? layout.cell : MOST_CELL;
    layout.cell = layout.cell ? layout.cell : 1;
    return layout;
}

/* The scratch, in the middle of a cell; nothing where it has no room. *pending: spaces that stand before what comes next. */
static void write_middle(struct tn_page *page, size_t cell, size_t *pending)
{
    struct tn_str text = tn_builder_str(&page->scratch);
    size_t width = tn_utf8_columns(text);
    size_t before = width < cell ? (cell - width + 1) / 2 : 0;
    *pending += before;
    if (width > cell || (width == cell && cell > 1)) { /* it would touch its neighbour */
        *pending += cell - before;
        return;
    }
    tn_page_space(page, *pending);
    tn_builder_add(page->out, text);
    *pending = cell - before - width;
}

static void write_line_of(struct tn_page *page, const struct tn_grid *grid, const struct layout *layout,
                          const char *label, void (*write)(struct tn_page *page, const struct tn_grid *grid, size_t k))
{
    size_t pending = TN_TEXT_INDENT + layout->label - tn_utf8_columns(tn_str_of(label));
    if (*label) {
        tn_page_space(page, pending);
        tn_page_toned(page, TN_TONE_DIM, tn_str_of(label));
        pending = 0;
    }
    pending++;
    for (size_t x = 0; x < grid->x_count; x++) {
        write(page, grid, x);
        write_middle(page, layout->cell, &pending);
    }
    tn_builder_add_char(page->out, '\n');
}

static void fill(struct tn_page *page, enum tn_fits fits, size_t columns)
{
    tn_page_paint(page, tn_fits_looks[fits].ansi, NULL);
    tn_builder_add_repeated(page->out, tn_fits_looks[fits].fill, columns);
    tn_page_unpaint(page);
}

static void write_row(struct tn_page *page, const struct tn_grid *grid, const struct layout *layout, size_t y)
{
    write_y(page, grid, y);
    tn_page_space(page, TN_TEXT_INDENT + layout->label - tn_utf8_columns(tn_builder_str(&page->scratch)));
    tn_builder_add(page->out, tn_builder_str(&page->scratch));
    tn_builder_add_char(page->out, ' ');
    size_t count = grid->x_count;
    while (count > 0 && grid->cells[y * grid->x_count + count - 1].fits == TN_FITS_REFUSED
           && !(y == grid->asked_y && count - 1 == grid->asked_x)) {
        count--; /* blank: no line ends with spaces */
    }
    for (size_t x = 0; x < count; x++) {
        enum tn_fits fits = grid->cells[y * grid->x_count + x].fits;
        bool asked = x == grid->asked_x && y == grid->asked_y;
        size_t before = asked ? layout->cell / 2 : layout->cell;
        fill(page, fits, before);
        if (asked) {
            tn_page_toned(page, TN_TONE_STRONG, TN_STR("◉"));
            bool last = x + 1 == count && fits == TN_FITS_REFUSED;
            fill(page, fits, last ? 0 : layout->cell - before - 1);
        }
    }
    tn_builder_add_char(page->out, '\n');
}

static bool has(const struct tn_grid *grid, enum tn_fits fits)
{
    for (size_t k = 0; k < grid->x_count * grid->y_count; k++) {
        if (grid->cells[k].fits == fits) {
            return true;
        }
    }
    return false;
}

/* Begins an item of the legend of so many columns; *at is the column. */
static void take_room(struct tn_page *page, size_t width, size_t *at)
{
    if (*at && *at + LEGEND_GAP + width > page->columns) {
        tn_builder_add_char(page->out, '\n');
        *at = 0;
    }
    tn_page_space(page, *at ? LEGEND_GAP : TN_TEXT_INDENT);
    *at += (*at ? LEGEND_GAP : TN_TEXT_INDENT) + width;
}

static void write_legend(struct tn_page *page, const struct tn_grid *grid)
{
    size_t at = 0;
    for (unsigned k = 0; k < TN_FITS_COUNT; k++) {
        const struct tn_fits_look *look = &tn_fits_looks[k];
        struct tn_str name = tn_str_of(look->names[page->style->language]);
        if (!has(grid, (enum tn_fits)k)) {
            continue;
        }
        take_room(page, 2 + tn_utf8_columns(name), &at);
        if (k == TN_FITS_REFUSED) {
            tn_builder_add_text(page->out, "□");
        } else {
            fill(page, (enum tn_fits)k, 1);
        }
        tn_builder_addf(page->out, " %s", name.data);
    }
    if (grid->asked_x < grid->x_count && grid->asked_y < grid->y_count) {
        struct tn_str name = tn_str_of(tn_word(TN_WORD_ASKED, page->style->language));
        take_room(page, 2 + tn_utf8_columns(name), &at);
        tn_builder_addf(page->out, "◉ %s", name.data);
    }
    tn_builder_add_char(page->out, '\n');
}

static void write_title(struct tn_page *page, struct tn_str title, size_t indent)
{
    struct tn_builder *clean = tn_page_scratch(page);
    tn_clean_add(clean, title, NULL);
    if (clean->size) {
        tn_page_space(page, indent);
        tn_page_wrapped(page, indent, TN_TONE_DIM, tn_builder_str(clean));
    }
}

void tn_page_grid(struct tn_page *page, const struct tn_grid *grid)
{
    tn_page_title(page, grid->title);
    if (!grid->x_count || !grid->y_count) {
        return;
    }
    struct layout layout = plan_layout(page, grid);
    write_title(page, grid->y_title, TN_TEXT_INDENT);
    if (grid->most_y) {
        write_line_of(page, grid, &layout, tn_word(TN_WORD_MOST, page->style->language), write_top);
    }
    for (size_t y = grid->y_count; y-- > 0;) {
        write_row(page, grid, &layout, y);
    }
    write_line_of(page, grid, &layout, "", write_x);
    write_title(page, grid->x_title, TN_TEXT_INDENT + layout.label + 1);
    write_legend(page, grid);
}
