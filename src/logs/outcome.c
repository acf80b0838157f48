/* Whether a start failed, by what its record says; and records whose figures cannot all be true. */
#include "logs/reading.h"

#include "base/real.h"

/* ---- did it start ------------------------------------------------------------------------------------------------- */

static bool fail_start(struct tn_reading *reading, const char *why)
{
    reading->measurement->outcome = TN_OUTCOME_FAILED;
    reading->measurement->outcome_why = tn_str_of(why);
    return true;
}

static bool has_result(const struct tn_measurement *measurement)
{
    static const enum tn_figure_kind results[] = {TN_FIGURE_KV_POOL, TN_FIGURE_KV_TOKENS, TN_FIGURE_GRAPHS,
                                                  TN_FIGURE_USED, TN_FIGURE_PEAK};
    bool found = measurement->max_concurrency > 0;
    for (size_t k = 0; k < sizeof results / sizeof results[0]; k++) {
        found = found || measurement->figures[results[k]].known;
    }
    return found;
}

/* vLLM does not start where not one request of the longest length fits. Its own concurrency says so best: of models with windows or states
 * the printed tokens are no plain capacity, and may be fewer than the length. */
static bool is_short_pool(const struct tn_measurement *measurement)
{
    const struct tn_figure *tokens = &measurement->figures[TN_FIGURE_KV_TOKENS];
    if (!tn_log_engine_refuses_short_pools(measurement)) {
        return false;
    }
    if (measurement->max_concurrency > 0) {
        return measurement->max_concurrency < 1;
    }
    return tokens->known && measurement->context_tokens && tokens->value < (int64_t)measurement->context_tokens;
}

bool tn_reading_outcome(struct tn_reading *reading, struct tn_str notes)
{
    struct tn_measurement *measurement = reading->measurement;
    const struct tn_value *record = reading->record;
    const struct tn_value *measured = tn_reading_member(record, "measured");
    struct tn_figure *tokens = &measurement->figures[TN_FIGURE_KV_TOKENS];
    double needed = 0;
    double pool = -1;
    double least_fraction = 0;
    double fraction = 1;
    if (!tn_reading_real(reading, measured, "kv_needed_gib", &needed)
        || !tn_reading_real(reading, measured, "kv_cache_gib", &pool)
        || !tn_reading_real(reading, measured, "min_mem_fraction_static", &least_fraction)
        || !tn_reading_real(reading, record, "mem_fraction_static", &fraction)) {
        return false;
    }
    if (pool >= 0 && needed > pool) { /* then the tokens are those of the longest length that it offers instead */
        measurement->figures[TN_FIGURE_SUGGESTED_TOKENS] = *tokens;
        *tokens = (struct tn_figure){0};
        return fail_start(reading, "one request needs more than the pool has");
    }
    if (tn_reading_member(measured, "oom_tried")) {
        return fail_start(reading, "out of memory");
    }
    if (tn_str_find(notes, TN_STR("FAILED")) != SIZE_MAX) {
        return fail_start(reading, "the record says so");
    }
    if (least_fraction > fraction) {
        return fail_start(reading, "the static share of the memory does not hold the weights");
    }
    if (is_short_pool(measurement)) {
        return fail_start(reading, "the pool holds less than one request");
    }
    measurement->outcome = has_result(measurement) ? TN_OUTCOME_STARTED : TN_OUTCOME_UNKNOWN;
    return true;
}

/* ---- contradictions ----------------------------------------------------------------------------------------------- */

static bool check_parallel(struct tn_reading *reading)
{
    const struct tn_measurement *measurement = reading->measurement;
    uint64_t ranks = (uint64_t)measurement->tp * measurement->pp;
    if (measurement->gpu_count && ranks > measurement->gpu_count) {
        return tn_reading_fault(reading, "contradictory: tp %u x pp %u on %u GPUs", measurement->tp, measurement->pp,
                                measurement->gpu_count);
    }
    return true;
}

/* Shares of the memory that no engine takes. */
static bool check_shares(struct tn_reading *reading)
{
    static const char *const shares[] = {"gpu_memory_utilization", "mem_fraction_static", "free_gpu_memory_fraction"};
    const struct tn_measurement *measurement = reading->measurement;
    for (size_t k = 0; k < measurement->set_count; k++) {
        const struct tn_assignment *set = &measurement->sets[k];
        for (size_t n = 0; n < sizeof shares / sizeof shares[0]; n++) {
            double share;
            if (tn_str_is(set->name, shares[n]) && !(tn_real_read(set->value, &share) && share > 0 && share <= 1)) {
                return tn_reading_fault(reading, "contradictory: '%s' must be above 0 and at most 1", shares[n]);
            }
        }
    }
    return true;
}

/* What lies in the GPU at one time cannot exceed its memory; a twentieth is left for sizes that are only marketed. */
static bool check_sums(struct tn_reading *reading)
{
    static const enum tn_figure_kind parts[] = {TN_FIGURE_WEIGHTS, TN_FIGURE_ACTIVATION, TN_FIGURE_NON_TORCH,
                                                TN_FIGURE_KV_POOL};
    const struct tn_measurement *measurement = reading->measurement;
    uint64_t memory = measurement->gpu_memory_bytes ? measurement->gpu_memory_bytes
                      : measurement->gpu            ? measurement->gpu->memory_bytes
                                                    : 0;
    double sum = 0;
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        const struct tn_figure *figure = &measurement->figures[parts[k]];
        if (figure->known && figure->value < 0) {
            return tn_reading_fault(reading, "contradictory: %s is below 0", tn_figure_names[parts[k]]);
        }
        sum += figure->known ? (double)figure->value : 0;
    }
    if (memory && sum > (double)memory * 1.05) {
        return tn_reading_fault(reading,
                                "contradictory: weights, activation and pool are %llu MiB on a GPU of %llu MiB",
                                (unsigned long long)(sum / 0x1p20), (unsigned long long)(memory >> 20));
    }
    return true;
}

static bool check_tokens(struct tn_reading *reading)
{
    static const enum tn_figure_kind counts[] = {TN_FIGURE_KV_TOKENS, TN_FIGURE_SUGGESTED_TOKENS, TN_FIGURE_USED,
                                                 TN_FIGURE_PEAK};
    const struct tn_measurement *measurement = reading->measurement;
    for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
        if (measurement->figures[counts[k]].known && measurement->figures[counts[k]].value < 1) {
            return tn_reading_fault(reading, "contradictory: %s is below 1", tn_figure_names[counts[k]]);
        }
    }
    return measurement->max_concurrency >= 0 || tn_reading_fault(reading, "contradictory: max_concurrency is below 0");
}

bool tn_reading_check(struct tn_reading *reading)
{
    return check_parallel(reading) && check_shares(reading) && check_sums(reading) && check_tokens(reading);
}
