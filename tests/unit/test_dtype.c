/* The table of element types: its own consistency, and the sizes of each format. */
#include "format/dtype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool has_lower_case(const char *text)
{
    for (; *text; text++) {
        if (*text >= 'a' && *text <= 'z') {
            return true;
        }
    }
    return false;
}

static void names_and_aliases_are_unique(void **state)
{
    (void)state;
    for (const struct tn_dtype *dtype = tn_dtype_table(); dtype->name; dtype++) {
        assert_false(has_lower_case(dtype->name));
        assert_ptr_equal(tn_dtype_find(tn_str_of(dtype->name)), dtype);
        struct tn_str aliases = tn_str_of(dtype->aliases);
        for (struct tn_str alias = tn_str_word(&aliases); alias.size; alias = tn_str_word(&aliases)) {
            assert_ptr_equal(tn_dtype_find(alias), dtype);
        }
    }
}

static void every_row_is_plausible(void **state)
{
    (void)state;
    for (const struct tn_dtype *dtype = tn_dtype_table(); dtype->name; dtype++) {
        assert_true(dtype->block_elements > 0 && dtype->block_bytes > 0);
        assert_true(dtype->block_bytes <= dtype->block_elements * 8);
        assert_true(dtype->ggml_type < TN_GGML_TYPE_COUNT);
    }
}

/* The bits of one element, as the reference implementation of safetensors lists its 22 types. */
static void safetensors_types_have_the_sizes_of_the_reference(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t bits;
    } types[] = {{"BOOL", 8},        {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},   {"I8", 8},
                 {"F8_E5M2", 8},     {"I16", 16}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"U16", 16}, {"F8_E4M3FNUZ", 8},
                 {"F8_E5M2FNUZ", 8}, {"F16", 16}, {"BF16", 16},   {"I32", 32},    {"U32", 32}, {"F32", 32},
                 {"C64", 64},        {"F64", 64}, {"I64", 64},    {"U64", 64}};
    size_t count = 0;
    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
        const struct tn_dtype *dtype = tn_dtype_of_safetensors(tn_str_of(types[k].name));
        assert_non_null(dtype);
        assert_int_equal(dtype->block_bytes * 8, dtype->block_elements * types[k].bits);
    }
    for (const struct tn_dtype *dtype = tn_dtype_table(); dtype->name; dtype++) {
        count += dtype->safetensors;
    }
    assert_int_equal(count, 22);
}

static void safetensors_names_are_exact(void **state)
{
    (void)state;
    assert_null(tn_dtype_of_safetensors(TN_STR("bf16")));
    assert_null(tn_dtype_of_safetensors(TN_STR("bfloat16")));
    assert_null(tn_dtype_of_safetensors(TN_STR("Q4_K")));
    assert_null(tn_dtype_of_safetensors(TN_STR("")));
}

/* Block sizes follow from the block structures of ggml: a half is 2 bytes, a scale of k-quants 12 bytes for 8 blocks of
 * 6 bits, and so on; here as the library prints them. Each type: elements of a block, bytes of a block; 0 where the
 * type was removed. */
static void ggml_types_have_the_block_sizes_of_the_library(void **state)
{
    (void)state;
    static const uint16_t blocks[][2] = {
        {1, 4},    {1, 2},    {32, 18},   {32, 20},   {0, 0},     {0, 0},     {32, 22},   {32, 24},  {32, 34},
        {32, 36},  {256, 84}, {256, 110}, {256, 144}, {256, 176}, {256, 210}, {256, 292}, {256, 66}, {256, 74},
        {256, 98}, {256, 50}, {32, 18},   {256, 110}, {256, 82},  {256, 136}, {1, 1},     {1, 2},    {1, 4},
        {1, 8},    {1, 8},    {256, 56},  {1, 2},     {0, 0},     {0, 0},     {0, 0},     {256, 54}, {256, 66},
        {0, 0},    {0, 0},    {0, 0},     {32, 17},   {64, 36},   {128, 18},  {64, 18},
    };
    assert_int_equal(sizeof blocks / sizeof blocks[0], TN_GGML_TYPE_COUNT);
    for (uint32_t type = 0; type < TN_GGML_TYPE_COUNT; type++) {
        const struct tn_dtype *dtype = tn_dtype_of_ggml(type);
        assert_int_equal(dtype != NULL, blocks[type][0] != 0);
        if (dtype) {
            assert_int_equal(dtype->ggml_type, type);
            assert_int_equal(dtype->block_elements, blocks[type][0]);
            assert_int_equal(dtype->block_bytes, blocks[type][1]);
        }
    }
    assert_null(tn_dtype_of_ggml(TN_GGML_TYPE_COUNT));
    assert_null(tn_dtype_of_ggml(UINT32_MAX));
}

static void names_of_configurations_are_found_in_any_case(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"float16", "F16"},
        {"torch.bfloat16", "BF16"},
        {"fp16", "F16"},
        {"bf16", "BF16"},
        {"FP32", "F32"},
        {"fp8", "F8_E4M3"},
        {"fp8_e4m3", "F8_E4M3"},
        {"fp8_e5m2", "F8_E5M2"},
        {"int8", "I8"},
        {"int4", "I4"},
        {"mxfp4", "MXFP4"},
        {"NVFP4", "NVFP4"},
        {"q4_0", "Q4_0"},
        {"iq4_xs", "IQ4_XS"},
        {"Torch.Float8_E4M3FN", "F8_E4M3"},
        {"torch.uint8", "U8"},
        {"float", "F32"},
        {"torch.float4_e2m1fn_x2", "F4"},
    };
    for (size_t k = 0; k < sizeof pairs / sizeof pairs[0]; k++) {
        const struct tn_dtype *dtype = tn_dtype_find(tn_str_of(pairs[k][0]));
        assert_non_null(dtype);
        assert_string_equal(dtype->name, pairs[k][1]);
    }
}

static void unknown_names_are_not_found(void **state)
{
    (void)state;
    static const char *const names[] = {
        "", " ", "auto", "torch.", "f1", "fp8 float8", "F32 ", "Q4_K_M", "torch.torch.float16"};
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        assert_null(tn_dtype_find(tn_str_of(names[k])));
    }
}

static void bytes_are_whole_blocks(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t elements;
        uint64_t bytes;
    } cases[] = {
        {"BF16", 0, 0}, {"BF16", 7, 14},   {"F4", 2, 1},       {"F4", 3, 2}, /* rounded up to a block */
        {"I4", 64, 32}, {"F6_E2M3", 8, 6}, {"Q4_K", 512, 288}, {"Q4_K", 257, 288}, {"MXFP4", 32, 17},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        uint64_t bytes;
        assert_true(tn_dtype_bytes(tn_dtype_find(tn_str_of(cases[k].name)), cases[k].elements, &bytes));
        assert_int_equal(bytes, cases[k].bytes);
    }
}

static void bytes_beyond_64_bits_are_refused(void **state)
{
    (void)state;
    uint64_t bytes;
    const struct tn_dtype *f64 = tn_dtype_find(TN_STR("F64"));
    assert_true(tn_dtype_bytes(f64, UINT64_MAX / 8, &bytes));
    assert_int_equal(bytes, UINT64_MAX - 7);
    assert_false(tn_dtype_bytes(f64, UINT64_MAX / 8 + 1, &bytes));
    assert_true(tn_dtype_bytes(tn_dtype_find(TN_STR("F4")), UINT64_MAX, &bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_aliases_are_unique),
        cmocka_unit_test(every_row_is_plausible),
        cmocka_unit_test(safetensors_types_have_the_sizes_of_the_reference),
        cmocka_unit_test(safetensors_names_are_exact),
        cmocka_unit_test(ggml_types_have_the_block_sizes_of_the_library),
        cmocka_unit_test(names_of_configurations_are_found_in_any_case),
        cmocka_unit_test(unknown_names_are_not_found),
        cmocka_unit_test(bytes_are_whole_blocks),
        cmocka_unit_test(bytes_beyond_64_bits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
