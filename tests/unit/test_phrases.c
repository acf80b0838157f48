/* Phrases of other languages: what a placeholder takes, what is turned within it, what stays, and lines that are none. */
#include "base/arena.h"
#include "text/phrases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct tn_arena arena;

static bool read(const char *text, struct tn_phrases *phrases, struct tn_error *error)
{
    struct tn_record_list list = {0};
    assert_true(tn_records_read(&arena, tn_str_of(text), TN_STR("x.rec"), &list, NULL));
    assert_int_equal(list.count, 1);
    return tn_phrases_read(&list.records[0], &arena, phrases, error);
}

static void check(const struct tn_phrases *phrases, const char *english, const char *other)
{
    struct tn_str said = tn_phrases_say(phrases, &arena, tn_str_of(english));
    if (!tn_str_is(said, other)) {
        fail_msg("'%s' became '%.*s'", english, (int)said.size, said.data);
    }
}

static const char record[] = "language xx\n"
                             "  say fits on {gpus}, {free:b} free => passt auf {gpus}, {free} bleiben\n"
                             "  say {n:n} request{:s} => {n} Anfragen\n"
                             "  say {n:n} request{:s} of {m:n} tokens => {n} Anfragen mit {m} Marken\n"
                             "  say {a}; {b} => {b} - {a}\n"
                             "  say {name:w} is new => {name} ist neu\n"
                             "  say {name:w} is new => nie erreicht\n"
                             "  say weights => Gewichte\n";

static void texts_become_what_the_first_phrase_says(void **state)
{
    (void)state;
    struct tn_phrases phrases;
    assert_true(read(record, &phrases, NULL));
    assert_int_equal(phrases.count, 7);
    check(&phrases, "weights", "Gewichte");
    check(&phrases, "more weights", "more weights");
    check(&phrases, "", "");
    check(&phrases, "1 request", "1 Anfragen");
    check(&phrases, "1,024 requests of 8 tokens", "1,024 Anfragen mit 8 Marken");
    check(&phrases, "vllm is new", "vllm ist neu");
    check(&phrases, "it all is new", "it all is new"); /* a word has no spaces */
    check(&phrases, "fits on 2 x A, B, 1.50 GiB free", "passt auf 2 x A, B, 1.50 GiB bleiben");
    check(&phrases, "fits on A, much free", "fits on A, much free"); /* not a size */
    check(&phrases, "fits on A, 5 Gib free", "fits on A, 5 Gib free");
    check(&phrases, "fits on , 5 GiB free", "fits on , 5 GiB free"); /* a placeholder takes at least a byte */
}

static void what_a_placeholder_takes_is_turned_too(void **state)
{
    (void)state;
    struct tn_phrases phrases;
    assert_true(read(record, &phrases, NULL));
    check(&phrases, "weights; 3 requests", "3 Anfragen - Gewichte");
    check(&phrases, "a; b; weights", "Gewichte - b - a");
}

static void an_empty_table_and_hostile_texts_leave_a_text_as_it_is(void **state)
{
    (void)state;
    struct tn_phrases phrases = {0};
    char text[4001];
    check(&phrases, "weights", "weights");
    assert_true(read("language xx\n  say {a}a{b}a{c}a{d}a{e}b => {e}\n", &phrases, NULL));
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    check(&phrases, text, text); /* 4,000^5 / 120 ways of none: it gives up */
    assert_true(read(record, &phrases, NULL));
    memset(text, ';', sizeof text - 1);
    (void)tn_phrases_say(&phrases, &arena, tn_str_of(text));
}

static void lines_that_are_no_phrases_are_errors_with_their_place(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "language xx\n  say weights\n",       "language xx\n  tell a => b\n",    "language xx\n  say {a => b\n",
        "language xx\n  say {a:q} => b\n",    "language xx\n  say {a} => {b}\n", "language xx\n  say a => {\n",
        "language xx\n  say {a:nn} b => c\n",
    };
    for (size_t k = 0; k < sizeof broken / sizeof *broken; k++) {
        struct tn_phrases phrases;
        struct tn_error error = {0};
        if (read(broken[k], &phrases, &error)) {
            fail_msg("taken: %s", broken[k]);
        }
        assert_int_equal(error.code, TN_ERROR_RECORD);
        assert_string_equal(error.where, "x.rec:2");
    }
}

static int free_arena(void **state)
{
    (void)state;
    tn_arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_what_the_first_phrase_says),
        cmocka_unit_test(what_a_placeholder_takes_is_turned_too),
        cmocka_unit_test(an_empty_table_and_hostile_texts_leave_a_text_as_it_is),
        cmocka_unit_test(lines_that_are_no_phrases_are_errors_with_their_place),
    };
    return cmocka_run_group_tests_name("phrases", tests, NULL, free_arena);
}
