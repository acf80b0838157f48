/* CSV (RFC 4180) for programs: raw integers under the keys of the columns, tables apart by an empty line. Drawings repeat what the
 * tables of a report say, so they are written, as tables, only where a report has no table. */
#include "report/writer.h"

enum { UNIT = 1000 }; /* of TN_CELL_FIXED */

static bool is_digit(struct tn_str text, size_t at)
{
    return at < text.size && text.data[at] >= '0' && text.data[at] <= '9';
}

static size_t skip_digits(struct tn_str text, size_t at)
{
    while (is_digit(text, at)) {
        at++;
    }
    return at;
}

static bool is_one_of(struct tn_str text, size_t at, const char *characters)
{
    return at < text.size && tn_str_find(tn_str_of(characters), tn_str_slice(text, at, at + 1)) != SIZE_MAX;
}

/* -12, +0.5, -1e9 */
static bool is_number(struct tn_str text)
{
    size_t at = is_one_of(text, 0, "+-");
    if (!is_digit(text, at)) {
        return false;
    }
    at = skip_digits(text, at);
    if (is_one_of(text, at, ".") && is_digit(text, at + 1)) {
        at = skip_digits(text, at + 1);
    }
    if (is_one_of(text, at, "eE")) {
        size_t digits = at + 1 + is_one_of(text, at + 1, "+-");
        at = is_digit(text, digits) ? skip_digits(text, digits) : at;
    }
    return at == text.size;
}

static const char *escape(char character)
{
    return character == '"' ? "\"\"" : NULL;
}

/* A spreadsheet takes text that begins with one of these signs for a formula and runs it; an apostrophe before it prevents that. */
static void write_string(struct tn_builder *out, struct tn_str text)
{
    bool formula = is_one_of(text, 0, "=+-@\t\r") && !is_number(text);
    bool quoted = false;
    for (size_t at = 0; at < text.size; at++) {
        quoted |= is_one_of(text, at, ",\"\r\n");
    }
    tn_builder_add_text(out, quoted ? "\"" : "");
    tn_builder_add_text(out, formula ? "'" : "");
    tn_clean_add(out, text, escape);
    tn_builder_add_text(out, quoted ? "\"" : "");
}

/* All digits that the number has, and no more. */
static void write_fixed(struct tn_builder *out, uint64_t thousandths)
{
    uint64_t unit = UNIT;
    unsigned decimals = 3;
    while (decimals > 0 && thousandths % 10 == 0) {
        thousandths /= 10;
        unit /= 10;
        decimals--;
    }
    tn_builder_add_fixed(out, thousandths, unit, decimals);
}

static void write_value(struct tn_builder *out, const struct tn_cell *cell)
{
    if (cell->kind == TN_CELL_TEXT) {
        write_string(out, cell->text);
    } else if (cell->kind == TN_CELL_FIXED) {
        write_fixed(out, cell->number);
    } else if (cell->kind != TN_CELL_EMPTY) {
        tn_builder_add_u64(out, cell->number);
    }
}

/* The titles, or a row; columns for the eye are left out. */
static void write_row(struct tn_builder *out, const struct tn_table *table, const struct tn_cell *cells)
{
    bool any = false;
    for (size_t k = 0; k < table->column_count; k++) {
        if (!table->columns[k].key) {
            continue;
        }
        tn_builder_add_text(out, any ? "," : "");
        any = true;
        if (cells) {
            write_value(out, &cells[k]);
        } else {
            write_string(out, tn_str_of(table->columns[k].key));
        }
    }
    tn_builder_add_text(out, "\r\n");
}

static void write_table(struct tn_builder *out, const struct tn_table *table, bool *any)
{
    tn_builder_add_text(out, *any ? "\r\n" : "");
    *any = true;
    write_row(out, table, NULL);
    for (size_t row = 0; row < table->row_count; row++) {
        write_row(out, table, &table->cells[row * table->column_count]);
    }
}

static void write_drawings(struct tn_builder *out, const struct tn_report *report)
{
    struct tn_arena arena = {0};
    struct tn_report tables = {.arena = &arena};
    bool any = false;
    for (size_t k = 0; k < report->count; k++) {
        const struct tn_block *block = &report->blocks[k];
        const struct tn_table *table = NULL;
        if (block->kind == TN_BLOCK_BARS) {
            table = tn_tabulate_bars(&tables, block, TN_LANGUAGE_EN, true);
        } else if (block->kind == TN_BLOCK_CHART) {
            table = tn_tabulate_chart(&tables, block->chart, TN_LANGUAGE_EN);
        } else if (block->kind == TN_BLOCK_GRID) {
            table = tn_tabulate_grid(&tables, block->grid);
        }
        if (table) {
            write_table(out, table, &any);
        }
    }
    out->failed |= tables.failed;
    tn_arena_free(&arena);
}

void tn_write_csv(const struct tn_report *report, const struct tn_style *style, struct tn_builder *out)
{
    (void)style;
    bool any = false;
    for (size_t k = 0; k < report->count; k++) {
        if (report->blocks[k].kind == TN_BLOCK_TABLE) {
            write_table(out, report->blocks[k].table, &any);
        }
    }
    if (!any) {
        write_drawings(out, report);
    }
}
