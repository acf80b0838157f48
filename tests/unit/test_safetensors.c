/* The safetensors parser and the index of sharded models: what is read, every error with its offset, and bytes in
 * pieces. */
#include "format/safetensors.h"
#include "model_parse.h"
#include "model_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A file with this JSON; its data are not there, only counted. */
static struct tn_str file_of(struct tn_arena *arena, const char *json)
{
    struct tn_builder builder = {0};
    struct tn_str file;
    gguf_add_number(&builder, strlen(json), 8);
    tn_builder_add_text(&builder, json);
    assert_true(tn_str_copy(arena, tn_builder_str(&builder), &file));
    tn_builder_free(&builder);
    return file;
}

static const struct tn_header *parse(struct tn_arena *arena, struct tn_str file, uint64_t file_bytes, int slice,
                                     struct tn_error *error)
{
    return parse_safetensors(arena, file, file_bytes, slice, NULL, error);
}

static const struct tn_header *parse_json(struct tn_arena *arena, const char *json, uint64_t data_bytes)
{
    struct tn_error error = {0};
    struct tn_str file = file_of(arena, json);
    const struct tn_header *header = parse(arena, file, file.size + data_bytes, 0, &error);
    assert_string_equal(error.message, "");
    assert_non_null(header);
    return header;
}

static const char two_tensors[] = "{\"__metadata__\":{\"format\":\"pt\",\"a\":\"\\u00e4\"},"
                                  "\"w\":{\"dtype\":\"BF16\",\"shape\":[3,4],\"data_offsets\":[0,24]},"
                                  "\"b\\\"\":{\"data_offsets\":[24,40],\"shape\":[4],\"dtype\":\"F32\"}}  ";

static void assert_two_tensors(const struct tn_header *header)
{
    const uint64_t data_start = 8 + sizeof two_tensors - 1;
    assert_non_null(header);
    assert_int_equal(header->count, 2);
    assert_int_equal(header->header_bytes, data_start);
    assert_int_equal(header->file_bytes, data_start + 40);
    assert_true(tn_str_is(header->tensors[0].name, "w"));
    assert_string_equal(header->tensors[0].dtype->name, "BF16");
    assert_int_equal(header->tensors[0].dim_count, 2);
    assert_int_equal(header->tensors[0].dims[0], 3);
    assert_int_equal(header->tensors[0].dims[1], 4);
    assert_int_equal(header->tensors[0].bytes, 24);
    assert_int_equal(header->tensors[0].offset, data_start);
    assert_true(tn_str_is(header->tensors[1].name, "b\""));
    assert_string_equal(header->tensors[1].dtype->name, "F32");
    assert_int_equal(header->tensors[1].dim_count, 1);
    assert_int_equal(header->tensors[1].bytes, 16);
    assert_int_equal(header->tensors[1].offset, data_start + 24);
    assert_int_equal(header->metadata.count, 2);
    assert_true(tn_str_is(tn_value_member(&header->metadata, TN_STR("format"))->as.string, "pt"));
    assert_true(tn_str_is(tn_value_member(&header->metadata, TN_STR("a"))->as.string, "\xc3\xa4"));
}

static void a_header_gives_tensors_and_metadata(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    assert_two_tensors(parse_json(&arena, two_tensors, 40));
    tn_arena_free(&arena);
}

static void pieces_of_any_size_give_the_same_header(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_str file = file_of(&arena, two_tensors);
    for (int slice = AS_ASKED; slice < 20; slice++) {
        assert_two_tensors(parse(&arena, file, file.size + 40, slice, NULL));
        assert_two_tensors(parse(&arena, file, file.size + 40, RANDOM, NULL));
    }
    tn_arena_free(&arena);
}

static void the_parser_asks_for_the_length_then_for_the_json(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_str file = file_of(&arena, two_tensors);
    struct tn_safetensors *parser = tn_safetensors_open(&arena, TN_STR("test"), file.size + 40);
    struct tn_need need = tn_safetensors_need(parser);
    assert_int_equal(need.offset, 0);
    assert_int_equal(need.length, 8);
    assert_true(tn_safetensors_give(parser, tn_str_slice(file, 0, 5), NULL));
    need = tn_safetensors_need(parser);
    assert_int_equal(need.offset, 5);
    assert_int_equal(need.length, 3);
    assert_true(tn_safetensors_give(parser, tn_str_slice(file, 5, 8), NULL));
    need = tn_safetensors_need(parser);
    assert_int_equal(need.offset, 8);
    assert_int_equal(need.length, sizeof two_tensors - 1);
    assert_true(tn_safetensors_give(parser, tn_str_slice(file, 8, file.size), NULL));
    assert_int_equal(tn_safetensors_need(parser).length, 0);
    assert_true(tn_safetensors_give(parser, TN_STR("ignored"), NULL));
    assert_two_tensors(tn_safetensors_header(parser));
    tn_arena_free(&arena);
}

static void a_file_without_tensors_is_valid(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    assert_int_equal(parse_json(&arena, "{}", 0)->count, 0);
    assert_int_equal(parse_json(&arena, " { \"__metadata__\" : null }  ", 0)->count, 0);
    assert_int_equal(parse_json(&arena, "{\"__metadata__\":{}}", 0)->metadata.count, 0);
    tn_arena_free(&arena);
}

static void scalars_and_empty_tensors_are_valid(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    const struct tn_header *header =
        parse_json(&arena,
                   "{\"empty\":{\"dtype\":\"F32\",\"shape\":[0,9223372036854775807,3],\"data_offsets\":[0,0]},"
                   "\"scalar\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                   "\"last\":{\"dtype\":\"F64\",\"shape\":[2,0],\"data_offsets\":[8,8]}}",
                   8);
    assert_int_equal(header->count, 3);
    assert_int_equal(header->tensors[0].bytes, 0);
    assert_int_equal(header->tensors[1].dim_count, 0);
    assert_int_equal(header->tensors[1].bytes, 8);
    tn_arena_free(&arena);
}

static void fields_that_are_not_known_are_passed_over(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    const struct tn_header *header = parse_json(
        &arena,
        "{\"t\":{\"x\":{\"dtype\":[{}]},\"dtype\":\"U8\",\"y\":1,\"shape\":[2],\"data_offsets\":[0,2],\"z\":\"\"}}", 2);
    assert_int_equal(header->tensors[0].bytes, 2);
    tn_arena_free(&arena);
}

static void packed_types_fill_whole_bytes(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    const struct tn_header *header = parse_json(&arena,
                                                "{\"a\":{\"dtype\":\"F4\",\"shape\":[3,2],\"data_offsets\":[0,3]},"
                                                "\"b\":{\"dtype\":\"F6_E3M2\",\"shape\":[2,2],\"data_offsets\":[3,6]}}",
                                                6);
    assert_int_equal(header->tensors[0].bytes, 3);
    assert_int_equal(header->tensors[1].bytes, 3);
    tn_arena_free(&arena);
}

static void tensors_may_stand_in_any_order(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    const struct tn_header *header = parse_json(&arena,
                                                "{\"c\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[6,9]},"
                                                "\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
                                                "\"empty\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[3,3]},"
                                                "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[3,6]}}",
                                                9);
    assert_true(tn_str_is(header->tensors[0].name, "c"));
    assert_int_equal(header->tensors[0].offset, header->header_bytes + 6);
    tn_arena_free(&arena);
}

static void one_dimension_too_many_is_told_from_the_last(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    const struct tn_header *header =
        parse_json(&arena, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,2],\"data_offsets\":[0,2]}}", 2);
    assert_int_equal(header->tensors[0].dim_count, 8);
    tn_arena_free(&arena);
}

/* A whole tensor with U8 elements. */
#define U8(name, size, begin, end) \
    "\"" name "\":{\"dtype\":\"U8\",\"shape\":[" #size "],\"data_offsets\":[" #begin "," #end "]}"

/* `at` is the part of the JSON at which the error lies: its first occurrence, in which `@` marks the very place. */
struct broken {
    const char *json;
    uint64_t data_bytes;
    enum tn_code code;
    const char *message;
    const char *at;
};

static const struct broken broken_headers[] = {
    {"[]", 0, TN_ERROR_HEADER, "expected the header, an object", "@[]"},
    {"{", 0, TN_ERROR_HEADER, "end of the text", "{@"},
    {"{} x", 0, TN_ERROR_HEADER, "expected the end", "{} @x"},
    {"{\"a\":1}", 0, TN_ERROR_HEADER, "expected a tensor, an object", "@1"},
    {"{\"a\":{\"dtype\":1}}", 0, TN_ERROR_HEADER, "expected a dtype", "@1"},
    {"{\"a\":{\"dtype\":\"Q4_K\"}}", 0, TN_ERROR_DTYPE, "has the dtype \"Q4_K\"", "@\"Q4_K"},
    {"{\"a\":{\"dtype\":\"f32\"}}", 0, TN_ERROR_DTYPE, "\"f32\"", "@\"f32"},
    {"{\"a\":{\"shape\":{}}}", 0, TN_ERROR_HEADER, "expected a shape", "@{}"},
    {"{\"a\":{\"shape\":[1,-1]}}", 0, TN_ERROR_HEADER, "expected a dimension", "@-1"},
    {"{\"a\":{\"shape\":[1.0]}}", 0, TN_ERROR_HEADER, "expected a dimension", "@1.0"},
    {"{\"a\":{\"shape\":[9223372036854775808]}}", 0, TN_ERROR_HEADER, "expected a dimension", "@9223"},
    {"{\"a\":{\"shape\":[[1]]}}", 0, TN_ERROR_HEADER, "expected a dimension", "[@[1"},
    {"{\"a\":{\"shape\":[1,}}", 0, TN_ERROR_HEADER, "expected a value", "1,@}"},
    {"{\"a\":{\"shape\":[1,1,1,1,1,1,1,1,7]}}", 0, TN_ERROR_TOO_LARGE, "more than 8 dimensions", "@7"},
    {"{\"a\":{\"data_offsets\":0}}", 0, TN_ERROR_HEADER, "expected data_offsets", "@0"},
    {"{\"a\":{\"data_offsets\":[]}}", 0, TN_ERROR_HEADER, "expected an offset", "@]"},
    {"{\"a\":{\"data_offsets\":[0]}}", 0, TN_ERROR_HEADER, "expected an offset", "@]"},
    {"{\"a\":{\"data_offsets\":[0,1,2]}}", 0, TN_ERROR_HEADER, "expected the end of data_offsets", "@2"},
    {"{\"a\":{\"data_offsets\":[-1,0]}}", 0, TN_ERROR_HEADER, "expected an offset", "@-1"},
    {"{\"a\":{\"data_offsets\":[0,-1]}}", 0, TN_ERROR_HEADER, "expected an offset", "@-1"},
    {"{\"a\":{\"data_offsets\":[7,5]}}", 0, TN_ERROR_HEADER, "ends at 5, before it begins at 7", "@5"},
    {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}", 0, TN_ERROR_HEADER, "has two dtype", ",@\"dtype"},
    {"{\"a\":{\"x\":[1,{\"b\":tru}]}}", 0, TN_ERROR_HEADER, "expected a value", "@tru"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2]}}", 0, TN_ERROR_HEADER, "has no data_offsets", "@\"a"},
    {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 0, TN_ERROR_HEADER, "has no shape", "@\"a"},
    {"{\"a\":{}}", 0, TN_ERROR_HEADER, "has no dtype", "@\"a"},
    {"{" U8("a", 2, 0, 1) "}", 1, TN_ERROR_HEADER, "1 bytes by its offsets, but 2", "@\"a"},
    {"{" U8("a", 2, 0, 3) "}", 3, TN_ERROR_HEADER, "3 bytes by its offsets, but 2", "@\"a"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[8589934592,8589934592],\"data_offsets\":[0,0]}}", 0, TN_ERROR_TOO_LARGE,
     "more elements than", "@\"a"},
    {"{\"a\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0, TN_ERROR_TOO_LARGE,
     "more bytes than", "@\"a"},
    {"{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2, TN_ERROR_HEADER, "whole bytes", "@\"a"},
    {"{\"a\":{\"dtype\":\"F6_E2M3\",\"shape\":[6],\"data_offsets\":[0,5]}}", 5, TN_ERROR_HEADER, "whole bytes", "@\"a"},
    {"{" U8("a", 1, 0, 1) "," U8("b", 1, 1, 2) "," U8("a", 1, 2, 3) "}", 3, TN_ERROR_HEADER, "\"a\" stands twice",
     "[1,2]},@"},
    {"{" U8("a", 4, 0, 4) "," U8("b", 4, 2, 6) "}", 6, TN_ERROR_HEADER, "\"b\" overlaps", "@\"b"},
    {"{" U8("a", 4, 0, 4) "," U8("b", 4, 0, 4) "}", 4, TN_ERROR_HEADER, "\"b\" overlaps", "@\"b"},
    {"{" U8("b", 2, 3, 5) "," U8("a", 2, 0, 2) "}", 5, TN_ERROR_HEADER, "\"b\" leaves a hole", "@\"b"},
    {"{" U8("a", 2, 1, 3) "}", 3, TN_ERROR_HEADER, "\"a\" leaves a hole", "@\"a"},
    {"{\"__metadata__\":1}", 0, TN_ERROR_HEADER, "expected an object as __metadata__", "@1"},
    {"{\"__metadata__\":{\"a\":1}}", 0, TN_ERROR_HEADER, "expected a value of __metadata__", "@1"},
    {"{\"__metadata__\":{\"a\":\"\",}}", 0, TN_ERROR_HEADER, "expected a key", ",@}"},
    {"{\"__metadata__\":}", 0, TN_ERROR_HEADER, "expected a value", ":@}"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, TN_ERROR_HEADER, "__metadata__ stands twice", ",@\"_"},
    {"{\"\xff\":{}}", 0, TN_ERROR_HEADER, "UTF-8", "@\xff"},
};

static int64_t offset_in_file(const struct broken *broken)
{
    char at[64];
    const char *mark = strchr(broken->at, '@');
    (void)snprintf(at, sizeof at, "%.*s%s", (int)(mark - broken->at), broken->at, mark + 1);
    const char *found = strstr(broken->json, at);
    assert_non_null(found);
    return 8 + (found - broken->json) + (mark - broken->at);
}

static void assert_broken(const struct broken *broken, const char *where, int64_t offset, const struct tn_error *error)
{
    if (error->code != broken->code || !strstr(error->message, broken->message) || error->offset != offset) {
        fail_msg("%s: expected \"%s\" at %lld, found code %d, \"%s\" at %lld", broken->json, broken->message,
                 (long long)offset, (int)error->code, error->message, (long long)error->offset);
    }
    assert_string_equal(error->where, where);
}

static void broken_headers_are_refused_with_their_place(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(broken_headers); k++) {
        const struct broken *broken = &broken_headers[k];
        for (int slice = AT_ONCE; slice < 2; slice++) { /* and byte by byte */
            struct tn_arena arena = {0};
            struct tn_error error = {0};
            struct tn_str file = file_of(&arena, broken->json);
            assert_null(parse(&arena, file, file.size + broken->data_bytes, slice, &error));
            assert_broken(broken, "test.safetensors", offset_in_file(broken), &error);
            assert_null(parse(&arena, file, file.size + broken->data_bytes, slice, NULL));
            tn_arena_free(&arena);
        }
    }
}

static void data_that_do_not_fill_the_file_are_refused(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_error error;
    struct tn_str file = file_of(&arena, two_tensors);
    assert_null(parse(&arena, file, file.size + 39, 0, &error));
    assert_int_equal(error.code, TN_ERROR_TRUNCATED);
    assert_int_equal(error.offset, file.size + 39);
    assert_true(error.hint[0] != '\0');
    assert_null(parse(&arena, file, file.size + 41, 0, &error));
    assert_int_equal(error.code, TN_ERROR_HEADER);
    assert_int_equal(error.offset, file.size + 40);
    file = file_of(&arena, "{" U8("a", 9223372036854775807, 0, 9223372036854775807) "}");
    assert_null(parse(&arena, file, file.size + 10, 0, &error));
    assert_int_equal(error.code, TN_ERROR_TRUNCATED);
    tn_arena_free(&arena);
}

static void a_header_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_str file = file_of(&arena, two_tensors);
    for (size_t size = 0; size < file.size; size++) {
        struct tn_error error;
        assert_null(parse(&arena, tn_str_slice(file, 0, size), size, 0, &error));
        assert_int_equal(error.code, TN_ERROR_TRUNCATED);
        assert_int_equal(error.offset, size < 8 ? 0 : 8);
    }
    tn_arena_free(&arena);
}

static void a_source_that_ends_early_is_truncated(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_error error;
    struct tn_str file = file_of(&arena, two_tensors);
    assert_null(parse(&arena, tn_str_slice(file, 0, 20), file.size + 40, 0, &error));
    assert_int_equal(error.code, TN_ERROR_TRUNCATED);
    assert_int_equal(error.offset, 20);
    tn_arena_free(&arena);
}

static void lengths_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t length;
        enum tn_code code;
        int64_t offset;
    } cases[] = {{0, TN_ERROR_HEADER, 0},
                 {100000001, TN_ERROR_TOO_LARGE, 0},
                 {UINT64_MAX, TN_ERROR_TOO_LARGE, 0},
                 {100000000, TN_ERROR_TRUNCATED, 8},
                 {93, TN_ERROR_TRUNCATED, 8}};
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        struct tn_arena arena = {0};
        struct tn_error error;
        struct tn_builder file = {0};
        gguf_add_number(&file, cases[k].length, 8);
        assert_null(parse(&arena, tn_builder_str(&file), 100, 0, &error));
        assert_int_equal(error.code, cases[k].code);
        assert_int_equal(error.offset, cases[k].offset);
        tn_builder_free(&file);
        tn_arena_free(&arena);
    }
}

static void files_of_other_formats_are_named(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"},
        {"<!DOCTYPE html><html>", "a web page"},
        {"<!doctype html><html>", "a web page"},
        {"<html lang=\"en\">", "a web page"},
        {"GGUF\3...........", "a GGUF file"},
        {"PK\3\4............", "a zip archive"},
    };
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        struct tn_arena arena = {0};
        struct tn_error error;
        struct tn_str file = tn_str_of(cases[k][0]);
        assert_null(parse(&arena, file, file.size, 0, &error));
        assert_int_equal(error.code, TN_ERROR_HEADER);
        assert_int_equal(error.offset, 0);
        assert_non_null(strstr(error.message, cases[k][1]));
        assert_true(error.hint[0] != '\0');
        tn_arena_free(&arena);
    }
}

static void a_failed_parser_takes_no_more(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_error error;
    struct tn_safetensors *parser = tn_safetensors_open(&arena, TN_STR("test"), 0);
    assert_false(tn_safetensors_give(parser, TN_STR(""), &error));
    assert_int_equal(error.code, TN_ERROR_TRUNCATED);
    assert_false(tn_safetensors_give(parser, TN_STR("x"), &error));
    assert_int_equal(error.code, TN_ERROR_INTERNAL);
    tn_arena_free(&arena);
}

/* Counts that no text of this size can hold must not be allocated: 1,000,000 braces would be 112 MB of tensors. */
static void room_is_bounded_by_the_text(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_builder json = {0};
    tn_builder_add_text(&json, "{\"");
    tn_builder_add_repeated(&json, "{", 1000000);
    tn_builder_add_text(&json, "\":1}");
    struct tn_str file = file_of(&arena, json.data);
    assert_null(parse(&arena, file, file.size, 0, NULL));
    tn_builder_free(&json);
    tn_arena_free(&arena);
}

static void many_tensors_in_reverse_are_sorted(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    struct tn_arena arena = {0};
    struct tn_builder json = {0};
    for (int k = 0; k < COUNT; k++) {
        int begin = 4 * (COUNT - 1 - k);
        tn_builder_addf(&json, "%s\"t%d\":{\"dtype\":\"F16\",\"shape\":[2,1],\"data_offsets\":[%d,%d]}",
                        k == 0 ? "{" : ",", k, begin, begin + 4);
    }
    tn_builder_add_char(&json, '}');
    const struct tn_header *header = parse_json(&arena, json.data, (uint64_t)4 * COUNT);
    assert_int_equal(header->count, COUNT);
    assert_int_equal(header->tensors[0].offset, header->header_bytes + (uint64_t)4 * (COUNT - 1));
    tn_builder_free(&json);
    tn_arena_free(&arena);
}

/* ---- the index ---- */

static bool read_index(struct tn_arena *arena, const char *text, struct tn_weight_index *index, struct tn_error *error)
{
    return tn_weight_index_read(arena, TN_STR("test.index.json"), tn_str_of(text), index, error);
}

static void an_index_says_where_tensors_lie(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_weight_index index;
    assert_true(read_index(&arena,
                           "{\"other\":[{}],\"metadata\":{\"x\":{},\"total_size\":123,\"y\":[]},\"weight_map\":"
                           "{\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\",\"c\":\"m-1.safetensors\"}}",
                           &index, NULL));
    assert_int_equal(index.count, 3);
    assert_int_equal(index.file_count, 2);
    assert_int_equal(index.total_size_bytes, 123);
    assert_true(tn_str_is(index.names[0], "a"));
    assert_true(tn_str_is(index.names[2], "c"));
    assert_true(tn_str_is(index.file_names[0], "m-1.safetensors"));
    assert_true(tn_str_is(index.file_names[1], "m-2.safetensors"));
    assert_int_equal(index.files[0], 0);
    assert_int_equal(index.files[1], 1);
    assert_int_equal(index.files[2], 0);
    tn_arena_free(&arena);
}

static void total_size_may_be_anything(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {{"65248815744", 65248815744},
                 {"1.5e3", 1500},
                 {"-1", 0},
                 {"0.5", 0},
                 {"1e300", 0},
                 {"\"12\"", 0},
                 {"null", 0},
                 {"[1,{}]", 0},
                 {"{\"a\":[]}", 0},
                 {"NaN", 0}};
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        struct tn_arena arena = {0};
        struct tn_weight_index index;
        char text[128];
        (void)snprintf(text, sizeof text, "{\"weight_map\":{},\"metadata\":{\"total_size\":%s}}", cases[k].text);
        assert_true(read_index(&arena, text, &index, NULL));
        assert_int_equal(index.total_size_bytes, cases[k].bytes);
        tn_arena_free(&arena);
    }
}

static void many_files_are_counted_once_each(void **state)
{
    (void)state;
    enum { COUNT = 3000, FILES = 700 };
    struct tn_arena arena = {0};
    struct tn_weight_index index;
    struct tn_builder text = {0};
    tn_builder_add_text(&text, "{\"weight_map\":{\"first\":\"f0\"");
    for (int k = 0; k < COUNT; k++) {
        tn_builder_addf(&text, ",\"t:%d\":\"f%d\"", k, k % FILES);
    }
    tn_builder_add_text(&text, "}}");
    assert_true(read_index(&arena, text.data, &index, NULL));
    assert_int_equal(index.count, COUNT + 1);
    assert_int_equal(index.file_count, FILES);
    assert_true(tn_str_is(index.file_names[index.files[COUNT]], "f199")); /* (3000 - 1) mod 700 */
    tn_builder_free(&text);
    tn_arena_free(&arena);
}

static const struct broken broken_indexes[] = {
    {"[]", 0, TN_ERROR_HEADER, "expected an index, an object", "@[]"},
    {"", 0, TN_ERROR_JSON, "end of the text", "@"},
    {"{\"weight_map\":{}", 0, TN_ERROR_JSON, "end of the text", "{}@"},
    {"{\"weight_map\":{}} x", 0, TN_ERROR_JSON, "expected the end", "@x"},
    {"{\"metadata\":{}}", 0, TN_ERROR_HEADER, "no weight_map", "@{"},
    {"{\"metadata\":1}", 0, TN_ERROR_HEADER, "expected metadata, an object", "@1"},
    {"{\"metadata\":{\"total_size\":}}", 0, TN_ERROR_JSON, "expected a value", ":@}"},
    {"{\"metadata\":{\"a\":}}", 0, TN_ERROR_JSON, "expected a value", ":@}"},
    {"{\"a\":[}", 0, TN_ERROR_JSON, "expected a value", "[@}"},
    {"{\"weight_map\":[]}", 0, TN_ERROR_HEADER, "expected weight_map, an object", "@[]"},
    {"{\"weight_map\":{\"a\":1}}", 0, TN_ERROR_HEADER, "expected a file name", "@1"},
    {"{\"weight_map\":{\"a\":\"f\",}}", 0, TN_ERROR_JSON, "expected a key", ",@}"},
    {"{\"weight_map\":{\"a\":\"f\",\"a\":\"g\"}}", 0, TN_ERROR_HEADER, "\"a\" stands twice", ",@\"a"},
    {"{\"weight_map\":{},\"weight_map\":{}}", 0, TN_ERROR_HEADER, "weight_map stands twice", ",@\"w"},
    {"{\"weight_map\":{\"a\":\"b/c\"}}", 0, TN_ERROR_HEADER, "not a plain file name", "@\"b"},
    {"{\"weight_map\":{\"a\":\"b\\\\c\"}}", 0, TN_ERROR_HEADER, "not a plain file name", "@\"b"},
    {"{\"weight_map\":{\"a\":\"b\\u0000c\"}}", 0, TN_ERROR_HEADER, "not a plain file name", "@\"b"},
    {"{\"weight_map\":{\"a\":\"..\"}}", 0, TN_ERROR_HEADER, "not a plain file name", "@\".."},
    {"{\"weight_map\":{\"a\":\".\"}}", 0, TN_ERROR_HEADER, "not a plain file name", "@\"."},
    {"{\"weight_map\":{\"a\":\"\"}}", 0, TN_ERROR_HEADER, "not a plain file name", "@\"\""},
};

static void broken_indexes_are_refused_with_their_place(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(broken_indexes); k++) {
        struct tn_arena arena = {0};
        struct tn_error error = {0};
        struct tn_weight_index index;
        assert_false(read_index(&arena, broken_indexes[k].json, &index, &error));
        assert_broken(&broken_indexes[k], "test.index.json", offset_in_file(&broken_indexes[k]) - 8, &error);
        assert_false(read_index(&arena, broken_indexes[k].json, &index, NULL));
        tn_arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_gives_tensors_and_metadata),
        cmocka_unit_test(pieces_of_any_size_give_the_same_header),
        cmocka_unit_test(the_parser_asks_for_the_length_then_for_the_json),
        cmocka_unit_test(a_file_without_tensors_is_valid),
        cmocka_unit_test(scalars_and_empty_tensors_are_valid),
        cmocka_unit_test(fields_that_are_not_known_are_passed_over),
        cmocka_unit_test(packed_types_fill_whole_bytes),
        cmocka_unit_test(tensors_may_stand_in_any_order),
        cmocka_unit_test(one_dimension_too_many_is_told_from_the_last),
        cmocka_unit_test(broken_headers_are_refused_with_their_place),
        cmocka_unit_test(data_that_do_not_fill_the_file_are_refused),
        cmocka_unit_test(a_header_cut_anywhere_is_truncated),
        cmocka_unit_test(a_source_that_ends_early_is_truncated),
        cmocka_unit_test(lengths_that_cannot_be_are_refused),
        cmocka_unit_test(files_of_other_formats_are_named),
        cmocka_unit_test(a_failed_parser_takes_no_more),
        cmocka_unit_test(room_is_bounded_by_the_text),
        cmocka_unit_test(many_tensors_in_reverse_are_sorted),
        cmocka_unit_test(an_index_says_where_tensors_lie),
        cmocka_unit_test(total_size_may_be_anything),
        cmocka_unit_test(many_files_are_counted_once_each),
        cmocka_unit_test(broken_indexes_are_refused_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
