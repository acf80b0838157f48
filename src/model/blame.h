/* Which key of the config is to blame for a size that makes no sense. */
#ifndef TN_MODEL_BLAME_H
#define TN_MODEL_BLAME_H

#include "model/evaluator.h"

static const int64_t TN_LARGEST_SIZE = INT64_C(1)
                                       << 40; /* no dimension and no number of anything in a model exceeds it */

/* Turns the error of an expression that could not be evaluated, or a number that is out of range, into one that names the key.
 * Where no key is to blame the error that there was stays; a number gets one. Always returns false.
 * what    what the value was needed for: a tensor's name, "the number of layers"
 * number  the value that is out of range; NULL where the evaluation failed, and the error says how */
bool tn_blame(struct tn_evaluator *evaluator, const struct tn_expression *expression, struct tn_str what,
              const int64_t *number, struct tn_error *error);

#endif
