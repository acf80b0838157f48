/* src/text/value.c: looking up, paths, equality. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/json.h"

#include <math.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct tn_value value_of(struct tn_arena *arena, const char *text)
{
    struct tn_value value;
    struct tn_error error;
    assert_true(tn_json_read(arena, tn_str_of(text), &value, &error));
    return value;
}

static void member_is_the_last_of_equal_keys(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_value object = value_of(&arena, "{\"a\": 1, \"b\": 2, \"a\": 3}");
    assert_int_equal(tn_value_member(&object, TN_STR("a"))->as.integer, 3);
    assert_int_equal(tn_value_member(&object, TN_STR("b"))->as.integer, 2);
    assert_null(tn_value_member(&object, TN_STR("c")));
    struct tn_value list = value_of(&arena, "[1]");
    assert_null(tn_value_member(&list, TN_STR("a")));
    tn_arena_free(&arena);
}

static void path_follows_names_and_indices(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int64_t expected; /* -1 where the path ends early */
    } rows[] = {
        {"a", 1},         {"b.c", 2},
        {"b.d[0]", 3},    {"b.d[1].e", 4},
        {"b.d[2][1]", 6}, {"b.d[00]", 3},
        {"x", -1},        {"a.b", -1},
        {"a[0]", -1},     {"b.d[3]", -1},
        {"b.d[-1]", -1},  {"b.d[]", -1},
        {"b.d[0", -1},    {"b.d[0x]", -1},
        {"b.d.e", -1},    {".a", -1},
        {"b.", -1},       {"b..c", -1},
        {"b.d[1]e", -1},  {"[0]", -1},
        {"b[0]", -1},     {"b.d[99999999999999999999999]", -1},
    };
    struct tn_arena arena = {0};
    struct tn_value root = value_of(&arena, "{\"a\": 1, \"b\": {\"c\": 2, \"d\": [3, {\"e\": 4}, [5, 6]]}}");
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        const struct tn_value *value = tn_value_path(&root, tn_str_of(rows[k].path));
        assert_int_equal(value ? value->as.integer : -1, rows[k].expected);
    }
    assert_ptr_equal(tn_value_path(&root, TN_STR("")), &root);
    struct tn_value list = value_of(&arena, "[[7]]");
    assert_int_equal(tn_value_path(&list, TN_STR("[0][0]"))->as.integer, 7);
    tn_arena_free(&arena);
}

static void equal_values_are_equal_in_any_notation(void **state)
{
    (void)state;
    static const char *const equal[][2] = {
        {"null", "null"},
        {"true", "true"},
        {"1", "1.0"},
        {"1.0", "1"},
        {"0", "-0.0"},
        {"9007199254740992", "9007199254740992.0"},
        {"-9223372036854775808", "-9223372036854775808.0"},
        {"\"\\u0061\"", "\"a\""},
        {"[1, [2]]", "[1.0, [2]]"},
        {"[]", "[]"},
        {"{\"a\": 1, \"b\": 2}", "{\"b\": 2, \"a\": 1}"},
    };
    static const char *const different[][2] = {
        {"null", "false"},
        {"true", "false"},
        {"1", "2"},
        {"1", "1.5"},
        {"1.5", "2.5"},
        {"9007199254740993", "9007199254740992.0"}, /* they differ by one, though no double lies between */
        {"9223372036854775807", "9223372036854775808"},
        {"1", "\"1\""},
        {"\"a\"", "\"b\""},
        {"[1]", "[1, 2]"},
        {"[1, 2]", "[2, 1]"},
        {"[]", "{}"},
        {"{\"a\": 1}", "{\"a\": 2}"},
        {"{\"a\": 1}", "{\"b\": 1}"},
        {"{\"a\": 1, \"a\": 1}", "{\"a\": 1, \"b\": 1}"},
        {"{\"a\": 1, \"b\": 1}", "{\"a\": 1, \"a\": 1}"},
        {"NaN", "NaN"},
        {"1", "NaN"},
        {"1", "Infinity"},
    };
    struct tn_arena arena = {0};
    for (size_t k = 0; k < COUNT_OF(equal); k++) {
        struct tn_value a = value_of(&arena, equal[k][0]);
        struct tn_value b = value_of(&arena, equal[k][1]);
        assert_true(tn_value_equal(&a, &b));
    }
    for (size_t k = 0; k < COUNT_OF(different); k++) {
        struct tn_value a = value_of(&arena, different[k][0]);
        struct tn_value b = value_of(&arena, different[k][1]);
        assert_false(tn_value_equal(&a, &b));
    }
    tn_arena_free(&arena);
}

static void made_values_have_no_place(void **state)
{
    (void)state;
    const struct tn_value values[] = {tn_value_boolean(true), tn_value_integer(-5), tn_value_real(0.5),
                                      tn_value_string(TN_STR("x"))};
    const enum tn_kind kinds[] = {TN_BOOL, TN_INTEGER, TN_REAL, TN_STRING};
    for (size_t k = 0; k < COUNT_OF(values); k++) {
        assert_int_equal(values[k].kind, kinds[k]);
        assert_int_equal(values[k].offset, -1);
    }
    assert_true(values[0].as.boolean);
    assert_int_equal(values[1].as.integer, -5);
    assert_true(values[2].as.real == 0.5);
    assert_true(tn_str_is(values[3].as.string, "x"));
}

static void kinds_have_names_for_messages(void **state)
{
    (void)state;
    static const char *const names[] = {"null",     "a boolean", "an integer", "a number",
                                        "a string", "a list",    "an object"};
    for (size_t k = 0; k < COUNT_OF(names); k++) {
        assert_string_equal(tn_kind_name((enum tn_kind)k), names[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(member_is_the_last_of_equal_keys),       cmocka_unit_test(path_follows_names_and_indices),
        cmocka_unit_test(equal_values_are_equal_in_any_notation), cmocka_unit_test(made_values_have_no_place),
        cmocka_unit_test(kinds_have_names_for_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
