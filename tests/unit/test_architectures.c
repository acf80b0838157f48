/* The architecture records against a reference: each file of tests/data/arch holds a config and the tensors that another library built
 * from it (tools/oracle writes them). Every name and shape must be predicted, nothing else may be, and the totals must agree. */
#include "base/map.h"
#include "model/load.h"
#include "text/json.h"

#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PATH_SIZE = 512, NAME_SIZE = 256, MOST_FILES = 1024, LONGEST_RANGES = 4096 };

/* ---- what the reference has ---------------------------------------------------------------------------------------- */

enum origin { ORIGIN_TENSOR, ORIGIN_BUFFER, ORIGIN_TIED };

struct expected {
    struct tn_str name;
    const struct tn_value *shape; /* a list of integers; NULL where tied */
    enum origin origin;
    bool seen;
};

struct fixture {
    struct tn_arena arena;
    struct tn_value root;
    struct expected *tensors; /* [count] */
    size_t count;
    size_t capacity;
    struct tn_map names;
};

static void add_expected(struct fixture *fixture, const char *name, const struct tn_value *shape, enum origin origin)
{
    if (fixture->count == fixture->capacity) {
        size_t capacity = fixture->capacity ? 2 * fixture->capacity : 1024;
        fixture->tensors =
            tn_arena_grow(&fixture->arena, fixture->tensors, fixture->count, capacity, sizeof *fixture->tensors);
        assert_non_null(fixture->tensors);
        fixture->capacity = capacity;
    }
    struct expected *added = &fixture->tensors[fixture->count];
    *added = (struct expected){.shape = shape, .origin = origin};
    assert_true(tn_str_copy(&fixture->arena, tn_str_of(name), &added->name));
    uint32_t existing;
    assert_true(tn_map_insert(&fixture->arena, &fixture->names, added->name, (uint32_t)fixture->count, &existing));
    assert_int_equal(existing, TN_MAP_NONE);
    fixture->count++;
}

/* Puts every number of the ranges, "0-11,13", in the place of the first "{letter}" of the pattern; then the further letters. */
static void expand(struct fixture *fixture, const char *pattern, const struct tn_value *group, enum origin origin)
{
    const char *open = strchr(pattern, '{');
    if (!open) {
        add_expected(fixture, pattern, tn_value_member(group, TN_STR("shape")), origin);
        return;
    }
    const struct tn_value *ranges = tn_value_member(group, (struct tn_str){open + 1, 1});
    assert_non_null(ranges);
    char text[LONGEST_RANGES];
    assert_true(ranges->as.string.size < sizeof text);
    (void)snprintf(text, sizeof text, "%.*s", (int)ranges->as.string.size, ranges->as.string.data);
    for (const char *range = text; range; range = strchr(range, ',')) {
        range += *range == ',';
        char *end;
        unsigned long from = strtoul(range, &end, 10);
        unsigned long to = *end == '-' ? strtoul(end + 1, NULL, 10) : from;
        for (unsigned long number = from; number <= to; number++) {
            char name[NAME_SIZE];
            (void)snprintf(name, sizeof name, "%.*s%lu%s", (int)(open - pattern), pattern, number, open + 3);
            expand(fixture, name, group, origin);
        }
    }
}

static void expand_all(struct fixture *fixture, struct tn_str key, enum origin origin)
{
    const struct tn_value *patterns = tn_value_member(&fixture->root, key);
    assert_true(patterns && patterns->kind == TN_OBJECT);
    for (uint32_t k = 0; k < patterns->count; k++) {
        const struct tn_member *pattern = &patterns->as.members[k];
        const char *name = tn_str_terminated(&fixture->arena, pattern->key);
        assert_non_null(name);
        if (origin == ORIGIN_TIED) {
            add_expected(fixture, name, NULL, origin);
            continue;
        }
        for (uint32_t g = 0; g < pattern->value.count; g++) {
            expand(fixture, name, &pattern->value.as.items[g], origin);
        }
    }
}

static uint64_t number_of(const struct fixture *fixture, struct tn_str key)
{
    const struct tn_value *value = tn_value_member(&fixture->root, key);
    return value && value->kind == TN_INTEGER ? (uint64_t)value->as.integer : 0;
}

/* ---- the comparison ------------------------------------------------------------------------------------------------ */

struct differences {
    size_t missing;
    size_t extra;
    size_t different;
    struct tn_str first; /* the name of one of them */
};

static bool same_shape(const struct tn_group *group, const struct tn_value *shape)
{
    bool same = group->dim_count == shape->count;
    for (uint32_t k = 0; same && k < shape->count; k++) {
        same = group->dims[k] == (uint64_t)shape->as.items[k].as.integer;
    }
    return same;
}

static void differ(struct fixture *fixture, struct differences *differences, size_t *counter, struct tn_str name)
{
    ++*counter;
    if (!differences->first.size) {
        assert_true(tn_str_copy(&fixture->arena, name, &differences->first));
    }
}

/* Returns the parameters of the tensor where the reference holds it as a buffer, which its total leaves out. */
static uint64_t compare_tensor(struct fixture *fixture, const struct tn_group *group, struct tn_str name,
                               struct differences *differences)
{
    uint32_t found = tn_map_find(&fixture->names, name);
    if (found == TN_MAP_NONE) {
        differ(fixture, differences, &differences->extra, name);
        return 0;
    }
    struct expected *expected = &fixture->tensors[found];
    expected->seen = true;
    if (expected->origin != ORIGIN_TIED && !same_shape(group, expected->shape)) {
        differ(fixture, differences, &differences->different, name);
    }
    return expected->origin == ORIGIN_BUFFER ? group->parameters / group->tensors : 0;
}

/* All tensors but those of multi-token prediction, which the reference does not build. Returns their parameters as it counts. */
static uint64_t compare_groups(struct fixture *fixture, const struct tn_model *model, struct differences *differences)
{
    uint64_t parameters = 0;
    struct tn_builder name = {0};
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        if (tn_str_is(group->stack, "mtp") || tn_str_starts(group->name, TN_STR("mtp."))) {
            continue;
        }
        parameters += group->parameters;
        for (uint32_t layer = 0; layer < (group->layers ? group->layer_count : 1); layer++) {
            for (uint64_t copy = 0; copy < group->copies; copy++) {
                tn_builder_clear(&name);
                tn_group_tensor_name(group, group->layers ? group->layers[layer] : 0, copy, &name);
                parameters -= compare_tensor(fixture, group, tn_builder_str(&name), differences);
            }
        }
    }
    tn_builder_free(&name);
    for (size_t k = 0; k < fixture->count; k++) {
        if (fixture->tensors[k].origin == ORIGIN_TENSOR && !fixture->tensors[k].seen) {
            differ(fixture, differences, &differences->missing, fixture->tensors[k].name);
        }
    }
    return parameters;
}

/* The file is named after the record that must have matched, perhaps with "-" and a word behind it. */
static bool names_record(const char *file, struct tn_str record)
{
    struct tn_str stem = tn_str_slice(tn_str_of(file), 0, strlen(file) - strlen(".json"));
    return tn_str_starts(stem, record) && (stem.size == record.size || stem.data[record.size] == '-');
}

static bool compare(struct fixture *fixture, const char *file, const struct tn_model *model)
{
    struct differences differences = {0};
    uint64_t parameters = compare_groups(fixture, model, &differences);
    uint64_t total = number_of(fixture, TN_STR("total"));
    uint64_t published = number_of(fixture, TN_STR("published"));
    if (differences.first.size) {
        print_error("%s: %zu missing, %zu extra, %zu of another shape, as " TN_STR_FORMAT "\n", file,
                    differences.missing, differences.extra, differences.different, TN_STR_ARGUMENTS(differences.first));
    } else if (parameters != total) {
        print_error("%s: %" PRIu64 " parameters, the reference has %" PRIu64 "\n", file, parameters, total);
    } else if (published && model->parameters != published) {
        print_error("%s: %" PRIu64 " parameters, published are %" PRIu64 "\n", file, model->parameters, published);
    } else if (!names_record(file, model->architecture)) {
        print_error("%s: predicted by record " TN_STR_FORMAT "\n", file, TN_STR_ARGUMENTS(model->architecture));
    } else {
        return true;
    }
    return false;
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

static const char *folder(void)
{
    static char path[PATH_SIZE];
    const char *source = getenv("SOURCE_DIR");
    (void)snprintf(path, sizeof path, "%s/tests/data/arch", source ? source : ".");
    return path;
}

static struct tn_str read_file(struct tn_arena *arena, const char *name)
{
    char path[PATH_SIZE + NAME_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", folder(), name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size > 0);
    rewind(file);
    char *text = tn_arena_alloc(arena, (size_t)size);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
    (void)fclose(file);
    return (struct tn_str){text, (size_t)size};
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static size_t list_files(char (*names)[NAME_SIZE])
{
    DIR *directory = opendir(folder());
    assert_non_null(directory);
    size_t count = 0;
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        if (tn_str_ends(tn_str_of(entry->d_name), TN_STR(".json"))) {
            assert_true(count < MOST_FILES);
            (void)snprintf(names[count++], NAME_SIZE, "%s", entry->d_name);
        }
    }
    (void)closedir(directory);
    qsort(names, count, sizeof *names, compare_names);
    return count;
}

static bool check_file(const struct tn_catalog *catalog, const char *name)
{
    struct fixture fixture = {0};
    struct tn_error error = {0};
    assert_true(tn_json_read(&fixture.arena, read_file(&fixture.arena, name), &fixture.root, &error));
    struct tn_model_input input = {.id = tn_str_of(name),
                                   .config = tn_value_member(&fixture.root, TN_STR("config")),
                                   .config_origin = TN_ORIGIN_CONFIG,
                                   .config_where = tn_str_of(name)};
    struct tn_model *model = tn_model_load(catalog, &input, &error);
    bool equal = false;
    if (model) {
        expand_all(&fixture, TN_STR("tensors"), ORIGIN_TENSOR);
        expand_all(&fixture, TN_STR("buffers"), ORIGIN_BUFFER);
        expand_all(&fixture, TN_STR("tied"), ORIGIN_TIED);
        equal = compare(&fixture, name, model);
        tn_model_free(model);
    } else {
        print_error("%s: %s (%s)\n", name, error.message, error.where);
    }
    tn_arena_free(&fixture.arena);
    return equal;
}

static void every_fixture_is_predicted_exactly(void **state)
{
    (void)state;
    static char names[MOST_FILES][NAME_SIZE];
    size_t count = list_files(names);
    struct tn_error error = {0};
    struct tn_catalog *catalog = tn_catalog_open(&error);
    assert_non_null(catalog);
    size_t unequal = 0;
    for (size_t k = 0; k < count; k++) {
        unequal += !check_file(catalog, names[k]);
    }
    tn_catalog_close(catalog);
    assert_true(count > 0);
    assert_int_equal(unequal, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fixture_is_predicted_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
