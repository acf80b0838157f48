/* Health, and the files of the page. */
#include "server/documents.h"

#include "server/page.h"
#include "server/state.h"
#include "server/unpack.h"

#include <string.h>

static void answer_constant(struct serve_exchange *exchange, const void *bytes, size_t size, const char *type)
{
    exchange->constant = bytes;
    exchange->constant_bytes = size;
    exchange->type = type;
    exchange->status = 200;
}

void serve_health(struct serve_exchange *exchange)
{
    static const char text[] = "{\"status\": \"ok\"}\n";
    answer_constant(exchange, text, sizeof text - 1, "application/json");
}

void serve_openapi(struct serve_exchange *exchange)
{
    struct tn_str text = tn_builder_str(&exchange->server->openapi);
    answer_constant(exchange, text.data, text.size, "application/json");
}

/* The file of a path; "/" is the first page. NULL where there is none. */
static const struct tn_page_file *find_file(const char *path)
{
    const char *name = strcmp(path, "/") == 0 ? "index.html" : path + (path[0] == '/');
    const struct tn_page_file *file = tn_page_files;
    while (file->path && strcmp(file->path, name) != 0) {
        file++;
    }
    return file->path ? file : NULL;
}

static bool accepts_gzip(struct serve_exchange *exchange)
{
    const char *accepted = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "Accept-Encoding");
    return accepted && strstr(accepted, "gzip") != NULL;
}

/* For curl and the like, which take no compressed answer unless told to. */
static void answer_unpacked(struct serve_exchange *exchange, const struct tn_page_file *file)
{
    struct tn_error error = {0};
    if (!serve_unpack(file->bytes, file->size, &exchange->answer, &error)) {
        serve_refuse(exchange, 500, &error);
        return;
    }
    exchange->type = file->type;
    exchange->status = 200;
}

static void answer_file(struct serve_exchange *exchange, const struct tn_page_file *file)
{
    const char *known = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "If-None-Match");
    exchange->is_page = true;
    exchange->etag = file->etag;
    if (known && strstr(known, file->etag)) {
        answer_constant(exchange, "", 0, file->type);
        exchange->status = 304;
        return;
    }
    if (file->is_gzip && !accepts_gzip(exchange)) {
        answer_unpacked(exchange, file);
        return;
    }
    answer_constant(exchange, file->bytes, file->size, file->type);
    exchange->is_gzip = file->is_gzip;
}

void serve_file(struct serve_exchange *exchange)
{
    static const char welcome[] =
        "tonnage " TONNAGE_VERSION
        ": this build has no page. POST a question as JSON to /v1/plan; /openapi.json says what there is.\n";
    const struct tn_page_file *file = find_file(exchange->path);
    bool is_there = file || strcmp(exchange->path, "/") == 0;
    if (is_there && exchange->method != SERVE_GET) {
        serve_refuse_method(exchange, SERVE_GET);
    } else if (file) {
        answer_file(exchange, file);
    } else if (is_there) {
        answer_constant(exchange, welcome, sizeof welcome - 1, "text/plain; charset=utf-8");
    } else {
        serve_refuse_usage(exchange, 404, "there is nothing at this path", "/openapi.json lists the paths");
    }
}
