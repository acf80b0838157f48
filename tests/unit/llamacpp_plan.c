/* Plans of GGUF files by llama.cpp. */
#include "llamacpp_plan.h"

#include "made_up.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { MOST_SETTINGS = 16, SETTINGS_SIZE = 512 };

void llamacpp_open(struct llamacpp_plan *plan, const struct tn_catalog *catalog, const struct tn_model *model,
                   const char *version)
{
    *plan = (struct llamacpp_plan){.catalog = catalog, .model = model};
    const struct tn_engine *engine = tn_engine_find(TN_STR("llamacpp"));
    if (!tn_planner_open(&plan->planner, engine, catalog, model, tn_str_of(version), &plan->error)) {
        fail_msg("%s", plan->error.message);
    }
}

void llamacpp_close(struct llamacpp_plan *plan)
{
    tn_planner_close(&plan->planner);
    tn_arena_free(&plan->arena);
}

bool llamacpp_try(struct llamacpp_plan *plan, uint32_t gpu_count, const char *settings)
{
    struct tn_assignment sets[MOST_SETTINGS];
    char text[SETTINGS_SIZE];
    (void)snprintf(text, sizeof text, "server=false no_mmap=true %s%s", gpu_count ? "" : "device=none ", settings);
    struct tn_deployment deployment = {.tp = 1,
                                       .pp = gpu_count ? gpu_count : 1,
                                       .ep = 1,
                                       .dp = 1,
                                       .gpu_memory_bytes = plan->memory_bytes,
                                       .context_tokens = plan->context_tokens ? plan->context_tokens : 512,
                                       .concurrency = 1,
                                       .sets = sets,
                                       .set_count = made_up_sets(text, sets, MOST_SETTINGS)};
    deployment.kv_dtype = tn_dtype_find(TN_STR("F16"));
    tn_arena_reset(&plan->arena);
    plan->ledger = (struct tn_ledger){.arena = &plan->arena, .wants_text = true};
    plan->error = (struct tn_error){0};
    return plan->planner.engine->plan(&plan->planner, &deployment, &plan->ledger, &plan->error);
}

void llamacpp_run(struct llamacpp_plan *plan, uint32_t gpu_count, const char *settings)
{
    if (!llamacpp_try(plan, gpu_count, settings)) {
        fail_msg("%s: %s (%s)", settings, plan->error.message, plan->error.where);
    }
}

uint64_t llamacpp_bytes(const struct llamacpp_plan *plan, int device, const char *label)
{
    assert_true(device < (int)plan->ledger.stage_count);
    const struct tn_stage *stage = device == HOST ? &plan->ledger.host : &plan->ledger.stages[device];
    uint64_t bytes = 0;
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &plan->ledger.entries[stage->first_entry + k];
        bytes += tn_str_is(entry->label, label) ? entry->mid_bytes : 0;
    }
    return bytes;
}
