/* Logs of engines: the filter against a search of each literal by itself, shapes and settings in lines, and the same log in other clothes. */
#include "real_catalog.h"

#include "catalog/embedded.h"
#include "logs/text/model_names.h"
#include "logs/text/pairs.h"
#include "logs/text/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the filter ------------------------------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 16;
}

/* Random literals over three letters, many of them parts of others, in a random text: after each byte the filter must name those, and only those,
 * that a comparison finds to end there. */
static void the_filter_finds_what_a_search_finds(void **state)
{
    (void)state;
    enum { LITERALS = 12, TEXT = 2000 };
    uint32_t random = 7;
    for (int round = 0; round < 20; round++) {
        struct tn_arena arena = {0};
        char letters[LITERALS][8];
        struct tn_str literals[LITERALS];
        char text[TEXT];
        for (size_t k = 0; k < LITERALS; k++) {
            literals[k] = (struct tn_str){letters[k], 1 + next_random(&random) % 7};
            for (size_t n = 0; n < literals[k].size; n++) {
                letters[k][n] = (char)('a' + next_random(&random) % 3);
            }
        }
        for (size_t n = 0; n < TEXT; n++) {
            text[n] = (char)('a' + next_random(&random) % 4);
        }
        const struct tn_literals *table = tn_literals_new(literals, LITERALS, &arena, NULL);
        assert_non_null(table);
        unsigned now = TN_LITERALS_START;
        size_t at = 0;
        for (size_t end = 1; end <= TEXT; end++) {
            bool ends[LITERALS] = {false};
            bool any = tn_literals_next(table, (struct tn_str){text, end}, &at, &now);
            size_t count;
            const uint16_t *found = tn_literals_found(table, now, &count);
            assert_int_equal(any, count > 0);
            for (size_t k = 0; k < count; k++) {
                ends[found[k]] = true;
            }
            for (size_t k = 0; k < LITERALS; k++) {
                bool is_here = end >= literals[k].size
                               && memcmp(text + end - literals[k].size, literals[k].data, literals[k].size) == 0;
                assert_int_equal(ends[k], is_here);
            }
        }
        tn_arena_free(&arena);
    }
}

static void a_filter_has_limits(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_error error;
    static char long_text[40000];
    memset(long_text, 'x', sizeof long_text);
    struct tn_str literal = {long_text, sizeof long_text};
    assert_null(tn_literals_new(&literal, 1, &arena, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    tn_arena_free(&arena);
}

/* ---- shapes ----------------------------------------------------------------------------------------------------------- */

static void numbers_keep_their_unit_and_their_rounding(void **state)
{
    (void)state;
    static const struct {
        const char *shape;
        const char *line;
        int64_t value;
        uint64_t rounding;
    } rows[] = {
        /* 14.96 x 2^30 = 16,063,177,687.04; half a hundredth of it is 5,368,709.12 */
        {"took {weights:GiB} GiB", "x] took 14.96 GiB and", 16063177687, 5368710},
        {"size =~{weights:MiB} MiB", "size =    224.00 MiB", 234881024, 5243},
        {"size =~{weights:MiB} MiB", "size = 8 MiB", 8388608, 524288},
        {"tokens: {kv_tokens:n} ", "tokens: 1,234,567 now", 1234567, 0},
        {"tokens: {kv_tokens:n},", "tokens: 286912, K", 286912, 0},
        {"usage: {kv_usage:share},", "usage: 0.97, cuda", 97, 1},
        {"allocate {oom_tried:size}", "allocate 1.50 GiB.", 1610612736, 5368710},
        {"allocate {oom_tried:size}", "allocate 512 bytes", 512, 0},
        {"allocate {oom_tried:size}", "allocate 2 GB", 2000000000, 500000000},
        {"took {graphs:GiB} GiB", "took -0.50 GiB", -536870912, 5368710},
        {"limit {*}{context:n} tokens", "limit of about 4096 tokens", 4096, 0},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_shape shape;
        struct tn_captured captured[TN_SHAPE_CAPTURES];
        size_t count = 0;
        assert_true(tn_shape_parse(tn_str_of(rows[k].shape), &shape, NULL));
        assert_true(tn_shape_match(&shape, tn_str_of(rows[k].line), captured, &count));
        assert_int_equal(count, 1);
        assert_true(captured[0].figure.known);
        assert_int_equal(captured[0].figure.value, rows[k].value);
        assert_int_equal(captured[0].figure.rounding, rows[k].rounding);
    }
}

static void lines_of_another_shape_are_passed_over(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"took {weights:GiB} GiB", "took some GiB"},        {"took {weights:GiB} GiB", "took 14.96 GB"},
        {"tokens: {kv_tokens:n} ", "tokens: 12.5 "},        {"{device:word} model buffer size", " model buffer size"},
        {"model {model:text} (version", "model  (version"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_shape shape;
        struct tn_captured captured[TN_SHAPE_CAPTURES];
        size_t count;
        assert_true(tn_shape_parse(tn_str_of(rows[k][0]), &shape, NULL));
        assert_false(tn_shape_match(&shape, tn_str_of(rows[k][1]), captured, &count));
    }
}

static void a_shape_says_what_is_wrong_with_it(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "abc {weights:GiB",
        "abc {nothing:GiB} def",
        "abcd {weights:furlong} def",
        "abc",
        "{weights:GiB} of weights",
        "{*} anything",
        "abcd {*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}{*}",
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_shape shape;
        struct tn_error error = {0};
        assert_false(tn_shape_parse(tn_str_of(rows[k]), &shape, &error));
        assert_int_equal(error.code, TN_ERROR_RECORD);
        assert_true(error.message[0]);
    }
}

static void a_record_of_shapes_says_where_it_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *where;
    } rows[] = {
        {"log a\n  line took something\n", "a.rec:2"},
        {"log a\n  engine vllm\n  line soon : took something\n", "a.rec:3"},
        {"log a\n  line marks nothing : took something\n", "a.rec:2"},
        {"log a\n  key max_seq_len\n", "a.rec:2"},
        {"log a\n  word : took something\n", "a.rec:2"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_embedded file = {"a.rec", rows[k].text, strlen(rows[k].text)};
        struct tn_error error = {0};
        struct tn_arena arena = {0};
        struct tn_log_shapes shapes;
        struct tn_catalog *catalog = tn_catalog_open_files(&file, 1, &error);
        assert_non_null(catalog);
        assert_false(tn_log_shapes_open(catalog, &arena, &shapes, &error));
        assert_int_equal(error.code, TN_ERROR_RECORD);
        assert_string_equal(error.where, rows[k].where);
        tn_arena_free(&arena);
        tn_catalog_close(catalog);
    }
}

/* ---- settings ----------------------------------------------------------------------------------------------------------- */

static void settings_are_read_as_programs_print_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *pairs; /* name=value; */
    } rows[] = {
        {"model='a/b', dtype=torch.bfloat16, x=None)", "model=a/b;dtype=torch.bfloat16;x=None;"},
        {"'model': 'a/b', 'tp': 2, 'on': True}", "model=a/b;tp=2;on=True;"},
        {"c=C(d='e, f', g=[1, 2]), h=3", "c=C(d='e, f', g=[1, 2]);h=3;"},
        {"{'s': {'method': 'mtp', 'n': 3}, 'z': \"it's\"}", "s={'method': 'mtp', 'n': 3};z=it's;"},
        {"OLLAMA_A:1 OLLAMA_B: OLLAMA_C:[x y] no_proxy:]", "OLLAMA_A=1;OLLAMA_B=;OLLAMA_C=[x y];no_proxy=;"},
        {"cut='abc", "cut=abc;"},
        {"cut={'a': 1", "cut={'a': 1;"},
        {"load=<LoadFormat.AUTO: 'auto'>, n=1", "load=<LoadFormat.AUTO: 'auto'>;n=1;"},
        {"no pairs at all", ""},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_str text = tn_str_of(rows[k].text);
        struct tn_str name;
        struct tn_str value;
        struct tn_builder got = {0};
        tn_builder_add_text(&got, "");
        while (tn_pair_next(&text, &name, &value)) {
            tn_builder_add(&got, name);
            tn_builder_add_char(&got, '=');
            tn_builder_add(&got, value);
            tn_builder_add_char(&got, ';');
        }
        assert_string_equal(got.data ? got.data : "", rows[k].pairs);
        tn_builder_free(&got);
    }
}

static void models_are_named_by_paths_and_files(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B"},
        {"/models/hub/models--Qwen--Qwen3-8B/snapshots/0123abcd", "Qwen/Qwen3-8B"},
        {"/data/models/Qwen2.5-0.5B/", "Qwen2.5-0.5B"},
        {"./gpt-oss-20b", "gpt-oss-20b"},
        {"C:\\models\\gemma-3-4b-it-Q8_0.gguf", "gemma-3-4b-it"},
        {"Qwen2.5-32B-Instruct-Q4_K_M-00001-of-00005.gguf", "Qwen2.5-32B-Instruct"},
        {"Meta-Llama-3-8B.IQ3_XXS.gguf", "Meta-Llama-3-8B"},
        {"gemma-3-27b-it-UD-Q4_K_XL.gguf", "gemma-3-27b-it"},
        {"org/sub/Model-bf16.gguf", "Model"},
        {"/usr/share/ollama/.ollama/models/blobs/sha256-667b0c1932bc", ""},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_arena arena = {0};
        struct tn_str name;
        assert_true(tn_log_model_name(&arena, tn_str_of(rows[k][0]), &name));
        assert_true(tn_str_is(name, rows[k][1]));
        tn_arena_free(&arena);
    }
}

/* ---- streams ------------------------------------------------------------------------------------------------------------ */

struct logged {
    struct tn_arena arena;
    struct tn_log_shapes shapes;
    struct tn_log log;
};

static void read_bytes(struct logged *logged, const char *bytes, size_t size, size_t piece)
{
    struct tn_scan scan;
    *logged = (struct logged){0};
    assert_true(tn_log_shapes_open(real.catalog, &logged->arena, &logged->shapes, NULL));
    assert_true(tn_log_begin(&logged->log, &logged->shapes, &logged->arena));
    assert_true(tn_scan_begin(&scan, &logged->log, &logged->arena));
    for (size_t at = 0; at < size; at += piece) {
        tn_scan_feed(&scan, (struct tn_str){bytes + at, size - at < piece ? size - at : piece});
    }
    tn_scan_end(&scan);
}

static void read_text(struct logged *logged, const char *text)
{
    read_bytes(logged, text, strlen(text), strlen(text) + 1);
}

static int64_t value_of(const struct logged *logged, enum tn_log_term term)
{
    const struct tn_log_value *value = tn_log_find(&logged->log, term);
    return value ? value->figure.value : -1;
}

static uint64_t line_of(const struct logged *logged, enum tn_log_term term)
{
    const struct tn_log_value *value = tn_log_find(&logged->log, term);
    return value ? value->first_line : 0;
}

/* The same two lines. */
static void a_log_says_the_same_in_any_wrapping(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "noise\nModel loading took 12.56 GiB memory and 3 s\nGPU KV cache size: 126,256 tokens\n",
        "noise\r\nModel loading took 12.56 GiB memory and 3 s\r\nGPU KV cache size: 126,256 tokens\r\n",
        "noise\n\x1b[32mINFO\x1b[0m Model loading took \x1b[1m12.56\x1b[0m GiB memory and 3 s\n(pid=1) GPU KV cache "
        "size: 126,256 tokens",
        "noise\n{\"log\":\"\\u001b[32mINFO\\u001b[0m Model loading took 12.56 GiB memory and 3 "
        "s\\n\",\"stream\":\"stderr\"}\n"
        "{\"stream\":\"x\", \"log\": \"GPU KV cache size: 126,256 tokens\\n\"}\n",
        "noise\n2026-07-01T10:00:00.123Z stderr F Model loading took 12.56 GiB memory and 3 s\n2026-07-01T10:00:00Z "
        "stderr F GPU KV cache size: 126,256 tokens\n",
        "noise\nLoading:  12%|#  |\rLoading: 100%|##|\rModel loading took 12.56 GiB memory and 3 s\nGPU KV cache size: "
        "126,256 tokens\n",
        "noise \xff\xfe\x80 \x01\nModel loading took 12.56 GiB memory and 3 s \xc3\n\x02GPU KV cache size: 126,256 "
        "tokens\x03\n",
        "noise\nJul 01 10:00:00 host vllm[77]: Model loading took 12.56 GiB memory and 3 s\nvllm-0  | GPU KV cache "
        "size: 126,256 tokens\n",
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct logged logged;
        read_text(&logged, rows[k]);
        assert_int_equal(value_of(&logged, TN_LOG_WEIGHTS), 13486197309); /* 12.56 x 2^30 */
        assert_int_equal(value_of(&logged, TN_LOG_KV_TOKENS), 126256);
        assert_int_equal(line_of(&logged, TN_LOG_WEIGHTS), 2);
        assert_int_equal(line_of(&logged, TN_LOG_KV_TOKENS), 3);
        tn_arena_free(&logged.arena);
    }
}

static void utf_16_is_read_in_both_orders_and_any_pieces(void **state)
{
    (void)state;
    static const char text[] =
        "\xC3\xA9: GPU KV cache size: 126,256 tokens\r\nModel loading took 12.56 GiB memory and\r\n";
    for (int has_mark = 0; has_mark < 2; has_mark++) {
        for (int is_big = 0; is_big < 2; is_big++) {
            char bytes[256];
            size_t size = 0;
            unsigned units[128];
            size_t count = 0;
            if (has_mark) {
                units[count++] = 0xFEFF;
            } else {
                units[count++] = 'e';
            }
            for (size_t k = has_mark ? 0 : 2; text[k]; k++) {
                unsigned char c = (unsigned char)text[k];
                units[count++] = c == 0xC3 ? 0xE9 : c;
                k += c == 0xC3;
            }
            for (size_t k = 0; k < count; k++) {
                bytes[size++] = (char)(is_big ? units[k] >> 8 : units[k] & 0xFF);
                bytes[size++] = (char)(is_big ? units[k] & 0xFF : units[k] >> 8);
            }
            for (size_t piece = 1; piece <= 7; piece++) {
                struct logged logged;
                read_bytes(&logged, bytes, size, piece);
                assert_true(logged.log.is_utf16);
                assert_int_equal(value_of(&logged, TN_LOG_KV_TOKENS), 126256);
                assert_int_equal(line_of(&logged, TN_LOG_WEIGHTS), 2);
                tn_arena_free(&logged.arena);
            }
        }
    }
}

/* A line of a megabyte, then one that is known: its number counts line ends, whatever was cut. */
static void a_line_without_end_does_not_stop_the_log(void **state)
{
    (void)state;
    struct tn_builder text = {0};
    struct logged logged;
    tn_builder_add_repeated(&text, "GPU KV cache ", 90000);
    tn_builder_add_text(&text, "\nGPU KV cache size: 126,256 tokens\n");
    read_bytes(&logged, text.data, text.size, 1000);
    assert_int_equal(value_of(&logged, TN_LOG_KV_TOKENS), 126256);
    assert_int_equal(line_of(&logged, TN_LOG_KV_TOKENS), 2);
    assert_true(logged.log.cut_lines > 0);
    tn_arena_free(&logged.arena);
    tn_builder_free(&text);
}

static void ranks_are_told_apart_by_what_stands_in_front(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"(Worker_TP1 pid=92) INFO Model loading took 1.00 GiB memory and", "TP1"},
        {"(VllmWorker rank=3 pid=9) Model loading took 1.00 GiB memory and", "3"},
        {"(VllmWorkerProcess pid=4021) INFO Loading model weights took 1.00 GB", "pid=4021"},
        {"(RayWorkerWrapper pid=17, ip=10.0.0.2) INFO Loading model weights took 1.00 GB", "pid=17"},
        {"(EngineCore_DP1 pid=77) INFO Model loading took 1.00 GiB memory and", "DP1"},
        {"[rank2]: Model loading took 1.00 GiB memory and", "2"},
        {"[2025-11-10 19:59:08 DP1 TP5] Load weight end. type=X, dtype=y, avail mem=1.00 GB, mem usage=1.00 GB.",
         "DP1 TP5"},
        {"{\"log\":\"[2025-11-10 19:59:08 TP2] Load weight end. type=X, mem usage=1.00 GB.\"}", "TP2"},
        {"INFO Model loading took 1.00 GiB memory and", ""},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct logged logged;
        read_text(&logged, rows[k][0]);
        const struct tn_log_value *value = tn_log_find(&logged.log, TN_LOG_WEIGHTS);
        assert_non_null(value);
        assert_string_equal(value->rank, rows[k][1]);
        tn_arena_free(&logged.arena);
    }
}

static void the_last_start_counts_that_got_anywhere(void **state)
{
    (void)state;
    static const char first[] = "vLLM API server version 0.10.0\nnon-default args: {'max_model_len': 100}\nAvailable "
                                "KV cache memory: 1.00 GiB\n";
    static const char second[] =
        "vLLM API server version 0.10.1\nnon-default args: {'max_num_seqs': 7}\nAvailable KV cache memory: 2.00 GiB\n";
    static const char third[] = "vLLM API server version 0.10.2\nstarting";
    char text[1024];
    struct logged logged;
    (void)snprintf(text, sizeof text, "%s%s%s", first, second, third);
    read_text(&logged, text);
    assert_int_equal(logged.log.starts, 3);
    assert_int_equal(value_of(&logged, TN_LOG_KV_POOL), INT64_C(2) << 30);
    assert_null(tn_log_setting_named(&logged.log, "max_model_len"));
    assert_string_equal(tn_log_setting_named(&logged.log, "max_num_seqs")->value, "7");
    assert_string_equal(tn_log_find(&logged.log, TN_LOG_VERSION)->text, "0.10.1");
    tn_arena_free(&logged.arena);
}

/* 5000 ranks find no room, and the log says so; 200,000 lines of one rank take one value. */
static void memory_does_not_grow_with_the_log(void **state)
{
    (void)state;
    struct tn_builder text = {0};
    struct logged logged;
    for (int k = 0; k < 5000; k++) {
        tn_builder_addf(&text, "(Worker_TP%d pid=1) Model loading took 1.00 GiB memory and\n", k);
    }
    read_bytes(&logged, text.data, text.size, text.size);
    assert_true(logged.log.is_full);
    assert_int_equal(logged.log.value_count, TN_LOG_MOST_VALUES);
    assert_int_equal(logged.log.known_lines, 5000);
    tn_arena_free(&logged.arena);
    tn_builder_free(&text);
    text = (struct tn_builder){0};
    tn_builder_add_repeated(&text, "Running: 3 reqs, Waiting: 1 reqs, GPU KV cache usage: 12.5%\n", 200000);
    read_bytes(&logged, text.data, text.size, 4096);
    assert_int_equal(logged.log.value_count, 3);
    assert_int_equal(tn_log_find(&logged.log, TN_LOG_KV_USAGE)->count, 200000);
    tn_arena_free(&logged.arena);
    tn_builder_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_filter_finds_what_a_search_finds),
        cmocka_unit_test(a_filter_has_limits),
        cmocka_unit_test(numbers_keep_their_unit_and_their_rounding),
        cmocka_unit_test(lines_of_another_shape_are_passed_over),
        cmocka_unit_test(a_shape_says_what_is_wrong_with_it),
        cmocka_unit_test(a_record_of_shapes_says_where_it_is_wrong),
        cmocka_unit_test(settings_are_read_as_programs_print_them),
        cmocka_unit_test(models_are_named_by_paths_and_files),
        cmocka_unit_test(a_log_says_the_same_in_any_wrapping),
        cmocka_unit_test(utf_16_is_read_in_both_orders_and_any_pieces),
        cmocka_unit_test(a_line_without_end_does_not_stop_the_log),
        cmocka_unit_test(ranks_are_told_apart_by_what_stands_in_front),
        cmocka_unit_test(the_last_start_counts_that_got_anywhere),
        cmocka_unit_test(memory_does_not_grow_with_the_log),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
