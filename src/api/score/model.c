/* The model of a measured record: names of builds and of quantised copies, and what they are built from. */
#include "api/score/work.h"

#include <math.h>

/* ---- names of quantisations ------------------------------------------------------------------------------------------- */

/* As records name them: what builds of that kind end in on the hub, and the quantisation that --quant takes for a model that has no such
 * build in the catalog. */
static const struct quant_name {
    const char *name;
    const char *suffix;
    const char *quant;
} quant_names[] = {
    {"awq", "AWQ", "awq"},
    {"gptq", "GPTQ-Int4", "gptq"},
    {"nvfp4", "NVFP4", "nvfp4"},
    {"modelopt", "NVFP4", "nvfp4"},
    {"modelopt_fp4", "NVFP4", "nvfp4"},
    {"bitsandbytes", "bnb-4bit", "bnb-4bit"},
    {"bitsandbytes-int8", "bnb-8bit", "bnb-8bit"},
    {"fp8", "FP8", "modelopt-fp8"},
    {"compressed-tensors", "FP8-dynamic", "ct-fp8"},
    {"mxfp4", "MXFP4", "mxfp4"},
};

static const struct quant_name *quant_named(struct tn_str name)
{
    for (size_t k = 0; k < sizeof quant_names / sizeof quant_names[0]; k++) {
        if (tn_str_equal_any_case(name, tn_str_of(quant_names[k].name))) {
            return &quant_names[k];
        }
    }
    return NULL;
}

/* ---- the model -------------------------------------------------------------------------------------------------------- */

static bool load(struct tn_score_work *work, struct tn_str name)
{
    tn_model_free(work->model);
    work->model = tn_request_model(work->session, &work->request, name, work->error);
    return work->model != NULL;
}

/* "Qwen/Qwen3.6-35B-A3B" built as NVFP4: "Qwen3.6-35B-A3B-NVFP4", whoever made it, where the catalog has it. */
static bool build_name(struct tn_score_work *work, const struct quant_name *quant, struct tn_str *name)
{
    struct tn_str model = work->measurement->model;
    size_t slash = tn_str_find(model, TN_STR("/"));
    struct tn_builder builder = {0};
    tn_builder_add(&builder, slash == SIZE_MAX ? model : tn_str_slice(model, slash + 1, model.size));
    tn_builder_addf(&builder, "-%s", quant->suffix);
    bool done = !builder.failed && tn_str_copy(work->scratch, tn_builder_str(&builder), name);
    tn_builder_free(&builder);
    return done || tn_fail_memory(work->error);
}

/* A quantisation that the checkpoint does not have: made while it is loaded, or of a copy of it. */
static bool quantise(struct tn_score_work *work, const struct quant_name *quant)
{
    return tn_score_input(work, TN_INPUT_QUANT, tn_str_of(quant->quant)) && load(work, work->measurement->model);
}

/* The dtype of a record is that of the computation: of weights too, where they are not quantised. */
static bool convert(struct tn_score_work *work)
{
    const struct tn_dtype *dtype = tn_dtype_find(work->measurement->dtype);
    bool changes = dtype && !work->model->quant.size && dtype != work->model->dtype;
    return !changes
           || (tn_score_input(work, TN_INPUT_DTYPE, work->measurement->dtype) && load(work, work->measurement->model));
}

/* ---- names of copies -------------------------------------------------------------------------------------------------- */

/* What copies of a model end in on the hub, and how they are quantised; the first that fits counts. maker: only of that organisation;
 * NULL: of any. quant "": only the dtype is another. */
static const struct {
    const char *suffix;
    const char *maker;
    const char *quant;
} copies[] = {
    {"-unsloth-bnb-4bit", NULL, "bnb-4bit"},
    {"-bnb-4bit", NULL, "bnb-4bit"},
    {"-bnb-8bit", NULL, "bnb-8bit"},
    {"-FP8-dynamic", NULL, "ct-fp8"},
    {"-quantized.w8a8", NULL, "ct-int8"},
    {"-W8A8", NULL, "ct-int8"},
    {"-quantized.w4a16", NULL, "ct-packed"},
    {"-W4A16", NULL, "ct-packed"},
    {"-AWQ-INT4", NULL, "awq"},
    {"-AWQ-4bit", NULL, "awq"},
    {"-AWQ", NULL, "awq"},
    {"-GPTQ-Int4", NULL, "gptq"},
    {"-GPTQ", NULL, "gptq"},
    {"-NVFP4", NULL, "nvfp4"},
    {"-FP4", "nvidia", "nvfp4"},
    {"-FP8", "nvidia", "modelopt-fp8"},
    {"-FP8", "RedHatAI", "ct-fp8"},
    {"-FP8", "neuralmagic", "ct-fp8"},
    {"-FP8", NULL, "fp8-block"},
    {"-fp16", NULL, ""},
    {"-bf16", NULL, ""},
};

static bool ends_in(struct tn_str name, struct tn_str suffix)
{
    size_t start = name.size > suffix.size ? name.size - suffix.size : 0;
    return name.size > suffix.size && tn_str_equal_any_case(tn_str_slice(name, start, name.size), suffix);
}

/* Loads what the name is a copy of, quantised as its end says. false without an error where the name says nothing of that. */
static bool load_copy(struct tn_score_work *work)
{
    struct tn_str name = work->measurement->model;
    size_t slash = tn_str_find(name, TN_STR("/"));
    struct tn_str maker = tn_str_slice(name, 0, slash == SIZE_MAX ? 0 : slash);
    struct tn_str rest = slash == SIZE_MAX ? name : tn_str_slice(name, slash + 1, name.size);
    for (size_t k = 0; k < sizeof copies / sizeof copies[0]; k++) {
        struct tn_str suffix = tn_str_of(copies[k].suffix);
        bool is_maker = !copies[k].maker || tn_str_equal_any_case(maker, tn_str_of(copies[k].maker));
        if (is_maker && ends_in(rest, suffix)) {
            struct tn_str base = tn_str_slice(rest, 0, rest.size - suffix.size);
            return tn_catalog_find_model(work->session->catalog, base, NULL)
                   && tn_score_input(work, TN_INPUT_QUANT, tn_str_of(copies[k].quant)) && load(work, base);
        }
    }
    return false;
}

/* ---- models of llama.cpp ---------------------------------------------------------------------------------------------- */

/* As its GGUF would be loaded. */
static bool load_described(struct tn_score_work *work)
{
    const struct tn_described_model *described = work->measurement->described;
    struct tn_model_input input = {
        .id = described->name, .header = &described->header, .header_is_gguf = true, .header_where = described->name};
    work->model = tn_model_load(work->session->catalog, &input, work->error);
    return work->model != NULL;
}

/* Whether the file is as large as one of the mix that its type names: what is more is its vocabulary. */
static bool is_usual_mix(const struct tn_measurement *measurement, const struct tn_model *model)
{
    static const double share = 0.001;
    static const double vocabulary_bytes = 16 * 0x1p20;
    const struct tn_figure *file = &measurement->model_file;
    double bytes = (double)model->checkpoint_bytes;
    return !file->known
           || fabs((double)file->value - bytes) <= (double)file->rounding + vocabulary_bytes + share * bytes;
}

/* Any mix stands in for one that is not known: the weights are then not compared, and caches do not depend on it. */
static bool load_mix(struct tn_score_work *work)
{
    const struct tn_measurement *measurement = work->measurement;
    bool is_known = measurement->quant.size > 0;
    bool done = tn_score_input(work, TN_INPUT_QUANT, is_known ? measurement->quant : TN_STR("q8_0"))
                && load(work, measurement->model);
    work->has_other_weights = done && is_known && !is_usual_mix(measurement, work->model);
    return done;
}

bool tn_score_model(struct tn_score_work *work)
{
    const struct tn_measurement *measurement = work->measurement;
    if (measurement->device_count) {
        return measurement->described ? load_described(work) : load_mix(work);
    }
    if (measurement->quant.size) {
        return tn_score_input(work, TN_INPUT_QUANT, measurement->quant) && load(work, measurement->model);
    }
    const struct quant_name *quant = quant_named(measurement->quantization);
    struct tn_str name = measurement->model;
    struct tn_str build;
    if (quant && measurement->is_build) {
        if (!build_name(work, quant, &build)) {
            return false;
        }
        name = tn_catalog_find_model(work->session->catalog, build, NULL) ? build : name;
    }
    if (!load(work, name)) {
        work->scored->is_derived = work->error->code == TN_ERROR_UNKNOWN_MODEL && load_copy(work);
        return work->scored->is_derived;
    }
    bool is_other = measurement->is_build && tn_str_equal(name, measurement->model);
    if (quant && (!work->model->quant.size || is_other)) {
        return quantise(work, quant);
    }
    return measurement->quantization.size || convert(work);
}
