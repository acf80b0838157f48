/* Drawings as tables, for the formats that cannot draw. */
#include "report/writer.h"

enum { MOST_COLUMNS = TN_SHADE_COUNT + 3 };

/* One column for the label, the shades, the capacity, and what is over it. */
struct plan {
    struct tn_column columns[MOST_COLUMNS];
    size_t count;
    enum tn_shade shades[TN_SHADE_COUNT]; /* [shade_count] */
    size_t shade_count;
    bool capacity;
    bool excess;
};

static const char *const shade_keys[TN_SHADE_COUNT] = {
    [TN_SHADE_WEIGHTS] = "weights_bytes",   [TN_SHADE_KV] = "kv_bytes",
    [TN_SHADE_STATE] = "state_bytes",       [TN_SHADE_ROOM] = "room_bytes",
    [TN_SHADE_OVERHEAD] = "overhead_bytes", [TN_SHADE_UNCERTAIN] = "uncertain_bytes",
    [TN_SHADE_FREE] = "free_bytes",
};

static void add_column(struct plan *plan, const char *title, const char *key, bool right)
{
    plan->columns[plan->count++] = (struct tn_column){.title = title, .key = key, .right = right};
}

static void plan_columns(struct plan *plan, const struct tn_block *block, enum tn_language language, bool all_shades)
{
    uint64_t totals[TN_SHADE_COUNT];
    tn_bar_totals(block, totals);
    plan->capacity = all_shades;
    plan->excess = all_shades;
    for (size_t k = 0; k < block->bar_count; k++) {
        plan->capacity |= block->bars[k].capacity_bytes != 0;
        plan->excess |= tn_bar_sum(&block->bars[k]).excess_bytes != 0;
    }
    add_column(plan, tn_word(TN_WORD_DEVICE, language), "device", false);
    for (unsigned shade = 0; shade < TN_SHADE_COUNT; shade++) {
        if (all_shades || totals[shade]) {
            plan->shades[plan->shade_count++] = (enum tn_shade)shade;
            add_column(plan, tn_shade_name((enum tn_shade)shade, language), shade_keys[shade], true);
        }
    }
    if (plan->capacity) {
        add_column(plan, tn_word(TN_WORD_CAPACITY, language), "capacity_bytes", true);
    }
    if (plan->excess) {
        add_column(plan, tn_word(TN_WORD_OVER, language), "over_bytes", true);
    }
}

/* The label of a group of bars, in the arena of the report. */
static struct tn_cell label_cell(struct tn_report *report, const struct tn_block *block, size_t first, size_t count)
{
    struct tn_builder label = {0};
    struct tn_cell cell = {.kind = TN_CELL_TEXT};
    tn_write_bar_label(&label, block, first, count);
    report->failed |= label.failed || !tn_str_copy(report->arena, tn_builder_str(&label), &cell.text);
    tn_builder_free(&label);
    return cell;
}

static void add_bar(struct tn_report *report, struct tn_table *table, const struct plan *plan,
                    const struct tn_block *block, size_t first, size_t count)
{
    struct tn_cell *cell = tn_table_row(report, table);
    if (!cell) {
        return;
    }
    const struct tn_bar *bar = &block->bars[first];
    *cell++ = label_cell(report, block, first, count);
    for (size_t k = 0; k < plan->shade_count; k++) {
        *cell++ = tn_cell_bytes(bar->bytes[plan->shades[k]]);
    }
    if (plan->capacity) {
        *cell++ = bar->capacity_bytes ? tn_cell_bytes(bar->capacity_bytes) : (struct tn_cell){0};
    }
    if (plan->excess) {
        *cell++ = tn_cell_bytes(tn_bar_sum(bar).excess_bytes);
    }
}

struct tn_table *tn_tabulate_bars(struct tn_report *report, const struct tn_block *block, enum tn_language language,
                                  bool all_shades)
{
    struct plan *plan = TN_NEW(report->arena, struct plan);
    if (!plan) {
        report->failed = true;
        return NULL;
    }
    plan_columns(plan, block, language, all_shades);
    struct tn_table *table = tn_report_table(report, NULL, plan->columns, plan->count);
    for (size_t first = 0; table && first < block->bar_count;) {
        size_t count = all_shades ? 1 : tn_bar_group(block, first);
        add_bar(report, table, plan, block, first, count);
        first += count;
    }
    return table;
}

struct tn_table *tn_tabulate_chart(struct tn_report *report, const struct tn_chart *chart, enum tn_language language)
{
    struct tn_column *columns = TN_NEW_ARRAY(report->arena, struct tn_column, 3);
    const char *x_title = tn_str_terminated(report->arena, chart->x_title);
    if (!columns || !x_title) {
        report->failed = true;
        return NULL;
    }
    columns[0] = (struct tn_column){.title = tn_word(TN_WORD_SERIES, language), .key = "series"};
    columns[1] = (struct tn_column){.title = x_title, .key = "x", .right = true};
    columns[2] = (struct tn_column){.title = tn_word(TN_WORD_MEMORY, language), .key = "y_bytes", .right = true};
    struct tn_table *table = tn_report_table(report, NULL, columns, 3);
    if (!table) {
        return NULL;
    }
    table->title = chart->title;
    for (size_t k = 0; k < chart->series_count; k++) {
        const struct tn_series *series = &chart->series[k];
        for (size_t point = 0; point < series->count; point++) {
            struct tn_cell *cells = tn_table_row(report, table);
            if (!cells) {
                return NULL;
            }
            cells[0] = tn_cell_text(series->label);
            cells[1] = tn_cell_count(series->x[point]);
            cells[2] = tn_cell_bytes(series->y_bytes[point]);
        }
    }
    return table;
}

struct tn_table *tn_tabulate_grid(struct tn_report *report, const struct tn_grid *grid)
{
    static const struct tn_column columns[] = {{"context", "context", true, 0},
                                               {"concurrency", "concurrency", true, 0},
                                               {"fits", "fits", false, 0},
                                               {"bytes", "bytes", true, 0}};
    struct tn_table *table = tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]);
    for (size_t k = 0; table && k < grid->x_count * grid->y_count; k++) {
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return NULL;
        }
        cells[0] = tn_cell_count(grid->x[k % grid->x_count]);
        cells[1] = tn_cell_count(grid->y[k / grid->x_count]);
        cells[2] = tn_cell_text(tn_str_of(tn_fits_looks[grid->cells[k].fits].key));
        cells[3] = grid->cells[k].bytes ? tn_cell_bytes(grid->cells[k].bytes) : (struct tn_cell){0};
    }
    return table;
}

/* The head of a column: the tokens. */
static const char *plane_title(struct tn_report *report, uint64_t tokens)
{
    struct tn_builder text = {0};
    tn_write_tokens(&text, tokens);
    struct tn_str kept = tn_report_keep(report, &text);
    return tn_str_terminated(report->arena, kept);
}

static void add_plane_row(struct tn_report *report, struct tn_table *table, const struct tn_grid *grid, size_t y)
{
    static const char *const marks[TN_FITS_COUNT] = {[TN_FITS_YES] = "✓",
                                                     [TN_FITS_QUEUES] = "…",
                                                     [TN_FITS_PARTLY] = "½",
                                                     [TN_FITS_NO] = "✗",
                                                     [TN_FITS_REFUSED] = ""};
    struct tn_cell *cells = tn_table_row(report, table);
    if (!cells) {
        return;
    }
    cells[0] = tn_cell_count(grid->y[y]);
    for (size_t x = 0; x < grid->x_count; x++) {
        const struct tn_grid_cell *cell = &grid->cells[y * grid->x_count + x];
        bool shown = cell->bytes && cell->fits == TN_FITS_YES;
        cells[x + 1] = shown ? tn_cell_bytes(cell->bytes) : tn_cell_text(tn_str_of(marks[cell->fits]));
    }
}

static void add_most_row(struct tn_report *report, struct tn_table *table, const struct tn_grid *grid,
                         enum tn_language language)
{
    struct tn_cell *cells = tn_table_row(report, table);
    for (size_t x = 0; cells && x < grid->x_count; x++) {
        struct tn_builder text = {0};
        tn_write_most(&text, grid->most_y[x], language);
        cells[x + 1] = tn_cell_text(tn_report_keep(report, &text));
    }
    if (cells) {
        cells[0] = tn_cell_text(tn_str_of(tn_word(TN_WORD_MOST, language)));
    }
}

struct tn_table *tn_tabulate_grid_plane(struct tn_report *report, const struct tn_grid *grid, enum tn_language language)
{
    struct tn_column *columns = TN_NEW_ARRAY(report->arena, struct tn_column, grid->x_count + 1);
    if (!columns) {
        report->failed = true;
        return NULL;
    }
    columns[0] = (struct tn_column){.title = tn_str_terminated(report->arena, grid->y_title), .right = true};
    for (size_t x = 0; x < grid->x_count; x++) {
        columns[x + 1] = (struct tn_column){.title = plane_title(report, grid->x[x]), .right = true};
    }
    struct tn_table *table = tn_report_table(report, NULL, columns, grid->x_count + 1);
    if (!table) {
        return NULL;
    }
    table->title = grid->title;
    if (grid->most_y) {
        add_most_row(report, table, grid, language);
    }
    for (size_t y = grid->y_count; y-- > 0;) {
        add_plane_row(report, table, grid, y);
    }
    return table;
}
