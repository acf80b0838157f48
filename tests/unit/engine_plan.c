/* Plans by engines of the catalog. */
#include "engine_plan.h"

#include "plan/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_SETTINGS = 8 };

void engine_plan_open(struct engine_plan *plan, const char *engine, const char *version, const char *config)
{
    *plan = (struct engine_plan){0};
    made_up_open_real(&plan->made_up);
    plan->model = made_up_load(&plan->made_up, config);
    if (!plan->model) {
        fail_msg("%s", plan->made_up.error.message);
    }
    const struct tn_engine *found = tn_engine_find(tn_str_of(engine));
    assert_non_null(found);
    if (!tn_planner_open(&plan->planner, found, plan->made_up.catalog, plan->model, tn_str_of(version), &plan->error)) {
        fail_msg("%s", plan->error.message);
    }
}

struct tn_deployment engine_plan_deployment(uint64_t context_tokens)
{
    return (struct tn_deployment){
        .tp = 1, .pp = 1, .ep = 1, .dp = 1, .context_tokens = context_tokens, .concurrency = 1};
}

void engine_plan_gpu(struct engine_plan *plan, struct tn_deployment *deployment, const char *gpu, uint64_t memory_bytes)
{
    deployment->gpu = tn_catalog_find_gpu(plan->made_up.catalog, tn_str_of(gpu), NULL);
    assert_non_null(deployment->gpu);
    deployment->gpu_memory_bytes = memory_bytes ? memory_bytes : deployment->gpu->memory_bytes;
}

bool engine_plan_run(struct engine_plan *plan, const struct tn_deployment *deployment, const char *settings)
{
    struct tn_deployment complete = *deployment;
    struct tn_assignment sets[MOST_SETTINGS];
    struct tn_str rest = tn_str_of(settings);
    complete.sets = sets;
    complete.set_count = 0;
    while (rest.size) {
        struct tn_str pair = tn_str_word(&rest);
        size_t mark = tn_str_find(pair, TN_STR("="));
        assert_true(mark < pair.size && complete.set_count < MOST_SETTINGS);
        sets[complete.set_count++] =
            (struct tn_assignment){tn_str_slice(pair, 0, mark), tn_str_slice(pair, mark + 1, pair.size)};
    }
    complete.kv_dtype = complete.kv_dtype ? complete.kv_dtype : tn_cache_default_dtype(plan->model);
    tn_arena_reset(&plan->arena);
    plan->ledger = (struct tn_ledger){.arena = &plan->arena, .wants_text = true};
    plan->error = (struct tn_error){0};
    return plan->planner.engine->plan(&plan->planner, &complete, &plan->ledger, &plan->error);
}

uint64_t engine_plan_bytes(const struct engine_plan *plan, enum tn_category category)
{
    return tn_ledger_category(&plan->ledger, &plan->ledger.stages[0], category);
}

const struct tn_entry *engine_plan_entry(const struct engine_plan *plan, enum tn_category category, const char *label)
{
    const struct tn_stage *stage = &plan->ledger.stages[0];
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &plan->ledger.entries[stage->first_entry + k];
        if (entry->category == category && tn_str_is(entry->label, label)) {
            return entry;
        }
    }
    fail_msg("no entry '%s'", label);
    return NULL;
}

void engine_plan_refused(struct engine_plan *plan, const struct tn_deployment *deployment, const char *settings,
                         enum tn_code code, const char *message)
{
    assert_false(engine_plan_run(plan, deployment, settings));
    assert_string_equal(plan->error.message, message);
    assert_int_equal(plan->error.code, code);
}

void engine_plan_close(struct engine_plan *plan)
{
    tn_planner_close(&plan->planner);
    tn_arena_free(&plan->arena);
    tn_model_free(plan->model);
    made_up_close(&plan->made_up);
}
