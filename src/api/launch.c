/* From a command to a request. */
#include "api/launch.h"

#include "api/settings.h"
#include "catalog/names.h"

enum { MOST_COMMAND_BYTES = TN_SHELL_MOST_BYTES };

static bool set_text(struct tn_request *request, enum tn_input input, struct tn_str text, struct tn_error *error)
{
    return tn_request_set(request, input, text, error) || tn_fail_at(error, -1, "--command");
}

/* "vllm@0.19.0" from both: the version of the request, or else of the image that the command runs. */
static bool take_engine(struct tn_request *request, const struct tn_launch *launch, struct tn_error *error)
{
    struct tn_input_value *value = &request->values[TN_INPUT_ENGINE];
    struct tn_builder text = {0};
    struct tn_str kept;
    if (value->given) {
        const struct tn_engine *engine;
        struct tn_str version;
        if (!tn_read_engine(value->text, &engine, &version, error)) {
            return false;
        }
        if (engine != launch->engine) {
            tn_fail(error, TN_ERROR_USAGE, "the command is of %s, and --engine says %s", launch->engine->name,
                    engine->name);
            return tn_fail_at(error, -1, "--engine");
        }
        return true;
    }
    tn_builder_add_text(&text, launch->engine->name);
    tn_builder_add_text(&text, launch->version.size ? "@" : "");
    tn_builder_add(&text, launch->version);
    bool done = (!text.failed && tn_str_copy(request->arena, tn_builder_str(&text), &kept)) || tn_fail_memory(error);
    tn_builder_free(&text);
    return done && set_text(request, TN_INPUT_ENGINE, kept, error);
}

/* What is given by hand goes before what the command says. */
static bool has_set(const struct tn_request *request, struct tn_str name)
{
    const struct tn_input_value *pairs = &request->values[TN_INPUT_SET];
    for (size_t k = 0; k < pairs->item_count; k++) {
        struct tn_assignment set;
        if (tn_split_pair(request->arena, pairs->items[k], &set, NULL) && tn_str_equal(set.name, name)) {
            return true;
        }
    }
    return false;
}

static bool take_sets(struct tn_request *request, const struct tn_launch *launch, struct tn_error *error)
{
    for (size_t k = 0; k < launch->set_count; k++) {
        const struct tn_assignment *set = &launch->sets[k];
        struct tn_builder pair = {0};
        struct tn_str kept;
        if (has_set(request, set->name)) {
            continue;
        }
        tn_builder_add(&pair, set->name);
        tn_builder_add_char(&pair, '=');
        tn_builder_add(&pair, set->value);
        bool done =
            (!pair.failed && tn_str_copy(request->arena, tn_builder_str(&pair), &kept)) || tn_fail_memory(error);
        tn_builder_free(&pair);
        if (!done || !set_text(request, TN_INPUT_SET, kept, error)) {
            return false;
        }
    }
    return true;
}

static bool take_inputs(struct tn_request *request, const struct tn_launch *launch, struct tn_error *error)
{
    for (size_t k = 0; k < launch->input_count; k++) {
        enum tn_input input = tn_input_find(launch->inputs[k].name, TN_STR("plan"));
        if (input == TN_INPUT_COUNT) {
            return tn_fail(error, TN_ERROR_RECORD, "a command has input '" TN_STR_FORMAT "', which is none",
                           TN_STR_ARGUMENTS(launch->inputs[k].name));
        }
        if (!request->values[input].given && !set_text(request, input, launch->inputs[k].value, error)) {
            return false;
        }
    }
    return true;
}

/* ---- the model ---------------------------------------------------------------------------------------------------- */

static bool joined_text(struct tn_request *request, const char *before, struct tn_str name, struct tn_str revision,
                        struct tn_str *text)
{
    struct tn_builder joined = {0};
    tn_builder_add_text(&joined, before);
    tn_builder_add(&joined, name);
    tn_builder_add_text(&joined, revision.size ? "@" : "");
    tn_builder_add(&joined, revision);
    bool done = !joined.failed && tn_str_copy(request->arena, tn_builder_str(&joined), text);
    tn_builder_free(&joined);
    return done;
}

static struct tn_str file_name(struct tn_str path)
{
    size_t from = path.size;
    while (from > 0 && path.data[from - 1] != '/' && path.data[from - 1] != '\\') {
        from--;
    }
    return tn_str_slice(path, from, path.size);
}

static bool is_quant(const struct tn_catalog *catalog, struct tn_str name)
{
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(catalog, TN_STR("quant"), &records);
    for (size_t k = 0; k < count; k++) {
        struct tn_str aliases = tn_record_text(records[k], "alias");
        if (tn_names_match(records[k]->id, name)) {
            return true;
        }
        for (struct tn_str word = tn_str_word(&aliases); word.size; word = tn_str_word(&aliases)) {
            if (tn_names_match(word, name)) {
                return true;
            }
        }
    }
    return false;
}

/* "Llama-3.1-8B-Instruct-Q4_K_M.gguf", or "ORG/Llama-3.1-8B-Instruct-GGUF:Q4_K_M": the model and its quantisation. */
static void split_gguf_name(struct tn_str path, struct tn_str *model, struct tn_str *quant)
{
    struct tn_str name = file_name(path);
    size_t colon = tn_str_find(name, TN_STR(":"));
    if (tn_str_ends(name, TN_STR(".gguf"))) {
        name = tn_str_slice(name, 0, name.size - 5);
    }
    size_t part = tn_str_find(name, TN_STR("-of-"));
    if (part != SIZE_MAX && part > 6) { /* ...-00001-of-00003 */
        name = tn_str_slice(name, 0, part - 6);
    }
    if (colon != SIZE_MAX) {
        *quant = tn_str_slice(name, colon + 1, name.size);
        *model = tn_str_slice(name, 0, colon);
        *model = tn_str_ends(*model, TN_STR("-GGUF")) ? tn_str_slice(*model, 0, model->size - 5) : *model;
        return;
    }
    size_t mark = name.size;
    while (mark > 0 && name.data[mark - 1] != '-' && name.data[mark - 1] != '.') {
        mark--;
    }
    *quant = tn_str_slice(name, mark, name.size);
    *model = mark ? tn_str_slice(name, 0, mark - 1) : name;
}

/* A file of weights by its name: the catalog's model in that quantisation, where the catalog knows both. */
static bool take_gguf_name(const struct tn_catalog *catalog, struct tn_request *request, struct tn_str path,
                           bool *taken, struct tn_error *error)
{
    struct tn_str model;
    struct tn_str quant;
    split_gguf_name(path, &model, &quant);
    *taken = tn_catalog_find_model(catalog, model, NULL) && is_quant(catalog, quant);
    if (!*taken) {
        return true;
    }
    bool is_given = request->values[TN_INPUT_DTYPE].given || request->values[TN_INPUT_QUANT].given;
    return set_text(request, TN_INPUT_MODEL, model, error)
           && (is_given || set_text(request, TN_INPUT_QUANT, quant, error));
}

static bool is_hub_name(struct tn_str name)
{
    size_t slash = tn_str_find(name, TN_STR("/"));
    struct tn_str rest = slash == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(name, slash + 1, name.size);
    return slash != SIZE_MAX && slash > 0 && rest.size && tn_str_find(rest, TN_STR("/")) == SIZE_MAX
           && name.data[0] != '.' && name.data[0] != '~';
}

/* A model that the catalog does not know by that name is one of the hub where it looks like one. */
static bool take_model(const struct tn_catalog *catalog, struct tn_request *request, const struct tn_launch *launch,
                       struct tn_error *error)
{
    struct tn_str name = launch->model;
    struct tn_str text = name;
    bool is_of_hub = is_hub_name(name) && (launch->revision.size || !tn_catalog_find_model(catalog, name, NULL));
    if (request->values[TN_INPUT_MODEL].given || request->config.kind == TN_OBJECT || !name.size) {
        return true;
    }
    if (launch->model_is_gguf) {
        bool taken;
        if (!take_gguf_name(catalog, request, name, &taken, error) || taken) {
            return taken;
        }
        is_of_hub = is_of_hub && !tn_str_ends(name, TN_STR(".gguf"));
    }
    const char *before = launch->model_is_of_ollama ? "ollama:" : is_of_hub ? "hf:" : "";
    if (!joined_text(request, before, name, is_of_hub ? launch->revision : (struct tn_str){0}, &text)) {
        return tn_fail_memory(error);
    }
    return set_text(request, TN_INPUT_MODEL, text, error);
}

static bool read_launch(const struct tn_catalog *catalog, struct tn_request *request, struct tn_str text,
                        struct tn_launch *launch, struct tn_error *error)
{
    return tn_launch_read(catalog, request->arena, text, launch, error) || tn_fail_at(error, -1, "--command");
}

static bool take_launch(const struct tn_catalog *catalog, struct tn_request *request, const struct tn_launch *launch,
                        struct tn_error *error)
{
    return take_engine(request, launch, error) && take_model(catalog, request, launch, error)
           && take_sets(request, launch, error) && take_inputs(request, launch, error);
}

bool tn_request_read_command(const struct tn_catalog *catalog, struct tn_request *request, struct tn_str text,
                             struct tn_launch *launch, struct tn_error *error)
{
    return read_launch(catalog, request, text, launch, error) && take_launch(catalog, request, launch, error);
}

/* ---- where the text is -------------------------------------------------------------------------------------------- */

static bool read_source(const struct tn_session *session, struct tn_str name, struct tn_arena *arena,
                        struct tn_str *text, struct tn_error *error)
{
    const struct tn_text_source *source = session->texts;
    struct tn_builder all = {0};
    char bytes[4096];
    size_t got = 0;
    if (!source) {
        tn_fail(error, TN_ERROR_USAGE, "there are no files here: the command itself is needed");
        return tn_fail_at(error, -1, "--command");
    }
    bool done = source->open(source->context, name, error);
    do {
        done = done && source->read(source->context, bytes, sizeof bytes, &got, error);
        tn_builder_add(&all, (struct tn_str){bytes, done ? got : 0});
    } while (done && got && all.size <= MOST_COMMAND_BYTES);
    source->close(source->context);
    done = done && ((!all.failed && tn_str_copy(arena, tn_builder_str(&all), text)) || tn_fail_memory(error));
    tn_builder_free(&all);
    return done;
}

/* A file that is there says more than its name. */
static bool take_file(const struct tn_session *session, struct tn_request *request, const struct tn_launch *launch,
                      struct tn_error *error)
{
    struct tn_model_input input = {0};
    bool found = false;
    struct tn_str folder = request->values[TN_INPUT_MODELS].text;
    bool is_path = launch->model.size && !launch->model_is_of_ollama
                   && !tn_catalog_find_model(session->catalog, launch->model, NULL);
    if (request->values[TN_INPUT_MODEL].given || !session->finder || !is_path) {
        return true;
    }
    struct tn_error own = {0};
    if (!session->finder->find(session->finder->context, launch->model, folder, &input, &found, &own)
        && own.code != TN_ERROR_UNREADABLE) { /* a path of another machine is no mistake */
        if (error) {
            *error = own;
        }
        return false;
    }
    return !found || set_text(request, TN_INPUT_MODEL, launch->model, error);
}

bool tn_plan_read_command(const struct tn_session *session, struct tn_request *request, struct tn_launch *launch,
                          struct tn_error *error)
{
    struct tn_str text = request->values[TN_INPUT_COMMAND].text;
    *launch = (struct tn_launch){0};
    if (!request->values[TN_INPUT_COMMAND].given) {
        return true;
    }
    bool is_file = tn_str_starts(text, TN_STR("@"));
    if ((is_file || tn_str_is(text, "-"))
        && !read_source(session, is_file ? tn_str_slice(text, 1, text.size) : text, request->arena, &text, error)) {
        return false;
    }
    return read_launch(session->catalog, request, text, launch, error) && take_file(session, request, launch, error)
           && take_launch(session->catalog, request, launch, error);
}

/* ---- notes -------------------------------------------------------------------------------------------------------- */

static void note_names(struct tn_question *question, const char *code, const struct tn_option_names *list,
                       const char *before, const char *behind)
{
    enum { MOST = 12 };
    struct tn_builder text = {0};
    for (size_t k = 0; k < list->count && k < MOST; k++) {
        tn_builder_addf(&text, "%s" TN_STR_FORMAT, k ? ", " : "", TN_STR_ARGUMENTS(list->names[k]));
    }
    if (list->count > MOST) {
        tn_builder_addf(&text, " and %zu more", list->count - MOST);
    }
    if (list->count && !text.failed) {
        tn_question_note(question, code, "%s%s%s", before, text.data, behind);
    }
    tn_builder_free(&text);
}

void tn_plan_note_command(struct tn_question *question, const struct tn_launch *launch)
{
    struct tn_str model = question->request.values[TN_INPUT_MODEL].text;
    if (launch->model_is_gguf && !tn_str_equal(launch->model, model)) {
        tn_question_note(question, "command_model",
                         "the command's " TN_STR_FORMAT " is planned as " TN_STR_FORMAT
                         ", by its name; a MODEL beside --command is read in its place",
                         TN_STR_ARGUMENTS(launch->model), TN_STR_ARGUMENTS(model));
    }
    note_names(question, "command_passed", &launch->passed, "of the command, without effect on memory: ", "");
    note_names(question, "command_unplanned", &launch->unplanned,
               "of the command, not planned although it may take memory: ", "");
    note_names(question, "command_unknown", &launch->unknown, "of the command, not known here: ", "");
}
