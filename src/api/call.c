/* The public functions of tonnage.h over the operations. */
#include "api/call.h"

#include "api/operations.h"
#include "engine/engines.h"
#include "plan/cache.h"

#include <stdlib.h>

struct tn_context {
    struct tn_catalog *catalog;
};

struct tn_reply {
    struct tn_builder text;
    int exit_code;
};

const char *tn_version(void)
{
    return TONNAGE_VERSION;
}

struct tn_context *tn_context_open(struct tn_error *error)
{
    struct tn_context *context = calloc(1, sizeof *context);
    if (!context) {
        tn_fail_memory(error);
        return NULL;
    }
    context->catalog = tn_catalog_open(error);
    if (!context->catalog) {
        free(context);
        return NULL;
    }
    return context;
}

void tn_context_close(struct tn_context *context)
{
    if (context) {
        tn_catalog_close(context->catalog);
        free(context);
    }
}

/* Parses the text and reads it as a request; both live in the arena. */
static bool read_request(struct tn_arena *arena, const char *text, size_t size, struct tn_request *request,
                         struct tn_error *error)
{
    struct tn_value root;
    *request = (struct tn_request){.arena = arena};
    if (!tn_json_read(arena, (struct tn_str){text, size}, &root, error)) {
        return tn_fail_at(error, -1, "request");
    }
    return tn_request_read(request, &root, error);
}

bool tn_write_answer(const struct tn_request *request, const struct tn_result *result, struct tn_builder *text,
                     struct tn_error *error)
{
    const struct tn_input_value *format = &request->values[TN_INPUT_FORMAT];
    if (result->is_lines || !format->given || tn_str_is(format->text, "json") || tn_str_is(format->text, "jsonl")) {
        tn_builder_add(text, tn_builder_str(&result->json));
    } else if (tn_str_is(format->text, "text") && result->script.size) {
        tn_builder_add(text, result->script);
    } else {
        const struct tn_writer *writer = tn_writer_find(format->text);
        struct tn_style style = tn_request_style(request);
        style.colour = tn_str_is(request->values[TN_INPUT_COLOR].text, "always");
        if (!writer) {
            return tn_fail(error, TN_ERROR_USAGE, "unknown format '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(format->text));
        }
        writer->write(&result->report, &style, text);
    }
    return !text->failed || tn_fail_memory(error);
}

struct tn_reply *tn_call_given(const struct tn_context *context, struct tn_given_files *given, const char *request_text,
                               size_t request_bytes, struct tn_error *error)
{
    struct tn_arena arena = {0};
    struct tn_request request;
    struct tn_result result = {0};
    struct tn_session session = {.catalog = context->catalog, .given = given};
    struct tn_reply *reply = calloc(1, sizeof *reply);
    if (!reply) {
        tn_fail_memory(error);
        return NULL;
    }
    bool done = read_request(&arena, request_text, request_bytes, &request, error);
    done = done && tn_operation_run(&session, &request, &result, error)
           && tn_write_answer(&request, &result, &reply->text, error);
    reply->exit_code = result.fits ? 0 : 1;
    if (!done) {
        tn_reply_free(reply);
        reply = NULL;
    }
    tn_result_free(&result);
    tn_arena_free(&arena);
    return reply;
}

struct tn_reply *tn_call(const struct tn_context *context, const char *request_text, size_t request_bytes,
                         struct tn_error *error)
{
    return tn_call_given(context, NULL, request_text, request_bytes, error);
}

const char *tn_reply_text(const struct tn_reply *reply)
{
    return reply->text.data ? reply->text.data : "";
}

size_t tn_reply_bytes(const struct tn_reply *reply)
{
    return reply->text.size;
}

int tn_reply_exit_code(const struct tn_reply *reply)
{
    return reply->exit_code;
}

void tn_reply_free(struct tn_reply *reply)
{
    if (reply) {
        tn_builder_free(&reply->text);
        free(reply);
    }
}

/* ---- many plans of one model -------------------------------------------------------------------------------------- */

struct tn_model *tn_model_open(const struct tn_context *context, const char *request_text, size_t request_bytes,
                               struct tn_error *error)
{
    struct tn_arena arena = {0};
    struct tn_request request;
    struct tn_session session = {.catalog = context->catalog};
    struct tn_model *model = NULL;
    if (read_request(&arena, request_text, request_bytes, &request, error)) {
        model = tn_request_model(&session, &request, request.values[TN_INPUT_MODEL].text, error);
    }
    if (model) { /* its facts point into the request, which goes: what a plan needs does not */
        model->facts = (struct tn_facts){0};
        model->architecture_class = (struct tn_str){0};
        model->compiled = NULL;
    }
    tn_arena_free(&arena);
    return model;
}

uint64_t tn_model_parameters(const struct tn_model *model)
{
    return model->parameters;
}

uint64_t tn_model_parameters_active(const struct tn_model *model)
{
    return model->parameters_active;
}

uint64_t tn_model_checkpoint_bytes(const struct tn_model *model)
{
    return model->checkpoint_bytes;
}

static bool read_ask(const struct tn_model *model, const struct tn_ask *ask, struct tn_deployment *deployment,
                     struct tn_error *error)
{
    *deployment = (struct tn_deployment){
        .tp = ask->tp ? ask->tp : 1,
        .pp = ask->pp ? ask->pp : 1,
        .ep = ask->ep ? ask->ep : 1,
        .dp = ask->dp ? ask->dp : 1,
        .context_tokens = ask->context_tokens,
        .concurrency = ask->concurrency ? ask->concurrency : 1,
        .overhead_ppm = ask->overhead_ppm,
        .kv_dtype = ask->kv_dtype ? tn_dtype_find(tn_str_of(ask->kv_dtype)) : tn_cache_default_dtype(model),
    };
    if (!ask->context_tokens) {
        return tn_fail(error, TN_ERROR_USAGE, "context_tokens must be at least 1");
    }
    if ((uint64_t)deployment->tp * deployment->dp > TN_MOST_RANKS || deployment->pp > TN_MOST_RANKS) {
        return tn_fail(error, TN_ERROR_DEPLOYMENT, "at most %d ranks are planned", TN_MOST_RANKS);
    }
    return deployment->kv_dtype || tn_fail(error, TN_ERROR_DTYPE, "unknown KV dtype '%s'", ask->kv_dtype);
}

bool tn_model_sizes(const struct tn_model *model, const struct tn_ask *ask, struct tn_sizes *sizes,
                    struct tn_error *error)
{
    struct tn_arena arena = {0};
    struct tn_ledger ledger = {.arena = &arena};
    struct tn_deployment deployment;
    struct tn_planner planner = {.engine = &tn_engine_generic, .model = model};
    bool done =
        read_ask(model, ask, &deployment, error) && tn_engine_generic.plan(&planner, &deployment, &ledger, error);
    if (done) {
        uint64_t weights = tn_ledger_category_bytes(&ledger, TN_CATEGORY_WEIGHTS);
        uint64_t kv =
            tn_ledger_category_bytes(&ledger, TN_CATEGORY_CACHE) + tn_ledger_category_bytes(&ledger, TN_CATEGORY_STATE);
        *sizes = (struct tn_sizes){.weights_bytes = weights,
                                   .kv_bytes = kv,
                                   .overhead_bytes = ledger.mid_bytes - weights - kv,
                                   .total_bytes = ledger.mid_bytes,
                                   .fullest_rank_bytes = tn_ledger_worst(&ledger)->high_bytes};
    }
    tn_arena_free(&arena);
    return done;
}
