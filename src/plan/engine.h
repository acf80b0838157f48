/* What every serving engine offers: the ledger of a model in a deployment. The engines themselves stand in src/engine. */
#ifndef TN_PLAN_ENGINE_H
#define TN_PLAN_ENGINE_H

#include "plan/ledger.h"

struct tn_engine {
    const char *name;
    const char *summary; /* one line for lists */
    /* Fills the ledger; ledger->arena is set by the caller, the rest is zero.
     * Errors: TN_ERROR_DEPLOYMENT, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
    bool (*plan)(const struct tn_model *model, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                 struct tn_error *error);
};

#endif
