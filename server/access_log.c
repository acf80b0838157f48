/* Lines are written with one call each, so that those of several threads do not mix. */
#include "server/access_log.h"

#include "text/json.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* UTC, to the millisecond: 2026-01-31T12:00:00.123Z */
static void write_time(struct tn_json_writer *json)
{
    struct timespec now;
    struct tm parts;
    char day[24];
    char text[40];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(text, sizeof text, "%s.%03ldZ", day, now.tv_nsec / 1000000);
    tn_json_key(json, "time");
    tn_json_text(json, text);
}

static void write_client(struct tn_json_writer *json, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char host[64] = "";
    const struct sockaddr *address = info ? info->client_addr : NULL;
    if (address && address->sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, host, sizeof host);
    } else if (address && address->sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, host, sizeof host);
    }
    tn_json_key(json, "client");
    tn_json_text(json, host[0] ? host : NULL);
}

static void write_line(struct tn_builder *line)
{
    tn_builder_add_char(line, '\n');
    if (!line->failed) {
        ssize_t written = write(STDERR_FILENO, line->data, line->size);
        (void)written; /* there is nowhere to say that the log is full */
    }
    tn_builder_free(line);
}

void serve_log(const struct serve_exchange *exchange, uint64_t bytes, int64_t us, bool is_complete)
{
    struct tn_builder line = {0};
    struct tn_json_writer json = {.builder = &line};
    tn_json_begin_object(&json);
    write_time(&json);
    tn_json_key(&json, "id");
    tn_json_text(&json, exchange->id);
    write_client(&json, exchange->connection);
    tn_json_key(&json, "method");
    tn_json_text(&json, exchange->method_name);
    tn_json_key(&json, "path");
    tn_json_text(&json, exchange->path);
    tn_json_key(&json, "status");
    tn_json_u64(&json, exchange->status);
    tn_json_key(&json, "bytes");
    tn_json_u64(&json, bytes);
    tn_json_key(&json, "duration_ms");
    tn_json_real(&json, (double)us / 1000);
    tn_json_key(&json, "complete");
    tn_json_boolean(&json, is_complete);
    tn_json_end_object(&json);
    write_line(&line);
}

void serve_log_event(const char *event, const char *detail)
{
    struct tn_builder line = {0};
    struct tn_json_writer json = {.builder = &line};
    tn_json_begin_object(&json);
    write_time(&json);
    tn_json_key(&json, "event");
    tn_json_text(&json, event);
    tn_json_key(&json, "detail");
    tn_json_text(&json, detail);
    tn_json_end_object(&json);
    write_line(&line);
}
