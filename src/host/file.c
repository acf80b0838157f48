/* Files and folders through POSIX. */
#define _POSIX_C_SOURCE 200809L
#include "host/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_CAPACITY = 64 };

bool tn_file_fail(struct tn_error *error, int number, struct tn_str path)
{
    static const struct {
        int number;
        const char *hint;
    } hints[] = {
        {ENOENT, "check the spelling of the path; a relative one begins in the current folder"},
        {ENOTDIR, "a part of the path that should be a folder is a file"},
        {EACCES, "the permissions of the file, or of a folder on the way to it, forbid reading"},
        {ELOOP, "a link on the way leads back to itself"},
        {EIO, "the disk or network that holds the file fails"},
        {EMFILE, "raise the limit of open files (ulimit -n)"},
    };
    (void)tn_fail(error, TN_ERROR_UNREADABLE, "cannot read: %s", strerror(number));
    if (path.size) {
        (void)tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(path));
    }
    for (size_t k = 0; k < sizeof hints / sizeof hints[0]; k++) {
        if (hints[k].number == number) {
            return tn_fail_hint(error, "%s", hints[k].hint);
        }
    }
    return tn_fail_hint(error, "try to read the file with another program");
}

static bool fail_errno(struct tn_error *error, int number, const char *path)
{
    return tn_file_fail(error, number, tn_str_of(path));
}

/* Reading a device or a pipe could wait for ever, or never end. */
static bool check_regular(const struct stat *status, const char *path, struct tn_error *error)
{
    if (S_ISREG(status->st_mode)) {
        return true;
    }
    const char *what = S_ISDIR(status->st_mode) ? "a folder" : "a device, pipe or socket";
    (void)tn_fail(error, TN_ERROR_UNREADABLE, "cannot read: it is %s, not a file", what);
    (void)tn_fail_at(error, -1, "%s", path);
    return tn_fail_hint(error, "give the path of a regular file");
}

static bool map(int descriptor, const char *path, struct tn_file *file, struct tn_error *error)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        return fail_errno(error, errno, path);
    }
    if (!check_regular(&status, path, error)) {
        return false;
    }
    if (status.st_size == 0) {
        return true; /* nothing to map: mmap refuses a length of 0 */
    }
    if ((uint64_t)status.st_size > SIZE_MAX / 2) {
        (void)tn_fail(error, TN_ERROR_TOO_LARGE, "the file exceeds the address space");
        return tn_fail_at(error, -1, "%s", path);
    }
    file->bytes.size = (size_t)status.st_size;
    file->bytes.data = mmap(NULL, file->bytes.size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (file->bytes.data == MAP_FAILED) {
        *file = (struct tn_file){0};
        return fail_errno(error, errno, path);
    }
    return true;
}

bool tn_file_map(const char *path, struct tn_file *file, struct tn_error *error)
{
    *file = (struct tn_file){0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* does not wait for the writer of a pipe */
    if (descriptor < 0) {
        return fail_errno(error, errno, path);
    }
    bool mapped = map(descriptor, path, file, error);
    (void)close(descriptor);
    return mapped;
}

void tn_file_unmap(struct tn_file *file)
{
    if (file->bytes.size > 0) {
        (void)munmap((void *)file->bytes.data, file->bytes.size);
    }
    *file = (struct tn_file){0};
}

bool tn_is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int compare_names(const void *left, const void *right)
{
    return tn_str_compare(*(const struct tn_str *)left, *(const struct tn_str *)right);
}

/* Adds the names of an open folder. */
static bool list(struct tn_arena *arena, DIR *folder, const char *path, struct tn_str **names, size_t *count,
                 struct tn_error *error)
{
    size_t capacity = 0;
    for (;;) {
        errno = 0; /* readdir returns NULL at the end and on an error; only errno tells which */
        const struct dirent *entry = readdir(folder);
        if (!entry) {
            return errno == 0 || fail_errno(error, errno, path);
        }
        struct stat status;
        if (fstatat(dirfd(folder), entry->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode)) {
            continue;
        }
        if (*count == capacity) {
            size_t larger = capacity ? capacity * 2 : FIRST_CAPACITY;
            *names = tn_arena_grow(arena, *names, capacity, larger, sizeof **names);
            if (!*names) {
                return tn_fail_memory(error);
            }
            capacity = larger;
        }
        if (!tn_str_copy(arena, tn_str_of(entry->d_name), &(*names)[*count])) {
            return tn_fail_memory(error);
        }
        ++*count;
    }
}

bool tn_folder_list(struct tn_arena *arena, const char *path, struct tn_str **names, size_t *count,
                    struct tn_error *error)
{
    *names = NULL;
    *count = 0;
    DIR *folder = opendir(path);
    if (!folder) {
        return fail_errno(error, errno, path);
    }
    bool listed = list(arena, folder, path, names, count, error);
    (void)closedir(folder);
    if (listed && *count > 1) {
        qsort(*names, *count, sizeof **names, compare_names);
    }
    return listed;
}

bool tn_folder_make(const char *path, unsigned permissions)
{
    struct tn_builder made = {0};
    bool done = true;
    for (const char *at = path; done && *at;) {
        size_t part = 1 + strcspn(at + 1, "/");
        tn_builder_add(&made, (struct tn_str){at, part});
        done = !made.failed && (mkdir(made.data, (mode_t)permissions) == 0 || errno == EEXIST);
        at += part;
    }
    tn_builder_free(&made);
    return done;
}
