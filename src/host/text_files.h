/* Files that are no models, such as measured records: read whole, kept until the end. */
#ifndef TN_HOST_TEXT_FILES_H
#define TN_HOST_TEXT_FILES_H

#include "host/file.h"

/* {0} holds none. */
struct tn_text_files {
    struct tn_arena arena;
    struct tn_file *files; /* [count] */
    size_t count;
};

/* As tn_text_reader.read; context is a struct tn_text_files. */
bool tn_text_files_read(void *context, struct tn_str path, struct tn_str *text, struct tn_error *error);

void tn_text_files_free(struct tn_text_files *files);

#endif
