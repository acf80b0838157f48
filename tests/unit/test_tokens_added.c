/* Added tokens: the ids are those of Hugging Face tokenizers 0.23.3 for the same files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "token_texts.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { MOST_ADDED = 4, MOST_TEXTS = 26 };

struct file {
    const char *vocabulary; /* NULL: `characters` */
    const char *normalizer; /* NULL: none */
    struct {
        const char *content; /* NULL behind the last one */
        unsigned id;
        const char *flags; /* w, l, r, n: single_word, lstrip, rstrip, normalized */
        bool special;
    } added[MOST_ADDED];
    struct {
        const char *text; /* NULL behind the last one */
        const char *ids;
    } texts[MOST_TEXTS];
};

/* Ten tokens of a character each, "?" for all others: the first added token that is none of them gets the id 10. */
static const char characters[] =
    "{\"?\": 0, \"a\": 1, \"b\": 2, \" \": 3, \"_\": 4, \"1\": 5, \"\\u00E9\": 6, \"A\": 7,"
    "\"-\": 8, \"\\n\": 9}";

static void add_flag(struct tn_builder *json, const char *name, bool value)
{
    tn_builder_addf(json, ", \"%s\": %s", name, value ? "true" : "false");
}

static void open_file(struct token_texts *texts, const struct file *file)
{
    struct tn_builder json = {0};
    tn_builder_addf(&json, "{\"normalizer\": %s, \"pre_tokenizer\": null, \"added_tokens\": [",
                    file->normalizer ? file->normalizer : "null");
    for (size_t k = 0; k < MOST_ADDED && file->added[k].content; k++) {
        const char *flags = file->added[k].flags;
        tn_builder_addf(&json, "%s{\"id\": %u, \"content\": ", k ? ", " : "", file->added[k].id);
        token_texts_add_string(&json, tn_str_of(file->added[k].content));
        add_flag(&json, "single_word", strchr(flags, 'w'));
        add_flag(&json, "lstrip", strchr(flags, 'l'));
        add_flag(&json, "rstrip", strchr(flags, 'r'));
        add_flag(&json, "normalized", strchr(flags, 'n'));
        add_flag(&json, "special", file->added[k].special);
        tn_builder_add_char(&json, '}');
    }
    tn_builder_addf(&json, "], \"model\": {\"type\": \"BPE\", \"unk_token\": \"?\", \"vocab\": %s, \"merges\": []}}",
                    file->vocabulary ? file->vocabulary : characters);
    token_texts_open(texts, "tokenizer.json", tn_builder_str(&json));
    tn_builder_free(&json);
}

static void check_files(const struct file *files, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        struct token_texts texts;
        open_file(&texts, &files[k]);
        for (size_t one = 0; one < MOST_TEXTS && files[k].texts[one].text; one++) {
            const char *ids = token_texts_ids(&texts, tn_str_of(files[k].texts[one].text));
            if (strcmp(ids, files[k].texts[one].ids) != 0) {
                fail_msg("file %zu: '%s' is %s, not %s", k, files[k].texts[one].text, ids, files[k].texts[one].ids);
            }
        }
        token_texts_close(&texts);
    }
}

static void the_leftmost_match_wins_then_the_longest(void **state)
{
    (void)state;
    static const struct file files[] = {
        {NULL,
         NULL,
         {{"ab", 10, "", false}, {"aba", 11, "", false}, {"bab", 12, "", false}, {"b", 13, "", false}},
         {
             {"ab", "10"},
             {"aba", "11"},
             {"abab", "11 2"},
             {"bab", "12"},
             {"ababab", "11 12"},
             {"aab", "1 10"},
             {"babab", "12 10"},
             {"bbab", "2 12"},
         }},
        {NULL,
         NULL,
         {{"<a", 10, "", false}, {"<a>b>", 11, "", false}, {"a>", 12, "", false}},
         {
             {"<a>", "10 0"},
             {"<a>b>", "11"},
             {"<a>b", "10 0 2"},
             {"<<a>", "0 10 0"},
             {"a>b>", "12 2 0"},
         }},
    };
    check_files(files, COUNT_OF(files));
}

static void white_space_is_taken_once(void **state)
{
    (void)state;
    static const struct file files[] = {
        {NULL,
         NULL,
         {{"<l>", 10, "l", false}, {"<r>", 11, "r", false}, {"<x>", 12, "", false}},
         {
             {"a <l> a", "1 10 3 1"},
             {"a <r> a", "1 3 11 1"},
             {"a <x> a", "1 3 12 3 1"},
             {"<r>  <l>", "11 10"},
             {"<r> <x>", "11 12"},
             {"<x> <l>", "12 10"},
             {"  <l>", "10"},
             {"<r>  ", "11"},
             {"<r>\n\xE3\x80\x80 a", "11 1"},
             {"a\xC2\xA0<l>", "1 10"},
             {"a\xE2\x80\x8B<l>a", "1 0 10 1"},
             {"<l><l> <l>", "10 10 10"},
         }},
        {NULL,
         NULL,
         {{" ", 10, "lr", false}, {"\n", 11, "", false}},
         {
             {"a  a", "1 3 1"},
             {"a \na", "1 3 9 1"},
             {" \n \na", "3 9 3 9 1"},
             {"\n  \n", "9 3 9"},
         }},
        {NULL,
         NULL,
         {{" ", 10, "r", false}, {"\n", 11, "l", false}},
         {
             {" a \n", "3 1 3"},
         }},
        {NULL,
         NULL,
         {{" ", 10, "r", false}, {"<l>", 11, "l", false}},
         {
             {"   ", "3 3 3"},
             {"a  <l>", "1 3 3 10"},
             {"  <l> a", "3 3 10 3 1"},
         }},
        {NULL,
         NULL,
         {{" ", 10, "l", false}, {"<r>", 11, "r", false}},
         {
             {"   ", "3 3 3"},
         }},
    };
    check_files(files, COUNT_OF(files));
}

static void a_single_word_stands_alone(void **state)
{
    (void)state;
    static const struct file files[] = {
        {NULL,
         NULL,
         {{"ab", 10, "w", false}, {"-", 11, "w", false}, {"1", 12, "w", false}},
         {
             {"ab", "10"},
             {"ab a", "10 3 1"},
             {"aab", "1 1 2"},
             {"ab1", "1 2 5"},
             {"1ab", "5 1 2"},
             {"ab_", "1 2 4"},
             {"_ab", "4 1 2"},
             {"ab-", "10 8"},
             {"-ab-", "8 10 8"},
             {"ab\xC3\xA9", "1 2 6"},
             {"ab\xCC\x81", "1 2 0"},
             {"\xCC\x81"
              "ab",
              "0 1 2"},
             {"ab\xE2\x80\x8D", "1 2 0"},
             {"ab\xE2\x80\x8C", "1 2 0"},
             {"ab\xE4\xB8\x80", "1 2 0"},
             {"ab\xE2\x83\x9D", "1 2 0"},
             {"ab\xE2\x80\xBF", "1 2 0"},
             {"ab\xE2\x85\xA0", "1 2 0"},
             {"ab\xC2\xB2", "10 0"},
             {"ab\xF0\x9F\x98\x80", "10 0"},
             {"abab ab", "1 2 1 2 3 10"},
             {"a-b", "1 8 2"},
             {"- -", "8 3 8"},
             {"ab\xD9\xA0", "1 2 0"},
             {"1 1", "5 3 5"},
         }},
        {NULL,
         NULL,
         {{"ab", 10, "wl", false}, {"aba", 11, "", false}},
         {
             {"a ab b", "1 10 3 2"},
             {"a aba", "1 3 11"},
             {" ab", "10"},
             {"1 ab1 aba", "5 3 1 2 5 3 11"},
         }},
    };
    check_files(files, COUNT_OF(files));
}

static void normalized_tokens_are_found_by_their_normalised_names(void **state)
{
    (void)state;
    static const struct file files[] = {
        {NULL,
         "{\"type\": \"Lowercase\"}",
         {{"<A>", 10, "n", false}, {"<B>", 11, "", false}, {"\xC3\x89", 12, "n", false}},
         {
             {"<A>", "10"},
             {"<a>", "10"},
             {"<B>", "11"},
             {"<b>", "0 2 0"},
             {"\xC3\x89", "12"},
             {"\xC3\xA9", "12"},
             {"a<A><B><a>", "1 10 11 10"},
         }},
        {NULL,
         "{\"type\": \"NFC\"}",
         {{"e\xCC\x81", 10, "n", false}, {"a\xCC\x81", 11, "", false}},
         {
             {"\xC3\xA9", "10"},
             {"e\xCC\x81", "10"},
             {"a\xCC\x81", "11"},
             {"\xC3\xA1", "0"},
         }},
        {NULL,
         "{\"type\": \"Prepend\", \"prepend\": \"_\"}",
         {{"a", 10, "n", false}, {"_a", 11, "n", false}, {"ab", 12, "", false}},
         {
             {"a", "1"},
             {"aa", "1 1"},
             {"ba", "4 2 1"},
             {"aba", "11 1"},
             {" a", "4 3 1"},
         }},
        {NULL,
         "{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"_\"}",
         {{"x y", 10, "n", false}, {"x y z", 11, "", false}},
         {
             {"x y", "10"},
             {"x_y", "10"},
             {"x y z", "11"},
             {"x_y_z", "10 4 0"},
         }},
    };
    check_files(files, COUNT_OF(files));
}

static void of_equal_content_the_last_flags_count(void **state)
{
    (void)state;
    static const struct file files[] = {
        {NULL,
         NULL,
         {{"<x>", 10, "l", false}, {"<y>", 11, "", false}, {"<x>", 12, "r", false}},
         {
             {"a <x> a", "1 3 10 1"},
             {"<y>", "11"},
         }},
        {NULL,
         NULL,
         {{"<x>", 10, "w", false}, {"<x>", 10, "", false}},
         {
             {"a<x>a", "1 10 1"},
         }},
    };
    check_files(files, COUNT_OF(files));
}

static void ids_are_those_of_the_model_or_the_next(void **state)
{
    (void)state;
    static const struct file files[] = {
        {NULL,
         NULL,
         {{"<x>", 10, "", false}, {"<y>", 20, "", false}, {"a", 30, "", false}, {"<z>", 5, "", false}},
         {
             {"<x>", "10"},
             {"<y>", "11"},
             {"a", "1"},
             {"<z>", "12"},
         }},
        {"{\"?\": 0, \"a\": 1, \"b\": 7}",
         NULL,
         {{"<x>", 90, "", false}, {"<y>", 91, "", false}},
         {
             {"<x>", "3"},
             {"<y>", "4"},
             {"b", "7"},
         }},
        {"{\"?\": 0, \"a\": 1, \"b\": 7}",
         NULL,
         {{"b", 7, "", false}, {"<x>", 90, "", false}, {"<y>", 91, "", false}},
         {
             {"<x>", "3"},
             {"<y>", "4"},
             {"b", "7"},
         }},
        {"{\"?\": 0, \"a\": 1, \"b\": 7}",
         NULL,
         {{"<x>", 90, "", false}, {"b", 7, "", false}, {"<y>", 91, "", false}},
         {
             {"<x>", "3"},
             {"<y>", "4"},
             {"b", "7"},
         }},
        {NULL,
         NULL,
         {{"", 10, "", false}, {"<x>", 11, "", false}},
         {
             {"<x>", "10"},
         }},
        {NULL,
         NULL,
         {{"<x>", 50, "", true}, {"<y>", 51, "", false}, {"<z>", 52, "", true}},
         {
             {"<x><y><z>", "10 11 12"},
         }},
    };
    check_files(files, COUNT_OF(files));
}

/* White space inside which each character is a token that takes all of it: none looks through it again. */
static void long_white_space_is_looked_through_once(void **state)
{
    (void)state;
    enum { LONG_BYTES = 1024 * 1024 };
    static const struct file files[] = {
        {NULL, NULL, {{" ", 3, "l", true}}, {{NULL, NULL}}},
        {NULL, NULL, {{" ", 3, "r", true}}, {{NULL, NULL}}},
        {NULL, NULL, {{" ", 3, "lr", true}}, {{NULL, NULL}}}, /* nothing is left for the others */
    };
    static const size_t counts[] = {LONG_BYTES, LONG_BYTES, 1};
    struct tn_builder text = {0};
    tn_builder_add_repeated(&text, " ", LONG_BYTES);
    for (size_t k = 0; k < COUNT_OF(files); k++) {
        struct token_texts texts;
        open_file(&texts, &files[k]);
        assert_int_equal(token_texts_encode(&texts, tn_builder_str(&text), TN_TEXT_WHOLE).count, counts[k]);
        token_texts_close(&texts);
    }
    tn_builder_free(&text);
}

static void added_tokens_are_found_by_name(void **state)
{
    (void)state;
    static const struct file file = {NULL, NULL, {{"<x>", 50, "", true}, {"a", 51, "", false}}, {{NULL, NULL}}};
    struct token_texts texts;
    open_file(&texts, &file);
    assert_int_equal(tn_tokenizer_special(texts.tokenizer, TN_STR("<x>")), 10);
    assert_int_equal(tn_tokenizer_special(texts.tokenizer, TN_STR("a")), 1);
    assert_int_equal(tn_tokenizer_special(texts.tokenizer, TN_STR("b")), TN_TOKEN_NONE);
    assert_int_equal(tn_tokenizer_vocabulary_size(texts.tokenizer), 11);
    assert_true(tn_str_is(tn_tokenizer_piece(texts.tokenizer, 10), "<x>"));
    assert_int_equal(tn_tokenizer_piece(texts.tokenizer, 11).size, 0);
    token_texts_close(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_leftmost_match_wins_then_the_longest),
        cmocka_unit_test(white_space_is_taken_once),
        cmocka_unit_test(a_single_word_stands_alone),
        cmocka_unit_test(normalized_tokens_are_found_by_their_normalised_names),
        cmocka_unit_test(of_equal_content_the_last_flags_count),
        cmocka_unit_test(ids_are_those_of_the_model_or_the_next),
        cmocka_unit_test(long_white_space_is_looked_through_once),
        cmocka_unit_test(added_tokens_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
