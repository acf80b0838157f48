/* Models in several files, and whole models on disk: names of parts, joining, files of full size that take no disk. */
#define _POSIX_C_SOURCE 200809L
#include "format/gguf.h"
#include "format/safetensors.h"
#include "host/file.h"
#include "model_parse.h"
#include "model_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct tn_value *member(const struct tn_header *header, const char *key)
{
    const struct tn_value *value = tn_value_member(&header->metadata, tn_str_of(key));
    assert_non_null(value);
    return value;
}

static void names_of_parts_are_taken_apart(void **state)
{
    (void)state;
    struct tn_str prefix;
    unsigned number;
    unsigned count;
    assert_true(tn_gguf_split_name(TN_STR("model-Q4_K_M-00002-of-00005.gguf"), &prefix, &number, &count));
    assert_true(tn_str_is(prefix, "model-Q4_K_M"));
    assert_int_equal(number, 2);
    assert_int_equal(count, 5);
    static const char *const others[] = {
        "",
        "model.gguf",
        "-00001-of-00002.gguf",
        "model-00000-of-00002.gguf",
        "model-00003-of-00002.gguf",
        "model-0001-of-00002.gguf",
        "model-00001-of-0002.gguf",
        "model-0000x-of-00002.gguf",
        "model-00001-of-0000x.gguf",
        "model_00001-of-00002.gguf",
        "model-00001_of_00002.gguf",
        "model-00001-of-00002.bin.",
        "model-00001-of-00002.GGUF",
    };
    for (size_t k = 0; k < COUNT_OF(others); k++) {
        assert_false(tn_gguf_split_name(tn_str_of(others[k]), &prefix, &number, &count));
    }
}

/* A part with one tensor and the three keys of splits. */
static const struct tn_header *make_part(struct tn_arena *arena, const char *tensor_name, int number, int count,
                                         int tensor_count)
{
    struct tn_builder file = {0};
    const struct model_tensor tensor = {tensor_name, "F32", 2, {3, 5}}; /* 60 bytes */
    gguf_add_start(&file, 3, 1, 3);
    gguf_add_key(&file, "split.no", GGUF_U16);
    gguf_add_number(&file, (uint64_t)number, 2);
    gguf_add_key(&file, "split.count", GGUF_U16);
    gguf_add_number(&file, (uint64_t)count, 2);
    gguf_add_key(&file, "split.tensors.count", GGUF_I32);
    gguf_add_number(&file, (uint64_t)tensor_count, 4);
    gguf_add_tensor(&file, &tensor, 0, 0);
    gguf_add_padding(&file, 32);
    const struct tn_header *header = parse_gguf(arena, tn_builder_str(&file), file.size + 60, AT_ONCE, NULL, NULL);
    tn_builder_free(&file);
    assert_non_null(header);
    return header;
}

static void parts_are_joined_in_order(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_header whole;
    const struct tn_header *parts[] = {make_part(&arena, "a", 0, 2, 2), make_part(&arena, "b", 1, 2, 2)};
    assert_true(tn_gguf_join(&arena, parts, 2, &whole, NULL));
    assert_int_equal(whole.count, 2);
    assert_true(tn_str_is(whole.tensors[0].name, "a"));
    assert_true(tn_str_is(whole.tensors[1].name, "b"));
    assert_int_equal(whole.file_bytes, parts[0]->file_bytes + parts[1]->file_bytes);
    assert_int_equal(whole.header_bytes, parts[0]->header_bytes + parts[1]->header_bytes);
    assert_ptr_equal(whole.metadata.as.members, parts[0]->metadata.as.members);
    tn_arena_free(&arena);
}

static void parts_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_header without_keys = {.metadata.kind = TN_OBJECT, .count = 1};
    const struct tn_header *good = make_part(&arena, "a", 0, 2, 2);
    struct tn_header huge = *good;
    huge.file_bytes = UINT64_MAX;
    const struct {
        const struct tn_header *parts[2];
        enum tn_code code;
        const char *message;
        const char *where;
    } cases[] = {
        {{good, make_part(&arena, "b", 0, 2, 2)}, TN_ERROR_HEADER, "split.no is 0, but the files make it 1", "part 2"},
        {{make_part(&arena, "b", 1, 2, 2), good}, TN_ERROR_HEADER, "split.no is 1, but the files make it 0", "part 1"},
        {{good, make_part(&arena, "b", 1, 3, 2)}, TN_ERROR_HEADER, "split.count is 3", "part 2"},
        {{good, make_part(&arena, "b", 1, 2, 3)}, TN_ERROR_HEADER, "split.tensors.count is 3", "part 2"},
        {{good, make_part(&arena, "b", 1, 2, -1)}, TN_ERROR_HEADER, "split.tensors.count is -1", "part 2"},
        {{good, &without_keys}, TN_ERROR_HEADER, "split.no is missing", "part 2"},
        {{good, make_part(&arena, "a", 1, 2, 2)}, TN_ERROR_HEADER, "\"a\" stands in two files", "part 2"},
        {{good, &huge}, TN_ERROR_TOO_LARGE, "more bytes than", ""},
    };
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        struct tn_header whole;
        struct tn_error error;
        assert_false(tn_gguf_join(&arena, cases[k].parts, 2, &whole, &error));
        assert_int_equal(error.code, cases[k].code);
        assert_non_null(strstr(error.message, cases[k].message));
        assert_non_null(strstr(error.where, cases[k].where));
    }
    tn_arena_free(&arena);
}

/* ---- whole models on disk ---- */

enum { LAYERS = 80, HIDDEN = 8192, FEED_FORWARD = 28672, VOCABULARY = 128256, KEY_VALUE = 1024, PATH_SIZE = 512 };

static char folder[PATH_SIZE];

static int make_folder(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/tonnage-test-XXXXXX", base ? base : "/tmp");
    return mkdtemp(folder) ? 0 : 1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[PATH_SIZE + 16];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command); /* NOLINT(cert-env33-c): the name is our own */
}

/* The weights of the layers of Llama 3 70B, as matrices without norms. */
static size_t make_layers(struct model_tensor tensors[LAYERS * 7], char names[LAYERS * 7][32], const char *dtype)
{
    static const struct {
        const char *name;
        uint64_t dims[2];
    } weights[] = {
        {"attn_q", {HIDDEN, HIDDEN}},         {"attn_k", {KEY_VALUE, HIDDEN}},      {"attn_v", {KEY_VALUE, HIDDEN}},
        {"attn_output", {HIDDEN, HIDDEN}},    {"ffn_gate", {FEED_FORWARD, HIDDEN}}, {"ffn_up", {FEED_FORWARD, HIDDEN}},
        {"ffn_down", {HIDDEN, FEED_FORWARD}},
    };
    for (size_t k = 0; k < LAYERS * COUNT_OF(weights); k++) {
        size_t weight = k % COUNT_OF(weights);
        (void)snprintf(names[k], sizeof names[k], "blk.%zu.%s.weight", k / COUNT_OF(weights), weights[weight].name);
        tensors[k] = (struct model_tensor){names[k], dtype, 2, {weights[weight].dims[0], weights[weight].dims[1]}};
    }
    return LAYERS * COUNT_OF(weights);
}

/* Elements of one layer: 2 x 8192 x 8192 + 2 x 1024 x 8192 + 3 x 28672 x 8192 = 855,638,016. */
#define LAYERS_ELEMENTS (UINT64_C(855638016) * LAYERS)

static const struct tn_header *parse_gguf_path(struct tn_arena *arena, const char *path, struct tn_file *file)
{
    struct tn_error error = {0};
    assert_true(tn_file_map(path, file, &error));
    const struct tn_header *header =
        parse_gguf(arena, tn_str_slice(file->bytes, 0, 1 << 20), file->bytes.size, AS_ASKED, NULL, &error);
    assert_string_equal(error.message, "");
    return header;
}

static uint64_t sum_of_bytes(const struct tn_header *header)
{
    uint64_t bytes = 0;
    for (size_t k = 0; k < header->count; k++) {
        bytes += header->tensors[k].bytes;
    }
    return bytes;
}

static void a_gguf_model_of_70b_takes_no_disk(void **state)
{
    (void)state;
    static struct model_tensor tensors[LAYERS * 7];
    static char names[LAYERS * 7][32];
    size_t count = make_layers(tensors, names, "Q8_0");
    struct tn_arena arena = {0};
    struct tn_file file;
    char path[PATH_SIZE + 32];
    (void)snprintf(path, sizeof path, "%s/model.gguf", folder);
    assert_true(model_write_gguf(path,
                                 "{\"general.architecture\":\"llama\",\"llama.block_count\":80,\"negative\":-5,"
                                 "\"large\":5000000000,\"small\":-5000000000,\"llama.rope.freq_base\":500000.0,"
                                 "\"flag\":true,\"heads\":[8,-8],\"words\":[\"a\",\"b\"],\"none\":[],"
                                 "\"tokenizer.ggml.tokens\":{\"tokens\":5000}}",
                                 tensors, count));
    const struct tn_header *header = parse_gguf_path(&arena, path, &file);
    assert_int_equal(header->count, count);
    assert_int_equal(sum_of_bytes(header), LAYERS_ELEMENTS / 32 * 34);
    assert_int_equal(member(header, "negative")->as.integer, -5);
    assert_int_equal(member(header, "large")->as.integer, 5000000000);
    assert_int_equal(member(header, "small")->as.integer, -5000000000);
    assert_true(member(header, "llama.rope.freq_base")->as.real == 500000.0);
    assert_true(member(header, "flag")->as.boolean);
    assert_int_equal(member(header, "heads")->as.items[1].as.integer, -8);
    assert_true(tn_str_is(member(header, "words")->as.items[1].as.string, "b"));
    assert_int_equal(member(header, "none")->count, 0);
    assert_int_equal(member(header, "tokenizer.ggml.tokens#count")->as.integer, 5000);
    tn_file_unmap(&file);
    tn_arena_free(&arena);
}

static void a_split_gguf_model_is_joined(void **state)
{
    (void)state;
    enum { PARTS = 3 };
    static struct model_tensor tensors[LAYERS * 7];
    static char names[LAYERS * 7][32];
    size_t count = make_layers(tensors, names, "Q4_K");
    struct tn_arena arena = {0};
    struct tn_file files[PARTS];
    struct tn_header whole;
    const struct tn_header *parts[PARTS];
    assert_true(model_write_gguf_split(folder, "model", "{\"general.architecture\":\"llama\"}", tensors, count, PARTS));
    for (size_t k = 0; k < PARTS; k++) {
        char path[PATH_SIZE + 32];
        (void)snprintf(path, sizeof path, "%s/model-%05zu-of-%05d.gguf", folder, k + 1, PARTS);
        parts[k] = parse_gguf_path(&arena, path, &files[k]);
    }
    assert_true(tn_gguf_join(&arena, parts, PARTS, &whole, NULL));
    assert_int_equal(whole.count, count);
    assert_int_equal(sum_of_bytes(&whole), LAYERS_ELEMENTS / 256 * 144);
    assert_true(tn_str_is(member(&whole, "general.architecture")->as.string, "llama"));
    for (size_t k = 0; k < PARTS; k++) {
        tn_file_unmap(&files[k]);
    }
    tn_arena_free(&arena);
}

static const struct tn_header *parse_safetensors_name(struct tn_arena *arena, struct tn_str name, struct tn_file *file)
{
    struct tn_error error = {0};
    char path[PATH_SIZE + 64];
    (void)snprintf(path, sizeof path, "%s/" TN_STR_FORMAT, folder, TN_STR_ARGUMENTS(name));
    assert_true(tn_file_map(path, file, &error));
    const struct tn_header *header = parse_safetensors(arena, file->bytes, file->bytes.size, AT_ONCE, NULL, &error);
    assert_string_equal(error.message, "");
    return header;
}

static void a_sharded_safetensors_model_agrees_with_its_index(void **state)
{
    (void)state;
    enum { FILES = 7 };
    static struct model_tensor tensors[LAYERS * 7];
    static char names[LAYERS * 7][32];
    size_t count = make_layers(tensors, names, "BF16");
    struct tn_arena arena = {0};
    struct tn_weight_index index;
    struct tn_file index_file;
    char path[PATH_SIZE + 64];
    uint64_t bytes = 0;
    size_t next = 0;
    assert_true(model_write_safetensors(folder, tensors, count, FILES));
    (void)snprintf(path, sizeof path, "%s/model.safetensors.index.json", folder);
    assert_true(tn_file_map(path, &index_file, NULL));
    assert_true(tn_weight_index_read(&arena, TN_STR("index"), index_file.bytes, &index, NULL));
    assert_int_equal(index.count, count);
    assert_int_equal(index.file_count, FILES);
    assert_int_equal(index.total_size_bytes, LAYERS_ELEMENTS * 2);
    for (size_t k = 0; k < FILES; k++) {
        struct tn_file file;
        const struct tn_header *header = parse_safetensors_name(&arena, index.file_names[k], &file);
        for (size_t j = 0; j < header->count; j++, next++) {
            assert_true(tn_str_equal(header->tensors[j].name, index.names[next]));
            assert_int_equal(index.files[next], k);
        }
        bytes += sum_of_bytes(header);
        tn_file_unmap(&file);
    }
    assert_int_equal(next, count);
    assert_int_equal(bytes, LAYERS_ELEMENTS * 2);
    tn_file_unmap(&index_file);
    tn_arena_free(&arena);
}

static void a_safetensors_model_in_one_file_has_no_index(void **state)
{
    (void)state;
    static const struct model_tensor tensors[] = {{"a", "F8_E4M3", 2, {128, 256}}, {"b", "fp4", 1, {64}}};
    struct tn_arena arena = {0};
    struct tn_file file;
    struct tn_str *names;
    size_t count;
    assert_true(model_write_safetensors(folder, tensors, 2, 1));
    assert_true(tn_folder_list(&arena, folder, &names, &count, NULL));
    assert_int_equal(count, 1);
    const struct tn_header *header = parse_safetensors_name(&arena, names[0], &file);
    assert_int_equal(header->tensors[0].dims[1], 256);
    assert_int_equal(header->tensors[1].bytes, 32);
    tn_file_unmap(&file);
    tn_arena_free(&arena);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_parts_are_taken_apart),
        cmocka_unit_test(parts_are_joined_in_order),
        cmocka_unit_test(parts_that_contradict_each_other_are_refused),
        IN_FOLDER(a_gguf_model_of_70b_takes_no_disk),
        IN_FOLDER(a_split_gguf_model_is_joined),
        IN_FOLDER(a_sharded_safetensors_model_agrees_with_its_index),
        IN_FOLDER(a_safetensors_model_in_one_file_has_no_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
