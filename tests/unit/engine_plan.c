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

static void open_planner(struct engine_plan *plan, const char *engine, const char *version)
{
    const struct tn_engine *found = tn_engine_find(tn_str_of(engine));
    assert_non_null(found);
    if (!tn_planner_open(&plan->planner, found, plan->made_up.catalog, plan->model, tn_str_of(version), &plan->error)) {
        fail_msg("%s", plan->error.message);
    }
}

void engine_plan_open(struct engine_plan *plan, const char *engine, const char *version, const char *config)
{
    *plan = (struct engine_plan){0};
    made_up_open_real(&plan->made_up);
    plan->model = made_up_load(&plan->made_up, config);
    if (!plan->model) {
        fail_msg("%s", plan->made_up.error.message);
    }
    open_planner(plan, engine, version);
}

void engine_plan_open_named(struct engine_plan *plan, const char *engine, const char *version, const char *name,
                            const char *quant)
{
    *plan = (struct engine_plan){0};
    made_up_open_real(&plan->made_up);
    plan->model = made_up_load_named(&plan->made_up, name, quant);
    open_planner(plan, engine, version);
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
    complete.sets = sets;
    complete.set_count = made_up_sets(settings, sets, MOST_SETTINGS);
    complete.kv_dtype = complete.kv_dtype ? complete.kv_dtype : tn_cache_default_dtype(plan->model);
    tn_arena_reset(&plan->arena);
    plan->ledger = (struct tn_ledger){.arena = &plan->arena, .wants_text = true};
    plan->error = (struct tn_error){0};
    return plan->planner.engine->plan(&plan->planner, &complete, &plan->ledger, &plan->error);
}

bool engine_plan_start(struct engine_plan *plan, const char *engine, const struct engine_start *start)
{
    engine_plan_open(plan, engine, start->version, start->config);
    struct tn_deployment *deployment = &plan->deployment;
    *deployment = engine_plan_deployment(start->context_tokens);
    deployment->tp = start->tp ? start->tp : 1;
    deployment->pp = start->pp ? start->pp : 1;
    deployment->concurrency = start->concurrency ? start->concurrency : 1;
    if (start->gpu) {
        engine_plan_gpu(plan, deployment, start->gpu, start->gpu_memory_bytes);
    }
    if (start->kv_dtype) {
        deployment->kv_dtype_name = tn_str_of(start->kv_dtype);
        deployment->kv_dtype = tn_dtype_find(deployment->kv_dtype_name);
    }
    return engine_plan_run(plan, deployment, start->settings);
}

void engine_plan_expect_logged(const char *engine, const struct engine_start *starts, size_t count, bool is_measured)
{
    for (size_t k = 0; k < count; k++) {
        const struct engine_start *start = &starts[k];
        struct engine_plan plan;
        if (!engine_plan_start(&plan, engine, start)) {
            fail_msg("start %zu: %s", k, plan.error.message);
        }
        const struct tn_pool *pool = &plan.ledger.pool;
        bool is_in_range = is_measured ? pool->low.tokens == pool->high.tokens
                                       : pool->low.tokens <= start->tokens && start->tokens <= pool->high.tokens;
        if (!is_in_range || !engine_plan_is_near(pool->mid.tokens, start->tokens, start->per_mille)) {
            fail_msg("start %zu: %llu to %llu to %llu", k, (unsigned long long)pool->low.tokens,
                     (unsigned long long)pool->mid.tokens, (unsigned long long)pool->high.tokens);
        }
        assert_int_equal(plan.ledger.start, TN_START_YES);
        engine_plan_close(&plan);
    }
}

void engine_plan_expect_asked(const char *engine, const struct engine_start *start, uint64_t cache_bytes)
{
    struct engine_plan plan;
    assert_true(engine_plan_start(&plan, engine, start));
    assert_false(plan.ledger.pool.present);
    assert_int_equal(engine_plan_bytes(&plan, TN_CATEGORY_CACHE), cache_bytes);
    engine_plan_close(&plan);
}

void engine_plan_expect_refusals(const char *engine, const struct engine_start *starts, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        struct engine_plan plan;
        assert_false(engine_plan_start(&plan, engine, &starts[k]));
        assert_string_equal(plan.error.message, starts[k].refusal);
        assert_int_equal(plan.error.code, TN_ERROR_DEPLOYMENT);
        engine_plan_close(&plan);
    }
}

bool engine_plan_is_near(uint64_t value, uint64_t wanted, uint64_t per_mille)
{
    uint64_t distance = value > wanted ? value - wanted : wanted - value;
    return distance * 1000 <= wanted * per_mille;
}

bool engine_plan_says(const struct engine_plan *plan, const char *line)
{
    for (size_t k = 0; k < plan->ledger.log_count; k++) {
        if (tn_str_is(plan->ledger.log[k], line)) {
            return true;
        }
    }
    return false;
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

void engine_plan_close(struct engine_plan *plan)
{
    tn_planner_close(&plan->planner);
    tn_arena_free(&plan->arena);
    tn_model_free(plan->model);
    made_up_close(&plan->made_up);
}
