/* Counting without a tokenizer at hand: lengths and percentiles, scripts, texts by pieces, requests, and what a request answers. */
#include "real_catalog.h"

#include "api/count/lengths.h"
#include "api/count/requests.h"
#include "api/count/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- lengths ------------------------------------------------------------------------------------------------------ */

static void percentiles_are_lengths_that_occur(void **state)
{
    (void)state;
    struct tn_lengths lengths = {0};
    for (uint64_t k = 1; k <= 100; k++) {
        assert_true(tn_lengths_add(&lengths, 101 - k, 1, NULL)); /* 1 to 100, once each */
    }
    tn_lengths_sort(&lengths);
    assert_int_equal(tn_lengths_percentile(&lengths, 50), 50);
    assert_int_equal(tn_lengths_percentile(&lengths, 95), 95);
    assert_int_equal(tn_lengths_percentile(&lengths, 99), 99);
    assert_int_equal(tn_lengths_percentile(&lengths, 100), 100);
    assert_int_equal(tn_lengths_most(&lengths), 100);
    assert_int_equal(lengths.tokens, 5050);
    tn_lengths_free(&lengths);
}

static void few_requests_have_percentiles_too(void **state)
{
    (void)state;
    struct tn_lengths lengths = {0};
    tn_lengths_sort(&lengths);
    assert_int_equal(tn_lengths_percentile(&lengths, 50), 0);
    assert_int_equal(tn_lengths_most(&lengths), 0);
    assert_true(tn_lengths_add(&lengths, 7, 1, NULL));
    assert_true(tn_lengths_add(&lengths, 0, 1, NULL));
    tn_lengths_sort(&lengths);
    assert_int_equal(tn_lengths_percentile(&lengths, 50), 0); /* one of two is not longer */
    assert_int_equal(tn_lengths_percentile(&lengths, 51), 7);
    tn_lengths_free(&lengths);
}

static void lengths_of_several_inputs_are_one(void **state)
{
    (void)state;
    struct tn_lengths a = {0};
    struct tn_lengths b = {0};
    for (uint64_t k = 0; k < 10000; k++) {
        assert_true(tn_lengths_add(&a, k, 1, NULL));
        assert_true(tn_lengths_add(&b, k * 3, 2, NULL));
    }
    assert_true(tn_lengths_merge(&a, &b, NULL));
    assert_int_equal(a.requests, 30000);
    assert_int_equal(a.tokens, 49995000 + 2 * 149985000);
    tn_lengths_sort(&a);
    assert_int_equal(tn_lengths_most(&a), 29997);
    assert_int_equal(a.slots[0].requests, 3);
    for (size_t k = 1; k < a.distinct; k++) {
        assert_true(a.slots[k - 1].tokens < a.slots[k].tokens);
    }
    tn_lengths_free(&a);
    tn_lengths_free(&b);
}

static void sums_beyond_64_bits_are_an_error(void **state)
{
    (void)state;
    struct tn_lengths lengths = {0};
    struct tn_error error = {0};
    assert_true(tn_lengths_add(&lengths, UINT64_MAX, 1, &error));
    assert_false(tn_lengths_add(&lengths, 1, 1, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    tn_lengths_free(&lengths);
}

/* ---- scripts ------------------------------------------------------------------------------------------------------ */

static void characters_have_one_script(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum tn_script script;
        uint64_t count;
    } rows[] = {
        {"latin", TN_SCRIPT_LATIN, 5},   {"ABC", TN_SCRIPT_CAPITAL, 3},    {"äßőą", TN_SCRIPT_ACCENTED, 4},
        {"мир", TN_SCRIPT_CYRILLIC, 3},  {"ἄλφα", TN_SCRIPT_GREEK, 4},     {"سلام", TN_SCRIPT_ARABIC, 4},
        {"שלום", TN_SCRIPT_HEBREW, 4},   {"नमस्ते", TN_SCRIPT_INDIC, 6},     {"สวัสดี", TN_SCRIPT_THAI, 6},
        {"ひらカナ", TN_SCRIPT_KANA, 4}, {"한국", TN_SCRIPT_HANGUL, 2},    {"上海天气", TN_SCRIPT_HAN, 4},
        {"2024", TN_SCRIPT_DIGIT, 4},    {"\t\n", TN_SCRIPT_INDENT, 2},    {"{};", TN_SCRIPT_PUNCTUATION, 3},
        {"😀€", TN_SCRIPT_OTHER, 2},      {"\xff\xc3", TN_SCRIPT_OTHER, 2}, {"𠀀", TN_SCRIPT_HAN, 1},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        uint64_t counts[TN_SCRIPT_COUNT] = {0};
        bool in_space = false;
        assert_int_equal(tn_script_add(tn_str_of(rows[k].text), &in_space, counts), rows[k].count);
        assert_int_equal(counts[rows[k].script], rows[k].count);
    }
}

static void the_first_space_is_between_words_and_the_others_are_not(void **state)
{
    (void)state;
    uint64_t counts[TN_SCRIPT_COUNT] = {0};
    bool in_space = false;
    (void)tn_script_add(TN_STR("a b    c"), &in_space, counts);
    assert_int_equal(counts[TN_SCRIPT_SPACE], 2);
    assert_int_equal(counts[TN_SCRIPT_INDENT], 3);
    (void)tn_script_add(TN_STR(" "), &in_space, counts);
    (void)tn_script_add(TN_STR(" "), &in_space, counts);
    assert_int_equal(counts[TN_SCRIPT_SPACE], 3);
    assert_int_equal(counts[TN_SCRIPT_INDENT], 4);
}

static void records_of_estimates_are_whole_and_in_order(void **state)
{
    (void)state;
    static const uint64_t vocabularies[] = {0, 32000, 50257, 100277, 128256, 152064, 200019, 262144};
    for (size_t k = 0; k < sizeof vocabularies / sizeof vocabularies[0]; k++) {
        struct tn_estimate estimate;
        assert_true(tn_estimate_read(real.catalog, vocabularies[k], &estimate, NULL));
        assert_true(estimate.tokenizers.size && estimate.error.size);
        for (int script = 0; script < TN_SCRIPT_COUNT; script++) {
            assert_true(estimate.low[script] <= estimate.mid[script]);
            assert_true(estimate.mid[script] <= estimate.high[script]);
            assert_true(estimate.high[script] > 0);
        }
    }
}

/* ---- texts and requests by pieces --------------------------------------------------------------------------------- */

/* A text that is read in odd portions. */
struct source {
    struct tn_str text;
    size_t at;
};

static bool open_source(void *context, struct tn_str name, struct tn_error *error)
{
    struct source *source = context;
    source->at = 0;
    return tn_str_is(name, "-") || tn_fail(error, TN_ERROR_UNREADABLE, "no such file");
}

static bool read_source(void *context, char *bytes, size_t size, size_t *got, struct tn_error *error)
{
    struct source *source = context;
    size_t left = source->text.size - source->at;
    (void)error;
    *got = size < 77777 ? size : 77777;
    *got = *got < left ? *got : left;
    if (*got) {
        memcpy(bytes, source->text.data + source->at, *got);
    }
    source->at += *got;
    return true;
}

static void close_source(void *context)
{
    (void)context;
}

/* All items, the last first, each by another worker than the one before: as threads might. */
static void run_backwards(void *context, unsigned count, size_t items,
                          void (*work)(void *task, unsigned worker, size_t item), void *task)
{
    (void)context;
    for (size_t k = items; k > 0; k--) {
        work(task, (unsigned)(k % count), k - 1);
    }
}

static const struct tn_workers backwards = {.usual = 4, .run = run_backwards};

static void open_counter(struct tn_counter *counter, unsigned workers)
{
    *counter = (struct tn_counter){.threads = &backwards};
    assert_true(tn_estimate_read(real.catalog, 0, &counter->estimate, NULL));
    assert_true(tn_counter_open(counter, workers, NULL));
}

static struct tn_str long_text(size_t size)
{
    static const char part[] = "Some words, 上海今天天气怎么样?  and {code};\n";
    char *text = malloc(size);
    assert_non_null(text);
    for (size_t k = 0; k < size; k++) {
        text[k] = part[k % (sizeof part - 1)];
    }
    return (struct tn_str){text, size};
}

static void pieces_do_not_depend_on_threads(void **state)
{
    (void)state;
    struct source source = {.text = long_text((7 << 20) + 12345)};
    struct tn_text_source texts = {&source, open_source, read_source, close_source};
    struct tn_tally tallies[3];
    for (unsigned k = 0; k < 3; k++) {
        struct tn_counter counter;
        struct tn_intake intake;
        open_counter(&counter, 1 + 3 * k);
        assert_true(tn_intake_open(&intake, &texts, TN_STR("-"), NULL));
        assert_true(tn_count_text(&counter, &intake, &tallies[k], NULL, NULL));
        tn_intake_close(&intake);
        tn_counter_close(&counter);
        assert_memory_equal(&tallies[k], &tallies[0], sizeof tallies[0]);
    }
    assert_int_equal(tallies[0].bytes, source.text.size);
    assert_true(tallies[0].low_tokens < tallies[0].tokens && tallies[0].tokens < tallies[0].high_tokens);
    free((void *)source.text.data);
}

static void an_empty_text_has_no_tokens(void **state)
{
    (void)state;
    struct tn_counter counter;
    struct tn_intake intake;
    struct tn_tally tally;
    open_counter(&counter, 1);
    tn_intake_of(&intake, TN_STR("text"), (struct tn_str){0});
    assert_true(tn_count_text(&counter, &intake, &tally, NULL, NULL));
    assert_int_equal(tally.tokens + tally.bytes + tally.characters, 0);
    tn_counter_close(&counter);
}

static bool count_lines(const char *text, const char *field, unsigned workers, struct tn_request_sums *sums,
                        struct tn_error *error)
{
    struct tn_counter counter;
    struct tn_intake intake;
    struct tn_error no_chat = {0};
    struct tn_request_reading how = {.field = tn_str_of(field), .no_chat = &no_chat};
    *sums = (struct tn_request_sums){0};
    *error = (struct tn_error){.offset = -1};
    tn_fail(&no_chat, TN_ERROR_CONFIG, "no format");
    open_counter(&counter, workers);
    tn_intake_of(&intake, TN_STR("log"), tn_str_of(text));
    bool done = tn_count_requests(&counter, &intake, &how, sums, NULL, NULL, error);
    tn_counter_close(&counter);
    return done;
}

static void lines_are_requests(void **state)
{
    (void)state;
    struct tn_request_sums sums;
    struct tn_error error;
    assert_true(count_lines("{\"p\": \"one\"}\r\n\n  \n{\"p\": \"\"}\n{\"p\": \"two words\"}", "p", 1, &sums, &error));
    assert_int_equal(sums.requests, 3);
    assert_int_equal(sums.tally.bytes, 12);
    tn_lengths_free(&sums.lengths);
    assert_true(count_lines("{\"body\": {\"p\": [{\"t\": \"one\"}]}}", "body.p[0].t", 1, &sums, &error));
    assert_int_equal(sums.requests, 1);
    tn_lengths_free(&sums.lengths);
    assert_true(count_lines("", "p", 1, &sums, &error));
    assert_int_equal(sums.requests, 0);
}

static void broken_lines_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum tn_code code;
        const char *message;
        const char *where;
    } rows[] = {
        {"{\"p\": \"x\"}\n\n{\"q\": 1}", TN_ERROR_CONFIG, "no field 'p'", "log:3"},
        {"{\"p\": \"x\"}\n{\"p\": 7}", TN_ERROR_CONFIG, "'p' is an integer", "log:2"},
        {"{\"p\": \"x\"}\n{\"p\": \n", TN_ERROR_JSON, "", "log:2"},
        {"[1]", TN_ERROR_CONFIG, "no field 'p'", "log:1"},
        {"{\"p\": [{\"role\": \"user\", \"content\": \"x\"}]}", TN_ERROR_CONFIG, "no format", "log:1"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_request_sums sums;
        struct tn_error error;
        assert_false(count_lines(rows[k].text, "p", 1, &sums, &error));
        assert_int_equal(error.code, rows[k].code);
        assert_non_null(strstr(error.message, rows[k].message));
        assert_string_equal(error.where, rows[k].where);
        tn_lengths_free(&sums.lengths);
    }
}

/* Lines beyond one group of lines, with the only error near the end: its line is the same whoever counts. */
static void many_lines_are_counted_in_groups(void **state)
{
    (void)state;
    enum { LINES = 40000 };
    struct tn_builder text = {0};
    for (unsigned k = 0; k < LINES; k++) {
        tn_builder_addf(&text, "{\"p\": \"some words in the request number %u\"}\n", k);
    }
    for (unsigned workers = 1; workers < 8; workers += 3) {
        struct tn_request_sums sums;
        struct tn_error error;
        assert_true(count_lines(text.data, "p", workers, &sums, &error));
        assert_int_equal(sums.requests, LINES);
        tn_lengths_free(&sums.lengths);
    }
    tn_builder_add_text(&text, "{}\n{\"p\": 1}\n");
    for (unsigned workers = 1; workers < 8; workers += 3) {
        struct tn_request_sums sums;
        struct tn_error error;
        assert_false(count_lines(text.data, "p", workers, &sums, &error));
        assert_string_equal(error.where, "log:40001");
        tn_lengths_free(&sums.lengths);
    }
    tn_builder_free(&text);
}

/* ---- the request -------------------------------------------------------------------------------------------------- */

static void answer(const char *request, const char *const *parts)
{
    struct tn_error error = {0};
    struct tn_context *context = tn_context_open(&error);
    struct tn_reply *reply = tn_call(context, request, strlen(request), &error);
    if (!reply) {
        fail_msg("%s", error.message);
    }
    for (; *parts; parts++) {
        if (!strstr(tn_reply_text(reply), *parts)) {
            fail_msg("no %s in %s", *parts, tn_reply_text(reply));
        }
    }
    tn_reply_free(reply);
    tn_context_close(context);
}

static void refusal(const char *request, enum tn_code code, const char *message)
{
    struct tn_error error = {0};
    struct tn_context *context = tn_context_open(&error);
    assert_null(tn_call(context, request, strlen(request), &error));
    assert_int_equal(error.code, code);
    if (!strstr(error.message, message)) {
        fail_msg("%s", error.message);
    }
    tn_context_close(context);
}

static void the_library_estimates_without_a_tokenizer(void **state)
{
    (void)state;
    answer("{\"operation\": \"tokens\", \"text\": \"Hello world\"}",
           (const char *const[]){"\"tonnage.tokens/1\"", "\"tokenizer\": null", "\"exact\": false", "\"bytes\": 11",
                                 "\"code\": \"estimate\"", NULL});
    answer("{\"operation\": \"tokens\", \"text\": \"\"}", (const char *const[]){"\"tokens\": 0,", NULL});
    answer(
        "{\"operation\": \"tokens\", \"text\": \"Hello\", \"model\": \"llama-2-13b\", \"gpu\": \"a100-80gb\", "
        "\"output_tokens\": 99}",
        (const char *const[]){"\"bytes_per_token\": 819200", "\"requests_at_once\": ", "\"output_tokens\": 99", NULL});
    answer("{\"operation\": \"tokens\", \"text\": \"{\\\"m\\\": [{\\\"role\\\": \\\"user\\\", \\\"content\\\": "
           "\\\"x\\\"}]}\", \"field\": \"m\", \"chat\": \"llama-3\", \"format\": \"jsonl\"}",
           (const char *const[]){"\"bytes\": ", NULL});
}

static void what_has_no_effect_is_refused(void **state)
{
    (void)state;
    refusal("{\"operation\": \"tokens\"}", TN_ERROR_UNREADABLE, "files cannot be read here");
    refusal("{\"operation\": \"tokens\", \"text\": \"x\", \"ids\": true}", TN_ERROR_USAGE, "--ids needs a tokenizer");
    refusal("{\"operation\": \"tokens\", \"text\": \"x\", \"chat\": \"chatml\"}", TN_ERROR_USAGE, "--field");
    refusal("{\"operation\": \"tokens\", \"text\": \"x\", \"gpu\": \"h100\"}", TN_ERROR_USAGE, "--model");
    refusal("{\"operation\": \"tokens\", \"text\": \"x\", \"tokenizer\": \"f\"}", TN_ERROR_UNREADABLE, "files");
    refusal("{\"operation\": \"tokens\", \"text\": \"x\", \"tokenizer\": {}}", TN_ERROR_USAGE, "no \"text\"");
    refusal("{\"operation\": \"tokens\", \"text\": \"{}\", \"field\": \"m\", \"chat\": \"x\"}", TN_ERROR_USAGE,
            "unknown chat format");
    refusal("{\"operation\": \"plan\", \"model\": \"llama-2-13b\", \"format\": \"jsonl\"}", TN_ERROR_USAGE, "jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_lengths_that_occur),
        cmocka_unit_test(few_requests_have_percentiles_too),
        cmocka_unit_test(lengths_of_several_inputs_are_one),
        cmocka_unit_test(sums_beyond_64_bits_are_an_error),
        cmocka_unit_test(characters_have_one_script),
        cmocka_unit_test(the_first_space_is_between_words_and_the_others_are_not),
        cmocka_unit_test(records_of_estimates_are_whole_and_in_order),
        cmocka_unit_test(pieces_do_not_depend_on_threads),
        cmocka_unit_test(an_empty_text_has_no_tokens),
        cmocka_unit_test(lines_are_requests),
        cmocka_unit_test(broken_lines_are_named),
        cmocka_unit_test(many_lines_are_counted_in_groups),
        cmocka_unit_test(the_library_estimates_without_a_tokenizer),
        cmocka_unit_test(what_has_no_effect_is_refused),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
