/* From a ledger to an answer: does it fit, what decides, what would make it fit. Every answer is a plan that was computed. */
#ifndef TN_PLAN_VERDICT_H
#define TN_PLAN_VERDICT_H

#include "plan/inverse.h"

struct tn_verdict {
    bool judged; /* a GPU was named */
    bool
        fits; /* every rank fits, the engine starts for certain, and it runs as many requests at once as were asked for */
    enum tn_category
        binding; /* the largest category of the rank that needs most, a pool counted by what was asked of it */
    uint32_t
        gpus_needed; /* the least number of such GPUs, of engines with a record beyond eight in eights (as machines have them);
                                 0 where unknown or none would do */
    uint32_t needed_tp; /* the split with which they do it */
    uint32_t needed_pp;
    uint64_t
        most_context_tokens;   /* the longest context that fits, all else as asked; 0: none does, UINT64_MAX: all do */
    uint64_t most_concurrency; /* likewise */
};

/* ledger  of this model and deployment, by this engine. Deployments that the engine refuses count as not fitting. */
void tn_verdict(struct tn_planner *planner, const struct tn_deployment *deployment, const struct tn_ledger *ledger,
                struct tn_verdict *verdict);

/* The mid bytes of a category on the fullest rank, where a pool is counted by the requests that were asked for. */
uint64_t tn_asked_bytes(const struct tn_ledger *ledger, const struct tn_deployment *deployment,
                        enum tn_category category);

/* Plans the deployment and says whether it fits. An engine that refuses it: false. */
bool tn_deployment_fits(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_arena *arena);

/* The tp and pp with which `gpus` GPUs are used best: the largest tp that the engine accepts, the rest by pp. false: none, and they stay. */
bool tn_split_gpus(struct tn_planner *planner, const struct tn_deployment *deployment, uint32_t gpus, uint32_t *tp,
                   uint32_t *pp);

#endif
