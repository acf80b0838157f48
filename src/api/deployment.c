/* Reading a deployment. */
#include "api/deployment.h"

#include "api/detect.h"
#include "api/gpu_list.h"
#include "api/settings.h"
#include "catalog/names.h"
#include "plan/cache.h"
#include "text/quantity.h"

#include <stdarg.h>
#include <stdio.h>

enum { DEFAULT_CONTEXT_TOKENS = 4096, DEFAULT_OVERHEAD_PPM = 100000 };

void tn_question_note(struct tn_question *question, const char *code, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct tn_note note = {.code = code};
    if (question->note_count < sizeof question->notes / sizeof question->notes[0]
        && tn_str_copy(question->request.arena, tn_str_of(text), &note.message)) {
        question->notes[question->note_count++] = note;
    }
}

size_t tn_question_machine_notes(const struct tn_question *question, struct tn_arena *arena, struct tn_note *notes,
                                 size_t most)
{
    static const char *const prefixes[] = {"gpu_detected", "gpu_left_out", "gpu_in_use",
                                           "gpus_unequal", "calibrat",     "command_"};
    size_t count = 0;
    for (size_t k = 0; k < question->note_count; k++) {
        const struct tn_note *note = &question->notes[k];
        bool is_of_machine = false;
        for (size_t n = 0; n < sizeof prefixes / sizeof prefixes[0]; n++) {
            is_of_machine = is_of_machine || tn_str_starts(tn_str_of(note->code), tn_str_of(prefixes[n]));
        }
        if (is_of_machine && count < most && tn_str_copy(arena, note->message, &notes[count].message)) {
            notes[count++].code = note->code;
        }
    }
    return count;
}

static void add_setting(struct tn_question *question, const char *name, uint64_t number, struct tn_str text,
                        enum tn_origin origin)
{
    question->settings[question->setting_count++] = (struct tn_setting){name, number, text, origin};
}

static enum tn_origin origin_of(const struct tn_input_value *value, enum tn_origin otherwise)
{
    return value->given ? TN_ORIGIN_GIVEN : otherwise;
}

/* "auto" and "autox2": this machine's GPUs. */
static bool is_auto(struct tn_str text, uint64_t *count)
{
    struct tn_str name = text;
    *count = tn_gpu_count_behind(text, &name);
    return tn_str_equal_any_case(*count ? name : text, TN_STR("auto"));
}

/* What an engine makes of GPUs that are not alike. */
static void note_unequal(struct tn_question *question)
{
    const struct tn_planner *planner = &question->planner;
    const struct tn_deployment *deployment = &question->deployment;
    bool has_split = false;
    for (size_t k = 0; k < deployment->set_count; k++) {
        has_split = has_split || tn_str_is(deployment->sets[k].name, "tensor_split");
    }
    if (planner->engine->is_replayed && !has_split) {
        tn_question_note(question, "gpus_unequal",
                         "the GPUs are not alike: layers go to them by their memory, all of it taken as free%s",
                         planner->engine == &tn_engine_llamacpp ? "; --set tensor_split=3,1 divides them otherwise"
                                                                : "");
    } else if (!planner->engine->is_replayed) {
        struct tn_builder smallest = {0};
        tn_write_gpus(&smallest,
                      &(struct tn_deployment){.gpu = deployment->gpu, .gpu_memory_bytes = deployment->gpu_memory_bytes},
                      1, tn_request_units(&question->request));
        tn_question_note(question, "gpus_unequal",
                         "the GPUs are not alike: the ranks of a stage hold the same, so that the smallest of them "
                         "decides; kernels are planned for " TN_STR_FORMAT,
                         TN_STR_ARGUMENTS(tn_builder_str(&smallest)));
        tn_builder_free(&smallest);
    }
}

static void take_list(struct tn_question *question, const struct tn_gpu_list *list)
{
    struct tn_deployment *deployment = &question->deployment;
    if (list->count) {
        question->gpu_count = list->count;
        question->gpu = deployment->gpu = list->devices[list->smallest].gpu;
        deployment->gpu_memory_bytes = list->devices[list->smallest].memory_bytes;
    }
    if (!list->are_alike) {
        deployment->devices = list->devices;
        deployment->device_count = list->count;
        note_unequal(question);
    }
}

static void add_auto_notes(struct tn_question *question, const struct tn_auto_gpu *found)
{
    struct tn_builder used = {0};
    tn_write_bytes(&used, found->most_used_bytes, tn_request_units(&question->request));
    tn_question_note(question, "gpu_detected", "this machine: %u x " TN_STR_FORMAT "%s", found->count,
                     TN_STR_ARGUMENTS(found->name),
                     found->gpu ? "" : ", which is not in the catalog: only its memory is known");
    if (found->others) {
        tn_question_note(question, "gpu_left_out", "%u GPUs of other kinds are left out", found->others);
    }
    if (found->in_use) {
        tn_question_note(question, "gpu_in_use",
                         "in use now: %u of these GPUs, the fullest with " TN_STR_FORMAT "; planned as empty",
                         found->in_use, TN_STR_ARGUMENTS(tn_builder_str(&used)));
    }
    tn_builder_free(&used);
}

/* llama.cpp and ollama use all GPUs that there are, also where they are not alike. */
static void take_all(struct tn_question *question, const struct tn_auto_gpu *found)
{
    struct tn_gpu_list list = {.devices = found->whole, .count = found->whole_count};
    struct tn_builder names = {0};
    tn_gpu_list_look(&list);
    take_list(question, &list);
    tn_write_gpus(&names, &question->deployment, list.count, tn_request_units(&question->request));
    tn_question_note(question, "gpu_detected", "this machine: " TN_STR_FORMAT "; planned as empty",
                     TN_STR_ARGUMENTS(tn_builder_str(&names)));
    tn_builder_free(&names);
}

static bool read_auto_gpu(uint64_t count, struct tn_question *question, struct tn_error *error)
{
    struct tn_auto_gpu found;
    if (!tn_find_auto_gpu(question->session, count, question->request.arena, &found, error)) {
        return false;
    }
    bool takes_all = question->planner.engine->is_replayed && !count && found.whole_count > found.count
                     && !question->request.values[TN_INPUT_GPU_MEMORY].given;
    if (takes_all) {
        take_all(question, &found);
        return true;
    }
    question->gpu = found.gpu;
    question->gpu_count = found.count;
    question->deployment.gpu = found.gpu;
    question->deployment.gpu_memory_bytes = found.memory_bytes;
    add_auto_notes(question, &found);
    return true;
}

/* The memory of a GPU is the catalog's. */
static bool check_catalog_memory(struct tn_question *question, const struct tn_gpu *gpu, struct tn_error *error)
{
    if (!gpu->memory_bytes) {
        tn_fail(error, TN_ERROR_UNKNOWN_GPU,
                "the memory of " TN_STR_FORMAT " is not in the catalog: it is not known, or depends on the machine",
                TN_STR_ARGUMENTS(gpu->name));
        tn_fail_at(error, -1, "--gpu");
        return tn_fail_hint(error, "give it with --gpu-memory SIZE");
    }
    if (gpu->memory_is_marketed) {
        tn_question_note(question, "gpu_memory_marketed",
                         "what the driver of " TN_STR_FORMAT
                         " reports is not known: its marketed size is counted as GB of 10^9 bytes",
                         TN_STR_ARGUMENTS(gpu->name));
    }
    return true;
}

static bool read_list(struct tn_question *question, struct tn_error *error)
{
    const struct tn_request *request = &question->request;
    bool has_sizes = request->values[TN_INPUT_GPU_MEMORY].given;
    struct tn_gpu_list list;
    if (!tn_read_gpu_list(question->session->catalog, request->values[TN_INPUT_GPU].text,
                          request->values[TN_INPUT_GPU_MEMORY].text, request->arena, &list, error)) {
        return false;
    }
    for (uint32_t k = 0; !has_sizes && k < list.count; k++) {
        bool is_new = k == 0 || list.devices[k].gpu != list.devices[k - 1].gpu;
        if (is_new && !check_catalog_memory(question, list.devices[k].gpu, error)) {
            return false;
        }
    }
    take_list(question, &list);
    return true;
}

static bool read_memory(struct tn_question *question, struct tn_error *error)
{
    const struct tn_input_value *gpu = &question->request.values[TN_INPUT_GPU];
    const struct tn_input_value *memory = &question->request.values[TN_INPUT_GPU_MEMORY];
    uint64_t count = 0;
    question->gpu_count = 1;
    if (!gpu->given || !is_auto(gpu->text, &count)) {
        return read_list(question, error);
    }
    if (!read_auto_gpu(count, question, error)) {
        return false;
    }
    if (memory->given) {
        question->deployment.gpu_memory_bytes = memory->number;
    }
    return true;
}

static uint32_t parallel(const struct tn_request *request, enum tn_input input)
{
    return request->values[input].given ? (uint32_t)request->values[input].number : 1;
}

/* The length that the engine takes where none is asked for, which may depend on its GPUs; 0 where it does not say. */
static bool engine_context(struct tn_question *question, uint64_t *tokens, struct tn_error *error)
{
    struct tn_deployment deployment = question->deployment;
    uint32_t ranks = parallel(&question->request, TN_INPUT_PP) * parallel(&question->request, TN_INPUT_TP);
    deployment.tp = deployment.ep = deployment.dp = 1;
    deployment.pp = question->gpu_count > ranks ? question->gpu_count : ranks;
    return tn_planner_default_context(&question->planner, &deployment, tokens, error);
}

static bool read_context(const struct tn_model *model, struct tn_question *question, struct tn_error *error)
{
    const struct tn_input_value *value = &question->request.values[TN_INPUT_CONTEXT];
    uint64_t most = model->max_context_tokens;
    uint64_t tokens = value->number;
    uint64_t usual = 0;
    if (!value->given) {
        if (!engine_context(question, &usual, error)) {
            return false;
        }
        tokens = usual ? usual : (most ? most : DEFAULT_CONTEXT_TOKENS);
    }
    question->deployment.context_tokens = tokens;
    question->deployment.context_is_given = value->given;
    add_setting(question, "context", tokens, (struct tn_str){0},
                origin_of(value, usual ? TN_ORIGIN_DERIVED : (most ? TN_ORIGIN_CONFIG : TN_ORIGIN_DEFAULT)));
    if (value->given && most && tokens > most) {
        tn_question_note(
            question, "context_beyond_model",
            "%llu tokens are more than the %llu that the model was made for: memory is counted all the same",
            (unsigned long long)tokens, (unsigned long long)most);
    }
    if (usual) {
        tn_question_note(question, "context_default",
                         "context: the engine's default of %llu tokens; --context plans for another",
                         (unsigned long long)tokens);
    } else if (!value->given) {
        tn_question_note(question, "context_default",
                         most ? "context: the model's maximum of %llu tokens; --context plans for less"
                              : "context: %llu tokens, as the model states no maximum; --context says otherwise",
                         (unsigned long long)tokens);
    }
    return true;
}

static const struct tn_dtype *default_kv_dtype(const struct tn_model *model, const struct tn_engine *engine)
{
    return engine->kv_dtype ? tn_dtype_find(tn_str_of(engine->kv_dtype)) : tn_cache_default_dtype(model);
}

static bool read_kv_dtype(const struct tn_model *model, struct tn_question *question, struct tn_error *error)
{
    const struct tn_input_value *value = &question->request.values[TN_INPUT_KV_DTYPE];
    bool is_auto = !value->given || tn_str_is(value->text, "auto");
    const struct tn_dtype *dtype = is_auto ? NULL : tn_dtype_find(value->text);
    /* an engine has names of its own, as fp8_ds_mla: it says whether it knows them, and plans by them */
    bool is_named = !is_auto && question->planner.engine->has_record;
    question->deployment.kv_dtype_name = is_named ? value->text : (struct tn_str){0};
    dtype = dtype || !(is_auto || is_named) ? dtype : default_kv_dtype(model, question->planner.engine);
    if (!dtype) {
        tn_fail(error, TN_ERROR_DTYPE, "unknown KV dtype '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(value->text));
        tn_fail_at(error, -1, "--kv-dtype");
        return tn_fail_hint(error, "known are auto, fp16, bf16, fp8, int8, q8_0, q4_0 and the other names of dtypes");
    }
    question->deployment.kv_dtype = dtype;
    add_setting(question, "kv_dtype", 0, tn_str_of(dtype->name), is_auto ? TN_ORIGIN_DERIVED : TN_ORIGIN_GIVEN);
    return true;
}

static bool check_ranks(const struct tn_question *question, struct tn_error *error)
{
    const struct tn_deployment *deployment = &question->deployment;
    uint64_t ranks = (uint64_t)deployment->tp * deployment->pp * deployment->dp;
    if (ranks > TN_MOST_RANKS) {
        tn_fail(error, TN_ERROR_DEPLOYMENT, "--tp x --pp x --dp is %llu ranks; at most %d are planned",
                (unsigned long long)ranks, TN_MOST_RANKS);
        return tn_fail_at(error, -1, "--tp");
    }
    if (deployment->device_count && deployment->dp > 1) {
        tn_fail(error, TN_ERROR_DEPLOYMENT, "--dp %u: copies of a model on GPUs that are not alike are not planned",
                deployment->dp);
        tn_fail_at(error, -1, "--dp");
        return tn_fail_hint(error, "plan each copy by itself: each has a pool of its own");
    }
    if (question->gpu_count > 1 && ranks != question->gpu_count) {
        tn_fail(error, TN_ERROR_DEPLOYMENT, "--tp %u x --pp %u x --dp %u needs %llu GPUs, --gpu gives %u",
                deployment->tp, deployment->pp, deployment->dp, (unsigned long long)ranks, question->gpu_count);
        return tn_fail_at(error, -1, "--gpu");
    }
    return true;
}

/* What is not given of tp and pp follows from the number of GPUs: as much tensor parallel as the model allows. */
static bool read_parallel(struct tn_question *question, struct tn_error *error)
{
    const struct tn_request *request = &question->request;
    struct tn_deployment *deployment = &question->deployment;
    bool tp_given = request->values[TN_INPUT_TP].given;
    bool pp_given = request->values[TN_INPUT_PP].given;
    deployment->tp = parallel(request, TN_INPUT_TP);
    deployment->pp = parallel(request, TN_INPUT_PP);
    deployment->ep = parallel(request, TN_INPUT_EP);
    deployment->dp = parallel(request, TN_INPUT_DP);
    uint32_t gpus = question->gpu_count / deployment->dp;
    bool divides = gpus * deployment->dp == question->gpu_count;
    if (gpus > 1 && divides && tp_given && !pp_given && gpus % deployment->tp == 0) {
        deployment->pp = gpus / deployment->tp;
    } else if (gpus > 1 && divides && pp_given && !tp_given && gpus % deployment->pp == 0) {
        deployment->tp = gpus / deployment->pp;
    } else if (gpus > 1 && divides && !tp_given && !pp_given
               && !tn_split_gpus(&question->planner, deployment, gpus, &deployment->tp, &deployment->pp)) {
        deployment->tp = gpus; /* the engine says why not */
    }
    enum tn_origin otherwise = gpus > 1 ? TN_ORIGIN_DERIVED : TN_ORIGIN_DEFAULT;
    struct tn_str none = {0};
    add_setting(question, "tp", deployment->tp, none, origin_of(&request->values[TN_INPUT_TP], otherwise));
    add_setting(question, "pp", deployment->pp, none, origin_of(&request->values[TN_INPUT_PP], otherwise));
    add_setting(question, "ep", deployment->ep, none, origin_of(&request->values[TN_INPUT_EP], TN_ORIGIN_DEFAULT));
    add_setting(question, "dp", deployment->dp, none, origin_of(&request->values[TN_INPUT_DP], TN_ORIGIN_DEFAULT));
    return check_ranks(question, error);
}

static bool fail_engine(struct tn_str name, struct tn_error *error)
{
    struct tn_nearest nearest = {.wanted = name};
    for (size_t k = 0; tn_engines[k]; k++) {
        tn_nearest_offer(&nearest, tn_str_of(tn_engines[k]->name));
    }
    tn_fail(error, TN_ERROR_USAGE, "unknown engine '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(name));
    tn_fail_at(error, -1, "--engine");
    tn_nearest_hint(&nearest, "engine", error);
    return false;
}

bool tn_read_engine(struct tn_str text, const struct tn_engine **engine, struct tn_str *version, struct tn_error *error)
{
    size_t mark = tn_str_find(text, TN_STR("@"));
    struct tn_str name = tn_str_slice(text, 0, mark);
    *version = mark == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(text, mark + 1, text.size);
    *engine = tn_engine_find(name);
    if (mark != SIZE_MAX && !version->size) {
        tn_fail(error, TN_ERROR_USAGE, "there is no version behind the @ of '" TN_STR_FORMAT "'",
                TN_STR_ARGUMENTS(text));
        return tn_fail_at(error, -1, "--engine");
    }
    return *engine || fail_engine(name, error);
}

bool tn_question_settings(const struct tn_session *session, const struct tn_request *request,
                          const struct tn_rules *rules, struct tn_question *question, struct tn_error *error)
{
    struct tn_given_settings settings;
    struct tn_deployment *deployment = &question->deployment;
    *question = (struct tn_question){.session = session, .asked = *request, .request = *request};
    if (!tn_read_settings(&question->request, rules, &settings, error)) {
        return false;
    }
    deployment->sets = settings.sets;
    deployment->set_count = settings.count;
    deployment->context_setting = settings.context_setting;
    return true;
}

bool tn_question_open(const struct tn_session *session, const struct tn_request *request, struct tn_question *question,
                      struct tn_error *error)
{
    const struct tn_input_value *value = &request->values[TN_INPUT_ENGINE];
    struct tn_str name = value->given ? value->text : tn_str_of(tn_engine_generic.name);
    const struct tn_engine *engine;
    struct tn_str version;
    struct tn_planner planner = {0};
    *question = (struct tn_question){0};
    bool done = tn_read_engine(name, &engine, &version, error)
                && tn_planner_open(&planner, engine, session->catalog, NULL, version, error)
                && tn_question_settings(session, request, planner.rules, question, error);
    planner.budget = session->budget;
    question->planner = planner;
    return done;
}

void tn_question_free(struct tn_question *question)
{
    tn_planner_close(&question->planner);
}

bool tn_question_read(struct tn_question *question, const struct tn_model *model, struct tn_error *error)
{
    struct tn_deployment *deployment = &question->deployment;
    const struct tn_input_value *values = question->request.values;
    const struct tn_input_value *concurrency = &values[TN_INPUT_CONCURRENCY];
    const struct tn_input_value *overhead = &values[TN_INPUT_OVERHEAD];
    question->planner.model = model;
    if (question->planner.engine->has_record && model->source == TN_SOURCE_PARAMETERS) {
        tn_fail(error, TN_ERROR_USAGE, "%s lays tensors on GPUs, and a model by its numbers alone has none",
                question->planner.engine->name);
        tn_fail_at(error, -1, "--params");
        return tn_fail_hint(error, "name a model, give its config.json, or leave --engine out");
    }
    if (!read_memory(question, error) || !tn_question_calibrate(question, error)
        || !read_context(model, question, error)) {
        return false;
    }
    deployment->concurrency = concurrency->given ? concurrency->number : 1;
    deployment->overhead_ppm = overhead->given ? (uint32_t)overhead->number : DEFAULT_OVERHEAD_PPM;
    add_setting(question, "concurrency", deployment->concurrency, (struct tn_str){0},
                origin_of(concurrency, TN_ORIGIN_DEFAULT));
    add_setting(question, "dtype", 0, tn_str_of(model->dtype->name),
                origin_of(&values[TN_INPUT_DTYPE], TN_ORIGIN_CONFIG));
    if (!read_kv_dtype(model, question, error) || !read_parallel(question, error)) {
        return false;
    }
    add_setting(question, "overhead_ppm", deployment->overhead_ppm, (struct tn_str){0},
                origin_of(overhead, TN_ORIGIN_DEFAULT));
    return true;
}

bool tn_may_split(const struct tn_question *question)
{
    static const char *const says_how[] = {"tensor_split", "split_mode", "n_gpu_layers", "device"};
    const struct tn_deployment *deployment = &question->deployment;
    bool is_open = question->planner.engine == &tn_engine_llamacpp && deployment->gpu_memory_bytes;
    for (size_t k = 0; k < deployment->set_count; k++) {
        for (size_t n = 0; n < sizeof says_how / sizeof says_how[0]; n++) {
            is_open = is_open && !tn_str_is(deployment->sets[k].name, says_how[n]);
        }
    }
    return is_open;
}
