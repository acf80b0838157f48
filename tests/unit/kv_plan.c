/* Caches of real models on one rank, and vLLM's plan of them. */
#include "kv_plan.h"

#include "format/dtype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void kv_plan_load(struct kv_plan *plan, struct made_up *made_up, const char *model, uint32_t tp, bool has_draft)
{
    bool is_config = model[0] == '{';
    *plan =
        (struct kv_plan){.model = is_config ? made_up_load(made_up, model) : made_up_load_named(made_up, model, "")};
    if (!plan->model) {
        fail_msg("%s: %s", model, made_up->error.message);
    }
    struct tn_deployment deployment = {.tp = tp, .pp = 1, .ep = 1, .dp = 1, .kv_dtype = tn_dtype_find(TN_STR("BF16"))};
    if (!tn_kv_layers_of(plan->model, &deployment, has_draft, &plan->arena, &plan->layers, &plan->error)) {
        fail_msg("%s: %s", model, plan->error.message);
    }
}

bool kv_plan_start(struct kv_plan *plan, struct tn_vllm_kv_options options, uint64_t available_bytes)
{
    enum { MOST_STAGES = 8 };
    uint64_t available[MOST_STAGES];
    for (uint32_t k = 0; k < MOST_STAGES; k++) {
        available[k] = available_bytes;
    }
    options.model_bytes = options.model_bytes ? options.model_bytes : 2;
    plan->error = (struct tn_error){.offset = -1};
    if (!tn_vllm_kv_prepare(&plan->layers, &options, &plan->arena, &plan->kv, &plan->error)) {
        return false;
    }
    tn_vllm_kv_size(&plan->kv, available, &plan->pool);
    return true;
}

void kv_plan_close(struct kv_plan *plan)
{
    tn_model_free(plan->model);
    tn_arena_free(&plan->arena);
}

uint64_t kv_plan_gib(double gib)
{
    return (uint64_t)(gib * 1073741824.0);
}
