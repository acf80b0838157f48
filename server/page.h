/* The files of the web page, which the build puts into the program. */
#ifndef TONNAGE_SERVER_PAGE_H
#define TONNAGE_SERVER_PAGE_H

#include <stdbool.h>
#include <stddef.h>

struct tn_page_file {
    const char *path; /* "index.html" */
    const char *type; /* "text/html; charset=utf-8" */
    const unsigned char *bytes;
    size_t size;
    bool is_gzip;     /* the bytes are compressed */
    const char *etag; /* with its quotes */
};

extern const struct tn_page_file tn_page_files[]; /* ends with path NULL; only that row where the build has no page */

#endif
