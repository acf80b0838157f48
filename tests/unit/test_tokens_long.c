/* 1 MiB of one kind through whole tokenizers: none takes quadratic time. The counts of token_pipelines.c are worked out
 * beside them; those of noise are of Hugging Face tokenizers 0.23.3, and of Python's errors="replace". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "token_pipelines.h"

#define FACE "\xF0\x9F\x98\x80"

enum { LONG_BYTES = 1024 * 1024 };

/* An algorithm of quadratic time would take a million times a million steps. */
static void long_texts_of_one_kind_are_counted(void **state)
{
    (void)state;
    struct tn_builder long_texts[LONG_TEXTS] = {{0}};
    tn_builder_add_repeated(&long_texts[LETTERS], "a", LONG_BYTES);
    tn_builder_add_repeated(&long_texts[FACES], FACE, LONG_BYTES / 4);
    tn_builder_add_repeated(&long_texts[BLANKS], " ", LONG_BYTES);
    uint32_t seed = 7;
    for (size_t k = 0; k < LONG_BYTES; k++) {
        tn_builder_add_char(&long_texts[NOISE], (char)(unsigned char)token_texts_random(&seed, 256));
    }
    for (size_t k = 0; k < PIPELINES; k++) {
        struct token_texts texts;
        pipeline_open(&texts, &pipelines[k]);
        for (size_t one = 0; one < LONG_TEXTS; one++) {
            size_t count = token_texts_encode(&texts, tn_builder_str(&long_texts[one]), TN_TEXT_WHOLE).count;
            assert_int_equal(count, pipelines[k].counts[one]);
        }
        token_texts_close(&texts);
    }
    for (size_t one = 0; one < LONG_TEXTS; one++) {
        tn_builder_free(&long_texts[one]);
    }
}

/* Marks in the wrong order: NFD puts all 2^18 of class 220 (U+0323) in front of all of class 230 (U+0301). Each has two
 * bytes, and no merges. */
static void long_runs_of_marks_are_put_in_order(void **state)
{
    (void)state;
    enum { MARKS = LONG_BYTES / 4 };
    struct pipeline pipeline = pipelines[0];
    pipeline.normalizer = "{\"type\": \"NFD\"}";
    struct token_texts texts;
    struct tn_builder text = {0};
    pipeline_open(&texts, &pipeline);
    tn_builder_add_char(&text, 'z');
    tn_builder_add_repeated(&text, "\xCC\x81\xCC\xA3", MARKS);
    struct tn_token_ids ids = token_texts_encode(&texts, tn_builder_str(&text), TN_TEXT_WHOLE);
    assert_int_equal(ids.count, 1 + 4 * (size_t)MARKS);
    assert_int_equal(ids.ids[(size_t)2 * MARKS], 0xA3);
    assert_int_equal(ids.ids[2 * MARKS + 2], 0x81);
    tn_builder_free(&text);
    token_texts_close(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_texts_of_one_kind_are_counted),
        cmocka_unit_test(long_runs_of_marks_are_put_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
