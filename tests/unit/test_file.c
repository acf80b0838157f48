/* Mapping files and listing folders, each test in a folder of its own. */
#define _POSIX_C_SOURCE 200809L
#include "host/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_SIZE = 512 };

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

static const char *path_of(const char *name)
{
    static char path[PATH_SIZE + 64];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text, size_t size)
{
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void a_file_is_mapped_whole(void **state)
{
    (void)state;
    struct tn_error error;
    struct tn_file file;
    write_file("a", "abc\0def", 7);
    assert_true(tn_file_map(path_of("a"), &file, &error));
    assert_int_equal(file.bytes.size, 7);
    assert_memory_equal(file.bytes.data, "abc\0def", 7);
    tn_file_unmap(&file);
    assert_int_equal(file.bytes.size, 0);
}

static void a_mapping_outlives_the_name(void **state)
{
    (void)state;
    struct tn_file file;
    write_file("a", "abc", 3);
    assert_true(tn_file_map(path_of("a"), &file, NULL));
    assert_int_equal(unlink(path_of("a")), 0);
    assert_memory_equal(file.bytes.data, "abc", 3);
    tn_file_unmap(&file);
}

static void an_empty_file_has_size_0(void **state)
{
    (void)state;
    struct tn_file file;
    write_file("empty", "", 0);
    assert_true(tn_file_map(path_of("empty"), &file, NULL));
    assert_int_equal(file.bytes.size, 0);
    tn_file_unmap(&file);
}

static void a_file_of_holes_costs_nothing(void **state)
{
    (void)state;
    struct tn_file file;
    const size_t size = (size_t)140 << 30; /* a model of 70 billion parameters in 16 bits */
    write_file("large", "x", 1);
    assert_int_equal(truncate(path_of("large"), (off_t)size), 0);
    assert_true(tn_file_map(path_of("large"), &file, NULL));
    assert_int_equal(file.bytes.size, size);
    assert_int_equal(file.bytes.data[0], 'x');
    assert_int_equal(file.bytes.data[size - 1], 0);
    tn_file_unmap(&file);
}

/* Both functions, because both must refuse. */
static void assert_unreadable(const char *path, const char *message)
{
    struct tn_error error;
    struct tn_file file;
    assert_false(tn_file_map(path, &file, &error));
    assert_int_equal(error.code, TN_ERROR_UNREADABLE);
    assert_non_null(strstr(error.message, message));
    assert_string_equal(error.where, path);
    assert_int_equal(error.offset, -1);
    assert_true(error.hint[0] != '\0');
    assert_int_equal(file.bytes.size, 0);
}

static void a_missing_file_is_an_error(void **state)
{
    (void)state;
    assert_unreadable(path_of("none"), "No such file");
}

static void a_file_below_a_file_is_an_error(void **state)
{
    (void)state;
    write_file("a", "abc", 3);
    assert_unreadable(path_of("a/b"), "Not a directory");
}

static void a_link_to_itself_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(symlink("loop", path_of("loop")), 0);
    assert_unreadable(path_of("loop"), "symbolic links");
}

static void a_file_without_permission_is_an_error(void **state)
{
    (void)state;
    if (geteuid() == 0) {
        skip(); /* root may read everything */
    }
    write_file("secret", "abc", 3);
    assert_int_equal(chmod(path_of("secret"), 0), 0);
    assert_unreadable(path_of("secret"), "Permission denied");
}

static void a_folder_is_not_a_file(void **state)
{
    (void)state;
    assert_unreadable(folder, "a folder");
}

static void a_pipe_is_refused_without_waiting(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
    assert_unreadable(path_of("pipe"), "device, pipe or socket");
}

static void a_device_is_refused(void **state)
{
    (void)state;
    assert_unreadable("/dev/zero", "device, pipe or socket");
}

static void folders_are_told_from_files(void **state)
{
    (void)state;
    write_file("a", "abc", 3);
    assert_int_equal(symlink(folder, path_of("link")), 0);
    assert_true(tn_is_folder(folder));
    assert_true(tn_is_folder(path_of("link")));
    assert_false(tn_is_folder(path_of("a")));
    assert_false(tn_is_folder(path_of("none")));
}

static void a_folder_is_listed_in_byte_order_without_folders(void **state)
{
    (void)state;
    static const char *const expected[] = {".hidden", "B", "a", "a.b", "dangling", "link"};
    const size_t expected_count = sizeof expected / sizeof expected[0];
    struct tn_arena arena = {0};
    struct tn_str *names;
    size_t count;
    write_file("a.b", "", 0);
    write_file("a", "", 0);
    write_file("B", "", 0);
    write_file(".hidden", "", 0);
    assert_int_equal(mkdir(path_of("below"), 0700), 0);
    assert_int_equal(symlink("a", path_of("link")), 0);
    assert_int_equal(symlink("none", path_of("dangling")), 0);
    assert_int_equal(symlink(folder, path_of("link-to-folder")), 0);
    assert_true(tn_folder_list(&arena, folder, &names, &count, NULL));
    assert_int_equal(count, expected_count);
    for (size_t k = 0; k < expected_count; k++) {
        assert_true(tn_str_is(names[k], expected[k]));
        assert_int_equal(names[k].data[names[k].size], 0); /* terminated, for paths */
    }
    tn_arena_free(&arena);
}

static void a_large_folder_is_listed_whole(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_str *names;
    size_t count;
    for (int k = 0; k < 300; k++) {
        char name[32];
        (void)snprintf(name, sizeof name, "model-%05d", k);
        write_file(name, "", 0);
    }
    assert_true(tn_folder_list(&arena, folder, &names, &count, NULL));
    assert_int_equal(count, 300);
    assert_true(tn_str_is(names[0], "model-00000"));
    assert_true(tn_str_is(names[299], "model-00299"));
    tn_arena_free(&arena);
}

static void an_empty_folder_has_no_names(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_str *names;
    size_t count = 7;
    assert_true(tn_folder_list(&arena, folder, &names, &count, NULL));
    assert_int_equal(count, 0);
    tn_arena_free(&arena);
}

static void a_missing_folder_is_an_error(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_error error;
    struct tn_str *names;
    size_t count;
    assert_false(tn_folder_list(&arena, path_of("none"), &names, &count, &error));
    assert_int_equal(error.code, TN_ERROR_UNREADABLE);
    assert_string_equal(error.where, path_of("none"));
    write_file("a", "", 0);
    assert_false(tn_folder_list(&arena, path_of("a"), &names, &count, &error));
    assert_int_equal(error.code, TN_ERROR_UNREADABLE);
    tn_arena_free(&arena);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_is_mapped_whole),
        IN_FOLDER(a_mapping_outlives_the_name),
        IN_FOLDER(an_empty_file_has_size_0),
        IN_FOLDER(a_file_of_holes_costs_nothing),
        IN_FOLDER(a_missing_file_is_an_error),
        IN_FOLDER(a_file_below_a_file_is_an_error),
        IN_FOLDER(a_link_to_itself_is_an_error),
        IN_FOLDER(a_file_without_permission_is_an_error),
        IN_FOLDER(a_folder_is_not_a_file),
        IN_FOLDER(a_pipe_is_refused_without_waiting),
        IN_FOLDER(a_device_is_refused),
        IN_FOLDER(folders_are_told_from_files),
        IN_FOLDER(a_folder_is_listed_in_byte_order_without_folders),
        IN_FOLDER(a_large_folder_is_listed_whole),
        IN_FOLDER(an_empty_folder_has_no_names),
        IN_FOLDER(a_missing_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
