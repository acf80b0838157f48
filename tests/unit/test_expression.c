/* Expressions: tables of programs with their values or errors (tests/data/expression), and the limits that no table can hold. */
#include "text/expression.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PATH_SIZE = 512 };

/* ---- a scope: the facts of an object, and one symbol, i = 3 -------------------------------------------------------- */

static bool find_symbol(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error)
{
    (void)context;
    *value = tn_value_integer(3);
    return tn_str_is(name, "i")
           || tn_fail(error, TN_ERROR_EXPRESSION, "no symbol '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(name));
}

static const struct tn_value *find_fact(void *context, struct tn_str name)
{
    return tn_value_member(context, name);
}

static bool run(struct tn_arena *arena, struct tn_str program, struct tn_value *facts, struct tn_value *value,
                struct tn_error *error)
{
    struct tn_scope scope = {.context = facts, .symbol = find_symbol, .fact = find_fact};
    const struct tn_expression *expression;
    *error = (struct tn_error){.offset = -1};
    return tn_expression_parse_all(arena, program, &expression, error)
           && tn_expression_evaluate(expression, &scope, arena, value, error);
}

/* ---- the tables ---------------------------------------------------------------------------------------------------- */

/* "7", or "! code, message @ where": as the tables write it */
static void write_outcome(struct tn_builder *text, bool done, const struct tn_value *value,
                          const struct tn_error *error)
{
    if (done) {
        struct tn_json_writer writer = {.builder = text};
        tn_json_value(&writer, value);
        return;
    }
    tn_builder_addf(text, "! %s, %s", tn_code_name(error->code), error->message);
    if (error->where[0]) {
        tn_builder_addf(text, " @ %s", error->where);
    }
}

static struct tn_str read_file(struct tn_arena *arena, const char *name)
{
    char path[PATH_SIZE];
    const char *source = getenv("SOURCE_DIR");
    (void)snprintf(path, sizeof path, "%s/tests/data/expression/%s", source ? source : ".", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size > 0);
    rewind(file);
    char *text = tn_arena_alloc(arena, (size_t)size);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
    (void)fclose(file);
    return (struct tn_str){text, (size_t)size};
}

static struct tn_str take_line(struct tn_str *text)
{
    size_t end = tn_str_find(*text, TN_STR("\n"));
    struct tn_str line = tn_str_slice(*text, 0, end);
    *text = tn_str_slice(*text, line.size + 1, text->size);
    return line;
}

/* facts {...}: the JSON up to the line that no backslash joins to the next */
static void read_facts(struct tn_arena *arena, struct tn_str line, struct tn_str *text, struct tn_value *facts)
{
    struct tn_builder json = {0};
    struct tn_error error;
    struct tn_str copy;
    line = tn_str_slice(line, strlen("facts "), line.size);
    while (tn_str_ends(line, TN_STR("\\"))) {
        tn_builder_add(&json, tn_str_slice(line, 0, line.size - 1));
        line = take_line(text);
    }
    tn_builder_add(&json, line);
    assert_true(tn_str_copy(arena, tn_builder_str(&json), &copy));
    tn_builder_free(&json);
    if (!tn_json_read(arena, copy, facts, &error)) {
        fail_msg("%s", error.message);
    }
}

static bool check_case(struct tn_arena *arena, struct tn_value *facts, struct tn_str program, struct tn_str expected)
{
    struct tn_builder outcome = {0};
    struct tn_value value = {0};
    struct tn_error error;
    bool done = run(arena, program, facts, &value, &error);
    write_outcome(&outcome, done, &value, &error);
    bool as_expected = tn_str_equal(tn_builder_str(&outcome), expected);
    if (!as_expected) {
        print_error(TN_STR_FORMAT "\n    gives    " TN_STR_FORMAT "\n    expected " TN_STR_FORMAT "\n",
                    TN_STR_ARGUMENTS(program), TN_STR_ARGUMENTS(tn_builder_str(&outcome)), TN_STR_ARGUMENTS(expected));
    }
    tn_builder_free(&outcome);
    return as_expected;
}

static void check_table(const char *name)
{
    struct tn_arena arena = {0};
    struct tn_value facts = {0};
    struct tn_str text = read_file(&arena, name);
    size_t cases = 0;
    size_t wrong = 0;
    while (text.size) {
        struct tn_str line = take_line(&text);
        size_t arrow = tn_str_find(line, TN_STR(" => "));
        if (tn_str_starts(line, TN_STR("facts "))) {
            read_facts(&arena, line, &text, &facts);
        } else if (line.size && line.data[0] != '#') {
            assert_true(arrow != SIZE_MAX);
            cases++;
            wrong +=
                !check_case(&arena, &facts, tn_str_slice(line, 0, arrow), tn_str_slice(line, arrow + 4, line.size));
        }
    }
    tn_arena_free(&arena);
    assert_true(cases > 50);
    assert_int_equal(wrong, 0);
}

static void operators_as_in_the_table(void **state)
{
    (void)state;
    check_table("operators.test");
}

static void values_as_in_the_table(void **state)
{
    (void)state;
    check_table("values.test");
}

static void functions_as_in_the_table(void **state)
{
    (void)state;
    check_table("functions.test");
}

/* ---- limits -------------------------------------------------------------------------------------------------------- */

/* count times `part`, then `middle`, then count times `end` */
static struct tn_str repeated(struct tn_builder *text, const char *part, size_t count, const char *middle,
                              const char *end)
{
    tn_builder_clear(text);
    tn_builder_add_repeated(text, part, count);
    tn_builder_add_text(text, middle);
    tn_builder_add_repeated(text, end, count);
    return tn_builder_str(text);
}

static void expect(struct tn_str program, enum tn_code code, const char *message_part)
{
    struct tn_arena arena = {0};
    struct tn_value facts = {.kind = TN_OBJECT};
    struct tn_value value;
    struct tn_error error;
    assert_int_equal(run(&arena, program, &facts, &value, &error), code == TN_OK);
    assert_int_equal(error.code, code);
    assert_non_null(strstr(error.message, message_part));
    tn_arena_free(&arena);
}

static void nesting_ends_at_a_limit(void **state)
{
    (void)state;
    static const struct {
        const char *open;
        const char *close;
        size_t deepest; /* the innermost operand is one level more */
    } nests[] = {{"(", ")", 63},   {"[", "]", 63},    {"-", "", 63},
                 {"not ", "", 63}, {"min(", ")", 63}, {"{\"a\":", "}", 63}};
    struct tn_builder text = {0};
    for (size_t k = 0; k < sizeof nests / sizeof nests[0]; k++) {
        const char *middle = nests[k].open[0] == 'n' ? "true" : "1";
        expect(repeated(&text, nests[k].open, nests[k].deepest, middle, nests[k].close), TN_OK, "");
        expect(repeated(&text, nests[k].open, nests[k].deepest + 1, middle, nests[k].close), TN_ERROR_EXPRESSION,
               "too deeply nested");
        expect(repeated(&text, nests[k].open, 100000, middle, nests[k].close), TN_ERROR_EXPRESSION,
               "too deeply nested");
    }
    /* the default operator groups to the right: each is a level */
    expect(repeated(&text, "null?", 63, "1", ""), TN_OK, "");
    expect(repeated(&text, "null?", 64, "1", ""), TN_ERROR_EXPRESSION, "too deeply nested");
    tn_builder_free(&text);
}

static void chains_end_at_a_limit(void **state)
{
    (void)state;
    struct tn_builder text = {0};
    expect(repeated(&text, "", 512, "1", "+1"), TN_OK, "");
    expect(repeated(&text, "", 513, "1", "+1"), TN_ERROR_EXPRESSION, "too many operations in a row");
    expect(repeated(&text, "", 512, "$a", "[0]"), TN_OK, "");
    expect(repeated(&text, "", 513, "$a", "[0]"), TN_ERROR_EXPRESSION, "too many operations in a row");
    expect(repeated(&text, "", 513, "$a", ".b"), TN_ERROR_EXPRESSION, "too many operations in a row");
    expect(repeated(&text, "", 100000, "1", "*1"), TN_ERROR_EXPRESSION, "too many operations in a row");
    tn_builder_free(&text);
}

static void lists_end_at_a_limit(void **state)
{
    (void)state;
    struct tn_builder text = {0};
    const char *const shapes[][3] = {{"[", "1,", "]"}, {"{", "\"a\":1,", "}"}};
    const size_t most[] = {512, 256}; /* an object has two children per member */
    for (size_t k = 0; k < 2; k++) {
        for (size_t more = 0; more < 2; more++) {
            tn_builder_clear(&text);
            tn_builder_add_text(&text, shapes[k][0]);
            tn_builder_add_repeated(&text, shapes[k][1], most[k] + more);
            tn_builder_add_text(&text, shapes[k][2]);
            expect(tn_builder_str(&text), more ? TN_ERROR_EXPRESSION : TN_OK, more ? "too many items" : "");
        }
    }
    tn_builder_free(&text);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    expect(TN_STR("1 \0"), TN_ERROR_EXPRESSION, "unexpected text");
    expect(TN_STR("\"a\0\""), TN_ERROR_EXPRESSION, "closing quote");
    expect(TN_STR("\0"), TN_ERROR_EXPRESSION, "unexpected end");
    expect(TN_STR("\xff"), TN_ERROR_EXPRESSION, "unexpected character");
    expect(TN_STR("[1,\0"), TN_ERROR_EXPRESSION, "unexpected end");
    expect((struct tn_str){0}, TN_ERROR_EXPRESSION, "unexpected end");
}

/* ---- what statements need ------------------------------------------------------------------------------------------ */

static void the_longest_expression_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t consumed;
    } cases[] = {{"2 * nkv * hd split kv(nkv)", 12},
                 {"L from 1", 1},
                 {"nh * hd, d] class x", 7},
                 {"E class expert", 1},
                 {"k of E", 1},
                 {"a in b when c", 6},
                 {"a ? b or c : text", 10},
                 {"max(1, 2) x", 9},
                 {"  1  ", 3},
                 {"$a.b[1] [2]", 7},
                 {"not a split", 5},
                 {"a - 1 (x)", 5},
                 {"-a b", 2},
                 {"\"a b\" c", 5}};
    struct tn_arena arena = {0};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        const struct tn_expression *expression;
        size_t consumed;
        assert_true(tn_expression_parse(&arena, tn_str_of(cases[k].text), &expression, &consumed, NULL));
        assert_int_equal(consumed, cases[k].consumed);
    }
    tn_arena_free(&arena);
}

static void errors_say_where_in_the_text(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_error error;
    const struct tn_expression *expression;
    size_t consumed;
    assert_false(tn_expression_parse(&arena, TN_STR("1 + * 2"), &expression, &consumed, &error));
    assert_int_equal(error.offset, 4);
    assert_string_equal(error.where, "expression");
    assert_false(tn_expression_parse(&arena, TN_STR("1 + * 2"), &expression, &consumed, NULL));
    tn_arena_free(&arena);
}

static void errors_carry_the_offset_of_the_key(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_value facts;
    struct tn_value value;
    struct tn_error error;
    assert_true(tn_json_read(&arena, TN_STR("{\"a\": 1, \"b\": \"x\"}"), &facts, NULL));
    assert_false(run(&arena, TN_STR("1 + $b"), &facts, &value, &error));
    assert_int_equal(error.code, TN_ERROR_CONFIG);
    assert_int_equal(error.offset, 14); /* of "x" in the document */
    tn_arena_free(&arena);
}

static void an_integer_may_be_written_as_a_real(void **state)
{
    (void)state;
    static const struct {
        const char *program;
        enum tn_code code;
        int64_t integer;
    } cases[] = {
        {"4096.0", TN_OK, 4096},
        {"-3.0", TN_OK, -3},
        {"9007199254740991.0", TN_OK,
         9007199254740991}, /* 2^53 - 1, the last that a double tells from its neighbours */
        {"9007199254740992.0", TN_ERROR_EXPRESSION, 0},
        {"0.5", TN_ERROR_EXPRESSION, 0},
        {"\"4\"", TN_ERROR_EXPRESSION, 0},
        {"$absent", TN_ERROR_CONFIG, 0},
        {"true", TN_ERROR_EXPRESSION, 0},
    };
    struct tn_arena arena = {0};
    struct tn_value facts = {.kind = TN_OBJECT};
    struct tn_scope scope = {.context = &facts, .symbol = find_symbol, .fact = find_fact};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        const struct tn_expression *expression;
        struct tn_error error = {0};
        int64_t integer = 0;
        assert_true(tn_expression_parse_all(&arena, tn_str_of(cases[k].program), &expression, NULL));
        bool done = tn_expression_integer(expression, &scope, &arena, &integer, &error);
        assert_int_equal(error.code, cases[k].code);
        assert_int_equal(done, cases[k].code == TN_OK);
        assert_true(integer == cases[k].integer);
    }
    tn_arena_free(&arena);
}

static void collect_name(void *context, struct tn_str name, bool is_fact)
{
    struct tn_builder *names = context;
    tn_builder_add_text(names, is_fact ? " $" : " ");
    tn_builder_add(names, name);
}

static void names_come_in_the_order_of_the_text(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_builder names = {0};
    const struct tn_expression *expression;
    struct tn_str program = TN_STR("$a.b[i] ? min(c, [$d, -e], {\"k\": f}) + $a");
    assert_true(tn_expression_parse_all(&arena, program, &expression, NULL));
    tn_expression_names(expression, collect_name, &names);
    assert_string_equal(names.data, " $a i c $d e f $a");
    assert_true(tn_str_equal(tn_expression_text(expression), program));
    tn_builder_free(&names);
    tn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_as_in_the_table),
        cmocka_unit_test(values_as_in_the_table),
        cmocka_unit_test(functions_as_in_the_table),
        cmocka_unit_test(nesting_ends_at_a_limit),
        cmocka_unit_test(chains_end_at_a_limit),
        cmocka_unit_test(lists_end_at_a_limit),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(the_longest_expression_is_taken),
        cmocka_unit_test(errors_say_where_in_the_text),
        cmocka_unit_test(errors_carry_the_offset_of_the_key),
        cmocka_unit_test(an_integer_may_be_written_as_a_real),
        cmocka_unit_test(names_come_in_the_order_of_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
