/* Verdicts by planning again: the inverse questions need no inverse formulas. */
#include "plan/verdict.h"

#include "base/number.h"

enum { MOST_GPUS = 1024, MOST_TP = 64, MACHINE = 8, MOST_PLACEMENTS = 48 };

bool tn_deployment_fits(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_arena *arena)
{
    struct tn_ledger ledger;
    return tn_plan_again(planner, deployment, arena, &ledger) && tn_ledger_fits(&ledger, deployment);
}

static uint64_t most(struct tn_planner *planner, const struct tn_deployment *deployment, const struct tn_ledger *ledger,
                     enum tn_varied what)
{
    struct tn_variation variation = {.what = what};
    struct tn_limit limit;
    return tn_find_limit(planner, deployment, &variation, ledger, &limit) ? limit.last_fitting : 0;
}

/* ---- GPUs --------------------------------------------------------------------------------------------------------- */

bool tn_split_gpus(struct tn_planner *planner, const struct tn_deployment *deployment, uint32_t gpus, uint32_t *tp,
                   uint32_t *pp)
{
    struct tn_arena arena = {0};
    bool found = false;
    for (uint32_t k = gpus < MOST_TP ? gpus : MOST_TP; k >= 1 && !found; k--) {
        struct tn_deployment varied = *deployment;
        struct tn_ledger ledger;
        if (gpus % k) {
            continue;
        }
        varied.tp = k;
        varied.pp = gpus / k;
        found = tn_plan_again(planner, &varied, &arena, &ledger);
        *tp = found ? varied.tp : *tp;
        *pp = found ? varied.pp : *pp;
    }
    tn_arena_free(&arena);
    return found;
}

/* A number of GPUs that can not be undercut: no split takes less than the undivided model. 1 where the engine does not say. */
static uint64_t fewest_gpus(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_arena *arena)
{
    struct tn_deployment whole = *deployment;
    struct tn_ledger ledger;
    whole.tp = whole.pp = 1;
    whole.ep = whole.ep > whole.dp ? whole.dp : whole.ep;
    return tn_plan_again(planner, &whole, arena, &ledger)
               ? tn_ceil_div(tn_ledger_worst(&ledger)->least_bytes, deployment->gpu_memory_bytes)
               : 1;
}

/* Tries every division of so many GPUs into tp and pp, the most tensor parallel first. `placements` counts the divisions that the
 * engine accepts: each is a placement of the weights for engines that place them. */
static void try_gpus(struct tn_planner *planner, const struct tn_deployment *deployment, uint32_t gpus,
                     struct tn_arena *arena, struct tn_verdict *verdict, uint32_t *placements)
{
    for (uint32_t tp = gpus < MOST_TP ? gpus : MOST_TP; tp >= 1 && !verdict->gpus_needed; tp--) {
        struct tn_deployment varied = *deployment;
        struct tn_ledger ledger;
        varied.tp = tp;
        varied.pp = gpus / tp;
        varied.ep = varied.ep > tp * varied.dp ? tp * varied.dp : varied.ep;
        if (gpus % tp != 0 || !tn_plan_again(planner, &varied, arena, &ledger)) {
            continue;
        }
        ++*placements;
        if (tn_ledger_fits(&ledger, &varied)) {
            verdict->gpus_needed = gpus * deployment->dp;
            verdict->needed_tp = tp;
            verdict->needed_pp = varied.pp;
        }
    }
}

/* The least number of GPUs for one copy of the model. A plan with another division costs engines that place weights a placement of up to
 * a millisecond: beyond one machine they are asked about whole machines only, and not without end. */
static void find_gpus(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_arena *arena,
                      struct tn_verdict *verdict)
{
    bool places = planner->engine->has_record;
    if (deployment->device_count) {
        return; /* more of which of them is a question of its own */
    }
    uint64_t least = fewest_gpus(planner, deployment, arena);
    uint32_t placements = 0;
    for (uint64_t gpus = least > 1 ? least : 1; gpus <= MOST_GPUS && !verdict->gpus_needed; gpus++) {
        if (places && gpus > MACHINE) {
            gpus = tn_ceil_div(gpus, MACHINE) * MACHINE;
        }
        if (places && placements >= MOST_PLACEMENTS) {
            return;
        }
        try_gpus(planner, deployment, (uint32_t)gpus, arena, verdict, &placements);
    }
}

/* ---- the verdict -------------------------------------------------------------------------------------------------- */

static const double MOST_BYTES = 1.8e19;

uint64_t tn_asked_bytes(const struct tn_ledger *ledger, const struct tn_deployment *deployment,
                        enum tn_category category)
{
    uint64_t bytes = tn_ledger_category(ledger, tn_ledger_worst(ledger), category);
    const struct tn_pool *pool = &ledger->pool;
    double asked = (double)tn_ceil_div(deployment->concurrency, deployment->dp);
    if (!pool->present || (category != TN_CATEGORY_CACHE && category != TN_CATEGORY_STATE)) {
        return bytes;
    }
    if (!(pool->mid.requests > 0)) {
        return category == TN_CATEGORY_CACHE ? pool->needed_bytes : bytes;
    }
    double scaled = (double)bytes * asked / pool->mid.requests;
    return scaled < MOST_BYTES ? (uint64_t)scaled : UINT64_MAX;
}

void tn_verdict(struct tn_planner *planner, const struct tn_deployment *deployment, const struct tn_ledger *ledger,
                struct tn_verdict *verdict)
{
    struct tn_arena arena = {0};
    *verdict = (struct tn_verdict){.judged = deployment->gpu_memory_bytes > 0};
    uint64_t largest = 0;
    for (int category = 0; category < TN_CATEGORY_COUNT; category++) {
        uint64_t bytes = tn_asked_bytes(ledger, deployment, (enum tn_category)category);
        verdict->binding = bytes > largest ? (enum tn_category)category : verdict->binding;
        largest = bytes > largest ? bytes : largest;
    }
    if (verdict->judged) { /* the GPUs last: a planner keeps one placement, and the others have the one of the ledger */
        verdict->fits = tn_ledger_fits(ledger, deployment);
        verdict->most_context_tokens = most(planner, deployment, ledger, TN_VARIED_CONTEXT);
        verdict->most_concurrency = most(planner, deployment, ledger, TN_VARIED_CONCURRENCY);
        find_gpus(planner, deployment, &arena, verdict);
    }
    tn_arena_free(&arena);
}
