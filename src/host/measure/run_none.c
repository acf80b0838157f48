/* Where there is no Linux: what a command takes cannot be followed. */
#include "host/measure/run.h"

bool tn_run_command(void *context, const struct tn_run_ask *ask, struct tn_arena *arena, struct tn_run *run,
                    struct tn_error *error)
{
    (void)context;
    (void)ask;
    (void)arena;
    (void)run;
    return tn_fail(error, TN_ERROR_UNREADABLE,
                   "commands are measured on Linux alone, which tells of their processes in /proc");
}
