/* The models of tests/data/gguf. */
#include "model_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct model_tensor model_data_tensor(struct tn_arena *arena, const struct tn_value *shape, const struct tn_value *type)
{
    struct model_tensor tensor = {.dtype = text_of(arena, type), .dim_count = (uint8_t)shape->count};
    for (uint32_t d = 0; d < shape->count; d++) {
        tensor.dims[d] = (uint64_t)shape->as.items[d].as.integer;
    }
    return tensor;
}

const char *model_data_json(struct tn_arena *arena, const struct tn_value *value)
{
    struct tn_builder text = {0};
    struct tn_json_writer json = {.builder = &text};
    tn_json_value(&json, value);
    const char *result = tn_str_terminated(arena, tn_builder_str(&text));
    tn_builder_free(&text);
    assert_non_null(result);
    return result;
}

/* Rows of [name, layers, shape, type]. */
static void write_model(struct model_fixture *fixture, const char *path, const struct tn_value *root)
{
    struct tensor_list list = {0};
    const struct tn_value *rows = member_of(root, "tensors");
    for (uint32_t k = 0; k < rows->count; k++) {
        const struct tn_value *row = rows->as.items[k].as.items;
        struct model_tensor like = model_data_tensor(&fixture->arena, &row[2], &row[3]);
        add_tensors(&fixture->arena, &list, text_of(&fixture->arena, &row[0]), text_of(&fixture->arena, &row[1]),
                    &like);
    }
    const char *metadata = model_data_json(&fixture->arena, member_of(root, "metadata"));
    assert_true(model_write_gguf(path, metadata, list.tensors, list.count));
}

struct tn_model *load_model_data(struct model_fixture *fixture, const char *name, struct tn_value *root,
                                 struct tn_model_files *files)
{
    char data[TEST_PATH_SIZE];
    char path[2 * TEST_PATH_SIZE];
    (void)snprintf(data, sizeof data, "gguf/%s.json", name);
    (void)snprintf(path, sizeof path, "%s/%s.gguf", fixture->folder, name);
    *root = read_test_data(&fixture->arena, data);
    write_model(fixture, path, root);
    return must_load_path(fixture->catalog, path, files);
}
