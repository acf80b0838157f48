/* src/tokens/sentencepiece*.c, unigram.c, charsmap.c, trie.c: the ids are those of sentencepiece 0.2.3 for the same models, and
 * of Hugging Face tokenizers 0.23.3 where a test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sentencepiece_writer.h"
#include "tokens/hub/score.h"
#include "tokens/load.h"
#include "tokens/model/trie.h"
#include "tokens/model/unigram.h"
#include "tokens/normalize/charsmap.h"
#include "tokens/unicode/grapheme.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SPACE "\xE2\x96\x81" /* U+2581 */

enum { MOST_IDS = 16, END = -1 };

struct row {
    const char *text;
    int ids[MOST_IDS]; /* up to END */
};

static struct tn_tokenizer *open_model(const struct spm_model *model)
{
    struct tn_builder file = {0};
    spm_write(&file, model);
    struct tn_error error = {0};
    struct tn_tokenizer *tokenizer = tn_tokenizer_open(TN_STR("test.model"), tn_builder_str(&file), &error);
    tn_builder_free(&file);
    if (!tokenizer) {
        fail_msg("%s", error.message);
    }
    assert_string_equal(tn_tokenizer_format(tokenizer), "sentencepiece");
    return tokenizer;
}

static void check_ids(const char *text, struct tn_token_ids ids, const int *expected)
{
    size_t count = 0;
    for (; expected[count] != END; count++) {
        if (count >= ids.count || ids.ids[count] != (uint32_t)expected[count]) {
            fail_msg("'%s': id %zu is %d, not %d", text, count, count < ids.count ? (int)ids.ids[count] : END,
                     expected[count]);
        }
    }
    if (ids.count != count) {
        fail_msg("'%s': %zu ids, not %zu", text, ids.count, count);
    }
}

/* Twice: the second time words may come from the cache. */
static void check_rows(const struct spm_model *model, const struct row *rows, size_t count)
{
    struct tn_tokenizer *tokenizer = open_model(model);
    struct tn_error error = {0};
    struct tn_encoder *encoder = tn_encoder_open(tokenizer, &error);
    for (size_t k = 0; k < 2 * count; k++) {
        struct tn_token_ids ids;
        const struct row *row = &rows[k % count];
        assert_true(tn_encode(encoder, tn_str_of(row->text), TN_TEXT_WHOLE, &ids, &error));
        check_ids(row->text, ids, row->ids);
    }
    tn_encoder_free(encoder);
    tn_tokenizer_free(tokenizer);
}

/* ---- unigram ------------------------------------------------------------------------------------------------------ */

static const struct spm_piece unigram_pieces[] = {
    {"<unk>", 0, TN_PIECE_UNKNOWN},     {"<s>", 0, TN_PIECE_CONTROL},
    {"a", -1, TN_PIECE_NORMAL},         {"b", -1.5F, TN_PIECE_NORMAL},
    {"ab", -2.5F, TN_PIECE_NORMAL}, /* as good as "a" and "b": it was there first */
    {"abc", -2, TN_PIECE_NORMAL},       {"c", -3, TN_PIECE_NORMAL},
    {SPACE, -2, TN_PIECE_NORMAL},       {SPACE "a", -2.5F, TN_PIECE_NORMAL},
    {"<x>", -9, TN_PIECE_USER_DEFINED}, {"bc", -1, TN_PIECE_UNUSED},
    {SPACE SPACE, -3, TN_PIECE_NORMAL}, {0},
};

static void unigram_takes_the_best_sum(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", {END}},
        {"a", {2, END}},
        {"ab", {4, END}},
        {"abc", {5, END}},
        {"abcab", {5, 4, END}},
        {"zz", {0, END}}, /* neighbours are fused */
        {"azzb", {2, 0, 3, END}},
        {"a<x>b", {2, 9, 3, END}},
        {"<s>", {0, END}}, /* control pieces are text */
        {"<unk>", {0, END}},
        {"bcb", {3, 6, 3, END}}, /* an unused piece is not used */
        {" a", {8, END}},
        {"  a b ", {11, 2, 7, 3, 7, END}},
    };
    const struct spm_model model = {.type = TN_SENTENCEPIECE_UNIGRAM, .pieces = unigram_pieces};
    check_rows(&model, rows, COUNT_OF(rows));
}

static void unigram_falls_back_to_bytes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"abcab", {5, 4, END}},
        {"zz", {134, 134, END}},
        {"azzb", {2, 134, 134, 3, END}},
        {"\xC3\xA9", {207, 181, END}},
    };
    const struct spm_model model = {.type = TN_SENTENCEPIECE_UNIGRAM, .pieces = unigram_pieces, .byte_fallback = true};
    check_rows(&model, rows, COUNT_OF(rows));
}

/* "ab" has the sum of "a" and "b", so that rounding decides, and that depends on all of the text before it. */
static void check_tail(struct tn_tokenizer *tokenizer, size_t front, const char *behind, const int *expected)
{
    struct tn_builder text = {0};
    tn_builder_add_repeated(&text, "x", front);
    tn_builder_add_text(&text, behind);
    struct tn_error error = {0};
    struct tn_encoder *encoder = tn_encoder_open(tokenizer, &error);
    struct tn_token_ids ids;
    assert_true(tn_encode(encoder, tn_builder_str(&text), TN_TEXT_WHOLE, &ids, &error));
    assert_true(ids.count >= front);
    check_ids(behind, (struct tn_token_ids){ids.ids + front, ids.count - front}, expected);
    tn_encoder_free(encoder);
    tn_builder_free(&text);
}

static void unigram_adds_in_single_precision(void **state)
{
    (void)state;
    static const struct spm_piece pieces[] = {
        {"<unk>", 0, TN_PIECE_UNKNOWN}, {"x", -7.8F, TN_PIECE_NORMAL},   {"a", -1.46F, TN_PIECE_NORMAL},
        {"b", -2.2F, TN_PIECE_NORMAL},  {"ab", -3.66F, TN_PIECE_NORMAL}, {0},
    };
    struct tn_tokenizer *tokenizer =
        open_model(&(struct spm_model){.type = TN_SENTENCEPIECE_UNIGRAM, .pieces = pieces});
    check_tail(tokenizer, 0, "ab", (const int[]){4, END});
    check_tail(tokenizer, 200, "abxxxxxxxab", (const int[]){2, 3, 1, 1, 1, 1, 1, 1, 1, 2, 3, END});
    tn_tokenizer_free(tokenizer);

    /* Beyond 100,000 the sum begins anew. Without that it would be {2, 3}. */
    static const struct spm_piece heavy[] = {
        {"<unk>", 0, TN_PIECE_UNKNOWN}, {"x", -3761.7F, TN_PIECE_NORMAL}, {"a", -3.32F, TN_PIECE_NORMAL},
        {"b", -1.85F, TN_PIECE_NORMAL}, {"ab", -5.17F, TN_PIECE_NORMAL},  {0},
    };
    tokenizer = open_model(&(struct spm_model){.type = TN_SENTENCEPIECE_UNIGRAM, .pieces = heavy});
    check_tail(tokenizer, 40, "ab", (const int[]){4, END});
    tn_tokenizer_free(tokenizer);
}

/* The same scores in a tokenizer.json, with the ids of Hugging Face tokenizers. */
static void unigram_of_tokenizer_json_adds_in_double_precision(void **state)
{
    (void)state;
    struct tn_tokenizer *tokenizer = calloc(1, sizeof *tokenizer);
    struct tn_error error = {0};
    const struct tn_unigram_entry entries[] = {
        {TN_STR("<unk>"), 0},         {TN_STR("x"), (double)-7.8F},   {TN_STR("a"), (double)-1.46F},
        {TN_STR("b"), (double)-2.2F}, {TN_STR("ab"), (double)-3.66F}, {TN_STR("zyz"), -500},
    };
    assert_true(tn_unigram_read(tokenizer, entries, COUNT_OF(entries), 0, true, &error));
    check_tail(tokenizer, 200, "abxxxxxxxab", (const int[]){4, 1, 1, 1, 1, 1, 1, 1, 4, END});
    check_tail(tokenizer, 1, "zz", (const int[]){0, END}); /* no pieces of bytes: it stays unknown */
    check_tail(tokenizer, 1, "zyz", (const int[]){5, END});
    check_tail(tokenizer, 1, "a<unk>a", (const int[]){2, 0, 2, END});
    tn_tokenizer_free(tokenizer);

    tokenizer = calloc(1, sizeof *tokenizer);
    assert_true(tn_unigram_read(tokenizer, entries, COUNT_OF(entries), TN_TOKEN_NONE, false, &error));
    struct tn_encoder *encoder = tn_encoder_open(tokenizer, &error);
    struct tn_token_ids ids;
    assert_false(tn_encode(encoder, TN_STR("q"), TN_TEXT_WHOLE, &ids, &error));
    assert_int_equal(error.code, TN_ERROR_HEADER);
    tn_encoder_free(encoder);
    tn_tokenizer_free(tokenizer);
}

static void unigram_of_tokenizer_json_is_checked(void **state)
{
    (void)state;
    struct tn_tokenizer *tokenizer = calloc(1, sizeof *tokenizer);
    struct tn_error error = {0};
    const struct tn_unigram_entry good[] = {{TN_STR("a"), -1}};
    const struct tn_unigram_entry bad[] = {{TN_STR("a"), NAN}};
    assert_false(tn_unigram_read(tokenizer, good, 1, 1, false, &error));
    assert_int_equal(error.code, TN_ERROR_HEADER);
    assert_false(tn_unigram_read(tokenizer, bad, 1, 0, false, &error));
    assert_int_equal(error.code, TN_ERROR_HEADER);
    tn_tokenizer_free(tokenizer);
}

/* As Hugging Face tokenizers reads them: not always the nearest double. */
static void scores_are_read_as_the_reference_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double score;
    } rows[] = {
        {"-3.7102136611938477", -3.710213661193848},
        {"-7.4120025634765625", -7.412002563476563},
        {"0.1", 0.1},
        {"7", 7},
        {"-12e-1", -1.2},
        {"18446744073709551616.5", 18446744073709551615.0}, /* 20 digits do not fit; behind the point one does */
        {"1e-400", 0},
    };
    double score;
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        assert_true(tn_score_read(tn_str_of(rows[k].text), &score));
        assert_memory_equal(&score, &rows[k].score, sizeof score);
    }
    static const char *const refused[] = {"", "-", "1.", ".5", "1e", "1e400", "NaN", "Infinity", "\"1\"", "1 "};
    for (size_t k = 0; k < COUNT_OF(refused); k++) {
        assert_false(tn_score_read(tn_str_of(refused[k]), &score));
    }
}

/* ---- byte-pair encoding, characters, words ------------------------------------------------------------------------ */

static const struct spm_piece bpe_pieces[] = {
    {"<unk>", 0, TN_PIECE_UNKNOWN},    {"<s>", 0, TN_PIECE_CONTROL},
    {"a", -9, TN_PIECE_NORMAL},        {"b", -9, TN_PIECE_NORMAL},
    {"c", -9, TN_PIECE_NORMAL},        {"ab", -1, TN_PIECE_NORMAL},
    {"bc", -1, TN_PIECE_NORMAL},       {"cc", -2, TN_PIECE_NORMAL},
    {"aa", -3, TN_PIECE_NORMAL},       {"aaaa", -4, TN_PIECE_NORMAL},
    {"<x>", 0, TN_PIECE_USER_DEFINED}, {"a<", 0, TN_PIECE_USER_DEFINED},
    {SPACE, -9, TN_PIECE_NORMAL},      {SPACE "a", -5, TN_PIECE_NORMAL},
    {"dc", -1.25F, TN_PIECE_NORMAL}, /* of a character that is no piece */
    {"abab", -6, TN_PIECE_UNUSED},     {0},
};

static const struct row bpe_rows[] = {
    {"abc", {5, 4, END}}, /* the leftmost of equals */
    {"bcc", {6, 4, END}},       {"ccc", {7, 4, END}},  {"aaaaa", {9, 2, END}},     {"aaaaaaa", {9, 8, 2, END}},
    {"a<x>b", {11, 0, 3, END}}, /* the longest user defined piece from the left */
    {"<x>", {10, END}},         {"<s>", {0, END}},     {"abab", {5, 5, END}}, /* made, and taken apart again */
    {"zza", {0, 2, END}},       {"ddc", {0, 14, END}}, {"a  a", {2, 12, 13, END}}, {"azzzb", {2, 0, 3, END}},
};

static void bpe_merges_by_score(void **state)
{
    (void)state;
    struct spm_piece used[COUNT_OF(bpe_pieces)];
    memcpy(used, bpe_pieces, sizeof used);
    used[COUNT_OF(used) - 2] = (struct spm_piece){0}; /* with an unused piece, words are not told apart */
    check_rows(&(struct spm_model){.type = TN_SENTENCEPIECE_BPE, .pieces = bpe_pieces}, bpe_rows, COUNT_OF(bpe_rows));
    check_rows(&(struct spm_model){.type = TN_SENTENCEPIECE_BPE, .pieces = used}, bpe_rows, COUNT_OF(bpe_rows));
}

static void bpe_falls_back_to_bytes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"zz", {138, 138, END}},
        {"\xC3\xA9", {211, 185, END}},
        {"d", {116, END}},
    };
    check_rows(&(struct spm_model){.type = TN_SENTENCEPIECE_BPE, .pieces = bpe_pieces, .byte_fallback = true}, rows,
               COUNT_OF(rows));
}

static void characters_and_words_are_looked_up(void **state)
{
    (void)state;
    static const struct row characters[] = {{"ab<x>cz", {2, 3, 10, 4, 0, END}}, {"zzc", {0, 4, END}}};
    check_rows(&(struct spm_model){.type = TN_SENTENCEPIECE_CHARACTER, .pieces = bpe_pieces}, characters,
               COUNT_OF(characters));
    static const struct spm_piece pieces[] = {
        {"<unk>", 0, TN_PIECE_UNKNOWN},
        {SPACE "a", -1, TN_PIECE_NORMAL},
        {SPACE "b", -1, TN_PIECE_NORMAL},
        {SPACE "c", -1, TN_PIECE_UNUSED},
        {0},
    };
    static const struct row words[] = {{"a b", {1, 2, END}}, {"a z y b", {1, 0, 2, END}}, {"c a", {0, 1, END}}};
    check_rows(&(struct spm_model){.type = TN_SENTENCEPIECE_WORD, .pieces = pieces, .dummy_prefix = true}, words,
               COUNT_OF(words));
}

/* ---- the normalizer ----------------------------------------------------------------------------------------------- */

static const struct spm_piece normal_pieces[] = {
    {"<unk>", 0, TN_PIECE_UNKNOWN},   {"a", -1, TN_PIECE_NORMAL},
    {"e", -1, TN_PIECE_NORMAL},       {SPACE, -1, TN_PIECE_NORMAL},
    {" ", -1, TN_PIECE_NORMAL},       {"\xEF\xBF\xBD", -1, TN_PIECE_NORMAL},
    {"A", -1, TN_PIECE_USER_DEFINED}, {"b", -1, TN_PIECE_NORMAL},
    {"_", -1, TN_PIECE_NORMAL},       {0},
};

static struct spm_model normal_model(void)
{
    return (struct spm_model){
        .type = TN_SENTENCEPIECE_UNIGRAM,
        .pieces = normal_pieces,
        .charsmap = spm_charsmap(),
    };
}

static void spaces_are_escaped(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a b", {1, 3, 7, END}},
        {"  a   b  ", {3, 3, 1, 3, 3, 3, 7, 3, 3, END}},
        {"A\t\te\xC3\xA9", {6, 3, 3, 2, 2, END}}, /* what is user defined stays */
        {"a_b", {1, 7, END}},
        {"   ", {3, 3, 3, END}},
        {" \t ", {3, 3, 3, END}},
    };
    struct spm_model model = normal_model();
    check_rows(&model, rows, COUNT_OF(rows));
    static const struct row kept[] = {{"", {END}}, {"a b", {4, 1, 4, 7, END}}, {"   ", {4, 4, 4, 4, END}}};
    model.dummy_prefix = true;
    model.keep_spaces = true;
    check_rows(&model, kept, COUNT_OF(kept));
}

static void extra_spaces_are_removed(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a b", {1, 3, 7, END}}, {"  a   b  ", {1, 3, 7, END}}, {"A\t\te\xC3\xA9", {6, 3, 2, 2, END}}, {"   ", {END}},
        {" \t ", {END}},
    };
    struct spm_model model = normal_model();
    model.remove_spaces = true;
    check_rows(&model, rows, COUNT_OF(rows));
    static const struct row prefixed[] = {{"  a   b  ", {3, 1, 3, 7, END}}, {"", {END}}, {"   ", {END}}};
    model.dummy_prefix = true;
    check_rows(&model, prefixed, COUNT_OF(prefixed));
    static const struct row suffixed[] = {{"  a   b  ", {1, 3, 7, 3, END}}, {"", {END}}, {"   ", {END}}};
    model.space_is_suffix = true;
    check_rows(&model, suffixed, COUNT_OF(suffixed));
}

static void invalid_bytes_are_replaced_one_by_one(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a\xFF"
         "b",
         {1, 5, 7, END}},
        {"\xE3\x81", {5, 5, END}},
        {"\xED\xA0\x80"
         "a",
         {5, 5, 5, 1, END}},
    };
    struct spm_model model = normal_model();
    check_rows(&model, rows, COUNT_OF(rows));
}

/* As the normalizer "Precompiled" of Hugging Face tokenizers does it: a cluster of up to five bytes becomes what its first
 * match gives. */
static void tokenizer_json_normalizes_clusters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *normal;
    } rows[] = {
        {"", ""},
        {"xAx", "xax"},
        {"A\xCC\x81x", "ax"}, /* the mark goes */
        {"x\xCC\x81", "x\xCC\x81"},
        {"A\xCC\x81\xCC\x81\xCC\x81", "a\xCC\x81\xCC\x81\xCC\x81"}, /* seven bytes: character by character */
        {"_\t\xC3\xA9\r\n", " e\r\n"},
    };
    struct tn_arena arena = {0};
    struct tn_error error = {0};
    const struct tn_normal_step step = {.rules = tn_charsmap_read(&arena, spm_charsmap(), 0, &error)};
    assert_non_null(step.rules);
    assert_true(tn_charsmap_cuttable(step.rules));
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct tn_builder out = {0};
        const struct tn_text_place place = {.at_start = true, .at_end = true};
        struct tn_str normal = tn_charsmap_run(&step, &place, tn_str_of(rows[k].text), &out);
        assert_true(tn_str_is(normal, rows[k].normal));
        tn_builder_free(&out);
    }
    tn_arena_free(&arena);
}

/* The blob of a normalizer comes from a file: whatever one unit says, it is refused or does no harm. */
static void broken_charsmaps(void **state)
{
    (void)state;
    struct tn_str good = spm_charsmap();
    for (size_t at = 0; at < good.size; at++) {
        for (unsigned change = 1; change < 256; change *= 2) {
            char *bytes = malloc(good.size);
            memcpy(bytes, good.data, good.size);
            bytes[at] = (char)((unsigned char)bytes[at] ^ change);
            struct tn_arena arena = {0};
            struct tn_error error = {0};
            const struct tn_charsmap *map = tn_charsmap_read(&arena, (struct tn_str){bytes, good.size}, 100, &error);
            if (map) {
                tn_charsmap_longest(map, TN_STR("A\xC3\xA9\t_"));
                tn_charsmap_cuttable(map);
            } else {
                assert_int_equal(error.code, TN_ERROR_HEADER);
                assert_true(error.offset >= 100);
            }
            tn_arena_free(&arena);
            free(bytes);
        }
    }
    for (size_t size = 0; size < good.size; size += size < 8 ? 1 : 97) {
        struct tn_arena arena = {0};
        assert_null(tn_charsmap_read(&arena, tn_str_slice(good, 0, size), -1, NULL));
        tn_arena_free(&arena);
    }
}

/* ---- parts of a text ---------------------------------------------------------------------------------------------- */

static void check_parts(struct tn_tokenizer *tokenizer, struct tn_str text)
{
    struct tn_error error = {0};
    struct tn_encoder *whole = tn_encoder_open(tokenizer, &error);
    struct tn_encoder *parts = tn_encoder_open(tokenizer, &error);
    struct tn_token_ids expected;
    struct tn_token_ids ids;
    assert_true(tn_encode(whole, text, TN_TEXT_WHOLE, &expected, &error));
    size_t done = 0;
    size_t cuts = 0;
    for (unsigned flags = TN_TEXT_FIRST; text.size; flags = 0, cuts++) {
        size_t cut = tn_tokenizer_cut(tokenizer, tn_str_slice(text, 0, 20));
        cut = cut ? cut : text.size;
        flags |= cut == text.size ? TN_TEXT_LAST : 0;
        assert_true(tn_encode(parts, tn_str_slice(text, 0, cut), flags, &ids, &error));
        assert_true(done + ids.count <= expected.count);
        assert_memory_equal(ids.ids, expected.ids + done, ids.count * sizeof *ids.ids);
        done += ids.count;
        text = tn_str_slice(text, cut, text.size);
    }
    assert_int_equal(done, expected.count);
    assert_true(cuts > 5);
    tn_encoder_free(whole);
    tn_encoder_free(parts);
}

static void parts_have_the_tokens_of_the_whole(void **state)
{
    (void)state;
    const struct tn_str text =
        TN_STR(" aab abc cab bca  a ab b cab abc ab a b c a b c zz z aaa bbb ccc aa a aaaa c aab abc cab bca a ab b "
               "cab abc ab a b c a b c  \n zz z aaa bbb ccc aa a b  ");
    struct spm_model model = {
        .type = TN_SENTENCEPIECE_UNIGRAM,
        .pieces = unigram_pieces,
        .dummy_prefix = true,
        .remove_spaces = true,
        .charsmap = spm_charsmap(),
    };
    struct tn_tokenizer *tokenizer = open_model(&model);
    check_parts(tokenizer, text);
    tn_tokenizer_free(tokenizer);
    model.type = TN_SENTENCEPIECE_CHARACTER;
    tokenizer = open_model(&model);
    check_parts(tokenizer, text);
    tn_tokenizer_free(tokenizer);

    /* How unused pieces are taken apart depends on all of the text; a piece may span a space. */
    model.type = TN_SENTENCEPIECE_BPE;
    model.pieces = bpe_pieces;
    tokenizer = open_model(&model);
    assert_int_equal(tn_tokenizer_cut(tokenizer, text), 0);
    tn_tokenizer_free(tokenizer);
    model.pieces = (const struct spm_piece[]){
        {"<unk>", 0, TN_PIECE_UNKNOWN}, {SPACE, 0, TN_PIECE_NORMAL}, {"a" SPACE "b", -1, TN_PIECE_NORMAL}, {0}};
    tokenizer = open_model(&model);
    assert_int_equal(tn_tokenizer_cut(tokenizer, text), 0);
    tn_tokenizer_free(tokenizer);
}

/* ---- long texts --------------------------------------------------------------------------------------------------- */

static void one_letter_a_million_times(void **state)
{
    (void)state;
    enum { LETTERS = 1000000 };
    char *letters = malloc(LETTERS);
    memset(letters, 'a', LETTERS);
    static const struct {
        enum tn_sentencepiece_type type;
        const struct spm_piece *pieces;
        size_t count;
    } rows[] = {
        {TN_SENTENCEPIECE_UNIGRAM, unigram_pieces, LETTERS},
        {TN_SENTENCEPIECE_BPE, bpe_pieces, LETTERS / 4},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct tn_tokenizer *tokenizer =
            open_model(&(struct spm_model){.type = rows[k].type, .pieces = rows[k].pieces});
        struct tn_error error = {0};
        struct tn_encoder *encoder = tn_encoder_open(tokenizer, &error);
        struct tn_token_ids ids;
        assert_true(tn_encode(encoder, (struct tn_str){letters, LETTERS}, TN_TEXT_WHOLE, &ids, &error));
        assert_int_equal(ids.count, rows[k].count);
        tn_encoder_free(encoder);
        tn_tokenizer_free(tokenizer);
    }
    free(letters);
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

static void control_pieces_have_names(void **state)
{
    (void)state;
    struct tn_tokenizer *tokenizer =
        open_model(&(struct spm_model){.type = TN_SENTENCEPIECE_BPE, .pieces = bpe_pieces, .byte_fallback = true});
    assert_string_equal(tn_tokenizer_model(tokenizer), "BPE");
    assert_int_equal(tn_tokenizer_vocabulary_size(tokenizer), 16 + 256);
    assert_int_equal(tn_tokenizer_special(tokenizer, TN_STR("<s>")), 1);
    assert_int_equal(tn_tokenizer_special(tokenizer, TN_STR("a")), TN_TOKEN_NONE);
    assert_true(tn_str_is(tn_tokenizer_piece(tokenizer, 13), SPACE "a"));
    assert_true(tn_str_is(tn_tokenizer_piece(tokenizer, 16), "<0x00>"));
    assert_int_equal(tn_tokenizer_prefix(tokenizer).count, 0);
    tn_tokenizer_free(tokenizer);
}

/* ---- broken files ------------------------------------------------------------------------------------------------- */

static void check_refused(struct tn_builder *file, enum tn_code code, int64_t offset, const char *part)
{
    struct tn_error error = {0};
    struct tn_tokenizer *tokenizer = tn_tokenizer_open(TN_STR("test.model"), tn_builder_str(file), &error);
    assert_null(tokenizer);
    assert_int_equal(error.code, code);
    assert_int_equal(error.offset, offset);
    assert_string_equal(error.where, "test.model");
    if (!strstr(error.message, part)) {
        fail_msg("'%s' has no '%s'", error.message, part);
    }
    tn_builder_free(file);
}

/* A file with "<unk>", 16 bytes, and one piece more. */
static struct tn_builder two_pieces(struct tn_str text, float score, unsigned kind)
{
    struct tn_builder file = {0};
    spm_add_piece(&file, TN_STR("<unk>"), 0, TN_PIECE_UNKNOWN);
    spm_add_piece(&file, text, score, kind);
    return file;
}

static void broken_pieces_are_refused(void **state)
{
    (void)state;
    struct tn_builder file = two_pieces(TN_STR(""), 0, TN_PIECE_NORMAL);
    check_refused(&file, TN_ERROR_HEADER, 16, "is empty");
    file = two_pieces(TN_STR("a\0b"), 0, TN_PIECE_NORMAL);
    check_refused(&file, TN_ERROR_HEADER, 16, "zero byte");
    file = two_pieces(TN_STR("\xFF"), 0, TN_PIECE_NORMAL);
    check_refused(&file, TN_ERROR_HEADER, 16, "not UTF-8");
    file = two_pieces(TN_STR("a"), NAN, TN_PIECE_NORMAL);
    check_refused(&file, TN_ERROR_HEADER, 16, "finite");
    file = two_pieces(TN_STR("a"), -INFINITY, TN_PIECE_NORMAL);
    check_refused(&file, TN_ERROR_HEADER, 16, "finite");
    file = two_pieces(TN_STR("a"), 0, TN_PIECE_UNKNOWN);
    check_refused(&file, TN_ERROR_HEADER, 16, "second one for unknown text");
    file = two_pieces(TN_STR("<0x0A>"), 0, TN_PIECE_BYTE);
    check_refused(&file, TN_ERROR_HEADER, 16, "does not fall back");
    file = two_pieces(TN_STR("a"), 0, 7);
    check_refused(&file, TN_ERROR_CONFIG, 26, "unknown kind 7");
    file = two_pieces(TN_STR("a"), 0, TN_PIECE_NORMAL);
    spm_add_piece(&file, TN_STR("a"), 0, TN_PIECE_USER_DEFINED);
    check_refused(&file, TN_ERROR_HEADER, 26, "stands twice");
    file = two_pieces(TN_STR("<s>"), 0, TN_PIECE_CONTROL);
    check_refused(&file, TN_ERROR_HEADER, -1, "no piece of the model stands for text");
    struct tn_builder long_name = {0};
    tn_builder_add_repeated(&long_name, "a", 8000);
    file = two_pieces(tn_builder_str(&long_name), 0, TN_PIECE_NORMAL);
    check_refused(&file, TN_ERROR_HEADER, 16, "longer than");
    tn_builder_free(&long_name);
    spm_add_piece(&file, TN_STR("a"), 0, TN_PIECE_NORMAL);
    check_refused(&file, TN_ERROR_HEADER, -1, "unknown text");
}

static void add_trainer(struct tn_builder *file, unsigned field, uint64_t number)
{
    struct tn_builder trainer = {0};
    spm_add_number(&trainer, field, number);
    spm_add_bytes(file, 2, tn_builder_str(&trainer));
    tn_builder_free(&trainer);
}

static void broken_settings_are_refused(void **state)
{
    (void)state;
    struct tn_builder file = two_pieces(TN_STR("a"), 0, TN_PIECE_NORMAL);
    add_trainer(&file, 3, 5);
    check_refused(&file, TN_ERROR_CONFIG, 28, "unknown kind 5");
    file = two_pieces(TN_STR("a"), 0, TN_PIECE_NORMAL);
    add_trainer(&file, 35, 1);
    check_refused(&file, TN_ERROR_HEADER, -1, "<0x00>");
    file = two_pieces(TN_STR("<0x0a>"), 0, TN_PIECE_BYTE);
    add_trainer(&file, 35, 1);
    check_refused(&file, TN_ERROR_HEADER, 16, "<0x0A>");
    file = two_pieces(TN_STR("<s>"), 0, TN_PIECE_NORMAL);
    spm_add_piece(&file, TN_STR("<s>"), 0, TN_PIECE_CONTROL); /* other models may have both */
    add_trainer(&file, 3, TN_SENTENCEPIECE_BPE);
    check_refused(&file, TN_ERROR_HEADER, 28, "stands twice");
    file = two_pieces(TN_STR("a"), 0, TN_PIECE_NORMAL);
    spm_add_number(&file, 3, 1); /* the normalizer is no number */
    check_refused(&file, TN_ERROR_HEADER, 26, "field 3");
    file = two_pieces(TN_STR("a"), 0, TN_PIECE_NORMAL);
    spm_add_varint(&file, 9 << 3 | 3); /* a group */
    check_refused(&file, TN_ERROR_HEADER, 27, "kind 3");
}

/* Every beginning of a file is refused, or is a smaller model; it never says more than its bytes. */
static void files_cut_off(void **state)
{
    (void)state;
    struct tn_builder file = {0};
    const struct spm_model model = {
        .type = TN_SENTENCEPIECE_UNIGRAM, .pieces = unigram_pieces, .charsmap = spm_charsmap()};
    spm_write(&file, &model);
    size_t truncated = 0;
    for (size_t size = 0; size < file.size; size++) {
        char *bytes = malloc(size ? size : 1);
        memcpy(bytes, file.data, size);
        struct tn_error error = {0};
        struct tn_tokenizer *tokenizer = tn_tokenizer_open(TN_STR("test.model"), (struct tn_str){bytes, size}, &error);
        truncated += error.code == TN_ERROR_TRUNCATED;
        assert_true(tokenizer || error.code == TN_ERROR_TRUNCATED || error.code == TN_ERROR_HEADER
                    || error.code == TN_ERROR_NOT_A_MODEL);
        tn_tokenizer_free(tokenizer);
        free(bytes);
    }
    assert_true(truncated > file.size / 2);
    tn_builder_free(&file);
}

static void a_piece_longer_than_its_message(void **state)
{
    (void)state;
    struct tn_builder file = {0};
    spm_add_piece(&file, TN_STR("<unk>"), 0, TN_PIECE_UNKNOWN);
    tn_builder_add(&file, TN_STR("\x0A\x03\x0A\x7F"
                                 "a"));
    check_refused(&file, TN_ERROR_HEADER, 19, "longer than the message");
    spm_add_piece(&file, TN_STR("<unk>"), 0, TN_PIECE_UNKNOWN);
    tn_builder_add(&file, TN_STR("\x0A\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"));
    check_refused(&file, TN_ERROR_HEADER, 17, "64 bits");
    spm_add_piece(&file, TN_STR("<unk>"), 0, TN_PIECE_UNKNOWN);
    tn_builder_add(&file, TN_STR("\x0A\xFF\xFF\xFF\x7F"));
    check_refused(&file, TN_ERROR_TRUNCATED, 17, "ends within a field");
}

static void other_files_are_left_alone(void **state)
{
    (void)state;
    static const struct tn_str files[] = {
        {"", 0},
        {"\n", 1},
        {"\n\n\n\n", 4},
        {"\x0A\x04text", 6},
        {"\x0A\x06\x0A\x02"
         "abc",
         7},
        {"GGUF\x03\0\0\0", 8},
        {"{\"model\": 1}", 12},
    };
    for (size_t k = 0; k < COUNT_OF(files); k++) {
        assert_false(tn_sentencepiece_matches(files[k]));
    }
    assert_true(tn_sentencepiece_matches(TN_STR("\x0A\x09\x0A\x05<unk>\x18\x02")));
    assert_true(tn_sentencepiece_matches(TN_STR("\x0A\x0E\x0A\x05<unk>\x15\0\0\0\0\x18\x02")));
}

/* ---- parts of it -------------------------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *random)
{
    *random = *random * 1664525 + 1013904223;
    return *random >> 16;
}

/* All beginnings of random texts, against a list that is searched. */
static void tries_find_all_beginnings(void **state)
{
    (void)state;
    enum { KEYS = 3000, LONGEST = 9 };
    static char bytes[KEYS][LONGEST];
    struct tn_trie_key keys[KEYS];
    uint32_t sizes[KEYS];
    uint32_t random = 1;
    for (uint32_t k = 0; k < KEYS; k++) {
        sizes[k] = next_random(&random) % (LONGEST + 1);
        uint32_t letters = k % 3 ? 3 : 256;
        for (uint32_t at = 0; at < sizes[k]; at++) {
            bytes[k][at] = (char)(unsigned char)(next_random(&random) % letters);
        }
        keys[k] = (struct tn_trie_key){{bytes[k], sizes[k]}, k};
    }
    struct tn_arena arena = {0};
    struct tn_trie trie;
    assert_true(tn_trie_build(&arena, keys, KEYS, &trie, NULL));
    for (uint32_t k = 0; k < KEYS; k++) {
        for (uint32_t size = 1; size <= sizes[k]; size++) {
            uint32_t expected = TN_TRIE_NONE;
            for (uint32_t other = 0; other < KEYS; other++) {
                bool same = sizes[other] == size && memcmp(bytes[other], bytes[k], size) == 0;
                expected = same ? other : expected; /* the largest counts */
            }
            assert_int_equal(tn_trie_find(&trie, (struct tn_str){bytes[k], size}), expected);
        }
    }
    assert_int_equal(tn_trie_find(&trie, TN_STR("")), TN_TRIE_NONE);
    tn_arena_free(&arena);
    assert_true(tn_trie_build(&arena, NULL, 0, &trie, NULL));
    assert_int_equal(tn_trie_longest(&trie, TN_STR("abc"), 9), 0);
}

static void tries_find_the_longest(void **state)
{
    (void)state;
    struct tn_trie_key keys[] = {{TN_STR("a"), 0}, {TN_STR("aaa"), 1}, {TN_STR("aa"), 2}, {TN_STR("ba"), 3}};
    struct tn_arena arena = {0};
    struct tn_trie trie;
    assert_true(tn_trie_build(&arena, keys, COUNT_OF(keys), &trie, NULL));
    assert_int_equal(tn_trie_longest(&trie, TN_STR("aaaa"), 64), 3);
    assert_int_equal(tn_trie_longest(&trie, TN_STR("aaaa"), 2), 2);
    assert_int_equal(tn_trie_longest(&trie, TN_STR("ab"), 64), 1);
    assert_int_equal(tn_trie_longest(&trie, TN_STR("b"), 64), 0);
    assert_int_equal(tn_trie_longest(&trie, TN_STR(""), 64), 0);
    tn_arena_free(&arena);
}

/* Of GraphemeBreakTest.txt, one of each rule. */
static void clusters_end_where_unicode_says(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        {"\r\n", 2},
        {"\r\r\n", 1},
        {"a\xCC\x88", 3},
        {"\n\xCC\x88", 1},
        {"\xE1\x84\x80\xE1\x85\xA0", 6},                         /* Hangul L V */
        {"\xEA\xB0\x80\xE1\x86\xA8", 6},                         /* LV T */
        {"\xEA\xB0\x81\xE1\x85\xA0", 3},                         /* LVT, V */
        {"\xF0\x9F\x87\xA6\xF0\x9F\x87\xA7\xF0\x9F\x87\xA8", 8}, /* flags in pairs */
        {"a\xE2\x80\x8D\xF0\x9F\x9B\x91", 4},                    /* a joiner behind no pictograph */
        {"\xF0\x9F\x9B\x91\xE2\x80\x8D\xF0\x9F\x9B\x91", 11},    /* behind one */
        {"\xF0\x9F\x91\xB6\xF0\x9F\x8F\xBF\xF0\x9F\x91\xB6", 8}, /* a skin tone */
        {"\xD8\x80"
         "a",
         3},                                         /* Prepend */
        {"a\xE0\xA4\x83", 4},                        /* SpacingMark */
        {"\xE0\xA4\x95\xE0\xA5\x8D\xE0\xA4\xA4", 9}, /* consonants with a linker */
        {"\xE0\xA4\x95\xE0\xA4\xA4", 3},
        {"a\xE0\xA5\x8D\xE0\xA4\xA4", 4}, /* a linker behind no consonant */
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        assert_int_equal(tn_grapheme_length(tn_str_of(rows[k].text)), rows[k].length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unigram_takes_the_best_sum),
        cmocka_unit_test(unigram_falls_back_to_bytes),
        cmocka_unit_test(unigram_adds_in_single_precision),
        cmocka_unit_test(unigram_of_tokenizer_json_adds_in_double_precision),
        cmocka_unit_test(unigram_of_tokenizer_json_is_checked),
        cmocka_unit_test(scores_are_read_as_the_reference_reads_them),
        cmocka_unit_test(bpe_merges_by_score),
        cmocka_unit_test(bpe_falls_back_to_bytes),
        cmocka_unit_test(characters_and_words_are_looked_up),
        cmocka_unit_test(spaces_are_escaped),
        cmocka_unit_test(extra_spaces_are_removed),
        cmocka_unit_test(invalid_bytes_are_replaced_one_by_one),
        cmocka_unit_test(tokenizer_json_normalizes_clusters),
        cmocka_unit_test(broken_charsmaps),
        cmocka_unit_test(parts_have_the_tokens_of_the_whole),
        cmocka_unit_test(one_letter_a_million_times),
        cmocka_unit_test(control_pieces_have_names),
        cmocka_unit_test(broken_pieces_are_refused),
        cmocka_unit_test(broken_settings_are_refused),
        cmocka_unit_test(files_cut_off),
        cmocka_unit_test(a_piece_longer_than_its_message),
        cmocka_unit_test(other_files_are_left_alone),
        cmocka_unit_test(tries_find_all_beginnings),
        cmocka_unit_test(tries_find_the_longest),
        cmocka_unit_test(clusters_end_where_unicode_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
