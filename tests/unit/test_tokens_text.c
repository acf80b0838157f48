/* Any text through whole tokenizers: invalid UTF-8, nothing, zeros, texts in parts, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifndef __wasm__ /* which has no threads */
#include <pthread.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "token_pipelines.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SPACE "\xE2\x96\x81" /* U+2581 */
#define FACE "\xF0\x9F\x98\x80"
#define CHANGED "\xEF\xBF\xBD" /* U+FFFD */

/* Each rank below 256 is that of a byte. */
static void open_ranks(struct token_texts *texts)
{
    struct tn_builder file = {0};
    for (unsigned byte = 0; byte < 256; byte++) {
        char one = (char)(unsigned char)byte;
        token_texts_add_rank(&file, (struct tn_str){&one, 1}, byte);
    }
    token_texts_open(texts, "folder/cl100k.tiktoken", tn_builder_str(&file));
    assert_string_equal(tn_tokenizer_format(texts->tokenizer), "tiktoken");
    tn_builder_free(&file);
}

/* ---- bytes -------------------------------------------------------------------------------------------------------- */

static void check_bytes(struct token_texts *texts, struct tn_str text, struct tn_str expected)
{
    struct tn_token_ids ids = token_texts_encode(texts, text, TN_TEXT_WHOLE);
    assert_int_equal(ids.count, expected.size);
    for (size_t k = 0; k < ids.count; k++) {
        assert_int_equal(ids.ids[k], (unsigned char)expected.data[k]);
    }
}

/* As Python's errors="replace" does. */
static void each_broken_character_is_one_replacement(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *valid;
    } rows[] = {
        {"\xE4\xB8z", CHANGED "z"},
        {"\xF0\x9F\x98", CHANGED},
        {"\xF0\x9Fz", CHANGED "z"},
        {"\xC0\x80", CHANGED CHANGED},
        {"\xE0\x80\x80", CHANGED CHANGED CHANGED},
        {"\xED\xA0\x80", CHANGED CHANGED CHANGED},
        {"\xED\x9F\xBFz", "\xED\x9F\xBFz"},
        {"\xF4\x90\x80\x80", CHANGED CHANGED CHANGED CHANGED},
        {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
        {"\xF0\x80\x80\x80", CHANGED CHANGED CHANGED CHANGED},
        {"\xF5z\xFF\xFE", CHANGED "z" CHANGED CHANGED},
        {"z\xFFy", "z" CHANGED "y"},
        {"\x80\xBF", CHANGED CHANGED},
        {"\xE4\xB8\xE4\xB8\xAD", CHANGED "\xE4\xB8\xAD"},
        {"xy\xE2\x82", "xy" CHANGED},
        {"xy\xC3", "xy" CHANGED},
    };
    struct token_texts hub;
    struct token_texts ranks;
    pipeline_open(&hub, &pipelines[0]);
    open_ranks(&ranks);
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        check_bytes(&hub, tn_str_of(rows[k].text), tn_str_of(rows[k].valid));
        check_bytes(&ranks, tn_str_of(rows[k].text), tn_str_of(rows[k].valid));
    }
    token_texts_close(&hub);
    token_texts_close(&ranks);
}

static void no_text_has_no_tokens(void **state)
{
    (void)state;
    for (size_t k = 0; k < PIPELINES; k++) {
        struct token_texts texts;
        pipeline_open(&texts, &pipelines[k]);
        for (unsigned parts = 0; parts <= TN_TEXT_WHOLE; parts++) {
            assert_int_equal(token_texts_encode(&texts, (struct tn_str){0}, parts).count, 0);
            assert_int_equal(token_texts_encode(&texts, TN_STR(""), parts).count, 0);
        }
        assert_int_equal(tn_tokenizer_cut(texts.tokenizer, (struct tn_str){0}), 0);
        token_texts_close(&texts);
    }
}

static void zeros_are_text(void **state)
{
    (void)state;
    struct token_texts texts;
    pipeline_open(&texts, &pipelines[0]);
    assert_string_equal(token_texts_ids(&texts, TN_STR("z\0\0 z\0")), "122 0 0 32 122 0");
    token_texts_close(&texts);
    open_ranks(&texts);
    assert_string_equal(token_texts_ids(&texts, TN_STR("z\0\0 z\0")), "122 0 0 32 122 0");
    token_texts_close(&texts);
}

/* ---- parts -------------------------------------------------------------------------------------------------------- */

static void add_random_text(struct tn_builder *text, uint32_t *state)
{
    static const char *const words[] = {
        "the",  "then",     "aaa",       "n",  "the n",        "a the", " ",        " ",   " ",   "  ",
        "\n",   "\t",       "'s",        "12", "<l>",          "<r>",   " <l>",     "[w]", "<N>", "<r> ",
        "<n> ", "\xC3\xA9", "e\xCC\x81", FACE, "\xE4\xBD\xA0", "\xFF",  "\xE4\xB8", SPACE, ". ",  "N a",
    };
    tn_builder_clear(text);
    for (uint32_t left = 2 + token_texts_random(state, 14); left; left--) {
        tn_builder_add_text(text, words[token_texts_random(state, COUNT_OF(words))]);
    }
}

/* ids[0 .. count) of a part, at the end of those of the parts before. */
static void check_part(struct token_texts *texts, struct tn_str part, unsigned parts, const uint32_t *whole,
                       size_t whole_count, size_t *done)
{
    struct tn_token_ids ids = token_texts_encode(texts, part, parts);
    if (*done + ids.count > whole_count
        || (ids.count && memcmp(ids.ids, whole + *done, ids.count * sizeof *whole) != 0)) {
        fail_msg("the part '" TN_STR_FORMAT "' has other tokens", TN_STR_ARGUMENTS(part));
    }
    *done += ids.count;
}

/* The number of cuts that were offered for a beginning of the text; the parts of all, and of each two, make the whole. */
static size_t check_parts(struct token_texts *texts, struct tn_str text)
{
    struct tn_token_ids ids = token_texts_encode(texts, text, TN_TEXT_WHOLE);
    size_t count = ids.count;
    uint32_t *whole = malloc((count + 1) * sizeof *whole);
    assert_non_null(whole);
    memcpy(whole, ids.ids ? ids.ids : whole, count * sizeof *whole);
    size_t cuts = 0;
    size_t from = 0;
    size_t stepwise = 0;
    for (size_t size = 0; size <= text.size; size++) {
        size_t cut = tn_tokenizer_cut(texts->tokenizer, tn_str_slice(text, 0, size));
        if (cut <= from) {
            continue;
        }
        assert_true(cut < size);
        size_t done = 0;
        check_part(texts, tn_str_slice(text, 0, cut), TN_TEXT_FIRST, whole, count, &done);
        check_part(texts, tn_str_slice(text, cut, text.size), TN_TEXT_LAST, whole, count, &done);
        assert_int_equal(done, count);
        check_part(texts, tn_str_slice(text, from, cut), from ? 0 : TN_TEXT_FIRST, whole, count, &stepwise);
        from = cut;
        cuts++;
    }
    check_part(texts, tn_str_slice(text, from, text.size), from ? TN_TEXT_LAST : TN_TEXT_WHOLE, whole, count,
               &stepwise);
    assert_int_equal(stepwise, count);
    free(whole);
    return cuts;
}

static void parts_between_cuts_make_the_whole(void **state)
{
    (void)state;
    enum { TEXTS = 600 };
    struct tn_builder text = {0};
    for (size_t k = 0; k < PIPELINES; k++) {
        struct token_texts texts;
        pipeline_open(&texts, &pipelines[k]);
        uint32_t seed = 1;
        size_t cuts = 0;
        for (size_t one = 0; one < TEXTS; one++) {
            add_random_text(&text, &seed);
            cuts += check_parts(&texts, tn_builder_str(&text));
        }
        assert_true(pipelines[k].cuts ? cuts > TEXTS / 4 : cuts == 0);
        token_texts_close(&texts);
    }
    tn_builder_free(&text);
}

#ifndef __wasm__
/* ---- threads ------------------------------------------------------------------------------------------------------ */

struct reader {
    const struct tn_tokenizer *tokenizer;
    struct tn_str text;
    uint32_t *ids; /* of all rounds; NULL: failed */
    size_t count;
};

static void *read_text(void *argument)
{
    enum { ROUNDS = 20 };
    struct reader *reader = argument;
    struct tn_error error;
    struct tn_encoder *encoder = tn_encoder_open(reader->tokenizer, &error);
    for (size_t k = 0; encoder && k < ROUNDS; k++) {
        struct tn_token_ids ids;
        if (tn_encode(encoder, tn_str_slice(reader->text, k, reader->text.size), TN_TEXT_WHOLE, &ids, &error)) {
            uint32_t *more = realloc(reader->ids, (reader->count + ids.count + 1) * sizeof *more);
            if (!more) {
                break;
            }
            memcpy(more + reader->count, ids.ids, ids.count * sizeof *more);
            reader->ids = more;
            reader->count += ids.count;
        }
    }
    tn_encoder_free(encoder);
    return NULL;
}

static void threads_share_a_tokenizer(void **state)
{
    (void)state;
    struct tn_builder text = {0};
    struct tn_builder piece = {0};
    uint32_t seed = 3;
    while (text.size < 20000) {
        add_random_text(&piece, &seed);
        tn_builder_add(&text, tn_builder_str(&piece));
    }
    for (size_t k = 0; k < PIPELINES; k++) {
        struct token_texts texts;
        pipeline_open(&texts, &pipelines[k]);
        struct reader readers[2] = {{texts.tokenizer, tn_builder_str(&text), NULL, 0},
                                    {texts.tokenizer, tn_builder_str(&text), NULL, 0}};
        pthread_t threads[2];
        for (size_t one = 0; one < 2; one++) {
            assert_int_equal(pthread_create(&threads[one], NULL, read_text, &readers[one]), 0);
        }
        for (size_t one = 0; one < 2; one++) {
            assert_int_equal(pthread_join(threads[one], NULL), 0);
            assert_non_null(readers[one].ids);
        }
        struct tn_token_ids alone = token_texts_encode(&texts, tn_builder_str(&text), TN_TEXT_WHOLE);
        assert_memory_equal(readers[0].ids, alone.ids, alone.count * sizeof *alone.ids);
        assert_int_equal(readers[0].count, readers[1].count);
        assert_memory_equal(readers[0].ids, readers[1].ids, readers[0].count * sizeof *readers[0].ids);
        free(readers[0].ids);
        free(readers[1].ids);
        token_texts_close(&texts);
    }
    tn_builder_free(&text);
    tn_builder_free(&piece);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_broken_character_is_one_replacement),
        cmocka_unit_test(no_text_has_no_tokens),
        cmocka_unit_test(zeros_are_text),
        cmocka_unit_test(parts_between_cuts_make_the_whole),
#ifndef __wasm__
        cmocka_unit_test(threads_share_a_tokenizer),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
