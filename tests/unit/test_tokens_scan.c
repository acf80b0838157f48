/* The hand-written scanners against Oniguruma: a well-known regex splits as the same regex in a spelling that is not
 * known. In the model each byte is a token at the beginning of a word and another one inside, so that the ids show every
 * split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "token_texts.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *regex;
    bool words; /* it divides at each space between letters */
} known[] = {
    {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", true},
    {"'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s", true},
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
     "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
     "|\\s+(?!\\S)|\\s+",
     true},
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
     "|\\s+(?!\\S)|\\s+",
     true},
    {"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'"
     "ll|'d)?"
     "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'"
     "ll|'d)?"
     "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     true},
    {"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
     "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
     "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     true},
    {"[\\p{Han}]+"
     "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}"
     "]]+"
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
     "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}"
     "]]*"
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
     "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     true},
    {"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
     "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     true},
    {"[一-龥぀-ゟ゠-ヿ]+", false},
    {"\\p{N}{1,3}", false},
};

static void open_regex(struct token_texts *texts, struct tn_str regex)
{
    struct tn_builder json = {0};
    tn_builder_add_text(&json, "{\"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", "
                               "\"pattern\": {\"Regex\": ");
    token_texts_add_string(&json, regex);
    tn_builder_add_text(&json,
                        "}, \"behavior\": \"Isolated\", \"invert\": false}, {\"type\": \"ByteLevel\", "
                        "\"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": false}]}, \"model\": "
                        "{\"type\": \"BPE\", \"continuing_subword_prefix\": \"##\", \"vocab\": {");
    token_texts_add_bytes(&json, "", 0);
    token_texts_add_bytes(&json, "##", 256);
    tn_builder_add_text(&json, "\"zz\": 512}, \"merges\": []}}");
    token_texts_open(texts, "tokenizer.json", tn_builder_str(&json));
    tn_builder_free(&json);
}

/* as_known: the regex as it is; else in a group of its own, which changes nothing but the text. */
static void open_split(struct token_texts *texts, size_t regex, bool as_known)
{
    struct tn_builder pattern = {0};
    tn_builder_addf(&pattern, as_known ? "%s" : "(?:%s)", known[regex].regex);
    open_regex(texts, tn_builder_str(&pattern));
    tn_builder_free(&pattern);
}

/* Words after the first, whose first bytes are tokens below 256, are told from their inner bytes. */
static void ids_show_the_split(void **state)
{
    (void)state;
    struct token_texts texts;
    open_split(&texts, 0, true);
    assert_string_equal(token_texts_ids(&texts, TN_STR("ab cd  e")), "97 354 32 355 356 32 32 357");
    token_texts_close(&texts);
}

/* A text may be cut where a scanner always begins a word; of a regex that is not known nobody says so. */
static void one_spelling_is_known_and_the_other_is_not(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(known); k++) {
        struct token_texts texts;
        open_split(&texts, k, true);
        assert_int_equal(tn_tokenizer_cut(texts.tokenizer, TN_STR("ab cd")), known[k].words ? 2 : 0);
        token_texts_close(&texts);
        open_split(&texts, k, false);
        assert_int_equal(tn_tokenizer_cut(texts.tokenizer, TN_STR("ab cd")), 0);
        token_texts_close(&texts);
    }
}

static const char *const random_parts[] = {
    "a",
    "the",
    "Z",
    "HTTP",
    "Word",
    "mC",
    "'",
    "'s",
    "'S",
    "'t",
    "'re",
    "'VE",
    "'m",
    "'Ll",
    "'d",
    "'l",
    "'v",
    "'\xC5\xBF",
    "\xC5\xBF",
    "\xE2\x80\x99s",
    "\xE2\x84\xAA",
    "\xC3\x9F",
    "'\xC3\x9F",
    "\xEF\xAC\x85",
    "1",
    "42",
    "2024",
    "\xD9\xA1\xD9\xA2",
    "\xC2\xB2",
    "\xE2\x85\xA7",
    "\xC2\xBD",
    "\xE3\x80\x87",
    "\xC3\xA9",
    "\xC3\x89",
    "\xC7\x85",
    "\xCA\xB0",
    "\xC2\xAA",
    "\xD7\x90",
    "\xE0\xB8\x81",
    "\xE0\xA4\x95",
    "\xCC\x81",
    "\xE0\xA4\xBE",
    "\xE2\x83\x9D",
    "\xE0\xA5\x8D",
    "\xE0\xB8\xB1",
    "\xEF\xB8\x8F",
    "\xE4\xB8\x80",
    "\xE9\xBE\xA5",
    "\xE9\xBE\xA6",
    "\xE6\xBC\xA2\xE5\xAD\x97",
    "\xE3\x80\x85",
    "\xE3\x80\x86",
    "\xE3\x90\x80",
    "\xF0\xA0\x80\x80",
    "\xE2\xBC\x80",
    "\xEF\xA4\x80",
    "\xE3\x80\xBF",
    "\xE3\x81\x80",
    "\xE3\x81\x82",
    "\xE3\x82\x9F",
    "\xE3\x82\xA0",
    "\xE3\x82\xAB",
    "\xE3\x83\xBB",
    "\xE3\x83\xBC",
    "\xE3\x83\xBF",
    "\xEA\xB0\x80",
    " ",
    " ",
    "  ",
    "   ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\v",
    "\f",
    "\x1C",
    "\xC2\x85",
    "\xC2\xA0",
    "\xE1\x9A\x80",
    "\xE2\x80\x83",
    "\xE2\x80\xA8",
    "\xE3\x80\x80",
    "\xE2\x80\x8B",
    "\xEF\xBB\xBF",
    ".",
    "!?",
    "/",
    "//",
    "-",
    "_",
    "$",
    "+",
    "^",
    "`",
    "~",
    "#include",
    "[x]",
    "\\n",
    "\"",
    "(",
    "\xE3\x80\x82",
    "\xC2\xAB",
    "\xE2\x82\xAC",
    "\xC2\xA9",
    "\xF0\x9F\x98\x80",
    "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x92\xBB",
    "\x01",
    "\x7F",
    "\xEE\x80\x80",
    "\xCD\xB8",
    "\xFF",
};

/* Of each class that a regex tells apart, and beside their borders. U+017F is an s to (?i:'s). */
static void add_random_text(struct tn_builder *text, uint32_t *seed)
{
    tn_builder_clear(text);
    for (uint32_t left = 1 + token_texts_random(seed, 16); left; left--) {
        tn_builder_add_text(text, random_parts[token_texts_random(seed, COUNT_OF(random_parts))]);
    }
}

/* Any character at all. */
static void add_random_characters(struct tn_builder *text, uint32_t *seed)
{
    tn_builder_clear(text);
    for (uint32_t left = 1 + token_texts_random(seed, 10); left; left--) {
        uint32_t plane = token_texts_random(seed, 4) == 0; /* the Han of those above depend on the age of Oniguruma */
        uint32_t code_point = plane << 16 | token_texts_random(seed, plane ? 0x10000 : 0xD800);
        const char four[] = {
            (char)(unsigned char)(0xF0 | code_point >> 18), (char)(unsigned char)(0x80 | (code_point >> 12 & 63)),
            (char)(unsigned char)(0x80 | (code_point >> 6 & 63)), (char)(unsigned char)(0x80 | (code_point & 63))};
        const char three[] = {(char)(unsigned char)(0xE0 | code_point >> 12), four[2], four[3]};
        const char two[] = {(char)(unsigned char)(0xC0 | code_point >> 6), four[3]};
        const char one = (char)(unsigned char)code_point;
        struct tn_str character = code_point >= 0x10000 ? (struct tn_str){four, 4}
                                  : code_point >= 0x800 ? (struct tn_str){three, 3}
                                  : code_point >= 0x80  ? (struct tn_str){two, 2}
                                                        : (struct tn_str){&one, 1};
        tn_builder_add(text, character);
        tn_builder_add_text(text, token_texts_random(seed, 3) ? "" : "a");
    }
}

static void scanners_split_as_the_regex(void **state)
{
    (void)state;
    enum { TEXTS = 3000 };
    struct tn_builder text = {0};
    for (size_t k = 0; k < COUNT_OF(known); k++) {
        struct token_texts scanner;
        struct token_texts oniguruma;
        open_split(&scanner, k, true);
        open_split(&oniguruma, k, false);
        uint32_t seed = 11;
        for (size_t one = 0; one < TEXTS; one++) {
            (one % 3 ? add_random_text : add_random_characters)(&text, &seed);
            struct tn_token_ids ids = token_texts_encode(&scanner, tn_builder_str(&text), TN_TEXT_WHOLE);
            struct tn_token_ids wanted = token_texts_encode(&oniguruma, tn_builder_str(&text), TN_TEXT_WHOLE);
            assert_int_equal(ids.count, wanted.count);
            for (size_t id = 0; id < ids.count; id++) {
                if (ids.ids[id] != wanted.ids[id]) {
                    fail_msg("regex %zu, text %zu '%s', byte %zu", k, one, text.data, id);
                }
            }
        }
        token_texts_close(&scanner);
        token_texts_close(&oniguruma);
    }
    tn_builder_free(&text);
}

/* The regex of cl100k_base: "{1,3}+" is possessive in tiktoken, and any number of threes in Oniguruma. Hugging Face
 * tokenizers 0.23.3 leaves "2024" whole, tiktoken 0.14 makes "202" and "4" of it. */
static void an_interval_is_possessive_in_rank_files_alone(void **state)
{
    (void)state;
    struct token_texts texts;
    open_regex(&texts, TN_STR("'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| "
                              "?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]"
                              "|\\s+(?!\\S)|\\s"));
    assert_string_equal(token_texts_ids(&texts, TN_STR("2024")), "50 304 306 308");
    token_texts_close(&texts);
    struct tn_builder ranks = {0};
    token_texts_add_rank(&ranks, TN_STR("0"), 0);
    token_texts_add_rank(&ranks, TN_STR("2"), 2);
    token_texts_add_rank(&ranks, TN_STR("4"), 4);
    token_texts_add_rank(&ranks, TN_STR("24"), 24);
    token_texts_open(&texts, "cl100k.tiktoken", tn_builder_str(&ranks));
    assert_string_equal(token_texts_ids(&texts, TN_STR("2024")), "2 0 2 4");
    assert_string_equal(token_texts_ids(&texts, TN_STR("024")), "0 24");
    token_texts_close(&texts);
    tn_builder_free(&ranks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_show_the_split),
        cmocka_unit_test(one_spelling_is_known_and_the_other_is_not),
        cmocka_unit_test(scanners_split_as_the_regex),
        cmocka_unit_test(an_interval_is_possessive_in_rank_files_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
