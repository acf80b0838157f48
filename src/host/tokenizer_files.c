/* Names of tokenizers as paths of this machine, or of a remote repository. */
#include "host/tokenizer_files.h"

#include "files/path.h"

#include <sys/stat.h>

static bool use_path(struct tn_model_files *files, struct tn_str name, bool is_model, struct tn_tokenizer_input *input,
                     bool *found, struct tn_error *error)
{
    struct stat status;
    struct tn_file_source local = tn_model_files_local(files);
    struct tn_model_place place = {.folder = name};
    char *path = tn_str_terminated(&files->arena, name);
    if (!path) {
        return tn_fail_memory(error);
    }
    if (is_model && stat(path, &status) != 0) {
        return true; /* a name of the catalog */
    }
    if (!tn_is_folder(path)) {
        place.folder = tn_path_folder(name);
        place.file = tn_path_name(name);
    }
    return tn_files_tokenizer(&files->arena, &local, &place, is_model, input, found, error);
}

/* A remote repository; *is_remote false where the name is none. */
static bool use_remote(struct tn_model_files *files, struct tn_str name, struct tn_tokenizer_input *input,
                       bool *is_remote, bool *found, struct tn_error *error)
{
    struct tn_model_place place = {0};
    if (!files->remote->find(files->remote->context, name, &place, is_remote, error)) {
        return false;
    }
    return !*is_remote || tn_files_tokenizer(&files->arena, files->remote, &place, false, input, found, error);
}

bool tn_tokenizer_files_find(void *context, struct tn_str name, bool is_model, struct tn_tokenizer_input *input,
                             bool *found, struct tn_error *error)
{
    struct tn_model_files *files = context;
    bool is_remote = false;
    *found = false;
    if (files->remote && !use_remote(files, name, input, &is_remote, found, error)) {
        return false;
    }
    if (!is_remote && !use_path(files, name, is_model, input, found, error)) {
        return false;
    }
    return *found || is_model || tn_files_no_tokenizer(name, error);
}
