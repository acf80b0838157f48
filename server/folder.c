/* Names are resolved by the kernel, below the descriptor of the folder (openat2 with RESOLVE_BENEATH): no "..", no link and no race with somebody who changes
 * the folder leads outside. A kernel without it, before Linux 5.6, is refused when the server starts. */
#define _GNU_SOURCE
#include "server/folder.h"

#include "files/header_end.h"
#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TEXT_LIMIT_BYTES = 64 << 20, FIRST_BYTES = 64 << 10 };

/* path  below the folder; "." is the folder itself */
static int open_below(const struct serve_folder *folder, const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long descriptor;
    do {
        descriptor = syscall(SYS_openat2, folder->descriptor, path, &how, sizeof how);
    } while (descriptor < 0 && (errno == EINTR || errno == EAGAIN)); /* EAGAIN: a race, to be tried again */
    return (int)descriptor;
}

static bool fail_folder(struct tn_str path, const char *why, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_USAGE, "'" TN_STR_FORMAT "' cannot be allowed: %s", TN_STR_ARGUMENTS(path), why);
    tn_fail_at(error, -1, "--allow-files");
    return tn_fail_hint(error, "name a folder that is there and that the server may read");
}

static bool open_folder(struct serve_folder *folder, struct tn_str path, struct tn_error *error)
{
    struct tn_arena arena = {0};
    const char *given = tn_str_terminated(&arena, path);
    char *real = given ? realpath(given, NULL) : NULL;
    int number = errno;
    tn_arena_free(&arena);
    folder->descriptor = real ? open(real, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (folder->descriptor < 0) {
        number = real ? errno : number;
        free(real);
        return fail_folder(path, strerror(number), error);
    }
    size_t size = strlen(real);
    folder->path = malloc(size + 2);
    if (folder->path) {
        (void)snprintf(folder->path, size + 2, "%s%s", real, size > 1 ? "/" : "");
        folder->path_bytes = strlen(folder->path);
    }
    free(real);
    int trial = open_below(folder, ".", O_PATH);
    if (trial < 0 && errno == ENOSYS) {
        return fail_folder(path, "this kernel cannot keep names below a folder (openat2, Linux 5.6)", error);
    }
    (void)close(trial);
    return folder->path || tn_fail_memory(error);
}

bool serve_folders_open(struct serve_folders *folders, const struct tn_str *paths, size_t count, struct tn_error *error)
{
    *folders = (struct serve_folders){.folders = calloc(count + 1, sizeof *folders->folders)};
    if (!folders->folders) {
        return tn_fail_memory(error);
    }
    for (; folders->count < count; folders->count++) {
        if (!open_folder(&folders->folders[folders->count], paths[folders->count], error)) {
            return false;
        }
    }
    return true;
}

void serve_folders_close(struct serve_folders *folders)
{
    for (size_t k = 0; k < folders->count; k++) {
        (void)close(folders->folders[k].descriptor);
        free(folders->folders[k].path);
    }
    free(folders->folders);
    *folders = (struct serve_folders){0};
}

/* ---- names ---------------------------------------------------------------------------------------------------------- */

/* What a path is below a folder; NULL where it does not begin with the folder's. */
static const char *below(const struct serve_folder *folder, const char *path)
{
    size_t size = folder->path_bytes;
    if (strncmp(path, folder->path, size) == 0) {
        return path[size] ? path + size : ".";
    }
    return strlen(path) == size - 1 && strncmp(path, folder->path, size - 1) == 0 ? "." : NULL;
}

/* Whether the folder has it. */
static bool look(const struct serve_folder *folder, const char *name, bool *is_folder)
{
    struct stat status;
    int descriptor = open_below(folder, name, O_PATH);
    bool is_there = descriptor >= 0 && fstat(descriptor, &status) == 0;
    *is_folder = is_there && S_ISDIR(status.st_mode);
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
    return is_there;
}

bool serve_folders_find(const struct serve_folders *folders, struct tn_arena *arena, struct tn_str name,
                        struct tn_str *path, bool *is_folder, struct tn_error *error)
{
    char *terminated = tn_str_terminated(arena, name);
    struct tn_builder whole = {0};
    *path = (struct tn_str){0};
    if (!terminated) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < folders->count && !whole.size && strlen(terminated) == name.size; k++) {
        const struct serve_folder *folder = &folders->folders[k];
        const char *inside = terminated[0] == '/' ? below(folder, terminated) : terminated;
        if (inside && look(folder, inside, is_folder)) {
            tn_builder_addf(&whole, "%s", folder->path);
            tn_builder_add_text(&whole, inside);
        }
    }
    bool done = !whole.failed && (!whole.size || tn_str_copy(arena, tn_builder_str(&whole), path));
    tn_builder_free(&whole);
    return done || tn_fail_memory(error);
}

static bool fail_outside(const char *path, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_FORBIDDEN, "the file lies outside of what the operator allows");
    tn_fail_at(error, -1, "%s", path);
    return tn_fail_hint(error, "send its content in the request; the operator allows folders by --allow-files");
}

/* What lies below any of the folders under that absolute path. */
static int open_any(const struct serve_folders *folders, const char *path, uint64_t flags, struct tn_error *error)
{
    int number = EXDEV;
    for (size_t k = 0; k < folders->count; k++) {
        const char *inside = below(&folders->folders[k], path);
        int descriptor = inside ? open_below(&folders->folders[k], inside, flags) : -1;
        if (descriptor >= 0) {
            return descriptor;
        }
        number = inside ? errno : number;
    }
    if (number == EXDEV || number == ELOOP) {
        (void)fail_outside(path, error);
    } else {
        (void)tn_file_fail(error, number, tn_str_of(path));
    }
    return -1;
}

int serve_folders_open_file(const struct serve_folders *folders, const char *path, struct tn_error *error)
{
    struct stat status;
    int descriptor = open_any(folders, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, error);
    if (descriptor < 0 || (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode))) {
        return descriptor;
    }
    (void)close(descriptor);
    tn_fail(error, TN_ERROR_UNREADABLE, "cannot read: it is no regular file");
    tn_fail_at(error, -1, "%s", path);
    tn_fail_hint(error, "name a file: devices, pipes, sockets and folders are not read");
    return -1;
}

bool serve_folders_list(const struct serve_folders *folders, struct tn_arena *arena, const char *path,
                        struct tn_str **names, size_t *count, struct tn_error *error)
{
    char own[40];
    int descriptor = open_any(folders, path, O_RDONLY | O_DIRECTORY, error);
    if (descriptor < 0) {
        return false;
    }
    (void)snprintf(own, sizeof own, "/proc/self/fd/%d", descriptor);
    bool done = tn_folder_list(arena, own, names, count, error);
    (void)close(descriptor);
    return done;
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static bool fail_large(const char *path, uint64_t bytes, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_TOO_LARGE, "a text of %llu bytes; the limit is %d", (unsigned long long)bytes,
            TEXT_LIMIT_BYTES);
    return tn_fail_at(error, -1, "%s", path);
}

/* The buffer grows to `size` bytes, or to the file's end where that comes before. */
static bool read_up_to(int descriptor, const char *path, struct tn_arena *arena, struct tn_str *bytes, uint64_t size,
                       struct tn_error *error)
{
    char *grown = tn_arena_grow(arena, (void *)bytes->data, bytes->size, (size_t)size, 1);
    if (!grown) {
        return tn_fail_memory(error);
    }
    size_t have = bytes->size;
    while (have < size) {
        ssize_t count = pread(descriptor, grown + have, (size_t)size - have, (off_t)have);
        if (count < 0 && errno != EINTR) {
            return tn_file_fail(error, errno, tn_str_of(path));
        }
        if (count == 0) {
            break;
        }
        have += count > 0 ? (size_t)count : 0;
    }
    *bytes = (struct tn_str){grown, have};
    return true;
}

/* As far as the parser wants to see. */
static bool read_header(int descriptor, const char *path, struct tn_arena *arena, enum tn_file_kind kind,
                        struct tn_part *part, struct tn_error *error)
{
    struct tn_header_end state = {0};
    uint64_t end = FIRST_BYTES;
    uint64_t step = FIRST_BYTES;
    bool done = true;
    do {
        uint64_t before = part->bytes.size;
        uint64_t size = end < before + step ? end : before + step; /* a GGUF names its limit until its end is seen */
        size = size < part->file_bytes ? size : part->file_bytes;
        done = read_up_to(descriptor, path, arena, &part->bytes, size, error)
               && tn_header_end(&state, kind, tn_str_of(path), part->bytes, part->file_bytes, &end, error);
        step *= 2;
        if (part->bytes.size == before) {
            break; /* the file ends: the parser says so */
        }
    } while (done && part->bytes.size < end);
    tn_arena_free(&state.arena);
    return done || tn_fail_at(error, -1, "%s", path);
}

bool serve_folders_read(const struct serve_folders *folders, struct tn_arena *arena, const char *path,
                        enum tn_file_kind kind, struct tn_part *part, struct tn_error *error)
{
    struct stat status;
    int descriptor = serve_folders_open_file(folders, path, error);
    if (descriptor < 0) {
        return false;
    }
    *part = (struct tn_part){0};
    bool done = fstat(descriptor, &status) == 0 || tn_file_fail(error, errno, tn_str_of(path));
    part->file_bytes = done ? (uint64_t)status.st_size : 0;
    if (done && kind == TN_FILE_TEXT) {
        done = part->file_bytes <= TEXT_LIMIT_BYTES
                   ? read_up_to(descriptor, path, arena, &part->bytes, part->file_bytes, error)
                   : fail_large(path, part->file_bytes, error);
    } else if (done) {
        done = read_header(descriptor, path, arena, kind, part, error);
    }
    (void)close(descriptor);
    return done;
}
