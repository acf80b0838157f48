/* Verdicts by planning again: the inverse questions need no inverse formulas. */
#include "plan/verdict.h"

#include "base/number.h"

enum { MOST_GPUS = 1024, MOST_TP = 64 };
static const uint64_t MOST_VALUE = UINT64_C(1) << 40;

static bool plan(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_arena *arena,
                 struct tn_ledger *ledger)
{
    tn_arena_reset(arena);
    *ledger = (struct tn_ledger){.arena = arena};
    return planner->engine->plan(planner, deployment, ledger, NULL);
}

bool tn_deployment_fits(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_arena *arena)
{
    struct tn_ledger ledger;
    return plan(planner, deployment, arena, &ledger) && ledger.start == TN_START_YES
           && tn_ledger_worst(&ledger)->high_bytes <= deployment->gpu_memory_bytes;
}

enum input { INPUT_CONTEXT, INPUT_CONCURRENCY };

static bool fits_with(struct tn_planner *planner, const struct tn_deployment *deployment, enum input input,
                      uint64_t value, struct tn_arena *arena)
{
    struct tn_deployment varied = *deployment;
    *(input == INPUT_CONTEXT ? &varied.context_tokens : &varied.concurrency) = value;
    return tn_deployment_fits(planner, &varied, arena);
}

/* The largest value of the input that fits, all else equal: memory never falls as it grows. 0 where not even 1 fits, UINT64_MAX
 * where every value does. */
static uint64_t most(struct tn_planner *planner, const struct tn_deployment *deployment, enum input input,
                     struct tn_arena *arena)
{
    uint64_t low = 0;
    uint64_t high = 1;
    while (fits_with(planner, deployment, input, high, arena)) {
        low = high;
        high *= 2;
        if (high > MOST_VALUE) {
            return UINT64_MAX;
        }
    }
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        bool fits = fits_with(planner, deployment, input, middle, arena);
        low = fits ? middle : low;
        high = fits ? high : middle;
    }
    return low;
}

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
        found = plan(planner, &varied, &arena, &ledger);
        *tp = varied.tp;
        *pp = varied.pp;
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
    return plan(planner, &whole, arena, &ledger)
               ? tn_ceil_div(tn_ledger_worst(&ledger)->least_bytes, deployment->gpu_memory_bytes)
               : 1;
}

/* The least number of GPUs for one copy of the model; every division of that number into tp and pp is tried. */
static void find_gpus(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_arena *arena,
                      struct tn_verdict *verdict)
{
    uint64_t least = fewest_gpus(planner, deployment, arena);
    for (uint64_t gpus = least > 1 ? least : 1; gpus <= MOST_GPUS && !verdict->gpus_needed; gpus++) {
        for (uint32_t tp = (uint32_t)(gpus < MOST_TP ? gpus : MOST_TP); tp >= 1 && !verdict->gpus_needed; tp--) {
            struct tn_deployment varied = *deployment;
            varied.tp = tp;
            varied.pp = (uint32_t)gpus / tp;
            varied.ep = varied.ep > tp * varied.dp ? tp * varied.dp : varied.ep;
            if (gpus % tp == 0 && tn_deployment_fits(planner, &varied, arena)) {
                verdict->gpus_needed = (uint32_t)gpus * deployment->dp;
                verdict->needed_tp = tp;
                verdict->needed_pp = varied.pp;
            }
        }
    }
}

void tn_verdict(struct tn_planner *planner, const struct tn_deployment *deployment, const struct tn_ledger *ledger,
                struct tn_verdict *verdict)
{
    struct tn_arena arena = {0};
    const struct tn_stage *worst = tn_ledger_worst(ledger);
    *verdict = (struct tn_verdict){.judged = deployment->gpu_memory_bytes > 0};
    uint64_t largest = 0;
    for (int category = 0; category < TN_CATEGORY_COUNT; category++) {
        uint64_t bytes = tn_ledger_category(ledger, worst, (enum tn_category)category);
        verdict->binding = bytes > largest ? (enum tn_category)category : verdict->binding;
        largest = bytes > largest ? bytes : largest;
    }
    if (verdict->judged) {
        verdict->fits = ledger->start == TN_START_YES && worst->high_bytes <= deployment->gpu_memory_bytes;
        find_gpus(planner, deployment, &arena, verdict);
        verdict->most_context_tokens = most(planner, deployment, INPUT_CONTEXT, &arena);
        verdict->most_concurrency = most(planner, deployment, INPUT_CONCURRENCY, &arena);
    }
    tn_arena_free(&arena);
}
