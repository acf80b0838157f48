/* Inverse questions by planning again: the most of an input with which a deployment fits. No engine needs an inverse formula. */
#ifndef TN_PLAN_INVERSE_H
#define TN_PLAN_INVERSE_H

#include "plan/engine.h"

/* Whether the plan fits: every rank for certain, the engine starts for certain, and it runs as many requests at once as were asked for. */
bool tn_ledger_fits(const struct tn_ledger *ledger, const struct tn_deployment *deployment);

/* Plans into a reset arena, without texts. false where the engine refuses the deployment. */
bool tn_plan_again(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_arena *arena,
                   struct tn_ledger *ledger);

/* Inputs of which the most is looked for. More of each never takes less memory, but for what tn_engine declares. */
enum tn_varied {
    TN_VARIED_CONTEXT,     /* tokens of one request */
    TN_VARIED_CONCURRENCY, /* requests at once */
    TN_VARIED_SETTING,     /* a setting of the engine that is a number: more takes more */
    TN_VARIED_REST, /* the same: more takes less, so that the least of it is the most of what is left of a whole */
    TN_VARIED_COUNT
};

struct tn_variation {
    enum tn_varied what;
    struct tn_str setting; /* of SETTING and REST: its name, as n_gpu_layers */
    uint64_t whole;        /* of these: the largest value that means anything */
};

/* The limit of an input, all else as in the deployment. Values of REST count from the whole: see tn_variation_value. */
struct tn_limit {
    uint64_t last_fitting;  /* 0: no value fits; UINT64_MAX: every value does */
    uint64_t first_failing; /* last_fitting + 1; 0 where every value fits */
    uint32_t plan_count;    /* that it took */
    bool is_certain; /* false: a larger value may fit, as an allocator's holes were not looked through to the end */
};

/* Finds the limit. Values that the engine refuses count as not fitting.
 * ledger  of the deployment; NULL: it is planned
 * false where memory is out. */
bool tn_find_limit(struct tn_planner *planner, const struct tn_deployment *deployment,
                   const struct tn_variation *variation, const struct tn_ledger *ledger, struct tn_limit *limit);

/* The value of the input that a number of the limit stands for. */
uint64_t tn_variation_value(const struct tn_variation *variation, uint64_t number);

#endif
