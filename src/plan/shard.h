/* How a tensor splits over ranks: one function per split rule. */
#ifndef TN_PLAN_SHARD_H
#define TN_PLAN_SHARD_H

#include "model/model.h"
#include "plan/deployment.h"

/* What one rank holds is numerator / denominator of the whole. */
struct tn_share {
    uint64_t numerator;
    uint64_t denominator;
};

/* The largest share of any rank. Errors: TN_ERROR_DEPLOYMENT where engines refuse the split (tp does not divide the heads ...). */
bool tn_split_share(const struct tn_split *split, const struct tn_deployment *deployment, struct tn_share *share,
                    struct tn_error *error);

/* bytes * share, rounded up. Errors: TN_ERROR_TOO_LARGE. */
bool tn_share_of(uint64_t bytes, struct tn_share share, uint64_t *result, struct tn_error *error);

#endif
