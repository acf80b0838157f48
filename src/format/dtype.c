/* The table of element types and the look-ups in it. Sizes of ggml types are those of its block structures; sizes of
 * safetensors types are those of the reference implementation, 4-bit and 6-bit ones as the smallest block of whole
 * bytes.
 */
#include "format/dtype.h"

#include "base/number.h"

/* The order within a family is that of frequency, because look-ups are linear. */
static const struct tn_dtype table[] = {
    /* both families */
    {"BF16", 1, 2, 30, true, "bfloat16"},
    {"F16", 1, 2, 1, true, "float16 fp16 half"},
    {"F32", 1, 4, 0, true, "float32 fp32 float"},
    {"F64", 1, 8, 28, true, "float64 fp64 double"},
    {"I8", 1, 1, 24, true, "int8"},
    {"I16", 1, 2, 25, true, "int16"},
    {"I32", 1, 4, 26, true, "int32"},
    {"I64", 1, 8, 27, true, "int64"},
    /* safetensors */
    {"F8_E4M3", 1, 1, -1, true, "fp8 float8 fp8_e4m3 fp8_e4m3fn float8_e4m3 float8_e4m3fn e4m3"},
    {"F8_E5M2", 1, 1, -1, true, "fp8_e5m2 float8_e5m2 e5m2"},
    {"F8_E8M0", 1, 1, -1, true, "fp8_e8m0 float8_e8m0 float8_e8m0fnu e8m0 ue8m0"},
    {"F8_E4M3FNUZ", 1, 1, -1, true, "fp8_e4m3fnuz float8_e4m3fnuz"},
    {"F8_E5M2FNUZ", 1, 1, -1, true, "fp8_e5m2fnuz float8_e5m2fnuz"},
    {"U8", 1, 1, -1, true, "uint8"},
    {"U16", 1, 2, -1, true, "uint16"},
    {"U32", 1, 4, -1, true, "uint32"},
    {"U64", 1, 8, -1, true, "uint64"},
    {"BOOL", 1, 1, -1, true, ""},
    {"C64", 1, 8, -1, true, "complex64"},
    {"F4", 2, 1, -1, true, "fp4 float4 fp4_e2m1 float4_e2m1fn_x2 e2m1"},
    {"F6_E2M3", 4, 3, -1, true, "fp6_e2m3 e2m3"},
    {"F6_E3M2", 4, 3, -1, true, "fp6 fp6_e3m2 e3m2"},
    /* neither: configurations and caches name it, files store it packed in another type */
    {"I4", 2, 1, -1, false, "int4 uint4 u4"},
    /* ggml */
    {"Q4_K", 256, 144, 12, false, ""},
    {"Q6_K", 256, 210, 14, false, ""},
    {"Q8_0", 32, 34, 8, false, ""},
    {"Q5_K", 256, 176, 13, false, ""},
    {"Q3_K", 256, 110, 11, false, ""},
    {"Q2_K", 256, 84, 10, false, ""},
    {"Q8_K", 256, 292, 15, false, ""},
    {"Q4_0", 32, 18, 2, false, ""},
    {"Q4_1", 32, 20, 3, false, ""},
    {"Q5_0", 32, 22, 6, false, ""},
    {"Q5_1", 32, 24, 7, false, ""},
    {"Q8_1", 32, 36, 9, false, ""},
    {"IQ1_S", 256, 50, 19, false, ""},
    {"IQ1_M", 256, 56, 29, false, ""},
    {"IQ2_XXS", 256, 66, 16, false, ""},
    {"IQ2_XS", 256, 74, 17, false, ""},
    {"IQ2_S", 256, 82, 22, false, ""},
    {"IQ3_XXS", 256, 98, 18, false, ""},
    {"IQ3_S", 256, 110, 21, false, ""},
    {"IQ4_NL", 32, 18, 20, false, ""},
    {"IQ4_XS", 256, 136, 23, false, ""},
    {"TQ1_0", 256, 54, 34, false, ""},
    {"TQ2_0", 256, 66, 35, false, ""},
    {"MXFP4", 32, 17, 39, false, ""},
    {"NVFP4", 64, 36, 40, false, ""},
    {"Q1_0", 128, 18, 41, false, ""},
    {"Q2_0", 64, 18, 42, false, ""},
    {NULL, 0, 0, -1, false, ""},
};

static bool has_name(const struct tn_dtype *dtype, struct tn_str name)
{
    if (tn_str_equal_any_case(name, tn_str_of(dtype->name))) {
        return true;
    }
    struct tn_str aliases = tn_str_of(dtype->aliases);
    for (struct tn_str alias = tn_str_word(&aliases); alias.size; alias = tn_str_word(&aliases)) {
        if (tn_str_equal_any_case(name, alias)) {
            return true;
        }
    }
    return false;
}

const struct tn_dtype *tn_dtype_find(struct tn_str name)
{
    const struct tn_str torch = TN_STR("torch.");
    if (tn_str_equal_any_case(tn_str_slice(name, 0, torch.size), torch)) {
        name = tn_str_slice(name, torch.size, name.size);
    }
    for (const struct tn_dtype *dtype = table; dtype->name; dtype++) {
        if (has_name(dtype, name)) {
            return dtype;
        }
    }
    return NULL;
}

const struct tn_dtype *tn_dtype_of_safetensors(struct tn_str name)
{
    for (const struct tn_dtype *dtype = table; dtype->name; dtype++) {
        if (dtype->safetensors && tn_str_is(name, dtype->name)) {
            return dtype;
        }
    }
    return NULL;
}

const struct tn_dtype *tn_dtype_of_ggml(uint32_t type)
{
    for (const struct tn_dtype *dtype = table; dtype->name; dtype++) {
        if (dtype->ggml_type >= 0 && (uint32_t)dtype->ggml_type == type) {
            return dtype;
        }
    }
    return NULL;
}

const struct tn_dtype *tn_dtype_table(void)
{
    return table;
}

bool tn_dtype_bytes(const struct tn_dtype *dtype, uint64_t elements, uint64_t *bytes)
{
    return tn_mul_u64(tn_ceil_div(elements, dtype->block_elements), dtype->block_bytes, bytes);
}
