/* The table of operations, and what they share. */
#include "api/operations.h"
#include "api/catalog_model.h"
#include "api/given.h"
#include "api/language.h"

const struct tn_operation tn_operations[] = {
    {"plan", "MODEL [options]", TN_INPUT_MODEL, "memory of one model in one deployment, per GPU, and whether it fits",
     tn_run_plan},
    {"fit", "MODEL [options]", TN_INPUT_MODEL,
     "the longest context, the most users, the fewest or cheapest GPUs, the best quantisation that fits", tn_run_fit},
    {"table", "[MODEL...] [options]", TN_INPUT_MODEL, "models x contexts x concurrencies", tn_run_table},
    {"tokens", "[TEXT...|-] [options]", TN_INPUT_PROMPT, "tokens of a text, and the KV memory that they need",
     tn_run_tokens},
    {"inspect", "MODEL [options]", TN_INPUT_MODEL, "architecture, tensors, parameters, caches", tn_run_inspect},
    {"measure", "[options] -- COMMAND...", TN_INPUT_RUN, "run a command, and show and record the memory that it takes",
     tn_run_measure},
    {"calibrate", "[RECORDS.jsonl...] [options]", TN_INPUT_RECORDS,
     "keep measurements, so that plans for their engines and GPUs are narrowed by them", tn_run_calibrate},
    {"score", "RECORDS.jsonl... [options]", TN_INPUT_RECORDS, "predictions against measured records", tn_run_score},
    {"diagnose", "[LOG|-] [options]", TN_INPUT_LOG,
     "what an engine's log says, beside a plan: what is wrong, and what helps", tn_run_diagnose},
    {"serve", "[options]", TN_INPUT_COUNT, "answer the same questions over HTTP, and show the page", tn_run_serve},
    {"mcp", "[options]", TN_INPUT_COUNT, "serve an assistant over standard input and output (Model Context Protocol)",
     tn_run_mcp},
    {"models", "[TEXT...] [options]", TN_INPUT_MODEL, "the models of the catalog whose names contain the texts",
     tn_run_models},
    {"gpus", "[options]", TN_INPUT_COUNT, "the GPUs of the catalog, or with --detect those of this machine",
     tn_run_gpus},
    {"engines", "[NAME[@VERSION]]", TN_INPUT_ENGINE, "the serving engines, or the settings of one", tn_run_engines},
    {NULL, NULL, TN_INPUT_COUNT, NULL, NULL},
};

const struct tn_operation *tn_operation_find(struct tn_str name)
{
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        if (tn_str_is(name, operation->name)) {
            return operation;
        }
    }
    return NULL;
}

bool tn_operation_has_positional(const struct tn_operation *operation, enum tn_input input)
{
    return input <= TN_INPUT_LAST_POSITIONAL && operation->positional == input;
}

void tn_result_free(struct tn_result *result)
{
    tn_model_free(result->model);
    tn_builder_free(&result->json);
    tn_arena_free(&result->arena);
}

bool tn_operation_run(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                      struct tn_error *error)
{
    const struct tn_operation *operation = tn_operation_find(request->operation);
    if (!operation) {
        tn_fail(error, TN_ERROR_USAGE, "unknown operation '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(request->operation));
        return tn_fail_hint(error, "`tonnage help` lists them");
    }
    if (tn_str_is(request->values[TN_INPUT_FORMAT].text, "jsonl") && operation->run != tn_run_tokens) {
        tn_fail(error, TN_ERROR_USAGE, "--format jsonl is of `tonnage tokens` alone");
        return tn_fail_at(error, -1, "--format");
    }
    result->fits = true;
    result->report.arena = &result->arena;
    session = tn_given_session(session, request, &result->arena, error);
    if (!session || !tn_language_open(session, request, &result->arena, &result->phrases, error)) {
        return false;
    }
    if (!operation->run(session, request, result, error)) {
        return false;
    }
    if (!tn_budget_allows(session->budget, error)) { /* what was not planned any more counts as refused: no answer */
        return false;
    }
    tn_report_say(&result->report, &result->phrases);
    return !(result->json.failed || result->report.failed) || tn_fail_memory(error);
}

/* ---- which model -------------------------------------------------------------------------------------------------- */

static struct tn_model *model_of_numbers(const struct tn_request *request, struct tn_error *error)
{
    const struct tn_input_value *values = request->values;
    struct tn_model_numbers numbers = {
        .parameters = values[TN_INPUT_PARAMS].number,
        .layers = values[TN_INPUT_LAYERS].number,
        .hidden = values[TN_INPUT_HIDDEN].number,
        .heads = values[TN_INPUT_HEADS].number,
        .kv_heads = values[TN_INPUT_KV_HEADS].number,
        .head_dim = values[TN_INPUT_HEAD_DIM].number,
        .dtype = values[TN_INPUT_QUANT].given ? values[TN_INPUT_QUANT].text : values[TN_INPUT_DTYPE].text,
    };
    return tn_model_from_numbers(&numbers, error);
}

/* A model that has a config has these numbers in it: given all the same, they would be without effect. */
static bool check_no_numbers(const struct tn_request *request, struct tn_error *error)
{
    for (int input = TN_INPUT_LAYERS; input <= TN_INPUT_HEAD_DIM; input++) {
        if (request->values[input].given) {
            tn_fail(error, TN_ERROR_USAGE, "--%s belongs to a model by its numbers alone", tn_inputs[input].name);
            tn_fail_at(error, -1, "--%s", tn_inputs[input].name);
            return tn_fail_hint(error, "give --params with it, or leave it out");
        }
    }
    return true;
}

static bool find_input(const struct tn_session *session, const struct tn_request *request, struct tn_str name,
                       struct tn_model_input *input, bool *found, struct tn_error *error)
{
    *found = request->config.kind == TN_OBJECT;
    if (*found) {
        input->id = name.size ? name : TN_STR("config");
        input->config = &request->config;
        input->config_origin = TN_ORIGIN_CONFIG;
        input->config_where = TN_STR("config");
        return true;
    }
    return !session->finder
           || session->finder->find(session->finder->context, name, request->values[TN_INPUT_MODELS].text, input, found,
                                    error);
}

/* ---- models of the catalog ------------------------------------------------------------------------------------------ */

/* What a model of the catalog is loaded from: a record, and two words of the request. They are the model's own, which may outlive the request. */
static struct tn_model *load_record(const struct tn_session *session, const struct tn_record *record,
                                    const struct tn_model_input *words, struct tn_error *error)
{
    struct tn_arena arena = {0};
    struct tn_model_input input = {0};
    struct tn_model *model = NULL;
    if (!tn_str_copy(&arena, words->dtype, &input.dtype) || !tn_str_copy(&arena, words->quant, &input.quant)) {
        tn_fail_memory(error);
    } else if (tn_catalog_model(record, &arena, &input, error)) {
        model = tn_model_load(session->catalog, &input, error);
    }
    if (!model) {
        tn_arena_free(&arena);
        return NULL;
    }
    model->input = arena;
    return model;
}

/* "ID dtype quant": none of them has a space. */
static bool name_on_shelf(struct tn_builder *key, const struct tn_record *record, const struct tn_model_input *words)
{
    tn_builder_add(key, record->id);
    tn_builder_add_char(key, ' ');
    tn_builder_add(key, words->dtype);
    tn_builder_add_char(key, ' ');
    tn_builder_add(key, words->quant);
    return !key->failed;
}

static struct tn_model *model_of_catalog(const struct tn_session *session, struct tn_str name,
                                         const struct tn_model_input *words, struct tn_error *error)
{
    const struct tn_record *record = tn_catalog_find_model(session->catalog, name, error);
    const struct tn_model_shelf *shelf = session->shelf;
    struct tn_builder key = {0};
    bool has_key = record && shelf && name_on_shelf(&key, record, words);
    struct tn_model *model = has_key ? shelf->take(shelf->context, tn_builder_str(&key)) : NULL;
    if (record && !model) {
        model = load_record(session, record, words, error);
        if (model && has_key) {
            shelf->keep(shelf->context, tn_builder_str(&key), model);
        }
    }
    tn_builder_free(&key);
    return model;
}

struct tn_model *tn_request_model(const struct tn_session *session, const struct tn_request *request,
                                  struct tn_str name, struct tn_error *error)
{
    bool by_numbers = request->values[TN_INPUT_PARAMS].given;
    if (by_numbers && name.size) {
        tn_fail(error, TN_ERROR_USAGE, "give a MODEL or --params, not both");
        return NULL;
    }
    if (by_numbers) {
        return model_of_numbers(request, error);
    }
    if (!check_no_numbers(request, error)) {
        return NULL;
    }
    if (!name.size && request->config.kind != TN_OBJECT) {
        tn_fail(error, TN_ERROR_USAGE, "no MODEL given");
        tn_fail_hint(error, "name one (`tonnage models` lists the catalog), or give --params, --layers and --hidden");
        return NULL;
    }
    struct tn_model_input input = {0};
    bool found = false;
    if (!find_input(session, request, name, &input, &found, error)) {
        return NULL;
    }
    input.dtype = request->values[TN_INPUT_DTYPE].text;
    input.quant = request->values[TN_INPUT_QUANT].text;
    return found ? tn_model_load(session->catalog, &input, error) : model_of_catalog(session, name, &input, error);
}

enum tn_units tn_request_units(const struct tn_request *request)
{
    return tn_str_is(request->values[TN_INPUT_UNITS].text, "si") ? TN_UNITS_SI : TN_UNITS_IEC;
}

struct tn_style tn_request_style(const struct tn_request *request)
{
    return (struct tn_style){.units = tn_request_units(request),
                             .language =
                                 tn_str_is(request->values[TN_INPUT_LANG].text, "zh") ? TN_LANGUAGE_ZH : TN_LANGUAGE_EN,
                             .width = (unsigned)request->values[TN_INPUT_WIDTH].number};
}

/* ---- common pieces of answers ------------------------------------------------------------------------------------- */

const char *tn_source_name(enum tn_source source)
{
    static const char *const names[] = {"catalog", "config", "safetensors", "gguf", "parameters"};
    return names[source];
}

void tn_write_model_json(struct tn_json_writer *json, const struct tn_model *model)
{
    tn_json_key(json, "model");
    tn_json_begin_object(json);
    tn_json_key(json, "id");
    tn_json_string(json, model->id);
    tn_json_key(json, "architecture");
    if (model->architecture_class.size) {
        tn_json_string(json, model->architecture_class);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "source");
    tn_json_text(json, tn_source_name(model->source));
    tn_json_key(json, "verified");
    tn_json_boolean(json, model->verified);
    tn_json_key(json, "parameters");
    tn_json_u64(json, model->parameters);
    tn_json_key(json, "parameters_active");
    tn_json_u64(json, model->parameters_active);
    tn_json_key(json, "checkpoint_bytes");
    tn_json_u64(json, model->checkpoint_bytes);
    tn_json_end_object(json);
}

void tn_write_note_items(struct tn_json_writer *json, const struct tn_note *notes, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        tn_json_begin_object(json);
        tn_json_key(json, "code");
        tn_json_text(json, notes[k].code);
        tn_json_key(json, "message");
        tn_json_string(json, notes[k].message);
        tn_json_end_object(json);
    }
}

void tn_write_notes(struct tn_report *report, const struct tn_note *notes, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM, "%.*s", (int)notes[k].message.size, notes[k].message.data);
    }
}

void tn_error_write_json(const struct tn_error *error, struct tn_builder *json)
{
    struct tn_json_writer writer = {.builder = json, .indented = true};
    tn_json_begin_object(&writer);
    tn_json_key(&writer, "schema");
    tn_json_text(&writer, "tonnage.error/1");
    tn_json_key(&writer, "code");
    tn_json_text(&writer, tn_code_name(error->code));
    tn_json_key(&writer, "message");
    tn_json_string(&writer, tn_str_of(error->message));
    tn_json_key(&writer, "where");
    tn_json_text(&writer, error->where[0] ? error->where : NULL);
    tn_json_key(&writer, "offset");
    if (error->offset >= 0) {
        tn_json_i64(&writer, error->offset);
    } else {
        tn_json_null(&writer);
    }
    tn_json_key(&writer, "hint");
    tn_json_text(&writer, error->hint[0] ? error->hint : NULL);
    tn_json_end_object(&writer);
    tn_builder_add_char(json, '\n');
}
