/* Text that HTTP is made of: URLs, and the header lines that matter here. Pure: it neither connects nor reads. */
#ifndef TN_HOST_HTTP_TEXT_H
#define TN_HOST_HTTP_TEXT_H

#include "base/text.h"

/* An http or https URL in parts, which point into it. A fragment is dropped. */
struct tn_url {
    struct tn_str scheme;    /* "http" or "https" */
    struct tn_str user_info; /* "user:password"; empty where there is none */
    struct tn_str host;      /* with the port, where one is given */
    struct tn_str path;      /* from "/" on; empty where there is none */
    struct tn_str query;     /* from "?" on; empty where there is none */
};

/* false for every other scheme, and for what two readers of URLs could understand in two ways: spaces, control
 * characters, backslashes, unusual characters in the host. */
bool tn_url_split(struct tn_str url, struct tn_url *parts);

/* Whether scheme, host and port are the same, letter by letter. false where one of the two is no URL. */
bool tn_url_same_origin(struct tn_str a, struct tn_str b);

/* Adds a path with all but letters, digits, "-._~/:" and "@" as %XX. */
void tn_url_add_path(struct tn_builder *url, struct tn_str path);

/* "Name: value\r\n" in parts; false for a line that is none. */
bool tn_http_field(struct tn_str line, struct tn_str *name, struct tn_str *value);

/* Whether a field has this name, upper and lower case alike. */
bool tn_http_is_field(struct tn_str name, const char *expected);

/* The number that a text is; false where there is anything but digits, or more than 64 bits hold. */
bool tn_http_number(struct tn_str text, uint64_t *number);

/* The value of Content-Range, "bytes 0-7/1234": the first and last byte, and the size of the file. false also where the
 * size is not told ("*"), and where the numbers contradict each other. */
bool tn_http_content_range(struct tn_str value, uint64_t *first, uint64_t *last, uint64_t *file_bytes);

/* A strong entity tag, with its quotes; false for a weak one, which promises nothing for bytes. */
bool tn_http_strong_etag(struct tn_str value, struct tn_str *etag);

#endif
