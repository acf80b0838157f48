/* What a MODEL on the command line is outside of the catalog: a file, a folder, a config of a folder of configs, or what
 * another source of files knows. */
#ifndef TN_HOST_MODEL_FILES_H
#define TN_HOST_MODEL_FILES_H

#include "api/operations.h"
#include "files/source.h"
#include "host/file.h"

/* Holds the mappings and parses that models point into. {0} is empty. */
struct tn_model_files {
    struct tn_arena arena;
    struct tn_file *files; /* [count] */
    size_t count;
    const struct tn_file_source *remote; /* asked first for what a name means; NULL: only this machine */
};

/* As tn_model_finder.find; context is a struct tn_model_files. */
bool tn_model_files_find(void *context, struct tn_str name, struct tn_str folder, struct tn_model_input *input,
                         bool *found, struct tn_error *error);

/* This machine as a source of files, which are mapped as long as `files` lives. Its `find` is NULL. */
struct tn_file_source tn_model_files_local(struct tn_model_files *files);

void tn_model_files_free(struct tn_model_files *files);

#endif
