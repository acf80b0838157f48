/* src/text/record.c: what record files hold, and what is refused on which line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/record.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct tn_record_list parse(struct tn_arena *arena, const char *text)
{
    struct tn_record_list list = {0};
    struct tn_error error = {0};
    bool is_read = tn_records_read(arena, tn_str_of(text), TN_STR("a.tnr"), &list, &error);
    assert_string_equal(error.message, "");
    assert_true(is_read);
    return list;
}

static void assert_statement(const struct tn_record *record, uint32_t index, const char *word, const char *rest,
                             uint32_t line)
{
    assert_true(index < record->count);
    assert_true(tn_str_is(record->statements[index].word, word));
    assert_true(tn_str_is(record->statements[index].rest, rest));
    assert_int_equal(record->statements[index].line, line);
}

static void records_have_types_ids_and_parents(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_record_list list = parse(&arena, "arch llama\n"
                                               "  one first\n"
                                               "\ttwo   second   part  \n"
                                               "\n"
                                               "arch mistral : llama\n"
                                               "gpu  h100   :   hopper  # comment\n"
                                               "  bare\n");
    assert_int_equal(list.count, 3);
    assert_true(tn_str_is(list.records[0].type, "arch"));
    assert_true(tn_str_is(list.records[0].id, "llama"));
    assert_int_equal(list.records[0].parent.size, 0);
    assert_true(tn_str_is(list.records[0].file, "a.tnr"));
    assert_int_equal(list.records[0].line, 1);
    assert_int_equal(list.records[0].count, 2);
    assert_statement(&list.records[0], 0, "one", "first", 2);
    assert_statement(&list.records[0], 1, "two", "second   part", 3);
    assert_true(tn_str_is(list.records[1].parent, "llama"));
    assert_int_equal(list.records[1].line, 5);
    assert_int_equal(list.records[1].count, 0);
    assert_true(tn_str_is(list.records[2].parent, "hopper"));
    assert_statement(&list.records[2], 0, "bare", "", 7);
    tn_arena_free(&arena);
}

static void an_empty_file_holds_no_records(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n\n", "# only a comment", "   \n\t# indented\n",
                                        "\xEF\xBB\xBF# marked\n"};
    for (size_t k = 0; k < COUNT_OF(texts); k++) {
        struct tn_arena arena = {0};
        assert_int_equal(parse(&arena, texts[k]).count, 0);
        tn_arena_free(&arena);
    }
}

static void comments_begin_at_a_mark_after_white_space(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_record_list list = parse(&arena, "# head\n"
                                               "a b# # the id is b#\n"
                                               "  w x#y # z\n"
                                               "  w \"x # y\" # z \"\n"
                                               "  w x\t#z\n"
                                               "  w \"a\"#b\n"
                                               "  #w x\n"
                                               "  w x #\n");
    assert_int_equal(list.count, 1);
    assert_true(tn_str_is(list.records[0].id, "b#"));
    assert_int_equal(list.records[0].count, 5);
    assert_statement(&list.records[0], 0, "w", "x#y", 3);
    assert_statement(&list.records[0], 1, "w", "\"x # y\"", 4);
    assert_statement(&list.records[0], 2, "w", "x", 5);
    assert_statement(&list.records[0], 3, "w", "\"a\"#b", 6);
    assert_statement(&list.records[0], 4, "w", "x", 8);
    tn_arena_free(&arena);
}

static void a_backslash_joins_lines_with_one_space(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_record_list list = parse(&arena, "a b \\\n"
                                               "   : c\n"
                                               "  w x   \\\n"
                                               "      y\\ # comment\n"
                                               "\n"
                                               "    # comment\n"
                                               "\t\\\n"
                                               "    z # end\n"
                                               "  \\\n"
                                               "    v u\n"
                                               "  w x\\y\n");
    assert_int_equal(list.count, 1);
    assert_true(tn_str_is(list.records[0].parent, "c"));
    assert_int_equal(list.records[0].count, 3);
    assert_statement(&list.records[0], 0, "w", "x y  z", 3);
    assert_statement(&list.records[0], 1, "v", "u", 9);
    assert_statement(&list.records[0], 2, "w", "x\\y", 11);
    tn_arena_free(&arena);
}

static void lines_may_end_in_carriage_return(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_record_list list = parse(&arena, "a b : c\r\n  w x \\\r\n  y\r\n\r\n  v\r\n");
    assert_int_equal(list.count, 1);
    assert_true(tn_str_is(list.records[0].parent, "c"));
    assert_statement(&list.records[0], 0, "w", "x y", 2);
    assert_statement(&list.records[0], 1, "v", "", 5);
    tn_arena_free(&arena);
}

static void several_files_go_into_one_list(void **state)
{
    (void)state;
    enum { FILES = 40 };
    struct tn_arena arena = {0};
    struct tn_record_list list = {0};
    struct tn_error error;
    for (int k = 0; k < FILES; k++) {
        assert_true(tn_records_read(&arena, TN_STR("a b\n w 1\nc d\n w 2\n"), TN_STR("f"), &list, &error));
    }
    assert_int_equal(list.count, 2 * FILES);
    assert_statement(&list.records[2 * FILES - 1], 0, "w", "2", 4);
    /* The records of another file are no record for the statements of this one. */
    assert_false(tn_records_read(&arena, TN_STR("\n w 1\n"), TN_STR("g"), &list, &error));
    assert_string_equal(error.where, "g:2");
    tn_arena_free(&arena);
}

static void a_record_holds_many_statements(void **state)
{
    (void)state;
    enum { STATEMENTS = 1000 };
    struct tn_builder text = {0};
    struct tn_arena arena = {0};
    tn_builder_add_text(&text, "a b\n");
    for (int k = 0; k < STATEMENTS; k++) {
        tn_builder_addf(&text, " w%d \\\n %d\n", k, k);
    }
    struct tn_record_list list = parse(&arena, text.data);
    assert_int_equal(list.records[0].count, STATEMENTS);
    assert_statement(&list.records[0], 999, "w999", "999", 2000);
    tn_builder_free(&text);
    tn_arena_free(&arena);
}

static void text_of_a_record_is_its_first_statement(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_record_list list = parse(&arena, "a b\n w 1\n w 2\n");
    assert_true(tn_str_is(tn_record_text(&list.records[0], "w"), "1"));
    assert_int_equal(tn_record_text(&list.records[0], "v").size, 0);
    tn_arena_free(&arena);
}

static void refusals_name_file_and_line(void **state)
{
    (void)state;
    const struct {
        struct tn_str text;
        const char *where;
        const char *message;
    } rows[] = {
        {TN_STR("\n  w x\n"), "a.tnr:2", "a statement before the first record; a record begins in the first column"},
        {TN_STR("a b\nc\n"), "a.tnr:2", "a record without an id"},
        {TN_STR("a : c\n"), "a.tnr:1", "a record without an id"},
        {TN_STR("a b :\n"), "a.tnr:1", "no parent after the colon"},
        {TN_STR("a b : # c\n"), "a.tnr:1", "no parent after the colon"},
        {TN_STR("a b c\n"), "a.tnr:1", "after the id of a record only \" : parent\" may follow"},
        {TN_STR("a b :c\n"), "a.tnr:1", "after the id of a record only \" : parent\" may follow"},
        {TN_STR("a b : c d\n"), "a.tnr:1", "a record can have one parent only"},
        {TN_STR("a b\n  w \"x\n  v y\"\n"), "a.tnr:2", "a quote that does not end on its line"},
        {TN_STR("a b\n  w \"x \\\n  y\"\n"), "a.tnr:2", "a quote that does not end on its line"},
        {TN_STR("a b\n  w x \\\n  \"y\n"), "a.tnr:3", "a quote that does not end on its line"},
        {TN_STR("a b\n  w x \\"), "a.tnr:2", "a backslash at the end of the file, where no line follows"},
        {TN_STR("a b\n  w x \\\n  y \\\n\n# z\n"), "a.tnr:2",
         "a backslash at the end of the file, where no line follows"},
        {TN_STR("a b\n  w x \\\nc d\n"), "a.tnr:3", "a line that a backslash joins to the one before must be indented"},
        {TN_STR("a b\n\0"), "a.tnr:2", "a NUL byte"},
        {TN_STR("a b\n  w \xFF\n"), "a.tnr:2", "bytes that are not UTF-8"},
        {TN_STR("a b\n  w \xC3\n\0"), "a.tnr:2", "bytes that are not UTF-8"},
        {{"a b\n", (size_t)UINT32_MAX}, "a.tnr", "a record file of 4 GiB or more"},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct tn_arena arena = {0};
        struct tn_record_list list = {0};
        struct tn_error error;
        assert_false(tn_records_read(&arena, rows[k].text, TN_STR("a.tnr"), &list, &error));
        assert_int_equal(error.code, TN_ERROR_RECORD);
        assert_string_equal(error.where, rows[k].where);
        assert_string_equal(error.message, rows[k].message);
        assert_false(tn_records_read(&arena, rows[k].text, TN_STR("a.tnr"), &list, NULL));
        tn_arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_have_types_ids_and_parents),
        cmocka_unit_test(an_empty_file_holds_no_records),
        cmocka_unit_test(comments_begin_at_a_mark_after_white_space),
        cmocka_unit_test(a_backslash_joins_lines_with_one_space),
        cmocka_unit_test(lines_may_end_in_carriage_return),
        cmocka_unit_test(several_files_go_into_one_list),
        cmocka_unit_test(a_record_holds_many_statements),
        cmocka_unit_test(text_of_a_record_is_its_first_statement),
        cmocka_unit_test(refusals_name_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
