/* The largest number that passes a test, where all below it pass and all above it fail. The one bisection of the project. */
#ifndef TN_BASE_BISECT_H
#define TN_BASE_BISECT_H

#include <stdint.h>

enum tn_trial_result {
    TN_TRIAL_FAILS,
    TN_TRIAL_FITS,
    TN_TRIAL_REFUSED /* the number cannot be judged: it is too small to be taken at all */
};

/* What a number comes to. */
struct tn_trial {
    uint64_t value;
    enum tn_trial_result result;
    double spare; /* what is left over, negative where it lacks; 0: not known how far off the number is */
};

/* Tries the number. context is the caller's. */
typedef struct tn_trial tn_try_function(void *context, uint64_t value);

/* Narrows the span between two trials until they are neighbours: afterwards high fails, and low, where it is not as it was given, fits or
 * is refused.
 * low, high  with low->value < high->value. high counts as failing, low as one beyond which the largest lies, whatever its result */
void tn_bisect(struct tn_trial *low, struct tn_trial *high, tn_try_function *try_value, void *context);

#endif
