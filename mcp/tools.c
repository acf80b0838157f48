/* The operations that an assistant gets as tools, and their answers: for it to read, and as JSON. */
#include "mcp/mcp.h"

#include "api/schema.h"

const struct mcp_tool mcp_tools[] = {
    {"plan", "Plan GPU memory",
     "Use it to see what a model takes on given GPUs and whether it fits. Name the engine (vllm, sglang, trtllm, "
     "llamacpp, ...) "
     "where it is known: its own defaults, pools and refusals are then planned. Where it does not fit, the answer says "
     "what would."},
    {"fit", "Find what fits",
     "Use it for the inverse questions: max (context, concurrency, tokens, layers) or best (quant, kv_dtype) on a "
     "given gpu, min "
     "(gpus, cost) for a given context and concurrency, or none of them: the search over GPUs, splits and "
     "quantisations."},
    {"inspect", "Show a model's architecture",
     "Use it for parameters, tensors, layers and what a token costs in the caches; no GPU is needed."},
    {"diagnose", "Diagnose an engine's log",
     "Use it where an engine ran out of memory, did not start, or has a smaller KV cache than expected: give the log's "
     "text in files, "
     "and its name there as log."},
    {"models", "Search the catalog of models", "Use it to find the name under which the catalog has a model."},
    {"gpus", "List GPUs", "Use it to find the name of a GPU, its memory, and what an hour of it costs."},
    {"engines", "List serving engines",
     "Use it to find an engine's versions, or with engine its settings and their defaults."},
    {NULL, NULL, NULL},
};

const struct mcp_tool *mcp_tool_find(struct tn_str name)
{
    for (const struct mcp_tool *tool = mcp_tools; tool->operation; tool++) {
        if (tn_str_is(name, tool->operation)) {
            return tool;
        }
    }
    return NULL;
}

static void write_description(struct tn_json_writer *json, const struct mcp_tool *tool)
{
    const struct tn_operation *operation = tn_operation_find(tn_str_of(tool->operation));
    struct tn_builder text = {0};
    tn_builder_addf(&text, "%s. %s", operation->summary, tool->advice);
    tn_json_key(json, "description");
    tn_json_string(json, tn_builder_str(&text));
    json->builder->failed = json->builder->failed || text.failed;
    tn_builder_free(&text);
}

void mcp_tool_describe(struct tn_json_writer *json, const struct mcp_tool *tool)
{
    tn_json_key(json, "name");
    tn_json_text(json, tool->operation);
    tn_json_key(json, "title");
    tn_json_text(json, tool->title);
    write_description(json, tool);
    tn_json_key(json, "inputSchema");
    tn_write_schema(json, tn_operation_find(tn_str_of(tool->operation)));
    tn_json_key(json, "annotations");
    tn_json_begin_object(json);
    tn_json_key(json, "readOnlyHint");
    tn_json_boolean(json, true);
    tn_json_key(json, "openWorldHint");
    tn_json_boolean(json, false);
    tn_json_end_object(json);
}

static void write_content(struct tn_json_writer *json, struct tn_str text)
{
    tn_json_key(json, "content");
    tn_json_begin_list(json);
    tn_json_begin_object(json);
    tn_json_key(json, "type");
    tn_json_text(json, "text");
    tn_json_key(json, "text");
    tn_json_string(json, text);
    tn_json_end_object(json);
    tn_json_end_list(json);
}

/* A document as a member: written anew, as a message is one line. */
static bool write_structured(struct tn_json_writer *json, struct tn_str document, struct tn_error *error)
{
    struct tn_arena arena = {0};
    struct tn_value root;
    bool done = tn_json_read(&arena, document, &root, error);
    if (done) {
        tn_json_key(json, "structuredContent");
        tn_json_value(json, &root);
    }
    tn_arena_free(&arena);
    return done;
}

static bool write_answer(const struct tn_request *request, const struct tn_result *result, struct tn_json_writer *json,
                         struct tn_error *error)
{
    struct tn_builder text = {0};
    struct tn_style style = {.units = tn_request_units(request)};
    if (result->script.size) {
        tn_builder_add(&text, result->script);
    } else {
        tn_writer_find(TN_STR("text"))->write(&result->report, &style, &text);
    }
    write_content(json, tn_builder_str(&text));
    bool done = (!text.failed || tn_fail_memory(error)) && write_structured(json, tn_builder_str(&result->json), error);
    tn_builder_free(&text);
    return done;
}

static bool write_refusal(const struct tn_error *refusal, struct tn_json_writer *json, struct tn_error *error)
{
    struct tn_builder text = {0};
    tn_builder_add_text(&text, refusal->message);
    if (refusal->where[0]) {
        tn_builder_addf(&text, "\nwhere: %s", refusal->where);
    }
    if (refusal->hint[0]) {
        tn_builder_addf(&text, "\nhint: %s", refusal->hint);
    }
    write_content(json, tn_builder_str(&text));
    text.size = 0;
    tn_error_write_json(refusal, &text);
    bool done = (!text.failed || tn_fail_memory(error)) && write_structured(json, tn_builder_str(&text), error);
    tn_builder_free(&text);
    tn_json_key(json, "isError");
    tn_json_boolean(json, true);
    return done;
}

/* Every answer is JSON Lines, a picture or JSON for one who asks for a format: here it is both text and JSON, always. */
static bool check_format(const struct tn_request *request, struct tn_error *error)
{
    if (!request->values[TN_INPUT_FORMAT].given) {
        return true;
    }
    tn_fail(error, TN_ERROR_USAGE, "a tool answers in text and in JSON at once: it has no format to choose");
    return tn_fail_at(error, -1, "format");
}

bool mcp_tool_call(const struct tn_session *session, const struct mcp_tool *tool, const struct tn_value *inputs,
                   struct tn_json_writer *json, struct tn_error *error)
{
    static const struct tn_value nothing = {.kind = TN_OBJECT, .offset = -1};
    struct tn_arena arena = {0};
    struct tn_request request = {.arena = &arena};
    struct tn_result result = {0};
    struct tn_error refusal = {0};
    bool done = tn_request_read_inputs(&request, tn_str_of(tool->operation), inputs ? inputs : &nothing, &refusal)
                && check_format(&request, &refusal) && tn_operation_run(session, &request, &result, &refusal);
    if (done) {
        done = write_answer(&request, &result, json, error);
    } else {
        done = write_refusal(&refusal, json, error);
    }
    tn_result_free(&result);
    tn_arena_free(&arena);
    return done;
}
