/* A request is read as the library reads it, but that the path names the operation; what is of the server's machine is refused. */
#include "server/answer.h"

#include "server/clock.h"
#include "server/sources.h"
#include "server/state.h"
#include "server/status.h"
#include "text/json.h"

void serve_refuse(struct serve_exchange *exchange, unsigned status, const struct tn_error *error)
{
    exchange->answer.size = 0;
    tn_error_write_json(error, &exchange->answer);
    exchange->type = "application/json";
    exchange->constant = NULL;
    exchange->status = status;
}

void serve_refuse_usage(struct serve_exchange *exchange, unsigned status, const char *message, const char *hint)
{
    struct tn_error error = {0};
    tn_fail(&error, TN_ERROR_USAGE, "%s", message);
    tn_fail_hint(&error, "%s", hint);
    serve_refuse(exchange, status, &error);
}

void serve_refuse_method(struct serve_exchange *exchange, unsigned methods)
{
    exchange->allow = serve_methods_text(methods);
    serve_refuse_usage(exchange, 405, "this path is not asked in this way", "the field Allow says how");
}

/* ---- the request ---------------------------------------------------------------------------------------------------- */

struct query {
    struct tn_request *request;
    struct tn_error *error;
    bool failed;
};

/* One member of a query, "context=4096", as if it were an option. */
static enum MHD_Result take_argument(void *context, enum MHD_ValueKind kind, const char *key, size_t key_size,
                                     const char *value, size_t value_size)
{
    struct query *query = context;
    struct tn_str name = {key, key_size};
    struct tn_str text = {value ? value : "", value ? value_size : 0};
    enum tn_input input = tn_input_find(name, query->request->operation);
    (void)kind;
    if (input == TN_INPUT_COUNT) {
        tn_fail(query->error, TN_ERROR_USAGE, "operation '" TN_STR_FORMAT "' has no input '" TN_STR_FORMAT "'",
                TN_STR_ARGUMENTS(query->request->operation), TN_STR_ARGUMENTS(name));
        tn_fail_at(query->error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
        query->failed = true;
    } else {
        query->failed = !tn_request_set(query->request, input, text, query->error);
    }
    return query->failed ? MHD_NO : MHD_YES;
}

static bool read_query(struct serve_exchange *exchange, struct tn_request *request, struct tn_error *error)
{
    struct query query = {.request = request, .error = error};
    (void)MHD_get_connection_values_n(exchange->connection, MHD_GET_ARGUMENT_KIND, take_argument, &query);
    return !query.failed;
}

static bool read_body(struct serve_exchange *exchange, struct tn_request *request, struct tn_error *error)
{
    struct tn_value object;
    struct tn_str text = tn_builder_str(&exchange->body);
    if (!tn_json_read(request->arena, text, &object, error)) {
        return tn_fail_at(error, -1, "request");
    }
    return tn_request_read_inputs(request, request->operation, &object, error);
}

static bool check_local(const struct tn_request *request, struct tn_error *error)
{
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        if (request->values[k].given && tn_input_is_local((enum tn_input)k)) {
            tn_fail(error, TN_ERROR_FORBIDDEN, "'%s' is of the machine that answers: no request may hold it",
                    tn_inputs[k].name);
            tn_fail_at(error, -1, "%s", tn_inputs[k].name);
            return tn_fail_hint(error, "run `tonnage` itself for this");
        }
    }
    return true;
}

static bool read_request(struct serve_exchange *exchange, struct tn_request *request, struct tn_error *error)
{
    request->operation = tn_str_of(exchange->route->operation);
    bool done =
        exchange->method == SERVE_POST ? read_body(exchange, request, error) : read_query(exchange, request, error);
    return done && check_local(request, error);
}

/* ---- the answer ----------------------------------------------------------------------------------------------------- */

static const char *type_of(const struct tn_request *request, const struct tn_result *result)
{
    static const struct {
        const char *format;
        const char *type;
    } types[] = {
        {"text", "text/plain; charset=utf-8"}, {"jsonl", "application/jsonl"},
        {"csv", "text/csv; charset=utf-8"},    {"md", "text/markdown; charset=utf-8"},
        {"html", "text/html; charset=utf-8"},  {"svg", "image/svg+xml"},
    };
    const struct tn_input_value *format = &request->values[TN_INPUT_FORMAT];
    for (size_t k = 0; format->given && !result->is_lines && k < sizeof types / sizeof types[0]; k++) {
        if (tn_str_is(format->text, types[k].format)) {
            return types[k].type;
        }
    }
    return "application/json";
}

/* Who stops the server does not wait for what takes long. */
static bool is_spent(void *context)
{
    const struct serve_exchange *exchange = context;
    return serve_now_us() > exchange->end_us
           || atomic_load_explicit(&exchange->server->is_hurried, memory_order_relaxed);
}

void serve_answer(struct serve_exchange *exchange)
{
    struct serve_server *server = exchange->server;
    struct tn_arena arena = {0};
    struct tn_request request = {.arena = &arena};
    struct tn_budget budget = {exchange, is_spent};
    struct tn_session session = {.catalog = server->catalog, .shelf = &server->shelf.shelf, .budget = &budget};
    struct serve_sources sources;
    struct tn_result result = {0};
    struct tn_error error = {0};
    exchange->end_us = serve_now_us() + (int64_t)server->options.answer_ms * 1000;
    serve_sources_open(&sources, &server->options, &server->folders, &budget, &session);
    bool done = read_request(exchange, &request, &error) && tn_operation_run(&session, &request, &result, &error)
                && tn_write_answer(&request, &result, &exchange->answer, &error);
    if (done) {
        exchange->status = 200;
        exchange->type = type_of(&request, &result);
    } else {
        serve_refuse(exchange, serve_status_of(error.code), &error);
    }
    tn_result_free(&result);
    serve_sources_close(&sources);
    tn_arena_free(&arena);
}
