/* Reports in another language: every text of every block, as the phrases have it. */
#include "api/language.h"

bool tn_language_open(const struct tn_session *session, const struct tn_request *request, struct tn_arena *arena,
                      struct tn_phrases *phrases, struct tn_error *error)
{
    struct tn_str language = request->values[TN_INPUT_LANG].text;
    const struct tn_record *record =
        language.size ? tn_catalog_record(session->catalog, TN_STR("language"), language) : NULL;
    *phrases = (struct tn_phrases){0};
    return !record || tn_phrases_read(record, arena, phrases, error);
}

struct saying {
    struct tn_report *report;
    const struct tn_phrases *phrases;
};

static void say(const struct saying *saying, struct tn_str *text)
{
    *text = tn_phrases_say(saying->phrases, saying->report->arena, *text);
}

/* Columns are shared by all reports: the other titles stand in a copy. */
static void say_columns(const struct saying *saying, struct tn_table *table)
{
    struct tn_column *columns = TN_NEW_ARRAY(saying->report->arena, struct tn_column, table->column_count);
    for (size_t k = 0; columns && k < table->column_count; k++) {
        columns[k] = table->columns[k];
        struct tn_str title = tn_str_of(columns[k].title);
        say(saying, &title);
        const char *terminated = tn_str_terminated(saying->report->arena, title);
        columns[k].title = terminated ? terminated : columns[k].title;
    }
    table->columns = columns ? columns : table->columns;
}

static void say_table(const struct saying *saying, struct tn_table *table)
{
    say(saying, &table->title);
    say_columns(saying, table);
    for (size_t k = 0; k < table->row_count * table->column_count; k++) {
        if (table->cells[k].kind == TN_CELL_TEXT) {
            say(saying, &table->cells[k].text);
        }
    }
}

static void say_chart(const struct saying *saying, struct tn_chart *chart)
{
    say(saying, &chart->title);
    say(saying, &chart->x_title);
    say(saying, &chart->limit_text);
    for (size_t k = 0; k < chart->series_count; k++) {
        say(saying, &chart->series[k].label);
    }
}

static void say_grid(const struct saying *saying, struct tn_grid *grid)
{
    say(saying, &grid->title);
    say(saying, &grid->x_title);
    say(saying, &grid->y_title);
}

void tn_report_say(struct tn_report *report, const struct tn_phrases *phrases)
{
    struct saying saying = {report, phrases};
    if (!phrases->count) {
        return;
    }
    say(&saying, &report->title);
    for (size_t k = 0; k < report->count; k++) {
        struct tn_block *block = &report->blocks[k];
        bool is_text = block->kind == TN_BLOCK_HEADING || block->kind == TN_BLOCK_TEXT || block->kind == TN_BLOCK_NOTE;
        if (is_text) {
            say(&saying, &block->text);
        } else if (block->kind == TN_BLOCK_TABLE) {
            say_table(&saying, block->table);
        } else if (block->kind == TN_BLOCK_CHART) {
            say_chart(&saying, block->chart);
        } else if (block->kind == TN_BLOCK_GRID) {
            say_grid(&saying, block->grid);
        }
    }
}
