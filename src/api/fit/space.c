/* The space of a request: quantisations and dtypes that the engine has, GPUs that were named or have a price. */
#include "api/fit/fit.h"

#include "api/price.h"
#include "engine/record/facts.h"
#include "plan/cache.h"

#include <stdlib.h>

enum { MOST_WEIGHTS = 16, MOST_KVS = 8, USUAL_GPUS = TN_FIT_MACHINE };

/* What people choose from for each engine: the checkpoint as it is, and these. An engine refuses what it does not have. */
static const struct choices {
    const char *engine;
    const char *quants;
    const char *kv_dtypes;
} choices[] = {
    {"generic", "int8 int4", "fp8"},
    {"vllm", "fp8 awq nvfp4", "fp8"},
    {"sglang", "fp8 awq nvfp4", "fp8_e5m2"},
    {"trtllm", "fp8 awq nvfp4", "fp8"},
    {"tgi", "fp8 awq", "fp8_e5m2"},
    {"transformers", "int8 nf4", ""},
    {"llamacpp", "q8_0 q6_k q5_k_m q4_k_m q3_k_m q2_k", "q8_0 q4_0"},
    {"ollama", "q8_0 q6_k q5_k_m q4_k_m q3_k_m q2_k", "q8_0 q4_0"},
};

static const struct choices *choices_of(const struct tn_engine *engine)
{
    for (size_t k = 0; k < sizeof choices / sizeof choices[0]; k++) {
        if (tn_str_is(tn_str_of(engine->name), choices[k].engine)) {
            return &choices[k];
        }
    }
    return &choices[0];
}

/* ---- weights ------------------------------------------------------------------------------------------------------ */

static uint32_t millibits_of(uint64_t bytes, uint64_t count)
{
    static const double BITS = 8000;
    return count ? (uint32_t)((double)bytes * BITS / (double)count) : 0;
}

static void add_weights(struct tn_fit *fit, struct tn_str quant, struct tn_model *model, struct tn_fit_space *space)
{
    struct tn_fit_weights *weights = &space->weights[space->weights_count++];
    *weights = (struct tn_fit_weights){
        .quant = quant, .model = model, .millibits = millibits_of(model->checkpoint_bytes, model->parameters)};
    tn_planner_share(&fit->question.planner, model, &weights->planner);
}

/* The model again in that quantisation; one that it cannot have is left out. */
static void add_quant(struct tn_fit *fit, struct tn_str quant, struct tn_fit_space *space)
{
    struct tn_request request = fit->question.request;
    request.arena = fit->arena;
    request.values[TN_INPUT_QUANT] = (struct tn_input_value){0};
    if (!tn_request_set(&request, TN_INPUT_QUANT, quant, NULL)) {
        return;
    }
    struct tn_model *model = tn_request_model(fit->session, &request, request.values[TN_INPUT_MODEL].text, NULL);
    if (model) {
        add_weights(fit, quant, model, space);
    }
}

static int compare_weights(const void *left, const void *right)
{
    const struct tn_fit_weights *a = left;
    const struct tn_fit_weights *b = right;
    return (a->millibits < b->millibits) - (a->millibits > b->millibits);
}

/* Weights that are quantised already, or lie in a file of their own, are taken as they are. */
static bool open_weights(struct tn_fit *fit, bool all, struct tn_fit_space *space)
{
    const struct tn_model *model = fit->model;
    bool is_plain = !model->quant.size && !fit->question.request.values[TN_INPUT_QUANT].given
                    && model->dtype->block_bytes >= 2 && model->source != TN_SOURCE_GGUF
                    && model->source != TN_SOURCE_PARAMETERS;
    struct tn_str rest = tn_str_of(all && is_plain ? choices_of(fit->question.planner.engine)->quants : "");
    space->weights = TN_NEW_ARRAY(fit->arena, struct tn_fit_weights, MOST_WEIGHTS);
    if (!space->weights) {
        return tn_fail_memory(fit->error);
    }
    add_weights(fit, (struct tn_str){0}, fit->model, space);
    for (struct tn_str word = tn_str_word(&rest); word.size && space->weights_count < MOST_WEIGHTS;
         word = tn_str_word(&rest)) {
        add_quant(fit, word, space);
    }
    qsort(space->weights, space->weights_count, sizeof space->weights[0], compare_weights);
    return true;
}

/* ---- caches ------------------------------------------------------------------------------------------------------- */

static void add_kv(struct tn_fit_space *space, struct tn_str name, const struct tn_dtype *dtype, bool is_named)
{
    if (dtype) {
        space->kvs[space->kv_count++] =
            (struct tn_fit_kv){.name = name,
                               .dtype = dtype,
                               .is_named = is_named,
                               .millibits = millibits_of(dtype->block_bytes, dtype->block_elements)};
    }
}

static bool open_kvs(struct tn_fit *fit, bool all, struct tn_fit_space *space)
{
    const struct tn_engine *engine = fit->question.planner.engine;
    const struct tn_deployment *deployment = &fit->question.deployment;
    bool is_given = fit->question.request.values[TN_INPUT_KV_DTYPE].given;
    struct tn_str rest = tn_str_of(all && !is_given ? choices_of(engine)->kv_dtypes : "");
    space->kvs = TN_NEW_ARRAY(fit->arena, struct tn_fit_kv, MOST_KVS);
    if (!space->kvs) {
        return tn_fail_memory(fit->error);
    }
    add_kv(space, deployment->kv_dtype_name, deployment->kv_dtype, deployment->kv_dtype_name.size > 0);
    for (struct tn_str word = tn_str_word(&rest); word.size && space->kv_count < MOST_KVS; word = tn_str_word(&rest)) {
        const struct tn_dtype *dtype = tn_dtype_find(word);
        add_kv(space, word, dtype ? dtype : deployment->kv_dtype, engine->has_record);
    }
    return true;
}

/* ---- GPUs --------------------------------------------------------------------------------------------------------- */

static void add_gpu(struct tn_fit *fit, const struct tn_gpu *gpu, uint64_t memory_bytes, struct tn_fit_space *space)
{
    space->gpus[space->gpu_count++] = (struct tn_fit_gpu){
        .gpu = gpu,
        .memory_bytes = memory_bytes,
        .usd_millionths_per_hour = gpu ? tn_request_price(fit->session, &fit->question.request, gpu, NULL) : 0};
}

static bool add_named(struct tn_fit *fit, struct tn_str name, size_t most, struct tn_fit_space *space)
{
    const struct tn_gpu *gpu = tn_catalog_find_gpu(fit->session->catalog, name, fit->error);
    if (!gpu) {
        return tn_fail_at(fit->error, -1, "--gpus");
    }
    if (!gpu->memory_bytes) {
        tn_fail(fit->error, TN_ERROR_UNKNOWN_GPU,
                "the memory of " TN_STR_FORMAT " is not in the catalog: it is not known, or depends on the machine",
                TN_STR_ARGUMENTS(gpu->name));
        return tn_fail_at(fit->error, -1, "--gpus");
    }
    for (size_t k = 0; k < space->gpu_count; k++) {
        if (space->gpus[k].gpu == gpu) {
            return true;
        }
    }
    if (space->gpu_count < most) {
        add_gpu(fit, gpu, gpu->memory_bytes, space);
    }
    return true;
}

/* "a100-80gb,h100-80gb", several times */
static bool add_list(struct tn_fit *fit, size_t most, struct tn_fit_space *space)
{
    const struct tn_input_value *lists = &fit->question.request.values[TN_INPUT_GPUS];
    bool done = true;
    for (size_t k = 0; k < lists->item_count; k++) {
        struct tn_str rest = lists->items[k];
        while (done && rest.size) {
            size_t end = tn_str_find(rest, TN_STR(","));
            struct tn_str name = tn_str_trim(tn_str_slice(rest, 0, end));
            done = !name.size || add_named(fit, name, most, space);
            rest = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(rest, end + 1, rest.size);
        }
    }
    return done;
}

/* Those with a price first, the largest memory first: what they hold rules many others out. */
static int compare_gpus(const void *left, const void *right)
{
    const struct tn_fit_gpu *a = left;
    const struct tn_fit_gpu *b = right;
    bool has_price_a = a->usd_millionths_per_hour > 0;
    bool has_price_b = b->usd_millionths_per_hour > 0;
    if (has_price_a != has_price_b) {
        return has_price_a ? -1 : 1;
    }
    if (a->memory_bytes != b->memory_bytes) {
        return a->memory_bytes < b->memory_bytes ? 1 : -1;
    }
    return (a->usd_millionths_per_hour > b->usd_millionths_per_hour)
           - (a->usd_millionths_per_hour < b->usd_millionths_per_hour);
}

/* GPUs of one compute capability stand together, at the place of the first: weights may be laid out by it, and are laid out anew for each. */
static void group_gpus(struct tn_fit_space *space)
{
    for (size_t k = 0; k + 1 < space->gpu_count; k++) {
        uint32_t capability = tn_gpu_compute_capability(space->gpus[k].gpu);
        size_t next = k + 1;
        while (next < space->gpu_count && tn_gpu_compute_capability(space->gpus[next].gpu) != capability) {
            next++;
        }
        struct tn_fit_gpu moved = next < space->gpu_count ? space->gpus[next] : (struct tn_fit_gpu){0};
        for (; next < space->gpu_count && next > k + 1; next--) {
            space->gpus[next] = space->gpus[next - 1];
        }
        if (moved.memory_bytes) {
            space->gpus[k + 1] = moved;
        }
    }
}

static bool open_gpus(struct tn_fit *fit, bool several, struct tn_fit_space *space)
{
    const struct tn_input_value *values = fit->question.request.values;
    const struct tn_deployment *deployment = &fit->question.deployment;
    size_t count;
    const struct tn_gpu *gpus = tn_catalog_gpus(fit->session->catalog, &count);
    bool done = true;
    space->gpus = TN_NEW_ARRAY(fit->arena, struct tn_fit_gpu, count + 1);
    if (!space->gpus) {
        return tn_fail_memory(fit->error);
    }
    if (values[TN_INPUT_GPUS].given && (deployment->gpu_memory_bytes || !several)) {
        tn_fail(fit->error, TN_ERROR_USAGE,
                several ? "--gpu and --gpus: give one of the two" : "--gpus is for --min and for the search");
        tn_fail_at(fit->error, -1, "--gpus");
        return tn_fail_hint(fit->error, "--gpu NAMExCOUNT names the GPUs that there are");
    }
    if (deployment->gpu_memory_bytes) {
        add_gpu(fit, deployment->gpu, deployment->gpu_memory_bytes, space);
        space->gpus[0].usd_millionths_per_hour = deployment->device_count
                                                     ? tn_fit_price(fit, &fit->question) / deployment->device_count
                                                     : space->gpus[0].usd_millionths_per_hour;
    } else if (values[TN_INPUT_GPUS].given) {
        done = add_list(fit, count, space);
    } else if (several) {
        for (size_t k = 0; k < count; k++) {
            if (gpus[k].memory_bytes && tn_request_price(fit->session, &fit->question.request, &gpus[k], NULL)) {
                add_gpu(fit, &gpus[k], gpus[k].memory_bytes, space);
            }
        }
    }
    if (done && !space->gpu_count) {
        tn_fail(fit->error, TN_ERROR_USAGE, "no GPU given");
        return tn_fail_hint(fit->error, "name one with --gpu NAME[xCOUNT], or its memory with --gpu-memory SIZE");
    }
    if (space->gpu_count) {
        qsort(space->gpus, space->gpu_count, sizeof space->gpus[0], compare_gpus);
        group_gpus(space);
    }
    return done;
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

static uint32_t given_number(const struct tn_request *request, enum tn_input input)
{
    return request->values[input].given ? (uint32_t)request->values[input].number : 0;
}

static void count_gpus(const struct tn_fit *fit, bool counts, struct tn_fit_space *space)
{
    const struct tn_request *request = &fit->question.request;
    const struct tn_deployment *deployment = &fit->question.deployment;
    uint32_t asked = deployment->tp * deployment->pp * deployment->dp;
    uint32_t most = given_number(request, TN_INPUT_MAX_GPUS);
    counts = counts && !deployment->device_count; /* which of GPUs that are not alike is a question of its own */
    asked = fit->question.gpu_count > asked ? fit->question.gpu_count : asked;
    space->least_gpus = counts ? 1 : asked;
    space->most_gpus = counts ? (most ? most : asked > USUAL_GPUS ? asked : USUAL_GPUS) : asked;
}

bool tn_fit_space_open(struct tn_fit *fit, const struct tn_fit_dimensions *dimensions, struct tn_fit_space *space)
{
    const struct tn_request *request = &fit->question.request;
    *space = (struct tn_fit_space){.asked = fit->question.deployment};
    space->asked.tp = given_number(request, TN_INPUT_TP);
    space->asked.pp = given_number(request, TN_INPUT_PP);
    space->asked.ep = given_number(request, TN_INPUT_EP);
    space->asked.dp = given_number(request, TN_INPUT_DP);
    space->most_usd_millionths_per_hour =
        request->values[TN_INPUT_MAX_COST].given ? request->values[TN_INPUT_MAX_COST].number : 0;
    count_gpus(fit, dimensions->counts, space);
    space->splits = tn_may_split(&fit->question);
    return open_gpus(fit, dimensions->gpus, space) && open_weights(fit, dimensions->quants, space)
           && open_kvs(fit, dimensions->kv_dtypes, space);
}

void tn_fit_space_free(struct tn_fit_space *space)
{
    for (size_t k = 0; k < space->weights_count; k++) {
        tn_planner_close(&space->weights[k].planner);
        if (space->weights[k].quant.size) { /* the model of the question is the result's */
            tn_model_free(space->weights[k].model);
        }
    }
}

void tn_fit_change_point(const struct tn_fit *fit, const struct tn_fit_space *space, const struct tn_fit_point *point,
                         struct tn_variant *variant)
{
    const struct tn_fit_kv *kv = &space->kvs[point->kv];
    const struct tn_fit_weights *weights = &space->weights[point->weights];
    if (weights->quant.size) {
        tn_variant_change(variant, fit->arena, TN_INPUT_QUANT, TN_STR_FORMAT, TN_STR_ARGUMENTS(weights->quant));
    }
    if (kv != &space->kvs[0]) {
        tn_variant_change(variant, fit->arena, TN_INPUT_KV_DTYPE, TN_STR_FORMAT, TN_STR_ARGUMENTS(kv->name));
    }
    tn_fit_change_gpus(fit, space->gpus[point->gpu].gpu, &point->division, variant);
    if (point->split.gpus) {
        tn_variant_change(variant, fit->arena, TN_INPUT_SET, "tensor_split=%s", point->split.text);
    }
    if (point->offload) {
        tn_variant_change(variant, fit->arena, TN_INPUT_SET, "%s=%llu", tn_fit_offload_settings[point->offload],
                          (unsigned long long)point->offload_value);
    }
}
