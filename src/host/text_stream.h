/* Files and standard input, read from their beginning to their end. Pipes and devices too: a text has an end. */
#ifndef TN_HOST_TEXT_STREAM_H
#define TN_HOST_TEXT_STREAM_H

#include "api/sources.h"
#include "host/progress.h"

struct tn_text_stream {
    struct tn_progress *progress; /* is told how far a text is; NULL: nobody */
    int descriptor;               /* -1: none is open */
    uint64_t read_bytes;
    uint64_t file_bytes; /* 0 where unknown */
};

/* As tn_text_source; context is a struct tn_text_stream, of which `descriptor` is -1 before. */
bool tn_text_stream_open(void *context, struct tn_str name, struct tn_error *error);
bool tn_text_stream_read(void *context, char *bytes, size_t size, size_t *got, struct tn_error *error);
void tn_text_stream_close(void *context);

#endif
