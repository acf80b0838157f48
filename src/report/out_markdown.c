/* Markdown as GitHub renders it. Drawings become tables. */
#include "report/writer.h"

struct sheet {
    struct tn_builder *out;
    const struct tn_style *style;
    struct tn_arena arena; /* of the tables that stand for drawings */
};

/* A backslash makes any ASCII punctuation mean itself. */
static const char *escape(char character)
{
    static const struct {
        char character;
        const char *text;
    } marks[] = {
        {'\\', "\\\\"}, {'`', "\\`"}, {'*', "\\*"}, {'_', "\\_"}, {'[', "\\["}, {']', "\\]"}, {'<', "\\<"},
        {'>', "\\>"},   {'|', "\\|"}, {'~', "\\~"}, {'&', "\\&"}, {'$', "\\$"}, {'!', "\\!"}, {'@', "\\@"},
    };
    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++) {
        if (marks[k].character == character) {
            return marks[k].text;
        }
    }
    return NULL;
}

/* One line of text, escaped too where it would begin a heading, a list or a rule. */
static void write_line(struct tn_builder *out, struct tn_str line)
{
    line = tn_str_trim(line);
    size_t digits = 0;
    while (digits < line.size && line.data[digits] >= '0' && line.data[digits] <= '9') {
        digits++;
    }
    struct tn_str mark = tn_str_slice(line, digits, digits + 1);
    const char *marks = digits ? ".)" : "#+-=";
    if (mark.size && tn_str_find(tn_str_of(marks), mark) != SIZE_MAX) {
        tn_builder_add(out, tn_str_slice(line, 0, digits));
        tn_builder_add_char(out, '\\');
        tn_builder_add(out, mark);
        line = tn_str_slice(line, digits + 1, line.size);
    }
    tn_clean_add(out, line, escape);
}

/* All lines of a text; `between` ends all but the last. */
static void write_lines(struct tn_builder *out, struct tn_str text, const char *between)
{
    struct tn_builder line = {0};
    while (tn_clean_line(&line, &text, NULL)) {
        write_line(out, tn_builder_str(&line));
        tn_builder_add_text(out, text.size ? between : "");
        tn_builder_clear(&line);
    }
    out->failed |= line.failed;
    tn_builder_free(&line);
}

static void write_heading(struct sheet *sheet, const struct tn_block *block)
{
    tn_builder_add_text(sheet->out, "## ");
    tn_clean_add(sheet->out, block->text, escape);
    tn_builder_add_char(sheet->out, '\n');
}

static void write_text(struct sheet *sheet, const struct tn_block *block)
{
    bool bold = block->tone != TN_TONE_PLAIN && block->tone != TN_TONE_DIM && tn_str_trim(block->text).size;
    tn_builder_add_text(sheet->out, bold ? "**" : "");
    write_lines(sheet->out, tn_str_trim(block->text), "\\\n");
    tn_builder_add_text(sheet->out, bold ? "**\n" : "\n");
}

static void write_note(struct sheet *sheet, const struct tn_block *block)
{
    tn_builder_add_text(sheet->out, "- ");
    write_lines(sheet->out, tn_str_trim(block->text), "\\\n  ");
    tn_builder_add_char(sheet->out, '\n');
}

/* A fence longer than any run of backticks in the text. */
static void write_command(struct sheet *sheet, const struct tn_block *block)
{
    size_t fence = 3;
    size_t run = 0;
    for (size_t at = 0; at < block->text.size; at++) {
        run = block->text.data[at] == '`' ? run + 1 : 0;
        fence = run >= fence ? run + 1 : fence;
    }
    tn_builder_add_repeated(sheet->out, "`", fence);
    tn_builder_add_text(sheet->out, block->kind == TN_BLOCK_COMMAND ? "sh\n" : "text\n");
    struct tn_str text = block->text;
    while (tn_clean_line(sheet->out, &text, NULL)) {
        tn_builder_add_char(sheet->out, '\n');
    }
    tn_builder_add_repeated(sheet->out, "`", fence);
    tn_builder_add_char(sheet->out, '\n');
}

static void write_cell(struct sheet *sheet, const struct tn_cell *cell, const struct tn_column *column, bool bold)
{
    struct tn_builder text = {0};
    tn_write_cell(&text, cell, column, sheet->style->units);
    struct tn_str trimmed = tn_str_trim(tn_builder_str(&text));
    bold = bold && trimmed.size;
    tn_builder_add_text(sheet->out, bold ? " **" : " ");
    tn_clean_add(sheet->out, trimmed, escape);
    tn_builder_add_text(sheet->out, bold ? "** |" : " |");
    sheet->out->failed |= text.failed;
    tn_builder_free(&text);
}

static void write_table(struct sheet *sheet, const struct tn_table *table)
{
    struct tn_builder *out = sheet->out;
    if (table->title.size) {
        tn_builder_add_text(out, "### ");
        tn_clean_add(out, table->title, escape);
        tn_builder_add_text(out, "\n\n");
    }
    if (table->column_count == 0) {
        return;
    }
    tn_builder_add_char(out, '|');
    for (size_t k = 0; k < table->column_count; k++) {
        struct tn_cell title = tn_cell_text(tn_str_of(table->columns[k].title));
        write_cell(sheet, &title, &table->columns[k], false);
    }
    tn_builder_add_text(out, "\n|");
    for (size_t k = 0; k < table->column_count; k++) {
        tn_builder_add_text(out, table->columns[k].right ? " ---: |" : " :--- |");
    }
    tn_builder_add_char(out, '\n');
    size_t totals = table->row_count; /* Markdown has no rules between rows: what stands below the last one is bold */
    while (totals > 0 && !table->ruled[totals - 1]) {
        totals--;
    }
    for (size_t row = 0; row < table->row_count; row++) {
        tn_builder_add_char(out, '|');
        for (size_t k = 0; k < table->column_count; k++) {
            write_cell(sheet, &table->cells[row * table->column_count + k], &table->columns[k],
                       totals > 0 && row + 1 >= totals);
        }
        tn_builder_add_char(out, '\n');
    }
}

static void write_table_block(struct sheet *sheet, const struct tn_block *block)
{
    write_table(sheet, block->table);
}

static void write_bars(struct sheet *sheet, const struct tn_block *block)
{
    struct tn_report report = {.arena = &sheet->arena};
    const struct tn_table *table = tn_tabulate_bars(&report, block, sheet->style->language, false);
    if (table) {
        write_table(sheet, table);
    }
    sheet->out->failed |= report.failed;
}

static void write_chart(struct sheet *sheet, const struct tn_block *block)
{
    struct tn_report report = {.arena = &sheet->arena};
    const struct tn_table *table = tn_tabulate_chart(&report, block->chart, sheet->style->language);
    if (table) {
        write_table(sheet, table);
    }
    sheet->out->failed |= report.failed;
}

static void write_grid(struct sheet *sheet, const struct tn_block *block)
{
    struct tn_report report = {.arena = &sheet->arena};
    const struct tn_table *table = tn_tabulate_grid_plane(&report, block->grid, sheet->style->language);
    if (table) {
        write_table(sheet, table);
    }
    sheet->out->failed |= report.failed;
}

static void (*const block_writers[])(struct sheet *sheet, const struct tn_block *block) = {
    [TN_BLOCK_HEADING] = write_heading,   [TN_BLOCK_TEXT] = write_text,      [TN_BLOCK_BARS] = write_bars,
    [TN_BLOCK_TABLE] = write_table_block, [TN_BLOCK_CHART] = write_chart,    [TN_BLOCK_NOTE] = write_note,
    [TN_BLOCK_COMMAND] = write_command,   [TN_BLOCK_OUTPUT] = write_command, [TN_BLOCK_PIECES] = write_command,
    [TN_BLOCK_GRID] = write_grid,
};

void tn_write_markdown(const struct tn_report *report, const struct tn_style *style, struct tn_builder *out)
{
    struct sheet sheet = {.out = out, .style = style};
    size_t start = out->size;
    if (report->title.size) {
        tn_builder_add_text(out, "# ");
        tn_clean_add(out, report->title, escape);
        tn_builder_add_char(out, '\n');
    }
    for (size_t k = 0; k < report->count; k++) {
        const struct tn_block *block = &report->blocks[k];
        bool joined = k && block->kind == TN_BLOCK_NOTE && block[-1].kind == TN_BLOCK_NOTE;
        tn_builder_add_text(out, out->size > start && !joined ? "\n" : "");
        block_writers[block->kind](&sheet, block);
    }
    tn_arena_free(&sheet.arena);
}
