/* Where the files of models come from: a folder of this machine, a network, or a request. Who asks does not know which. Paths are what
 * messages show. */
#ifndef TN_FILES_SOURCE_H
#define TN_FILES_SOURCE_H

#include "base/text.h"

/* A file as far as it is at hand: at least all of its header. */
struct tn_part {
    struct tn_str bytes; /* from the start of the file; lives as long as the source */
    uint64_t file_bytes; /* the size of the whole file */
};

enum tn_file_kind { TN_FILE_TEXT, TN_FILE_SAFETENSORS, TN_FILE_GGUF };

/* What a name leads to. */
struct tn_model_place {
    struct tn_str id;     /* shown as the model's name */
    struct tn_str folder; /* ends in "/" */
    struct tn_str file;   /* in the folder; empty: the folder as a whole */
    struct tn_str prefix; /* to be written before the name of a file, so that it is a MODEL of its own; or empty */
    bool is_gguf;         /* whatever its name says */
};

struct tn_file_source {
    void *context;
    /* *found false where the name is none of this source. */
    bool (*find)(void *context, struct tn_str name, struct tn_model_place *place, bool *found, struct tn_error *error);
    bool (*list)(void *context, struct tn_arena *arena, const char *folder, struct tn_str **names, size_t *count,
                 struct tn_error *error);
    /* false only where it is known that there is no such file. */
    bool (*may_exist)(void *context, const char *path);
    /* All of some files, or their headers. Where `absent` is not NULL, it is set for a single file that is not there,
     * or that nobody may read, in place of an error; unless it is known to be there. */
    bool (*read)(void *context, const char *const *paths, size_t count, enum tn_file_kind kind, struct tn_part *parts,
                 bool *absent, struct tn_error *error);
};

#endif
