/* Tables as text: columns that align, cells that wrap where the page is narrow, and a list where it is too narrow for columns. */
#include "report/out_text.h"

#include "text/utf8.h"

enum { GAP = 2, MOST_COLUMNS = 64, LEAST_TEXT_COLUMNS = 12 };

static const size_t HEADER = SIZE_MAX; /* as a row: the titles */

struct layout {
    size_t widths[MOST_COLUMNS];
    size_t least[MOST_COLUMNS]; /* to which a column may shrink */
};

/* Adds the text of one cell to the scratch. */
static void add_cell(struct tn_page *page, const struct tn_table *table, size_t row, size_t column)
{
    const struct tn_column *head = &table->columns[column];
    if (row == HEADER) {
        tn_clean_add(&page->scratch, tn_str_of(head->title), NULL);
    } else {
        const struct tn_cell *cell = &table->cells[row * table->column_count + column];
        tn_write_cell(&page->scratch, cell, head, page->style->units);
    }
}

static size_t cell_width(struct tn_page *page, const struct tn_table *table, size_t row, size_t column)
{
    (void)tn_page_scratch(page);
    add_cell(page, table, row, column);
    return tn_utf8_columns(tn_builder_str(&page->scratch));
}

static size_t longest_word(struct tn_str text)
{
    size_t longest = 0;
    for (struct tn_str word = tn_str_word(&text); word.size; word = tn_str_word(&text)) {
        size_t width = tn_utf8_columns(word);
        longest = width > longest ? width : longest;
    }
    return longest;
}

/* Numbers are not broken, so their column shrinks only as far as its title does; text wraps. */
static void measure_column(struct tn_page *page, const struct tn_table *table, size_t column, struct layout *layout)
{
    size_t body = 0;
    for (size_t row = 0; row < table->row_count; row++) {
        size_t width = cell_width(page, table, row, column);
        body = width > body ? width : body;
    }
    size_t head = cell_width(page, table, HEADER, column);
    size_t head_word = longest_word(tn_builder_str(&page->scratch));
    size_t text = body < LEAST_TEXT_COLUMNS ? body : LEAST_TEXT_COLUMNS;
    size_t least = table->columns[column].right ? body : text;
    layout->widths[column] = body > head ? body : head;
    layout->least[column] = least > head_word ? least : head_word;
}

static size_t table_width(const struct tn_table *table, const size_t *widths)
{
    size_t sum = table->column_count ? GAP * (table->column_count - 1) : 0;
    for (size_t k = 0; k < table->column_count; k++) {
        sum += widths[k];
    }
    return sum;
}

/* Takes columns off the widest that may shrink until the table fits. false where none may. */
static bool fit_columns(const struct tn_table *table, size_t room, struct layout *layout)
{
    for (size_t width = table_width(table, layout->widths); width > room; width--) {
        size_t widest = SIZE_MAX;
        for (size_t k = 0; k < table->column_count; k++) {
            bool shrinks = layout->widths[k] > layout->least[k];
            if (shrinks && (widest == SIZE_MAX || layout->widths[k] > layout->widths[widest])) {
                widest = k;
            }
        }
        if (widest == SIZE_MAX) {
            return false;
        }
        layout->widths[widest]--;
    }
    return true;
}

/* One line of the row: what fits of each cell. Spaces are held back until text follows, so that no line ends with them. */
static bool write_line(struct tn_page *page, const struct tn_table *table, const struct layout *layout,
                       enum tn_tone tone, struct tn_str *cells)
{
    size_t pending = TN_TEXT_INDENT;
    bool more = false;
    for (size_t k = 0; k < table->column_count; k++) {
        struct tn_str text = tn_page_line(&cells[k], layout->widths[k]);
        size_t blank = layout->widths[k] - tn_utf8_columns(text);
        bool right = table->columns[k].right;
        if (text.size) {
            tn_page_space(page, pending + (right ? blank : 0));
            tn_page_toned(page, tone, text);
            pending = right ? 0 : blank;
        } else {
            pending += blank;
        }
        pending += GAP;
        more |= cells[k].size > 0;
    }
    tn_builder_add_char(page->out, '\n');
    return more;
}

static void write_row(struct tn_page *page, const struct tn_table *table, const struct layout *layout, size_t row)
{
    size_t ends[MOST_COLUMNS];
    struct tn_str cells[MOST_COLUMNS];
    (void)tn_page_scratch(page);
    for (size_t k = 0; k < table->column_count; k++) {
        add_cell(page, table, row, k);
        ends[k] = page->scratch.size;
    }
    for (size_t k = 0; k < table->column_count; k++) {
        cells[k] = tn_str_slice(tn_builder_str(&page->scratch), k ? ends[k - 1] : 0, ends[k]);
    }
    enum tn_tone tone = row == HEADER ? TN_TONE_STRONG : TN_TONE_PLAIN;
    while (write_line(page, table, layout, tone, cells)) {
    }
}

static void write_rule(struct tn_page *page, size_t width)
{
    struct tn_builder *rule = tn_page_scratch(page);
    tn_builder_add_repeated(rule, "─", width);
    tn_page_space(page, TN_TEXT_INDENT);
    tn_page_toned(page, TN_TONE_DIM, tn_builder_str(rule));
    tn_builder_add_char(page->out, '\n');
}

static void write_grid(struct tn_page *page, const struct tn_table *table, const struct layout *layout)
{
    size_t width = table_width(table, layout->widths);
    write_row(page, table, layout, HEADER);
    write_rule(page, width);
    for (size_t row = 0; row < table->row_count; row++) {
        if (table->ruled[row]) {
            write_rule(page, width);
        }
        write_row(page, table, layout, row);
    }
}

/* "title: cell" on lines of their own, rows apart. */
static void write_list(struct tn_page *page, const struct tn_table *table)
{
    for (size_t row = 0; row < table->row_count; row++) {
        if (row > 0) {
            tn_builder_add_char(page->out, '\n');
        }
        for (size_t k = 0; k < table->column_count; k++) {
            if (cell_width(page, table, row, k) == 0) {
                continue;
            }
            (void)tn_page_scratch(page);
            add_cell(page, table, HEADER, k);
            tn_builder_add_text(&page->scratch, ": ");
            add_cell(page, table, row, k);
            size_t indent = k ? 2 * TN_TEXT_INDENT : TN_TEXT_INDENT;
            tn_page_space(page, indent);
            tn_page_wrapped(page, indent, TN_TONE_PLAIN, tn_builder_str(&page->scratch));
        }
    }
}

void tn_page_table(struct tn_page *page, const struct tn_table *table)
{
    tn_page_title(page, table->title);
    if (table->column_count == 0) {
        return;
    }
    struct layout layout;
    bool columns = table->column_count <= MOST_COLUMNS;
    for (size_t k = 0; columns && k < table->column_count; k++) {
        measure_column(page, table, k, &layout);
    }
    if (columns && fit_columns(table, page->columns - TN_TEXT_INDENT, &layout)) {
        write_grid(page, table, &layout);
    } else {
        write_list(page, table);
    }
}
