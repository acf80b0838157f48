/* Reading the beginnings of files over HTTP: many at once, each by byte ranges, with an end to everything. It knows nothing
 * of what is in them.
 *
 * Kept by every request: only http and https, also behind a redirect, and no way back from https to http; a token goes to
 * the host it is for and to no other; a server that ignores the range asked for is left at once; every number of redirects,
 * attempts and bytes has a limit, and silence a time.
 */
#ifndef TN_HOST_HTTP_H
#define TN_HOST_HTTP_H

#include "base/budget.h"
#include "base/text.h"

enum {
    TN_HTTP_AT_ONCE = 8,
    TN_HTTP_REDIRECTS = 8,               /* of one request */
    TN_HTTP_ATTEMPTS = 4,                /* for one file, where a server is busy or a connection cut */
    TN_HTTP_LONGEST_WAIT_S = 30,         /* that a server may ask for by Retry-After */
    TN_HTTP_SILENCE_S = 20,              /* unless the settings say otherwise */
    TN_HTTP_REQUEST_S = 600,             /* for one request as a whole */
    TN_HTTP_TOTAL_LIMIT_BYTES = 1 << 30, /* of all answers together */
};

/* One file, or its beginning. Begins with the fields above the line set and all others 0. */
struct tn_fetch {
    struct tn_str url;    /* terminated; shown in messages, so without secrets */
    uint64_t limit_bytes; /* to be read at most */
    struct tn_str etag;   /* of a copy at hand, terminated: answered by `unchanged`; or empty */
    bool may_be_absent;   /* where the server has no such file, or does not show it, `absent` is set and no error */
    bool streams;         /* `wanted` is asked after every piece, as the end is not known before */
    /* Sets *end to how much of the file is needed, counted from its start: more than `size` to go on. NULL: the whole file,
     * without ranges. Asked first with size 0, when file_bytes is not known yet. */
    bool (*wanted)(struct tn_fetch *fetch, uint64_t *end, struct tn_error *error);
    void *context; /* for `wanted` */
    /* -------- */
    char *data; /* [size] on the heap; NULL where nothing was read */
    size_t size;
    uint64_t file_bytes; /* the size of the whole file */
    char new_etag[128];  /* terminated; empty where the server names none that is strong */
    bool unchanged;
    bool absent;
};

/* What a program that fetches for others keeps to. Each host is asked for, also behind a redirect; a name may not lead to an address that is not public, but
 * an address that is written as one, or "localhost", may be any; and no proxy is used, as it could lead anywhere. */
struct tn_http_guard {
    void *context;
    bool (*may_visit)(void *context, struct tn_str host); /* without its port */
    const struct tn_budget *budget;                       /* of the whole; NULL: none */
};

struct tn_http_settings {
    const struct tn_http_guard *guard; /* NULL: any host may be visited */
    struct tn_str token;               /* goes only to the origin of token_url; or empty */
    struct tn_str token_url;
    struct tn_str user_info; /* "user:password" for the origin of user_url; or empty */
    struct tn_str query;     /* added to the URLs that are asked for, not to redirects; or empty */
    struct tn_str user_url;
    unsigned silence_s;    /* 0: TN_HTTP_SILENCE_S */
    uint64_t *total_bytes; /* counts the bytes of all answers */
    /* Called several times a second while anything is under way; NULL: nobody looks. */
    void (*progress)(void *context, size_t done, size_t count, uint64_t bytes);
    void *progress_context;
};

/* Reads all; false with the error of the first that failed. data is to be freed by the caller in both cases.
 * Errors: TN_ERROR_NETWORK, TN_ERROR_FORBIDDEN and TN_ERROR_TOO_COSTLY by the guard, TN_ERROR_TOO_LARGE beyond a limit of bytes, those of `wanted`, TN_ERROR_MEMORY. */
bool tn_http_fetch(const struct tn_http_settings *settings, struct tn_fetch *fetches, size_t count,
                   struct tn_error *error);

#endif
