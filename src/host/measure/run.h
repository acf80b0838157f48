/* Running a command and measuring what it takes: the tn_runner of the operation `measure`. */
#ifndef TN_HOST_MEASURE_RUN_H
#define TN_HOST_MEASURE_RUN_H

#include "api/measure/run.h"

/* As tn_runner.run; context is not used. */
bool tn_run_command(void *context, const struct tn_run_ask *ask, struct tn_arena *arena, struct tn_run *run,
                    struct tn_error *error);

#endif
