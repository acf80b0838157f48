/* From a plan to commands. */
#include "api/launch.h"
#include "catalog/names.h"
#include "engine/record/rules.h"

/* ---- how a command names the model -------------------------------------------------------------------------------- */

struct naming {
    const struct tn_plan *plan;
    struct tn_launch_plan *launch;
    struct tn_arena *arena;
    struct tn_str name; /* as the request has it */
    struct tn_error *error;
};

static bool fail_name(const struct naming *naming, const char *why)
{
    tn_fail(naming->error, TN_ERROR_USAGE, "no command of %s can name this model: %s", naming->launch->engine->name,
            why);
    return tn_fail_at(naming->error, -1, "--emit");
}

static struct tn_str last_part(struct tn_str path)
{
    path = tn_str_slice(path, 0, tn_str_starts(path, TN_STR("hf:")) ? tn_str_find(path, TN_STR("@")) : path.size);
    while (path.size && path.data[path.size - 1] == '/') {
        path.size--;
    }
    size_t from = path.size;
    while (from > 0 && path.data[from - 1] != '/') {
        from--;
    }
    return tn_str_slice(path, from, path.size);
}

static struct tn_str folder_of(struct tn_str path)
{
    struct tn_str file = last_part(path);
    bool is_file = tn_str_ends(file, TN_STR(".json")) || tn_str_ends(file, TN_STR(".safetensors"));
    if (!is_file) {
        return path;
    }
    struct tn_str folder = tn_str_slice(path, 0, path.size - file.size);
    return folder.size ? folder : TN_STR(".");
}

static bool has_organisation(struct tn_str name)
{
    return tn_str_find(name, TN_STR("/")) != SIZE_MAX;
}

/* As it was typed where that is a name of the hub, in its letters. A record may be of several models with the same shapes: the one of that name, or
 * the first. */
static struct tn_str hub_name(const struct naming *naming)
{
    const struct tn_catalog *catalog = naming->plan->question.session->catalog;
    const struct tn_record *record =
        has_organisation(naming->name) ? NULL : tn_catalog_find_model(catalog, naming->name, NULL);
    for (uint32_t k = 0; record && k < record->count; k++) {
        const struct tn_statement *statement = &record->statements[k];
        if (tn_str_is(statement->word, "hub") && tn_names_match(statement->rest, naming->name)) {
            return statement->rest;
        }
    }
    return record ? tn_record_text(record, "hub") : naming->name;
}

static bool is_url(struct tn_str name)
{
    return tn_str_starts(name, TN_STR("http://")) || tn_str_starts(name, TN_STR("https://"));
}

/* Of engines that load what the hub has. */
static bool name_checkpoint(struct naming *naming)
{
    struct tn_launch_plan *launch = naming->launch;
    struct tn_str name = naming->name;
    if (tn_str_starts(name, TN_STR("hf:"))) {
        size_t mark = tn_str_find(name, TN_STR("@"));
        launch->model = tn_str_slice(name, 3, mark);
        launch->revision = mark == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(name, mark + 1, name.size);
        return true;
    }
    if (tn_str_starts(name, TN_STR("ollama:")) || is_url(name)) {
        return fail_name(naming, "it takes a name of the hub or a folder");
    }
    if (naming->plan->model->source == TN_SOURCE_CATALOG) {
        launch->model = hub_name(naming);
        return launch->model.size || fail_name(naming, "the catalog has no name of the hub for it");
    }
    launch->model_is_file = !naming->plan->question.request.values[TN_INPUT_MODELS].given;
    launch->model = launch->model_is_file ? folder_of(name) : naming->plan->model->id;
    return true;
}

/* "Llama-3.1-8B-Instruct-Q4_K_M.gguf", as such files are called */
static bool name_converted(struct naming *naming)
{
    const struct tn_request *request = &naming->plan->question.request;
    struct tn_str hub = hub_name(naming);
    struct tn_str quant = request->values[TN_INPUT_QUANT].text;
    struct tn_builder text = {0};
    if (!quant.size) {
        quant = request->values[TN_INPUT_DTYPE].given ? request->values[TN_INPUT_DTYPE].text
                                                      : tn_str_of(naming->plan->model->dtype->name);
    }
    tn_builder_add(&text, last_part(folder_of(hub.size ? hub : naming->name)));
    tn_builder_add_char(&text, '-');
    for (size_t k = 0; k < quant.size; k++) {
        bool is_small = quant.data[k] >= 'a' && quant.data[k] <= 'z';
        tn_builder_add_char(&text, is_small ? (char)(quant.data[k] - 'a' + 'A') : quant.data[k]);
    }
    tn_builder_add_text(&text, ".gguf");
    bool done = !text.failed && tn_str_copy(naming->arena, tn_builder_str(&text), &naming->launch->model);
    tn_builder_free(&text);
    naming->launch->model_is_file = true;
    return done || tn_fail_memory(naming->error);
}

/* Of engines that load a GGUF file: the one that there is, or the one that a converter would make. */
static bool name_gguf(struct naming *naming)
{
    bool is_ollama = tn_str_is(tn_str_of(naming->launch->engine->name), "ollama");
    struct tn_str name = naming->name;
    if (tn_str_starts(name, TN_STR("ollama:"))) {
        naming->launch->model = tn_str_slice(name, 7, name.size);
        return is_ollama || fail_name(naming, "it is one of ollama's library");
    }
    if (naming->plan->model->source != TN_SOURCE_GGUF) {
        return name_converted(naming);
    }
    if (is_url(name) || tn_str_starts(name, TN_STR("hf:"))) {
        return fail_name(naming, "it is not here; download the file first");
    }
    naming->launch->model = name;
    naming->launch->model_is_file = true;
    return true;
}

static bool name_model(struct naming *naming)
{
    const char *engine = naming->launch->engine->name;
    bool takes_gguf = tn_str_is(tn_str_of(engine), "llamacpp") || tn_str_is(tn_str_of(engine), "ollama");
    if (!naming->name.size) {
        return fail_name(naming, "it is a config without a name");
    }
    if (takes_gguf) {
        return name_gguf(naming);
    }
    return name_checkpoint(naming);
}

/* ---- the plan for it ---------------------------------------------------------------------------------------------- */

enum { MOST_INPUTS = 2 };

/* The dtype and the quantisation of what is loaded are the file's where a file is named. */
static size_t given_inputs(const struct tn_plan *plan, bool is_gguf, struct tn_assignment inputs[MOST_INPUTS])
{
    static const enum tn_input kinds[MOST_INPUTS] = {TN_INPUT_DTYPE, TN_INPUT_QUANT};
    size_t count = 0;
    for (size_t k = 0; !is_gguf && k < MOST_INPUTS; k++) {
        const struct tn_input_value *value = &plan->question.request.values[kinds[k]];
        if (value->given) {
            inputs[count++] = (struct tn_assignment){tn_str_of(tn_inputs[kinds[k]].name), value->text};
        }
    }
    return count;
}

static void write_title(const struct tn_plan *plan, struct tn_builder *text)
{
    const struct tn_deployment *deployment = &plan->question.deployment;
    uint64_t gpus = (uint64_t)deployment->tp * deployment->pp * deployment->dp;
    tn_builder_add(text, plan->model->id);
    if (deployment->gpu_memory_bytes) {
        tn_builder_add_text(text, " on ");
        tn_plan_write_gpus(text, plan, gpus);
    }
    tn_builder_add_text(text, deployment->concurrency == 1 ? ", one request of " : ", ");
    if (deployment->concurrency > 1) {
        tn_builder_add_grouped(text, deployment->concurrency);
        tn_builder_add_text(text, " requests of ");
    }
    tn_builder_add_grouped(text, deployment->context_tokens);
    tn_builder_add_text(text, " tokens");
}

/* All but the model's name, the inputs and the title. */
static struct tn_launch_plan launch_of(const struct tn_plan *plan)
{
    const struct tn_question *question = &plan->question;
    return (struct tn_launch_plan){
        .catalog = question->session->catalog,
        .engine = question->planner.engine,
        .version = question->planner.rules ? tn_rules_version(question->planner.rules) : (struct tn_str){0},
        .deployment = &question->deployment,
        .ledger = &plan->ledger,
        .verdict = plan->message,
    };
}

bool tn_plan_find_start(struct tn_plan *plan, struct tn_arena *arena, struct tn_error *error)
{
    const struct tn_stage *worst = tn_ledger_worst(&plan->ledger);
    bool fits = !worst->memory_bytes || worst->high_bytes <= worst->memory_bytes;
    struct tn_launch_plan launch = launch_of(plan);
    struct tn_error own = {0};
    struct naming naming = {plan, &launch, arena, plan->question.request.values[TN_INPUT_MODEL].text, &own};
    if (!launch.engine->advises || !(fits || plan->ledger.advised_count)) {
        return true;
    }
    launch.advised = plan->ledger.advised;
    launch.advised_count = plan->ledger.advised_count;
    if (!name_model(&naming)) { /* a file somewhere else, or a config alone */
        launch.model = TN_STR("MODEL.gguf");
    }
    return tn_emit_line(&launch, arena, &plan->start, &own) || own.code != TN_ERROR_MEMORY || tn_fail_memory(error);
}

bool tn_plan_emit(const struct tn_plan *plan, struct tn_str target, struct tn_arena *arena, struct tn_str *text,
                  struct tn_error *error)
{
    const struct tn_question *question = &plan->question;
    struct tn_assignment inputs[MOST_INPUTS];
    struct tn_builder title = {0};
    struct tn_launch_plan launch = launch_of(plan);
    struct naming naming = {plan, &launch, arena, question->request.values[TN_INPUT_MODEL].text, error};
    launch.inputs = inputs;
    if (!question->planner.rules) {
        tn_fail(error, TN_ERROR_USAGE, "--emit is for a serving engine, and this plan is of none");
        tn_fail_at(error, -1, "--emit");
        return tn_fail_hint(error, "add --engine, such as --engine vllm");
    }
    if (!name_model(&naming)) {
        return false;
    }
    bool is_gguf = tn_str_ends(launch.model, TN_STR(".gguf"));
    launch.input_count = given_inputs(plan, is_gguf, inputs);
    write_title(plan, &title);
    launch.title = tn_builder_str(&title);
    bool done = !title.failed || tn_fail_memory(error);
    done = done && (tn_emit(&launch, target, arena, text, error) || tn_fail_at(error, -1, "--emit"));
    tn_builder_free(&title);
    return done;
}

bool tn_plan_take_target(struct tn_request *request, struct tn_error *error)
{
    struct tn_str target = request->values[TN_INPUT_EMIT].text;
    return request->values[TN_INPUT_ENGINE].given || !tn_emit_is_engine(target)
           || tn_request_set(request, TN_INPUT_ENGINE, target, error);
}

void tn_plan_write_command(struct tn_json_writer *json, struct tn_str target, struct tn_str text)
{
    tn_json_key(json, "commands");
    tn_json_begin_object(json);
    tn_json_key_str(json, target);
    tn_json_string(json, text);
    tn_json_end_object(json);
}

bool tn_plan_write_commands(const struct tn_plan *plan, struct tn_json_writer *json, struct tn_error *error)
{
    struct tn_str rest = tn_str_of(tn_inputs[TN_INPUT_EMIT].choices);
    struct tn_arena arena = {0};
    bool done = true;
    tn_json_key(json, "commands");
    tn_json_begin_object(json);
    for (struct tn_str target = tn_str_word(&rest); done && target.size; target = tn_str_word(&rest)) {
        struct tn_error own = {0};
        struct tn_str text;
        if (tn_plan_emit(plan, target, &arena, &text, &own)) {
            tn_json_key_str(json, target);
            tn_json_string(json, text);
        } else if (own.code == TN_ERROR_MEMORY) {
            done = tn_fail_memory(error);
        }
    }
    tn_json_end_object(json);
    tn_arena_free(&arena);
    return done;
}
