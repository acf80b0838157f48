/* Names in a list, and what is known of them. */
#include "files/given.h"

#include "files/header_end.h"

static struct tn_str without_dot(struct tn_str path)
{
    while (tn_str_starts(path, TN_STR("./"))) {
        path = tn_str_slice(path, 2, path.size);
    }
    return tn_str_is(path, ".") ? (struct tn_str){0} : path;
}

struct tn_given_file *tn_given_find(const struct tn_given_files *given, struct tn_str name)
{
    for (size_t k = 0; k < given->count; k++) {
        if (tn_str_equal(without_dot(given->files[k].name), without_dot(name))) {
            return &given->files[k];
        }
    }
    return NULL;
}

/* The name of a file that lies in the folder itself, without the folder; empty where it lies elsewhere. */
static struct tn_str name_in_folder(struct tn_str path, struct tn_str folder)
{
    path = without_dot(path);
    folder = without_dot(folder);
    if (folder.size) {
        bool has_slash = tn_str_ends(folder, TN_STR("/"));
        bool is_below =
            tn_str_starts(path, folder) && (has_slash || (path.size > folder.size && path.data[folder.size] == '/'));
        path = is_below ? tn_str_slice(path, folder.size + !has_slash, path.size) : (struct tn_str){0};
    }
    return tn_str_find(path, TN_STR("/")) == SIZE_MAX ? path : (struct tn_str){0};
}

bool tn_given_has_folder(const struct tn_given_files *given, struct tn_str folder)
{
    for (size_t k = 0; k < given->count; k++) {
        if (name_in_folder(given->files[k].name, folder).size) {
            return true;
        }
    }
    return false;
}

/* Notes how much is needed, where more can be had. */
static bool fail_lacking(struct tn_given_file *file, uint64_t wanted_bytes, struct tn_error *error)
{
    if (file->fault.size) {
        tn_fail(error, TN_ERROR_UNREADABLE, TN_STR_FORMAT, TN_STR_ARGUMENTS(file->fault));
        return tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(file->name));
    }
    file->wanted_bytes = wanted_bytes < file->file_bytes ? wanted_bytes : file->file_bytes;
    tn_fail(error, TN_ERROR_TRUNCATED, "%llu of its %llu bytes are given, and more are needed",
            (unsigned long long)file->bytes.size, (unsigned long long)file->file_bytes);
    return tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(file->name));
}

bool tn_given_text(struct tn_given_file *file, struct tn_str *text, struct tn_error *error)
{
    if (file->file_bytes > TN_GIVEN_TEXT_LIMIT_BYTES) {
        tn_fail(error, TN_ERROR_TOO_LARGE, "a text of %llu bytes; the limit is %llu",
                (unsigned long long)file->file_bytes, (unsigned long long)TN_GIVEN_TEXT_LIMIT_BYTES);
        tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(file->name));
        return tn_fail_hint(error, "the command line reads files of any size");
    }
    if (file->bytes.size < file->file_bytes) {
        return fail_lacking(file, file->file_bytes, error);
    }
    *text = file->bytes;
    return true;
}

/* As far as the header goes. What a parser does not like is left to the one that reads it in earnest. */
static bool check_header(struct tn_given_file *file, enum tn_file_kind kind, struct tn_error *error)
{
    struct tn_header_end state = {0};
    uint64_t end = 0;
    bool is_sound = tn_header_end(&state, kind, file->name, file->bytes, file->file_bytes, &end, NULL);
    tn_arena_free(&state.arena);
    if (!is_sound || end <= file->bytes.size || file->bytes.size == file->file_bytes) {
        return true;
    }
    /* the end of a GGUF's header is not known beforehand: pieces that grow cost no more than twice the header */
    uint64_t piece = 4 * (uint64_t)file->bytes.size;
    return fail_lacking(file, kind == TN_FILE_GGUF && file->bytes.size && piece < end ? piece : end, error);
}

bool tn_given_is_lacking(const struct tn_given_files *given)
{
    for (size_t k = 0; k < given->count; k++) {
        if (given->files[k].wanted_bytes > given->files[k].bytes.size) {
            return true;
        }
    }
    return false;
}

/* ---- as a source -------------------------------------------------------------------------------------------------- */

static bool list_given(void *context, struct tn_arena *arena, const char *folder, struct tn_str **names, size_t *count,
                       struct tn_error *error)
{
    const struct tn_given_files *given = context;
    *count = 0;
    *names = TN_NEW_ARRAY(arena, struct tn_str, given->count);
    if (!*names) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < given->count; k++) {
        struct tn_str name = name_in_folder(given->files[k].name, tn_str_of(folder));
        if (name.size) {
            (*names)[(*count)++] = name;
        }
    }
    return true;
}

static bool is_given(void *context, const char *path)
{
    return tn_given_find(context, tn_str_of(path)) != NULL;
}

static bool read_given_file(struct tn_given_files *given, const char *path, enum tn_file_kind kind,
                            struct tn_part *part, struct tn_error *error)
{
    struct tn_given_file *file = tn_given_find(given, tn_str_of(path));
    if (!file) {
        tn_fail(error, TN_ERROR_UNREADABLE, "this file is not among those given");
        return tn_fail_at(error, -1, "%s", path);
    }
    part->file_bytes = file->file_bytes;
    part->bytes = file->bytes;
    return kind == TN_FILE_TEXT ? tn_given_text(file, &part->bytes, error) : check_header(file, kind, error);
}

/* Of several files all that lack something are noted, so that whoever has them can fetch it at once. */
static bool read_given(void *context, const char *const *paths, size_t count, enum tn_file_kind kind,
                       struct tn_part *parts, bool *absent, struct tn_error *error)
{
    struct tn_given_files *given = context;
    bool done = true;
    if (absent) {
        *absent = count == 1 && !tn_given_find(given, tn_str_of(paths[0]));
        if (*absent) {
            return true;
        }
    }
    for (size_t k = 0; k < count; k++) {
        done = read_given_file(given, paths[k], kind, &parts[k], done ? error : NULL) && done;
    }
    return done;
}

struct tn_file_source tn_given_source(struct tn_given_files *given)
{
    return (struct tn_file_source){given, NULL, list_given, is_given, read_given};
}
