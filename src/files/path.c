/* Taking paths apart and putting them together. */
#include "files/path.h"

struct tn_str tn_path_name(struct tn_str path)
{
    while (path.size > 1 && path.data[path.size - 1] == '/') {
        path.size--;
    }
    for (size_t k = path.size; k > 0; k--) {
        if (path.data[k - 1] == '/') {
            return tn_str_slice(path, k, path.size);
        }
    }
    return path;
}

struct tn_str tn_path_folder(struct tn_str path)
{
    struct tn_str name = tn_path_name(path);
    size_t size = (size_t)(name.data - path.data);
    return size ? tn_str_slice(path, 0, size) : TN_STR("./");
}

char *tn_path_join(struct tn_arena *arena, struct tn_str folder, struct tn_str name)
{
    struct tn_builder path = {0};
    tn_builder_add(&path, folder);
    if (folder.size && folder.data[folder.size - 1] != '/') {
        tn_builder_add_char(&path, '/');
    }
    tn_builder_add(&path, name);
    char *result = path.failed ? NULL : tn_str_terminated(arena, tn_builder_str(&path));
    tn_builder_free(&path);
    return result;
}
