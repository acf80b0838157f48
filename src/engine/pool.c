/* Pools: charges and what they leave. */
#include "engine/pool.h"

#include "base/number.h"

#include <math.h>

/* Distances are below 2^64; a double keeps their squares with more digits than they have. */
static uint64_t root(double square)
{
    const double most = 18446744073709549568.0; /* the largest double below 2^64 */
    double distance = sqrt(square);
    return distance < most ? (uint64_t)distance : UINT64_MAX;
}

static double square_of(uint64_t distance)
{
    return (double)distance * (double)distance;
}

static uint64_t less(uint64_t whole, uint64_t part)
{
    return whole > part ? whole - part : 0;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return tn_add_u64(a, b, &sum) ? sum : UINT64_MAX;
}

struct tn_range tn_range_exact(uint64_t bytes)
{
    return (struct tn_range){bytes, bytes, bytes};
}

bool tn_charge(struct tn_charges *charges, struct tn_range range, struct tn_error *error)
{
    charges->below += square_of(less(range.mid, range.low));
    charges->above += square_of(less(range.high, range.mid));
    return tn_add_u64(charges->mid, range.mid, &charges->mid)
           || tn_fail(error, TN_ERROR_TOO_LARGE, "the memory of one rank exceeds 64 bits");
}

static bool charge_entries(struct tn_charges *charges, const struct tn_ledger *ledger, bool beside,
                           struct tn_error *error)
{
    const struct tn_stage *stage = &ledger->stages[ledger->stage_count - 1];
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &ledger->entries[stage->first_entry + k];
        struct tn_range range = {entry->low_bytes, entry->mid_bytes, entry->high_bytes};
        if (entry->is_beside == beside && !tn_charge(charges, range, error)) {
            return false;
        }
    }
    return true;
}

bool tn_charge_stage(struct tn_charges *charges, const struct tn_ledger *ledger, struct tn_error *error)
{
    return charge_entries(charges, ledger, false, error);
}

bool tn_charge_beside(struct tn_charges *charges, const struct tn_ledger *ledger, struct tn_error *error)
{
    return charge_entries(charges, ledger, true, error);
}

struct tn_range tn_charges_range(const struct tn_charges *charges)
{
    return (struct tn_range){.low = less(charges->mid, root(charges->below)),
                             .mid = charges->mid,
                             .high = plus(charges->mid, root(charges->above))};
}

struct tn_range tn_pool_left(struct tn_range budget, const struct tn_charges *charges)
{
    uint64_t below = root(charges->above + square_of(less(budget.mid, budget.low)));
    uint64_t above = root(charges->below + square_of(less(budget.high, budget.mid)));
    uint64_t mid = less(budget.mid, charges->mid);
    /* where the mid is nothing, the high end still counts from where it would be */
    uint64_t high = less(plus(budget.mid, above), charges->mid);
    return (struct tn_range){.low = less(mid, below), .mid = mid, .high = high};
}

void tn_pool_set_stage(struct tn_ledger *ledger, const struct tn_pool_stage *stage)
{
    uint64_t mid = plus(stage->inside.mid, stage->pool_bytes);
    uint64_t low = stage->takes_rest ? mid : plus(stage->inside.low, stage->pool_bytes);
    uint64_t high = stage->takes_rest ? mid : plus(stage->inside.high, stage->pool_bytes);
    uint64_t least = plus(plus(stage->inside.high, stage->asked_bytes), stage->outside.high);
    ledger->stages[ledger->stage_count - 1].asked_bytes = stage->asked_bytes;
    tn_ledger_set_stage(ledger, plus(low, stage->outside.low), plus(mid, stage->outside.mid),
                        plus(high, stage->outside.high), least);
}
