/* Loading models in tests: temporary folders, fixtures, and the way from a path to a model. */
#define _POSIX_C_SOURCE 200809L
#include "model_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void make_test_folder(char path[TEST_PATH_SIZE])
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(path, TEST_PATH_SIZE, "%s/tonnage-test-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

void remove_test_folder(const char *path)
{
    char command[TEST_PATH_SIZE + 16];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): the name is our own */
}

int model_fixture_open(void **state)
{
    static struct model_fixture fixture;
    fixture = (struct model_fixture){.catalog = tn_catalog_open(NULL)};
    assert_non_null(fixture.catalog);
    make_test_folder(fixture.folder);
    *state = &fixture;
    return 0;
}

int model_fixture_close(void **state)
{
    struct model_fixture *fixture = *state;
    remove_test_folder(fixture->folder);
    tn_catalog_close(fixture->catalog);
    tn_arena_free(&fixture->arena);
    return 0;
}

void write_test_file(const char *folder, const char *name, struct tn_str text)
{
    char path[2 * TEST_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.data, 1, text.size, file), text.size);
    assert_int_equal(fclose(file), 0);
}

struct tn_value read_test_data(struct tn_arena *arena, const char *name)
{
    char path[2 * TEST_PATH_SIZE];
    const char *source = getenv("SOURCE_DIR");
    (void)snprintf(path, sizeof path, "%s/tests/data/%s", source ? source : ".", name);
    struct tn_file file;
    struct tn_error error = {0};
    struct tn_str text;
    struct tn_value root = {0};
    bool read = tn_file_map(path, &file, &error) && tn_str_copy(arena, file.bytes, &text)
                && tn_json_read(arena, text, &root, &error);
    if (!read) {
        fail_msg("%s: %s", path, error.message);
    }
    tn_file_unmap(&file);
    return root;
}

const struct tn_value *member_of(const struct tn_value *object, const char *key)
{
    const struct tn_value *value = tn_value_member(object, tn_str_of(key));
    if (!value) {
        fail_msg("no key %s", key);
    }
    return value;
}

const char *text_of(struct tn_arena *arena, const struct tn_value *value)
{
    assert_int_equal(value->kind, TN_STRING);
    const char *text = tn_str_terminated(arena, value->as.string);
    assert_non_null(text);
    return text;
}

struct tn_model *load_path(const struct tn_catalog *catalog, const char *path, struct tn_model_files *files,
                           struct tn_error *error)
{
    struct tn_model_input input = {0};
    bool found;
    *files = (struct tn_model_files){0};
    *error = (struct tn_error){0};
    if (!tn_model_files_find(files, tn_str_of(path), (struct tn_str){0}, &input, &found, error)) {
        return NULL;
    }
    assert_true(found);
    return tn_model_load(catalog, &input, error);
}

struct tn_model *must_load_path(const struct tn_catalog *catalog, const char *path, struct tn_model_files *files)
{
    struct tn_error error;
    struct tn_model *model = load_path(catalog, path, files, &error);
    if (!model) {
        fail_msg("%s: %s (%s)", path, error.message, error.where);
    }
    return model;
}

static const char *note_of(const struct tn_model *model, const char *code)
{
    for (size_t k = 0; k < model->note_count; k++) {
        if (!strcmp(model->notes[k].code, code)) {
            return model->notes[k].message.data;
        }
    }
    return NULL;
}

bool has_note(const struct tn_model *model, const char *code)
{
    return note_of(model, code) != NULL;
}

uint64_t predicted_parameters(const struct tn_model *model)
{
    const char *note = note_of(model, "prediction_differs");
    unsigned long long predicted = model->parameters;
    if (note) {
        static const char before[] = "the record predicts ";
        assert_int_equal(strncmp(note, before, sizeof before - 1), 0);
        predicted = strtoull(note + sizeof before - 1, NULL, 10);
    }
    return predicted;
}

static void add_tensor(struct tn_arena *arena, struct tensor_list *list, const char *name,
                       const struct model_tensor *like)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 1024;
        list->tensors = tn_arena_grow(arena, list->tensors, list->count, capacity, sizeof *list->tensors);
        assert_non_null(list->tensors);
        list->capacity = capacity;
    }
    list->tensors[list->count] = *like;
    list->tensors[list->count++].name = tn_str_terminated(arena, tn_str_of(name));
}

void add_tensors(struct tn_arena *arena, struct tensor_list *list, const char *name, const char *ranges,
                 const struct model_tensor *like)
{
    const char *mark = strstr(name, "{i}");
    if (!mark) {
        add_tensor(arena, list, name, like);
        return;
    }
    for (const char *range = ranges; *range; range += *range == ',') {
        char *end;
        unsigned long from = strtoul(range, &end, 10);
        unsigned long to = *end == '-' ? strtoul(end + 1, &end, 10) : from;
        assert_true(end > range);
        range = end;
        for (unsigned long layer = from; layer <= to; layer++) {
            char text[TEST_PATH_SIZE];
            (void)snprintf(text, sizeof text, "%.*s%lu%s", (int)(mark - name), name, layer, mark + 3);
            add_tensor(arena, list, text, like);
        }
    }
}
