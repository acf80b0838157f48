#include "base/bisect.h"

/* The middle. Far from the limit it is looked for near the line between what is spare and what lacks, on either side of it in turns, so
 * that the span shrinks; not near it, as memory is taken in steps. */
static uint64_t between(const struct tn_trial *low, const struct tn_trial *high, unsigned turn)
{
    enum { NEAR = 4096, ASIDE = 256 };
    uint64_t span = high->value - low->value;
    uint64_t offset = span / 2;
    if (span > NEAR && low->spare > 0 && high->spare < 0 && turn % 3 < 2) {
        uint64_t aside = span / ASIDE;
        offset = (uint64_t)((double)span * (low->spare / (low->spare - high->spare)));
        offset = turn % 3 == 1 ? offset + aside : offset > aside ? offset - aside : 1;
    }
    return low->value + (offset < span ? offset : span - 1);
}

void tn_bisect(struct tn_trial *low, struct tn_trial *high, tn_try_function *try_value, void *context)
{
    for (unsigned turn = 0; high->value - low->value > 1; turn++) {
        struct tn_trial trial = try_value(context, between(low, high, turn));
        *(trial.result == TN_TRIAL_FAILS ? high : low) = trial;
    }
}
