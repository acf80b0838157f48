/* What a plan says to a person. */
#ifndef TN_API_PLAN_REPORT_H
#define TN_API_PLAN_REPORT_H

#include "api/deployment.h"
#include "plan/cache.h"

/* One change that makes a plan fit that does not. */
struct tn_remedy {
    struct tn_str option;  /* as one would type it: "--kv-dtype fp8" */
    struct tn_str meaning; /* in words */
};

enum { TN_REMEDIES = 6 };

struct tn_plan {
    struct tn_model *model;
    struct tn_question question;
    struct tn_ledger ledger;
    struct tn_cache_totals kv;
    struct tn_verdict verdict;
    struct tn_remedy remedies[TN_REMEDIES]; /* [remedy_count] */
    size_t remedy_count;
    enum tn_units units;
    struct tn_str message; /* the verdict in one sentence */
};

/* Fills plan->message. false when memory is out. */
bool tn_plan_message(struct tn_plan *plan, struct tn_arena *arena);

/* Bars, breakdown, verdict, and what would make it fit. The report points into the plan's model. */
void tn_plan_report(const struct tn_plan *plan, struct tn_report *report);

#endif
