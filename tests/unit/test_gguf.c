/* The GGUF parser: what is read of whole files and of files in pieces. test_gguf_broken.c has what is refused. */
#include "format/gguf.h"
#include "model_parse.h"
#include "model_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct tn_header *parse(struct tn_arena *arena, struct tn_str file, uint64_t file_bytes, int slice,
                                     struct tn_error *error)
{
    return parse_gguf(arena, file, file_bytes, slice, NULL, error);
}

/* Parses what was built, with a data part that is not there. */
static const struct tn_header *parse_valid(struct tn_arena *arena, struct tn_builder *file, uint64_t data_bytes)
{
    struct tn_error error = {0};
    assert_false(file->failed);
    const struct tn_header *header = parse(arena, tn_builder_str(file), file->size + data_bytes, AT_ONCE, &error);
    assert_string_equal(error.message, "");
    assert_non_null(header);
    return header;
}

static const struct tn_value *member(const struct tn_header *header, const char *key)
{
    const struct tn_value *value = tn_value_member(&header->metadata, tn_str_of(key));
    assert_non_null(value);
    return value;
}

static void add_string(struct tn_builder *file, const char *text)
{
    gguf_add_string(file, tn_str_of(text));
}

/* ---- what is read ---- */

static void scalars_of_every_type_are_read(void **state)
{
    (void)state;
    static const struct {
        enum gguf_type type;
        size_t bytes;
        uint64_t bits;
        enum tn_kind kind;
        int64_t integer;
        double real;
    } cases[] = {
        {GGUF_U8, 1, 0xff, TN_INTEGER, 255, 0},
        {GGUF_I8, 1, 0xff, TN_INTEGER, -1, 0},
        {GGUF_I8, 1, 0x7f, TN_INTEGER, 127, 0},
        {GGUF_U16, 2, 0xfffe, TN_INTEGER, 65534, 0},
        {GGUF_I16, 2, 0x8000, TN_INTEGER, -32768, 0},
        {GGUF_U32, 4, 0xffffffff, TN_INTEGER, 4294967295, 0},
        {GGUF_I32, 4, 0xfffffffe, TN_INTEGER, -2, 0},
        {GGUF_F32, 4, 0x3fc00000, TN_REAL, 0, 1.5},
        {GGUF_BOOL, 1, 0, TN_BOOL, 0, 0},
        {GGUF_BOOL, 1, 1, TN_BOOL, 1, 0},
        {GGUF_BOOL, 1, 0x80, TN_BOOL, 1, 0}, /* neither 0 nor 1 counts as true */
        {GGUF_U64, 8, 0x7fffffffffffffff, TN_INTEGER, INT64_MAX, 0},
        {GGUF_U64, 8, 0x8000000000000000, TN_REAL, 0, 9223372036854775808.0},
        {GGUF_I64, 8, 0x8000000000000000, TN_INTEGER, INT64_MIN, 0},
        {GGUF_F64, 8, 0xc004000000000000, TN_REAL, 0, -2.5},
    };
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    int64_t offsets[COUNT_OF(cases)];
    gguf_add_start(&file, 3, 0, COUNT_OF(cases));
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%zu", k);
        gguf_add_key(&file, key, cases[k].type);
        offsets[k] = (int64_t)file.size;
        gguf_add_number(&file, cases[k].bits, cases[k].bytes);
    }
    const struct tn_header *header = parse_valid(&arena, &file, 0);
    assert_int_equal(header->metadata.count, COUNT_OF(cases));
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        const struct tn_value *value = &header->metadata.as.members[k].value;
        assert_int_equal(value->kind, cases[k].kind);
        assert_int_equal(value->offset, offsets[k]);
        assert_true(value->kind == TN_REAL   ? value->as.real == cases[k].real
                    : value->kind == TN_BOOL ? value->as.boolean == (cases[k].integer == 1)
                                             : value->as.integer == cases[k].integer);
    }
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

static void short_arrays_are_kept(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    gguf_add_start(&file, 2, 0, 4);
    gguf_add_array(&file, "heads", GGUF_I32, 3);
    for (uint64_t k = 0; k < 3; k++) {
        gguf_add_number(&file, 8 + k, 4);
    }
    gguf_add_array(&file, "tags", GGUF_STRING, 2);
    add_string(&file, "text-generation");
    add_string(&file, "");
    gguf_add_array(&file, "empty", GGUF_F64, 0);
    gguf_add_array(&file, "no strings", GGUF_STRING, 0);
    const struct tn_header *header = parse_valid(&arena, &file, 0);
    const struct tn_value *heads = member(header, "heads");
    assert_int_equal(heads->kind, TN_LIST);
    assert_int_equal(heads->count, 3);
    assert_int_equal(heads->as.items[2].as.integer, 10);
    assert_int_equal(heads->as.items[2].offset, heads->offset + 8);
    const struct tn_value *tags = member(header, "tags");
    assert_int_equal(tags->count, 2);
    assert_true(tn_str_is(tags->as.items[0].as.string, "text-generation"));
    assert_true(tn_str_is(tags->as.items[1].as.string, ""));
    assert_int_equal(member(header, "empty")->kind, TN_LIST);
    assert_int_equal(member(header, "no strings")->count, 0);
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

static void vocabularies_are_counted_not_kept(void **state)
{
    (void)state;
    enum { KEPT = TN_GGUF_KEPT_ITEMS };
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    gguf_add_start(&file, 3, 0, 4);
    gguf_add_array(&file, "kept", GGUF_U8, KEPT);
    tn_builder_add_repeated(&file, "x", KEPT);
    gguf_add_array(&file, "tokens", GGUF_STRING, KEPT + 1);
    for (int k = 0; k < KEPT + 1; k++) {
        add_string(&file, "token");
    }
    gguf_add_array(&file, "scores", GGUF_F32, KEPT + 1);
    tn_builder_add_repeated(&file, "abcd", KEPT + 1);
    gguf_add_key(&file, "last", GGUF_U8);
    gguf_add_number(&file, 7, 1);
    const struct tn_header *header = parse_valid(&arena, &file, 0);
    assert_int_equal(header->metadata.count, 6);
    assert_int_equal(member(header, "kept")->count, KEPT);
    assert_int_equal(member(header, "tokens")->kind, TN_NULL);
    assert_int_equal(member(header, "tokens#count")->as.integer, KEPT + 1);
    assert_int_equal(member(header, "scores")->kind, TN_NULL);
    assert_int_equal(member(header, "scores#count")->as.integer, KEPT + 1);
    assert_int_equal(member(header, "last")->as.integer, 7);
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

static void arrays_together_are_kept_up_to_a_limit(void **state)
{
    (void)state;
    enum { FULL = TN_GGUF_KEPT_ITEMS_TOTAL / TN_GGUF_KEPT_ITEMS };
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    gguf_add_start(&file, 3, 0, FULL + 1);
    for (int k = 0; k < FULL; k++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", k);
        gguf_add_array(&file, key, GGUF_BOOL, TN_GGUF_KEPT_ITEMS);
        tn_builder_add_repeated(&file, "x", TN_GGUF_KEPT_ITEMS);
    }
    gguf_add_array(&file, "beyond", GGUF_BOOL, 1);
    gguf_add_number(&file, 1, 1);
    const struct tn_header *header = parse_valid(&arena, &file, 0);
    assert_int_equal(header->metadata.as.members[FULL - 1].value.kind, TN_LIST);
    assert_int_equal(member(header, "beyond")->kind, TN_NULL);
    assert_int_equal(member(header, "beyond#count")->as.integer, 1);
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

static const struct model_tensor matrix = {"w", "F32", 2, {3, 5}};          /* 60 bytes, 64 with padding */
static const struct model_tensor quantized = {"q", "Q4_K", 3, {2, 7, 512}}; /* 2 * 7 * 2 blocks of 144 bytes: 4032 */
static const struct model_tensor scalar = {"s", "F16", 0, {0}};             /* 2 bytes */

/* Three tensors, one array, one string; data of 64 + 4032 + 2 bytes. */
static void build_small_model(struct tn_builder *file)
{
    gguf_add_start(file, 3, 3, 3);
    gguf_add_key(file, "general.architecture", GGUF_STRING);
    add_string(file, "llama");
    gguf_add_array(file, "tags", GGUF_STRING, 2);
    add_string(file, "a");
    add_string(file, "a text that is longer than the buffer for items that were cut, so that it takes another way");
    gguf_add_key(file, "llama.block_count", GGUF_U32);
    gguf_add_number(file, 32, 4);
    gguf_add_tensor(file, &matrix, 0, 0);
    gguf_add_tensor(file, &quantized, 12, 64);
    gguf_add_tensor(file, &scalar, 1, 4096);
    gguf_add_padding(file, 32);
}

enum { SMALL_MODEL_DATA_BYTES = 64 + 4032 + 2 };

static void assert_small_model(const struct tn_header *header, size_t header_bytes)
{
    assert_non_null(header);
    assert_int_equal(header->header_bytes, header_bytes);
    assert_int_equal(header->file_bytes, header_bytes + SMALL_MODEL_DATA_BYTES);
    assert_true(tn_str_is(member(header, "general.architecture")->as.string, "llama"));
    assert_int_equal(member(header, "tags")->as.items[1].as.string.size, 91);
    assert_int_equal(member(header, "llama.block_count")->as.integer, 32);
    assert_int_equal(header->count, 3);
    assert_true(tn_str_is(header->tensors[0].name, "w"));
    assert_string_equal(header->tensors[0].dtype->name, "F32");
    assert_int_equal(header->tensors[0].dim_count, 2);
    assert_int_equal(header->tensors[0].dims[0], 3); /* outermost first */
    assert_int_equal(header->tensors[0].dims[1], 5);
    assert_int_equal(header->tensors[0].bytes, 60);
    assert_int_equal(header->tensors[0].offset, header_bytes);
    assert_string_equal(header->tensors[1].dtype->name, "Q4_K");
    assert_int_equal(header->tensors[1].dims[2], 512);
    assert_int_equal(header->tensors[1].bytes, 4032);
    assert_int_equal(header->tensors[1].offset, header_bytes + 64);
    assert_int_equal(header->tensors[2].dim_count, 0);
    assert_int_equal(header->tensors[2].bytes, 2);
    assert_int_equal(header->tensors[2].offset, header_bytes + 4096);
}

static void pieces_of_any_size_give_the_same_header(void **state)
{
    (void)state;
    struct tn_builder file = {0};
    build_small_model(&file);
    struct tn_str text = tn_builder_str(&file);
    for (int slice = AS_ASKED; slice < 60; slice++) {
        struct tn_arena arena = {0};
        assert_small_model(parse(&arena, text, text.size + SMALL_MODEL_DATA_BYTES, slice, NULL), text.size);
        assert_small_model(parse(&arena, text, text.size + SMALL_MODEL_DATA_BYTES, RANDOM, NULL), text.size);
        tn_arena_free(&arena);
    }
    tn_builder_free(&file);
}

static void bytes_behind_the_last_tensor_are_allowed(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    build_small_model(&file);
    assert_int_equal(parse_valid(&arena, &file, SMALL_MODEL_DATA_BYTES + 30)->tensors[2].bytes, 2);
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

static void a_part_without_tensors_needs_no_padding(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    gguf_add_start(&file, 3, 0, 1);
    gguf_add_key(&file, "a", GGUF_U8);
    gguf_add_number(&file, 1, 1);
    const struct tn_header *header = parse_valid(&arena, &file, 0);
    assert_int_equal(header->count, 0);
    assert_int_equal(header->header_bytes, file.size);
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

static void alignment_moves_the_data_and_the_tensors(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    gguf_add_start(&file, 3, 2, 1);
    gguf_add_key(&file, "general.alignment", GGUF_U32);
    gguf_add_number(&file, 256, 4);
    gguf_add_tensor(&file, &scalar, 1, 0);
    gguf_add_tensor(&file, &matrix, 0, 256);
    gguf_add_padding(&file, 256);
    const struct tn_header *header = parse_valid(&arena, &file, 256 + 60);
    assert_int_equal(header->header_bytes, file.size);
    assert_int_equal(header->tensors[1].offset, file.size + 256);
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

static void types_newer_than_the_table_take_their_size_from_the_offsets(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    static const struct model_tensor last = {"last", "F32", 1, {7}};
    gguf_add_start(&file, 3, 4, 0);
    gguf_add_tensor(&file, &matrix, TN_GGML_TYPE_COUNT, 0);
    gguf_add_tensor(&file, &scalar, 1, 96);
    gguf_add_tensor(&file, &quantized, 12, 128);
    gguf_add_tensor(&file, &last, INT32_MAX, 128 + 4032);
    gguf_add_padding(&file, 32);
    const struct tn_header *header = parse_valid(&arena, &file, 128 + 4032 + 40);
    assert_null(header->tensors[0].dtype);
    assert_int_equal(header->tensors[0].bytes, 96);
    assert_int_equal(header->tensors[1].offset, file.size + 96);
    assert_null(header->tensors[3].dtype);
    assert_int_equal(header->tensors[3].bytes, 40);
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

static void every_type_of_the_table_is_read_and_removed_ones_are_refused(void **state)
{
    (void)state;
    static const struct model_tensor row = {"row", "F32", 1, {512}}; /* whole blocks of every type */
    for (uint32_t type = 0; type < TN_GGML_TYPE_COUNT; type++) {
        struct tn_arena arena = {0};
        struct tn_builder file = {0};
        struct tn_error error = {0};
        const struct tn_dtype *dtype = tn_dtype_of_ggml(type);
        gguf_add_start(&file, 3, 1, 0);
        gguf_add_tensor(&file, &row, type, 0);
        gguf_add_padding(&file, 32);
        const struct tn_header *header = parse(&arena, tn_builder_str(&file), file.size + 4096, AT_ONCE, &error);
        if (dtype) {
            assert_ptr_equal(header->tensors[0].dtype, dtype);
            assert_int_equal(header->tensors[0].bytes, 512 / dtype->block_elements * dtype->block_bytes);
        } else {
            assert_null(header);
            assert_int_equal(error.code, TN_ERROR_DTYPE);
            assert_int_equal(error.offset, 24 + 8 + 3 + 4 + 8); /* start, name, dimensions */
        }
        tn_builder_free(&file);
        tn_arena_free(&arena);
    }
}

/* ---- files that end early ---- */

static void a_file_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    struct tn_builder file = {0};
    build_small_model(&file);
    struct tn_str text = tn_builder_str(&file);
    for (size_t size = 0; size < text.size + SMALL_MODEL_DATA_BYTES; size++) {
        struct tn_arena arena = {0};
        struct tn_error error = {0};
        size_t header_size = size < text.size ? size : text.size;
        assert_null(parse(&arena, tn_str_slice(text, 0, header_size), size, AT_ONCE, &error));
        assert_int_equal(error.code, TN_ERROR_TRUNCATED);
        assert_true(error.offset >= 0 && error.offset <= (int64_t)size);
        assert_true(error.hint[0] != '\0');
        tn_arena_free(&arena);
    }
    tn_builder_free(&file);
}

static void a_source_that_ends_early_is_truncated(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    struct tn_error error;
    build_small_model(&file);
    struct tn_str text = tn_str_slice(tn_builder_str(&file), 0, 100);
    assert_null(parse(&arena, text, file.size + SMALL_MODEL_DATA_BYTES, AT_ONCE, &error));
    assert_int_equal(error.code, TN_ERROR_TRUNCATED);
    assert_int_equal(error.offset, 100);
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

static void a_failed_parser_takes_no_more(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_error error;
    struct tn_gguf *parser = tn_gguf_open(&arena, TN_STR("test"), 0);
    assert_int_equal(tn_gguf_need(parser).length, 1);
    assert_false(tn_gguf_give(parser, TN_STR(""), &error));
    assert_int_equal(error.code, TN_ERROR_TRUNCATED);
    assert_false(tn_gguf_give(parser, TN_STR("x"), &error));
    assert_int_equal(error.code, TN_ERROR_INTERNAL);
    tn_arena_free(&arena);
}

/* A header of holes: 4 GiB of file, none of which is read. */
static void a_header_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    struct tn_error error;
    gguf_add_start(&file, 3, 0, 1);
    gguf_add_array(&file, "a", GGUF_U8, TN_GGUF_HEADER_LIMIT_BYTES);
    assert_null(parse(&arena, tn_builder_str(&file), UINT64_C(1) << 32, AT_ONCE, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    assert_int_equal(error.offset, file.size);
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

/* ---- arrays in the file, and the metadata alone ---- */

static const struct tn_gguf *parse_metadata(struct tn_arena *arena, struct tn_str bytes, struct tn_error *error)
{
    struct tn_gguf *parser = tn_gguf_open_metadata(arena, TN_STR("test"), bytes.size);
    for (struct tn_need need = tn_gguf_need(parser); need.length; need = tn_gguf_need(parser)) {
        if (!tn_gguf_give(parser, tn_str_slice(bytes, (size_t)need.offset, bytes.size), error)) {
            return NULL;
        }
    }
    return parser;
}

static void items_of_arrays_are_read_in_the_file(void **state)
{
    (void)state;
    enum { TOKENS = 5000 };
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    struct tn_str item;
    double number = 0;
    gguf_add_start(&file, 3, 7, 3);
    gguf_add_array(&file, "tokens", GGUF_STRING, TOKENS);
    for (size_t k = 0; k < TOKENS; k++) {
        gguf_add_string(&file, tn_str_slice(TN_STR("tokens"), 0, k % 7));
    }
    gguf_add_array(&file, "scores", GGUF_F32, 2);
    gguf_add_real(&file, -1.5, GGUF_F32);
    gguf_add_real(&file, 4, GGUF_F32);
    gguf_add_array(&file, "types", GGUF_I8, 1);
    gguf_add_number(&file, 0xff, 1);
    /* What follows, of 7 tensors, is not there. */
    const struct tn_gguf *parser = parse_metadata(&arena, tn_builder_str(&file), NULL);
    assert_non_null(parser);
    assert_int_equal(tn_gguf_header(parser)->count, 0);
    assert_null(tn_gguf_find_array(parser, TN_STR("token")));

    const struct tn_gguf_array *tokens = tn_gguf_find_array(parser, TN_STR("tokens"));
    assert_int_equal(tokens->count, TOKENS);
    struct tn_gguf_walk walk = tn_gguf_walk_of(tokens, tn_builder_str(&file));
    assert_false(tn_gguf_next_number(&walk, &number));
    for (size_t k = 0; k < TOKENS; k++) {
        assert_true(tn_gguf_next_string(&walk, &item));
        assert_int_equal(item.size, k % 7);
    }
    assert_false(tn_gguf_next_string(&walk, &item));

    walk = tn_gguf_walk_of(tn_gguf_find_array(parser, TN_STR("scores")), tn_builder_str(&file));
    assert_false(tn_gguf_next_string(&walk, &item));
    assert_true(tn_gguf_next_number(&walk, &number));
    assert_true(number == -1.5); /* NOLINT(clang-diagnostic-float-equal) */
    assert_true(tn_gguf_next_number(&walk, &number));
    assert_false(tn_gguf_next_number(&walk, &number));

    walk = tn_gguf_walk_of(tn_gguf_find_array(parser, TN_STR("types")), tn_builder_str(&file));
    assert_true(tn_gguf_next_number(&walk, &number));
    assert_true(number == -1); /* NOLINT(clang-diagnostic-float-equal) */
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

static void metadata_cut_anywhere_are_truncated(void **state)
{
    (void)state;
    struct tn_builder file = {0};
    gguf_add_start(&file, 3, 1, 1);
    gguf_add_array(&file, "tokens", GGUF_STRING, 2);
    add_string(&file, "one");
    add_string(&file, "two");
    for (size_t size = 0; size < file.size; size++) {
        struct tn_arena arena = {0};
        struct tn_error error = {0};
        assert_null(parse_metadata(&arena, tn_str_slice(tn_builder_str(&file), 0, size), &error));
        assert_int_equal(error.code, TN_ERROR_TRUNCATED);
        assert_true(error.offset >= 0 && error.offset <= (int64_t)size);
        tn_arena_free(&arena);
    }
    tn_builder_free(&file);
}

/* ---- the order and amount of reading ---- */

static void a_header_is_read_once_however_it_is_cut(void **state)
{
    (void)state;
    enum { TOKENS = 60000 };
    struct tn_builder file = {0};
    gguf_add_start(&file, 3, 1, 1);
    gguf_add_array(&file, "tokens", GGUF_STRING, TOKENS);
    for (int k = 0; k < TOKENS; k++) {
        add_string(&file, "a token");
    }
    gguf_add_tensor(&file, &matrix, 0, 0);
    gguf_add_padding(&file, 32);
    tn_builder_add_repeated(&file, "x", 60);
    static const int slices[] = {1, 7, 4096, RANDOM, AS_ASKED};
    for (size_t k = 0; k < COUNT_OF(slices); k++) {
        struct tn_arena arena = {0};
        uint64_t given;
        const struct tn_header *header = parse_gguf(&arena, tn_builder_str(&file), file.size, slices[k], &given, NULL);
        assert_non_null(header);
        assert_true(given <= file.size);
        tn_arena_free(&arena);
    }
    tn_builder_free(&file);
}

static void what_is_only_counted_is_not_asked_for(void **state)
{
    (void)state;
    const uint64_t scores = 1000000;
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    gguf_add_start(&file, 3, 0, 2);
    gguf_add_array(&file, "scores", GGUF_F32, scores);
    uint64_t scores_at = file.size;
    struct tn_gguf *parser = tn_gguf_open(&arena, TN_STR("test"), scores_at + scores * 4 + 100);
    struct tn_need need = tn_gguf_need(parser);
    assert_int_equal(need.offset, 0);
    assert_int_equal(need.length, 65536);
    assert_true(tn_gguf_give(parser, tn_builder_str(&file), NULL));
    need = tn_gguf_need(parser);
    assert_int_equal(need.offset, scores_at + scores * 4);
    assert_int_equal(need.length, 100); /* the file ends there */
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

static void wishes_grow_to_4_mib(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_builder file = {0};
    gguf_add_start(&file, 3, 0, 1);
    gguf_add_array(&file, "tokens", GGUF_STRING, 1 << 20);
    struct tn_gguf *parser = tn_gguf_open(&arena, TN_STR("test"), 1 << 27);
    const uint64_t largest = 4194304;
    uint64_t expected = 65536;
    struct tn_str bytes = tn_builder_str(&file);
    for (int k = 0; k < 10; k++) {
        assert_int_equal(tn_gguf_need(parser).length, expected);
        assert_true(tn_gguf_give(parser, bytes, NULL));
        bytes = TN_STR("\0\0\0\0\0\0\0\0"); /* an empty token */
        expected = expected < largest ? expected * 2 : largest;
    }
    tn_builder_free(&file);
    tn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_of_every_type_are_read),
        cmocka_unit_test(short_arrays_are_kept),
        cmocka_unit_test(vocabularies_are_counted_not_kept),
        cmocka_unit_test(arrays_together_are_kept_up_to_a_limit),
        cmocka_unit_test(pieces_of_any_size_give_the_same_header),
        cmocka_unit_test(bytes_behind_the_last_tensor_are_allowed),
        cmocka_unit_test(a_part_without_tensors_needs_no_padding),
        cmocka_unit_test(alignment_moves_the_data_and_the_tensors),
        cmocka_unit_test(types_newer_than_the_table_take_their_size_from_the_offsets),
        cmocka_unit_test(every_type_of_the_table_is_read_and_removed_ones_are_refused),
        cmocka_unit_test(a_file_cut_anywhere_is_truncated),
        cmocka_unit_test(a_source_that_ends_early_is_truncated),
        cmocka_unit_test(a_failed_parser_takes_no_more),
        cmocka_unit_test(a_header_beyond_the_limit_is_refused),
        cmocka_unit_test(items_of_arrays_are_read_in_the_file),
        cmocka_unit_test(metadata_cut_anywhere_are_truncated),
        cmocka_unit_test(a_header_is_read_once_however_it_is_cut),
        cmocka_unit_test(what_is_only_counted_is_not_asked_for),
        cmocka_unit_test(wishes_grow_to_4_mib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
