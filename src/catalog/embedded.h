/* The record files of data/ as they were when the library was built. tools/embed.c writes the table. */
#ifndef TN_CATALOG_EMBEDDED_H
#define TN_CATALOG_EMBEDDED_H

#include <stddef.h>

struct tn_embedded {
    const char *path; /* "data/gpu/nvidia.rec", with forward slashes */
    const char *text; /* terminated; the terminator is not counted */
    size_t size_bytes;
};

/* All files, sorted by path; static storage. */
const struct tn_embedded *tn_embedded_files(size_t *count);

/* A text that is another one where any of the files is; static storage. */
const char *tn_embedded_digest(void);

#endif
