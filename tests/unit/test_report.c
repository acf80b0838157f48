/* Reports: what is built, and what each writer makes of it. Whole outputs are compared with the files in tests/data/report, each of
 * them read and, where it is a picture, looked at before it went in. TONNAGE_WRITE_GOLDEN=1 writes them anew. */
#include "report/report.h"
#include "report/writer.h"
#include "text/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)
/* As TN_STR, where an initializer must be constant. clang-format takes the braces for a block. */
/* clang-format off */
#define LITERAL(text) {text, sizeof(text) - 1}
/* clang-format on */

/* The samples: reports as operations make them, and as an enemy would. */

static const struct tn_column part_columns[] = {
    {.title = "part", .key = "part"},
    {.title = "each GPU", .key = "gpu_bytes", .right = true},
    {.title = "copies", .key = "copies", .right = true},
    {.title = "share %", .key = "share_percent", .right = true, .decimals = 1},
    {.title = "basis", .key = "basis"},
};

static void add_part(struct tn_report *report, struct tn_table *table, const char *name, uint64_t bytes, uint64_t share,
                     const char *basis)
{
    struct tn_cell *row = tn_table_row(report, table);
    row[0] = tn_cell_text(tn_str_of(name));
    row[1] = tn_cell_bytes(bytes);
    row[2] = tn_cell_count(2);
    row[3] = tn_cell_fixed(share);
    row[4] = tn_cell_text(tn_str_of(basis));
}

static void add_bars(struct tn_report *report, const struct tn_bar *bars, size_t count)
{
    struct tn_block *block = tn_report_add(report, TN_BLOCK_BARS);
    block->bars = tn_arena_array(report->arena, count, sizeof *bars);
    memcpy(block->bars, bars, count * sizeof *bars);
    block->bar_count = count;
}

/* A model that fits on two GPUs of 80 GiB: 65.70 + 3.22 + 2.50 + 1.25 + 7.33 = 80. */
static void build_plan(struct tn_report *report)
{
    struct tn_bar bar = {.bytes = {[TN_SHADE_WEIGHTS] = 67277 * MIB,
                                   [TN_SHADE_KV] = 1300 * MIB,
                                   [TN_SHADE_ROOM] = 2000 * MIB,
                                   [TN_SHADE_OVERHEAD] = 2560 * MIB,
                                   [TN_SHADE_UNCERTAIN] = 1280 * MIB,
                                   [TN_SHADE_FREE] = 7503 * MIB},
                         .capacity_bytes = 80 * GIB};
    struct tn_bar bars[2] = {bar, bar};
    bars[0].label = TN_STR("GPU 0");
    bars[1].label = TN_STR("GPU 1");
    report->title = TN_STR("llama-2-70b on 2 x A100 80 GB, vLLM 0.19.0");
    add_bars(report, bars, 2);
    tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_GOOD, "fits: 7.3 GiB stay free on each GPU, enough for %d requests",
                   3);
    struct tn_table *table = tn_report_table(report, "Where the memory goes", part_columns, 5);
    add_part(report, table, "weights", 67277 * MIB, 90400, "exact");
    add_part(report, table, "KV cache", 3300 * MIB, 4430, "exact");
    add_part(report, table, "activation", 2560 * MIB, 3440, "fitted");
    add_part(report, table, "uncertain", 1280 * MIB, 1720, "");
    tn_table_rule(table);
    add_part(report, table, "total", 74417 * MIB, 100000, "");
    tn_report_text(report, TN_BLOCK_HEADING, TN_TONE_PLAIN, "Run it");
    tn_report_text(report, TN_BLOCK_COMMAND, TN_TONE_PLAIN,
                   "vllm serve meta-llama/Llama-2-70b-hf --tensor-parallel-size 2 --max-model-len 4096");
    tn_report_text(report, TN_BLOCK_HEADING, TN_TONE_PLAIN, "Notes");
    tn_report_text(
        report, TN_BLOCK_NOTE, TN_TONE_PLAIN,
        "The context is 4,096 tokens, the limit of the model (max_position_embeddings in config.json), because "
        "none was given.");
    tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM, "1 GiB is 1,073,741,824 bytes.");
}

/* A GPU that overflows for sure, one that may, and sixteen of which fifteen are equal. */
static void build_over(struct tn_report *report)
{
    struct tn_bar bars[] = {
        {TN_STR("GPU 0"), {100 * GIB, 9 * GIB, 0, 0, 3 * GIB, 2 * GIB, 0}, 80 * GIB, 0},
        {TN_STR("GPU 1"), {60 * GIB, 15 * GIB, GIB, 0, 3 * GIB, 2 * GIB, 0}, 80 * GIB, 78 * GIB},
        {TN_STR("GPU 2"), {20 * GIB, 0, 0, 0, 20 * GIB, 0, 20 * GIB}, 80 * GIB, 0}, /* 20 GiB claimed by none */
    };
    report->title = TN_STR("too large");
    add_bars(report, bars, 3);
    struct tn_bar many[16];
    char(*labels)[8] = tn_arena_array(report->arena, 16, sizeof *labels);
    for (size_t k = 0; k < 16; k++) {
        (void)snprintf(labels[k], sizeof labels[k], "GPU %zu", k);
        many[k] = (struct tn_bar){tn_str_of(labels[k]), {30 * GIB, 10 * GIB, 0, 0, 4 * GIB, 0, 36 * GIB}, 80 * GIB, 0};
    }
    many[15].bytes[TN_SHADE_KV] = 12 * GIB;
    many[15].bytes[TN_SHADE_FREE] = 34 * GIB;
    add_bars(report, many, 16);
    tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_BAD,
                   "does not fit: 34.0 GiB too much on GPU 0; the weights alone exceed it");
}

static void build_chinese(struct tn_report *report)
{
    static const struct tn_column columns[] = {{.title = "组成部分", .key = "part"},
                                               {.title = "每块 GPU", .key = "gpu_bytes", .right = true},
                                               {.title = "说明", .key = "note"}};
    struct tn_bar bars[] = {
        {TN_STR("显卡 0"), {12 * GIB, 8 * GIB, 2 * GIB, 0, GIB, 0, GIB}, 24 * GIB, 0},
        {TN_STR("显卡 1"), {12 * GIB, 8 * GIB, 2 * GIB, 0, 5 * GIB, 0, 0}, 24 * GIB, 0},
    };
    report->title = TN_STR("通义千问 2.5 的显存");
    add_bars(report, bars, 2);
    struct tn_table *table = tn_report_table(report, "明细", columns, 3);
    struct tn_cell *row = tn_table_row(report, table);
    row[0] = tn_cell_text(TN_STR("模型权重"));
    row[1] = tn_cell_bytes(12 * GIB);
    row[2] = tn_cell_text(TN_STR("来自 safetensors 文件头，与推理引擎载入显存的字节数完全一致，不含任何估计"));
    row = tn_table_row(report, table);
    row[0] = tn_cell_text(TN_STR("KV"));
    row[1] = tn_cell_bytes(900 * MIB);
    row[2] = tn_cell_text(TN_STR("每个请求 4096 个词元"));
    tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_PLAIN,
                   "上下文长度取模型配置中的最大值，因为命令行没有给出；如果实际请求更短，键值缓存会相应减少，"
                   "可以同时服务更多请求。");
}

static void build_chart(struct tn_report *report)
{
    static const uint64_t x[] = {4096, 16384, 32768, 65536, 131072};
    static const uint64_t small[] = {17 * GIB, 20 * GIB, 24 * GIB, 32 * GIB, 48 * GIB};
    static const uint64_t large[] = {40 * GIB, 45 * GIB, 52 * GIB, 66 * GIB, 94 * GIB};
    static struct tn_series series[] = {
        {.label = LITERAL("llama-3-8b, 8 requests"), .x = x, .y_bytes = small, .count = 5},
        {.label = LITERAL("qwen-2.5-32b, 4 requests"), .x = x, .y_bytes = large, .count = 5}};
    static struct tn_chart chart = {.title = LITERAL("Memory against context"),
                                    .x_title = LITERAL("context (tokens)"),
                                    .series = series,
                                    .series_count = 2,
                                    .limit_bytes = 80 * GIB};
    report->title = TN_STR("two models");
    tn_report_add(report, TN_BLOCK_CHART)->chart = &chart;
}

/* A chart as plan --chart makes it: judged points, a limit of its own, the point that was asked for. */
static void build_context(struct tn_report *report)
{
    static const uint64_t x[] = {1024, 16384, 40000, 65536};
    static const uint64_t few[] = {18 * GIB, 20 * GIB, 23 * GIB, 26 * GIB};
    static const uint64_t many[] = {20 * GIB, 51 * GIB, 74 * GIB, 90 * GIB};
    static const enum tn_fits all[] = {TN_FITS_YES, TN_FITS_YES, TN_FITS_YES, TN_FITS_YES};
    static const enum tn_fits some[] = {TN_FITS_YES, TN_FITS_YES, TN_FITS_YES, TN_FITS_QUEUES};
    static struct tn_series series[] = {
        {.label = LITERAL("1 request"), .x = x, .y_bytes = few, .count = 4, .fits = all, .number = 1},
        {.label = LITERAL("16 requests"), .x = x, .y_bytes = many, .count = 4, .fits = some, .number = 16}};
    static struct tn_chart chart = {.title = LITERAL("Memory against context"),
                                    .x_title = LITERAL("context"),
                                    .series = series,
                                    .series_count = 2,
                                    .limit_bytes = 74 * GIB,
                                    .limit_text = LITERAL("what vllm takes:"),
                                    .asked_x = 65536,
                                    .asked_series = 1};
    report->title = TN_STR("one model");
    tn_report_add(report, TN_BLOCK_CHART)->chart = &chart;
}

/* 3 x 4 cells of which 6 fit: 4, 2 and 0 of the columns, and the last is refused. */
static void build_grid(struct tn_report *report)
{
    static const uint64_t x[] = {4096, 5000, 1048576};
    static const uint64_t y[] = {1, 4, 16, 1024};
    static const struct tn_grid_cell cells[] = {
        {TN_FITS_YES, 20 * GIB},
        {TN_FITS_YES, 30 * GIB},
        {TN_FITS_PARTLY, 90 * GIB},
        {TN_FITS_YES, 21 * GIB},
        {TN_FITS_YES, 40 * GIB},
        {TN_FITS_NO, 120 * GIB},
        {TN_FITS_YES, 24 * GIB},
        {TN_FITS_QUEUES, 81 * GIB},
        {TN_FITS_REFUSED, 0},
        {TN_FITS_YES, 70 * GIB},
        {TN_FITS_NO, 0},
        {TN_FITS_REFUSED, 0},
    };
    static const uint64_t most[] = {UINT64_MAX, 14, 0};
    static struct tn_grid grid = {.title = LITERAL("What fits"),
                                  .x_title = LITERAL("context"),
                                  .y_title = LITERAL("requests"),
                                  .x = x,
                                  .x_count = 3,
                                  .y = y,
                                  .y_count = 4,
                                  .cells = cells,
                                  .most_y = most,
                                  .asked_x = 1,
                                  .asked_y = 2,
                                  .limit_bytes = 80 * GIB};
    report->title = TN_STR("one model");
    tn_report_add(report, TN_BLOCK_GRID)->grid = &grid;
}

#define HOSTILE "<b>&\"'|*_`\x1b[31m\xff\xc3(\xe2\x80\xae\tx\r\ny</b>"

static void build_hostile(struct tn_report *report)
{
    static const struct tn_column columns[] = {{.title = "a<|>&\"'", .key = "a,\"b"},
                                               {.title = "n", .key = "n", .right = true, .decimals = 2},
                                               {.title = "]]>-->", .key = "=key"}};
    static const uint64_t x[] = {0, UINT64_MAX};
    static struct tn_series series[] = {{.label = LITERAL(HOSTILE), .x = x, .y_bytes = x, .count = 2},
                                        {.label = LITERAL(""), .x = x, .y_bytes = x, .count = 0}};
    static struct tn_chart chart = {.title = LITERAL(HOSTILE),
                                    .x_title = LITERAL(HOSTILE),
                                    .series = series,
                                    .series_count = 2,
                                    .limit_bytes = UINT64_MAX,
                                    .limit_text = LITERAL(HOSTILE)};
    static const struct tn_grid_cell cells[] = {{TN_FITS_YES, UINT64_MAX}, {TN_FITS_NO, 1}};
    static const uint64_t most[] = {UINT64_MAX - 1, 0};
    static struct tn_grid grid = {.title = LITERAL(HOSTILE),
                                  .x_title = LITERAL(HOSTILE),
                                  .y_title = LITERAL(HOSTILE),
                                  .x = x,
                                  .x_count = 2,
                                  .y = &x[1],
                                  .y_count = 1,
                                  .cells = cells,
                                  .most_y = most,
                                  .asked_x = 2,
                                  .limit_bytes = 1};
    struct tn_bar bars[] = {{TN_STR(HOSTILE), {UINT64_MAX, UINT64_MAX, UINT64_MAX, 0, UINT64_MAX, UINT64_MAX, 0}, 1, 1},
                            {TN_STR(""), {0}, 0, 7},
                            {TN_STR(""), {0}, UINT64_MAX, 0},
                            {TN_STR("x"), {1, 0, 0, 0, 0, 0, UINT64_MAX - 1}, UINT64_MAX, UINT64_MAX},
                            {TN_STR("y"), {1, 2, 3, 4, 5, 6, 7}, 0, 3}};
    report->title = TN_STR(HOSTILE);
    tn_report_text(report, TN_BLOCK_HEADING, TN_TONE_BAD, "%s", HOSTILE);
    tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_BAD, "%s\n# not a heading\n12. not a list\n\n   ", HOSTILE);
    add_bars(report, bars, 5);
    struct tn_table *table = tn_report_table(report, HOSTILE, columns, 3);
    struct tn_cell *row = tn_table_row(report, table);
    row[0] = tn_cell_text(TN_STR(HOSTILE));
    row[1] = tn_cell_fixed(UINT64_MAX);
    row[2] = tn_cell_text(TN_STR("=HYPERLINK(\"http://evil\")"));
    tn_table_rule(table);
    row = tn_table_row(report, table);
    row[1] = tn_cell_count(UINT64_MAX);
    row[2] = tn_cell_text(TN_STR("-12.5e3"));
    row = tn_table_row(report, table);
    row[0] = tn_cell_text(TN_STR("--flag"));
    row[1] = tn_cell_bytes(UINT64_MAX);
    tn_report_add(report, TN_BLOCK_CHART)->chart = &chart;
    tn_report_add(report, TN_BLOCK_GRID)->grid = &grid;
    tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_PLAIN, "%s", HOSTILE);
    tn_report_text(report, TN_BLOCK_COMMAND, TN_TONE_PLAIN, "```\n%s", HOSTILE);
    tn_report_text(report, TN_BLOCK_OUTPUT, TN_TONE_DIM, "````\n%s", HOSTILE);
}

/* What `table` gives: no drawing, so that the image is the table. */
static void build_table(struct tn_report *report)
{
    static const struct tn_column columns[] = {{.title = "model", .key = "model"},
                                               {.title = "context", .key = "context_tokens", .right = true},
                                               {.title = "total", .key = "total_bytes", .right = true},
                                               {.title = "requests", .key = "requests", .right = true, .decimals = 2}};
    static const char *const models[] = {
        "mistral-7b", "mixtral-8x7b",
        "a model with a name so long that no image has room for all of it in one column of a table"};
    struct tn_table *table = tn_report_table(report, "Memory of three models", columns, 4);
    for (size_t k = 0; k < 3; k++) {
        struct tn_cell *row = tn_table_row(report, table);
        row[0] = tn_cell_text(tn_str_of(models[k]));
        row[1] = tn_cell_count(UINT64_C(32768) << k);
        row[2] = tn_cell_bytes((k + 1) * 17 * GIB / 2);
        row[3] = tn_cell_fixed(15416 * (k + 1));
    }
    tn_table_rule(table);
    tn_table_row(report, table)[2] = tn_cell_bytes(51 * GIB);
}

static void build_empty(struct tn_report *report)
{
    (void)report;
}

/* Every kind of block with nothing in it. */
static void build_hollow(struct tn_report *report)
{
    static struct tn_chart chart;
    static struct tn_grid grid;
    tn_report_text(report, TN_BLOCK_HEADING, TN_TONE_PLAIN, "%s", "");
    tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_GOOD, "%s", "");
    tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_PLAIN, "%s", "");
    tn_report_text(report, TN_BLOCK_COMMAND, TN_TONE_PLAIN, "%s", "");
    (void)tn_report_table(report, NULL, NULL, 0);
    (void)tn_report_table(report, "no rows", part_columns, 5);
    (void)tn_report_add(report, TN_BLOCK_BARS);
    tn_report_add(report, TN_BLOCK_CHART)->chart = &chart;
    tn_report_add(report, TN_BLOCK_GRID)->grid = &grid;
}

static const struct sample {
    const char *name;
    void (*build)(struct tn_report *report);
    enum tn_language language;
    enum tn_units units;
} samples[] = {
    {"plan", build_plan, TN_LANGUAGE_EN, TN_UNITS_IEC},       {"over", build_over, TN_LANGUAGE_EN, TN_UNITS_SI},
    {"chinese", build_chinese, TN_LANGUAGE_ZH, TN_UNITS_IEC}, {"chart", build_chart, TN_LANGUAGE_EN, TN_UNITS_IEC},
    {"hostile", build_hostile, TN_LANGUAGE_EN, TN_UNITS_IEC}, {"empty", build_empty, TN_LANGUAGE_EN, TN_UNITS_IEC},
    {"hollow", build_hollow, TN_LANGUAGE_EN, TN_UNITS_IEC},   {"table", build_table, TN_LANGUAGE_EN, TN_UNITS_IEC},
    {"context", build_context, TN_LANGUAGE_ZH, TN_UNITS_IEC}, {"grid", build_grid, TN_LANGUAGE_EN, TN_UNITS_IEC},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

/* The output for one sample; the caller frees the builder. */
static struct tn_builder render(const struct sample *sample, const char *writer, unsigned columns, bool colour)
{
    struct tn_arena arena = {0};
    struct tn_report report = {.arena = &arena};
    struct tn_builder out = {0};
    struct tn_style style = {
        .units = sample->units, .colour = colour, .columns = columns, .language = sample->language};
    sample->build(&report);
    assert_false(report.failed);
    tn_writer_find(tn_str_of(writer))->write(&report, &style, &out);
    assert_false(out.failed);
    tn_arena_free(&arena);
    return out;
}

/* Golden files. */

static void golden_path(char *path, size_t size, const char *name, const char *ending)
{
    const char *source = getenv("SOURCE_DIR");
    int length = snprintf(path, size, "%s/tests/data/report/%s.%s", source ? source : ".", name, ending);
    assert_true(length > 0 && (size_t)length < size);
}

static void compare_with_file(const char *path, struct tn_str text)
{
    static char stored[1 << 20];
    if (getenv("TONNAGE_WRITE_GOLDEN")) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(text.size ? text.data : "", 1, text.size, file), text.size);
        assert_int_equal(fclose(file), 0);
        return;
    }
    FILE *file = fopen(path, "rb");
    if (!file) {
        fail_msg("cannot open %s", path);
    }
    size_t size = fread(stored, 1, sizeof stored - 1, file);
    (void)fclose(file);
    if (!tn_str_equal((struct tn_str){stored, size}, text)) {
        fail_msg("%s differs; what was written now:\n%.*s", path, (int)text.size, text.size ? text.data : "");
    }
}

static void every_sample_is_written_as_its_golden_files_are(void **state)
{
    (void)state;
    static const struct {
        const char *writer;
        const char *ending;
        bool colour;
    } formats[] = {{"text", "txt", false}, {"text", "ansi", true},  {"csv", "csv", false},
                   {"md", "md", false},    {"html", "html", false}, {"svg", "svg", false}};
    for (size_t k = 0; k < SAMPLES; k++) {
        for (size_t format = 0; format < sizeof formats / sizeof *formats; format++) {
            char path[4096];
            golden_path(path, sizeof path, samples[k].name, formats[format].ending);
            struct tn_builder out = render(&samples[k], formats[format].writer, 100, formats[format].colour);
            compare_with_file(path, tn_builder_str(&out));
            tn_builder_free(&out);
        }
    }
}

static void the_text_of_a_plan_follows_the_width_of_the_terminal(void **state)
{
    (void)state;
    static const unsigned terminals[] = {1, 40, 60, 160};
    for (size_t k = 0; k < sizeof terminals / sizeof *terminals; k++) {
        char name[32];
        char path[4096];
        (void)snprintf(name, sizeof name, "plan-%u", terminals[k]);
        golden_path(path, sizeof path, name, "txt");
        struct tn_builder out = render(&samples[0], "text", terminals[k], false);
        compare_with_file(path, tn_builder_str(&out));
        tn_builder_free(&out);
    }
}

/* Properties that hold for every output. */

static const unsigned widths[] = {1, 7, 39, 40, 41, 52, 63, 80, 99, 100, 133, 240, 1001, UINT32_MAX};

static size_t page_columns(unsigned columns)
{
    return columns < 40 ? 40 : columns > 1000 ? 1000 : columns;
}

/* Takes SGR sequences off a line, in place. */
static struct tn_str without_colour(char *line, size_t size)
{
    size_t to = 0;
    for (size_t from = 0; from < size; from++) {
        if (line[from] == '\033') {
            while (line[from] != 'm') {
                from++;
                assert_true(from < size && strchr("[0123456789;m", line[from]));
            }
        } else {
            line[to++] = line[from];
        }
    }
    return (struct tn_str){line, to};
}

static void check_lines(struct tn_builder *out, size_t columns)
{
    assert_true(out->size == 0 || (out->data && out->data[out->size - 1] == '\n'));
    for (size_t from = 0; out->data && from < out->size;) {
        size_t size = (size_t)((char *)memchr(out->data + from, '\n', out->size - from) - out->data) - from;
        struct tn_str line = without_colour(out->data + from, size);
        bool command = tn_str_starts(line, TN_STR("    vllm"));
        assert_true(command || tn_utf8_columns(line) <= columns);
        assert_true(line.size == 0 || line.data[line.size - 1] != ' ');
        from += size + 1;
    }
}

static void no_line_of_text_is_wider_than_the_page_or_ends_with_a_space(void **state)
{
    (void)state;
    for (size_t k = 0; k < SAMPLES; k++) {
        for (size_t width = 0; width < sizeof widths / sizeof *widths; width++) {
            for (int colour = 0; colour <= 1; colour++) {
                struct tn_builder out = render(&samples[k], "text", widths[width], colour);
                assert_true(colour || !out.data || !strchr(out.data, '\033'));
                check_lines(&out, page_columns(widths[width]));
                tn_builder_free(&out);
            }
        }
    }
}

static void every_output_is_utf8_without_control_characters(void **state)
{
    (void)state;
    for (const struct tn_writer *writer = tn_writer_table(); writer->name; writer++) {
        for (size_t k = 0; k < SAMPLES; k++) {
            struct tn_builder out = render(&samples[k], writer->name, 100, false);
            struct tn_str text = tn_builder_str(&out);
            assert_int_equal(tn_utf8_valid(text), text.size);
            for (size_t at = 0; at < text.size; at++) {
                unsigned char one = (unsigned char)text.data[at];
                assert_true(one == '\n' || (one == '\r' && text.data[at + 1] == '\n') || (one >= ' ' && one != 0x7f));
            }
            tn_builder_free(&out);
        }
    }
}

/* Elements that HTML never closes. */
static bool is_void(struct tn_str name)
{
    return tn_str_is(name, "meta") || tn_str_is(name, "br") || tn_str_starts(name, TN_STR("!"));
}

/* Checks one tag, "<" to ">": quoted attributes without "<". Returns its size in bytes. */
static size_t check_tag(struct tn_str markup)
{
    char quote = 0;
    for (size_t at = 1; at < markup.size; at++) {
        char one = markup.data[at];
        assert_int_not_equal(one, '<');
        if (quote) {
            quote = one == quote ? 0 : quote;
        } else if (one == '"') {
            assert_int_equal(markup.data[at - 1], '=');
            quote = one;
        } else if (one == '>') {
            return at + 1;
        }
    }
    fail_msg("a tag does not end");
    return 0;
}

static void check_entity(struct tn_str markup)
{
    static const char *const entities[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};
    for (size_t k = 0; k < sizeof entities / sizeof *entities; k++) {
        if (tn_str_starts(markup, tn_str_of(entities[k]))) {
            return;
        }
    }
    fail_msg("a bare &");
}

static void check_balance(struct tn_str markup)
{
    struct tn_str open[32] = {{0}};
    size_t depth = 0;
    size_t elements = 0;
    for (size_t at = 0; at < markup.size; at++) {
        struct tn_str rest = tn_str_slice(markup, at, markup.size);
        if (rest.data[0] == '&') {
            check_entity(rest);
        }
        if (rest.data[0] != '<') {
            continue;
        }
        struct tn_str tag = tn_str_slice(rest, 0, check_tag(rest));
        bool closing = tag.data[1] == '/';
        size_t from = closing ? 2 : 1;
        size_t to = from;
        while (!strchr(" />", tag.data[to])) {
            to++;
        }
        struct tn_str name = tn_str_slice(tag, from, to);
        if (closing) {
            assert_true(depth > 0 && tn_str_equal(name, open[depth - 1]));
            depth--;
        } else if (!is_void(name) && !tn_str_ends(tag, TN_STR("/>"))) {
            assert_true(depth < 32);
            open[depth++] = name;
        }
        elements++;
        at += tag.size - 1;
    }
    assert_int_equal(depth, 0);
    assert_true(elements > 0);
}

static void markup_is_balanced_quoted_and_escaped(void **state)
{
    (void)state;
    for (size_t k = 0; k < SAMPLES; k++) {
        struct tn_builder html = render(&samples[k], "html", 0, false);
        struct tn_builder svg = render(&samples[k], "svg", 0, false);
        check_balance(tn_builder_str(&html));
        check_balance(tn_builder_str(&svg));
        assert_true(tn_str_starts(tn_builder_str(&svg), TN_STR("<svg xmlns=\"http://www.w3.org/2000/svg\"")));
        assert_int_equal(tn_str_find(tn_builder_str(&html), TN_STR("<script")), SIZE_MAX);
        tn_builder_free(&html);
        tn_builder_free(&svg);
    }
}

static void a_buffer_without_memory_stays_failed_in_every_writer(void **state)
{
    (void)state;
    for (const struct tn_writer *writer = tn_writer_table(); writer->name; writer++) {
        for (size_t k = 0; k < SAMPLES; k++) {
            struct tn_arena arena = {0};
            struct tn_report report = {.arena = &arena};
            struct tn_style style = {.columns = 80};
            struct tn_builder out = {.failed = true};
            samples[k].build(&report);
            writer->write(&report, &style, &out);
            assert_true(out.failed);
            assert_int_equal(out.size, 0);
            tn_arena_free(&arena);
        }
    }
}

static void the_same_report_can_be_appended_to_what_a_buffer_holds(void **state)
{
    (void)state;
    for (const struct tn_writer *writer = tn_writer_table(); writer->name; writer++) {
        struct tn_arena arena = {0};
        struct tn_report report = {.arena = &arena};
        struct tn_style style = {0};
        struct tn_builder out = {0};
        build_plan(&report);
        writer->write(&report, &style, &out);
        size_t size = out.size;
        writer->write(&report, &style, &out);
        assert_int_equal(out.size, 2 * size);
        assert_memory_equal(out.data, out.data + size, size);
        tn_builder_free(&out);
        tn_arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_is_written_as_its_golden_files_are),
        cmocka_unit_test(the_text_of_a_plan_follows_the_width_of_the_terminal),
        cmocka_unit_test(no_line_of_text_is_wider_than_the_page_or_ends_with_a_space),
        cmocka_unit_test(every_output_is_utf8_without_control_characters),
        cmocka_unit_test(markup_is_balanced_quoted_and_escaped),
        cmocka_unit_test(a_buffer_without_memory_stays_failed_in_every_writer),
        cmocka_unit_test(the_same_report_can_be_appended_to_what_a_buffer_holds),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
