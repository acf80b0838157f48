/* Why a number is what it is: the symbols of the record with their values, formulas and sources, and the formula of each tensor
 * group and cache. */
#ifndef TN_API_EXPLAIN_H
#define TN_API_EXPLAIN_H

#include "model/model.h"
#include "report/report.h"
#include "text/json.h"

/* Adds the tables to a report. Models by their numbers alone have no symbols: then nothing is added.
 * Errors: TN_ERROR_MEMORY. */
bool tn_explain_weights(const struct tn_model *model, struct tn_report *report, struct tn_error *error);

/* "symbols": [{name, value, formula, facts: [{key, value, origin, where}]}], "formulas": [{name, formula}] */
bool tn_explain_json(const struct tn_model *model, struct tn_arena *arena, struct tn_json_writer *json,
                     struct tn_error *error);

#endif
