/* What would make a plan fit that does not: each remedy is a change of the request that was planned before it is offered. */
#ifndef TN_API_REMEDIES_H
#define TN_API_REMEDIES_H

#include "api/plan_report.h"

/* Fills plan->remedies where the verdict is that it does not fit; what costs least stands first. A remedy that cannot be computed is
 * not offered. */
void tn_find_remedies(struct tn_plan *plan, struct tn_arena *arena);

#endif
