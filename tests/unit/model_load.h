/* Models for tests as the program loads them: from paths on disk. Every function fails the test where it cannot do its work. */
#ifndef TESTS_MODEL_LOAD_H
#define TESTS_MODEL_LOAD_H

#include "host/model_files.h"
#include "model/load.h"
#include "model_writer.h"
#include "text/json.h"

enum { TEST_PATH_SIZE = 512 };

/* A folder of its own below $TMPDIR or /tmp. */
void make_test_folder(char path[TEST_PATH_SIZE]);
void remove_test_folder(const char *path);

/* The catalog of the program, a folder of its own and memory: set-up and tear-down for cmocka, of one test or of a group. */
struct model_fixture {
    struct tn_arena arena;
    struct tn_catalog *catalog;
    char folder[TEST_PATH_SIZE];
};

int model_fixture_open(void **state);
int model_fixture_close(void **state);

void write_test_file(const char *folder, const char *name, struct tn_str text);

/* A JSON document of tests/data; the values live in the arena. */
struct tn_value read_test_data(struct tn_arena *arena, const char *name);

/* The value of a key that must be there. */
const struct tn_value *member_of(const struct tn_value *object, const char *key);
const char *text_of(struct tn_arena *arena, const struct tn_value *value);

/* NULL with the error filled; the error is cleared first. The files must live as long as the model. */
struct tn_model *load_path(const struct tn_catalog *catalog, const char *path, struct tn_model_files *files,
                           struct tn_error *error);

/* The same where loading must succeed. */
struct tn_model *must_load_path(const struct tn_catalog *catalog, const char *path, struct tn_model_files *files);

bool has_note(const struct tn_model *model, const char *code);

/* The parameters that the record predicts: those of the model, unless a note says otherwise. */
uint64_t predicted_parameters(const struct tn_model *model);

/* The tensors of several groups, {i} in the name replaced by every layer of the ranges "0-11,13". */
struct tensor_list {
    struct model_tensor *tensors; /* [count] */
    size_t count;
    size_t capacity;
};

void add_tensors(struct tn_arena *arena, struct tensor_list *list, const char *name, const char *ranges,
                 const struct model_tensor *like);

#endif
