/* src/text/json_*.c: what is read, what is refused and where, and what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/json.h"

#include <math.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct events {
    char names[64]; /* one letter each: { } [ ] k s i r b n, and . at the end or ! at an error */
    struct tn_json_reader reader;
    struct tn_error error;
};

static void walk(struct tn_arena *arena, struct tn_str text, struct events *events)
{
    static const char letters[] = "!.{}[]ksirbn";
    size_t count = 0;
    tn_json_reader_open(&events->reader, arena, text);
    enum tn_json_event event;
    do {
        event = tn_json_next(&events->reader, &events->error);
        events->names[count++] = letters[event];
    } while (event != TN_JSON_ERROR && event != TN_JSON_END && count + 1 < sizeof events->names);
    events->names[count] = '\0';
}

static struct tn_value parse(struct tn_arena *arena, const char *text)
{
    struct tn_value root;
    struct tn_error error;
    assert_true(tn_json_read(arena, tn_str_of(text), &root, &error));
    return root;
}

static void events_follow_the_text(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"1", "i."},
        {" \t\r\n1 \t\r\n", "i."},
        {"{}", "{}."},
        {"[]", "[]."},
        {"[ ]", "[]."},
        {"[1,2.5,\"x\",true,null]", "[irsbn]."},
        {"{\"a\":1,\"b\":[{},[]]}", "{kik[{}[]]}."},
        {" { \"a\" : 1 , \"b\" : [ { } , [ ] ] } ", "{kik[{}[]]}."},
        {"\xEF\xBB\xBF[]", "[]."}, /* a byte order mark */
    };
    struct tn_arena arena = {0};
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct events events;
        walk(&arena, tn_str_of(rows[k][0]), &events);
        assert_string_equal(events.names, rows[k][1]);
        assert_int_equal(tn_json_next(&events.reader, &events.error), TN_JSON_END); /* and again */
    }
    assert_null(arena.blocks); /* nothing was allocated */
}

static void events_say_where_they_begin(void **state)
{
    (void)state;
    struct tn_json_reader reader;
    struct tn_error error;
    static const int64_t offsets[] = {1, 3, 10, 11, 14, 18, 19};
    tn_json_reader_open(&reader, NULL, TN_STR(" { \"key\" :[12,true]}"));
    for (size_t k = 0; k < COUNT_OF(offsets); k++) {
        assert_int_not_equal(tn_json_next(&reader, &error), TN_JSON_ERROR);
        assert_int_equal(reader.offset, offsets[k]);
    }
}

static void integers_are_exact_in_64_bits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t expected;
    } rows[] = {
        {"0", 0},
        {"-0", 0},
        {"-1", -1},
        {"9007199254740993", 9007199254740993},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct tn_arena arena = {0};
        struct tn_value value = parse(&arena, rows[k].text);
        assert_int_equal(value.kind, TN_INTEGER);
        assert_true(value.as.integer == rows[k].expected);
        tn_arena_free(&arena);
    }
}

static void other_numbers_are_reals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double expected;
    } rows[] = {
        {"9223372036854775808", 0x1p63},
        {"-9223372036854775809", -0x1p63},
        {"18446744073709551616", 0x1p64}, /* 2^64, which wraps around to 0 */
        {"100000000000000000000000", 1e23},
        {"1.0", 1},
        {"-0.0", -0.0},
        {"1e3", 1000},
        {"1E+3", 1000},
        {"1.5e-1", 0.15},
        {"0.1", 0.1},
        {"0e0", 0},
        {"1e999", INFINITY},
        {"Infinity", INFINITY},
        {"-Infinity", -INFINITY},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct tn_arena arena = {0};
        struct tn_value value = parse(&arena, rows[k].text);
        assert_int_equal(value.kind, TN_REAL);
        assert_memory_equal(&value.as.real, &rows[k].expected, sizeof value.as.real);
        tn_arena_free(&arena);
    }
    struct tn_arena arena = {0};
    struct tn_value value = parse(&arena, "NaN");
    assert_int_equal(value.kind, TN_REAL);
    assert_true(isnan(value.as.real));
    tn_arena_free(&arena);
}

static void strings_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {"\"\"", ""},
        {"\"plain\"", "plain"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"a\\u0041b\"", "aAb"},
        {"\"\\u00e9\\u00E9\"", "\xC3\xA9\xC3\xA9"},
        {"\"\\u20ac\"", "\xE2\x82\xAC"},
        {"\"\\ud83d\\ude00!\"", "\xF0\x9F\x98\x80!"},
        {"\"\\uDBFF\\uDFFF\"", "\xF4\x8F\xBF\xBF"},
        {"\"\xC4\xA0the \\n \xE4\xB8\xAD\"", "\xC4\xA0the \n \xE4\xB8\xAD"},
        {"\"\x7F'\"", "\x7F'"},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct tn_arena arena = {0};
        struct tn_value value = parse(&arena, rows[k].text);
        assert_int_equal(value.kind, TN_STRING);
        assert_true(tn_str_is(value.as.string, rows[k].expected));
        tn_arena_free(&arena);
    }
    struct tn_arena arena = {0};
    struct tn_value value = parse(&arena, "\"a\\u0000b\"");
    assert_true(tn_str_equal(value.as.string, TN_STR("a\0b")));
    tn_arena_free(&arena);
}

/* A string of each length at each place, so that every end falls on every byte of the steps of eight. */
static void strings_end_at_the_right_byte(void **state)
{
    (void)state;
    char text[80];
    for (size_t size = 0; size < 40; size++) {
        for (size_t before = 0; before < 9; before++) {
            memset(text, ' ', before);
            text[before] = '"';
            memset(text + before + 1, 'a', size);
            text[before + 1 + size] = '"';
            struct tn_json_reader reader;
            tn_json_reader_open(&reader, NULL, (struct tn_str){text, before + size + 2});
            assert_int_equal(tn_json_next(&reader, NULL), TN_JSON_STRING);
            assert_int_equal(reader.string.size, size);
            assert_ptr_equal(reader.string.data, text + before + 1); /* not a copy */
            assert_int_equal(tn_json_next(&reader, NULL), TN_JSON_END);
        }
    }
}

/* Each byte that may not stand in a string, at each place of a step of eight; and that all others may. */
static void strings_test_every_byte(void **state)
{
    (void)state;
    for (unsigned one = 0; one < 256; one++) {
        for (size_t at = 1; at < 20; at++) {
            char text[21];
            memset(text, 'a', sizeof text);
            text[0] = text[20] = '"';
            text[at] = (char)one;
            struct tn_json_reader reader;
            struct tn_error error;
            tn_json_reader_open(&reader, NULL, (struct tn_str){text, sizeof text});
            enum tn_json_event event = one == '\\' ? TN_JSON_ERROR : tn_json_next(&reader, &error);
            bool may_stand = one >= ' ' && one < 0x80 && one != '\\';
            assert_int_equal(event, may_stand ? TN_JSON_STRING : TN_JSON_ERROR);
            if (!may_stand && one != '\\') {
                assert_int_equal(error.offset, at);
            }
        }
    }
}

/* Where each stops, and what it says. */
static const struct {
    const char *text;
    int64_t offset;
    const char *message;
} refusals[] = {
    {"", 0, "expected a value, found the end of the text (line 1, column 1)"},
    {"  ", 2, "expected a value, found the end of the text (line 1, column 3)"},
    {"[", 1, "expected a value or ']', found the end of the text (line 1, column 2)"},
    {"[1", 2, "expected ',' or ']', found the end of the text (line 1, column 3)"},
    {"[1,]", 3, "expected a value, found ']' (line 1, column 4)"},
    {"[,1]", 1, "expected a value or ']', found ',' (line 1, column 2)"},
    {"[1 2]", 3, "expected ',' or ']', found '2' (line 1, column 4)"},
    {"[1}", 2, "expected ',' or ']', found '}' (line 1, column 3)"},
    {"{", 1, "expected a key in double quotes or '}', found the end of the text (line 1, column 2)"},
    {"{]", 1, "expected a key in double quotes or '}', found ']' (line 1, column 2)"},
    {"{'a': 1}", 1, "expected a key in double quotes or '}', found ''' (line 1, column 2)"},
    {"{a: 1}", 1, "expected a key in double quotes or '}', found 'a' (line 1, column 2)"},
    {"{1: 1}", 1, "expected a key in double quotes or '}', found '1' (line 1, column 2)"},
    {"{\"a\" 1}", 5, "expected ':' after a key, found '1' (line 1, column 6)"},
    {"{\"a\"", 4, "expected ':' after a key, found the end of the text (line 1, column 5)"},
    {"{\"a", 1, "a string without its closing quote (line 1, column 2)"},
    {"{\"a\":}", 5, "expected a value, found '}' (line 1, column 6)"},
    {"{\"a\":1", 6, "expected ',' or '}', found the end of the text (line 1, column 7)"},
    {"{\"a\":1]", 6, "expected ',' or '}', found ']' (line 1, column 7)"},
    {"{\"a\":1,}", 7, "expected a key in double quotes after the comma, found '}' (line 1, column 8)"},
    {"{\"a\":1\n\"b\":2}", 7, "expected ',' or '}', found '\"' (line 2, column 1)"},
    {"[]]", 2, "expected the end of the text, found ']' (line 1, column 3)"},
    {"1 2", 2, "expected the end of the text, found '2' (line 1, column 3)"},
    {"{} x", 3, "expected the end of the text, found 'x' (line 1, column 4)"},
    {"]", 0, "expected a value, found ']' (line 1, column 1)"},
    {"'a'", 0, "expected a value, found ''' (line 1, column 1)"},
    {"[1, // x\n2]", 4, "expected a value, found '/' (line 1, column 5)"},
    {"/* */ 1", 0, "expected a value, found '/' (line 1, column 1)"},
    {"nul", 0, "expected a value, found 'n' (line 1, column 1)"},
    {"nulll", 4, "expected the end of the text, found 'l' (line 1, column 5)"},
    {"True", 0, "expected a value, found 'T' (line 1, column 1)"},
    {"+1", 0, "expected a value, found '+' (line 1, column 1)"},
    {".5", 0, "expected a value, found '.' (line 1, column 1)"},
    {"-", 1, "expected a digit, found the end of the text (line 1, column 2)"},
    {"-x", 1, "expected a digit, found 'x' (line 1, column 2)"},
    {"-Inf", 0, "expected a value, found '-' (line 1, column 1)"},
    {"01", 0, "a number must not begin with 0 (line 1, column 1)"},
    {"[-01]", 2, "a number must not begin with 0 (line 1, column 3)"},
    {"1.", 2, "expected a digit after the point, found the end of the text (line 1, column 3)"},
    {"[1.e3]", 3, "expected a digit after the point, found 'e' (line 1, column 4)"},
    {"1e", 2, "expected a digit of the exponent, found the end of the text (line 1, column 3)"},
    {"[1e+]", 4, "expected a digit of the exponent, found ']' (line 1, column 5)"},
    {"0x10", 1, "expected the end of the text, found 'x' (line 1, column 2)"},
    {"1\xC2\xA0", 1, "expected the end of the text, found the byte 0xC2 (line 1, column 2)"},
    {"[\x01]", 1, "expected a value or ']', found the byte 0x01 (line 1, column 2)"},
    {"\"abc", 0, "a string without its closing quote (line 1, column 1)"},
    {"[\"abc\\", 1, "a string without its closing quote (line 1, column 2)"},
    {"[\"abc\\\"", 1, "a string without its closing quote (line 1, column 2)"},
    {"\"a\nb\"", 2, "the control character 0x0A in a string must be escaped (line 1, column 3)"},
    {"\"a\\n\tb\"", 4, "the control character 0x09 in a string must be escaped (line 1, column 5)"},
    {"\"\\x41\"", 1, "an unknown escape in a string; "},
    {"\"\\u12\"", 1, "\\u without four hexadecimal digits (line 1, column 2)"},
    {"\"\\u12g4\"", 1, "\\u without four hexadecimal digits (line 1, column 2)"},
    {"\"\\uD800\"", 1, "\\uD800 is half of a surrogate pair (line 1, column 2)"},
    {"\"\\uD800x\"", 1, "\\uD800 is half of a surrogate pair (line 1, column 2)"},
    {"\"\\uD800\\n\"", 1, "\\uD800 is half of a surrogate pair (line 1, column 2)"},
    {"\"\\uD800\\u0041\"", 1, "\\uD800 is half of a surrogate pair (line 1, column 2)"},
    {"\"\\uD800\\uD800\"", 1, "\\uD800 is half of a surrogate pair (line 1, column 2)"},
    {"\"\\uD800\\u12\"", 1, "\\uD800 is half of a surrogate pair (line 1, column 2)"},
    {"\"x\\uDC00\\uD800\"", 2, "\\uDC00 is half of a surrogate pair (line 1, column 3)"},
    {"\"a\xFF\"", 2, "a string that is not UTF-8: byte 0xFF (line 1, column 3)"},
    {"\"\xED\xA0\x80\"", 1, "a string that is not UTF-8: byte 0xED (line 1, column 2)"},
    {"\"\xC3\"", 1, "a string that is not UTF-8: byte 0xC3 (line 1, column 2)"},
    {"\"\\n\xC0\x80\"", 3, "a string that is not UTF-8: byte 0xC0 (line 1, column 4)"},
    {"{\n  \"\xC3\xA9\": 1,\n  \"\xC3\xA9\" 2\n}", 20, "expected ':' after a key, found '2' (line 3, column 7)"},
};

static void refusals_name_the_byte(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(refusals); k++) {
        struct tn_arena arena = {0};
        struct tn_value root;
        struct tn_error error;
        assert_false(tn_json_read(&arena, tn_str_of(refusals[k].text), &root, &error));
        assert_int_equal(error.code, TN_ERROR_JSON);
        assert_int_equal(error.offset, refusals[k].offset);
        assert_memory_equal(error.message, refusals[k].message, strlen(refusals[k].message));
        assert_string_equal(error.where, "");
        assert_false(tn_json_read(&arena, tn_str_of(refusals[k].text), &root, NULL));
        struct events events;
        walk(&arena, tn_str_of(refusals[k].text), &events);
        assert_int_equal(tn_json_next(&events.reader, &error), TN_JSON_ERROR); /* and again, the same */
        assert_int_equal(error.offset, refusals[k].offset);
        tn_arena_free(&arena);
    }
}

static void a_nul_byte_is_no_end_of_the_text(void **state)
{
    (void)state;
    const struct {
        struct tn_str text;
        int64_t offset;
    } rows[] = {
        {TN_STR("1\0"), 1},     {TN_STR("\0"), 0},          {TN_STR("[1,\0]"), 3},
        {TN_STR("\"a\0\""), 2}, {TN_STR("{\"a\"\0:1}"), 4},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct tn_arena arena = {0};
        struct tn_value root;
        struct tn_error error;
        assert_false(tn_json_read(&arena, rows[k].text, &root, &error));
        assert_int_equal(error.offset, rows[k].offset);
        tn_arena_free(&arena);
    }
}

static void depth_ends_at_the_limit(void **state)
{
    (void)state;
    struct tn_builder text = {0};
    struct tn_arena arena = {0};
    struct tn_value root;
    struct tn_error error;
    tn_builder_add_repeated(&text, "[", TN_JSON_DEPTH);
    tn_builder_add_repeated(&text, "]", TN_JSON_DEPTH);
    assert_true(tn_json_read(&arena, tn_builder_str(&text), &root, &error));
    tn_builder_clear(&text);
    tn_builder_add_repeated(&text, "{\"a\":", TN_JSON_DEPTH + 1);
    assert_false(tn_json_read(&arena, tn_builder_str(&text), &root, &error));
    assert_int_equal(error.offset, 5 * TN_JSON_DEPTH);
    assert_string_equal(error.message, "more than 128 levels of lists and objects (line 1, column 641)");
    tn_builder_free(&text);
    tn_arena_free(&arena);
}

static void a_document_beyond_8_gib_is_refused(void **state)
{
    (void)state;
    struct tn_error error;
    struct tn_value root;
    if (sizeof(size_t) > 4) {
        assert_false(tn_json_read(NULL, (struct tn_str){"", (size_t)1 << 33}, &root, &error));
        assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    }
}

static void the_tree_keeps_order_places_and_duplicates(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_value root = parse(&arena, "{\"b\": [10, null], \"a\": true, \"b\": {}}");
    assert_int_equal(root.kind, TN_OBJECT);
    assert_int_equal(root.count, 3);
    assert_int_equal(root.offset, 0);
    assert_true(tn_str_is(root.as.members[0].key, "b"));
    assert_true(tn_str_is(root.as.members[1].key, "a"));
    assert_true(tn_str_is(root.as.members[2].key, "b"));
    const struct tn_value *list = &root.as.members[0].value;
    assert_int_equal(list->kind, TN_LIST);
    assert_int_equal(list->count, 2);
    assert_int_equal(list->offset, 6);
    assert_int_equal(list->as.items[0].as.integer, 10);
    assert_int_equal(list->as.items[0].offset, 7);
    assert_int_equal(list->as.items[1].kind, TN_NULL);
    assert_int_equal(list->as.items[1].offset, 11);
    assert_int_equal(root.as.members[1].value.kind, TN_BOOL);
    assert_true(root.as.members[1].value.as.boolean);
    assert_int_equal(root.as.members[2].value.kind, TN_OBJECT);
    assert_int_equal(root.as.members[2].value.count, 0);
    tn_arena_free(&arena);
}

/* More items than the first stack holds, at two levels at once. */
static void the_tree_grows(void **state)
{
    (void)state;
    enum { ITEMS = 300 };
    struct tn_builder text = {0};
    struct tn_arena arena = {0};
    tn_builder_add_char(&text, '[');
    for (int row = 0; row < ITEMS; row++) {
        tn_builder_add_text(&text, row ? ",{" : "{");
        for (int column = 0; column < ITEMS; column++) {
            tn_builder_addf(&text, "%s\"%d\":%d", column ? "," : "", column, row * column);
        }
        tn_builder_add_char(&text, '}');
    }
    tn_builder_add_char(&text, ']');
    struct tn_value root = parse(&arena, text.data);
    assert_int_equal(root.count, ITEMS);
    for (int row = 0; row < ITEMS; row++) {
        assert_int_equal(root.as.items[row].count, ITEMS);
        assert_int_equal(root.as.items[row].as.members[ITEMS - 1].value.as.integer, row * (ITEMS - 1));
    }
    tn_builder_free(&text);
    tn_arena_free(&arena);
}

static void skip_passes_over_one_value(void **state)
{
    (void)state;
    static const char *const values[] = {"1", "\"x\"", "null", "[]", "{\"a\": [1, {\"b\": 2}], \"c\": []}"};
    for (size_t k = 0; k < COUNT_OF(values); k++) {
        struct tn_builder text = {0};
        tn_builder_addf(&text, "{\"skipped\": %s, \"next\": 7}", values[k]);
        struct tn_json_reader reader;
        tn_json_reader_open(&reader, NULL, tn_builder_str(&text));
        assert_int_equal(tn_json_next(&reader, NULL), TN_JSON_OBJECT_BEGIN);
        assert_int_equal(tn_json_next(&reader, NULL), TN_JSON_KEY);
        assert_true(tn_json_skip(&reader, NULL));
        assert_int_equal(tn_json_next(&reader, NULL), TN_JSON_KEY);
        assert_true(tn_str_is(reader.string, "next"));
        tn_builder_free(&text);
    }
    struct tn_json_reader reader;
    struct tn_error error;
    tn_json_reader_open(&reader, NULL, TN_STR("[1, 2"));
    assert_false(tn_json_skip(&reader, &error));
    assert_int_equal(error.offset, 5);
}

static void write_some(struct tn_json_writer *writer)
{
    tn_json_begin_object(writer);
    tn_json_key(writer, "a");
    tn_json_i64(writer, INT64_MIN);
    tn_json_key_str(writer, TN_STR("b"));
    tn_json_begin_list(writer);
    tn_json_u64(writer, UINT64_MAX);
    tn_json_boolean(writer, true);
    tn_json_boolean(writer, false);
    tn_json_null(writer);
    tn_json_begin_object(writer);
    tn_json_end_object(writer);
    tn_json_end_list(writer);
    tn_json_key(writer, "c");
    tn_json_begin_list(writer);
    tn_json_end_list(writer);
    tn_json_key(writer, "d");
    tn_json_text(writer, "x");
    tn_json_key(writer, "e");
    tn_json_text(writer, NULL);
    tn_json_end_object(writer);
}

static void the_writer_places_commas_and_lines(void **state)
{
    (void)state;
    struct tn_builder text = {0};
    struct tn_json_writer writer = {.builder = &text};
    write_some(&writer);
    assert_string_equal(text.data,
                        "{\"a\": -9223372036854775808, \"b\": [18446744073709551615, true, false, null, {}], "
                        "\"c\": [], \"d\": \"x\", \"e\": null}");
    tn_builder_clear(&text);
    writer = (struct tn_json_writer){.builder = &text, .indented = true};
    write_some(&writer);
    assert_string_equal(text.data, "{\n"
                                   "  \"a\": -9223372036854775808,\n"
                                   "  \"b\": [\n"
                                   "    18446744073709551615,\n"
                                   "    true,\n"
                                   "    false,\n"
                                   "    null,\n"
                                   "    {}\n"
                                   "  ],\n"
                                   "  \"c\": [],\n"
                                   "  \"d\": \"x\",\n"
                                   "  \"e\": null\n"
                                   "}");
    tn_builder_free(&text);
}

static void the_writer_escapes_strings(void **state)
{
    (void)state;
    struct tn_builder text = {0};
    struct tn_json_writer writer = {.builder = &text};
    tn_json_string(&writer, TN_STR("\"\\/\b\f\n\r\t\x01\x1F\x7F\0 \xC3\xA9"));
    assert_string_equal(text.data, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\\u0000 \xC3\xA9\"");
    tn_builder_clear(&text);
    writer = (struct tn_json_writer){.builder = &text};
    tn_json_string(&writer, TN_STR("a\xFF"
                                   "b\xC3"));
    assert_string_equal(text.data, "\"a\xEF\xBF\xBD"
                                   "b\xEF\xBF\xBD\"");
    tn_builder_free(&text);
}

static void the_writer_writes_numbers_that_come_back(void **state)
{
    (void)state;
    struct tn_builder text = {0};
    struct tn_json_writer writer = {.builder = &text};
    tn_json_begin_list(&writer);
    tn_json_real(&writer, 0.1);
    tn_json_real(&writer, 10000);
    tn_json_real(&writer, 1e300);
    tn_json_real(&writer, -0.0);
    tn_json_real(&writer, NAN);
    tn_json_real(&writer, INFINITY);
    tn_json_end_list(&writer);
    assert_string_equal(text.data, "[0.1, 10000.0, 1e300, -0.0, null, null]");
    tn_builder_free(&text);
}

static void a_tree_is_written_as_it_was_read(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\": [1, -2, 3.5, 1e100, 7.0], \"b\": {\"c\": \"x\\ny\", \"d\": true}, \"e\": null, \"a\": []}";
    struct tn_arena arena = {0};
    struct tn_builder written = {0};
    struct tn_value root = parse(&arena, text);
    struct tn_json_writer writer = {.builder = &written};
    tn_json_value(&writer, &root);
    assert_string_equal(written.data, text);
    tn_builder_free(&written);
    tn_arena_free(&arena);
}

/* Deeper than the 64 levels that a bit mask would hold. */
static void the_deepest_tree_is_written(void **state)
{
    (void)state;
    struct tn_builder text = {0};
    struct tn_builder written = {0};
    struct tn_arena arena = {0};
    tn_builder_add_repeated(&text, "[1, ", TN_JSON_DEPTH - 1);
    tn_builder_add_text(&text, "[]");
    tn_builder_add_repeated(&text, ", 2]", TN_JSON_DEPTH - 1);
    struct tn_value root = parse(&arena, text.data);
    struct tn_json_writer writer = {.builder = &written};
    tn_json_value(&writer, &root);
    assert_string_equal(written.data, text.data);
    tn_builder_free(&text);
    tn_builder_free(&written);
    tn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_follow_the_text),
        cmocka_unit_test(events_say_where_they_begin),
        cmocka_unit_test(integers_are_exact_in_64_bits),
        cmocka_unit_test(other_numbers_are_reals),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(strings_end_at_the_right_byte),
        cmocka_unit_test(strings_test_every_byte),
        cmocka_unit_test(refusals_name_the_byte),
        cmocka_unit_test(a_nul_byte_is_no_end_of_the_text),
        cmocka_unit_test(depth_ends_at_the_limit),
        cmocka_unit_test(a_document_beyond_8_gib_is_refused),
        cmocka_unit_test(the_tree_keeps_order_places_and_duplicates),
        cmocka_unit_test(the_tree_grows),
        cmocka_unit_test(skip_passes_over_one_value),
        cmocka_unit_test(the_writer_places_commas_and_lines),
        cmocka_unit_test(the_writer_escapes_strings),
        cmocka_unit_test(the_writer_writes_numbers_that_come_back),
        cmocka_unit_test(a_tree_is_written_as_it_was_read),
        cmocka_unit_test(the_deepest_tree_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
