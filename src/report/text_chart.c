/* Charts as text: lines of braille dots, two by four to a cell, with a mark of the line's own at each point. */
#include "report/out_text.h"

#include "base/number.h"
#include "text/utf8.h"

enum { ROWS = 12, MOST_COLUMNS = 120, DOTS_X = 2, DOTS_Y = 4, NO_LINE = 0 };

struct canvas {
    size_t columns;
    uint8_t dots[ROWS][MOST_COLUMNS]; /* bits of the braille pattern */
    uint8_t line[ROWS][MOST_COLUMNS]; /* whose cell it is, counted from 1; NO_LINE */
    bool marked[ROWS][MOST_COLUMNS];
    size_t limit_row; /* ROWS: no limit */
    size_t asked_row; /* ROWS: nothing was asked for */
    size_t asked_column;
};

/* A dot, counted from the lower left corner. */
struct dot {
    size_t x;
    size_t y;
};

static void set_dot(struct canvas *canvas, struct dot dot, uint8_t line)
{
    static const uint8_t bits[DOTS_Y][DOTS_X] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    size_t down = ROWS * DOTS_Y - 1 - dot.y;
    canvas->dots[down / DOTS_Y][dot.x / DOTS_X] |= bits[down % DOTS_Y][dot.x % DOTS_X];
    canvas->line[down / DOTS_Y][dot.x / DOTS_X] = line;
}

/* The row of cells in which a dot of this height lies. */
static size_t row_of(size_t dots_up)
{
    return ROWS - 1 - dots_up / DOTS_Y;
}

static size_t distance(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

/* The k-th of `steps` places on the way from a to b, rounded. */
static size_t between(size_t a, size_t b, size_t k, size_t steps)
{
    size_t way = steps ? (2 * distance(a, b) * k + steps) / (2 * steps) : 0;
    return b > a ? a + way : a - way;
}

static void draw_line(struct canvas *canvas, struct dot from, struct dot to, uint8_t line)
{
    size_t wide = distance(from.x, to.x);
    size_t high = distance(from.y, to.y);
    size_t steps = wide > high ? wide : high;
    for (size_t k = 0; k <= steps; k++) {
        struct dot dot = {between(from.x, to.x, k, steps), between(from.y, to.y, k, steps)};
        set_dot(canvas, dot, line);
    }
}

static struct dot place(const struct canvas *canvas, const struct tn_scale *scale, uint64_t x, uint64_t bytes)
{
    return (struct dot){tn_scale_x(scale, x, canvas->columns * DOTS_X - 1),
                        tn_scale_y(scale, bytes, ROWS * DOTS_Y - 1)};
}

static void draw_series(struct canvas *canvas, const struct tn_scale *scale, const struct tn_chart *chart)
{
    for (size_t k = 0; k < chart->series_count; k++) {
        const struct tn_series *series = &chart->series[k];
        uint8_t line = (uint8_t)(k % TN_LINE_LOOKS + 1);
        for (size_t point = 1; point < series->count; point++) {
            draw_line(canvas, place(canvas, scale, series->x[point - 1], series->y_bytes[point - 1]),
                      place(canvas, scale, series->x[point], series->y_bytes[point]), line);
        }
    }
    for (size_t k = 0; k < chart->series_count; k++) {
        const struct tn_series *series = &chart->series[k];
        for (size_t point = 0; point < series->count && series->count <= TN_MOST_MARKED_POINTS; point++) {
            struct dot dot = place(canvas, scale, series->x[point], series->y_bytes[point]);
            size_t row = row_of(dot.y);
            canvas->marked[row][dot.x / DOTS_X] = true;
            canvas->line[row][dot.x / DOTS_X] = (uint8_t)(k % TN_LINE_LOOKS + 1);
        }
    }
}

static void place_asked(struct canvas *canvas, const struct tn_scale *scale, const struct tn_chart *chart)
{
    const struct tn_series *series = chart->asked_x ? &chart->series[chart->asked_series] : NULL;
    for (size_t point = 0; series && point < series->count; point++) {
        if (series->x[point] == chart->asked_x) {
            struct dot dot = place(canvas, scale, series->x[point], series->y_bytes[point]);
            canvas->asked_row = row_of(dot.y);
            canvas->asked_column = dot.x / DOTS_X;
        }
    }
}

static void write_cell(struct tn_page *page, const struct canvas *canvas, size_t row, size_t column)
{
    uint8_t line = canvas->line[row][column];
    if (row == canvas->asked_row && column == canvas->asked_column) {
        tn_page_toned(page, TN_TONE_STRONG, TN_STR("◉"));
        return;
    }
    if (line == NO_LINE) {
        bool limit = row == canvas->limit_row;
        tn_page_toned(page, limit ? TN_TONE_BAD : TN_TONE_PLAIN, limit ? TN_STR("╌") : TN_STR(" "));
        return;
    }
    const struct tn_line_look *look = &tn_line_looks[line - 1];
    uint8_t dots = canvas->dots[row][column];
    char braille[] = {(char)0xe2, (char)(0xa0 | dots >> 6), (char)(0x80 | (dots & 0x3f)), '\0'}; /* U+2800 and up */
    tn_page_paint(page, look->ansi, NULL);
    tn_builder_add_text(page->out, canvas->marked[row][column] ? look->marker : braille);
    tn_page_unpaint(page);
}

/* What stands at the y axis beside a row: the step that lies in it, or nothing. In the scratch. */
static struct tn_str y_label(struct tn_page *page, const struct tn_scale *scale, size_t row)
{
    struct tn_builder *label = tn_page_scratch(page);
    for (unsigned k = 0; k <= scale->y_steps; k++) {
        if (row_of(between(0, ROWS * DOTS_Y - 1, k, scale->y_steps)) == row) {
            tn_builder_add_u64(label, k * scale->y_step_units);
            tn_builder_add_char(label, ' ');
            tn_builder_add_text(label, scale->unit.name);
        }
    }
    return tn_builder_str(label);
}

static void write_plot(struct tn_page *page, const struct canvas *canvas, const struct tn_scale *scale, size_t margin)
{
    for (size_t row = 0; row < ROWS; row++) {
        struct tn_str label = y_label(page, scale, row);
        tn_page_space(page, margin - tn_utf8_columns(label) - 1);
        tn_builder_add(page->out, label);
        tn_builder_add_text(page->out, label.size ? " ┤" : " │");
        size_t end = canvas->columns;
        while (end > 0 && canvas->line[row][end - 1] == NO_LINE && row != canvas->limit_row) {
            end--;
        }
        for (size_t column = 0; column < end; column++) {
            write_cell(page, canvas, row, column);
        }
        tn_builder_add_char(page->out, '\n');
    }
}

/* The axis, and below it the steps that have room. */
static void write_x_axis(struct tn_page *page, const struct tn_scale *scale, size_t margin, size_t columns)
{
    struct tn_builder labels = {0};
    size_t at = 0;      /* of the labels */
    size_t axis_at = 0; /* of the axis */
    tn_page_space(page, margin);
    tn_builder_add_text(page->out, "└");
    for (tn_u128 x = 0; x <= scale->x_end; x += scale->x_step) {
        struct tn_builder *label = tn_page_scratch(page);
        tn_builder_add_grouped(label, (uint64_t)x);
        size_t column = tn_scale_x(scale, (uint64_t)x, columns * DOTS_X - 1) / DOTS_X;
        size_t from = column > label->size / 2 ? column - label->size / 2 : 0;
        from = from + label->size > columns && columns > label->size ? columns - label->size : from;
        if ((at == 0 || from > at + 1) && from + label->size <= columns) {
            tn_builder_add_repeated(&labels, " ", from - at);
            tn_builder_add(&labels, tn_builder_str(label));
            at = from + label->size;
            tn_builder_add_repeated(page->out, "─", column - axis_at);
            tn_builder_add_text(page->out, "┬");
            axis_at = column + 1;
        }
    }
    tn_builder_add_repeated(page->out, "─", columns - axis_at);
    tn_builder_add_char(page->out, '\n');
    tn_page_space(page, margin + 1);
    tn_builder_add(page->out, tn_builder_str(&labels));
    tn_builder_add_char(page->out, '\n');
    page->out->failed |= labels.failed;
    tn_builder_free(&labels);
}

static void write_legend(struct tn_page *page, const struct tn_chart *chart)
{
    for (size_t k = 0; k < chart->series_count; k++) {
        const struct tn_line_look *look = &tn_line_looks[k % TN_LINE_LOOKS];
        struct tn_builder *label = tn_page_scratch(page);
        tn_clean_add(label, chart->series[k].label, NULL);
        tn_page_space(page, TN_TEXT_INDENT);
        tn_page_paint(page, look->ansi, NULL);
        tn_builder_add_text(page->out, look->marker);
        tn_page_unpaint(page);
        tn_page_space(page, label->size ? 1 : 0);
        tn_page_wrapped(page, TN_TEXT_INDENT + 2, TN_TONE_PLAIN, tn_builder_str(label));
    }
    if (chart->limit_bytes) {
        tn_page_space(page, TN_TEXT_INDENT);
        tn_page_toned(page, TN_TONE_BAD, TN_STR("╌"));
        tn_page_space(page, 1);
        tn_write_limit(tn_page_scratch(page), chart, page->style);
        tn_page_wrapped(page, TN_TEXT_INDENT + 2, TN_TONE_PLAIN, tn_builder_str(&page->scratch));
    }
    if (chart->asked_x) {
        tn_page_space(page, TN_TEXT_INDENT);
        tn_page_toned(page, TN_TONE_STRONG, TN_STR("◉"));
        tn_builder_addf(page->out, " %s\n", tn_word(TN_WORD_ASKED, page->style->language));
    }
}

void tn_page_chart(struct tn_page *page, const struct tn_chart *chart)
{
    struct tn_scale scale = tn_chart_scale(chart, page->style->units);
    size_t margin = TN_TEXT_INDENT + tn_utf8_columns(y_label(page, &scale, 0)) + 1;
    size_t columns = page->columns - margin - 1;
    struct canvas canvas = {
        .columns = columns < MOST_COLUMNS ? columns : MOST_COLUMNS, .limit_row = ROWS, .asked_row = ROWS};
    if (chart->limit_bytes) {
        canvas.limit_row = row_of(tn_scale_y(&scale, chart->limit_bytes, ROWS * DOTS_Y - 1));
    }
    draw_series(&canvas, &scale, chart);
    place_asked(&canvas, &scale, chart);
    tn_page_title(page, chart->title);
    write_plot(page, &canvas, &scale, margin);
    write_x_axis(page, &scale, margin, canvas.columns);
    struct tn_builder *x_title = tn_page_scratch(page);
    tn_clean_add(x_title, chart->x_title, NULL);
    if (x_title->size) {
        tn_page_space(page, margin + 1);
        tn_page_wrapped(page, margin + 1, TN_TONE_DIM, tn_builder_str(x_title));
    }
    write_legend(page, chart);
}
