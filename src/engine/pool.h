/* What engines share that take one pool for their caches at the start: the pool gets what a fixed budget leaves beside weights and reserves.
 * Of use to an engine in this order: charges of a stage, what they leave, the pool's entry, the sums of the stage. */
#ifndef TN_ENGINE_POOL_H
#define TN_ENGINE_POOL_H

#include "engine/record/rules.h"

/* A sum of ranges. Their errors are taken as independent, so that their widths add as the sides of a right triangle do: the sum of ten
 * ranges is seldom wrong by the sum of ten errors. {0} is empty. */
struct tn_charges {
    uint64_t mid;
    double below; /* square of the distance from low to mid */
    double above;
};

/* Errors: TN_ERROR_TOO_LARGE. */
bool tn_charge(struct tn_charges *charges, struct tn_range range, struct tn_error *error);

/* Adds the entries of the last stage of the ledger that stand there by now: those of the budget, or those beside it.
 * Errors: TN_ERROR_TOO_LARGE. */
bool tn_charge_stage(struct tn_charges *charges, const struct tn_ledger *ledger, struct tn_error *error);
bool tn_charge_beside(struct tn_charges *charges, const struct tn_ledger *ledger, struct tn_error *error);

struct tn_range tn_charges_range(const struct tn_charges *charges);

/* What the charges leave of the budget, 0 where they exceed it: low is the low end. Errors of both are independent. */
struct tn_range tn_pool_left(struct tn_range budget, const struct tn_charges *charges);

struct tn_range tn_range_exact(uint64_t bytes);

/* The memory of a stage that has a pool. */
struct tn_pool_stage {
    struct tn_range inside;  /* what shares the pool's budget with it */
    struct tn_range outside; /* what stands beside the budget */
    uint64_t pool_bytes;     /* what the pool takes, mid */
    uint64_t asked_bytes;    /* what it must have for the requests of the deployment */
    bool takes_rest;         /* the pool takes what `inside` leaves: their errors cancel */
};

/* Sets the sums of the last stage: the entries' own ranges do not add up where the pool takes the rest. */
void tn_pool_set_stage(struct tn_ledger *ledger, const struct tn_pool_stage *stage);

#endif
