/* The parsers of src/format without memory: each allocation fails once, and each time there is one clear error. */
#include "format/gguf.h"
#include "format/safetensors.h"
#include "model_writer.h"
#include "strict_arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Parses a text, whatever it is. */
typedef bool parse_function(struct tn_arena *arena, struct tn_str text, struct tn_error *error);

/* Repeats the parse with 0, 1, 2... allocations until it succeeds; returns how many it takes. */
static size_t fail_every_allocation(parse_function *parse, struct tn_str text)
{
    for (size_t count = 0;; count++) {
        struct tn_arena arena = {0};
        struct tn_error error = {.code = TN_OK};
        strict_arena_allow(count);
        bool parsed = parse(&arena, text, &error);
        strict_arena_allow(SIZE_MAX);
        tn_arena_free(&arena);
        if (parsed) {
            return count;
        }
        assert_int_equal(error.code, TN_ERROR_MEMORY);
        assert_string_equal(error.message, "out of memory");
    }
}

/* An open without memory gives no parser, and so nowhere to report an error: that is the caller's to do. */
static bool gives_gguf(struct tn_arena *arena, struct tn_str text, struct tn_error *error, size_t slice)
{
    struct tn_gguf *parser = tn_gguf_open(arena, TN_STR("test"), text.size);
    if (!parser) {
        return tn_fail_memory(error);
    }
    for (struct tn_need need; (need = tn_gguf_need(parser)).length > 0;) {
        if (!tn_gguf_give(parser, tn_str_slice(text, (size_t)need.offset, (size_t)need.offset + slice), error)) {
            return false;
        }
    }
    return tn_gguf_header(parser) != NULL;
}

static bool gives_gguf_at_once(struct tn_arena *arena, struct tn_str text, struct tn_error *error)
{
    return gives_gguf(arena, text, error, text.size);
}

static bool gives_gguf_in_slices(struct tn_arena *arena, struct tn_str text, struct tn_error *error)
{
    return gives_gguf(arena, text, error, 50);
}

static bool gives_safetensors_in_slices(struct tn_arena *arena, struct tn_str text, struct tn_error *error)
{
    struct tn_safetensors *parser = tn_safetensors_open(arena, TN_STR("test"), text.size);
    if (!parser) {
        return tn_fail_memory(error);
    }
    for (struct tn_need need; (need = tn_safetensors_need(parser)).length > 0;) {
        if (!tn_safetensors_give(parser, tn_str_slice(text, (size_t)need.offset, (size_t)need.offset + 50), error)) {
            return false;
        }
    }
    return tn_safetensors_header(parser) != NULL;
}

static bool gives_index(struct tn_arena *arena, struct tn_str text, struct tn_error *error)
{
    struct tn_weight_index index;
    return tn_weight_index_read(arena, TN_STR("test"), text, &index, error);
}

static const struct model_tensor tensor = {"w", "U8", 1, {4}};

static void build_gguf(struct tn_builder *file)
{
    gguf_add_start(file, 3, 1, 4);
    gguf_add_key(file, "name", GGUF_STRING);
    gguf_add_string(
        file, TN_STR("a text that is longer than the buffer for items that were cut: it is put together elsewhere"));
    gguf_add_array(file, "kept", GGUF_STRING, 1);
    gguf_add_string(file, TN_STR("x"));
    gguf_add_array(file, "bytes", GGUF_U8, 2);
    gguf_add_number(file, 0, 2);
    gguf_add_array(file, "counted", GGUF_U8, 5000);
    tn_builder_add_repeated(file, "x", 5000);
    gguf_add_tensor(file, &tensor, 24, 0);
    gguf_add_padding(file, 32);
    tn_builder_add_text(file, "data");
}

static void gguf_without_memory_is_an_error(void **state)
{
    (void)state;
    struct tn_builder file = {0};
    build_gguf(&file);
    size_t at_once = fail_every_allocation(gives_gguf_at_once, tn_builder_str(&file));
    size_t in_slices = fail_every_allocation(gives_gguf_in_slices, tn_builder_str(&file));
    assert_true(at_once >= 10); /* parser, keys and values, lists, members, map of keys, tensors, names, map of names */
    assert_true(in_slices > at_once);
    tn_builder_free(&file);
}

static void safetensors_without_memory_is_an_error(void **state)
{
    (void)state;
    static const char json[] = "{\"__metadata__\":{\"a\":\"b\"},"
                               "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[3,4]},"
                               "\"\\u0061\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}";
    struct tn_builder file = {0};
    gguf_add_number(&file, sizeof json - 1, 8);
    tn_builder_add_text(&file, json);
    tn_builder_add_text(&file, "data");
    /* parser, JSON, tensors, places, map, metadata, decoded name, spans */
    assert_true(fail_every_allocation(gives_safetensors_in_slices, tn_builder_str(&file)) >= 8);
    tn_builder_free(&file);
}

static void an_index_without_memory_is_an_error(void **state)
{
    (void)state;
    /* names, files, map of names, map of files, file names */
    assert_true(fail_every_allocation(gives_index, TN_STR("{\"weight_map\":{\"a\":\"f\",\"b\":\"g\"}}")) >= 5);
}

static bool joins(struct tn_arena *arena, struct tn_str text, struct tn_error *error)
{
    (void)text;
    struct tn_member keys[] = {{TN_STR("split.no"), tn_value_integer(0)},
                               {TN_STR("split.count"), tn_value_integer(1)},
                               {TN_STR("split.tensors.count"), tn_value_integer(1)}};
    struct tn_tensor only = {.name = TN_STR("w")};
    struct tn_header part = {.tensors = &only, .count = 1};
    struct tn_header whole;
    const struct tn_header *parts[] = {&part};
    part.metadata = (struct tn_value){.kind = TN_OBJECT, .count = 3, .as.members = keys};
    return tn_gguf_join(arena, parts, 1, &whole, error);
}

static void a_join_without_memory_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(fail_every_allocation(joins, TN_STR("")), 3); /* tensors, slots and entries of the map */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gguf_without_memory_is_an_error),
        cmocka_unit_test(safetensors_without_memory_is_an_error),
        cmocka_unit_test(an_index_without_memory_is_an_error),
        cmocka_unit_test(a_join_without_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
