/* From a ledger to the terms of a start-up log: which entries of a rank are which line of it. */
#include "api/score/work.h"

#include <math.h>

const char *const tn_term_names[TN_TERM_COUNT] = {
    "weights", "activation", "non_torch", "graphs", "kv_pool", "kv_tokens", "kv_tokens_given_pool",
    "model",   "kv",         "recurrent", "output", "compute", "total",
};

/* ---- what the plan says of one rank --------------------------------------------------------------------------------- */

#define CATEGORY(name) (1U << TN_CATEGORY_##name)

/* The terms that are entries of some categories. Context and libraries (runtime) and what ranks exchange (communication) do not come from
 * PyTorch's allocator. */
static const unsigned term_categories[TN_TERM_COUNT] = {
    [TN_TERM_WEIGHTS] = CATEGORY(WEIGHTS) | CATEGORY(FRAGMENTATION),
    [TN_TERM_ACTIVATION] = CATEGORY(ACTIVATION),
    [TN_TERM_NON_TORCH] = CATEGORY(RUNTIME) | CATEGORY(COMMUNICATION),
    [TN_TERM_GRAPHS] = CATEGORY(GRAPHS),
};

/* Counts whether or not it stands in the budget that the log's terms divide; the other terms do not hold what stands beside it. */
static const unsigned beside_categories = CATEGORY(GRAPHS);

/* What PyTorch's allocator holds at the most. */
static const unsigned peak_categories = CATEGORY(WEIGHTS) | CATEGORY(FRAGMENTATION) | CATEGORY(CACHE) | CATEGORY(STATE)
                                        | CATEGORY(ACTIVATION) | CATEGORY(WORKSPACE);

static struct tn_expected sum_of(const struct tn_ledger *ledger, const struct tn_stage *stage, unsigned categories)
{
    struct tn_expected sum = {0};
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &ledger->entries[stage->first_entry + k];
        unsigned category = 1U << entry->category;
        if ((categories & category) && (!entry->is_beside || (beside_categories & category))) {
            sum.low += (double)entry->low_bytes;
            sum.mid += (double)entry->mid_bytes;
            sum.high += (double)entry->high_bytes;
        }
    }
    return sum;
}

/* A log of a pipeline prints one stage and does not say which: the one whose weights come nearest to it, the first of those that the digits
 * cannot tell apart. */
static const struct tn_stage *stage_of(const struct tn_measurement *measurement, const struct tn_ledger *ledger)
{
    const struct tn_figure *weights = &measurement->figures[TN_FIGURE_WEIGHTS];
    if (!weights->known) {
        return tn_ledger_worst(ledger);
    }
    const struct tn_stage *nearest = &ledger->stages[0];
    for (uint32_t k = 1; k < ledger->stage_count; k++) {
        double here = sum_of(ledger, &ledger->stages[k], term_categories[TN_TERM_WEIGHTS]).mid;
        double there = sum_of(ledger, nearest, term_categories[TN_TERM_WEIGHTS]).mid;
        double gain = fabs(there - (double)weights->value) - fabs(here - (double)weights->value);
        nearest = gain > 2 * (double)weights->rounding ? &ledger->stages[k] : nearest;
    }
    return nearest;
}

/* As the log prints it: what is available, or what was taken of it. */
static struct tn_expected pool_of(const struct tn_measurement *measurement, const struct tn_pool *pool,
                                  const struct tn_stage *stage)
{
    double rest = 0;
    if (tn_log_engine_prints_available(measurement->engine) && stage->available_bytes.mid) {
        return (struct tn_expected){(double)stage->available_bytes.low, (double)stage->available_bytes.mid,
                                    (double)stage->available_bytes.high};
    }
    if (tn_log_engine_prints_available(measurement->engine) && pool->available_bytes > pool->mid.bytes) {
        rest = (double)(pool->available_bytes - pool->mid.bytes);
    }
    return (struct tn_expected){(double)pool->low.bytes + rest, (double)pool->mid.bytes + rest,
                                (double)pool->high.bytes + rest};
}

/* ---- comparing -------------------------------------------------------------------------------------------------------- */

void tn_sample_leave_out(struct tn_sample *sample, const char *why)
{
    *sample = (struct tn_sample){.state = TN_SAMPLE_LEFT_OUT, .why = why};
}

void tn_sample_set(struct tn_sample *sample, double measured, double rounding, struct tn_expected expected)
{
    *sample = (struct tn_sample){
        .state = TN_SAMPLE_SCORED,
        .measured = measured,
        .rounding = rounding,
        .predicted = expected.mid,
        .low = expected.low,
        .high = expected.high,
        .exact = fabs(expected.mid - measured) <= rounding,
    };
}

static void compare(struct tn_sample *sample, double measured, double rounding, struct tn_expected predicted)
{
    if (measured <= 0) {
        tn_sample_leave_out(sample, "measured is not above 0: a percentage of it says nothing");
    } else {
        tn_sample_set(sample, measured, rounding, predicted);
    }
}

static void compare_figure(struct tn_sample *sample, const struct tn_figure *figure, struct tn_expected predicted)
{
    if (figure->known) {
        compare(sample, (double)figure->value, (double)figure->rounding, predicted);
    }
}

static const char starts_instead[] = "measured is the length that a refused start offers; the plan says that it starts";

/* Tokens, of a start that was refused the length that it offered, else requests at once. */
static void compare_tokens(const struct tn_measurement *measurement, const struct tn_pool *pool,
                           struct tn_sample *sample)
{
    const struct tn_figure *tokens = &measurement->figures[TN_FIGURE_KV_TOKENS];
    const struct tn_figure *suggested = &measurement->figures[TN_FIGURE_SUGGESTED_TOKENS];
    struct tn_expected predicted = {(double)pool->low.tokens, (double)pool->mid.tokens, (double)pool->high.tokens};
    struct tn_expected requests = {pool->low.max_concurrency, pool->mid.max_concurrency, pool->high.max_concurrency};
    if (tokens->known) {
        compare_figure(sample, tokens, predicted);
    } else if (suggested->known && pool->mid.max_concurrency >= 1) {
        tn_sample_leave_out(sample, starts_instead);
    } else if (suggested->known) {
        double length = (double)pool->suggested_tokens;
        compare_figure(sample, suggested, (struct tn_expected){length, length, length});
    } else if (measurement->max_concurrency > 0) {
        compare(sample, measurement->max_concurrency, 0.005, requests);
    }
}

/* All that a log accounts for: its parts where no program measured the whole. */
static void compare_total(const struct tn_measurement *measurement, const struct tn_ledger *ledger,
                          const struct tn_stage *stage, struct tn_sample *samples)
{
    static const enum tn_term parts[] = {TN_TERM_WEIGHTS, TN_TERM_ACTIVATION, TN_TERM_NON_TORCH, TN_TERM_KV_POOL};
    const struct tn_figure *used = &measurement->figures[TN_FIGURE_USED];
    const struct tn_figure *peak = &measurement->figures[TN_FIGURE_PEAK];
    struct tn_sample *total = &samples[TN_TERM_TOTAL];
    if (used->known) {
        compare_figure(
            total, used,
            (struct tn_expected){(double)stage->low_bytes, (double)stage->mid_bytes, (double)stage->high_bytes});
        return;
    }
    if (peak->known && !measurement->context_tokens) {
        tn_sample_leave_out(total, "the record does not say how long its requests were");
        return;
    }
    if (peak->known) {
        compare_figure(total, peak, sum_of(ledger, stage, peak_categories));
        return;
    }
    struct tn_expected predicted = {0};
    double measured = 0;
    double rounding = 0;
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        const struct tn_sample *part = &samples[parts[k]];
        if (part->state != TN_SAMPLE_SCORED) {
            return;
        }
        measured += part->measured;
        rounding += part->rounding;
        predicted.mid += part->predicted;
    }
    /* the pool takes what the rest leaves, so that their ranges cancel */
    predicted.low = predicted.high = predicted.mid;
    compare(total, measured, rounding, predicted);
}

/* Of a build that is not published: its weights, and what is left beside them. */
static void leave_out_weights(struct tn_sample *samples)
{
    static const enum tn_term terms[] = {TN_TERM_WEIGHTS, TN_TERM_KV_POOL, TN_TERM_KV_TOKENS, TN_TERM_TOTAL};
    for (size_t k = 0; k < sizeof terms / sizeof terms[0]; k++) {
        if (samples[terms[k]].state == TN_SAMPLE_SCORED) {
            tn_sample_leave_out(&samples[terms[k]], "the record names a build and not how it is quantised");
        }
    }
}

/* Room for LoRA adapters is part of the weights; it grows with their rank. */
static bool has_adapters_of_unknown_rank(const struct tn_measurement *measurement)
{
    bool has_adapters = false;
    bool has_rank = false;
    for (size_t k = 0; k < measurement->set_count; k++) {
        has_adapters = has_adapters || tn_str_is(measurement->sets[k].name, "enable_lora");
        has_rank = has_rank || tn_str_is(measurement->sets[k].name, "max_lora_rank");
    }
    return has_adapters && !has_rank;
}

void tn_score_terms(const struct tn_measurement *measurement, const struct tn_ledger *ledger, uint64_t gpu_memory_bytes,
                    struct tn_scored *scored)
{
    static const struct {
        enum tn_term term;
        enum tn_figure_kind figure;
    } rows[] = {{TN_TERM_WEIGHTS, TN_FIGURE_WEIGHTS},
                {TN_TERM_ACTIVATION, TN_FIGURE_ACTIVATION},
                {TN_TERM_NON_TORCH, TN_FIGURE_NON_TORCH},
                {TN_TERM_GRAPHS, TN_FIGURE_GRAPHS}};
    const struct tn_stage *stage = stage_of(measurement, ledger);
    const struct tn_figure *pool = &measurement->figures[TN_FIGURE_KV_POOL];
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        compare_figure(&scored->samples[rows[k].term], &measurement->figures[rows[k].figure],
                       sum_of(ledger, stage, term_categories[rows[k].term]));
    }
    if (ledger->pool.present) {
        compare_figure(&scored->samples[TN_TERM_KV_POOL], pool, pool_of(measurement, &ledger->pool, stage));
        compare_tokens(measurement, &ledger->pool, &scored->samples[TN_TERM_KV_TOKENS]);
    }
    scored->has_large_pool = pool->known && gpu_memory_bytes && (double)pool->value * 10 >= (double)gpu_memory_bytes;
    compare_total(measurement, ledger, stage, scored->samples);
    if (has_adapters_of_unknown_rank(measurement) && scored->samples[TN_TERM_WEIGHTS].state == TN_SAMPLE_SCORED) {
        tn_sample_leave_out(&scored->samples[TN_TERM_WEIGHTS],
                            "room for LoRA adapters is in it, of a rank that the record does not say");
    }
    if (measurement->is_unknown_build) {
        leave_out_weights(scored->samples);
    }
}

/* ---- from the measured pool ------------------------------------------------------------------------------------------- */

/* Whether the printed number is among those that the digits of the pool allow. */
static bool is_allowed(double measured, double rounding, double least, double most)
{
    return measured + rounding >= least && measured - rounding <= most;
}

static double tokens_of(const struct tn_ledger *ledger, bool suggested)
{
    return (double)(suggested ? ledger->pool.suggested_tokens : ledger->pool.mid.tokens);
}

void tn_score_given_pool(const struct tn_measurement *measurement, const struct tn_ledger ledgers[3], bool is_plain,
                         struct tn_scored *scored)
{
    enum { LEAST, MIDDLE, MOST };
    struct tn_sample *sample = &scored->samples[TN_TERM_KV_TOKENS_GIVEN_POOL];
    const struct tn_figure *printed = &measurement->figures[TN_FIGURE_KV_TOKENS];
    const struct tn_figure *suggested = &measurement->figures[TN_FIGURE_SUGGESTED_TOKENS];
    const struct tn_figure *tokens = printed->known ? printed : suggested;
    double requests = measurement->max_concurrency;
    bool requests_fit =
        requests <= 0
        || is_allowed(requests, 0.005, ledgers[LEAST].pool.mid.max_concurrency, ledgers[MOST].pool.mid.max_concurrency);
    if (!measurement->kv_dtype.size) {
        tn_sample_leave_out(sample, "the record does not say the dtype of its cache");
        return;
    }
    if (measurement->pp > 1) {
        tn_sample_leave_out(sample,
                            "the pool is that of one stage of a pipeline, the tokens are those of the smallest");
        return;
    }
    if (!printed->known && suggested->known && ledgers[MIDDLE].pool.mid.max_concurrency >= 1) {
        tn_sample_leave_out(sample, starts_instead);
    } else if (tokens->known) {
        struct tn_expected predicted = {tokens_of(&ledgers[LEAST], !printed->known),
                                        tokens_of(&ledgers[MIDDLE], !printed->known),
                                        tokens_of(&ledgers[MOST], !printed->known)};
        compare_figure(sample, tokens, predicted);
        sample->exact = sample->state == TN_SAMPLE_SCORED && requests_fit
                        && is_allowed(sample->measured, sample->rounding, sample->low, sample->high);
    } else if (requests > 0) {
        struct tn_expected predicted = {ledgers[LEAST].pool.mid.max_concurrency,
                                        ledgers[MIDDLE].pool.mid.max_concurrency,
                                        ledgers[MOST].pool.mid.max_concurrency};
        compare(sample, requests, 0.005, predicted);
        sample->exact = requests_fit;
    }
    bool differs = sample->state == TN_SAMPLE_SCORED && !sample->exact;
    if (differs && is_plain && measurement->gpu_count > 1 && sample->measured < sample->low) {
        tn_sample_leave_out(sample,
                            "contradictory: fewer tokens than its pool holds, as of another rank with less memory");
    } else if (differs && is_plain && fabs(sample->predicted - sample->measured) > sample->measured / 20) {
        tn_sample_leave_out(sample, "contradictory: its tokens times the bytes of one do not give its pool");
    }
}
