/* One request and its answer. It is of one thread at a time: of the connection's, of the one that computes, and of the connection's again. */
#ifndef TONNAGE_SERVER_EXCHANGE_H
#define TONNAGE_SERVER_EXCHANGE_H

#include "server/connections.h"
#include "server/request_id.h"
#include "server/routes.h"

#include <microhttpd.h>
#include <stdatomic.h>

struct serve_server;

struct serve_exchange {
    struct serve_server *server;
    struct MHD_Connection *connection;
    struct serve_connection *peer;
    const struct serve_route *route;
    enum serve_method method;
    char method_name[12];
    char path[200]; /* as it is shown in the log */
    char id[SERVE_ID_BYTES];
    int64_t start_us;
    int64_t end_us; /* of the time for its answer */
    /* the request: */
    struct tn_builder body;
    uint64_t body_bytes; /* that came, also those that are not kept */
    /* the answer: */
    unsigned status; /* 0: there is none yet */
    struct tn_builder answer;
    const void *constant; /* in place of `answer`: bytes that outlive everything */
    size_t constant_bytes;
    const char *type;
    const char *etag; /* NULL: none */
    bool is_gzip;
    bool is_page;                /* a file of the page: it may be cached, and is shown by browsers */
    const char *allow;           /* methods, with 405 */
    atomic_bool is_ready;        /* what was to be computed is there */
    struct serve_exchange *next; /* in the queue */
};

/* Makes the answer an error: tonnage.error/1. */
void serve_refuse(struct serve_exchange *exchange, unsigned status, const struct tn_error *error);

/* The same with a sentence and what to do next, as TN_ERROR_USAGE. */
void serve_refuse_usage(struct serve_exchange *exchange, unsigned status, const char *message, const char *hint);

/* 405, with the methods that the path has. */
void serve_refuse_method(struct serve_exchange *exchange, unsigned methods);

#endif
