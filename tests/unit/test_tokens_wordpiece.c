/* src/tokens/model/wordpiece.c and src/tokens/model/wordlevel.c: the ids are those of Hugging Face tokenizers 0.23.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "token_steps.h"
#include "tokens/load.h"
#include "tokens/model/wordpiece.h"
#include "tokens/split/pre_tokenizers.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const pieces[] = {
    "[UNK]", "a", "b", "##a", "##b", "ab", "##ab", "##abb", "##", "#", "\xC3\xA9", "##\xC3\xA9",
};

static bool read_spaces(struct tn_tokenizer *tokenizer, const struct tn_value *json, struct tn_error *error)
{
    bool byte_level;
    return tn_pre_tokenizer_read(tokenizer, json, &byte_level, error);
}

/* Splits at white space; the tokens are `pieces`, without the first `skipped` ones. */
static void open_words(struct token_steps *steps, size_t skipped)
{
    token_steps_open(steps);
    struct tn_tokenizer *tokenizer = steps->tokenizer;
    assert_true(tn_vocabulary_reserve(&tokenizer->arena, &tokenizer->vocabulary, COUNT_OF(pieces), &steps->error));
    for (size_t k = skipped; k < COUNT_OF(pieces); k++) {
        assert_true(tn_vocabulary_add(&tokenizer->arena, &tokenizer->vocabulary, tn_str_of(pieces[k]), (uint32_t)k,
                                      true, &steps->error));
    }
    assert_true(token_steps_read(steps, read_spaces, "{\"type\": \"WhitespaceSplit\"}"));
}

static void longest_pieces_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *ids;
    } rows[] = {
        {"ab", "5"},
        {"abab", "5 6"},
        {"aabb ababb", "1 7 5 7"},
        {"abc a", "0 1"}, /* one part without a piece: the whole word is unknown */
        {"a##b #a", "0 9 3"},
        {"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", "10 11 11 11 11 11"}, /* six characters */
        {"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", "0"},
        {"##", "8"},
        {"##a", "3"}, /* as it stands in the vocabulary */
        {"", ""},
        {"ab abab ab abab", "5 5 6 5 5 6"}, /* words seen before */
    };
    struct token_steps steps;
    open_words(&steps, 0);
    assert_true(token_steps_read(&steps, tn_wordpiece_read,
                                 "{\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", \"continuing_subword_prefix\":"
                                 " \"##\", \"max_input_chars_per_word\": 6}"));
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        assert_string_equal(token_steps_ids(&steps, rows[k].text), rows[k].ids);
    }
    token_steps_close(&steps);
}

static void inner_pieces_may_have_no_prefix(void **state)
{
    (void)state;
    struct token_steps steps;
    open_words(&steps, 0);
    assert_true(token_steps_read(&steps, tn_wordpiece_read,
                                 "{\"unk_token\": \"[UNK]\", \"continuing_subword_prefix\": \"\","
                                 " \"max_input_chars_per_word\": 100}"));
    assert_string_equal(token_steps_ids(&steps, "abab"), "5 5");
    token_steps_close(&steps);
}

static void words_without_a_token_need_one_for_unknown_words(void **state)
{
    (void)state;
    struct token_steps steps;
    open_words(&steps, 1);
    assert_true(token_steps_read(&steps, tn_wordpiece_read,
                                 "{\"unk_token\": \"[UNK]\", \"continuing_subword_prefix\": \"##\","
                                 " \"max_input_chars_per_word\": 100}"));
    assert_string_equal(token_steps_ids(&steps, "ab"), "5");
    assert_null(token_steps_ids(&steps, "xyz"));
    assert_int_equal(steps.error.code, TN_ERROR_HEADER);
    token_steps_close(&steps);
}

static void options_must_be_there(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *message;
    } rows[] = {
        {"{\"continuing_subword_prefix\": \"\", \"max_input_chars_per_word\": 1}", "model.unk_token is missing"},
        {"{\"unk_token\": \"u\", \"max_input_chars_per_word\": 1}", "model.continuing_subword_prefix is missing"},
        {"{\"unk_token\": \"u\", \"continuing_subword_prefix\": \"\", \"max_input_chars_per_word\": -1}",
         "model.max_input_chars_per_word is out of range"},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct token_steps steps;
        open_words(&steps, 0);
        assert_false(token_steps_read(&steps, tn_wordpiece_read, rows[k].json));
        assert_int_equal(steps.error.code, TN_ERROR_CONFIG);
        assert_string_equal(steps.error.message, rows[k].message);
        token_steps_close(&steps);
    }
}

static void a_word_level_token_is_a_whole_word(void **state)
{
    (void)state;
    struct token_steps steps;
    open_words(&steps, 0);
    assert_true(token_steps_read(&steps, tn_wordlevel_read, "{\"type\": \"WordLevel\", \"unk_token\": \"[UNK]\"}"));
    assert_string_equal(token_steps_ids(&steps, "ab abab a"), "5 0 1");
    token_steps_close(&steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longest_pieces_are_taken),
        cmocka_unit_test(inner_pieces_may_have_no_prefix),
        cmocka_unit_test(words_without_a_token_need_one_for_unknown_words),
        cmocka_unit_test(options_must_be_there),
        cmocka_unit_test(a_word_level_token_is_a_whole_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
