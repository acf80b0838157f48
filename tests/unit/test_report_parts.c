/* The parts of a report: sizes, clean text, the arithmetic of bars and charts, tables, cells of CSV. Figures are worked out by hand. */
#include "report/report.h"
#include "report/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

/* Bars. */

/* xorshift: the same numbers in every run. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* From none to all of 64 bits. */
static uint64_t next_bytes(uint64_t *seed)
{
    uint64_t shift = next_random(seed) % 80;
    return shift < 64 ? next_random(seed) >> shift : 0;
}

static void the_parts_of_a_bar_add_up_to_its_width_and_none_is_lost(void **state)
{
    (void)state;
    enum { LEAST = 12 };
    uint64_t seed = 42;
    for (int round = 0; round < 20000; round++) {
        struct tn_bar bar = {.capacity_bytes = next_bytes(&seed)};
        size_t extent = (size_t)LEAST * TN_BAR_PARTS + next_random(&seed) % 2000;
        for (size_t k = 0; k < TN_SHADE_COUNT; k++) {
            bar.bytes[k] = next_bytes(&seed);
        }
        size_t ends[TN_BAR_PARTS];
        size_t capacity_end = tn_bar_layout(&bar, extent, LEAST, ends);
        assert_int_equal(ends[TN_BAR_PARTS - 1], extent);
        assert_true(capacity_end <= extent);
        for (size_t k = 0; k < TN_SHADE_COUNT; k++) {
            size_t size = ends[k] - (k ? ends[k - 1] : 0);
            assert_true(bar.bytes[k] ? size >= LEAST : size == 0);
        }
    }
}

static void a_bar_keeps_its_shares_to_a_unit(void **state)
{
    (void)state;
    struct tn_bar bar = {
        .bytes = {[TN_SHADE_WEIGHTS] = 30, [TN_SHADE_KV] = 20, [TN_SHADE_OVERHEAD] = 10, [TN_SHADE_FREE] = 40},
        .capacity_bytes = 100};
    size_t ends[TN_BAR_PARTS];
    assert_int_equal(tn_bar_layout(&bar, 1000, 0, ends), 1000);
    const size_t exact[TN_BAR_PARTS] = {300, 500, 500, 500, 600, 600, 1000, 1000};
    assert_memory_equal(ends, exact, sizeof exact);

    bar = (struct tn_bar){.bytes = {150, 50}, .capacity_bytes = 50};
    assert_int_equal(tn_bar_layout(&bar, 1000, 0, ends), 250); /* 50 of 200 */
    assert_int_equal(ends[TN_SHADE_WEIGHTS], 750);

    bar = (struct tn_bar){.bytes = {1}, .capacity_bytes = 4}; /* 3 that none claims */
    tn_bar_layout(&bar, 100, 0, ends);
    assert_int_equal(ends[TN_SHADE_FREE], 25);
    assert_int_equal(ends[TN_SHADE_COUNT], 100);
}

static void check_figures(struct tn_bar bar, const char *figures, const char *excess)
{
    struct tn_builder out = {0};
    struct tn_style style = {0};
    tn_write_bar_figures(&out, &bar, TN_UNITS_IEC);
    assert_string_equal(out.data, figures);
    tn_builder_clear(&out);
    tn_write_bar_excess(&out, &bar, &style);
    assert_string_equal(out.data, excess);
    tn_builder_free(&out);
}

static void the_figures_of_a_bar_are_in_the_unit_of_its_capacity(void **state)
{
    (void)state;
    struct tn_bar bar = {.bytes = {41 * GIB + GIB / 5}, .capacity_bytes = 80 * GIB};
    check_figures(bar, "41.2 / 80.0 GiB", "");
    bar.bytes[TN_SHADE_UNCERTAIN] = 2 * GIB;
    check_figures(bar, "41.2–43.2 / 80.0 GiB", "");
    bar.bytes[TN_SHADE_UNCERTAIN] = 1024; /* too little to show */
    check_figures(bar, "41.2 / 80.0 GiB", "");
    bar.capacity_bytes = 0;
    check_figures(bar, "41.2 GiB", "");
    bar = (struct tn_bar){.bytes = {92 * GIB + 3 * GIB / 10}, .capacity_bytes = 80 * GIB};
    check_figures(bar, "92.3 / 80.0 GiB", "+12.3 GiB over");
    bar = (struct tn_bar){.bytes = {[TN_SHADE_WEIGHTS] = 79 * GIB, [TN_SHADE_UNCERTAIN] = 2 * GIB},
                          .capacity_bytes = 80 * GIB};
    check_figures(bar, "79.0–81.0 / 80.0 GiB", "up to +1.0 GiB over");
    bar = (struct tn_bar){.bytes = {[TN_SHADE_WEIGHTS] = 600, [TN_SHADE_FREE] = 400}, .capacity_bytes = 1000};
    check_figures(bar, "600 / 1000 B", "");
    bar = (struct tn_bar){.bytes = {UINT64_MAX, UINT64_MAX}, .capacity_bytes = 1};
    check_figures(bar, "18446744073709551615 / 1 B", "+16.0 EiB over");
}

static void up_to_eight_equal_bars_stay_apart_and_more_are_grouped(void **state)
{
    (void)state;
    struct tn_bar bars[10];
    const char *labels[] = {"GPU 0", "GPU 1", "GPU 2", "GPU 3", "GPU 4", "GPU 5", "GPU 6", "GPU 7", "GPU 8", "spare"};
    for (size_t k = 0; k < 10; k++) {
        bars[k] = (struct tn_bar){.label = tn_str_of(labels[k]), .bytes = {GIB}, .capacity_bytes = 2 * GIB};
    }
    struct tn_block block = {.kind = TN_BLOCK_BARS, .bars = bars, .bar_count = 8};
    assert_int_equal(tn_bar_group(&block, 0), 1);
    block.bar_count = 9;
    assert_int_equal(tn_bar_group(&block, 0), 9);
    struct tn_builder label = {0};
    tn_write_bar_label(&label, &block, 0, 9);
    tn_builder_add_char(&label, '|');
    block.bar_count = 10;
    tn_write_bar_label(&label, &block, 0, 10); /* the labels have no number in common */
    assert_string_equal(label.data, "GPU 0-8|GPU 0 - spare");
    tn_builder_free(&label);
    bars[4].bytes[TN_SHADE_KV] = 1;
    assert_int_equal(tn_bar_group(&block, 0), 4);
    assert_int_equal(tn_bar_group(&block, 4), 1);
    assert_int_equal(tn_bar_group(&block, 5), 5);
}

/* Sizes, text and tables. */

static void sizes_are_rounded_exactly_and_stay_below_the_next_unit(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *iec;
        const char *si;
    } cases[] = {
        {0, "0 B", "0 B"},
        {1, "1 B", "1 B"},
        {999, "999 B", "999 B"},
        {1000, "1000 B", "1.00 KB"},
        {1023, "1023 B", "1.02 KB"},
        {1024, "1.00 KiB", "1.02 KB"},
        {1029, "1.00 KiB", "1.03 KB"}, /* 1.00488 */
        {1030, "1.01 KiB", "1.03 KB"}, /* 1.00586 */
        {999994, "976.56 KiB", "999.99 KB"},
        {999995, "976.56 KiB", "1.00 MB"},   /* 999.995 would be 1000.00 KB */
        {1048570, "1023.99 KiB", "1.05 MB"}, /* 1023.99414 */
        {1048571, "1.00 MiB", "1.05 MB"},    /* 1023.99512 would be 1024.00 KiB */
        {26031728640, "24.24 GiB", "26.03 GB"},
        {80 * GIB, "80.00 GiB", "85.90 GB"},
        {1024 * GIB - 1, "1.00 TiB", "1.10 TB"},
        {UINT64_C(1) << 50, "1.00 PiB", "1.13 PB"},
        {UINT64_MAX, "16.00 EiB", "18.45 EB"},
    };
    struct tn_builder out = {0};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tn_builder_clear(&out);
        tn_write_bytes(&out, cases[k].bytes, TN_UNITS_IEC);
        assert_string_equal(out.data, cases[k].iec);
        tn_builder_clear(&out);
        tn_write_bytes(&out, cases[k].bytes, TN_UNITS_SI);
        assert_string_equal(out.data, cases[k].si);
    }
    tn_builder_free(&out);
}

static void text_is_cleaned_of_what_cannot_be_shown(void **state)
{
    (void)state;
    static const struct {
        const char *dirty;
        const char *clean;
    } cases[] = {
        {"plain äöü 你好 😀", "plain äöü 你好 😀"},
        {"a\tb\nc\rd\r\ne", "a b c d e"},
        {"\x1b]0;title\x07", "\xef\xbf\xbd]0;title\xef\xbf\xbd"},
        {"\x80\xc3", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                       /* a surrogate */
        {"\xe2\x80\xae\xe2\x81\xa6\xc2\x85\n", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* U+202E, U+2066, U+0085 */
        {"\xef\xbf\xbf\xef\xb7\x90", "\xef\xbf\xbd\xef\xbf\xbd"}, /* U+FFFF, U+FDD0: no characters */
        {"1\xe2\x80\xa8"
         "2\n",
         "1 2"}, /* U+2028 ends a line */
    };
    struct tn_builder out = {0};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tn_builder_clear(&out);
        tn_clean_add(&out, tn_str_of(cases[k].dirty), NULL);
        assert_string_equal(out.data, cases[k].clean);
    }
    tn_builder_free(&out);
}

static void csv_defuses_formulas_but_not_numbers(void **state)
{
    (void)state;
    static const struct tn_column column = {.title = "t", .key = "k"};
    static const struct {
        const char *text;
        const char *csv;
    } cases[] = {
        {"=1+1", "'=1+1"},
        {"@cmd", "'@cmd"},
        {"+1", "+1"},
        {"-12.5e-3", "-12.5e-3"},
        {"-1-1", "'-1-1"},
        {"-", "'-"},
        {"+1.", "'+1."},
        {"-1e", "'-1e"},
        {"=\"a\"", "\"'=\"\"a\"\"\""},
        {"a,b", "\"a,b\""},
        {"say \"x\"", "\"say \"\"x\"\"\""},
        {"a=b", "a=b"},
        {"", ""},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct tn_arena arena = {0};
        struct tn_report report = {.arena = &arena};
        struct tn_table *table = tn_report_table(&report, NULL, &column, 1);
        *tn_table_row(&report, table) = tn_cell_text(tn_str_of(cases[k].text));
        struct tn_builder out = {0};
        struct tn_style style = {0};
        tn_writer_find(TN_STR("csv"))->write(&report, &style, &out);
        char expected[64];
        (void)snprintf(expected, sizeof expected, "k\r\n%s\r\n", cases[k].csv);
        assert_string_equal(out.data, expected);
        tn_builder_free(&out);
        tn_arena_free(&arena);
    }
}

static void csv_keeps_every_digit_of_a_fixed_number(void **state)
{
    (void)state;
    static const struct tn_column columns[] = {
        {.title = "t", .key = "a", .decimals = 1}, {.title = "t", .key = "b"}, {.title = "t", .key = "c"}};
    struct tn_arena arena = {0};
    struct tn_report report = {.arena = &arena};
    struct tn_cell *row = tn_table_row(&report, tn_report_table(&report, NULL, columns, 3));
    row[0] = tn_cell_fixed(15416);
    row[1] = tn_cell_fixed(20000);
    row[2] = tn_cell_fixed(0);
    struct tn_builder out = {0};
    struct tn_style style = {0};
    tn_writer_find(TN_STR("csv"))->write(&report, &style, &out);
    assert_string_equal(out.data, "a,b,c\r\n15.416,20,0\r\n");
    tn_builder_free(&out);
    tn_arena_free(&arena);
}

static void check_wrap(const char *text, unsigned columns, const char *expected)
{
    struct tn_arena arena = {0};
    struct tn_report report = {.arena = &arena};
    struct tn_style style = {.columns = columns};
    struct tn_builder out = {0};
    tn_report_text(&report, TN_BLOCK_NOTE, TN_TONE_PLAIN, "%s", text);
    tn_writer_find(TN_STR("text"))->write(&report, &style, &out);
    assert_string_equal(out.data, expected);
    tn_builder_free(&out);
    tn_arena_free(&arena);
}

static void notes_wrap_at_spaces_and_between_wide_characters(void **state)
{
    (void)state;
    check_wrap("one two three four five six seven eight nine ten", 40,
               "  • one two three four five six seven\n    eight nine ten\n");
    check_wrap("a word_that_is_longer_than_a_whole_line_of_the_page end", 40,
               "  • a\n    word_that_is_longer_than_a_whole_lin\n    e_of_the_page end\n");
    /* 18 wide characters fill 36 columns; the comma may not begin a line and takes its neighbour along. */
    check_wrap("一二三四五六七八九十一二三四五六七八，九", 40, "  • 一二三四五六七八九十一二三四五六七\n    八，九\n");
    check_wrap("a first line\n\na third", 40, "  • a first line\n\n    a third\n");
}

static void a_table_of_more_rows_than_bits_keeps_its_rules(void **state)
{
    (void)state;
    static const struct tn_column column = {.title = "n", .key = "n", .right = true};
    struct tn_arena arena = {0};
    struct tn_report report = {.arena = &arena};
    struct tn_table *table = tn_report_table(&report, "many", &column, 1);
    for (uint64_t k = 0; k < 1000; k++) {
        if (k == 999) {
            tn_table_rule(table);
        }
        *tn_table_row(&report, table) = tn_cell_count(k);
    }
    assert_int_equal(table->row_count, 1000);
    for (uint64_t k = 0; k < 1000; k++) {
        assert_int_equal(table->cells[k].number, k);
        assert_int_equal(table->ruled[k], k == 999);
    }
    tn_arena_free(&arena);
}

static void blocks_keep_their_order_and_their_text(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_report report = {.arena = &arena};
    for (int k = 0; k < 100; k++) {
        tn_report_text(&report, TN_BLOCK_NOTE, TN_TONE_DIM, "note %d", k);
    }
    assert_int_equal(report.count, 100);
    for (int k = 0; k < 100; k++) {
        char text[32];
        (void)snprintf(text, sizeof text, "note %d", k);
        assert_true(tn_str_is(report.blocks[k].text, text));
        assert_int_equal(report.blocks[k].tone, TN_TONE_DIM);
    }
    assert_false(report.failed);
    tn_arena_free(&arena);
}

static void a_wide_table_wraps_its_text_and_then_becomes_a_list(void **state)
{
    (void)state;
    static const struct tn_column columns[] = {{.title = "name", .key = "name"},
                                               {.title = "bytes", .key = "bytes", .right = true},
                                               {.title = "why", .key = "why"}};
    struct tn_arena arena = {0};
    struct tn_report report = {.arena = &arena};
    struct tn_cell *row = tn_table_row(&report, tn_report_table(&report, NULL, columns, 3));
    row[0] = tn_cell_text(TN_STR("cache"));
    row[1] = tn_cell_bytes(GIB);
    row[2] = tn_cell_text(TN_STR("two bytes for each of the heads"));
    struct tn_builder out = {0};
    struct tn_style style = {.columns = 40};
    tn_writer_find(TN_STR("text"))->write(&report, &style, &out);
    assert_string_equal(out.data, "  name      bytes  why\n"
                                  "  ──────────────────────────────────────\n"
                                  "  cache  1.00 GiB  two bytes for each of\n"
                                  "                   the heads\n");
    row[0] = tn_cell_text(TN_STR("a name too long"));
    row[1] = tn_cell_count(UINT64_MAX);
    tn_builder_clear(&out);
    tn_writer_find(TN_STR("text"))->write(&report, &style, &out);
    assert_string_equal(out.data, "  name: a name too long\n"
                                  "    bytes: 18,446,744,073,709,551,615\n"
                                  "    why: two bytes for each of the heads\n");
    tn_builder_free(&out);
    tn_arena_free(&arena);
}

static void a_table_of_very_many_columns_is_a_list(void **state)
{
    (void)state;
    enum { COLUMNS = 70 };
    struct tn_column columns[COLUMNS];
    struct tn_arena arena = {0};
    struct tn_report report = {.arena = &arena};
    for (size_t k = 0; k < COLUMNS; k++) {
        columns[k] = (struct tn_column){.title = "n", .key = "n", .right = true};
    }
    struct tn_cell *row = tn_table_row(&report, tn_report_table(&report, NULL, columns, COLUMNS));
    row[0] = tn_cell_count(7);
    row[COLUMNS - 1] = tn_cell_count(8);
    struct tn_builder out = {0};
    struct tn_style style = {.columns = 400};
    tn_writer_find(TN_STR("text"))->write(&report, &style, &out);
    assert_string_equal(out.data, "  n: 7\n    n: 8\n");
    tn_builder_free(&out);
    tn_arena_free(&arena);
}

static void a_chart_of_many_points_names_the_first_and_the_last(void **state)
{
    (void)state;
    enum { POINTS = 65 };
    uint64_t x[POINTS];
    for (size_t k = 0; k < POINTS; k++) {
        x[k] = k;
    }
    struct tn_series series = {.label = TN_STR("line"), .x = x, .y_bytes = x, .count = POINTS};
    struct tn_chart chart = {.title = TN_STR("many"), .series = &series, .series_count = 1};
    struct tn_builder out = {0};
    tn_write_chart_sentence(&out, &chart, TN_UNITS_IEC);
    assert_string_equal(out.data, "many; line: 0 B @ 0, 64 B @ 64");
    tn_builder_free(&out);
}

static void axes_have_round_steps(void **state)
{
    (void)state;
    static const struct {
        uint64_t x;
        uint64_t bytes;
        uint64_t x_step;
        uint64_t y_step_units;
        unsigned y_steps;
        const char *unit;
    } cases[] = {
        {131072, 94 * GIB, 32768, 20, 5, "GiB"},
        {100000, 10 * GIB, 25000, 2, 5, "GiB"},
        {100, 101 * GIB, 25, 25, 5, "GiB"},
        {64, 3 * MIB, 20, 1, 3, "MiB"},
        {3072, 1, 1024, 1, 1, "B"},
        {0, 0, 1, 1, 1, "B"},
        {1, 1000 * GIB, 1, 200, 5, "GiB"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct tn_series series = {.x = &cases[k].x, .y_bytes = &cases[k].bytes, .count = 1};
        struct tn_chart chart = {.series = &series, .series_count = 1};
        struct tn_scale scale = tn_chart_scale(&chart, TN_UNITS_IEC);
        assert_int_equal(scale.x_step, cases[k].x_step);
        assert_int_equal(scale.y_step_units, cases[k].y_step_units);
        assert_int_equal(scale.y_steps, cases[k].y_steps);
        assert_string_equal(scale.unit.name, cases[k].unit);
    }
    uint64_t most = UINT64_MAX;
    struct tn_series series = {.x = &most, .y_bytes = &most, .count = 1};
    struct tn_chart chart = {.series = &series, .series_count = 1};
    struct tn_scale scale = tn_chart_scale(&chart, TN_UNITS_IEC);
    assert_int_equal(tn_scale_x(&scale, most, 100), 100);
    assert_int_equal(tn_scale_y(&scale, most, 100), 80); /* 16 EiB on an axis of 20 */
}

static void writers_are_found_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"text", "csv", "md", "html", "svg"};
    const struct tn_writer *table = tn_writer_table();
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        assert_ptr_equal(tn_writer_find(tn_str_of(names[k])), &table[k]);
        assert_non_null(table[k].media_type);
    }
    assert_null(table[5].name);
    assert_null(tn_writer_find(TN_STR("json")));
    assert_null(tn_writer_find(TN_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_a_bar_add_up_to_its_width_and_none_is_lost),
        cmocka_unit_test(a_bar_keeps_its_shares_to_a_unit),
        cmocka_unit_test(the_figures_of_a_bar_are_in_the_unit_of_its_capacity),
        cmocka_unit_test(up_to_eight_equal_bars_stay_apart_and_more_are_grouped),
        cmocka_unit_test(sizes_are_rounded_exactly_and_stay_below_the_next_unit),
        cmocka_unit_test(text_is_cleaned_of_what_cannot_be_shown),
        cmocka_unit_test(csv_defuses_formulas_but_not_numbers),
        cmocka_unit_test(csv_keeps_every_digit_of_a_fixed_number),
        cmocka_unit_test(notes_wrap_at_spaces_and_between_wide_characters),
        cmocka_unit_test(a_table_of_more_rows_than_bits_keeps_its_rules),
        cmocka_unit_test(blocks_keep_their_order_and_their_text),
        cmocka_unit_test(a_wide_table_wraps_its_text_and_then_becomes_a_list),
        cmocka_unit_test(a_table_of_very_many_columns_is_a_list),
        cmocka_unit_test(a_chart_of_many_points_names_the_first_and_the_last),
        cmocka_unit_test(axes_have_round_steps),
        cmocka_unit_test(writers_are_found_by_name),
    };
    return cmocka_run_group_tests_name("report parts", tests, NULL, NULL);
}
