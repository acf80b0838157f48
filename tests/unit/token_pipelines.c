#include "token_pipelines.h"

#define SPACE "\xE2\x96\x81" /* U+2581 */

/* Tokens 0 to 255 are the bytes; U+010A is the letter of a space, the last four those of FACE. */
static void add_byte_model(struct tn_builder *json)
{
    tn_builder_add_text(json, "{\"type\": \"BPE\", \"vocab\": {");
    token_texts_add_bytes(json, "", 0);
    tn_builder_add_text(
        json,
        "\"aa\": 256, \"aaaa\": 257, \"he\": 258, \"\\u0120t\": 259, \"\\u0120the\": 260, \"\\u0120\\u0120\": 261,"
        "\"\\u0120\\u0120\\u0120\\u0120\": 262, \"\\u00F0\\u0141\": 263, \"\\u013A\\u0122\": 264,"
        "\"\\u00F0\\u0141\\u013A\\u0122\": 265}, \"merges\": [\"a a\", \"aa aa\", \"h e\", \"\\u0120 t\", \"\\u0120t "
        "he\", \"\\u0120 \\u0120\", \"\\u0120\\u0120 \\u0120\\u0120\", \"\\u00F0 \\u0141\", \"\\u013A \\u0122\","
        "\"\\u00F0\\u0141 \\u013A\\u0122\"]}");
}

/* Tokens 1 to 256 stand for bytes. */
static void add_fallback_model(struct tn_builder *json)
{
    tn_builder_add_text(json, "{\"type\": \"BPE\", \"unk_token\": \"<unk>\", \"fuse_unk\": true, \"byte_fallback\": "
                              "true, \"vocab\": {\"<unk>\": 0, ");
    for (unsigned byte = 0; byte < 256; byte++) {
        tn_builder_addf(json, "\"<0x%02X>\": %u, ", byte, byte + 1);
    }
    tn_builder_add_text(
        json, "\"" SPACE "\": 257, \"a\": 258, \"aa\": 259, \"aaaa\": 260, \"t\": 261, \"h\": 262, \"e\": 263,"
              "\"he\": 264, \"" SPACE "t\": 265, \"" SPACE "the\": 266, \"" SPACE SPACE "\": 267,"
              "\"" SPACE SPACE SPACE SPACE "\": 268}, \"merges\": [\"a a\", \"aa aa\", \"h e\", \"" SPACE
              " t\", \"" SPACE "t he\", \"" SPACE " " SPACE "\", \"" SPACE SPACE " " SPACE SPACE "\"]}");
}

static void add_unigram_model(struct tn_builder *json)
{
    tn_builder_add_text(json, "{\"type\": \"Unigram\", \"unk_id\": 0, \"vocab\": [[\"<unk>\", 0], [\"" SPACE
                              "\", -2], [\"a\", -3], [\"aa\", -4], [\"" SPACE "the\", -3], [\"t\", -5], [\"h\", -5],"
                              "[\"e\", -5], [\"th\", -6.5], [\"n\", -6]]}");
}

#define WORDPIECE(most)                                                                                                \
    "{\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", \"continuing_subword_prefix\": \"##\","                       \
    "\"max_input_chars_per_word\": " most ", \"vocab\": {\"[UNK]\": 0, \"a\": 1, \"##a\": 2, \"##aa\": 3, \"the\": 4," \
    "\"n\": 5, \"12\": 6, \"##n\": 7, \"t\": 8, \"##hen\": 9, \".\": 10}}"

static void add_wordpiece_model(struct tn_builder *json)
{
    tn_builder_add_text(json, WORDPIECE("100"));
}

static void add_long_wordpiece_model(struct tn_builder *json)
{
    tn_builder_add_text(json, WORDPIECE("2000000"));
}

#define BYTES "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": false}"
#define SPLIT(regex) \
    "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"" regex "\"}, \"behavior\": \"Isolated\", \"invert\": false}"
#define STEPS(steps) "{\"type\": \"Sequence\", \"pretokenizers\": [" steps "]}"
#define ENDINGS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define SPACES "\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define NO_WORD "[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?"
#define UPPER "[\\\\p{Lu}\\\\p{Lt}\\\\p{Lm}\\\\p{Lo}\\\\p{M}]"
#define LOWER "[\\\\p{Ll}\\\\p{Lm}\\\\p{Lo}\\\\p{M}]"
#define GPT2 "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": true}"
#define LLAMA3 ENDINGS "|" NO_WORD "\\\\p{L}+|\\\\p{N}{1,3}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|" SPACES
#define O200K                                                                    \
    NO_WORD UPPER "*" LOWER "+" ENDINGS "?|" NO_WORD UPPER "+" LOWER "*" ENDINGS \
                  "?|\\\\p{N}{1,3}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n/]*|" SPACES
#define DEEPSEEK                                                                                               \
    "[!\\\"#$%&'()*+,\\\\-./:;<=>?@\\\\[\\\\\\\\\\\\]^_`{|}~][A-Za-z]+|[^\\\\r\\\\n\\\\p{L}\\\\p{P}\\\\p{S}]?" \
    "[\\\\p{L}\\\\p{M}]+| ?[\\\\p{P}\\\\p{S}]+[\\\\r\\\\n]*|" SPACES
#define BERT                                                                                                        \
    "{\"type\": \"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": true, \"strip_accents\": null," \
    "\"lowercase\": true}"
#define LLAMA2                                                                                                    \
    "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Prepend\", \"prepend\": \"" SPACE "\"}, {\"type\": " \
    "\"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"" SPACE "\"}]}"
#define ADDED                                                                                                    \
    "[{\"id\": 300, \"content\": \"<l>\", \"single_word\": false, \"lstrip\": true, \"rstrip\": false, "         \
    "\"normalized\":"                                                                                            \
    " false, \"special\": true}, {\"id\": 301, \"content\": \"<r>\", \"single_word\": false, \"lstrip\": false," \
    "\"rstrip\": true, \"normalized\": false, \"special\": true}, {\"id\": 302, \"content\": \"[w]\", "          \
    "\"single_word\":"                                                                                           \
    " true, \"lstrip\": false, \"rstrip\": false, \"normalized\": false, \"special\": false}, {\"id\": 303,"     \
    "\"content\": \"<N>\", \"single_word\": false, \"lstrip\": true, \"rstrip\": true, \"normalized\": true,"    \
    "\"special\": false}]"
#define NAMED                                                                                            \
    "[{\"id\": 300, \"content\": \"then\", \"single_word\": true, \"lstrip\": false, \"rstrip\": false," \
    "\"normalized\": true, \"special\": false}]"

const struct pipeline pipelines[PIPELINES] = {
    /* Of noise: as the reference. A word of 2^20 letters, spaces or bytes of faces makes 2^18 tokens of four. */
    {"null", GPT2, add_byte_model, "[]", true, {262144, 262144, 262144, 1902780}},
    {"null", STEPS(SPLIT(LLAMA3) ", " BYTES), add_byte_model, "[]", true, {262144, 262144, 262144, 1902780}},
    {"null", STEPS(SPLIT(O200K) ", " BYTES), add_byte_model, "[]", true, {262144, 262144, 262144, 1902780}},
    {"null",
     STEPS(SPLIT("\\\\p{N}{1,3}") ", " SPLIT("[\xE4\xB8\x80-\xE9\xBE\xA5\xE3\x81\x80-\xE3\x82\x9F\xE3\x82\xA0-\xE3\x83"
                                             "\xBF]+") ", " SPLIT(DEEPSEEK) ", " BYTES),
     add_byte_model,
     "[]",
     true,
     {262144, 262144, 262144, 1902780}},
    {"{\"type\": \"Lowercase\"}", GPT2, add_byte_model, ADDED, true, {262144, 262144, 262144, 1902709}},
    {"null", GPT2, add_byte_model, NAMED, false, {262144, 262144, 262144, 1902780}},
    /* U+2581 and 2^19 "aa"; U+2581 and one token for all that is unknown; each space is a word of its own. */
    {"{\"type\": \"NFKC\"}",
     "{\"type\": \"Metaspace\", \"replacement\": \"" SPACE "\", \"prepend_scheme\": \"always\", \"split\": true}",
     add_unigram_model,
     "[]",
     true,
     {524289, 2, 1048576, 48833}},
    /* U+2581 and 2^18 of four; U+2581 and a token for each byte; 2^20 + 1 of U+2581, in fours, and one over. */
    {LLAMA2, "null", add_fallback_model, "[]", true, {262145, 1048577, 262145, 1902760}},
    /* One word that is too long, likewise, none. */
    {BERT, "{\"type\": \"BertPreTokenizer\"}", add_wordpiece_model, "[]", true, {1, 1, 0, 231143}},
    /* "a", 2^19 - 1 times "##aa", "##a"; one word that is unknown; none. */
    {BERT, "{\"type\": \"BertPreTokenizer\"}", add_long_wordpiece_model, "[]", true, {524289, 1, 0, 231143}},
};

void pipeline_open(struct token_texts *texts, const struct pipeline *pipeline)
{
    struct tn_builder json = {0};
    tn_builder_addf(&json, "{\"added_tokens\": %s, \"normalizer\": %s, \"pre_tokenizer\": %s, \"model\": ",
                    pipeline->added_tokens, pipeline->normalizer, pipeline->pre_tokenizer);
    pipeline->add_model(&json);
    tn_builder_add_char(&json, '}');
    token_texts_open(texts, "tokenizer.json", tn_builder_str(&json));
    tn_builder_free(&json);
}
