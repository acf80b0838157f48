/* Broken GGUF files: every check that the parser makes, what it says and the offset that it reports. */
#include "format/gguf.h"
#include "model_parse.h"
#include "model_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct model_tensor matrix = {"w", "F32", 2, {3, 5}};          /* 60 bytes, 64 with padding */
static const struct model_tensor quantized = {"q", "Q4_K", 3, {2, 7, 512}}; /* 2 * 7 * 2 blocks of 144 bytes: 4032 */
static const struct model_tensor scalar = {"s", "F16", 0, {0}};             /* 2 bytes */

static void add_string(struct tn_builder *file, const char *text)
{
    gguf_add_string(file, tn_str_of(text));
}

struct broken_file {
    struct tn_builder bytes;
    size_t mark; /* where the error lies */
};

static void mark(struct broken_file *file)
{
    file->mark = file->bytes.size;
}

static void no_magic(struct broken_file *file)
{
    mark(file);
    tn_builder_add_text(&file->bytes, "GGML....................");
}

static void a_web_page(struct broken_file *file)
{
    mark(file);
    tn_builder_add_text(&file->bytes, "<!DOCTYPE html><html></html>");
}

static void start_with_version(struct broken_file *file, uint32_t version)
{
    gguf_add_start(&file->bytes, version, 0, 0);
    file->mark = 4;
}

static void version_0(struct broken_file *file)
{
    start_with_version(file, 0);
}

static void version_1(struct broken_file *file)
{
    start_with_version(file, 1);
}

static void version_4(struct broken_file *file)
{
    start_with_version(file, 4);
}

static void big_endian(struct broken_file *file)
{
    start_with_version(file, 0x03000000);
}

static void negative_tensor_count(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, UINT64_MAX, 0);
    file->mark = 8;
}

static void negative_pair_count(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, UINT64_MAX);
    file->mark = 16;
}

/* The file ends 64 bytes behind what is built: see TAIL_BYTES. 3 tensors take at least 72. */
static void too_many_tensors(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 3, 0);
    file->mark = 8;
}

/* One tensor takes at least 24 bytes and leaves 40; 4 pairs take at least 52. */
static void too_many_pairs(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 1, 4);
    file->mark = 8;
}

static void counts_that_wrap_around(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, INT64_MAX, INT64_MAX);
    file->mark = 8;
}

static void empty_key(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    mark(file);
    gguf_add_key(&file->bytes, "", GGUF_U8);
}

static void long_key(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    gguf_add_number(&file->bytes, UINT64_MAX, 8);
    mark(file);
}

static void duplicate_key(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 2);
    gguf_add_key(&file->bytes, "a", GGUF_U8);
    gguf_add_number(&file->bytes, 1, 1);
    mark(file);
    gguf_add_key(&file->bytes, "a", GGUF_U8);
    gguf_add_number(&file->bytes, 1, 1);
}

/* A key that would be taken for the length of an array. */
static void duplicate_count_key(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 2);
    gguf_add_key(&file->bytes, "a#count", GGUF_U8);
    gguf_add_number(&file->bytes, 1, 1);
    mark(file);
    gguf_add_array(&file->bytes, "a", GGUF_U8, 5000);
    tn_builder_add_repeated(&file->bytes, "x", 5000);
}

static void unknown_value_type(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    add_string(&file->bytes, "a");
    mark(file);
    gguf_add_number(&file->bytes, 13, 4);
}

static void long_string(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    gguf_add_key(&file->bytes, "a", GGUF_STRING);
    gguf_add_number(&file->bytes, 65, 8); /* one more than the tail */
    mark(file);
}

static void array_of_arrays(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    gguf_add_key(&file->bytes, "a", GGUF_ARRAY);
    mark(file);
    gguf_add_number(&file->bytes, GGUF_ARRAY, 4);
    gguf_add_number(&file->bytes, 1, 8);
}

static void array_of_unknown_type(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    gguf_add_key(&file->bytes, "a", GGUF_ARRAY);
    mark(file);
    gguf_add_number(&file->bytes, 99, 4);
    gguf_add_number(&file->bytes, 1, 8);
}

static void huge_array(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    gguf_add_array(&file->bytes, "a", GGUF_U8, (UINT64_C(1) << 30) + 1);
    file->mark = file->bytes.size - 8;
}

static void array_that_wraps_around(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    gguf_add_array(&file->bytes, "a", GGUF_F64, UINT64_C(1) << 61);
    file->mark = file->bytes.size - 8;
}

static void long_array(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    gguf_add_array(&file->bytes, "a", GGUF_U16, 33);
    mark(file);
}

static void long_array_of_strings(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    gguf_add_array(&file->bytes, "a", GGUF_STRING, 9);
    mark(file);
}

static void long_element(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    gguf_add_array(&file->bytes, "a", GGUF_STRING, 1);
    gguf_add_number(&file->bytes, 65, 8);
    mark(file);
}

static void long_token(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    gguf_add_array(&file->bytes, "a", GGUF_STRING, 5000);
    for (int k = 0; k < 4999; k++) {
        add_string(&file->bytes, "");
    }
    gguf_add_number(&file->bytes, UINT64_MAX, 8);
    mark(file);
}

static void alignment(struct broken_file *file, enum gguf_type type, uint64_t bytes)
{
    gguf_add_start(&file->bytes, 3, 0, 1);
    gguf_add_key(&file->bytes, "general.alignment", type);
    file->mark = file->bytes.size - (type == GGUF_U32 ? 0 : 4);
    gguf_add_number(&file->bytes, bytes, 8);
}

static void alignment_0(struct broken_file *file)
{
    alignment(file, GGUF_U32, 0);
}

static void alignment_24(struct broken_file *file)
{
    alignment(file, GGUF_U32, 24);
}

static void alignment_of_64_bits(struct broken_file *file)
{
    alignment(file, GGUF_U64, 32);
}

static void long_name(struct broken_file *file)
{
    struct model_tensor tensor = matrix;
    tensor.name = "a.name.of.64.bytes.is.one.byte.longer.than.the.format.permits.xx";
    gguf_add_start(&file->bytes, 3, 1, 0);
    mark(file);
    gguf_add_tensor(&file->bytes, &tensor, 0, 0);
}

static void duplicate_tensor(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 2, 0);
    gguf_add_tensor(&file->bytes, &matrix, 0, 0);
    mark(file);
    gguf_add_tensor(&file->bytes, &matrix, 0, 64);
}

static void five_dimensions(struct broken_file *file)
{
    static const struct model_tensor tensor = {"t", "F32", 5, {1, 1, 1, 1, 1}};
    gguf_add_start(&file->bytes, 3, 1, 0);
    file->mark = file->bytes.size + 8 + 1;
    gguf_add_tensor(&file->bytes, &tensor, 0, 0);
}

/* A tensor whose field at this distance from its first dimension is wrong. */
static void add_wrong_tensor(struct broken_file *file, const struct model_tensor *tensor, uint32_t type,
                             uint64_t offset, size_t field)
{
    gguf_add_start(&file->bytes, 3, 1, 0);
    file->mark = file->bytes.size + 8 + strlen(tensor->name) + 4 + field;
    gguf_add_tensor(&file->bytes, tensor, type, offset);
}

static void negative_dimension(struct broken_file *file)
{
    static const struct model_tensor tensor = {"t", "F32", 2, {UINT64_MAX, 4}};
    add_wrong_tensor(file, &tensor, 0, 0, 8); /* the outermost stands last */
}

static void too_many_elements(struct broken_file *file)
{
    static const struct model_tensor tensor = {"t", "F32", 2, {UINT64_C(1) << 32, UINT64_C(1) << 31}};
    add_wrong_tensor(file, &tensor, 0, 0, 8);
}

static void elements_that_wrap_around(struct broken_file *file)
{
    static const struct model_tensor tensor = {"t", "F32", 3, {UINT64_C(1) << 62, UINT64_C(1) << 62, 1}};
    add_wrong_tensor(file, &tensor, 0, 0, 16);
}

static void too_many_bytes(struct broken_file *file)
{
    static const struct model_tensor tensor = {"t", "F64", 1, {UINT64_C(1) << 61}};
    add_wrong_tensor(file, &tensor, 28, 0, 0);
}

static void part_of_a_block(struct broken_file *file)
{
    static const struct model_tensor tensor = {"t", "Q4_K", 2, {256, 128}};
    add_wrong_tensor(file, &tensor, 12, 0, 0);
}

static void part_of_a_block_without_dimensions(struct broken_file *file)
{
    add_wrong_tensor(file, &scalar, 12, 0, 0);
}

static void removed_type(struct broken_file *file)
{
    add_wrong_tensor(file, &matrix, 4, 0, 16);
}

static void negative_type(struct broken_file *file)
{
    add_wrong_tensor(file, &matrix, 0x80000000, 0, 16);
}

static void first_tensor_not_at_0(struct broken_file *file)
{
    add_wrong_tensor(file, &matrix, 0, 32, 20);
}

static void add_second_tensor(struct broken_file *file, uint32_t first_type, uint64_t offset)
{
    gguf_add_start(&file->bytes, 3, 2, 0);
    gguf_add_tensor(&file->bytes, &matrix, first_type, 0);
    gguf_add_tensor(&file->bytes, &scalar, 0, offset);
    file->mark = file->bytes.size - 8;
}

static void overlap(struct broken_file *file)
{
    add_second_tensor(file, 0, 32);
}

static void hole(struct broken_file *file)
{
    add_second_tensor(file, 0, 96);
}

static void same_place(struct broken_file *file)
{
    add_second_tensor(file, 0, 0);
}

static void unaligned_behind_an_unknown_type(struct broken_file *file)
{
    add_second_tensor(file, 1000, 33);
}

static void before_an_unknown_type(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 3, 0);
    gguf_add_tensor(&file->bytes, &matrix, 0, 0);
    gguf_add_tensor(&file->bytes, &quantized, 1000, 64);
    gguf_add_tensor(&file->bytes, &scalar, 0, 32);
    file->mark = file->bytes.size - 8;
}

static void padding_that_wraps_around(struct broken_file *file)
{
    static const struct model_tensor tensor = {"t", "I8", 1, {INT64_MAX}};
    static const struct model_tensor last = {"u", "F32", 1, {1}};
    gguf_add_start(&file->bytes, 3, 3, 0);
    gguf_add_tensor(&file->bytes, &tensor, 1000, 0);
    gguf_add_tensor(&file->bytes, &scalar, 1, UINT64_MAX - 31);
    gguf_add_tensor(&file->bytes, &last, 0, 0);
    file->mark = file->bytes.size - 8;
}

static void end_that_wraps_around(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 2, 0);
    gguf_add_tensor(&file->bytes, &scalar, 1000, 0);
    gguf_add_tensor(&file->bytes, &quantized, 12, UINT64_MAX - 31);
    file->mark = file->bytes.size - 8;
}

enum { TAIL_BYTES = 64 }; /* of file behind what is built, so that no check on its end comes first */

static void data_cut(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 1, 0);
    gguf_add_tensor(&file->bytes, &quantized, 12, 0);
    file->mark = file->bytes.size + TAIL_BYTES;
}

static void data_that_wrap_around(struct broken_file *file)
{
    static const struct model_tensor tensor = {"t", "F32", 1, {8}};
    gguf_add_start(&file->bytes, 3, 2, 0);
    gguf_add_tensor(&file->bytes, &scalar, 1000, 0);
    gguf_add_tensor(&file->bytes, &tensor, 0, UINT64_MAX - 63);
    file->mark = file->bytes.size + TAIL_BYTES;
}

static void unknown_type_behind_the_end(struct broken_file *file)
{
    gguf_add_start(&file->bytes, 3, 2, 0);
    gguf_add_tensor(&file->bytes, &scalar, 1000, 0);
    gguf_add_tensor(&file->bytes, &matrix, 1000, 1 << 20);
    file->mark = file->bytes.size + TAIL_BYTES;
}

static const struct {
    void (*build)(struct broken_file *file);
    enum tn_code code;
    const char *message;
} broken_files[] = {
    {no_magic, TN_ERROR_HEADER, "not a GGUF file: it does not begin"},
    {a_web_page, TN_ERROR_HEADER, "not a GGUF file, but a web page"},
    {version_0, TN_ERROR_VERSION, "version 0"},
    {version_1, TN_ERROR_VERSION, "version 1"},
    {version_4, TN_ERROR_VERSION, "version 4"},
    {big_endian, TN_ERROR_VERSION, "big-endian"},
    {negative_tensor_count, TN_ERROR_HEADER, "number of tensors is negative"},
    {negative_pair_count, TN_ERROR_HEADER, "number of keys is negative"},
    {too_many_tensors, TN_ERROR_TRUNCATED, "3 tensors and 0 keys"},
    {too_many_pairs, TN_ERROR_TRUNCATED, "1 tensors and 4 keys"},
    {counts_that_wrap_around, TN_ERROR_TRUNCATED, "more than the file has room for"},
    {empty_key, TN_ERROR_HEADER, "a key is empty"},
    {long_key, TN_ERROR_TRUNCATED, "18446744073709551615 bytes"},
    {duplicate_key, TN_ERROR_HEADER, "the key \"a\" stands twice"},
    {duplicate_count_key, TN_ERROR_HEADER, "the key \"a#count\" stands twice"},
    {unknown_value_type, TN_ERROR_HEADER, "has type 13"},
    {long_string, TN_ERROR_TRUNCATED, "65 bytes of the header should follow here, but the file has only 64"},
    {array_of_arrays, TN_ERROR_HEADER, "of arrays"},
    {array_of_unknown_type, TN_ERROR_HEADER, "elements of type 99"},
    {huge_array, TN_ERROR_TOO_LARGE, "1073741825 elements"},
    {array_that_wraps_around, TN_ERROR_TOO_LARGE, "2305843009213693952 elements"},
    {long_array, TN_ERROR_TRUNCATED, "66 bytes"},
    {long_array_of_strings, TN_ERROR_TRUNCATED, "72 bytes"},
    {long_element, TN_ERROR_TRUNCATED, "65 bytes"},
    {long_token, TN_ERROR_TRUNCATED, "18446744073709551615 bytes"},
    {alignment_0, TN_ERROR_HEADER, "general.alignment is 0"},
    {alignment_24, TN_ERROR_HEADER, "general.alignment is 24"},
    {alignment_of_64_bits, TN_ERROR_HEADER, "general.alignment has type 10"},
    {long_name, TN_ERROR_HEADER, "a tensor name has 64 bytes"},
    {duplicate_tensor, TN_ERROR_HEADER, "the tensor \"w\" stands twice"},
    {five_dimensions, TN_ERROR_HEADER, "more than 4 dimensions"},
    {negative_dimension, TN_ERROR_HEADER, "negative dimension"},
    {too_many_elements, TN_ERROR_TOO_LARGE, "more elements than"},
    {elements_that_wrap_around, TN_ERROR_TOO_LARGE, "more elements than"},
    {too_many_bytes, TN_ERROR_TOO_LARGE, "more bytes than"},
    {part_of_a_block, TN_ERROR_HEADER, "not a multiple of its type's block"},
    {part_of_a_block_without_dimensions, TN_ERROR_HEADER, "not a multiple of its type's block"},
    {removed_type, TN_ERROR_DTYPE, "has a type that GGUF does not have"},
    {negative_type, TN_ERROR_DTYPE, "has a type that GGUF does not have"},
    {first_tensor_not_at_0, TN_ERROR_HEADER, "lies at 32 of the data"},
    {overlap, TN_ERROR_HEADER, "lies at 32 of the data; behind the tensor before it is 64"},
    {hole, TN_ERROR_HEADER, "lies at 96 of the data; behind the tensor before it is 64"},
    {same_place, TN_ERROR_HEADER, "lies at 0 of the data; behind the tensor before it is 64"},
    {unaligned_behind_an_unknown_type, TN_ERROR_HEADER, "lies at 33 of the data"},
    {before_an_unknown_type, TN_ERROR_HEADER, "lies at 32 of the data"},
    {padding_that_wraps_around, TN_ERROR_TOO_LARGE, "ends beyond 64 bits"},
    {end_that_wraps_around, TN_ERROR_TOO_LARGE, "ends beyond 64 bits"},
    {data_cut, TN_ERROR_TRUNCATED, "the tensors take 4032 bytes"},
    {data_that_wrap_around, TN_ERROR_TRUNCATED, "the tensors take"},
    {unknown_type_behind_the_end, TN_ERROR_TRUNCATED, "the tensors take"},
};

static void broken_files_are_refused_with_their_place(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(broken_files); k++) {
        struct broken_file file = {0};
        broken_files[k].build(&file);
        struct tn_str text = tn_builder_str(&file.bytes);
        for (int slice = AT_ONCE; slice < 2; slice++) { /* and byte by byte */
            struct tn_arena arena = {0};
            struct tn_error error = {0};
            assert_null(parse_gguf(&arena, text, text.size + TAIL_BYTES, slice, NULL, &error));
            if (error.code != broken_files[k].code || !strstr(error.message, broken_files[k].message)
                || error.offset != (int64_t)file.mark) {
                fail_msg("expected \"%s\" at %zu, found code %d, \"%s\" at %lld", broken_files[k].message, file.mark,
                         (int)error.code, error.message, (long long)error.offset);
            }
            assert_string_equal(error.where, "test.gguf");
            assert_null(parse_gguf(&arena, text, text.size + TAIL_BYTES, slice, NULL, NULL));
            tn_arena_free(&arena);
        }
        tn_builder_free(&file.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_files_are_refused_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
