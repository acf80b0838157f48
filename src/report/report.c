/* Building a report: blocks, tables and rows in the arena of the report. Knows no format. */
#include "report/report.h"

#include <stdarg.h>
#include <stdio.h>

enum { FIRST_BLOCKS = 16, FIRST_ROWS = 16 };

struct tn_block *tn_report_add(struct tn_report *report, enum tn_block_kind kind)
{
    if (report->count == report->capacity) {
        size_t capacity = report->capacity ? report->capacity * 2 : FIRST_BLOCKS;
        struct tn_block *blocks =
            tn_arena_grow(report->arena, report->blocks, report->count, capacity, sizeof *report->blocks);
        if (!blocks) {
            report->failed = true;
            return NULL;
        }
        report->blocks = blocks;
        report->capacity = capacity;
    }
    struct tn_block *block = &report->blocks[report->count++];
    *block = (struct tn_block){.kind = kind};
    return block;
}

void tn_report_text(struct tn_report *report, enum tn_block_kind kind, enum tn_tone tone, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = size < 0 ? NULL : tn_arena_alloc(report->arena, (size_t)size + 1);
    struct tn_block *block = text ? tn_report_add(report, kind) : NULL;
    if (!block) {
        report->failed = true;
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, (size_t)size + 1, format, arguments);
    va_end(arguments);
    block->tone = tone;
    block->text = (struct tn_str){text, (size_t)size};
}

struct tn_str tn_report_keep(struct tn_report *report, struct tn_builder *builder)
{
    struct tn_str text = {0};
    if (builder->failed || !tn_str_copy(report->arena, tn_builder_str(builder), &text)) {
        report->failed = true;
    }
    tn_builder_free(builder);
    return text;
}

struct tn_table *tn_report_table(struct tn_report *report, const char *title, const struct tn_column *columns,
                                 size_t column_count)
{
    struct tn_table *table = TN_NEW(report->arena, struct tn_table);
    if (!table || !tn_str_copy(report->arena, tn_str_of(title), &table->title)) {
        report->failed = true;
        return NULL;
    }
    struct tn_block *block = tn_report_add(report, TN_BLOCK_TABLE);
    if (!block) {
        return NULL;
    }
    table->columns = columns;
    table->column_count = column_count;
    block->table = table;
    return table;
}

/* Room for twice as many rows. */
static bool grow_rows(struct tn_arena *arena, struct tn_table *table)
{
    size_t width = table->column_count * sizeof *table->cells;
    size_t capacity = table->row_capacity ? table->row_capacity * 2 : FIRST_ROWS;
    struct tn_cell *cells = tn_arena_grow(arena, table->cells, table->row_count, capacity, width);
    bool *ruled = tn_arena_grow(arena, table->ruled, table->row_count, capacity, sizeof *ruled);
    if (!cells || !ruled) {
        return false;
    }
    table->cells = cells;
    table->ruled = ruled;
    table->row_capacity = capacity;
    return true;
}

struct tn_cell *tn_table_row(struct tn_report *report, struct tn_table *table)
{
    if (table->row_count == table->row_capacity && !grow_rows(report->arena, table)) {
        report->failed = true;
        return NULL;
    }
    size_t row = table->row_count++;
    table->ruled[row] = table->rule_next;
    table->rule_next = false;
    return table->cells + row * table->column_count;
}

void tn_table_rule(struct tn_table *table)
{
    table->rule_next = true;
}

struct tn_cell tn_cell_text(struct tn_str text)
{
    return (struct tn_cell){.kind = TN_CELL_TEXT, .text = text};
}

struct tn_cell tn_cell_count(uint64_t number)
{
    return (struct tn_cell){.kind = TN_CELL_COUNT, .number = number};
}

struct tn_cell tn_cell_bytes(uint64_t bytes)
{
    return (struct tn_cell){.kind = TN_CELL_BYTES, .number = bytes};
}

struct tn_cell tn_cell_fixed(uint64_t thousandths)
{
    return (struct tn_cell){.kind = TN_CELL_FIXED, .number = thousandths};
}

void tn_report_pieces(struct tn_report *report, const struct tn_str *pieces, size_t count)
{
    struct tn_builder text = {0};
    struct tn_block *block = tn_report_add(report, TN_BLOCK_PIECES);
    for (size_t k = 0; k < count; k++) {
        struct tn_str rest = pieces[k];
        tn_builder_add_text(&text, k && text.size && text.data[text.size - 1] != '\n' ? "│" : "");
        for (size_t end = tn_str_find(rest, TN_STR("\n")); end != SIZE_MAX; end = tn_str_find(rest, TN_STR("\n"))) {
            tn_builder_add(&text, tn_str_slice(rest, 0, end));
            tn_builder_add_text(&text, "↵\n");
            rest = tn_str_slice(rest, end + 1, rest.size);
        }
        tn_builder_add(&text, rest);
    }
    struct tn_str marked = tn_report_keep(report, &text);
    if (block) {
        block->pieces = pieces;
        block->piece_count = count;
        block->text = marked;
    }
}
