/* The room is one; what a request takes of it follows from planning a deployment whose requests have that length. Lengths between planned
 * ones are taken as the next longer one. */
#include "fit/requests.h"

#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>

const uint32_t tn_fit_levels[TN_FIT_LEVELS] = {500000, 950000, 990000, 999000};

enum { DRAWS = 4000, GRID = 1024, MOST_REQUESTS = 4096, USUAL_LEVEL = 2 };
static const double MILLION = 1e6;

struct drawing {
    struct tn_planner *planner;
    struct tn_deployment deployment;
    struct tn_assignment *sets;
    char longest_text[24];
    struct tn_arena arena;                     /* of one plan */
    struct tn_arena kept;                      /* of the tables */
    uint64_t step_tokens;                      /* between two planned lengths */
    double *shares;                            /* [GRID + 1] of the room that a request of so many steps takes */
    const struct tn_traced_request **requests; /* [count] no longer than the longest */
    uint64_t *weights;                         /* [count] running sums of the chance to be met */
    size_t count;
    uint64_t random;
    struct tn_error *error;
};

/* ---- what a request takes ----------------------------------------------------------------------------------------- */

/* The engine's own setting keeps the longest length while shorter requests are planned. */
static bool fix_longest(struct drawing *drawing)
{
    struct tn_deployment *deployment = &drawing->deployment;
    struct tn_str name = deployment->context_setting;
    struct tn_assignment *sets = TN_NEW_ARRAY(&drawing->kept, struct tn_assignment, deployment->set_count + 1);
    bool is_given = !name.size;
    for (size_t k = 0; sets && k < deployment->set_count; k++) {
        sets[k] = deployment->sets[k];
        is_given = is_given || tn_str_equal(sets[k].name, name);
    }
    if (sets && !is_given) {
        int size = snprintf(drawing->longest_text, sizeof drawing->longest_text, "%llu",
                            (unsigned long long)deployment->context_tokens);
        sets[deployment->set_count++] =
            (struct tn_assignment){name, (struct tn_str){drawing->longest_text, (size_t)size}};
    }
    deployment->sets = sets;
    return sets || tn_fail_memory(drawing->error);
}

static bool plan(struct drawing *drawing, uint64_t tokens, uint64_t concurrency, struct tn_ledger *ledger)
{
    struct tn_deployment varied = drawing->deployment;
    varied.context_tokens = tokens;
    varied.concurrency = concurrency;
    tn_arena_reset(&drawing->arena);
    *ledger = (struct tn_ledger){.arena = &drawing->arena};
    return tn_planner_plan(drawing->planner, &varied, ledger, drawing->error);
}

/* Without a pool: of what is free beside the fixed part, what a second request takes on top of the first. */
static bool share_without_pool(struct drawing *drawing, uint64_t tokens, double fixed_bytes, double *share)
{
    const struct tn_deployment *deployment = &drawing->deployment;
    struct tn_ledger ledger;
    double one = 0;
    if (!plan(drawing, tokens, deployment->dp, &ledger)) {
        return false;
    }
    one = (double)tn_ledger_worst(&ledger)->high_bytes;
    *share = (one - fixed_bytes) / ((double)tn_ledger_worst(&ledger)->memory_bytes - fixed_bytes);
    return true;
}

static bool fixed_of(struct drawing *drawing, uint64_t tokens, double *fixed_bytes)
{
    struct tn_ledger ledger;
    double one = 0;
    double two = 0;
    bool done = plan(drawing, tokens, drawing->deployment.dp, &ledger);
    one = done ? (double)tn_ledger_worst(&ledger)->high_bytes : 0;
    done = done && plan(drawing, tokens, 2 * (uint64_t)drawing->deployment.dp, &ledger);
    two = done ? (double)tn_ledger_worst(&ledger)->high_bytes : 0;
    *fixed_bytes = one - (two - one);
    return done;
}

/* Fills the table from the longest length down. */
static bool measure(struct drawing *drawing, struct tn_fit_moments *moments)
{
    const struct tn_deployment *deployment = &drawing->deployment;
    uint64_t longest = deployment->context_tokens;
    struct tn_ledger ledger;
    double fixed = 0;
    drawing->step_tokens = tn_ceil_div(longest, GRID);
    drawing->shares = TN_NEW_ARRAY(&drawing->kept, double, GRID + 1);
    if (!drawing->shares) {
        return tn_fail_memory(drawing->error);
    }
    if (!plan(drawing, longest, 1, &ledger)) {
        return false;
    }
    bool has_pool = ledger.pool.present;
    uint32_t dp = deployment->dp;
    moments->room_tokens = has_pool ? ledger.pool.low.tokens * dp : 0;
    moments->most_running = has_pool && ledger.pool.most_running ? ledger.pool.most_running * dp : UINT64_MAX;
    if (!has_pool && !fixed_of(drawing, longest, &fixed)) {
        return false;
    }
    for (uint64_t k = 1; k <= GRID; k++) {
        uint64_t tokens = k * drawing->step_tokens < longest ? k * drawing->step_tokens : longest;
        bool done = has_pool ? plan(drawing, tokens, 1, &ledger)
                             : share_without_pool(drawing, tokens, fixed, &drawing->shares[k]);
        if (!done) {
            return false;
        }
        if (has_pool) {
            drawing->shares[k] = ledger.pool.low.requests > 0 ? 1 / ledger.pool.low.requests : 2;
        }
        drawing->shares[k] /= dp; /* the copies are taken as one room */
    }
    moments->worst_case = drawing->shares[GRID] > 0 ? (uint64_t)(1 / drawing->shares[GRID] + 1e-9) : MOST_REQUESTS;
    return moments->worst_case
           || tn_fail(drawing->error, TN_ERROR_DEPLOYMENT, "not even one request of %llu tokens fits",
                      (unsigned long long)longest);
}

static double share_of(const struct drawing *drawing, uint64_t tokens)
{
    uint64_t step = tn_ceil_div(tokens ? tokens : 1, drawing->step_tokens);
    return drawing->shares[step < GRID ? step : GRID];
}

/* ---- moments ------------------------------------------------------------------------------------------------------ */

static uint64_t next_random(struct drawing *drawing, uint64_t below)
{
    uint64_t mixed = drawing->random += UINT64_C(0x9E3779B97F4A7C15); /* SplitMix64 */
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (mixed ^ (mixed >> 31)) % below;
}

static bool list_requests(struct drawing *drawing, const struct tn_trace *trace, size_t *left_out)
{
    uint64_t longest = drawing->deployment.context_tokens;
    uint64_t sum = 0;
    drawing->requests = TN_NEW_ARRAY(&drawing->kept, const struct tn_traced_request *, trace->count);
    drawing->weights = TN_NEW_ARRAY(&drawing->kept, uint64_t, trace->count);
    if (!drawing->requests || !drawing->weights) {
        return tn_fail_memory(drawing->error);
    }
    for (size_t k = 0; k < trace->count; k++) {
        const struct tn_traced_request *request = &trace->requests[k];
        if (request->prompt_tokens + request->output_tokens <= longest) {
            sum += request->output_tokens + 1; /* each at most 2^40, and fewer than 2^26 */
            drawing->weights[drawing->count] = sum;
            drawing->requests[drawing->count++] = request;
        }
    }
    *left_out = trace->count - drawing->count;
    return drawing->count
           || tn_fail(drawing->error, TN_ERROR_DEPLOYMENT, "every request of the trace is longer than %llu tokens",
                      (unsigned long long)longest);
}

/* The share of the room that one request takes at a random moment. */
static double draw_request(struct drawing *drawing)
{
    uint64_t wanted = next_random(drawing, drawing->weights[drawing->count - 1]);
    size_t low = 0;
    size_t high = drawing->count - 1;
    while (low < high) { /* the first whose running sum is above */
        size_t middle = low + (high - low) / 2;
        if (drawing->weights[middle] > wanted) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    const struct tn_traced_request *request = drawing->requests[low];
    return share_of(drawing, request->prompt_tokens + next_random(drawing, request->output_tokens + 1));
}

static int compare_counts(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static int compare_reals(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* How many fit at each of the moments, in rising order. */
static void count_moments(struct drawing *drawing, uint64_t most, uint64_t *counts)
{
    for (unsigned draw = 0; draw < DRAWS; draw++) {
        double sum = 0;
        uint64_t count = 0;
        drawing->random = draw * UINT64_C(1000003);
        while (count < most) {
            sum += draw_request(drawing);
            if (sum > 1) {
                break;
            }
            count++;
        }
        counts[draw] = count;
    }
    qsort(counts, DRAWS, sizeof counts[0], compare_counts);
}

static uint32_t share_at_least(const uint64_t *counts, uint64_t wanted)
{
    unsigned enough = 0;
    for (unsigned k = 0; k < DRAWS; k++) {
        enough += counts[k] >= wanted;
    }
    return (uint32_t)((uint64_t)enough * 1000000 / DRAWS);
}

/* What so many take of the room at each of the moments. */
static void measure_use(struct drawing *drawing, uint64_t requests, double *sums, struct tn_fit_in_use *in_use)
{
    for (unsigned draw = 0; draw < DRAWS; draw++) {
        drawing->random = draw * UINT64_C(1000003);
        sums[draw] = 0;
        for (uint64_t k = 0; k < requests; k++) {
            sums[draw] += draw_request(drawing);
        }
    }
    qsort(sums, DRAWS, sizeof sums[0], compare_reals);
    in_use->p50 = (uint64_t)(sums[DRAWS / 2] * MILLION);
    in_use->p95 = (uint64_t)(sums[DRAWS * 95 / 100] * MILLION);
    in_use->p99 = (uint64_t)(sums[DRAWS * 99 / 100] * MILLION);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool draw(struct drawing *drawing, uint64_t asked, struct tn_fit_moments *moments)
{
    uint64_t *counts = TN_NEW_ARRAY(&drawing->kept, uint64_t, DRAWS);
    double *sums = TN_NEW_ARRAY(&drawing->kept, double, DRAWS);
    if (!counts || !sums) {
        return tn_fail_memory(drawing->error);
    }
    uint64_t most = moments->most_running < MOST_REQUESTS ? moments->most_running + 1 : MOST_REQUESTS;
    count_moments(drawing, asked >= most ? least(asked + 1, MOST_REQUESTS) : most, counts);
    for (size_t level = 0; level < TN_FIT_LEVELS; level++) {
        size_t fewer = (size_t)((uint64_t)DRAWS * (1000000 - tn_fit_levels[level]) / 1000000);
        moments->at_level[level] = least(counts[fewer], moments->most_running);
    }
    moments->asked = asked ? asked : moments->at_level[USUAL_LEVEL];
    moments->share_ppm = asked > moments->most_running ? 0 : share_at_least(counts, moments->asked);
    moments->next_share_ppm =
        moments->asked + 1 > moments->most_running ? 0 : share_at_least(counts, moments->asked + 1);
    moments->worst_case = least(moments->worst_case, moments->most_running);
    moments->draws = DRAWS;
    measure_use(drawing, least(moments->asked, MOST_REQUESTS), sums, &moments->in_use);
    return true;
}

bool tn_fit_draw(struct tn_planner *planner, const struct tn_deployment *deployment, const struct tn_trace *trace,
                 uint64_t asked, struct tn_fit_moments *moments, size_t *left_out, struct tn_error *error)
{
    struct drawing drawing = {.planner = planner, .deployment = *deployment, .error = error};
    *moments = (struct tn_fit_moments){.longest_tokens = deployment->context_tokens};
    bool done = fix_longest(&drawing) && list_requests(&drawing, trace, left_out) && measure(&drawing, moments)
                && draw(&drawing, asked, moments);
    tn_arena_free(&drawing.arena);
    tn_arena_free(&drawing.kept);
    return done;
}
