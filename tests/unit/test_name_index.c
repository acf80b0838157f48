/* The index of names finds what comparing each name finds, and the first of several. */
#include "catalog/name_index.h"
#include "catalog/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Names of the same record stand on one line; some fold alike, with and without organisation. */
static const struct {
    const char *name;
    uint32_t record;
} names[] = {
    {"llama-2-7b", 0},
    {"meta-llama/Llama-2-7b-hf", 0},
    {"Llama 2 7B", 1},
    {"other/llama-2-7b", 2},
    {"opt-1.3b", 3},
    {"opt-13b", 4},
    {"facebook/opt-13b", 4},
    {"a100", 5},
    {"A 100", 6},
    {"x/y/z", 7},
    {"mistral_7b_v0.1", 8},
    {"mistral-7b-v0-1", 9},
    {"-._", 10},
    {"/", 11},
    {"org/", 12},
    {"meta/llama-2-7b-hf", 13},
};
enum { NAMES = sizeof names / sizeof names[0] };

static const char *const asked[] = {
    "LLAMA2-7B",
    "meta-llama/llama-2-7b-hf",
    "elsewhere/llama-2-7b",
    "other/Llama.2.7B",
    "llama-2-7b-hf",
    "meta/llama-2-7b-hf",
    "opt-1-3b",
    "opt-13b",
    "opt13b",
    "facebook/opt-1.3b",
    "A100",
    "y/z",
    "mistral-7b",
    "mistral 7b v0.1",
    "",
    "/",
    "-",
    "org/x",
    "z",
    "x/y/z",
    "nobody/a100",
    "a-1-00",
    "a 100",
    "org/",
};

static uint32_t find_by_comparing(struct tn_str name)
{
    for (size_t k = 0; k < NAMES; k++) {
        if (tn_names_match(tn_str_of(names[k].name), name)) {
            return names[k].record;
        }
    }
    return TN_MAP_NONE;
}

static void test_index_and_comparing_agree(void **state)
{
    struct tn_arena arena = {0};
    struct tn_name_index index = {0};
    (void)state;
    for (size_t k = 0; k < NAMES; k++) {
        assert_true(tn_name_index_add(&arena, &index, tn_str_of(names[k].name), names[k].record));
    }
    for (size_t k = 0; k < sizeof asked / sizeof asked[0]; k++) {
        struct tn_str name = tn_str_of(asked[k]);
        if (tn_name_index_find(&index, name) != find_by_comparing(name)) {
            fail_msg("'%s': %u, by comparing %u", asked[k], tn_name_index_find(&index, name), find_by_comparing(name));
        }
    }
    for (size_t k = 0; k < NAMES; k++) {
        struct tn_str name = tn_str_of(names[k].name);
        assert_int_equal(tn_name_index_find(&index, name), find_by_comparing(name));
    }
    tn_arena_free(&arena);
}

static void test_empty_index(void **state)
{
    struct tn_name_index index = {0};
    (void)state;
    assert_int_equal(tn_name_index_find(&index, TN_STR("a")), TN_MAP_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index_and_comparing_agree),
        cmocka_unit_test(test_empty_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
