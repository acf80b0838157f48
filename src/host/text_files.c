/* Mapping them. */
#include "host/text_files.h"

bool tn_text_files_read(void *context, struct tn_str path, struct tn_str *text, struct tn_error *error)
{
    struct tn_text_files *files = context;
    char *terminated = tn_str_terminated(&files->arena, path);
    void *grown = tn_arena_grow(&files->arena, files->files, files->count, files->count + 1, sizeof *files->files);
    if (!terminated || !grown) {
        return tn_fail_memory(error);
    }
    files->files = grown;
    if (!tn_file_map(terminated, &files->files[files->count], error)) {
        return false;
    }
    *text = files->files[files->count++].bytes;
    return true;
}

void tn_text_files_free(struct tn_text_files *files)
{
    for (size_t k = 0; k < files->count; k++) {
        tn_file_unmap(&files->files[k]);
    }
    tn_arena_free(&files->arena);
    *files = (struct tn_text_files){0};
}
