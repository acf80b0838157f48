/* Engines as records name them: which of ours they are, from which version on they behave how, and how their settings are called. */
#include "logs/reading.h"

#include "engine/record/rules.h"

#include <stdio.h>

enum {
    ENGINE_VLLM,
    ENGINE_SGLANG,
    ENGINE_TRTLLM,
    ENGINE_TRANSFORMERS,
    ENGINE_TGI,
    ENGINE_LLAMACPP,
    ENGINE_OLLAMA,
    ENGINE_COLUMNS
};

struct tn_log_engine {
    const char *names;  /* in lower case, separated by commas */
    const char *engine; /* as --engine takes it */
    int column;         /* of the tables below */
    bool prints_available;
    uint64_t refuses_short_pools_since; /* as tn_version_read; 0: it does not */
    bool is_other_program;              /* built on the engine: shown by its own name */
    bool is_fork;                       /* with changes of its own */
};

/* vLLM since 0.2.6: vllm-project/vllm#2163. Its log line "Available KV cache memory" is the pool before it is cut into blocks; SGLang and
 * TensorRT-LLM print what was allocated. */
static const struct tn_log_engine engines[] = {
    {"vllm", "vllm", ENGINE_VLLM, true, 2006, false, false},
    {"sglang", "sglang", ENGINE_SGLANG, false, 0, false, false},
    {"tensorrt-llm,trtllm,trt-llm", "trtllm", ENGINE_TRTLLM, false, 0, false, false},
    {"transformers,hf,huggingface", "transformers", ENGINE_TRANSFORMERS, false, 0, false, false},
    {"tgi,text-generation-inference", "tgi", ENGINE_TGI, false, 0, false, false},
    {"llama.cpp,llamacpp,llama.cpp fork", "llamacpp", ENGINE_LLAMACPP, false, 0, false, false},
    {"koboldcpp,llamafile,lm studio,llamasharp", "llamacpp", ENGINE_LLAMACPP, false, 0, true, false},
    {"ik_llama.cpp", "llamacpp", ENGINE_LLAMACPP, false, 0, true, true},
    {"ollama", "ollama", ENGINE_OLLAMA, false, 0, false, false},
};

const char *tn_log_engine_name(const struct tn_log_engine *engine)
{
    return engine->engine;
}

bool tn_log_engine_is_ollama(const struct tn_log_engine *engine)
{
    return engine->column == ENGINE_OLLAMA;
}

bool tn_log_engine_is_fork(const struct tn_log_engine *engine)
{
    return engine->is_fork;
}

bool tn_log_engine_prints_available(const struct tn_log_engine *engine)
{
    return engine->prints_available;
}

static bool is_listed(const char *list, struct tn_str name)
{
    struct tn_str rest = tn_str_of(list);
    while (rest.size) {
        size_t comma = tn_str_find(rest, TN_STR(","));
        struct tn_str item = tn_str_slice(rest, 0, comma);
        if (tn_str_equal_any_case(item, name)) {
            return true;
        }
        rest = tn_str_slice(rest, item.size + 1, rest.size);
    }
    return false;
}

/* ---- versions ----------------------------------------------------------------------------------------------------- */

/* What was the newest release when a report got its number, for records that name a report but no version: of the engine's own tracker, or of a
 * benchmark of several engines. From reports that state both, and the dates of reports and releases. */
static const struct {
    int column; /* the engine */
    const char *tracker;
    uint64_t number; /* from this one on */
    const char *version;
} reports[] = {
    {ENGINE_VLLM, "vllm-project/vllm#", 2000, "0.2.5"},
    {ENGINE_VLLM, "vllm-project/vllm#", 2700, "0.3.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 3800, "0.4.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 5450, "0.5.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 6700, "0.5.3"},
    {ENGINE_VLLM, "vllm-project/vllm#", 7200, "0.5.4"},
    {ENGINE_VLLM, "vllm-project/vllm#", 8200, "0.6.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 9400, "0.6.3"},
    {ENGINE_VLLM, "vllm-project/vllm#", 10400, "0.6.4"},
    {ENGINE_VLLM, "vllm-project/vllm#", 12500, "0.7.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 13500, "0.7.3"},
    {ENGINE_VLLM, "vllm-project/vllm#", 15050, "0.8.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 17350, "0.8.5"},
    {ENGINE_VLLM, "vllm-project/vllm#", 18800, "0.9.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 21600, "0.10.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 26100, "0.11.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 30000, "0.12.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 31100, "0.13.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 32700, "0.14.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 33400, "0.15.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 38500, "0.19.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 44000, "0.22.0"},
    {ENGINE_VLLM, "vllm-project/vllm#", 51400, "0.25.0"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 5800, "0.4.6"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 7050, "0.4.7"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 7500, "0.4.8"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 7800, "0.4.9"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 9550, "0.5.1"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 10350, "0.5.2"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 11250, "0.5.3"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 12200, "0.5.4"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 12800, "0.5.5"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 14350, "0.5.6"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 16250, "0.5.7"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 17650, "0.5.8"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 19250, "0.5.9"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 22250, "0.5.10"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 24750, "0.5.11"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 25550, "0.5.12"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 27900, "0.5.13"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 29300, "0.5.14"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 30700, "0.5.15"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 32400, "0.5.16"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 34100, "0.5.17"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 35800, "0.5.18"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 38000, "0.5.19"},
    {ENGINE_SGLANG, "sgl-project/sglang#", 40200, "0.5.20"},
    {ENGINE_VLLM, "noonghunna/club-3090#", 60, "0.20.1"}, /* 69 is of 5 May 2026, 612 of 6 July and 1086 of 22 August */
    {ENGINE_VLLM, "noonghunna/club-3090#", 600, "0.24.0"},
    {ENGINE_VLLM, "noonghunna/club-3090#", 1050, "0.27.0"},
    {ENGINE_SGLANG, "SemiAnalysisAI/InferenceX#", 1945, "0.5.14"},
    {ENGINE_SGLANG, "SemiAnalysisAI/InferenceX#", 2140, "0.5.15"},
};

/* Images that a model was published with, by what their tags begin with: of the code between two releases, the older of which is taken. */
static const struct {
    int column;
    const char *tag;
    const char *version;
} images[] = {
    {ENGINE_SGLANG, "glm5-",
     "0.5.8"}, /* glm5-blackwell, glm5-hopper: 12 February 2026, before sgl-project/sglang#18804 */
};

static struct tn_str version_of_image(int column, struct tn_str text)
{
    struct tn_str version = {0};
    for (size_t k = 0; k < sizeof images / sizeof images[0]; k++) {
        if (images[k].column == column && tn_str_starts(text, tn_str_of(images[k].tag))) {
            version = tn_str_of(images[k].version);
        }
    }
    return version;
}

static uint64_t leading_number(struct tn_str text)
{
    uint64_t number = 0;
    for (size_t k = 0; k < text.size && k < 9 && text.data[k] >= '0' && text.data[k] <= '9'; k++) {
        number = number * 10 + (uint64_t)(text.data[k] - '0');
    }
    return number;
}

static struct tn_str version_of_report(int column, struct tn_str source)
{
    struct tn_str version = {0};
    for (size_t k = 0; k < sizeof reports / sizeof reports[0]; k++) {
        struct tn_str tracker = tn_str_of(reports[k].tracker);
        size_t at = tn_str_find(source, tracker);
        if (reports[k].column == column && at != SIZE_MAX
            && leading_number(tn_str_slice(source, at + tracker.size, source.size)) >= reports[k].number) {
            version = tn_str_of(reports[k].version);
        }
    }
    return version;
}

/* "0.20.2rc1.dev249 (fork)" begins with one, "fork" does not. */
static bool begins_with_number(struct tn_str text)
{
    return text.size && text.data[0] >= '0' && text.data[0] <= '9';
}

/* Where no version is named: by the image; by the report's number; by the engine that vLLM had as its default until 0.8; else none. */
static void find_version(struct tn_measurement *measurement, struct tn_str version, struct tn_str source,
                         struct tn_str notes)
{
    version = tn_str_starts(version, TN_STR("v")) ? tn_str_slice(version, 1, version.size) : version;
    if (begins_with_number(version)) {
        measurement->version = tn_str_word(&version);
        measurement->version_basis = TN_VERSION_GIVEN;
        return;
    }
    measurement->version = version_of_image(measurement->engine->column, version);
    if (!measurement->version.size) {
        measurement->version = version_of_report(measurement->engine->column, source);
    }
    if (!measurement->version.size && measurement->engine->column == ENGINE_VLLM
        && tn_str_find(notes, TN_STR("V0 engine")) != SIZE_MAX) {
        measurement->version = TN_STR("0.7.3");
    }
    measurement->version_basis = measurement->version.size ? TN_VERSION_INFERRED : TN_VERSION_UNKNOWN;
}

bool tn_reading_engine(struct tn_reading *reading, struct tn_str engine, struct tn_str version, struct tn_str source,
                       struct tn_str notes)
{
    struct tn_measurement *measurement = reading->measurement;
    if (!engine.size) {
        return tn_reading_fault(reading, "the record names no engine");
    }
    for (size_t k = 0; k < sizeof engines / sizeof engines[0]; k++) {
        if (is_listed(engines[k].names, engine)) {
            measurement->engine = &engines[k];
        }
    }
    if (!measurement->engine) {
        return tn_reading_fault(reading, "engine " TN_STR_FORMAT " is not known", TN_STR_ARGUMENTS(engine));
    }
    measurement->program = measurement->engine->is_other_program ? engine : (struct tn_str){0};
    if (measurement->engine->column == ENGINE_LLAMACPP) {
        return tn_reading_llamacpp_version(reading, version, source);
    }
    if (measurement->engine->column == ENGINE_OLLAMA) {
        return tn_reading_ollama_version(reading, version, source);
    }
    find_version(measurement, version, source, notes);
    return true;
}

/* Where no version is known it is the newest. */
bool tn_log_engine_refuses_short_pools(const struct tn_measurement *measurement)
{
    uint64_t since = measurement->engine ? measurement->engine->refuses_short_pools_since : 0;
    uint64_t version;
    size_t size;
    return since && (!tn_version_read(measurement->version, &version, &size) || version >= since);
}

/* ---- settings ----------------------------------------------------------------------------------------------------- */

/* Keys of the field logs, and the settings of the engines that they speak of. NULL: the engine has no such setting, and a record that gives
 * it is refused; "": it changes nothing there. */
static const struct {
    const char *key;
    const char *names[ENGINE_COLUMNS];
} settings[] = {
    {"gpu_memory_utilization", {"gpu_memory_utilization", NULL, NULL, NULL, "cuda_memory_fraction"}},
    {"mem_fraction_static", {NULL, "mem_fraction_static", NULL, NULL, NULL}},
    {"kv_cache_free_gpu_mem_fraction", {NULL, NULL, "free_gpu_memory_fraction", NULL, NULL}},
    {"max_num_seqs", {"max_num_seqs", "max_running_requests", "max_batch_size", "", "max_batch_size"}},
    {"max_num_batched_tokens",
     {"max_num_batched_tokens", "chunked_prefill_size", "max_num_tokens", "", "max_batch_prefill_tokens"}},
    {"block_size", {"block_size", "page_size", "tokens_per_block", "", ""}},
    {"enforce_eager", {"enforce_eager", "disable_cuda_graph", "", "", ""}},
    {"dcp", {"decode_context_parallel_size", NULL, NULL, NULL, NULL}},
    {"language_model_only", {"language_model_only", NULL, NULL, NULL, NULL}},
};

/* Draft tokens of multi-token prediction, in words: "MTP on (3 tokens)", "MTP3". 1 where nothing is said. */
static uint64_t draft_tokens(struct tn_str notes)
{
    enum { NEAR = 8 };
    size_t at = tn_str_find(notes, TN_STR("MTP"));
    for (size_t k = at == SIZE_MAX ? notes.size : at + 3; k < notes.size && k < at + 3 + NEAR; k++) {
        uint64_t number = leading_number(tn_str_slice(notes, k, notes.size));
        if (number) {
            return number;
        }
    }
    return 1;
}

static bool set_number(struct tn_reading *reading, const char *name, uint64_t number)
{
    char text[24];
    struct tn_str copy;
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return (tn_str_copy(reading->arena, tn_str_of(text), &copy) || tn_fail_memory(reading->error))
           && tn_reading_set_text(reading, name, copy);
}

static bool read_draft(struct tn_reading *reading, struct tn_str notes)
{
    static const char *const names[ENGINE_COLUMNS] = {"num_speculative_tokens", "speculative_num_draft_tokens",
                                                      "num_nextn_predict_layers", NULL, NULL};
    const struct tn_value *value = tn_reading_member(reading->record, "mtp");
    if (!value || (value->kind == TN_BOOL && !value->as.boolean)) {
        return true;
    }
    int column = reading->measurement->engine->column;
    if (value->kind != TN_BOOL || !names[column]) {
        return tn_reading_fault(reading, "'mtp' does not fit this engine");
    }
    return (column != ENGINE_SGLANG || tn_reading_set_text(reading, "speculative_algorithm", TN_STR("NEXTN")))
           && set_number(reading, names[column], draft_tokens(notes));
}

/* Room for LoRA adapters is said in words alone. */
static bool read_adapters(struct tn_reading *reading, struct tn_str notes)
{
    return reading->measurement->engine->column != ENGINE_VLLM || tn_str_find(notes, TN_STR("LoRA")) == SIZE_MAX
           || tn_reading_set_text(reading, "enable_lora", TN_STR("true"));
}

/* SGLang's data parallel ranks are a division of the tensor parallel ones where there are no more GPUs than these. */
static bool read_attention_division(struct tn_reading *reading)
{
    struct tn_measurement *measurement = reading->measurement;
    bool divides = measurement->engine->column == ENGINE_SGLANG && measurement->dp > 1
                   && measurement->gpu_count == measurement->tp * measurement->pp;
    if (!divides) {
        return true;
    }
    uint32_t dp = measurement->dp;
    measurement->dp = 1;
    return tn_reading_set_text(reading, "enable_dp_attention", TN_STR("true")) && set_number(reading, "dp_size", dp);
}

/* What --context, --dtype and --kv-dtype are of a plan, as settings they are of the engine: the longest request that it takes, the
 * computation, and a dtype of the cache even where it is that of the computation: "auto" may be another. */
/* What an engine calls the length of a request and the dtypes. */
static const struct {
    const char *context;
    const char *dtype; /* NULL: it has no such setting that matters */
    const char *kv_dtype;
} own_names[ENGINE_COLUMNS] = {
    [ENGINE_VLLM] = {"max_model_len", "dtype", "kv_cache_dtype"},
    [ENGINE_SGLANG] = {"context_length", NULL, "kv_cache_dtype"},
    [ENGINE_TRTLLM] = {"max_seq_len", NULL, "kv_cache_dtype"},
    [ENGINE_TRANSFORMERS] = {"max_length", "torch_dtype", NULL},
    [ENGINE_TGI] = {"max_total_tokens", "dtype", NULL},
    [ENGINE_LLAMACPP] = {"n_ctx", NULL, NULL},
    [ENGINE_OLLAMA] = {"num_ctx", NULL, NULL},
};

/* Of a record that has the key of ours; NULL: it has not, or the engine no such setting that matters. */
struct own_settings {
    const char *context;
    const char *dtype;
    const char *kv_dtype;
};

static struct own_settings own_settings_of(const struct tn_measurement *measurement)
{
    int column = measurement->engine->column;
    bool has_kv_dtype = measurement->kv_dtype.size && !tn_str_is(measurement->kv_dtype, "auto");
    return (struct own_settings){.context = measurement->context_tokens ? own_names[column].context : NULL,
                                 .dtype = measurement->dtype.size ? own_names[column].dtype : NULL,
                                 .kv_dtype = has_kv_dtype ? own_names[column].kv_dtype : NULL};
}

bool tn_reading_own_settings(struct tn_reading *reading)
{
    const struct tn_measurement *measurement = reading->measurement;
    if (!measurement->engine) {
        return true; /* the fault is said */
    }
    struct own_settings own = own_settings_of(measurement);
    return (!own.context || set_number(reading, own.context, measurement->context_tokens))
           && (!own.dtype || tn_reading_set_text(reading, own.dtype, measurement->dtype))
           && (!own.kv_dtype || tn_reading_set_text(reading, own.kv_dtype, measurement->kv_dtype));
}

bool tn_measurement_has_own_setting(const struct tn_measurement *measurement, struct tn_str name)
{
    struct own_settings own = own_settings_of(measurement);
    return (own.context && tn_str_is(name, own.context)) || (own.dtype && tn_str_is(name, own.dtype))
           || (own.kv_dtype && tn_str_is(name, own.kv_dtype));
}

bool tn_reading_settings(struct tn_reading *reading, struct tn_str notes)
{
    const struct tn_log_engine *engine = reading->measurement->engine;
    bool done = true;
    if (!engine) {
        return true; /* the fault is said */
    }
    for (size_t k = 0; done && k < sizeof settings / sizeof settings[0]; k++) {
        const struct tn_value *value = tn_reading_member(reading->record, settings[k].key);
        const char *name = settings[k].names[engine->column];
        if (value && !name) {
            done = tn_reading_fault(reading, "'%s' is no setting of %s", settings[k].key, engine->engine);
        } else if (value && *name) {
            done = tn_reading_set(reading, name, value);
        }
    }
    return done && read_attention_division(reading) && read_draft(reading, notes) && read_adapters(reading, notes);
}
