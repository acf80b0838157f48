/* MODEL as a path of this machine, and the mapping of files. */
#include "host/model_files.h"

#include "files/model.h"

#include <errno.h>
#include <sys/stat.h>

static bool exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 || errno == EACCES || errno == ELOOP;
}

static bool map_file(struct tn_model_files *files, const char *path, struct tn_part *part, struct tn_error *error)
{
    struct tn_file *grown = tn_arena_grow(&files->arena, files->files, files->count, files->count + 1, sizeof *grown);
    if (!grown) {
        return tn_fail_memory(error);
    }
    files->files = grown;
    if (!tn_file_map(path, &files->files[files->count], error)) {
        return false;
    }
    part->bytes = files->files[files->count++].bytes;
    part->file_bytes = part->bytes.size;
    return true;
}

/* ---- this machine as a source of files ---------------------------------------------------------------------------- */

static bool list_local(void *context, struct tn_arena *arena, const char *folder, struct tn_str **names, size_t *count,
                       struct tn_error *error)
{
    (void)context;
    return tn_folder_list(arena, folder, names, count, error);
}

static bool exists_local(void *context, const char *path)
{
    (void)context;
    return exists(path);
}

/* Files are mapped whole: only what is looked at is read. */
static bool read_local(void *context, const char *const *paths, size_t count, enum tn_file_kind kind,
                       struct tn_part *parts, bool *absent, struct tn_error *error)
{
    (void)kind;
    if (absent) {
        *absent = count == 1 && !exists(paths[0]);
        if (*absent) {
            return true;
        }
    }
    for (size_t k = 0; k < count; k++) {
        if (!map_file(context, paths[k], &parts[k], error)) {
            return false;
        }
    }
    return true;
}

struct tn_file_source tn_model_files_local(struct tn_model_files *files)
{
    return (struct tn_file_source){files, NULL, list_local, exists_local, read_local};
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

static bool looks_like_path(struct tn_str name)
{
    return tn_str_starts(name, TN_STR("/")) || tn_str_starts(name, TN_STR("./")) || tn_str_starts(name, TN_STR("../"))
           || tn_str_starts(name, TN_STR("~")) || tn_str_ends(name, TN_STR(".json"))
           || tn_str_ends(name, TN_STR(".gguf")) || tn_str_ends(name, TN_STR(".safetensors"));
}

static bool find_path(struct tn_model_files *files, struct tn_str name, struct tn_model_input *input, bool *found,
                      struct tn_error *error)
{
    char *path = tn_str_terminated(&files->arena, name);
    if (!path) {
        return tn_fail_memory(error);
    }
    if (!exists(path)) {
        if (!looks_like_path(name)) {
            return true;
        }
        tn_fail(error, TN_ERROR_UNREADABLE, "no such file or folder");
        tn_fail_at(error, -1, "%s", path);
        return tn_fail_hint(error, "check the spelling; a relative path begins in the current folder");
    }
    *found = true;
    struct tn_file_source local = tn_model_files_local(files);
    struct tn_model_place place = {.id = tn_files_shown_name(name)};
    *(tn_is_folder(path) ? &place.folder : &place.file) = name;
    return tn_files_model(&files->arena, &local, &place, input, error);
}

/* What another source than this machine knows under the name. */
static bool find_remote(struct tn_model_files *files, struct tn_str name, struct tn_model_input *input, bool *found,
                        struct tn_error *error)
{
    struct tn_model_place place = {0};
    if (!files->remote->find(files->remote->context, name, &place, found, error)) {
        return false;
    }
    return !*found || tn_files_model(&files->arena, files->remote, &place, input, error);
}

bool tn_model_files_find(void *context, struct tn_str name, struct tn_str folder, struct tn_model_input *input,
                         bool *found, struct tn_error *error)
{
    struct tn_model_files *files = context;
    *found = false;
    if (files->remote) {
        if (!find_remote(files, name, input, found, error)) {
            return false;
        }
        if (*found) {
            return true;
        }
    }
    if (!find_path(files, name, input, found, error)) {
        return false;
    }
    if (*found || !folder.size) {
        return true;
    }
    struct tn_file_source local = tn_model_files_local(files);
    return tn_files_model_named(&files->arena, &local, folder, name, input, found, error);
}

void tn_model_files_free(struct tn_model_files *files)
{
    for (size_t k = 0; k < files->count; k++) {
        tn_file_unmap(&files->files[k]);
    }
    tn_arena_free(&files->arena);
    *files = (struct tn_model_files){0};
}
