/* src/text/utf8.c: what is valid, what it decodes to, and how wide it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/utf8.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The borders of table 3-7 of the Unicode standard, "Well-Formed UTF-8 Byte Sequences". */
static void borders_of_well_formed_sequences(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        uint32_t code; /* 0 where ill-formed */
    } rows[] = {
        {"\x01", 0x01},
        {"\x7F", 0x7F},
        {"\x80", 0},
        {"\xBF", 0},
        {"\xC1\xBF", 0}, /* overlong */
        {"\xC2\x80", 0x80},
        {"\xC2\x7F", 0},
        {"\xC2\xC0", 0},
        {"\xC2", 0},
        {"\xDF\xBF", 0x7FF},
        {"\xE0\x9F\xBF", 0}, /* overlong */
        {"\xE0\xA0\x80", 0x800},
        {"\xE0\xA0", 0},
        {"\xE0\xA0\x41", 0},
        {"\xED\x9F\xBF", 0xD7FF},
        {"\xED\xA0\x80", 0}, /* the first surrogate */
        {"\xED\xBF\xBF", 0}, /* the last one */
        {"\xEE\x80\x80", 0xE000},
        {"\xEF\xBF\xBF", 0xFFFF},
        {"\xF0\x8F\xBF\xBF", 0}, /* overlong */
        {"\xF0\x90\x80\x80", 0x10000},
        {"\xF0\x90\x80", 0},
        {"\xF4\x8F\xBF\xBF", 0x10FFFF},
        {"\xF4\x90\x80\x80", 0}, /* beyond Unicode */
        {"\xF5\x80\x80\x80", 0},
        {"\xF8\x88\x80\x80\x80", 0},
        {"\xFF", 0},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        struct tn_str text = tn_str_of(rows[k].bytes);
        uint32_t code = 0;
        assert_int_equal(tn_utf8_decode(text, &code), rows[k].code ? text.size : 0);
        assert_int_equal(code, rows[k].code);
        assert_int_equal(tn_utf8_valid(text), rows[k].code ? text.size : 0);
    }
    uint32_t code;
    assert_int_equal(tn_utf8_decode(TN_STR(""), &code), 0);
    assert_int_equal(tn_utf8_decode(TN_STR("\0"), &code), 1);
    assert_int_equal(code, 0);
}

static void every_character_is_decoded_as_it_was_encoded(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        if (code >= 0xD800 && code <= 0xDFFF) {
            continue;
        }
        char bytes[4];
        size_t size = tn_utf8_encode(code, bytes);
        uint32_t decoded;
        assert_true(tn_utf8_decode((struct tn_str){bytes, size}, &decoded) == size);
        assert_true(decoded == code);
    }
}

static void valid_counts_the_bytes_before_the_first_fault(void **state)
{
    (void)state;
    assert_int_equal(tn_utf8_valid(TN_STR("")), 0);
    assert_int_equal(tn_utf8_valid(TN_STR("a long text of plain letters")), 28);
    assert_int_equal(tn_utf8_valid(TN_STR("caf\xC3\xA9 and more letters")), 22);
    char text[40];
    for (size_t fault = 0; fault < sizeof text; fault++) { /* at every place within the steps of eight bytes */
        memset(text, 'a', sizeof text);
        text[fault] = '\xFF';
        assert_int_equal(tn_utf8_valid((struct tn_str){text, sizeof text}), fault);
    }
}

static void columns_are_those_of_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t columns;
    } rows[] = {
        {"", 0},
        {"abc", 3},
        {"caf\xC3\xA9", 4},
        {"cafe\xCC\x81", 4},             /* e and U+0301 */
        {"\xE4\xB8\xAD\xE6\x96\x87", 4}, /* two ideographs */
        {"\xEF\xBC\xA1", 2},             /* fullwidth A */
        {"\xEF\xBD\xB1", 1},             /* halfwidth katakana */
        {"\xEA\xB0\x80", 2},             /* a hangul syllable */
        {"\xE1\x84\x80\xE1\x85\xA1", 2}, /* the same in two parts */
        {"\xF0\x9F\x98\x80", 2},         /* an emoji */
        {"\xE2\x94\x80\xE2\x94\x82", 2}, /* box drawing */
        {"\xE2\x80\x8D", 0},             /* zero width joiner */
        {"\xC2\xAD", 1},                 /* soft hyphen */
        {"a\xFF\x80"
         "b",
         4}, /* invalid bytes */
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        assert_int_equal(tn_utf8_columns(tn_str_of(rows[k].text)), rows[k].columns);
    }
}

/* A table out of order would hide ranges from the binary search. The counts were taken from the ranges with Python. */
static void all_ranges_of_widths_are_found(void **state)
{
    (void)state;
    size_t counts[3] = {0};
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        if (code >= 0xD800 && code <= 0xDFFF) {
            continue;
        }
        char bytes[4];
        size_t columns = tn_utf8_columns((struct tn_str){bytes, tn_utf8_encode(code, bytes)});
        assert_true(columns <= 2);
        counts[columns]++;
    }
    assert_int_equal(counts[2], 191877);
    assert_int_equal(counts[0], 7318);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(borders_of_well_formed_sequences),
        cmocka_unit_test(every_character_is_decoded_as_it_was_encoded),
        cmocka_unit_test(valid_counts_the_bytes_before_the_first_fault),
        cmocka_unit_test(columns_are_those_of_a_terminal),
        cmocka_unit_test(all_ranges_of_widths_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
