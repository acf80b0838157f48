/* How long an answer may take. The core has no clock: whoever asks has one, and says when it is over. */
#ifndef TN_BASE_BUDGET_H
#define TN_BASE_BUDGET_H

#include "base/error.h"

struct tn_budget {
    void *context;
    bool (*is_spent)(void *context); /* once true it stays so */
};

/* Whether to go on; NULL: always. Errors: TN_ERROR_TOO_COSTLY. */
static inline bool tn_budget_allows(const struct tn_budget *budget, struct tn_error *error)
{
    if (!budget || !budget->is_spent(budget->context)) {
        return true;
    }
    tn_fail(error, TN_ERROR_TOO_COSTLY, "the answer takes longer to compute than it may");
    return tn_fail_hint(error, "ask for less: fewer GPUs, one engine, one model; or run `tonnage` itself");
}

#endif
