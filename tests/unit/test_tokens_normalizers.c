/* src/tokens/normalize/normalizers.c and the kinds that it reads: what they make of texts is what Hugging Face tokenizers 0.23.3 makes
 * of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "token_steps.h"
#include "tokens/normalize/normalizers.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *json;
    const char *text;
    const char *normalized;
} kinds[] = {
    {"{\"type\": \"NFC\"}", "plain", "plain"},
    {"{\"type\": \"NFC\"}",
     "e\xCC\x81"
     "a\xCC\xA3\xCC\x82",
     "\xC3\xA9\xE1\xBA\xAD"},
    {"{\"type\": \"NFC\"}", "\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8", "\xEA\xB0\x81"},
    {"{\"type\": \"NFC\"}", "\xCD\x84\xE2\x84\xAB", "\xCC\x88\xCC\x81\xC3\x85"},
    {"{\"type\": \"NFC\"}",
     "a\xCC\x95\xCC\x80\xD6\xAE\xCC\x80"
     "b",
     "\xC3\xA0\xD6\xAE\xCC\x80\xCC\x95"
     "b"},
    {"{\"type\": \"NFC\"}", "\xE0\xA5\x98", "\xE0\xA4\x95\xE0\xA4\xBC"},
    {"{\"type\": \"NFC\"}", "\xF0\x91\xA4\xB5\xF0\x91\xA4\xB0", "\xF0\x91\xA4\xB5\xF0\x91\xA4\xB0"},
    {"{\"type\": \"NFC\"}", "a\xDF\xBD\xCC\xB4", "a\xDF\xBD\xCC\xB4"},
    {"{\"type\": \"NFD\"}", "caf\xC3\xA9", "cafe\xCC\x81"},
    {"{\"type\": \"NFD\"}", "\xEA\xB0\x81", "\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8"},
    {"{\"type\": \"NFD\"}", "\xE1\xB9\xA9", "s\xCC\xA3\xCC\x87"},
    {"{\"type\": \"NFD\"}", "\xF0\x91\xA4\xB8", "\xF0\x91\xA4\xB8"},
    {"{\"type\": \"NFD\"}", "\xE0\xB0\xBC\xCC\xB4", "\xE0\xB0\xBC\xCC\xB4"},
    {"{\"type\": \"NFKC\"}", "\xEF\xAC\x81 \xE2\x91\xA0 \xEF\xBC\xA1", "fi 1 A"},
    {"{\"type\": \"NFKC\"}", "\xE3\x8B\xBF", "\xE3\x8B\xBF"},
    {"{\"type\": \"NFKC\"}", "\xC2\xBD",
     "1\xE2\x81\x84"
     "2"},
    {"{\"type\": \"NFKC\"}", "\xEF\xB7\xBA",
     "\xD8\xB5\xD9\x84\xD9\x89 \xD8\xA7\xD9\x84\xD9\x84\xD9\x87 \xD8\xB9\xD9\x84\xD9\x8A\xD9\x87 "
     "\xD9\x88\xD8\xB3\xD9\x84\xD9\x85"},
    {"{\"type\": \"NFKD\"}", "\xEF\xAC\x81\xC3\xA9", "fie\xCC\x81"},
    {"{\"type\": \"NFKD\"}", "\xF0\x90\x9E\x81", "\xF0\x90\x9E\x81"},
    {"{\"type\": \"NFKD\"}", "\xE3\x8D\xB1", "hPa"},
    {"{\"type\": \"Nmt\"}",
     "a\x09"
     "b\x07"
     "c\xE2\x80\x8B"
     "d\xEF\xBB\xBF"
     "e\xEF\xBF\xBD"
     "f",
     "a bc d e f"},
    {"{\"type\": \"Nmt\"}", "\xC2\x85\xC2\x8F\x0B\x0C\xE2\x96\x81", "\xC2\x85  "},
    {"{\"type\": \"Lowercase\"}", "ABC \xC3\x89\xC4\xB0\xCE\xA3", "abc \xC3\xA9i\xCC\x87\xCF\x83"},
    {"{\"type\": \"Lowercase\"}", "\xE1\xB2\x89 \xEA\x9F\x9C \xF0\x90\xB5\x90 \xF0\x96\xBA\xA0 \xE1\xBA\x9E",
     "\xE1\xB2\x8A \xC6\x9B \xF0\x90\xB5\xB0 \xF0\x96\xBA\xBB \xC3\x9F"},
    {"{\"type\": \"StripAccents\"}", "e\xCC\x81\xC3\xA9\xE0\xA5\x80\xE2\x83\x9D", "e\xC3\xA9"},
    {"{\"type\": \"StripAccents\"}", "\xE1\xB3\xB2\xF0\x91\x87\x89\xE0\xA3\x94\xE1\xAB\x80",
     "\xF0\x91\x87\x89\xE1\xAB\x80"},
    {"{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": true}", "  a b\xE3\x80\x80\x0A", "a b"},
    {"{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": true}", "\xC2\xA0\xE2\x80\x83", ""},
    {"{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": true}", " \xE2\x80\x8B ", "\xE2\x80\x8B"},
    {"{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": false}", " a ", "a "},
    {"{\"type\": \"Strip\", \"strip_left\": false, \"strip_right\": true}", " a ", " a"},
    {"{\"type\": \"Prepend\", \"prepend\": \"\\u2581\"}", "a",
     "\xE2\x96\x81"
     "a"},
    {"{\"type\": \"Prepend\", \"prepend\": \"\\u2581\"}", "", ""},
    {"{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"\\u2581\"}", " a  b ",
     "\xE2\x96\x81"
     "a\xE2\x96\x81\xE2\x96\x81"
     "b\xE2\x96\x81"},
    {"{\"type\": \"Replace\", \"pattern\": {\"Regex\": \" {2,}\"}, \"content\": \" \"}", "a   b c  ", "a b c "},
    {"{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"x*\"}, \"content\": \"-\"}", "axxb", "-a-b-"},
    {"{\"type\": \"ByteLevel\"}", "a \xC3\xA9\x0A\x7F", "a\xC4\xA0\xC3\x83\xC2\xA9\xC4\x8A\xC4\xA1"},
    {"{\"type\": \"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": true, \"strip_accents\": "
     "null, \"lowercase\": true}",
     "H\xC3\x89LLO\x09w\xC3\xB6rld\x01\xEF\xBF\xBD\xC2\x85\xC2\xAD", "hello world"},
    {"{\"type\": \"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": true, \"strip_accents\": "
     "null, \"lowercase\": true}",
     "\xE4\xB8\xAD\xE6\x96\x87"
     "a \xF0\xAB\xA0\xA0\xF0\xAB\xA4\xA0",
     " \xE4\xB8\xAD  \xE6\x96\x87 a \xF0\xAB\xA0\xA0 \xF0\xAB\xA4\xA0 "},
    {"{\"type\": \"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": true, \"strip_accents\": "
     "null, \"lowercase\": true}",
     "\xC4\xB0\xE1\x9C\xB4\xE1\xA2\x85x\xD8\x9C\xE2\x81\xA6\xE2\x81\xA9", "i\xE1\xA2\x85x"},
    {"{\"type\": \"BertNormalizer\", \"clean_text\": false, \"handle_chinese_chars\": false, \"strip_accents\": "
     "false, \"lowercase\": true}",
     "\xC3\x89\x09\xE4\xB8\xAD", "\xC3\xA9\x09\xE4\xB8\xAD"},
    {"{\"type\": \"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": false, \"strip_accents\": "
     "true, \"lowercase\": false}",
     "\xC3\x89\x09\xE4\xB8\xAD", "E \xE4\xB8\xAD"},
    {"{\"type\": \"BertNormalizer\", \"clean_text\": false, \"handle_chinese_chars\": true, \"strip_accents\": "
     "false, \"lowercase\": false}",
     "\xC3\x89\x09\xE4\xB8\xADx", "\xC3\x89\x09 \xE4\xB8\xAD x"},
    {"{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFD\"}, {\"type\": \"Lowercase\"}, {\"type\": "
     "\"StripAccents\"}]}",
     "\xC3\x89T\xC3\x89", "ete"},
    {"{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Lowercase\"}, {\"type\": \"NFC\"}, {\"type\": "
     "\"Strip\", \"strip_left\": true, \"strip_right\": false}, {\"type\": \"Prepend\", \"prepend\": \">\"}]}",
     " ABC", ">abc"},
    {"{\"type\": \"Sequence\", \"normalizers\": []}", "a", "a"},
};

static void each_kind_is_the_reference(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        struct token_steps steps;
        token_steps_open(&steps);
        assert_true(token_steps_read(&steps, tn_normalizer_read, kinds[k].json));
        struct tn_str normalized = token_steps_normalized(&steps, kinds[k].text);
        assert_int_equal(normalized.size, strlen(kinds[k].normalized));
        assert_string_equal(normalized.size ? normalized.data : "", kinds[k].normalized);
        token_steps_close(&steps);
    }
}

static void null_is_no_step(void **state)
{
    (void)state;
    struct token_steps steps;
    token_steps_open(&steps);
    assert_true(token_steps_read(&steps, tn_normalizer_read, "null"));
    assert_int_equal(steps.tokenizer->normal_count, 0);
    token_steps_close(&steps);
}

static void what_is_not_supported_is_refused_by_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *message;
    } rows[] = {
        {"3", "normalizer is 'an integer', not an object"},
        {"{}", "normalizer.type is missing"},
        {"{\"type\": \"NFX\"}", "normalizer.type is 'NFX', which is not supported"},
        {"{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, {\"type\": \"Lower\"}]}",
         "normalizer.normalizers[1].type is 'Lower', which is not supported"},
        {"{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Strip\","
         " \"strip_left\": 1, \"strip_right\": true}]}]}",
         "normalizer.normalizers[0].normalizers[0].strip_left is 'an integer', not a boolean"},
        {"{\"type\": \"Sequence\"}", "normalizer.normalizers is missing"},
        {"{\"type\": \"Prepend\"}", "normalizer.prepend is missing"},
        {"{\"type\": \"Replace\", \"pattern\": {\"Glob\": \"*\"}, \"content\": \"\"}",
         "normalizer.pattern.Regex is missing"},
        {"{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"!\"}",
         "normalizer.precompiled_charsmap is not base64"},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct token_steps steps;
        token_steps_open(&steps);
        assert_false(token_steps_read(&steps, tn_normalizer_read, rows[k].json));
        assert_int_equal(steps.error.code, TN_ERROR_CONFIG);
        assert_string_equal(steps.error.message, rows[k].message);
        token_steps_close(&steps);
    }
}

/* Half a million marks in the worst order: comparing each with each would take minutes. */
static void a_text_of_marks_is_ordered_in_time(void **state)
{
    (void)state;
    enum { MARKS = 250 * 1000 };
    struct token_steps steps;
    struct tn_builder text = {0};
    struct tn_builder ordered = {0};
    token_steps_open(&steps);
    assert_true(token_steps_read(&steps, tn_normalizer_read, "{\"type\": \"NFD\"}"));
    tn_builder_add_repeated(&text, "\xCC\x81\xCC\xA3", MARKS); /* classes 230 and 220 */
    tn_builder_add_repeated(&ordered, "\xCC\xA3", MARKS);
    tn_builder_add_repeated(&ordered, "\xCC\x81", MARKS);
    struct tn_str normalized = token_steps_normalized(&steps, text.data);
    assert_true(tn_str_equal(normalized, tn_builder_str(&ordered)));
    tn_builder_free(&text);
    tn_builder_free(&ordered);
    token_steps_close(&steps);
}

/* What is a cut to the steps that follow is told with each of them. */
static void replacing_words_leaves_no_place_to_cut(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool whole;
    } rows[] = {
        {"{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"\xE2\x96\x81\"}", false},
        {"{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"_\"}", true},
        {"{\"type\": \"Replace\", \"pattern\": {\"String\": \"a\"}, \"content\": \"\"}", true},
        {"{\"type\": \"Replace\", \"pattern\": {\"String\": \"``\"}, \"content\": \"'\"}", false},
        {"{\"type\": \"Replace\", \"pattern\": {\"Regex\": \" {2,}\"}, \"content\": \" \"}", false},
        {"{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"b c\"}, \"content\": \" \"}", true},
        {"{\"type\": \"ByteLevel\"}", true},
        {"{\"type\": \"NFKC\"}", false},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct token_steps steps;
        token_steps_open(&steps);
        assert_true(token_steps_read(&steps, tn_normalizer_read, rows[k].json));
        assert_int_equal(steps.tokenizer->normal[0].whole, rows[k].whole);
        token_steps_close(&steps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_the_reference),
        cmocka_unit_test(null_is_no_step),
        cmocka_unit_test(what_is_not_supported_is_refused_by_its_path),
        cmocka_unit_test(a_text_of_marks_is_ordered_in_time),
        cmocka_unit_test(replacing_words_leaves_no_place_to_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
