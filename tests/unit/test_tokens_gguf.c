/* The vocabulary inside a GGUF: the ids are those of Hugging Face tokenizers 0.23.3, and of sentencepiece 0.2.3 for the kinds
 * "llama" and "t5", with the same vocabularies. */
#include "model_writer.h"
#include "tokens/gguf/gguf_pattern.h"
#include "tokens/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { NORMAL = 1, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE };

struct token {
    const char *text;
    float score;
    int kind;
};

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* A file under way: its pairs are counted at the end. */
struct writing {
    struct tn_builder pairs;
    uint64_t count;
};

static void add_text(struct writing *file, const char *key, const char *text)
{
    file->count++;
    gguf_add_key(&file->pairs, key, GGUF_STRING);
    gguf_add_string(&file->pairs, tn_str_of(text));
}

static void add_flag(struct writing *file, const char *key, bool flag)
{
    file->count++;
    gguf_add_key(&file->pairs, key, GGUF_BOOL);
    gguf_add_number(&file->pairs, flag, 1);
}

static void add_id(struct writing *file, const char *key, uint32_t id)
{
    file->count++;
    gguf_add_key(&file->pairs, key, GGUF_U32);
    gguf_add_number(&file->pairs, id, 4);
}

static void add_array(struct writing *file, const char *key, enum gguf_type type, size_t count)
{
    file->count++;
    gguf_add_array(&file->pairs, key, type, count);
}

static void add_texts(struct writing *file, const char *key, const char *const *texts, size_t count)
{
    add_array(file, key, GGUF_STRING, count);
    for (size_t k = 0; k < count; k++) {
        gguf_add_string(&file->pairs, tn_str_of(texts[k]));
    }
}

/* The 256 tokens of bytes stand behind the first `before` ones where there are any. */
static void add_tokens(struct writing *file, const struct token *tokens, size_t count, size_t before)
{
    size_t bytes = before ? 256 : 0;
    before = before ? before : count;
    add_array(file, "tokenizer.ggml.tokens", GGUF_STRING, count + bytes);
    for (size_t k = 0; k < count + bytes; k++) {
        char name[8];
        (void)snprintf(name, sizeof name, "<0x%02X>", (unsigned)((k - before) & 0xff));
        bool byte = k >= before && k < before + bytes;
        gguf_add_string(&file->pairs, tn_str_of(byte ? name : tokens[k < before ? k : k - bytes].text));
    }
    add_array(file, "tokenizer.ggml.scores", GGUF_F32, count + bytes);
    for (size_t k = 0; k < count + bytes; k++) {
        bool byte = k >= before && k < before + bytes;
        gguf_add_real(&file->pairs, byte ? 0 : (double)tokens[k < before ? k : k - bytes].score, GGUF_F32);
    }
    add_array(file, "tokenizer.ggml.token_type", GGUF_I32, count + bytes);
    for (size_t k = 0; k < count + bytes; k++) {
        bool byte = k >= before && k < before + bytes;
        gguf_add_number(&file->pairs, (uint64_t)(byte ? BYTE : tokens[k < before ? k : k - bytes].kind), 4);
    }
}

/* The bytes of the file: its metadata, and a tensor that is announced, but not there. */
static struct tn_builder finished(struct writing *file)
{
    struct tn_builder bytes = {0};
    gguf_add_start(&bytes, 3, 1, file->count);
    tn_builder_add(&bytes, tn_builder_str(&file->pairs));
    assert_false(bytes.failed || file->pairs.failed);
    tn_builder_free(&file->pairs);
    return bytes;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static struct tn_tokenizer *open_bytes(struct tn_builder *bytes)
{
    struct tn_error error = {0};
    struct tn_tokenizer *tokenizer = tn_tokenizer_open(TN_STR("test.gguf"), tn_builder_str(bytes), &error);
    assert_string_equal(error.message, "");
    assert_non_null(tokenizer);
    tn_builder_free(bytes);
    assert_string_equal(tn_tokenizer_format(tokenizer), "gguf");
    return tokenizer;
}

static struct tn_tokenizer *open_file(struct writing *file)
{
    struct tn_builder bytes = finished(file);
    return open_bytes(&bytes);
}

/* The ids in decimal, with spaces between. Static storage. */
static const char *written(struct tn_token_ids ids)
{
    static char text[1024];
    size_t size = 0;
    text[0] = '\0';
    for (size_t k = 0; k < ids.count; k++) {
        size += (size_t)snprintf(text + size, sizeof text - size, k ? " %u" : "%u", ids.ids[k]);
        assert_true(size < sizeof text);
    }
    return text;
}

struct row {
    const char *text;
    const char *ids;
};

/* Frees the tokenizer. */
static void check_rows(struct tn_tokenizer *tokenizer, const struct row *rows, size_t count)
{
    struct tn_error error = {0};
    struct tn_encoder *encoder = tn_encoder_open(tokenizer, &error);
    assert_non_null(encoder);
    for (size_t k = 0; k < count; k++) {
        struct tn_token_ids ids;
        assert_true(tn_encode(encoder, tn_str_of(rows[k].text), TN_TEXT_WHOLE, &ids, &error));
        assert_string_equal(written(ids), rows[k].ids);
    }
    tn_encoder_free(encoder);
    tn_tokenizer_free(tokenizer);
}

/* ---- byte pairs --------------------------------------------------------------------------------------------------- */

static const struct token byte_tokens[] = {
    {"<|end|>", 0, CONTROL},
    {"h", 0, NORMAL},
    {"e", 0, NORMAL},
    {"l", 0, NORMAL},
    {"o", 0, NORMAL},
    {"\xC4\xA0", 0, NORMAL}, /* a space */
    {"w", 0, NORMAL},
    {"r", 0, NORMAL},
    {"d", 0, NORMAL},
    {"1", 0, NORMAL},
    {"2", 0, NORMAL},
    {"he", 0, NORMAL},
    {"ll", 0, NORMAL},
    {"hell", 0, NORMAL},
    {"hello", 0, NORMAL},
    {"\xC4\xA0w", 0, NORMAL},
    {"or", 0, NORMAL},
    {"\xC4\xA0wor", 0, NORMAL},
    {"ld", 0, NORMAL},
    {"\xC4\xA0world", 0, NORMAL},
    {"12", 0, NORMAL},
    {"\xC4\x8A", 0, NORMAL}, /* a line end */
    {"\xC3\x83", 0, NORMAL}, /* both bytes of U+00E9 */
    {"\xC2\xA9", 0, NORMAL},
    {"[PAD24]", 0, UNUSED},
    {"[PAD25]", 0, USER_DEFINED}, /* as older converters wrote them */
};

static const char *const byte_merges[] = {
    "h e", "l l", "he ll", "hell o", "\xC4\xA0 w", "o r", "\xC4\xA0w or", "l d", "\xC4\xA0wor ld", "1 2",
};

static void begin_pairs(struct writing *file, const char *pre)
{
    add_text(file, "general.architecture", "llama");
    add_text(file, "tokenizer.ggml.model", "gpt2");
    if (pre) {
        add_text(file, "tokenizer.ggml.pre", pre);
    }
}

static struct writing byte_pairs(const char *pre)
{
    struct writing file = {0};
    begin_pairs(&file, pre);
    add_tokens(&file, byte_tokens, COUNT_OF(byte_tokens), 0);
    add_texts(&file, "tokenizer.ggml.merges", byte_merges, COUNT_OF(byte_merges));
    return file;
}

static void byte_pairs_are_merged(void **state)
{
    (void)state;
    static const struct row gpt2[] = {
        {"hello world", "14 19"},
        {"hello<|end|> world\n", "14 0 19 21"},
        {"12 \xC3\xA9", "20 5 22 23"},
        {"e\xCC\x81 [PAD25]", "2 5 10"}, /* what has no token is left out */
    };
    static const struct row qwen2[] = {
        {"hello world", "14 19"},
        {"hello<|end|> world\n", "14 0 19 21"},
        {"12 \xC3\xA9", "9 10 5 22 23"},
        {"e\xCC\x81 [PAD25]", "22 23 5 10"}, /* in NFC */
    };
    struct writing file = byte_pairs("gpt-2");
    struct tn_tokenizer *tokenizer = open_file(&file);
    assert_string_equal(tn_tokenizer_model(tokenizer), "BPE");
    assert_int_equal(tn_tokenizer_vocabulary_size(tokenizer), COUNT_OF(byte_tokens));
    assert_int_equal(tn_tokenizer_special(tokenizer, TN_STR("<|end|>")), 0);
    assert_int_equal(tn_tokenizer_special(tokenizer, TN_STR("[PAD25]")), TN_TOKEN_NONE);
    assert_true(tn_str_is(tn_tokenizer_piece(tokenizer, 19), " world"));
    assert_int_equal(tn_tokenizer_prefix(tokenizer).count, 0);
    check_rows(tokenizer, gpt2, COUNT_OF(gpt2));
    file = byte_pairs("qwen2");
    check_rows(open_file(&file), qwen2, COUNT_OF(qwen2));
}

static void tokens_stand_around_as_the_file_says(void **state)
{
    (void)state;
    struct writing file = byte_pairs("gpt-2");
    add_id(&file, "tokenizer.ggml.bos_token_id", 0);
    add_id(&file, "tokenizer.ggml.eos_token_id", 21);
    add_flag(&file, "tokenizer.ggml.add_bos_token", true);
    add_flag(&file, "tokenizer.ggml.add_eos_token", true);
    struct tn_tokenizer *tokenizer = open_file(&file);
    assert_string_equal(written(tn_tokenizer_prefix(tokenizer)), "0");
    assert_string_equal(written(tn_tokenizer_suffix(tokenizer)), "21");
    tn_tokenizer_free(tokenizer);

    file = byte_pairs("llama-bpe"); /* which begins with one unless the file denies it */
    add_id(&file, "tokenizer.ggml.bos_token_id", 0);
    tokenizer = open_file(&file);
    assert_string_equal(written(tn_tokenizer_prefix(tokenizer)), "0");
    assert_int_equal(tn_tokenizer_suffix(tokenizer).count, 0);
    tn_tokenizer_free(tokenizer);
}

static void every_pattern_can_be_used(void **state)
{
    (void)state;
    static const char *const names[] = {
        "gpt-2",        "llama-bpe",      "qwen2",      "qwen35",     "gpt-4o",        "tekken",    "deepseek-v3",
        "deepseek-llm", "deepseek-coder", "command-r",  "starcoder",  "refact",        "falcon",    "mpt",
        "olmo",         "chatglm-bpe",    "glm4",       "dbrx",       "llama4",        "stablelm2", "smollm",
        "kimi-k2",      "bloom",          "viking",     "jais",       "jais-2",        "exaone",    "exaone-moe",
        "superbpe",     "bailingmoe",     "seed-coder", "minicpm5",   "tiny_aya",      "youtu",     "spark2_5",
        "laguna",       "ufakzeka",       "chameleon",  "minimax-m2", "hunyuan-dense",
    };
    static const struct row rows[] = {{"hello", "14"}};
    for (size_t k = 0; k < COUNT_OF(names); k++) {
        assert_non_null(tn_gguf_pattern_find(tn_str_of(names[k])));
        struct writing file = byte_pairs(names[k]);
        check_rows(open_file(&file), rows, COUNT_OF(rows));
    }
    assert_null(tn_gguf_pattern_find(TN_STR("qwen")));
    assert_null(tn_gguf_pattern_find(TN_STR("")));
    assert_null(tn_gguf_pattern_find(TN_STR("mpt olmo")));
}

static void ids_are_ranks_where_merges_are_missing(void **state)
{
    (void)state;
    static const struct row rows[] = {{"hello world", "14 19"}};
    struct writing file = {0};
    begin_pairs(&file, "kimi-k2");
    add_tokens(&file, byte_tokens, COUNT_OF(byte_tokens), 0);
    check_rows(open_file(&file), rows, COUNT_OF(rows));
}

static void merges_may_name_what_stands_apart(void **state)
{
    (void)state;
    static const struct token tokens[] = {{"a", 0, NORMAL}, {"\xC4\xA0", 0, NORMAL}, {"  ", 0, USER_DEFINED}};
    static const char *const merges[] = {"\xC4\xA0 \xC4\xA0"};
    static const struct row rows[] = {{"a  a", "0 2 0"}, {"a a", "0 1 0"}};
    struct writing file = {0};
    begin_pairs(&file, "gpt-2");
    add_tokens(&file, tokens, COUNT_OF(tokens), 0);
    add_texts(&file, "tokenizer.ggml.merges", merges, COUNT_OF(merges));
    check_rows(open_file(&file), rows, COUNT_OF(rows));
}

static void pairs_of_characters_fall_back_to_bytes(void **state)
{
    (void)state;
    static const struct token tokens[] = {
        {"<pad>", 0, CONTROL},
        {"<eos>", 0, CONTROL},
        {"<bos>", 0, CONTROL},
        {"<unk>", 0, UNKNOWN},
        {"\xE2\x96\x81", 0, NORMAL},
        {"  ", 0, USER_DEFINED}, /* two U+2581, as converters write them */
        {"a", 0, NORMAL},
        {"b", 0, NORMAL},
        {"ab", 0, NORMAL},
        {"\xE2\x96\x81"
         "ab",
         0, NORMAL},
        {"\n", 0, NORMAL},
        {"\n\n", 0, NORMAL},
        {"<t>", 0, USER_DEFINED},
    };
    static const char *const merges[] = {"\xE2\x96\x81 \xE2\x96\x81", "a b", "\xE2\x96\x81 ab", "\n \n"};
    static const struct row rows[] = {
        {"ab ab", "264 265"},
        {"ab   ab\n\n\n", "264 261 265 267 266"},
        {"\xC3\xA9<t>ab<bos>", "199 173 268 264 2"},
        {" \xE2\x96\x81\xE2\x96\x81", "260 261"},
    };
    struct writing file = {0};
    add_text(&file, "tokenizer.ggml.model", "gemma4");
    add_tokens(&file, tokens, COUNT_OF(tokens), 4);
    add_texts(&file, "tokenizer.ggml.merges", merges, COUNT_OF(merges));
    struct tn_tokenizer *tokenizer = open_file(&file);
    assert_string_equal(written(tn_tokenizer_prefix(tokenizer)), "2");
    check_rows(tokenizer, rows, COUNT_OF(rows));
}

/* ---- SentencePiece ------------------------------------------------------------------------------------------------ */

static const struct token pieces[] = {
    {"<unk>", 0, UNKNOWN},
    {"<s>", 0, CONTROL},
    {"</s>", 0, CONTROL},
    {"\xE2\x96\x81h", -1, NORMAL},
    {"el", -2, NORMAL},
    {"lo", -3, NORMAL},
    {"\xE2\x96\x81hel", -4, NORMAL},
    {"\xE2\x96\x81hello", -5, NORMAL},
    {"\xE2\x96\x81", -6, NORMAL},
    {"h", -7, NORMAL},
    {"e", -8, NORMAL},
    {"l", -9, NORMAL},
    {"o", -10, NORMAL},
    {"<x>", 0, USER_DEFINED},
    {"", 0, NORMAL},
    {"[PAD271]", 0, UNKNOWN},
};

static struct writing piece_pairs(void)
{
    struct writing file = {0};
    add_text(&file, "tokenizer.ggml.model", "llama");
    add_tokens(&file, pieces, COUNT_OF(pieces), 3);
    return file;
}

static void pairs_of_pieces_are_merged_by_scores(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"hello", "263"},
        {"hello hello", "263 263"},
        {"\xC3\xA9  hel", "264 198 172 264 262"},
        {"hell", "262 267"},
        {"hello<s>hello", "263 1 263"},
        {"hello<x>hello", "263 269 263"},
        {"", ""},
    };
    static const struct row without_prefix[] = {
        {"hello", "265 260 261"},
        {"hello hello", "265 260 261 263"},
        {"\xC3\xA9  hel", "198 172 264 262"},
    };
    struct writing file = piece_pairs();
    struct tn_tokenizer *tokenizer = open_file(&file);
    assert_string_equal(tn_tokenizer_model(tokenizer), "BPE");
    assert_string_equal(written(tn_tokenizer_prefix(tokenizer)), "1");
    check_rows(tokenizer, rows, COUNT_OF(rows));
    file = piece_pairs();
    add_flag(&file, "tokenizer.ggml.add_space_prefix", false);
    check_rows(open_file(&file), without_prefix, COUNT_OF(without_prefix));
}

static void white_space_goes_where_a_model_is_known_for_it(void **state)
{
    (void)state;
    static const struct token tokens[] = {
        {"<unk>", 0, CONTROL},
        {"<s>", 0, CONTROL},
        {"</s>", 0, CONTROL},
        {"\xE2\x96\x81", -6, NORMAL},
        {"<|placeholder1|>", 0, CONTROL},
        {"<|user|>", 0, CONTROL},
    };
    static const struct row rows[] = {{"<|user|>  \n", "261"}, {"<s> ", "1 259 259"}, {"</s>\n", "2"}};
    struct writing file = {0};
    add_text(&file, "tokenizer.ggml.model", "llama");
    add_tokens(&file, tokens, COUNT_OF(tokens), 3);
    check_rows(open_file(&file), rows, COUNT_OF(rows));
}

static void the_best_pieces_are_chosen(void **state)
{
    (void)state;
    static const struct token tokens[] = {
        {"<pad>", 0, CONTROL},
        {"</s>", 0, CONTROL},
        {"<unk>", 0, CONTROL}, /* as some converters have it: the key tells */
        {"\xE2\x96\x81", -2, NORMAL},
        {"\xE2\x96\x81he", -3, NORMAL},
        {"he", -4, NORMAL},
        {"llo", -3.5F, NORMAL},
        {"l", -5, NORMAL},
        {"o", -5, NORMAL},
        {"<extra_id_0>", 0, USER_DEFINED},
    };
    static const struct row rows[] = {
        {"hello", "4 6"},
        {"  hello   hello ", "4 6 4 6"},
        {"xyz hell", "3 2 4 7 7"},
        {"hello<extra_id_0>hello", "4 6 9 4 6"},
    };
    struct writing file = {0};
    add_text(&file, "tokenizer.ggml.model", "t5");
    add_flag(&file, "tokenizer.ggml.remove_extra_whitespaces", true);
    add_id(&file, "tokenizer.ggml.unknown_token_id", 2);
    add_tokens(&file, tokens, COUNT_OF(tokens), 0);
    struct tn_tokenizer *tokenizer = open_file(&file);
    assert_string_equal(tn_tokenizer_model(tokenizer), "Unigram");
    assert_int_equal(tn_tokenizer_prefix(tokenizer).count, 0);
    assert_string_equal(written(tn_tokenizer_suffix(tokenizer)), "1");
    check_rows(tokenizer, rows, COUNT_OF(rows));
}

/* ---- WordPiece ---------------------------------------------------------------------------------------------------- */

static const struct token words[] = {
    {"[PAD]", 0, CONTROL},
    {"[UNK]", 0, CONTROL},
    {"[CLS]", 0, CONTROL},
    {"[SEP]", 0, CONTROL},
    {"\xE2\x96\x81hello", 0, NORMAL},
    {"s", 0, NORMAL},
    {"\xE2\x96\x81world", 0, NORMAL},
    {"\xE2\x96\x81!", 0, NORMAL},
    {"lo", 0, NORMAL},
    {"\xE2\x96\x81hel", 0, NORMAL},
};

static void words_are_taken_to_pieces(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Hello, WORLDS!", "4 1 6 5 7"},
        {"h\xC3\xA9llos [SEP] hellolo", "4 5 3 4 8"},
        {"hellos world", "4 5 6"},
    };
    static const struct row cased[] = {{"Hello world", "1 6"}};
    struct writing file = {0};
    add_text(&file, "tokenizer.ggml.model", "bert");
    add_tokens(&file, words, COUNT_OF(words), 0);
    struct tn_tokenizer *tokenizer = open_file(&file);
    assert_string_equal(tn_tokenizer_model(tokenizer), "WordPiece");
    assert_string_equal(written(tn_tokenizer_prefix(tokenizer)), "2");
    assert_string_equal(written(tn_tokenizer_suffix(tokenizer)), "3");
    assert_true(tn_str_is(tn_tokenizer_piece(tokenizer, 5), "##s"));
    check_rows(tokenizer, rows, COUNT_OF(rows));
    file = (struct writing){0};
    add_text(&file, "tokenizer.ggml.model", "bert");
    add_flag(&file, "tokenizer.ggml.normalizer.lowercase", false);
    add_tokens(&file, words, COUNT_OF(words), 0);
    check_rows(open_file(&file), cased, COUNT_OF(cased));
}

/* ---- what is refused ---------------------------------------------------------------------------------------------- */

/* has_offset: the error says where in the file. */
static void check_refused(struct writing *file, enum tn_code code, const char *part, bool has_offset)
{
    struct tn_error error = {0};
    struct tn_builder bytes = finished(file);
    assert_null(tn_tokenizer_open(TN_STR("test.gguf"), tn_builder_str(&bytes), &error));
    if (error.code != code || !strstr(error.message, part)) {
        fail_msg("%d '%s' instead of %d '%s'", (int)error.code, error.message, (int)code, part);
    }
    assert_string_equal(error.where, "test.gguf");
    assert_true(has_offset ? error.offset >= 0 && error.offset <= (int64_t)bytes.size : error.offset == -1);
    tn_builder_free(&bytes);
}

static void files_without_a_vocabulary_are_refused(void **state)
{
    (void)state;
    static const char *const none[] = {"none", "no_vocab", ""};
    struct writing file = {0};
    add_text(&file, "general.architecture", "llama");
    check_refused(&file, TN_ERROR_NOT_A_MODEL, "a GGUF without a vocabulary", false);
    for (size_t k = 0; k < COUNT_OF(none); k++) {
        file = (struct writing){0};
        add_text(&file, "tokenizer.ggml.model", none[k]);
        add_tokens(&file, words, COUNT_OF(words), 0);
        check_refused(&file, TN_ERROR_NOT_A_MODEL, "a GGUF without a vocabulary", false);
    }
    file = (struct writing){0};
    add_text(&file, "tokenizer.ggml.model", "gpt2");
    check_refused(&file, TN_ERROR_NOT_A_MODEL, "a GGUF without a vocabulary", false);
    file = (struct writing){0};
    add_text(&file, "tokenizer.ggml.model", "gpt2");
    add_array(&file, "tokenizer.ggml.tokens", GGUF_STRING, 0);
    check_refused(&file, TN_ERROR_NOT_A_MODEL, "a GGUF without a vocabulary", false);
}

static void what_is_not_supported_is_refused(void **state)
{
    (void)state;
    static const char *const kinds[] = {"rwkv", "plamo2", "new"};
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        struct writing file = {0};
        add_text(&file, "tokenizer.ggml.model", kinds[k]);
        add_tokens(&file, words, COUNT_OF(words), 0);
        check_refused(&file, TN_ERROR_CONFIG, kinds[k], false);
    }
    struct writing file = byte_pairs("new");
    check_refused(&file, TN_ERROR_CONFIG, "tokenizer.ggml.pre is 'new'", false);
    file = byte_pairs("default");
    check_refused(&file, TN_ERROR_CONFIG, "does not say how", false);
    file = byte_pairs(NULL);
    check_refused(&file, TN_ERROR_CONFIG, "does not say how", false);
}

static void keys_of_another_kind_are_refused(void **state)
{
    (void)state;
    struct writing file = {0};
    add_id(&file, "tokenizer.ggml.model", 1);
    check_refused(&file, TN_ERROR_HEADER, "tokenizer.ggml.model is an integer, not a string", true);
    file = (struct writing){0};
    add_text(&file, "tokenizer.ggml.model", "gpt2");
    add_array(&file, "tokenizer.ggml.pre", GGUF_U8, 0);
    check_refused(&file, TN_ERROR_HEADER, "tokenizer.ggml.pre is a list, not a string", true);
    file = (struct writing){0};
    add_text(&file, "tokenizer.ggml.model", "gpt2");
    add_text(&file, "tokenizer.ggml.tokens", "a b c");
    check_refused(&file, TN_ERROR_HEADER, "tokenizer.ggml.tokens is a string, not a list", true);
    file = (struct writing){0};
    add_text(&file, "tokenizer.ggml.model", "gpt2");
    add_array(&file, "tokenizer.ggml.tokens", GGUF_U32, 1);
    gguf_add_number(&file.pairs, 7, 4);
    check_refused(&file, TN_ERROR_HEADER, "the items of tokenizer.ggml.tokens", true);
    file = byte_pairs("gpt-2");
    add_text(&file, "tokenizer.ggml.add_bos_token", "yes");
    check_refused(&file, TN_ERROR_HEADER, "tokenizer.ggml.add_bos_token is a string, not a boolean", true);
    file = byte_pairs("llama-bpe");
    add_flag(&file, "tokenizer.ggml.bos_token_id", true);
    check_refused(&file, TN_ERROR_HEADER, "tokenizer.ggml.bos_token_id is a boolean, not an integer", true);
    file = piece_pairs();
    add_array(&file, "tokenizer.ggml.precompiled_charsmap", GGUF_U32, 0);
    check_refused(&file, TN_ERROR_HEADER, "the items of tokenizer.ggml.precompiled_charsmap", true);
    file = piece_pairs();
    add_array(&file, "tokenizer.ggml.precompiled_charsmap", GGUF_U8, 2);
    gguf_add_number(&file.pairs, 0, 2);
    check_refused(&file, TN_ERROR_HEADER, "", true);
}

static void arrays_that_contradict_are_refused(void **state)
{
    (void)state;
    static const struct token twice[] = {{"a", 0, NORMAL}, {"b", 0, NORMAL}, {"a", 0, NORMAL}};
    static const struct token undefined[] = {{"a", 0, 7}};
    static const char *const one[] = {"a"};
    struct writing file = {0};
    begin_pairs(&file, "gpt-2");
    add_tokens(&file, twice, COUNT_OF(twice), 0);
    check_refused(&file, TN_ERROR_HEADER, "the token 'a' stands twice, as 0 and as 2", true);
    file = (struct writing){0};
    begin_pairs(&file, "gpt-2");
    add_tokens(&file, undefined, COUNT_OF(undefined), 0);
    check_refused(&file, TN_ERROR_HEADER, "token 0 is of the unknown kind 7", true);
    file = (struct writing){0};
    begin_pairs(&file, "gpt-2");
    add_texts(&file, "tokenizer.ggml.tokens", one, 1);
    add_array(&file, "tokenizer.ggml.token_type", GGUF_I32, 0);
    check_refused(&file, TN_ERROR_HEADER, "tokenizer.ggml.token_type has 0 items for 1 tokens", true);
    file = (struct writing){0};
    add_text(&file, "tokenizer.ggml.model", "llama");
    add_texts(&file, "tokenizer.ggml.tokens", one, 1);
    check_refused(&file, TN_ERROR_HEADER, "without tokenizer.ggml.scores", false);
    file = byte_pairs("llama-bpe");
    add_id(&file, "tokenizer.ggml.bos_token_id", COUNT_OF(byte_tokens));
    check_refused(&file, TN_ERROR_HEADER, "tokenizer.ggml.bos_token_id is 26, but ids end at 25", true);
}

static void merges_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *merge;
        const char *part;
    } rows[] = {
        {"h x", "merge 2 names 'x', which is no token"},
        {"x h", "merge 2 names 'x', which is no token"},
        {"h l", "merge 2 names 'hl', which is no token"},
        {"hello", "merge 2 is not two tokens"},
        {"h ", "merge 2 is not two tokens"},
        {" h", "merge 2 is not two tokens"},
        {"", "merge 2 is not two tokens"},
        {"h \xFF", "merge 2 names"},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        const char *merges[] = {"h e", rows[k].merge};
        struct writing file = {0};
        begin_pairs(&file, "gpt-2");
        add_tokens(&file, byte_tokens, COUNT_OF(byte_tokens), 0);
        add_texts(&file, "tokenizer.ggml.merges", merges, COUNT_OF(merges));
        check_refused(&file, TN_ERROR_HEADER, rows[k].part, true);
    }
    struct writing file = {0};
    begin_pairs(&file, "gpt-2");
    add_tokens(&file, byte_tokens, COUNT_OF(byte_tokens), 0);
    check_refused(&file, TN_ERROR_HEADER, "without tokenizer.ggml.merges", false);
}

static void files_cut_anywhere_are_truncated(void **state)
{
    (void)state;
    struct writing file = byte_pairs("gpt-2");
    struct tn_builder bytes = finished(&file);
    for (size_t size = 4; size < bytes.size; size++) {
        struct tn_error error = {0};
        assert_null(tn_tokenizer_open(TN_STR("test.gguf"), tn_str_slice(tn_builder_str(&bytes), 0, size), &error));
        assert_int_equal(error.code, TN_ERROR_TRUNCATED);
    }
    tn_builder_free(&bytes);
}

/* Any byte may be wrong: an error or a tokenizer, and text can be given to that. */
static void damaged_files_are_survived(void **state)
{
    (void)state;
    struct writing files[] = {byte_pairs("gpt-2"), piece_pairs()};
    for (size_t k = 0; k < COUNT_OF(files); k++) {
        struct tn_builder bytes = finished(&files[k]);
        for (size_t at = 24; at < bytes.size; at++) {
            struct tn_error error = {0};
            char before = bytes.data[at];
            bytes.data[at] = (char)(unsigned char)(before ^ (at % 3 ? 1 << at % 8 : 0xff));
            struct tn_tokenizer *tokenizer = tn_tokenizer_open(TN_STR("test.gguf"), tn_builder_str(&bytes), &error);
            bytes.data[at] = before;
            struct tn_encoder *encoder = tokenizer ? tn_encoder_open(tokenizer, &error) : NULL;
            struct tn_token_ids ids;
            if (encoder) {
                (void)tn_encode(encoder, TN_STR("hello world <s> 12"), TN_TEXT_WHOLE, &ids, &error);
            }
            assert_true(tokenizer || error.message[0] != '\0');
            tn_encoder_free(encoder);
            tn_tokenizer_free(tokenizer);
        }
        tn_builder_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_pairs_are_merged),
        cmocka_unit_test(tokens_stand_around_as_the_file_says),
        cmocka_unit_test(every_pattern_can_be_used),
        cmocka_unit_test(ids_are_ranks_where_merges_are_missing),
        cmocka_unit_test(merges_may_name_what_stands_apart),
        cmocka_unit_test(pairs_of_characters_fall_back_to_bytes),
        cmocka_unit_test(pairs_of_pieces_are_merged_by_scores),
        cmocka_unit_test(white_space_goes_where_a_model_is_known_for_it),
        cmocka_unit_test(the_best_pieces_are_chosen),
        cmocka_unit_test(words_are_taken_to_pieces),
        cmocka_unit_test(files_without_a_vocabulary_are_refused),
        cmocka_unit_test(what_is_not_supported_is_refused),
        cmocka_unit_test(keys_of_another_kind_are_refused),
        cmocka_unit_test(arrays_that_contradict_are_refused),
        cmocka_unit_test(merges_that_cannot_be_are_refused),
        cmocka_unit_test(files_cut_anywhere_are_truncated),
        cmocka_unit_test(damaged_files_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
