#include "fit/space.h"

bool tn_fit_has_experts(const struct tn_model *model)
{
    for (size_t k = 0; k < model->term_count; k++) {
        if (model->terms[k].class == TN_CLASS_EXPERT) {
            return true;
        }
    }
    return false;
}

static bool is_allowed(const struct tn_deployment *asked, const struct tn_fit_division *division)
{
    bool is_short = division->pp <= TN_FIT_MOST_STAGES || asked->pp;
    return is_short && (!asked->tp || asked->tp == division->tp) && (!asked->pp || asked->pp == division->pp)
           && (!asked->ep || asked->ep == division->ep) && (!asked->dp || asked->dp == division->dp);
}

size_t tn_fit_divisions(const struct tn_fit_space *space, const struct tn_model *model, uint32_t gpus,
                        struct tn_fit_division divisions[TN_FIT_MOST_DIVISIONS])
{
    bool experts = tn_fit_has_experts(model);
    size_t count = 0;
    if (gpus > TN_FIT_MACHINE && gpus % TN_FIT_MACHINE) {
        return 0;
    }
    for (uint32_t tp = TN_FIT_MACHINE; tp >= 1; tp--) {
        uint32_t rest = gpus / tp;
        const struct tn_fit_division ways[] = {{tp, rest, 1, 1}, {tp, rest, tp, 1}, {tp, 1, gpus, rest}};
        for (size_t k = 0; k < sizeof ways / sizeof ways[0] && gpus % tp == 0; k++) {
            bool is_new = k == 0 || (experts && (k == 1 ? tp > 1 : rest > 1));
            if (is_new && is_allowed(&space->asked, &ways[k])) {
                divisions[count++] = ways[k];
            }
        }
    }
    const struct tn_deployment *asked = &space->asked;
    if (!count && asked->dp > 1 && gpus % asked->dp == 0) { /* copies side by side, as they were asked for */
        uint32_t of_copy = gpus / asked->dp;
        for (uint32_t tp = TN_FIT_MACHINE; tp >= 1; tp--) {
            struct tn_fit_division way = {tp, of_copy / tp, asked->ep ? asked->ep : 1, asked->dp};
            if (of_copy % tp == 0 && is_allowed(asked, &way)) {
                divisions[count++] = way;
            }
        }
    }
    return count;
}

struct tn_deployment tn_fit_deployment(const struct tn_fit_space *space, const struct tn_fit_kv *kv,
                                       const struct tn_fit_gpu *gpu, const struct tn_fit_division *division)
{
    struct tn_deployment deployment = space->asked;
    deployment.gpu = gpu->gpu;
    deployment.gpu_memory_bytes = gpu->memory_bytes;
    deployment.tp = division->tp;
    deployment.pp = division->pp;
    deployment.ep = division->ep;
    deployment.dp = division->dp;
    deployment.kv_dtype = kv->dtype;
    deployment.kv_dtype_name = kv->is_named ? kv->name : (struct tn_str){0};
    return deployment;
}
