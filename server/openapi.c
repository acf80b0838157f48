/* Everything in it follows from tables, so that it cannot say what is not so. */
#include "server/openapi.h"

#include "api/schema.h"
#include "server/routes.h"

#include <stdio.h>

static void text(struct tn_json_writer *json, const char *key, const char *value)
{
    tn_json_key(json, key);
    tn_json_text(json, value);
}

static void open_object(struct tn_json_writer *json, const char *key)
{
    tn_json_key(json, key);
    tn_json_begin_object(json);
}

static const char *summary_of(const struct serve_route *route)
{
    return route->operation ? tn_operation_find(tn_str_of(route->operation))->summary : route->summary;
}

/* ---- answers -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *status;
    const char *description;
    unsigned methods; /* only of these */
} refusals[] = {
    {"400", "The request cannot be understood.", SERVE_GET | SERVE_POST},
    {"403", "The request names a file or a host that the operator has not allowed.", SERVE_GET | SERVE_POST},
    {"413", "The body is larger than this server takes.", SERVE_POST},
    {"415", "The body is no JSON.", SERVE_POST},
    {"422", "The request is understood, and cannot be answered: an unknown model or GPU, a deployment that cannot be.",
     SERVE_GET | SERVE_POST},
    {"500", "A defect of tonnage, or no memory.", SERVE_GET | SERVE_POST},
    {"502", "A host that the operator has allowed does not answer.", SERVE_GET | SERVE_POST},
    {"503", "The server has more to do than it can; try again.", SERVE_GET | SERVE_POST},
};

static void write_refusals(struct tn_json_writer *json, unsigned method)
{
    for (size_t k = 0; k < sizeof refusals / sizeof refusals[0]; k++) {
        if (!(refusals[k].methods & method)) {
            continue;
        }
        open_object(json, refusals[k].status);
        text(json, "description", refusals[k].description);
        open_object(json, "content");
        open_object(json, "application/json");
        open_object(json, "schema");
        text(json, "$ref", "#/components/schemas/error");
        for (int level = 0; level < 4; level++) {
            tn_json_end_object(json);
        }
    }
}

/* A text of another media type. */
static void write_text_content(struct tn_json_writer *json, const char *type)
{
    open_object(json, type);
    open_object(json, "schema");
    text(json, "type", "string");
    tn_json_end_object(json);
    tn_json_end_object(json);
}

/* The answer of an operation: JSON of a schema with a name, or what "format" asks for. */
static void write_operation_content(struct tn_json_writer *json, const char *operation)
{
    char name[64];
    (void)snprintf(name, sizeof name, "tonnage.%s/1", operation);
    open_object(json, "application/json");
    open_object(json, "schema");
    text(json, "type", "object");
    tn_json_key(json, "required");
    tn_json_begin_list(json);
    tn_json_text(json, "schema");
    tn_json_end_list(json);
    open_object(json, "properties");
    open_object(json, "schema");
    text(json, "const", name);
    for (int level = 0; level < 4; level++) {
        tn_json_end_object(json);
    }
    write_text_content(json, "text/plain");
    write_text_content(json, "text/csv");
    write_text_content(json, "text/markdown");
    write_text_content(json, "text/html");
    write_text_content(json, "image/svg+xml");
    write_text_content(json, "application/jsonl");
}

static void write_responses(struct tn_json_writer *json, const struct serve_route *route, unsigned method)
{
    open_object(json, "responses");
    open_object(json, "200");
    text(json, "description", route->operation ? "The answer; that a model does not fit is one." : "It is there.");
    open_object(json, "content");
    if (route->operation) {
        write_operation_content(json, route->operation);
    } else if (route->is_text) {
        write_text_content(json, "text/plain");
    } else {
        open_object(json, "application/json");
        tn_json_end_object(json);
    }
    tn_json_end_object(json);
    tn_json_end_object(json);
    if (route->operation) {
        write_refusals(json, method);
    }
    tn_json_end_object(json);
}

/* ---- requests ------------------------------------------------------------------------------------------------------- */

static void write_parameters(struct tn_json_writer *json, const char *operation)
{
    tn_json_key(json, "parameters");
    tn_json_begin_list(json);
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        if (tn_input_applies((enum tn_input)k, tn_str_of(operation)) && !tn_input_is_local((enum tn_input)k)
            && tn_inputs[k].type != TN_INPUT_PAIRS) {
            tn_json_begin_object(json);
            tn_json_key(json, "name");
            tn_write_input_name(json, (enum tn_input)k);
            text(json, "in", "query");
            tn_json_key(json, "schema");
            tn_write_input_schema(json, (enum tn_input)k);
            tn_json_end_object(json);
        }
    }
    tn_json_end_list(json);
}

static void write_body(struct tn_json_writer *json, const char *operation)
{
    open_object(json, "requestBody");
    tn_json_key(json, "required");
    tn_json_boolean(json, true);
    open_object(json, "content");
    open_object(json, "application/json");
    tn_json_key(json, "schema");
    tn_write_schema(json, tn_operation_find(tn_str_of(operation)));
    tn_json_end_object(json);
    tn_json_end_object(json);
    tn_json_end_object(json);
}

static void write_method(struct tn_json_writer *json, const struct serve_route *route, unsigned method)
{
    open_object(json, method == SERVE_GET ? "get" : "post");
    text(json, "summary", summary_of(route));
    if (route->operation && method == SERVE_GET) {
        write_parameters(json, route->operation);
    } else if (route->operation) {
        write_body(json, route->operation);
    }
    write_responses(json, route, method);
    tn_json_end_object(json);
}

static void write_paths(struct tn_json_writer *json)
{
    static const unsigned methods[] = {SERVE_GET, SERVE_POST};
    open_object(json, "paths");
    for (const struct serve_route *route = serve_routes; route->path; route++) {
        open_object(json, route->path);
        for (size_t k = 0; k < sizeof methods / sizeof methods[0]; k++) {
            if (route->methods & methods[k]) {
                write_method(json, route, methods[k]);
            }
        }
        tn_json_end_object(json);
    }
    tn_json_end_object(json);
}

/* tonnage.error/1 */
static void write_error_schema(struct tn_json_writer *json)
{
    static const struct {
        const char *name;
        const char *types[2];
    } members[] = {{"schema", {"string", NULL}},  {"code", {"string", NULL}},      {"message", {"string", NULL}},
                   {"where", {"string", "null"}}, {"offset", {"integer", "null"}}, {"hint", {"string", "null"}}};
    enum { MEMBERS = sizeof members / sizeof members[0] };
    open_object(json, "error");
    text(json, "type", "object");
    tn_json_key(json, "required");
    tn_json_begin_list(json);
    for (size_t k = 0; k < MEMBERS; k++) {
        tn_json_text(json, members[k].name);
    }
    tn_json_end_list(json);
    open_object(json, "properties");
    for (size_t k = 0; k < MEMBERS; k++) {
        open_object(json, members[k].name);
        tn_json_key(json, "type");
        tn_json_begin_list(json);
        tn_json_text(json, members[k].types[0]);
        if (members[k].types[1]) {
            tn_json_text(json, members[k].types[1]);
        }
        tn_json_end_list(json);
        tn_json_end_object(json);
    }
    tn_json_end_object(json);
    tn_json_end_object(json);
}

void serve_write_openapi(struct tn_builder *document)
{
    struct tn_json_writer writer = {.builder = document, .indented = true};
    struct tn_json_writer *json = &writer;
    tn_json_begin_object(json);
    text(json, "openapi", "3.1.0");
    open_object(json, "info");
    text(json, "title", "tonnage");
    text(json, "summary", "how much GPU memory a large language model needs, what fits on given GPUs, and why");
    text(json, "version", tn_version());
    open_object(json, "license");
    text(json, "name", "MIT");
    text(json, "identifier", "MIT");
    tn_json_end_object(json);
    tn_json_end_object(json);
    write_paths(json);
    open_object(json, "components");
    open_object(json, "schemas");
    write_error_schema(json);
    tn_json_end_object(json);
    tn_json_end_object(json);
    tn_json_end_object(json);
    tn_builder_add_char(document, '\n');
}
