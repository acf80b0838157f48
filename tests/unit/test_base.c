/* src/base: arena, errors, numbers, strings, the text builder, reals and the hash table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/map.h"
#include "base/number.h"
#include "base/real.h"

#include <math.h>
#include <stdalign.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void assert_text(const struct tn_builder *builder, const char *expected)
{
    assert_false(builder->failed);
    assert_string_equal(builder->data ? builder->data : "", expected);
    assert_int_equal(builder->size, strlen(expected));
}

static void arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    for (size_t size = 0; size < 100000; size = size * 3 + 1) {
        unsigned char *bytes = tn_arena_alloc(&arena, size);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % alignof(max_align_t), 0);
        for (size_t k = 0; k < size; k++) {
            assert_int_equal(bytes[k], 0);
            bytes[k] = 0xFF;
        }
    }
    tn_arena_free(&arena);
    assert_null(arena.blocks);
}

static void arena_refuses_sizes_that_do_not_fit(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    assert_null(tn_arena_alloc(&arena, SIZE_MAX));
    assert_null(tn_arena_alloc(&arena, SIZE_MAX - 64));
    assert_null(tn_arena_array(&arena, SIZE_MAX / 8 + 1, 8));
    assert_null(tn_arena_grow(&arena, NULL, 0, SIZE_MAX / 8 + 1, 8));
    assert_non_null(tn_arena_array(&arena, 0, 8));
    assert_non_null(tn_arena_array(&arena, 8, 0));
    tn_arena_free(&arena);
}

static void arena_grows_the_last_array_in_place(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    uint32_t *items = TN_NEW_ARRAY(&arena, uint32_t, 3);
    items[2] = 7;
    uint32_t *grown = tn_arena_grow(&arena, items, 3, 100, sizeof *items);
    assert_ptr_equal(grown, items);
    assert_int_equal(grown[2], 7);
    assert_int_equal(grown[3], 0);
    assert_int_equal(grown[99], 0);
    (void)TN_NEW(&arena, uint64_t);
    uint32_t *moved = tn_arena_grow(&arena, grown, 100, 200, sizeof *items);
    assert_ptr_not_equal(moved, grown);
    assert_int_equal(moved[2], 7);
    assert_int_equal(moved[199], 0);
    moved[199] = 9;
    uint32_t *same = tn_arena_grow(&arena, moved, 200, 100, sizeof *items); /* nothing is lost */
    assert_int_equal(same[199], 9);
    uint32_t *far = tn_arena_grow(&arena, same, 200, 1000000, sizeof *items); /* beyond the block */
    assert_int_equal(far[199], 9);
    assert_int_equal(far[999999], 0);
    tn_arena_free(&arena);
}

static void arena_reset_keeps_the_largest_block_for_the_next_use(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    tn_arena_reset(&arena); /* of an empty arena */
    assert_null(arena.blocks);
    enum { LARGE = 10 * 1024 * 1024 };
    memset(tn_arena_alloc(&arena, LARGE), 0xFF, LARGE);
    struct tn_arena_block *largest = arena.blocks;
    for (int k = 0; k < 5000; k++) {
        memset(tn_arena_alloc(&arena, 1000), 0xFF, 1000);
    }
    assert_ptr_not_equal(arena.blocks, largest);
    tn_arena_reset(&arena);
    assert_ptr_equal(arena.blocks, largest);
    unsigned char *bytes = tn_arena_alloc(&arena, LARGE);
    assert_ptr_equal(arena.blocks, largest);
    assert_int_equal(bytes[LARGE - 1], 0); /* zero also where something was before */
    tn_arena_free(&arena);
}

static void errors_keep_the_innermost_place_and_hint(void **state)
{
    (void)state;
    struct tn_error error;
    assert_false(tn_fail(&error, TN_ERROR_CONFIG, "%s is %d", "layers", -1));
    assert_int_equal(error.code, TN_ERROR_CONFIG);
    assert_string_equal(error.message, "layers is -1");
    assert_string_equal(error.where, "");
    assert_string_equal(error.hint, "");
    assert_int_equal(error.offset, -1);
    assert_false(tn_fail_at(&error, 12, "%s", "config.json"));
    assert_false(tn_fail_at(&error, 99, "outer"));
    assert_string_equal(error.where, "config.json");
    assert_int_equal(error.offset, 12);
    assert_false(tn_fail_hint(&error, "do %d", 1));
    assert_false(tn_fail_hint(&error, "do 2"));
    assert_string_equal(error.hint, "do 1");
    assert_false(tn_fail(&error, TN_ERROR_JSON, "inner: %s", error.message)); /* its own text as an argument */
    assert_string_equal(error.message, "inner: layers is -1");
    assert_string_equal(error.where, "");
}

static void errors_keep_the_offset_of_a_parser_that_knows_no_file(void **state)
{
    (void)state;
    struct tn_error error;
    tn_fail(&error, TN_ERROR_JSON, "x");
    error.offset = 5;
    tn_fail_at(&error, -1, "file");
    assert_int_equal(error.offset, 5);
    assert_string_equal(error.where, "file");
    tn_fail(&error, TN_ERROR_JSON, "x");
    error.offset = 5;
    tn_fail_at(&error, 8 + error.offset, "file");
    assert_int_equal(error.offset, 13);
}

static void errors_accept_null_and_long_texts(void **state)
{
    (void)state;
    assert_false(tn_fail(NULL, TN_ERROR_JSON, "x"));
    assert_false(tn_fail_at(NULL, 0, "x"));
    assert_false(tn_fail_hint(NULL, "x"));
    assert_false(tn_fail_memory(NULL));
    struct tn_error error;
    assert_false(tn_fail_memory(&error));
    assert_int_equal(error.code, TN_ERROR_MEMORY);
    tn_fail(&error, TN_ERROR_JSON, "%1000s", "x");
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
}

/* The numbers, names and exit codes as include/tonnage/tonnage.h promises them, written out once more. */
static void every_code_has_its_name_and_exit_code(void **state)
{
    (void)state;
    static const struct {
        int number;
        const char *name;
        int exit_code;
    } rows[] = {
        {0, "ok", 0},          {1, "internal", 5},       {2, "memory", 5},
        {10, "usage", 2},      {11, "unknown_model", 2}, {12, "unknown_gpu", 2},
        {13, "deployment", 2}, {20, "json", 3},          {21, "record", 3},
        {22, "expression", 3}, {30, "unreadable", 3},    {31, "not_a_model", 3},
        {32, "truncated", 3},  {33, "header", 3},        {34, "version", 3},
        {35, "dtype", 3},      {36, "config", 3},        {37, "unknown_architecture", 3},
        {38, "too_large", 3},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        assert_string_equal(tn_code_name((enum tn_code)rows[k].number), rows[k].name);
        assert_int_equal(tn_code_exit((enum tn_code)rows[k].number), rows[k].exit_code);
    }
    assert_string_equal(tn_code_name((enum tn_code)9), "unknown");
    assert_int_equal(tn_code_exit((enum tn_code)9), 5);
}

static void arithmetic_refuses_what_does_not_fit(void **state)
{
    (void)state;
    uint64_t u;
    int64_t i;
    assert_true(tn_add_u64(UINT64_MAX - 1, 1, &u) && u == UINT64_MAX);
    assert_false(tn_add_u64(UINT64_MAX, 1, &u));
    assert_true(tn_mul_u64(1ULL << 32, (1ULL << 32) - 1, &u) && u == 0xFFFFFFFF00000000ULL);
    assert_false(tn_mul_u64(1ULL << 32, 1ULL << 32, &u));
    assert_false(tn_add_i64(INT64_MAX, 1, &i));
    assert_false(tn_sub_i64(INT64_MIN, 1, &i));
    assert_false(tn_mul_i64(INT64_MIN, -1, &i));
    assert_true(tn_mul_i64(-3, 4, &i) && i == -12);
    assert_int_equal(tn_ceil_div(7, 2), 4);
    assert_int_equal(tn_ceil_div(8, 2), 4);
    assert_true(tn_ceil_div(UINT64_MAX, 2) == 1ULL << 63);
    assert_true(
        tn_mul_div_up(UINT64_MAX, 6, 7, &u)); /* 6/7 of 2^64 - 1, which 7 does not divide: 15811494920322472812.86 */
    assert_true(u == 15811494920322472813ULL);
    assert_false(tn_mul_div_up(UINT64_MAX, 8, 7, &u));
    assert_true(tn_load_u64("\x01\x02\x03\x04\x05\x06\x07\x88") == 0x8807060504030201ULL);
}

static void strings_compare_and_search_by_bytes(void **state)
{
    (void)state;
    struct tn_str empty = tn_str_of(NULL);
    assert_int_equal(empty.size, 0);
    assert_true(tn_str_equal(empty, TN_STR("")));
    assert_true(tn_str_is(TN_STR("abc"), "abc"));
    assert_false(tn_str_is(TN_STR("abc"), "abd"));
    assert_false(tn_str_is(TN_STR("abc"), "ab"));
    assert_true(tn_str_starts(TN_STR("abc"), TN_STR("ab")));
    assert_true(tn_str_starts(TN_STR("abc"), empty));
    assert_false(tn_str_starts(TN_STR("ab"), TN_STR("abc")));
    assert_true(tn_str_ends(TN_STR("abc"), TN_STR("bc")));
    assert_false(tn_str_ends(TN_STR("abc"), TN_STR("ab")));
    assert_false(tn_str_ends(TN_STR("c"), TN_STR("bc")));
    assert_true(tn_str_compare(TN_STR("ab"), TN_STR("abc")) < 0);
    assert_true(tn_str_compare(TN_STR("b"), TN_STR("abc")) > 0);
    assert_true(tn_str_compare(TN_STR("\xC3"), TN_STR("z")) > 0); /* bytes are not signed */
    assert_int_equal(tn_str_compare(empty, empty), 0);
    assert_int_equal(tn_str_find(TN_STR("aabaab"), TN_STR("ab")), 1);
    assert_int_equal(tn_str_find(TN_STR("aaab"), TN_STR("aab")), 1);
    assert_int_equal(tn_str_find(TN_STR("abc"), empty), 0);
    assert_true(tn_str_find(TN_STR("abc"), TN_STR("abcd")) == SIZE_MAX);
    assert_true(tn_str_find(TN_STR("abab"), TN_STR("ac")) == SIZE_MAX);
    assert_true(tn_str_find(TN_STR("aab"), TN_STR("bb")) == SIZE_MAX);
    assert_true(tn_str_find(TN_STR("abc"), TN_STR("xy")) == SIZE_MAX);
    assert_true(tn_str_find(empty, TN_STR("a")) == SIZE_MAX);
}

static void strings_are_cut_without_copying(void **state)
{
    (void)state;
    assert_true(tn_str_is(tn_str_slice(TN_STR("abcdef"), 2, 4), "cd"));
    assert_true(tn_str_is(tn_str_slice(TN_STR("abc"), 2, 99), "c"));
    assert_true(tn_str_is(tn_str_slice(TN_STR("abc"), 3, 1), ""));
    assert_int_equal(tn_str_slice(tn_str_of(NULL), 1, 2).size, 0);
    assert_true(tn_str_is(tn_str_trim(TN_STR(" \t a b\r\n ")), "a b"));
    assert_true(tn_str_is(tn_str_trim(TN_STR(" \t\r\n ")), ""));
    struct tn_str text = TN_STR("  one\ttwo three ");
    assert_true(tn_str_is(tn_str_word(&text), "one"));
    assert_true(tn_str_is(tn_str_word(&text), "two"));
    assert_true(tn_str_is(text, "three "));
    assert_true(tn_str_is(tn_str_word(&text), "three"));
    assert_int_equal(tn_str_word(&text).size, 0);
    assert_int_equal(tn_str_word(&text).size, 0);
}

static void strings_are_copied_with_a_terminator(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_str copy;
    assert_true(tn_str_copy(&arena, TN_STR("a\0b"), &copy));
    assert_int_equal(copy.size, 3);
    assert_memory_equal(copy.data, "a\0b", 4);
    assert_string_equal(tn_str_terminated(&arena, tn_str_of(NULL)), "");
    struct tn_str huge = {"", SIZE_MAX};
    assert_null(tn_str_terminated(&arena, huge));
    assert_false(tn_str_copy(&arena, huge, &copy));
    tn_arena_free(&arena);
}

static void builder_adds_text_and_numbers(void **state)
{
    (void)state;
    struct tn_builder builder = {0};
    assert_text(&builder, "");
    tn_builder_add(&builder, TN_STR("ab"));
    tn_builder_add_text(&builder, "cd");
    tn_builder_add_text(&builder, NULL);
    tn_builder_add_char(&builder, 'e');
    tn_builder_add_repeated(&builder, "xy", 3);
    tn_builder_addf(&builder, " %d %s " TN_STR_FORMAT, -5, "five", TN_STR_ARGUMENTS(TN_STR("5")));
    assert_text(&builder, "abcdexyxyxy -5 five 5");
    tn_builder_clear(&builder);
    assert_text(&builder, "");
    tn_builder_add_u64(&builder, 0);
    tn_builder_add_char(&builder, ' ');
    tn_builder_add_u64(&builder, UINT64_MAX);
    assert_text(&builder, "0 18446744073709551615");
    assert_true(tn_str_is(tn_builder_str(&builder), "0 18446744073709551615"));
    tn_builder_free(&builder);
    assert_null(builder.data);
}

static void builder_groups_digits_by_three(void **state)
{
    (void)state;
    struct tn_builder builder = {0};
    static const uint64_t numbers[] = {0, 12, 999, 1000, 123456, 13015864320, UINT64_MAX};
    for (size_t k = 0; k < COUNT_OF(numbers); k++) {
        tn_builder_add_text(&builder, k ? " " : "");
        tn_builder_add_grouped(&builder, numbers[k]);
    }
    assert_text(&builder, "0 12 999 1,000 123,456 13,015,864,320 18,446,744,073,709,551,615");
    tn_builder_free(&builder);
}

/* Each row worked out by hand; halves go up. */
static void builder_rounds_fixed_decimals_half_up(void **state)
{
    (void)state;
    static const struct {
        uint64_t numerator;
        uint64_t denominator;
        unsigned decimals;
        const char *expected;
    } rows[] = {
        {1, 3, 2, "0.33"},
        {2, 3, 2, "0.67"},
        {1, 8, 2, "0.13"},
        {1, 2, 0, "1"},
        {3, 2, 0, "2"},
        {999, 1000, 2, "1.00"},
        {1005, 1000, 2, "1.01"},
        {1, 1000, 2, "0.00"},
        {5, 1, 3, "5.000"},
        {123, 10, 1, "12.3"},
        {107374182400, 1073741824, 2, "100.00"},
        {UINT64_MAX, 1, 2, "18446744073709551615.00"},
        {UINT64_MAX, UINT64_MAX, 19, "1.0000000000000000000"},
        {UINT64_MAX - 1, UINT64_MAX, 19, "0.9999999999999999999"}, /* 1 - 5.42e-20 */
        {1, 3, 30, "0.3333333333333333333"},                       /* 19 decimals at most */
    };
    struct tn_builder builder = {0};
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        tn_builder_clear(&builder);
        tn_builder_add_fixed(&builder, rows[k].numerator, rows[k].denominator, rows[k].decimals);
        assert_text(&builder, rows[k].expected);
    }
    tn_builder_free(&builder);
}

static void builder_stays_failed_and_ignores_writes(void **state)
{
    (void)state;
    struct tn_builder builder = {0};
    tn_builder_add_text(&builder, "kept");
    tn_builder_add(&builder, (struct tn_str){"x", SIZE_MAX / 2});
    assert_true(builder.failed);
    tn_builder_add_text(&builder, "ignored");
    tn_builder_addf(&builder, "%d", 1);
    tn_builder_add_repeated(&builder, "x", SIZE_MAX); /* ends at once */
    assert_true(builder.failed);
    assert_string_equal(builder.data, "kept");
    tn_builder_clear(&builder);
    assert_false(builder.failed);
    tn_builder_free(&builder);
}

static void builder_takes_a_large_text_at_once(void **state)
{
    (void)state;
    static char large[100000];
    memset(large, 'x', sizeof large);
    struct tn_builder builder = {0};
    tn_builder_add(&builder, (struct tn_str){large, sizeof large});
    assert_int_equal(builder.size, sizeof large);
    assert_int_equal(builder.data[sizeof large - 1], 'x');
    assert_int_equal(builder.data[sizeof large], 0);
    tn_builder_free(&builder);
}

static void builder_grows_over_many_writes(void **state)
{
    (void)state;
    struct tn_builder builder = {0};
    for (int k = 0; k < 10000; k++) { /* four digits each: 1234 stands at 4936 */
        tn_builder_addf(&builder, "%04d", k);
    }
    assert_int_equal(builder.size, 40000);
    assert_memory_equal(builder.data + 4936, "1234", 4);
    assert_int_equal(builder.data[40000], 0);
    tn_builder_free(&builder);
}

/* Hexadecimal constants say the double without any rounding; the decimals are the well-known hard cases around them. */
static void reals_read_as_the_nearest_double(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double expected;
    } rows[] = {
        {"0", 0},
        {"-0", -0.0},
        {"1", 1},
        {"+1.5", 1.5},
        {".5", 0.5},
        {"5.", 5},
        {"1e3", 1000},
        {"1E+3", 1000},
        {"125e-3", 0.125},
        {"0.1", 0x1.999999999999ap-4},
        {"1e22", 0x1.0f0cf064dd592p+73},
        {"1e23", 0x1.52d02c7e14af6p+76},
        {"10000.0", 10000},
        {"0.00001", 0x1.4f8b588e368f1p-17},
        {"9007199254740992", 0x1p53},
        {"9007199254740993", 0x1p53},                                       /* a tie: the even one */
        {"9007199254740995", 0x1.0000000000002p53},                         /* a tie: the even one above */
        {"9007199254740993.00000000000000000000001", 0x1.0000000000001p53}, /* just above the tie */
        {"9223372036854775808", 0x1p63},
        {"18446744073709551616", 0x1p64},
        {"1.7976931348623157e308", 0x1.fffffffffffffp1023},
        {"1.7976931348623158e308", 0x1.fffffffffffffp1023},
        {"1.7976931348623159e308", INFINITY},
        {"1e309", INFINITY},
        {"-1e400", -INFINITY},
        {"1e99999999999999999999", INFINITY},
        {"2.2250738585072014e-308", 0x1p-1022},
        {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022}, /* rounds to the largest subnormal */
        {"5e-324", 0x1p-1074},
        {"4.9406564584124654e-324", 0x1p-1074},
        {"2.4703282292062328e-324", 0x1p-1074}, /* just above half of it */
        {"2.4703282292062327e-324", 0},         /* just below */
        {"1e-400", 0},
        {"0e999999", 0},
        {"1e-99999999999999999999", 0},
        {"000000000000000000000000000000000000000000000001.5", 1.5},
        {"0.000000000000000000000000000000000000000000000015e47", 1.5},
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        double number;
        assert_true(tn_real_read(tn_str_of(rows[k].text), &number));
        assert_memory_equal(&number, &rows[k].expected, sizeof number); /* the sign of zero too */
    }
}

/* 2^53 + 1 with a thousand zeros after the point and then a 1: the 1 is beyond the digits that are kept, but
 * decides. */
static void reals_of_a_thousand_digits_round_right(void **state)
{
    (void)state;
    struct tn_builder builder = {0};
    double number;
    tn_builder_add_text(&builder, "9007199254740993.");
    tn_builder_add_repeated(&builder, "0", 1000);
    assert_true(tn_real_read(tn_builder_str(&builder), &number));
    assert_true(number == 0x1p53);
    tn_builder_add_char(&builder, '1');
    assert_true(tn_real_read(tn_builder_str(&builder), &number));
    assert_true(number == 0x1.0000000000001p53);
    tn_builder_free(&builder);
}

static void reals_refuse_what_is_no_number(void **state)
{
    (void)state;
    static const char *const texts[] = {"",      "-",    ".",  "e5", "1e",  "1e+", "1x",
                                        "1.2.3", "0x10", " 1", "1 ", "inf", "--1"};
    for (size_t k = 0; k < COUNT_OF(texts); k++) {
        double number;
        assert_false(tn_real_read(tn_str_of(texts[k]), &number));
    }
}

static void reals_write_the_shortest_decimal(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *expected;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0.0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {9.5, "9.5"},
        {99.9, "99.9"},
        {10000, "10000"},
        {1e-5, "0.00001"},
        {1e-6, "0.000001"},
        {1e-7, "1e-7"},
        {1.5e-7, "1.5e-7"},
        {123456789012345680000.0, "123456789012345680000"},
        {1e21, "1e21"},
        {1.25e100, "1.25e100"},
        {0x1p53, "9007199254740992"},
        {0x1p63, "9223372036854776000"},
        {0x1.fffffffffffffp1023, "1.7976931348623157e308"},
        {0x1p-1022, "2.2250738585072014e-308"},
        {0x0.fffffffffffffp-1022, "2.225073858507201e-308"},
        {0x1p-1074, "5e-324"},
        {-0x1p-1074, "-5e-324"},
        {0x1p-44, "5.684341886080802e-14"}, /* a power of two: its neighbour below is nearer */
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
        {NAN, "NaN"},
    };
    struct tn_builder builder = {0};
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        tn_builder_clear(&builder);
        tn_builder_add_real(&builder, rows[k].number);
        assert_text(&builder, rows[k].expected);
    }
    tn_builder_free(&builder);
}

/* Every power of two, each with its neighbours, and a walk through random bit patterns. */
static void reals_come_back_the_same(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int k = -1074 * 3; k < 40000; k++) {
        double number;
        if (k < 1024 * 3) {
            number = ldexp(1, k / 3);
            number = k % 3 == 0 ? number : nextafter(number, k % 3 > 0 ? INFINITY : 0);
        } else {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            memcpy(&number, &random, sizeof number);
        }
        if (!isfinite(number)) {
            continue;
        }
        char text[TN_REAL_SIZE];
        double again;
        assert_true(tn_real_read((struct tn_str){text, tn_real_write(number, text)}, &again));
        assert_true(number == again);
    }
}

static void map_finds_what_was_inserted(void **state)
{
    (void)state;
    enum { KEYS = 90000, KEY_SIZE = 60 };
    struct tn_arena arena = {0};
    struct tn_map map = {0};
    assert_true(tn_map_find(&map, TN_STR("a")) == TN_MAP_NONE);
    char *keys = tn_arena_array(&arena, KEYS, KEY_SIZE);
    struct tn_builder builder = {0};
    uint32_t existing;
    for (uint32_t k = 0; k < KEYS; k++) {
        tn_builder_clear(&builder);
        tn_builder_addf(&builder, "model.layers.%u.mlp.experts.%u.gate_up_and_down_proj.weight......", k / 256,
                        k % 256);
        memcpy(keys + (size_t)k * KEY_SIZE, builder.data, KEY_SIZE);
        assert_true(tn_map_insert(&arena, &map, (struct tn_str){keys + (size_t)k * KEY_SIZE, KEY_SIZE}, k, &existing));
        assert_true(existing == TN_MAP_NONE);
    }
    assert_int_equal(map.count, KEYS);
    for (uint32_t k = 0; k < KEYS; k++) {
        struct tn_str key = {keys + (size_t)k * KEY_SIZE, KEY_SIZE};
        assert_int_equal(tn_map_find(&map, key), k);
        assert_true(tn_map_insert(&arena, &map, key, 7, &existing));
        assert_int_equal(existing, k);
    }
    assert_int_equal(map.count, KEYS);
    assert_true(tn_map_find(&map, TN_STR("model.layers.0")) == TN_MAP_NONE);
    tn_builder_free(&builder);
    tn_arena_free(&arena);
}

static void map_tells_keys_of_all_lengths_apart(void **state)
{
    (void)state;
    static const char zeros[100]; /* keys that differ in their length only */
    struct tn_arena arena = {0};
    struct tn_map map = {0};
    uint32_t existing;
    for (uint32_t k = 0; k < sizeof zeros; k++) {
        assert_true(tn_map_insert(&arena, &map, (struct tn_str){zeros, k}, k, &existing));
        assert_true(existing == TN_MAP_NONE);
    }
    for (uint32_t k = 0; k < sizeof zeros; k++) {
        assert_int_equal(tn_map_find(&map, (struct tn_str){zeros, k}), k);
    }
    tn_arena_free(&arena);
}

static void map_reserves_room_once(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_map map = {0};
    assert_true(tn_map_reserve(&arena, &map, 1000));
    struct tn_map_slot *slots = map.slots;
    char keys[1000][2];
    uint32_t existing;
    for (uint32_t k = 0; k < 1000; k++) {
        keys[k][0] = (char)(k / 100);
        keys[k][1] = (char)(k % 100);
        assert_true(tn_map_insert(&arena, &map, (struct tn_str){keys[k], 2}, k, &existing));
    }
    assert_ptr_equal(map.slots, slots);
    assert_true(tn_map_reserve(&arena, &map, 10));
    assert_ptr_equal(map.slots, slots);
    assert_false(tn_map_reserve(&arena, &map, SIZE_MAX));
    assert_false(tn_map_reserve(&arena, &map, SIZE_MAX / 4)); /* a capacity that fits, of slots that do not */
    assert_int_equal(tn_map_find(&map, (struct tn_str){keys[999], 2}), 999);
    tn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(arena_refuses_sizes_that_do_not_fit),
        cmocka_unit_test(arena_grows_the_last_array_in_place),
        cmocka_unit_test(arena_reset_keeps_the_largest_block_for_the_next_use),
        cmocka_unit_test(errors_keep_the_innermost_place_and_hint),
        cmocka_unit_test(errors_keep_the_offset_of_a_parser_that_knows_no_file),
        cmocka_unit_test(errors_accept_null_and_long_texts),
        cmocka_unit_test(every_code_has_its_name_and_exit_code),
        cmocka_unit_test(arithmetic_refuses_what_does_not_fit),
        cmocka_unit_test(strings_compare_and_search_by_bytes),
        cmocka_unit_test(strings_are_cut_without_copying),
        cmocka_unit_test(strings_are_copied_with_a_terminator),
        cmocka_unit_test(builder_adds_text_and_numbers),
        cmocka_unit_test(builder_groups_digits_by_three),
        cmocka_unit_test(builder_rounds_fixed_decimals_half_up),
        cmocka_unit_test(builder_stays_failed_and_ignores_writes),
        cmocka_unit_test(builder_takes_a_large_text_at_once),
        cmocka_unit_test(builder_grows_over_many_writes),
        cmocka_unit_test(reals_read_as_the_nearest_double),
        cmocka_unit_test(reals_of_a_thousand_digits_round_right),
        cmocka_unit_test(reals_refuse_what_is_no_number),
        cmocka_unit_test(reals_write_the_shortest_decimal),
        cmocka_unit_test(reals_come_back_the_same),
        cmocka_unit_test(map_finds_what_was_inserted),
        cmocka_unit_test(map_tells_keys_of_all_lengths_apart),
        cmocka_unit_test(map_reserves_room_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
