/* Comparing totals. A published total counts what lies in the files; the causes of a difference are known and each is recognised
 * by its exact amount. */
#include "model/remarks.h"

#include "model/architecture.h"

static const struct tn_group *embedding_of(const struct tn_model *model)
{
    for (size_t k = 0; k < model->group_count; k++) {
        if (model->groups[k].class == TN_CLASS_EMBED && !model->groups[k].layers) {
            return &model->groups[k];
        }
    }
    return NULL;
}

static uint64_t parameters_of_stack(const struct tn_model *model, const char *stack)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        sum += tn_str_is(model->groups[k].stack, stack) ? model->groups[k].parameters : 0;
    }
    return sum;
}

/* Numbers as stored: packed weights and scales count each as one. */
static uint64_t stored_elements(const struct tn_model *model)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        uint64_t elements = group->tensors;
        for (uint32_t d = 0; d < group->dim_count; d++) {
            elements *= group->dims[d];
        }
        sum += elements;
    }
    return sum;
}

static uint64_t router_bias_elements(const struct tn_model *model)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        bool is_bias = tn_str_ends(model->groups[k].name, TN_STR("e_score_correction_bias"));
        sum += is_bias ? model->groups[k].parameters : 0;
    }
    return sum;
}

/* What a published total is compared with: all that the architecture has. */
static uint64_t whole_parameters(const struct tn_model *model)
{
    return model->parameters + model->parameters_left_out;
}

static const char *cause_of(const struct tn_model *model)
{
    uint64_t ours = whole_parameters(model);
    uint64_t theirs = model->published_parameters;
    uint64_t more = theirs > ours ? theirs - ours : 0;
    uint64_t less = ours > theirs ? ours - theirs : 0;
    const struct tn_group *embedding = embedding_of(model);
    if (more && model->companion_elements == more) {
        return "it counts the scales of the quantised weights as parameters";
    }
    if (more && model->tied_bytes && embedding && embedding->parameters == more) {
        return "its files hold lm_head although it is tied to the embedding";
    }
    if (more && model->layer_count && more % model->layer_count == 0 && more / model->layer_count <= 256) {
        return "its files hold a small buffer in every layer (rotary_emb.inv_freq)";
    }
    if (model->quant.size && theirs == stored_elements(model)) {
        return "it counts packed weights and their scales as they are stored";
    }
    if (less && less == parameters_of_stack(model, "mtp")) {
        return "it leaves the multi-token prediction layers out";
    }
    if (less && less == router_bias_elements(model)) {
        return "it leaves the correction biases of the routers out";
    }
    if (model->quant.size && theirs < ours) {
        return "it belongs to a packed checkpoint: packed weights count as stored";
    }
    /* two 4-bit weights in a byte, their scales, and what stays in 16 bits: a little over one half */
    if (theirs > ours / 2 && theirs < ours / 3 * 2) {
        return "it is that of a packed 4-bit checkpoint, in which two weights count as one; this config names no "
               "quantization";
    }
    return NULL;
}

/* Of a GGUF the tower is a file of its own, which the record of the text does not predict. */
static uint64_t parameters_of_towers(const struct tn_model *model)
{
    uint64_t parameters = 0;
    for (size_t k = 0; model->source == TN_SOURCE_GGUF && k < model->group_count; k++) {
        parameters += model->groups[k].class == TN_CLASS_VISION ? model->groups[k].parameters : 0;
    }
    return parameters; /* at most model->parameters, which did not overflow */
}

void tn_model_remark(struct tn_model *model, uint64_t predicted_parameters)
{
    uint64_t ours = whole_parameters(model);
    if (model->published_parameters && model->published_parameters != ours) {
        const char *cause = cause_of(model);
        tn_model_note(model, cause ? "published_total_differs" : "published_total_unexplained",
                      "the published total is %llu, %s%llu: %s", (unsigned long long)model->published_parameters,
                      model->published_parameters > ours ? "+" : "-",
                      (unsigned long long)(model->published_parameters > ours ? model->published_parameters - ours
                                                                              : ours - model->published_parameters),
                      cause ? cause : "the cause is not known");
    }
    bool is_unknown = tn_str_is(model->architecture, TN_UNKNOWN_ARCHITECTURE); /* said already */
    if (model->compiled && !model->verified && !is_unknown) {
        tn_model_note(model, "unverified",
                      "record " TN_STR_FORMAT
                      " is unverified: no published total, index or reference implementation backs it",
                      TN_STR_ARGUMENTS(model->architecture));
    }
    const struct tn_check *check = &model->check;
    if (check->missing_count || check->extra_count || check->different_count) {
        tn_model_note(model, "header_differs",
                      "header and prediction differ: %zu tensors missing, %zu extra, %zu of another shape; the bytes "
                      "are the header's",
                      check->missing_count, check->extra_count, check->different_count);
    }
    bool by_header = model->source == TN_SOURCE_GGUF || model->source == TN_SOURCE_SAFETENSORS;
    if (by_header && predicted_parameters && predicted_parameters != model->parameters
        && predicted_parameters != model->parameters - parameters_of_towers(model)) {
        tn_model_note(model, "prediction_differs", "the record predicts %llu parameters, the header holds %llu",
                      (unsigned long long)predicted_parameters, (unsigned long long)model->parameters);
    }
    uint64_t mtp = parameters_of_stack(model, "mtp");
    if (mtp) {
        tn_model_note(
            model, "mtp",
            "%llu of the parameters are multi-token prediction layers: engines load them only to speculate, the "
            "generic one counts them",
            (unsigned long long)mtp);
    }
    if (model->tied_bytes) {
        tn_model_note(model, "tied", "the head shares the embedding; it is counted once");
    }
    if (model->companion_elements && model->quant.size) {
        tn_model_note(model, "scales",
                      "%llu scales and zero points of the quantised weights are in the bytes, not in the parameters",
                      (unsigned long long)model->companion_elements);
    }
}
