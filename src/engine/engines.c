/* One row per engine, and what plans of one engine share. */
#include "engine/engines.h"

#include "engine/work.h"

const struct tn_engine *const tn_engines[] = {
    &tn_engine_generic,  &tn_engine_vllm,         &tn_engine_sglang,
    &tn_engine_trtllm,   &tn_engine_transformers, &tn_engine_tgi,
    &tn_engine_llamacpp, &tn_engine_ollama,       NULL,
};

const struct tn_engine *tn_engine_find(struct tn_str name)
{
    for (size_t k = 0; tn_engines[k]; k++) {
        const char *alias = tn_engines[k]->alias;
        if (tn_str_equal_any_case(name, tn_str_of(tn_engines[k]->name))
            || (alias && tn_str_equal_any_case(name, tn_str_of(alias)))) {
            return tn_engines[k];
        }
    }
    return NULL;
}

bool tn_planner_open(struct tn_planner *planner, const struct tn_engine *engine, const struct tn_catalog *catalog,
                     const struct tn_model *model, struct tn_str version, struct tn_error *error)
{
    *planner = (struct tn_planner){.engine = engine, .catalog = catalog, .model = model};
    if (!engine->has_record) {
        tn_fail(version.size ? error : NULL, TN_ERROR_USAGE, "engine %s has no versions", engine->name);
        return !version.size || tn_fail_at(error, -1, "--engine");
    }
    planner->rules = tn_rules_open(catalog, tn_str_of(engine->name), version, &planner->arena, error);
    return planner->rules != NULL;
}

void tn_planner_share(const struct tn_planner *planner, const struct tn_model *model, struct tn_planner *other)
{
    *other = (struct tn_planner){.engine = planner->engine,
                                 .catalog = planner->catalog,
                                 .model = model,
                                 .rules = planner->rules,
                                 .calibration = planner->calibration,
                                 .budget = planner->budget,
                                 .weight_rules = planner->weight_rules};
}

bool tn_planner_default_context(struct tn_planner *planner, const struct tn_deployment *deployment, uint64_t *tokens,
                                struct tn_error *error)
{
    static const char name[] = "default_context";
    struct tn_arena arena = {0};
    struct tn_ledger ledger = {.arena = &arena};
    struct tn_work work = {.planner = planner, .deployment = deployment, .ledger = &ledger, .error = error};
    *tokens = 0;
    if (!planner->rules || !tn_rules_have(planner->rules, name)) {
        return true;
    }
    bool done = tn_work_begin(&work);
    *tokens = done ? tn_work_number(&work, name) : 0;
    tn_arena_free(&arena);
    return done && !work.failed;
}

void tn_planner_close(struct tn_planner *planner)
{
    tn_arena_free(&planner->arena);
    tn_arena_free(&planner->evaluation_arena);
    tn_arena_free(&planner->placement_arena);
}
