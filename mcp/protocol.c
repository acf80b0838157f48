/* JSON-RPC 2.0 and the methods of the Model Context Protocol that a server of tools has. Facts from the specifications of
 * 2024-11-05 to 2026-07-28. It knows no tool by name, and reads and writes nothing. */
#include "mcp/mcp.h"

enum {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    MCP_UNSUPPORTED_VERSION = -32022, /* since 2026-07-28 */
};

/* Newest first. From `is_stateless` on each request says its version, before `initialize` does. */
static const struct {
    const char *name;
    bool is_stateless;
} versions[] = {
    {"2026-07-28", true}, {"2025-11-25", false}, {"2025-06-18", false}, {"2025-03-26", false}, {"2024-11-05", false},
};

enum { VERSIONS = sizeof versions / sizeof versions[0], NEWEST_WITH_HANDSHAKE = 1 };

static const char instructions[] =
    "tonnage computes how much GPU memory large language models take, engine by engine, and what fits on given GPUs. "
    "All byte "
    "figures are exact integers in structuredContent; each has a basis: exact, replayed, fitted or assumed.";

#define META_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_SERVER "io.modelcontextprotocol/serverInfo"

/* One message on its way to an answer. */
struct exchange {
    const struct tn_session *session;
    const struct tn_value *params; /* NULL where the message has none */
    struct tn_str method;
    bool is_stateless;
    struct tn_json_writer json; /* of the result, within its object */
    int failure;                /* a code of RPC_ or MCP_; 0: the result stands */
    struct tn_builder complaint;
    struct tn_str refused_version;
    struct tn_error *error;
};

static bool refuse(struct exchange *exchange, int failure, const char *what, struct tn_str value)
{
    exchange->failure = failure;
    tn_builder_addf(&exchange->complaint, "%s" TN_STR_FORMAT, what, TN_STR_ARGUMENTS(value));
    return false;
}

static const struct tn_value *string_member(const struct tn_value *object, const char *key)
{
    const struct tn_value *value = object ? tn_value_member(object, tn_str_of(key)) : NULL;
    return value && value->kind == TN_STRING ? value : NULL;
}

/* ---- pieces of results -------------------------------------------------------------------------------------------- */

static void write_server(struct tn_json_writer *json, const char *key)
{
    tn_json_key(json, key);
    tn_json_begin_object(json);
    tn_json_key(json, "name");
    tn_json_text(json, "tonnage");
    tn_json_key(json, "title");
    tn_json_text(json, "tonnage: GPU memory of large language models");
    tn_json_key(json, "version");
    tn_json_text(json, tn_version());
    tn_json_end_object(json);
}

static void write_capabilities(struct tn_json_writer *json)
{
    tn_json_key(json, "capabilities");
    tn_json_begin_object(json);
    tn_json_key(json, "tools");
    tn_json_begin_object(json);
    tn_json_end_object(json);
    tn_json_end_object(json);
    tn_json_key(json, "instructions");
    tn_json_text(json, instructions);
}

/* The tables are of this program: they are the same for everybody until it is started anew. */
static void write_cache_hints(struct tn_json_writer *json)
{
    tn_json_key(json, "ttlMs");
    tn_json_u64(json, 3600000);
    tn_json_key(json, "cacheScope");
    tn_json_text(json, "public");
}

static void write_supported(struct tn_json_writer *json, const char *key)
{
    tn_json_key(json, key);
    tn_json_begin_list(json);
    for (size_t k = 0; k < VERSIONS; k++) {
        if (versions[k].is_stateless) {
            tn_json_text(json, versions[k].name);
        }
    }
    tn_json_end_list(json);
}

/* ---- methods ------------------------------------------------------------------------------------------------------ */

static bool answer_initialize(struct exchange *exchange)
{
    const struct tn_value *wanted = string_member(exchange->params, "protocolVersion");
    const char *agreed = versions[NEWEST_WITH_HANDSHAKE].name;
    if (!wanted) {
        return refuse(exchange, RPC_INVALID_PARAMS, "initialize needs a protocolVersion", (struct tn_str){0});
    }
    for (size_t k = NEWEST_WITH_HANDSHAKE; k < VERSIONS; k++) {
        if (tn_str_is(wanted->as.string, versions[k].name)) {
            agreed = versions[k].name;
        }
    }
    tn_json_key(&exchange->json, "protocolVersion");
    tn_json_text(&exchange->json, agreed);
    write_server(&exchange->json, "serverInfo");
    write_capabilities(&exchange->json);
    return true;
}

static bool answer_discover(struct exchange *exchange)
{
    struct tn_json_writer *json = &exchange->json;
    write_supported(json, "supportedVersions");
    write_capabilities(json);
    write_cache_hints(json);
    tn_json_key(json, "_meta");
    tn_json_begin_object(json);
    write_server(json, META_SERVER);
    tn_json_end_object(json);
    return true;
}

static bool answer_nothing(struct exchange *exchange)
{
    (void)exchange;
    return true;
}

static bool answer_list(struct exchange *exchange)
{
    struct tn_json_writer *json = &exchange->json;
    tn_json_key(json, "tools");
    tn_json_begin_list(json);
    for (const struct mcp_tool *tool = mcp_tools; tool->operation; tool++) {
        tn_json_begin_object(json);
        mcp_tool_describe(json, tool);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
    if (exchange->is_stateless) {
        write_cache_hints(json);
    }
    return true;
}

static bool answer_call(struct exchange *exchange)
{
    const struct tn_value *name = string_member(exchange->params, "name");
    const struct tn_value *inputs = exchange->params ? tn_value_member(exchange->params, TN_STR("arguments")) : NULL;
    if (!name) {
        return refuse(exchange, RPC_INVALID_PARAMS, "tools/call needs the name of a tool", (struct tn_str){0});
    }
    const struct mcp_tool *tool = mcp_tool_find(name->as.string);
    if (!tool) {
        return refuse(exchange, RPC_INVALID_PARAMS, "unknown tool: ", name->as.string);
    }
    if (inputs && inputs->kind != TN_OBJECT) {
        return refuse(exchange, RPC_INVALID_PARAMS, "arguments must be an object", (struct tn_str){0});
    }
    if (!mcp_tool_call(exchange->session, tool, inputs, &exchange->json, exchange->error)) {
        return refuse(exchange, RPC_INTERNAL_ERROR, "no answer", (struct tn_str){0});
    }
    return true;
}

static const struct {
    const char *name;
    bool (*answer)(struct exchange *exchange); /* false: refused */
} methods[] = {
    {"initialize", answer_initialize}, {"server/discover", answer_discover}, {"ping", answer_nothing},
    {"tools/list", answer_list},       {"tools/call", answer_call},
};

enum { METHODS = sizeof methods / sizeof methods[0] };

/* ---- a message ---------------------------------------------------------------------------------------------------- */

/* Which era the request is of, and that its version is spoken. */
static bool read_version(struct exchange *exchange)
{
    const struct tn_value *meta = exchange->params ? tn_value_member(exchange->params, TN_STR("_meta")) : NULL;
    const struct tn_value *version = string_member(meta, META_VERSION);
    if (!version) {
        return true;
    }
    for (size_t k = 0; k < VERSIONS; k++) {
        if (versions[k].is_stateless && tn_str_is(version->as.string, versions[k].name)) {
            const struct tn_value *capabilities = tn_value_member(meta, TN_STR(META_CAPABILITIES));
            exchange->is_stateless = true;
            return (capabilities && capabilities->kind == TN_OBJECT)
                   || refuse(exchange, RPC_INVALID_PARAMS, "_meta needs " META_CAPABILITIES, (struct tn_str){0});
        }
    }
    exchange->refused_version = version->as.string;
    return refuse(exchange, MCP_UNSUPPORTED_VERSION, "unsupported protocol version: ", version->as.string);
}

static bool answer_method(struct exchange *exchange)
{
    if (!read_version(exchange)) {
        return false;
    }
    for (size_t k = 0; k < METHODS; k++) {
        if (tn_str_is(exchange->method, methods[k].name)) {
            return methods[k].answer(exchange);
        }
    }
    return refuse(exchange, RPC_METHOD_NOT_FOUND, "no such method: ", exchange->method);
}

static bool is_id(const struct tn_value *id)
{
    return id && (id->kind == TN_STRING || id->kind == TN_INTEGER);
}

/* What every message must have. Notifications have no id, and are nobody's to answer. */
static bool read_message(struct exchange *exchange, const struct tn_value *message, bool *is_notification)
{
    const struct tn_value *version = string_member(message, "jsonrpc");
    const struct tn_value *method = string_member(message, "method");
    const struct tn_value *id = tn_value_member(message, TN_STR("id"));
    *is_notification = method && !id;
    exchange->params = tn_value_member(message, TN_STR("params"));
    if (message->kind != TN_OBJECT || !version || !tn_str_is(version->as.string, "2.0")) {
        return refuse(exchange, RPC_INVALID_REQUEST, "a message is one object with \"jsonrpc\": \"2.0\"",
                      (struct tn_str){0});
    }
    if (!method || (id && !is_id(id))) {
        return refuse(exchange, RPC_INVALID_REQUEST, "a request has a method, and an id that is a text or an integer",
                      (struct tn_str){0});
    }
    if (exchange->params && exchange->params->kind != TN_OBJECT) {
        return refuse(exchange, RPC_INVALID_PARAMS, "params must be an object", (struct tn_str){0});
    }
    exchange->method = method->as.string;
    return true;
}

static void write_failure(const struct exchange *exchange, struct tn_json_writer *json)
{
    tn_json_key(json, "error");
    tn_json_begin_object(json);
    tn_json_key(json, "code");
    tn_json_i64(json, exchange->failure);
    tn_json_key(json, "message");
    tn_json_string(json, tn_builder_str(&exchange->complaint));
    if (exchange->refused_version.size) {
        tn_json_key(json, "data");
        tn_json_begin_object(json);
        write_supported(json, "supported");
        tn_json_key(json, "requested");
        tn_json_string(json, exchange->refused_version);
        tn_json_end_object(json);
    }
    tn_json_end_object(json);
}

/* Begins the answer, lets the method write its result, and takes that back where it is refused. */
static void write_answer(struct exchange *exchange, const struct tn_value *id, bool is_readable)
{
    struct tn_json_writer *json = &exchange->json;
    tn_json_begin_object(json);
    tn_json_key(json, "jsonrpc");
    tn_json_text(json, "2.0");
    tn_json_key(json, "id");
    if (is_id(id)) {
        tn_json_value(json, id);
    } else {
        tn_json_null(json);
    }
    struct tn_json_writer before = *json;
    size_t size = json->builder->size;
    tn_json_key(json, "result");
    tn_json_begin_object(json);
    if (is_readable && answer_method(exchange)) {
        if (exchange->is_stateless) {
            tn_json_key(json, "resultType");
            tn_json_text(json, "complete");
        }
        tn_json_end_object(json);
    } else {
        *json = before;
        json->builder->size = size;
        write_failure(exchange, json);
    }
    tn_json_end_object(json);
    tn_builder_add_char(json->builder, '\n');
}

void mcp_refuse(const char *why, struct tn_builder *answer)
{
    struct exchange exchange = {.json = {.builder = answer}};
    (void)refuse(&exchange, RPC_INVALID_REQUEST, why, (struct tn_str){0});
    write_answer(&exchange, NULL, false);
    tn_builder_free(&exchange.complaint);
}

bool mcp_answer(const struct tn_session *session, struct tn_str line, struct tn_builder *answer, struct tn_error *error)
{
    struct tn_arena arena = {0};
    struct tn_error fault = {0};
    struct tn_value message = {.kind = TN_NULL};
    struct exchange exchange = {.session = session, .json = {.builder = answer}, .error = error};
    bool is_notification = false;
    bool is_readable = tn_json_read(&arena, line, &message, &fault);
    if (is_readable) {
        is_readable = read_message(&exchange, &message, &is_notification);
    } else {
        (void)refuse(&exchange, RPC_PARSE_ERROR, fault.message, (struct tn_str){0});
    }
    if (!is_notification) {
        write_answer(&exchange, tn_value_member(&message, TN_STR("id")), is_readable);
    }
    bool done = !(answer->failed || exchange.complaint.failed) || tn_fail_memory(error);
    tn_builder_free(&exchange.complaint);
    tn_arena_free(&arena);
    return done;
}
