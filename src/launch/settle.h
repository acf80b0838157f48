/* From the options of a command one by one to what they mean together: where an engine says in several options, or in other terms, what is one input
 * of ours. */
#ifndef TN_LAUNCH_SETTLE_H
#define TN_LAUNCH_SETTLE_H

#include "launch/read.h"

/* Sets it, in place of what was set before; what is joined is added to that behind a comma. Errors: TN_ERROR_MEMORY. */
bool tn_launch_assign(struct tn_arena *arena, struct tn_assignment **list, size_t *count, struct tn_assignment set,
                      bool joined, struct tn_error *error);

/* Turns settings of launch into inputs. Errors: TN_ERROR_USAGE, TN_ERROR_MEMORY. */
bool tn_launch_settle(struct tn_arena *arena, struct tn_launch *launch, struct tn_error *error);

#endif
