/* Between the lengths at which an engine changes its ways, memory never falls as an input grows: there bisection finds the limit. Where
 * an allocator is replayed, memory may fall as well as rise, by less than the allocator's own buffer: above what bisection found every value
 * is tried until weights and caches alone do not fit. */
#include "plan/inverse.h"

#include "base/bisect.h"
#include "base/number.h"
#include "plan/vary.h"

enum { MOST_NEIGHBOURS = 128, MOST_MOVED = 4, MOST_SEGMENTS = 8 };
static const uint64_t MOST_VALUE = UINT64_C(1) << 40;

bool tn_plan_again(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_arena *arena,
                   struct tn_ledger *ledger)
{
    tn_arena_reset(arena);
    *ledger = (struct tn_ledger){.arena = arena};
    return tn_planner_plan(planner, deployment, ledger, NULL);
}

bool tn_ledger_fits(const struct tn_ledger *ledger, const struct tn_deployment *deployment)
{
    uint64_t asked = tn_ceil_div(deployment->concurrency, deployment->dp);
    const struct tn_stage *worst = tn_ledger_worst(ledger);
    return ledger->start == TN_START_YES && worst->high_bytes <= worst->memory_bytes
           && tn_pool_requests(&ledger->pool, &ledger->pool.low) >= asked;
}

/* ---- a deployment of which one input varies ----------------------------------------------------------------------- */

struct search {
    struct tn_planner *planner;
    const struct tn_variation *variation;
    struct tn_varying varying;
    struct tn_arena arena; /* of one plan */
    uint32_t plan_count;
    enum tn_trial_result refused_as; /* what a value that the engine refuses comes to: too much, or too little */
    /* of the last plan that was made: */
    uint64_t held;   /* the largest value with the same plan */
    bool is_certain; /* what cannot move or shrink exceeds the memory: no larger value can fit */
    bool has_moved;  /* the engine leaves a part of the model off the GPUs: what it would need there is not known */
};

uint64_t tn_variation_value(const struct tn_variation *variation, uint64_t number)
{
    return variation->what == TN_VARIED_REST ? variation->whole + 1 - number : number;
}

static bool is_setting(const struct tn_variation *variation)
{
    return variation->what == TN_VARIED_SETTING || variation->what == TN_VARIED_REST;
}

static void set_number(struct search *search, uint64_t number)
{
    uint64_t value = tn_variation_value(search->variation, number);
    if (search->variation->what == TN_VARIED_CONTEXT) {
        tn_vary_context(&search->varying, value);
    } else if (search->variation->what == TN_VARIED_CONCURRENCY) {
        search->varying.deployment.concurrency = value;
    } else {
        tn_vary_setting(&search->varying, value);
    }
}

/* ---- one value ---------------------------------------------------------------------------------------------------- */

/* Bytes of a rank in which a replayed allocator has no part. */
static uint64_t floor_bytes(const struct tn_ledger *ledger, const struct tn_stage *stage)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &ledger->entries[stage->first_entry + k];
        sum += entry->category == TN_CATEGORY_ACTIVATION ? 0 : entry->high_bytes; /* bounded by the stage's sum */
    }
    return sum;
}

static struct tn_trial judge(struct search *search, uint64_t number, const struct tn_ledger *ledger)
{
    const struct tn_deployment *deployment = &search->varying.deployment;
    bool fits = tn_ledger_fits(ledger, deployment);
    const struct tn_stage *worst = tn_ledger_worst(ledger);
    double spare = (double)worst->memory_bytes - (double)worst->high_bytes;
    bool is_memory = !ledger->pool.present && ledger->start == TN_START_YES && fits == (spare >= 0);
    search->held =
        search->variation->what == TN_VARIED_CONTEXT && ledger->held_tokens > number ? ledger->held_tokens : number;
    search->is_certain = false;
    search->has_moved = ledger->start == TN_START_PARTLY;
    for (uint32_t k = 0; k < ledger->stage_count; k++) {
        const struct tn_stage *stage = &ledger->stages[k];
        search->is_certain = search->is_certain || floor_bytes(ledger, stage) > stage->memory_bytes;
    }
    return (struct tn_trial){
        .value = number, .result = fits ? TN_TRIAL_FITS : TN_TRIAL_FAILS, .spare = is_memory ? spare : 0};
}

static struct tn_trial try_value(void *context, uint64_t number)
{
    struct search *search = context;
    struct tn_ledger ledger;
    set_number(search, number);
    search->plan_count++;
    search->held = number;
    search->is_certain = true;
    search->has_moved = false;
    if (!tn_plan_again(search->planner, &search->varying.deployment, &search->arena, &ledger)) {
        return (struct tn_trial){.value = number, .result = search->refused_as};
    }
    struct tn_trial trial = judge(search, number, &ledger);
    search->refused_as = trial.result == TN_TRIAL_FITS ? TN_TRIAL_FAILS : search->refused_as;
    return trial;
}

/* ---- between two turns -------------------------------------------------------------------------------------------- */

/* Engines refuse lengths that are too long, and some that are too short: where the last value is refused, it and what else is refused is
 * too much, unless all values are. false: so it is. */
static bool try_ends(struct search *search, uint64_t first, uint64_t last, struct tn_trial *low, struct tn_trial *high)
{
    struct tn_trial trial = try_value(search, last);
    if (trial.result == TN_TRIAL_REFUSED) {
        search->refused_as = TN_TRIAL_FAILS;
        trial.result = TN_TRIAL_FAILS;
        *low = first < last ? try_value(search, first) : trial;
        if (low->result != TN_TRIAL_FITS) {
            return false;
        }
    }
    *(trial.result == TN_TRIAL_FITS ? low : high) = trial;
    return true;
}

/* The largest value of first..last that fits, 0 where none does.
 * asked  a value that was tried; it saves trials where it lies in between */
static uint64_t largest_between(struct search *search, uint64_t first, uint64_t last, struct tn_trial asked)
{
    bool is_inside = asked.value >= first && asked.value <= last && asked.result != TN_TRIAL_REFUSED;
    struct tn_trial low = {.value = first - 1};
    struct tn_trial high = {.value = last + 1};
    search->refused_as = TN_TRIAL_REFUSED;
    if (!is_inside && !try_ends(search, first, last, &low, &high)) {
        return 0;
    }
    if (is_inside) {
        *(asked.result == TN_TRIAL_FITS ? &low : &high) = asked;
        search->refused_as = asked.result == TN_TRIAL_FITS ? TN_TRIAL_FAILS : TN_TRIAL_REFUSED;
    }
    while (high.value > last && low.value < last) { /* in doubling steps, so that small answers come soon */
        struct tn_trial trial = try_value(search, low.value <= last / 2 ? 2 * low.value : last);
        *(trial.result == TN_TRIAL_FAILS ? &high : &low) = trial;
    }
    tn_bisect(&low, &high, try_value, search);
    return low.result == TN_TRIAL_FITS ? low.value : 0;
}

/* The largest value up to the one that the engine rounds a fitting one up to: what it chooses by the value itself, as ollama by its estimate,
 * may change on the way. */
static uint64_t largest_held(struct search *search, struct tn_trial low)
{
    uint64_t held = search->held;
    struct tn_trial high = held > low.value ? try_value(search, held) : low;
    bool is_held = high.result == TN_TRIAL_FITS;
    if (!is_held) {
        tn_bisect(&low, &high, try_value, search);
    }
    search->held = held;
    return is_held ? held : low.value;
}

/* Above the value that bisection found, holes of the allocator may let a larger one fit: every value is tried until what the allocator
 * does not move is too much. */
static uint64_t search_neighbourhood(struct search *search, uint64_t found, bool *is_certain)
{
    uint64_t largest = found;
    struct tn_trial trial = try_value(search, found ? found : 1);
    largest = trial.result == TN_TRIAL_FITS ? largest_held(search, trial) : largest;
    unsigned moved = 0;
    for (unsigned k = 0; k < MOST_NEIGHBOURS && moved < MOST_MOVED && search->held < MOST_VALUE; k++) {
        trial = try_value(search, search->held + 1);
        moved += search->has_moved;
        if (search->is_certain) {
            return largest;
        }
        largest = trial.result == TN_TRIAL_FITS ? largest_held(search, trial) : largest;
    }
    *is_certain = false;
    return largest;
}

/* ---- the limit ---------------------------------------------------------------------------------------------------- */

/* The ends of the stretches on which memory does not fall as the value grows, in rising order; the last is the largest value at all.
 * Lengths around the model's own maximum are stretches of their own: engines treat them in many ways, or refuse them. */
static size_t list_ends(const struct search *search, uint64_t ends[MOST_SEGMENTS])
{
    const struct tn_variation *variation = search->variation;
    const struct tn_engine *engine = search->planner->engine;
    uint64_t most = search->planner->model ? search->planner->model->max_context_tokens : 0;
    size_t count = 0;
    if (is_setting(variation)) {
        ends[count++] = variation->what == TN_VARIED_REST ? variation->whole + 1 : variation->whole;
        return count;
    }
    if (variation->what == TN_VARIED_CONTEXT) {
        const uint64_t turns[] = {engine->context_turn, most - (most > 0), most};
        for (size_t k = 0; k < sizeof turns / sizeof turns[0]; k++) {
            size_t place = count;
            if (!turns[k] || turns[k] >= MOST_VALUE) {
                continue;
            }
            while (place > 0 && ends[place - 1] > turns[k]) {
                ends[place] = ends[place - 1];
                place--;
            }
            ends[place] = turns[k];
            count++;
        }
    }
    ends[count++] = MOST_VALUE;
    return count;
}

static void find(struct search *search, struct tn_trial asked, struct tn_limit *limit)
{
    uint64_t ends[MOST_SEGMENTS];
    size_t count = list_ends(search, ends);
    uint64_t largest = 0;
    for (size_t k = count; k-- > 0 && !largest;) {
        uint64_t first = k ? ends[k - 1] + 1 : 1;
        largest = first <= ends[k] ? largest_between(search, first, ends[k], asked) : 0;
    }
    limit->is_certain = true;
    bool is_all = largest == ends[count - 1];
    if (search->planner->engine->is_replayed && !is_all) {
        largest = search_neighbourhood(search, largest, &limit->is_certain);
    }
    is_all = is_all && !is_setting(search->variation);
    limit->last_fitting = is_all ? UINT64_MAX : largest;
    limit->first_failing = is_all ? 0 : largest + 1;
}

bool tn_find_limit(struct tn_planner *planner, const struct tn_deployment *deployment,
                   const struct tn_variation *variation, const struct tn_ledger *ledger, struct tn_limit *limit)
{
    struct search search = {.planner = planner, .variation = variation, .refused_as = TN_TRIAL_REFUSED};
    bool is_context = variation->what == TN_VARIED_CONTEXT;
    uint64_t value = is_context ? deployment->context_tokens : deployment->concurrency;
    *limit = (struct tn_limit){0};
    bool done =
        tn_vary_open(&search.varying, deployment, is_setting(variation) ? variation->setting : (struct tn_str){0});
    if (done) {
        struct tn_trial asked = {0}; /* of a setting none was */
        if (!is_setting(variation)) {
            asked = ledger ? judge(&search, value, ledger) : try_value(&search, value);
        }
        find(&search, asked, limit);
        limit->plan_count = search.plan_count;
    }
    tn_arena_free(&search.arena);
    tn_vary_free(&search.varying);
    return done;
}
