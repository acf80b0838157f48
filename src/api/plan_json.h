/* The plan as a JSON document. */
#ifndef TN_API_PLAN_JSON_H
#define TN_API_PLAN_JSON_H

#include "api/plan_report.h"

/* Writes tonnage.plan/1 into result->json.
 * explain  with the formulas of settings, and the symbols and formulas of the model
 * Errors: TN_ERROR_MEMORY. */
bool tn_plan_json(const struct tn_plan *plan, bool explain, struct tn_result *result, struct tn_error *error);

#endif
