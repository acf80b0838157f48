/* libmicrohttpd's callbacks. It parses HTTP, and calls `handle` when the head of a request is there, for each piece of its body, and at its end. What is to
 * be computed leaves the connection's thread: the connection is suspended, and goes on when the answer is there. */
#include "server/front.h"

#include "server/access_log.h"
#include "server/answer.h"
#include "server/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECTION_BYTES = 24 << 10 }; /* for the head of a request and of its answer */

/* ---- the answer goes out -------------------------------------------------------------------------------------------- */

struct field {
    const char *name;
    const char *value;
};

/* Scripts, styles and pictures are the page's own; its core is WebAssembly, in a worker. */
#define POLICY                                                                     \
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " \
    "img-src 'self' data:; connect-src 'self'; worker-src 'self'; "                \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* An answer may hold what somebody sent, such as a model's name: shown in a browser it runs nothing. */
#define ANSWER_POLICY "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"

static const struct field security_fields[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Frame-Options", "DENY"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};

static void add_field(struct MHD_Response *response, const char *name, const char *value)
{
    if (value) {
        (void)MHD_add_response_header(response, name, value);
    }
}

static void add_fields(struct MHD_Response *response, const struct serve_exchange *exchange)
{
    for (size_t k = 0; k < sizeof security_fields / sizeof security_fields[0]; k++) {
        add_field(response, security_fields[k].name, security_fields[k].value);
    }
    add_field(response, "Content-Security-Policy", exchange->is_page ? POLICY : ANSWER_POLICY);
    add_field(response, "Cache-Control", exchange->is_page ? "no-cache" : "no-store");
    add_field(response, "Content-Type", exchange->type);
    add_field(response, "X-Request-Id", exchange->id);
    add_field(response, "ETag", exchange->etag);
    add_field(response, "Allow", exchange->allow);
    add_field(response, "Content-Encoding", exchange->is_gzip ? "gzip" : NULL);
    add_field(response, "Vary", exchange->is_page ? "Accept-Encoding" : NULL);
    add_field(response, "Retry-After", exchange->status == 503 ? "1" : NULL);
    bool is_last = atomic_load_explicit(&exchange->server->is_stopping, memory_order_relaxed);
    add_field(response, "Connection", is_last ? "close" : NULL);
}

static struct MHD_Response *make_response(struct serve_exchange *exchange)
{
    if (exchange->constant) { /* the library takes no const, and does not write */
        return MHD_create_response_from_buffer(exchange->constant_bytes, (void *)exchange->constant,
                                               MHD_RESPMEM_PERSISTENT);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(exchange->answer.size, exchange->answer.data, MHD_RESPMEM_MUST_FREE);
    if (response) {
        exchange->answer = (struct tn_builder){.size = exchange->answer.size}; /* the response's now */
    }
    return response;
}

static enum MHD_Result send_answer(struct serve_exchange *exchange)
{
    if (exchange->answer.failed) {
        static const char text[] =
            "{\"schema\": \"tonnage.error/1\", \"code\": \"memory\", \"message\": \"out of memory\", "
            "\"where\": null, \"offset\": null, \"hint\": null}\n";
        exchange->constant = text;
        exchange->constant_bytes = sizeof text - 1;
        exchange->type = "application/json";
        exchange->status = 500;
    }
    struct MHD_Response *response = make_response(exchange);
    if (!response) {
        return MHD_NO;
    }
    uint64_t bytes = exchange->constant ? exchange->constant_bytes : exchange->answer.size;
    add_fields(response, exchange);
    serve_connection_enter(&exchange->server->connections, exchange->peer, SERVE_WRITES, bytes);
    enum MHD_Result queued = MHD_queue_response(exchange->connection, exchange->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* ---- the request comes in ------------------------------------------------------------------------------------------- */

/* What a browser or a program sends of itself may be anything: only what is printed is kept. */
static void keep_text(const char *from, char *to, size_t size)
{
    size_t k = 0;
    for (; from[k] && k + 1 < size; k++) {
        to[k] = (char)(from[k] < ' ' || from[k] > '~' ? '?' : from[k]);
    }
    to[k] = '\0';
}

static struct serve_connection *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static struct serve_exchange *open_exchange(struct serve_server *server, struct MHD_Connection *connection,
                                            const char *path, const char *method)
{
    struct serve_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange) {
        return NULL;
    }
    const char *id = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Request-Id");
    exchange->server = server;
    exchange->connection = connection;
    exchange->peer = peer_of(connection);
    exchange->start_us = serve_now_us();
    exchange->route = serve_route_find(path);
    exchange->method = serve_method_of(method);
    keep_text(path, exchange->path, sizeof exchange->path);
    keep_text(method, exchange->method_name, sizeof exchange->method_name);
    if (!serve_id_take(id, exchange->id)) {
        serve_id_make(atomic_fetch_add_explicit(&server->id_count, 1, memory_order_relaxed), server->id_seed,
                      exchange->id);
    }
    atomic_fetch_add_explicit(&server->counters.in_flight, 1, memory_order_relaxed);
    return exchange;
}

static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t size = sizeof json - 1;
    return !type || (strncasecmp(type, json, size) == 0 && (!type[size] || type[size] == ';' || type[size] == ' '));
}

/* What can be refused before the body comes: then it is not read. */
static void check_head(struct serve_exchange *exchange)
{
    struct MHD_Connection *connection = exchange->connection;
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    if (!(exchange->route->methods & exchange->method)) {
        serve_refuse_method(exchange, exchange->route->methods);
    } else if (length && strtoull(length, NULL, 10) > exchange->server->options.body_bytes) {
        serve_refuse_usage(exchange, 413, "the body is larger than this server takes",
                           "send less; its operator sets the limit by --max-body");
    } else if (exchange->method == SERVE_POST && exchange->route->operation
               && !is_json(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type"))) {
        serve_refuse_usage(exchange, 415, "the body must be JSON", "send the field Content-Type: application/json");
    }
}

static enum MHD_Result begin(struct serve_exchange *exchange)
{
    check_head(exchange);
    serve_connection_enter(&exchange->server->connections, exchange->peer, SERVE_READS, 0);
    return exchange->status ? send_answer(exchange) : MHD_YES;
}

/* A body whose length nobody told may be longer than the limit: the rest of it is passed over, up to the same length again. */
static enum MHD_Result take_piece(struct serve_exchange *exchange, const char *bytes, size_t size)
{
    uint64_t limit = exchange->server->options.body_bytes;
    exchange->body_bytes += size;
    if (exchange->body_bytes <= limit) {
        tn_builder_add(&exchange->body, (struct tn_str){bytes, size});
    } else {
        tn_builder_free(&exchange->body);
        exchange->body = (struct tn_builder){0};
    }
    return exchange->body.failed || exchange->body_bytes > 2 * limit ? MHD_NO : MHD_YES;
}

static enum MHD_Result compute_later(struct serve_exchange *exchange)
{
    serve_connection_enter(&exchange->server->connections, exchange->peer, SERVE_ANSWERS, 0);
    MHD_suspend_connection(exchange->connection);
    if (!serve_jobs_add(&exchange->server->jobs, exchange)) {
        serve_refuse_usage(exchange, 503, "the server has more to do than it can", "try again in a second");
        atomic_store(&exchange->is_ready, true);
        MHD_resume_connection(exchange->connection);
    }
    return MHD_YES;
}

void serve_front_compute(struct serve_exchange *exchange)
{
    serve_answer(exchange);
    tn_builder_free(&exchange->body);
    exchange->body = (struct tn_builder){0};
    struct MHD_Connection *connection = exchange->connection;
    atomic_store(&exchange->is_ready, true);
    MHD_resume_connection(connection);
}

static enum MHD_Result finish(struct serve_exchange *exchange)
{
    if (exchange->body_bytes > exchange->server->options.body_bytes) {
        serve_refuse_usage(exchange, 413, "the body is larger than this server takes",
                           "send less; its operator sets the limit by --max-body");
    } else if (!exchange->route->operation) {
        exchange->route->answer(exchange);
    } else {
        return compute_later(exchange);
    }
    return send_answer(exchange);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *bytes, size_t *size, void **state)
{
    struct serve_exchange *exchange = *state;
    (void)version;
    if (!exchange) {
        *state = exchange = open_exchange(context, connection, path, method);
        return exchange ? begin(exchange) : MHD_NO;
    }
    if (*size) {
        enum MHD_Result taken = take_piece(exchange, bytes, *size);
        *size = 0;
        return taken;
    }
    if (atomic_load(&exchange->is_ready)) {
        return send_answer(exchange);
    }
    return finish(exchange);
}

/* ---- what libmicrohttpd tells --------------------------------------------------------------------------------------- */

static void completed(void *context, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    struct serve_server *server = context;
    struct serve_exchange *exchange = *state;
    serve_connection_enter(&server->connections, peer_of(connection), SERVE_WAITS, 0);
    if (!exchange) {
        return;
    }
    int64_t us = serve_now_us() - exchange->start_us;
    uint64_t bytes = exchange->constant ? exchange->constant_bytes : exchange->answer.size;
    exchange->status = exchange->status ? exchange->status : 400; /* it ended before there was an answer */
    serve_count(&server->counters, exchange->route, exchange->status, us);
    serve_log(exchange, bytes, us, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    atomic_fetch_sub_explicit(&server->counters.in_flight, 1, memory_order_relaxed);
    tn_builder_free(&exchange->body);
    tn_builder_free(&exchange->answer);
    free(exchange);
    *state = NULL;
}

static void connected(void *context, struct MHD_Connection *connection, void **socket_context,
                      enum MHD_ConnectionNotificationCode code)
{
    struct serve_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = info ? serve_connection_add(&server->connections, info->connect_fd) : NULL;
    } else {
        serve_connection_remove(&server->connections, *socket_context);
        *socket_context = NULL;
    }
}

static enum MHD_Result admit(void *context, const struct sockaddr *address, socklen_t size)
{
    struct serve_server *server = context;
    (void)address;
    (void)size;
    return serve_connections_admit(&server->connections) ? MHD_YES : MHD_NO;
}

/* The first line of a request is there: from now on the rest must come in time. */
static void *first_line(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct serve_server *server = context;
    (void)uri;
    serve_connection_enter(&server->connections, peer_of(connection), SERVE_READS, 0);
    return NULL;
}

struct MHD_Daemon *serve_front_open(struct serve_server *server, int descriptor, unsigned threads,
                                    struct tn_error *error)
{
    unsigned silence_s = (server->options.silence_ms + 999) / 1000;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, admit, server, handle, server,
        MHD_OPTION_LISTEN_SOCKET, descriptor, MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_CONNECTION_TIMEOUT,
        silence_s, MHD_OPTION_CONNECTION_LIMIT, (2 * server->options.connections + SERVE_MOST_ENDING) * threads,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_NOTIFY_COMPLETED, completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, connected, server, MHD_OPTION_URI_LOG_CALLBACK, first_line, server,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (!daemon) {
        tn_fail(error, TN_ERROR_INTERNAL, "the HTTP library does not start");
        tn_fail_hint(error, "raise the limits of open files and threads (ulimit -n, ulimit -u)");
    }
    return daemon;
}
