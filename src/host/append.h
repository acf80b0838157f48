/* Lines added to the ends of files. */
#ifndef TN_HOST_APPEND_H
#define TN_HOST_APPEND_H

#include "base/text.h"

struct tn_append_file {
    int descriptor; /* -1: none is open */
};

/* As tn_appender; context is a struct tn_append_file, of which `descriptor` is -1 before. */
bool tn_append_open(void *context, struct tn_str path, struct tn_error *error);
bool tn_append_line(void *context, struct tn_str line, struct tn_error *error);
void tn_append_close(struct tn_append_file *file);

#endif
