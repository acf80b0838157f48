/* Identifying what a log is of, and the figures that stand for all ranks. */
#include "logs/text/measured_log.h"

#include "base/number.h"
#include "logs/text/model_names.h"
#include "logs/text/pairs.h"

/* ---- engine and version ---------------------------------------------------------------------------------------------- */

/* Engines by the names that --engine takes, and as records name them. */
static const struct engine_name {
    const char *engine;
    const char *record;
    bool has_devices;
} engine_names[] = {
    {"vllm", "vllm", false},
    {"sglang", "sglang", false},
    {"trtllm", "trtllm", false},
    {"transformers", "transformers", false},
    {"tgi", "tgi", false},
    {"llamacpp", "llama.cpp", true},
    {"llama.cpp", "llama.cpp", true},
    {"ollama", "ollama", true},
};

static const struct engine_name *engine_named(struct tn_str name)
{
    for (size_t k = 0; k < sizeof engine_names / sizeof engine_names[0]; k++) {
        if (tn_str_is(name, engine_names[k].engine) || tn_str_is(name, engine_names[k].record)) {
            return &engine_names[k];
        }
    }
    return NULL;
}

static bool begins_with_number(struct tn_str text)
{
    return text.size && text.data[0] >= '0' && text.data[0] <= '9';
}

/* "b4570" of the build's number. */
static bool version_of_build(struct tn_log_reading *reading)
{
    const struct tn_log_value *build = tn_log_find(reading->log, TN_LOG_BUILD);
    struct tn_builder text = {0};
    if (!build || !build->figure.known || build->figure.value < 1) {
        return true;
    }
    tn_builder_addf(&text, "b%lld", (long long)build->figure.value);
    bool done = !text.failed && tn_str_copy(reading->arena, tn_builder_str(&text), &reading->version);
    tn_builder_free(&text);
    return done;
}

/* As the log says it; else from the lines that only some versions print. */
static bool find_version(struct tn_log_reading *reading)
{
    const struct tn_log *log = reading->log;
    const struct tn_log_program *program = tn_log_program(log);
    for (const struct tn_log_value *value = tn_log_find(log, TN_LOG_VERSION); value;
         value = tn_log_next(log, TN_LOG_VERSION, value)) {
        struct tn_str text = tn_str_of(value->text);
        text = tn_str_starts(text, TN_STR("v")) ? tn_str_slice(text, 1, text.size) : text;
        if (begins_with_number(text)) {
            reading->version = reading->logged_version = text;
            return true;
        }
    }
    if (!version_of_build(reading)) {
        return false;
    }
    if (!reading->version.size && program) {
        reading->version = log->to[program - log->shapes->programs];
        reading->version_is_guessed = reading->version.size > 0;
    }
    return true;
}

static bool read_asked_engine(struct tn_log_reading *reading, struct tn_error *error)
{
    struct tn_str asked = reading->asked->engine;
    size_t mark = tn_str_find(asked, TN_STR("@"));
    const struct engine_name *engine = engine_named(tn_str_slice(asked, 0, mark));
    if (!engine) {
        tn_fail(error, TN_ERROR_USAGE, "'" TN_STR_FORMAT "' has no log that is known", TN_STR_ARGUMENTS(asked));
        return tn_fail_at(error, -1, "--engine");
    }
    reading->engine = tn_str_of(engine->record);
    if (mark != SIZE_MAX) {
        reading->version = tn_str_slice(asked, mark + 1, asked.size);
        reading->version_is_guessed = false;
    }
    return true;
}

/* The record of the engine; a version that it does not know is planned as the newest. */
static bool open_rules(struct tn_log_reading *reading, struct tn_error *error)
{
    const struct engine_name *engine = engine_named(reading->engine);
    if (!engine) {
        return true;
    }
    struct tn_error own = {0};
    struct tn_str name = tn_str_of(engine->engine);
    reading->has_devices = engine->has_devices;
    reading->rules = tn_rules_open(reading->catalog, name, reading->version, reading->arena, &own);
    if (!reading->rules && own.code == TN_ERROR_USAGE && !reading->asked->engine.size) {
        reading->version = (struct tn_str){0};
        reading->version_is_outside = true;
        reading->rules = tn_rules_open(reading->catalog, name, reading->version, reading->arena, &own);
    }
    if (!reading->rules && error) {
        *error = own;
    }
    return reading->rules != NULL;
}

/* ---- the model ------------------------------------------------------------------------------------------------------ */

static bool offer_model(struct tn_log_reading *reading, struct tn_str text, bool *is_known)
{
    struct tn_str name;
    if (*is_known || !text.size) {
        return true;
    }
    if (!tn_log_model_name(reading->arena, text, &name)) {
        return false;
    }
    *is_known = name.size && tn_catalog_find_model(reading->catalog, name, NULL);
    reading->model = *is_known || !reading->model.size ? name : reading->model;
    return true;
}

/* The first name that the catalog has, else the first one. */
static bool find_model(struct tn_log_reading *reading)
{
    static const enum tn_log_term terms[] = {TN_LOG_MODEL, TN_LOG_MODEL_NAME};
    const struct tn_log_assignment *setting = tn_log_setting_named(reading->log, "--model");
    bool is_known = reading->asked->model.size > 0;
    reading->model = reading->asked->model;
    bool done = offer_model(reading, setting ? tn_str_of(setting->value) : (struct tn_str){0}, &is_known);
    for (size_t k = 0; done && k < sizeof terms / sizeof terms[0]; k++) {
        const struct tn_log_value *value = tn_log_find(reading->log, terms[k]);
        done = offer_model(reading, value ? tn_str_of(value->text) : (struct tn_str){0}, &is_known);
    }
    return done;
}

bool tn_log_identify(struct tn_log_reading *reading, struct tn_error *error)
{
    const struct tn_log_program *program = tn_log_program(reading->log);
    reading->engine = program ? program->engine : (struct tn_str){0};
    if (!find_version(reading) || !find_model(reading)) {
        return tn_fail_memory(error);
    }
    return (!reading->asked->engine.size || read_asked_engine(reading, error)) && open_rules(reading, error);
}

/* ---- figures -------------------------------------------------------------------------------------------------------- */

enum tn_outcome tn_log_outcome(const struct tn_log *log)
{
    static const enum tn_log_term results[] = {TN_LOG_READY, TN_LOG_KV_TOKENS, TN_LOG_GRAPHS, TN_LOG_COMPUTE_BUFFER,
                                               TN_LOG_RUNNING};
    const struct tn_log_value *ready = tn_log_find(log, TN_LOG_READY);
    if (log->fail_line && (!ready || ready->first_line > log->fail_line)) {
        return TN_OUTCOME_FAILED;
    }
    for (size_t k = 0; k < sizeof results / sizeof results[0]; k++) {
        if (tn_log_find(log, results[k])) {
            return TN_OUTCOME_STARTED;
        }
    }
    return TN_OUTCOME_UNKNOWN;
}

/* What the slowest or fullest rank decides is the least of all. */
static bool takes_least(enum tn_log_term term)
{
    static const enum tn_log_term terms[] = {
        TN_LOG_KV_POOL,  TN_LOG_KEYS,         TN_LOG_VALUES,          TN_LOG_KV_TOKENS,       TN_LOG_BLOCKS,
        TN_LOG_GPU_FREE, TN_LOG_KV_AVAILABLE, TN_LOG_MAX_CONCURRENCY, TN_LOG_SUGGESTED_TOKENS};
    bool found = false;
    for (size_t k = 0; k < sizeof terms / sizeof terms[0]; k++) {
        found = found || terms[k] == term;
    }
    return found;
}

/* As it was said first: what comes later is rounded, or of a draft model. TensorRT-LLM makes a small pool first, to measure with. */
static struct tn_figure said_figure(const struct tn_log_reading *reading, enum tn_log_term term)
{
    struct tn_figure figure = {0};
    bool takes_last = tn_str_is(reading->engine, "trtllm");
    for (const struct tn_log_value *value = tn_log_find(reading->log, term); value;
         value = tn_log_next(reading->log, term, value)) {
        const struct tn_figure *said = takes_last ? &value->figure : &value->first;
        bool is_better = takes_least(term) ? said->value < figure.value : said->value > figure.value;
        figure = said->known && (!figure.known || is_better) ? *said : figure;
    }
    return figure;
}

/* vLLM's engine V0 prints blocks in place of tokens. */
static struct tn_figure tokens_of_blocks(const struct tn_log_reading *reading)
{
    enum { USUAL_BLOCK = 16 };
    const struct tn_log_assignment *setting = tn_log_setting_named(reading->log, "block_size");
    struct tn_figure figure = said_figure(reading, TN_LOG_BLOCKS);
    int64_t tokens = 0;
    for (const char *c = setting ? setting->value : ""; *c >= '0' && *c <= '9' && tokens < 100000; c++) {
        tokens = tokens * 10 + (*c - '0');
    }
    figure.known = figure.known && tn_str_is(reading->engine, "vllm")
                   && tn_mul_i64(figure.value, tokens ? tokens : USUAL_BLOCK, &figure.value);
    return figure;
}

struct tn_figure tn_log_figure(const struct tn_log_reading *reading, enum tn_log_term term)
{
    struct tn_figure figure = said_figure(reading, term);
    return figure.known || term != TN_LOG_KV_TOKENS ? figure : tokens_of_blocks(reading);
}
