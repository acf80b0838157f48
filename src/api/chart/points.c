/* One point of a chart is one plan: does it fit, and what does it need. */
#include "api/chart/chart.h"

#include "base/bisect.h"
#include "base/number.h"
#include "text/quantity.h"

static uint64_t plus(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return tn_add_u64(a, b, &sum) ? sum : UINT64_MAX;
}

/* In a pool that takes what there is, the requests that were asked for have their part: they fit where that is no more than the pool, in
 * the worst case. */
uint64_t tn_chart_needed_bytes(const struct tn_ledger *ledger)
{
    const struct tn_stage *stage = tn_ledger_worst(ledger);
    uint64_t pool = 0;
    if (!ledger->pool.present) {
        return stage->high_bytes;
    }
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &ledger->entries[stage->first_entry + k];
        bool is_pool = entry->category == TN_CATEGORY_CACHE || entry->category == TN_CATEGORY_STATE;
        pool = plus(pool, is_pool ? entry->low_bytes : 0);
    }
    return plus(stage->high_bytes > pool ? stage->high_bytes - pool : 0, stage->asked_bytes);
}

/* 0 where no GPU was named. */
uint64_t tn_chart_limit_bytes(const struct tn_plan *plan)
{
    const struct tn_stage *worst = tn_ledger_worst(&plan->ledger);
    bool is_pool = plan->ledger.pool.present && worst->high_bytes < worst->memory_bytes;
    return is_pool ? worst->high_bytes : worst->memory_bytes;
}

/* Of GPUs that are not alike another may decide than in the plan: its need is told as if it had the memory of that one. */
static uint64_t told_bytes(const struct tn_plan *plan, const struct tn_ledger *ledger)
{
    uint64_t bytes = tn_chart_needed_bytes(ledger);
    uint64_t memory = tn_ledger_worst(&plan->ledger)->memory_bytes;
    uint64_t other = tn_ledger_worst(ledger)->memory_bytes;
    if (other <= memory) {
        return plus(bytes, memory - other);
    }
    return bytes > other - memory ? bytes - (other - memory) : 1;
}

uint64_t tn_chart_longest(const struct tn_plan *plan)
{
    const uint64_t unstated = 131072;
    const struct tn_deployment *deployment = &plan->question.deployment;
    uint64_t most = plan->model->max_context_tokens ? plan->model->max_context_tokens : unstated;
    for (size_t k = 0; k < deployment->set_count; k++) {
        const struct tn_assignment *set = &deployment->sets[k];
        uint64_t tokens;
        if (tn_str_equal(set->name, deployment->context_setting) && tn_quantity_tokens(set->value, &tokens)
            && tokens > deployment->context_tokens) {
            most = tokens; /* the engine was told to take no longer ones */
        }
    }
    return deployment->context_tokens > most ? deployment->context_tokens : most;
}

bool tn_chart_points_open(struct tn_chart_points *points, struct tn_plan *plan)
{
    *points = (struct tn_chart_points){.plan = plan};
    return tn_vary_open(&points->varying, &plan->question.deployment, (struct tn_str){0});
}

static enum tn_fits judge(const struct tn_ledger *ledger, const struct tn_deployment *deployment)
{
    if (ledger->start == TN_START_PARTLY) {
        return TN_FITS_PARTLY;
    }
    if (tn_ledger_fits(ledger, deployment)) {
        return TN_FITS_YES;
    }
    const struct tn_stage *worst = tn_ledger_worst(ledger);
    bool has_room = worst->high_bytes <= worst->memory_bytes && tn_pool_requests(&ledger->pool, &ledger->pool.low) > 0;
    return ledger->pool.present && ledger->start == TN_START_YES && has_room ? TN_FITS_QUEUES : TN_FITS_NO;
}

struct tn_chart_point tn_chart_try(struct tn_chart_points *points, uint64_t context_tokens, uint64_t concurrency)
{
    struct tn_ledger ledger;
    tn_vary_context(&points->varying, context_tokens);
    points->varying.deployment.concurrency = concurrency;
    points->plan_count++;
    if (!tn_plan_again(&points->plan->question.planner, &points->varying.deployment, &points->arena, &ledger)) {
        return (struct tn_chart_point){.fits = TN_FITS_REFUSED};
    }
    return (struct tn_chart_point){.fits = judge(&ledger, &points->varying.deployment),
                                   .bytes = told_bytes(points->plan, &ledger)};
}

/* ---- the last that fits ------------------------------------------------------------------------------------------- */

struct search {
    struct tn_chart_points *points;
    uint64_t limit_bytes;
    uint64_t other; /* the input that stays */
    bool of_context;
};

static struct tn_trial try_value(void *context, uint64_t value)
{
    const struct search *search = context;
    struct tn_chart_point point = tn_chart_try(search->points, search->of_context ? value : search->other,
                                               search->of_context ? search->other : value);
    bool fits = point.fits == TN_FITS_YES;
    double spare = (double)search->limit_bytes - (double)point.bytes;
    bool is_memory = point.fits != TN_FITS_REFUSED
                     && fits == (spare >= 0); /* what decides, so that it says how far off the value is */
    return (struct tn_trial){
        .value = value, .result = fits ? TN_TRIAL_FITS : TN_TRIAL_FAILS, .spare = is_memory ? spare : 0};
}

static uint64_t search_between(struct search *search, uint64_t fits, uint64_t fails)
{
    struct tn_trial low = {.value = fits, .result = TN_TRIAL_FITS};
    struct tn_trial high = {.value = fails, .result = TN_TRIAL_FAILS};
    search->limit_bytes = tn_chart_limit_bytes(search->points->plan);
    tn_bisect(&low, &high, try_value, search);
    return low.value;
}

uint64_t tn_chart_last_context(struct tn_chart_points *points, uint64_t concurrency, uint64_t fits, uint64_t fails)
{
    struct search search = {.points = points, .other = concurrency, .of_context = true};
    return search_between(&search, fits, fails);
}

uint64_t tn_chart_last_concurrency(struct tn_chart_points *points, uint64_t context_tokens, uint64_t fits,
                                   uint64_t fails)
{
    struct search search = {.points = points, .other = context_tokens};
    return search_between(&search, fits, fails);
}

void tn_chart_points_free(struct tn_chart_points *points)
{
    tn_vary_free(&points->varying);
    tn_arena_free(&points->arena);
}
