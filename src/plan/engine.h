/* What every serving engine offers: the ledger of a model in a deployment. The engines themselves stand in src/engine. */
#ifndef TN_PLAN_ENGINE_H
#define TN_PLAN_ENGINE_H

#include "base/budget.h"
#include "catalog/catalog.h"
#include "plan/ledger.h"

struct tn_rules;        /* an engine's record at one version, compiled (src/engine/record/rules.h) */
struct tn_weight_rules; /* how the engine lays weights on ranks (src/engine/weights/weight_rules.h) */
struct tn_widths;       /* of a model's computation (src/engine/record/facts.h) */
struct tn_placement;    /* the weights of a model as an engine lays them on ranks (src/engine/weights/placement.h) */
struct tn_llama_file;   /* a model as llama.cpp finds it (src/engine/llamacpp/file.h) */
struct tn_evaluation;
struct tn_planner;
struct tn_calibration; /* corrections of fitted terms (src/plan/calibration.h) */

struct tn_engine {
    const char *name;
    const char *alias;    /* another name that --engine takes; NULL where none */
    const char *summary;  /* one line for lists */
    const char *kv_dtype; /* of caches, where none is asked for; NULL: that of the model's weights */
    bool has_record;      /* data/engine has its versions and settings */
    /* Where more of an input may take less memory (src/plan/inverse.h): */
    uint64_t
        context_turn; /* longer requests are served in another way, as prompts in pieces; 0: there is no such length */
    bool is_replayed; /* an allocator is: its buffers may shrink as an input grows */
    bool advises;     /* its plans advise settings that fit, and say how to start it with them */
    /* Fills the ledger; ledger->arena is set by the caller, the rest is zero.
     * Errors: TN_ERROR_DEPLOYMENT where the engine refuses the deployment, TN_ERROR_USAGE for a setting that it does not take,
     * TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
    bool (*plan)(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                 struct tn_error *error);
};

/* Plans of one model by one engine: what does not depend on the deployment is computed once, the placement of the weights once for each
 * division over ranks. To be used by one thread at a time. */
struct tn_planner {
    const struct tn_engine *engine;
    const struct tn_catalog *catalog;
    const struct tn_model *model;
    const struct tn_rules *rules;               /* NULL where the engine has no record */
    const struct tn_calibration *calibration;   /* NULL: none; of one GPU */
    const struct tn_budget *budget;             /* NULL: plans may take as long as they do */
    const struct tn_weight_rules *weight_rules; /* NULL until weights are placed */
    const struct tn_widths *widths;             /* NULL until first asked for */
    struct tn_evaluation *evaluation;           /* of the last plan (src/engine/record/rules.h); NULL before it */
    struct tn_placement *placement; /* of the last plan; NULL before it, and for engines that place nothing */
    struct tn_llama_file *file;     /* of llama.cpp; NULL before its first plan, and for other engines */
    struct tn_arena arena;          /* owns rules and widths */
    struct tn_arena evaluation_arena;
    struct tn_arena placement_arena;
};

/* Plans a deployment. Errors: those of tn_engine.plan; TN_ERROR_TOO_COSTLY where there is no time left for another plan. */
static inline bool tn_planner_plan(struct tn_planner *planner, const struct tn_deployment *deployment,
                                   struct tn_ledger *ledger, struct tn_error *error)
{
    return tn_budget_allows(planner->budget, error) && planner->engine->plan(planner, deployment, ledger, error);
}

#endif
