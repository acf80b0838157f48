/* Verdicts by planning again: the inverse questions need no inverse formulas. */
#include "plan/verdict.h"

#include "base/number.h"
#include "text/quantity.h"

#include <stdio.h>

enum { MOST_GPUS = 1024, MOST_TP = 64, MACHINE = 8, MOST_PLACEMENTS = 48 };
static const uint64_t MOST_VALUE = UINT64_C(1) << 40;

static bool plan(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_arena *arena,
                 struct tn_ledger *ledger)
{
    tn_arena_reset(arena);
    *ledger = (struct tn_ledger){.arena = arena};
    return planner->engine->plan(planner, deployment, ledger, NULL);
}

bool tn_ledger_fits(const struct tn_ledger *ledger, const struct tn_deployment *deployment)
{
    uint64_t asked = tn_ceil_div(deployment->concurrency, deployment->dp);
    return ledger->start == TN_START_YES && tn_ledger_worst(ledger)->high_bytes <= deployment->gpu_memory_bytes
           && tn_pool_requests(&ledger->pool, &ledger->pool.low) >= asked;
}

bool tn_deployment_fits(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_arena *arena)
{
    struct tn_ledger ledger;
    return plan(planner, deployment, arena, &ledger) && tn_ledger_fits(&ledger, deployment);
}

/* ---- the most that fits ------------------------------------------------------------------------------------------- */

enum input { INPUT_CONTEXT, INPUT_CONCURRENCY };

/* A deployment of which one input varies. */
struct variation {
    struct tn_deployment deployment;
    uint64_t *value;        /* the input */
    struct tn_str *setting; /* the value of the engine's own setting that is this input; NULL where it was not given */
    char text[24];
};

/* The longest request may have been given in the engine's own words: then these vary with the context. */
static bool vary_setting(struct variation *variation, struct tn_arena *arena)
{
    struct tn_deployment *deployment = &variation->deployment;
    struct tn_assignment *sets = TN_NEW_ARRAY(arena, struct tn_assignment, deployment->set_count + 1);
    for (size_t k = 0; sets && k < deployment->set_count; k++) {
        uint64_t tokens;
        sets[k] = deployment->sets[k];
        if (tn_str_equal(sets[k].name, deployment->context_setting) && tn_quantity_tokens(sets[k].value, &tokens)
            && tokens == deployment->context_tokens) {
            variation->setting = &sets[k].value;
        }
    }
    deployment->sets = sets;
    return sets != NULL;
}

/* What a value of the input comes to. */
struct trial {
    uint64_t value;
    bool fits;
    double
        free_bytes; /* of the fullest rank, negative where it has too little; 0: memory does not say how far off the value is */
};

static struct trial judge(uint64_t value, const struct tn_ledger *ledger, const struct tn_deployment *deployment)
{
    struct trial trial = {.value = value, .fits = tn_ledger_fits(ledger, deployment)};
    double free_bytes = (double)deployment->gpu_memory_bytes - (double)tn_ledger_worst(ledger)->high_bytes;
    bool is_memory = !ledger->pool.present && ledger->start == TN_START_YES && trial.fits == (free_bytes >= 0);
    trial.free_bytes = is_memory ? free_bytes : 0;
    return trial;
}

static struct trial try_value(struct tn_planner *planner, struct variation *variation, uint64_t value,
                              struct tn_arena *arena)
{
    struct tn_ledger ledger;
    *variation->value = value;
    if (variation->setting) {
        int size = snprintf(variation->text, sizeof variation->text, "%llu", (unsigned long long)value);
        *variation->setting = (struct tn_str){variation->text, (size_t)size};
    }
    bool done = plan(planner, &variation->deployment, arena, &ledger);
    return done ? judge(value, &ledger, &variation->deployment) : (struct trial){.value = value};
}

/* The middle. Far from the limit it is looked for near the line between what is free and what lacks, on either side of it in turns, so
 * that the span shrinks; not near it, as engines take memory in steps. */
static uint64_t between(const struct trial *low, const struct trial *high, unsigned turn)
{
    enum { NEAR = 4096, ASIDE = 256 };
    uint64_t span = high->value - low->value;
    uint64_t offset = span / 2;
    if (span > NEAR && low->free_bytes > 0 && high->free_bytes < 0 && turn % 3 < 2) {
        uint64_t aside = span / ASIDE;
        offset = (uint64_t)((double)span * (low->free_bytes / (low->free_bytes - high->free_bytes)));
        offset = turn % 3 == 1 ? offset + aside : offset > aside ? offset - aside : 1;
    }
    return low->value + (offset < span ? offset : span - 1);
}

/* The largest value of the input that fits, all else equal: memory never falls as it grows. 0 where not even 1 fits, UINT64_MAX
 * where every value does. The search begins at what was asked for, so that it never denies what the verdict affirms.
 * asked  what that comes to */
static uint64_t most_value(struct tn_planner *planner, struct variation *variation, struct trial asked,
                           struct tn_arena *arena)
{
    struct trial low = {0};
    struct trial high = asked;
    while (high.fits) {
        if (high.value > MOST_VALUE / 2) {
            return UINT64_MAX;
        }
        low = high;
        high = try_value(planner, variation, 2 * high.value, arena);
    }
    for (unsigned turn = 0; high.value - low.value > 1; turn++) {
        struct trial trial = try_value(planner, variation, between(&low, &high, turn), arena);
        *(trial.fits ? &low : &high) = trial;
    }
    return low.value;
}

static uint64_t most(struct tn_planner *planner, const struct tn_deployment *deployment, const struct tn_ledger *ledger,
                     enum input input, struct tn_arena *arena)
{
    struct variation variation = {.deployment = *deployment};
    struct tn_arena sets_arena = {0};
    bool is_context = input == INPUT_CONTEXT;
    variation.value = is_context ? &variation.deployment.context_tokens : &variation.deployment.concurrency;
    bool done = !is_context || vary_setting(&variation, &sets_arena);
    uint64_t value = done ? most_value(planner, &variation, judge(*variation.value, ledger, deployment), arena) : 0;
    tn_arena_free(&sets_arena);
    return value;
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
        found = plan(planner, &varied, &arena, &ledger);
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
    return plan(planner, &whole, arena, &ledger)
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
        if (gpus % tp != 0 || !plan(planner, &varied, arena, &ledger)) {
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

/* The mid bytes of a category, where a pool is counted by the requests that were asked for. */
static uint64_t asked_bytes(const struct tn_ledger *ledger, const struct tn_deployment *deployment,
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
    return asked < pool->mid.requests ? (uint64_t)((double)bytes * asked / pool->mid.requests) : bytes;
}

void tn_verdict(struct tn_planner *planner, const struct tn_deployment *deployment, const struct tn_ledger *ledger,
                struct tn_verdict *verdict)
{
    struct tn_arena arena = {0};
    *verdict = (struct tn_verdict){.judged = deployment->gpu_memory_bytes > 0};
    uint64_t largest = 0;
    for (int category = 0; category < TN_CATEGORY_COUNT; category++) {
        uint64_t bytes = asked_bytes(ledger, deployment, (enum tn_category)category);
        verdict->binding = bytes > largest ? (enum tn_category)category : verdict->binding;
        largest = bytes > largest ? bytes : largest;
    }
    if (verdict->judged) { /* the GPUs last: a planner keeps one placement, and the others have the one of the ledger */
        verdict->fits = tn_ledger_fits(ledger, deployment);
        verdict->most_context_tokens = most(planner, deployment, ledger, INPUT_CONTEXT, &arena);
        verdict->most_concurrency = most(planner, deployment, ledger, INPUT_CONCURRENCY, &arena);
        find_gpus(planner, deployment, &arena, verdict);
    }
    tn_arena_free(&arena);
}
