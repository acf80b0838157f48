/* src/tokens/split/pre_tokenizers.c and the kinds that it reads, and src/tokens/hub/post_processors.c: the parts are those of Hugging Face
 * tokenizers 0.23.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "token_steps.h"
#include "tokens/hub/post_processors.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *json;
    const char *text;
    const char *parts;
} kinds[] = {
    {"{\"type\": \"Split\", \"pattern\": {\"String\": \"-\"}, \"behavior\": \"Removed\", \"invert\": false}",
     "the-final--countdown-", "the|final|countdown"},
    {"{\"type\": \"Split\", \"pattern\": {\"String\": \"-\"}, \"behavior\": \"Removed\", \"invert\": true}",
     "the-final--countdown-", "-|-|-|-"},
    {"{\"type\": \"Split\", \"pattern\": {\"String\": \"-\"}, \"behavior\": \"Isolated\", \"invert\": false}",
     "the-final--countdown-", "the|-|final|-|-|countdown|-"},
    {"{\"type\": \"Split\", \"pattern\": {\"String\": \"-\"}, \"behavior\": \"Isolated\", \"invert\": true}",
     "the-final--countdown-", "the|-|final|-|-|countdown|-"},
    {"{\"type\": \"Split\", \"pattern\": {\"String\": \"-\"}, \"behavior\": \"MergedWithPrevious\", \"invert\": "
     "false}",
     "the-final--countdown-", "the-|final-|-|countdown-"},
    {"{\"type\": \"Split\", \"pattern\": {\"String\": \"-\"}, \"behavior\": \"MergedWithPrevious\", \"invert\": "
     "true}",
     "the-final--countdown-", "the|-final|-|-countdown|-"},
    {"{\"type\": \"Split\", \"pattern\": {\"String\": \"-\"}, \"behavior\": \"MergedWithNext\", \"invert\": false}",
     "the-final--countdown-", "the|-final|-|-countdown|-"},
    {"{\"type\": \"Split\", \"pattern\": {\"String\": \"-\"}, \"behavior\": \"MergedWithNext\", \"invert\": true}",
     "the-final--countdown-", "the-|final-|-|countdown-"},
    {"{\"type\": \"Split\", \"pattern\": {\"String\": \"-\"}, \"behavior\": \"Contiguous\", \"invert\": false}",
     "the-final--countdown-", "the|-|final|--|countdown|-"},
    {"{\"type\": \"Split\", \"pattern\": {\"String\": \"-\"}, \"behavior\": \"Contiguous\", \"invert\": true}",
     "the-final--countdown-", "the|-|final|--|countdown|-"},
    {"{\"type\": \"Split\", \"pattern\": {\"Regex\": \"x*\"}, \"behavior\": \"Isolated\", \"invert\": false}", "axxb",
     "a|xx|b"},
    {"{\"type\": \"Split\", \"pattern\": {\"Regex\": \"x*\"}, \"behavior\": \"MergedWithNext\", \"invert\": false}",
     "axxb", "a|xxb"},
    {"{\"type\": \"WhitespaceSplit\"}",
     " a\xC2\xA0"
     "b\xE3\x80\x80\x0A",
     "a|b"},
    {"{\"type\": \"WhitespaceSplit\"}",
     "\xE2\x80\x8B"
     "a",
     "\xE2\x80\x8B"
     "a"},
    {"{\"type\": \"Whitespace\"}", "a_1 b-c\xCC\x81 \xC2\xB2!! x\xE2\x80\x8Dy",
     "a_1|b|-|c\xCC\x81|\xC2\xB2!!|x\xE2\x80\x8Dy"},
    {"{\"type\": \"BertPreTokenizer\"}",
     "Hey, man! $5 \xC2\xAB\xE3\x80\x82\xE0\xA5\xA4"
     "a\xD8\x9D",
     "Hey|,|man|!|$|5|\xC2\xAB|\xE3\x80\x82|\xE0\xA5\xA4|a\xD8\x9D"},
    {"{\"type\": \"Digits\", \"individual_digits\": true}", "a12b\xD9\xA4\xC2\xBD\xE4\xB8\x89",
     "a|1|2|b|\xD9\xA4|\xC2\xBD|\xE4\xB8\x89"},
    {"{\"type\": \"Digits\", \"individual_digits\": false}", "a12b\xD9\xA4\xC2\xBD", "a|12|b|\xD9\xA4\xC2\xBD"},
    {"{\"type\": \"Punctuation\"}", "a..b\xE2\x80\x99+", "a|.|.|b|\xE2\x80\x99|+"},
    {"{\"type\": \"Punctuation\", \"behavior\": \"Contiguous\"}", "a..b", "a|..|b"},
    {"{\"type\": \"CharDelimiterSplit\", \"delimiter\": \"\\u00e9\"}",
     "a\xC3\xA9\xC3\xA9"
     "b\xC3\xA9",
     "a|b"},
    {"{\"type\": \"FixedLength\", \"length\": 2}",
     "a\xC3\xA9"
     "c\xE4\xB8\xAD"
     "e",
     "a\xC3\xA9|c\xE4\xB8\xAD|e"},
    {"{\"type\": \"FixedLength\"}", "abcdefg", "abcde|fg"},
    {"{\"type\": \"UnicodeScripts\"}",
     "\xE3\x81\xA9\xE3\x81\x93\xE3\x81\xA7\xE7\x94\x9F\xE3\x82\x8C\xE3\x80\x82Yes \xD0\xB4\xD0\xB0",
     "\xE3\x81\xA9\xE3\x81\x93\xE3\x81\xA7\xE7\x94\x9F\xE3\x82\x8C|\xE3\x80\x82|Yes |\xD0\xB4\xD0\xB0"},
    {"{\"type\": \"UnicodeScripts\"}", "  ab", "ab"},
    {"{\"type\": \"UnicodeScripts\"}", "\xE3\x83\xBC\xE4\xB8\xAD a", "\xE3\x83\xBC\xE4\xB8\xAD |a"},
    {"{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": true}",
     "Hello there's\x0A\x0A 12",
     "Hello|\xC4\xA0there|'s|\xC4\x8A\xC4\x8A|\xC4\xA0"
     "12"},
    {"{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": true}", "Hi",
     "\xC4\xA0Hi"},
    {"{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": true}", " Hi",
     "\xC4\xA0Hi"},
    {"{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": false}",
     "Hi \xC3\xA9", "Hi\xC4\xA0\xC3\x83\xC2\xA9"},
    {"{\"type\": \"Metaspace\", \"replacement\": \"\\u2581\", \"prepend_scheme\": \"always\", \"split\": true}",
     "Hey  you", "\xE2\x96\x81Hey|\xE2\x96\x81|\xE2\x96\x81you"},
    {"{\"type\": \"Metaspace\", \"replacement\": \"\\u2581\", \"prepend_scheme\": \"always\", \"split\": true}", " a",
     "\xE2\x96\x81"
     "a"},
    {"{\"type\": \"Metaspace\", \"replacement\": \"\\u2581\", \"prepend_scheme\": \"always\", \"split\": true}",
     "\xE2\x96\x81"
     "a",
     "\xE2\x96\x81"
     "a"},
    {"{\"type\": \"Metaspace\", \"replacement\": \"\\u2581\", \"prepend_scheme\": \"never\", \"split\": true}",
     "Hey you ", "Hey|\xE2\x96\x81you|\xE2\x96\x81"},
    {"{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"first\", \"split\": false}", "Hey you",
     "_Hey_you"},
    {"{\"type\": \"Metaspace\", \"replacement\": \"\\u2581\", \"add_prefix_space\": true}", "a b",
     "\xE2\x96\x81"
     "a|\xE2\x96\x81"
     "b"},
    {"{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"WhitespaceSplit\"}, {\"type\": \"Metaspace\", "
     "\"replacement\": \"\\u2581\", \"prepend_scheme\": \"first\", \"split\": true}]}",
     "a b",
     "\xE2\x96\x81"
     "a|b"},
    {"{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"WhitespaceSplit\"}, {\"type\": \"Metaspace\", "
     "\"replacement\": \"\\u2581\", \"prepend_scheme\": \"first\", \"split\": true}]}",
     " a b", "a|b"},
    {"{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Punctuation\", \"behavior\": \"Contiguous\"}, "
     "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": true}, "
     "{\"type\": \"Digits\", \"individual_digits\": false}, {\"type\": \"Split\", \"pattern\": {\"Regex\": "
     "\"[0-9][0-9][0-9]\"}, \"behavior\": \"Isolated\", \"invert\": false}]}",
     "a 12345\xC2\xB2\xC3\x82!", "a|\xC4\xA0|123|45|\xC3\x82|\xC2\xB2|\xC3\x83\xC4\xA4|!"},
    {"{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
     "\"trim_offsets\": true, \"use_regex\": true}, {\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
     "\"trim_offsets\": true, \"use_regex\": true}]}",
     "a \xC3\xA9", "a|\xC3\x84\xC5\x82\xC3\x83\xC4\xA5|\xC3\x82\xC2\xA9"},
};

static void each_kind_is_the_reference(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        struct token_steps steps;
        token_steps_open(&steps);
        assert_true(token_steps_read_pre_tokenizer(&steps, kinds[k].json));
        assert_string_equal(token_steps_parts(&steps, kinds[k].text), kinds[k].parts);
        token_steps_close(&steps);
    }
}

static void what_is_not_supported_is_refused_by_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *message;
    } rows[] = {
        {"[]", "pre_tokenizer is 'a list', not an object"},
        {"{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Whitespace\"}, {\"type\": \"Words\"}]}",
         "pre_tokenizer.pretokenizers[1].type is 'Words', which is not supported"},
        {"{\"type\": \"Split\", \"pattern\": {\"String\": \"a\"}, \"behavior\": \"Dropped\", \"invert\": false}",
         "pre_tokenizer.behavior is 'Dropped', which is not supported"},
        {"{\"type\": \"Split\", \"pattern\": {\"String\": \"a\"}, \"behavior\": \"Removed\"}",
         "pre_tokenizer.invert is missing"},
        {"{\"type\": \"Metaspace\", \"replacement\": \"__\"}", "pre_tokenizer.replacement is not one character"},
        {"{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"last\"}",
         "pre_tokenizer.prepend_scheme is 'last', which is not supported"},
        {"{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"first\","
         " \"add_prefix_space\": false}",
         "pre_tokenizer.add_prefix_space is false, against prepend_scheme"},
        {"{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Metaspace\", \"replacement\": \"_\"}, {\"type\":"
         " \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"first\"}]}",
         "pre_tokenizer.pretokenizers[1].prepend_scheme is 'first' behind a normalizer and a splitting step, which is "
         "not"
         " supported"},
        {"{\"type\": \"FixedLength\", \"length\": 0}", "pre_tokenizer.length is out of range"},
        {"{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"ByteLevel\", \"add_prefix_space\": false},"
         " {\"type\": \"Metaspace\", \"replacement\": \"_\"}]}",
         "pre_tokenizer has a Metaspace behind a ByteLevel, which is not supported"},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct token_steps steps;
        token_steps_open(&steps);
        assert_false(token_steps_read_pre_tokenizer(&steps, rows[k].json));
        assert_int_equal(steps.error.code, TN_ERROR_CONFIG);
        assert_string_equal(steps.error.message, rows[k].message);
        token_steps_close(&steps);
    }
}

/* Each space between two letters begins a part, whatever stands around: the text may be cut there. */
static void steps_tell_where_a_text_may_be_cut(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool whole;
        bool divides;
    } rows[] = {
        {"{\"type\": \"ByteLevel\", \"add_prefix_space\": true}", false, true},
        {"{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"use_regex\": false}", false, false},
        {"{\"type\": \"BertPreTokenizer\"}", false, true},
        {"{\"type\": \"Metaspace\", \"replacement\": \"_\"}", false, true},
        {"{\"type\": \"Metaspace\", \"replacement\": \"_\", \"split\": false}", true, false},
        {"{\"type\": \"Digits\", \"individual_digits\": true}", false, false},
        {"{\"type\": \"UnicodeScripts\"}", true, false},
        {"{\"type\": \"FixedLength\"}", true, false},
        {"{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"WhitespaceSplit\"}, {\"type\": \"FixedLength\"}]}",
         false, true},
        {"{\"type\": \"Split\", \"pattern\": {\"String\": \" \"}, \"behavior\": \"MergedWithPrevious\","
         " \"invert\": false}",
         true, false},
        {"{\"type\": \"Split\", \"pattern\": {\"String\": \" \"}, \"behavior\": \"MergedWithNext\", \"invert\": false}",
         false, true},
        {"{\"type\": \"Split\", \"pattern\": {\"String\": \"-\"}, \"behavior\": \"Contiguous\", \"invert\": false}",
         false, false},
        {"{\"type\": \"Split\", \"pattern\": {\"Regex\": \"b c\"}, \"behavior\": \"Isolated\", \"invert\": false}",
         true, false},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct token_steps steps;
        token_steps_open(&steps);
        assert_true(token_steps_read_pre_tokenizer(&steps, rows[k].json));
        bool whole = false;
        bool divides = false;
        for (size_t step = 0; step < steps.tokenizer->split_count; step++) {
            whole |= steps.tokenizer->splits[step].whole;
            divides |= steps.tokenizer->splits[step].divides;
        }
        assert_int_equal(whole, rows[k].whole);
        assert_int_equal(divides, rows[k].divides);
        token_steps_close(&steps);
    }
}

/* What the normalizer leaves decides what a pre-tokenizer divides, whichever of them the file writes first. */
static void hidden_spaces_divide_nothing(void **state)
{
    (void)state;
#define WORDS "\"pre_tokenizer\": {\"type\": \"WhitespaceSplit\"}"
#define HIDES "\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"\xE2\x96\x81\"}"
#define MODEL "\"model\": {\"type\": \"WordLevel\", \"unk_token\": \"u\", \"vocab\": {\"u\": 0}}"
    static const struct {
        const char *json;
        size_t cut;
    } rows[] = {
        {"{\"normalizer\": null, " WORDS ", " MODEL "}", 2},
        {"{" WORDS ", " MODEL "}", 2},
        {"{" HIDES ", " WORDS ", " MODEL "}", 0},
        {"{" WORDS ", " HIDES ", " MODEL "}", 0},
        {"{" MODEL ", " WORDS ", " HIDES "}", 0},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct tn_error error;
        struct tn_tokenizer *tokenizer = tn_tokenizer_open(TN_STR("tokenizer.json"), tn_str_of(rows[k].json), &error);
        assert_non_null(tokenizer);
        assert_int_equal(tn_tokenizer_cut(tokenizer, TN_STR("ab cd")), rows[k].cut);
        tn_tokenizer_free(tokenizer);
    }
}

/* ---- post-processors ---------------------------------------------------------------------------------------------- */

static void special_tokens_stand_around_a_text(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t prefix;
        size_t suffix;
    } rows[] = {
        {"null", 0, 0},
        {"{\"type\": \"ByteLevel\", \"trim_offsets\": true}", 0, 0},
        {"{\"type\": \"BertProcessing\", \"sep\": [\"[SEP]\", 102], \"cls\": [\"[CLS]\", 101]}", 1, 1},
        {"{\"type\": \"RobertaProcessing\", \"sep\": [\"</s>\", 102], \"cls\": [\"<s>\", 101], \"trim_offsets\": true,"
         " \"add_prefix_space\": false}",
         1, 1},
        {"{\"type\": \"Sequence\", \"processors\": [{\"type\": \"ByteLevel\"}, {\"type\": \"TemplateProcessing\","
         " \"single\": [{\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": 0}}, {\"Sequence\": {\"id\": \"A\","
         " \"type_id\": 0}}], \"special_tokens\": {\"<s>\": {\"id\": \"<s>\", \"ids\": [101, 7], \"tokens\": []}}}]}",
         2, 0},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct token_steps steps;
        token_steps_open(&steps);
        assert_true(token_steps_read(&steps, tn_post_processor_read, rows[k].json));
        struct tn_token_ids prefix = tn_tokenizer_prefix(steps.tokenizer);
        struct tn_token_ids suffix = tn_tokenizer_suffix(steps.tokenizer);
        assert_int_equal(prefix.count, rows[k].prefix);
        assert_int_equal(suffix.count, rows[k].suffix);
        assert_true(prefix.count == 0 || prefix.ids[0] == 101);
        assert_true(suffix.count == 0 || suffix.ids[0] == 102);
        token_steps_close(&steps);
    }
}

static void templates_without_one_answer_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *message;
    } rows[] = {
        {"{\"type\": \"TemplateProcessing\", \"single\": []}", "post_processor.single does not hold the text once"},
        {"{\"type\": \"TemplateProcessing\", \"single\": [{\"Sequence\": {\"id\": \"B\"}}]}",
         "post_processor.single does not hold the text once"},
        {"{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"<s>\"}}],"
         " \"special_tokens\": {}}",
         "post_processor.special_tokens.<s> is missing"},
        {"{\"type\": \"BertProcessing\", \"sep\": [\"a\", -1], \"cls\": [\"b\", 1]}",
         "post_processor.sep has no id of a token"},
        {"{\"type\": \"Sequence\", \"processors\": [{\"type\": \"BertProcessing\", \"sep\": [\"a\", 1], \"cls\": "
         "[\"b\","
         " 1]}, {\"type\": \"BertProcessing\", \"sep\": [\"a\", 1], \"cls\": [\"b\", 1]}]}",
         "post_processor.processors[1] adds tokens to those of another one, which is not supported"},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct token_steps steps;
        token_steps_open(&steps);
        assert_false(token_steps_read(&steps, tn_post_processor_read, rows[k].json));
        assert_int_equal(steps.error.code, TN_ERROR_CONFIG);
        assert_string_equal(steps.error.message, rows[k].message);
        token_steps_close(&steps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_the_reference),
        cmocka_unit_test(what_is_not_supported_is_refused_by_its_path),
        cmocka_unit_test(steps_tell_where_a_text_may_be_cut),
        cmocka_unit_test(hidden_spaces_divide_nothing),
        cmocka_unit_test(special_tokens_stand_around_a_text),
        cmocka_unit_test(templates_without_one_answer_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
