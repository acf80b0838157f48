/* The files of the page, with tonnage.wasm, as the build put them into the program. tools/page.py writes them. */
#ifndef TN_SERVER_PAGE_H
#define TN_SERVER_PAGE_H

#include <stdbool.h>
#include <stddef.h>

struct tn_page_file {
    const char *path; /* below the page's own folder: "index.html", "lang/en.js" */
    const char *type; /* for Content-Type */
    const unsigned char *bytes;
    size_t size;
    bool is_gzip;     /* the bytes are compressed: Content-Encoding: gzip */
    const char *etag; /* of what the file holds, with its quotes */
};

/* In byte order of the paths; ends with a row whose path is NULL. Only that row where the build has no page. */
extern const struct tn_page_file tn_page_files[];

#endif
