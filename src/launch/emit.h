/* Commands as text: a shell script of the engine, a Compose file, Kubernetes objects. */
#ifndef TN_LAUNCH_EMIT_H
#define TN_LAUNCH_EMIT_H

#include "launch/command.h"

/* The targets of --emit: an engine's own name, "compose" or "kubernetes". */
bool tn_emit_is_target(struct tn_str target);

/* Whether the target is an engine: then the plan must be one of it. */
bool tn_emit_is_engine(struct tn_str target);

/* The command of the plan's engine in one line, in the arena. Errors: those of tn_launch_command. */
bool tn_emit_line(const struct tn_launch_plan *plan, struct tn_arena *arena, struct tn_str *text,
                  struct tn_error *error);

/* The text, in the arena: comments with the version and what the log will say, then what is to be run or applied.
 * Errors: those of tn_launch_command, and TN_ERROR_USAGE where the target has no place for it (a plan of another engine, GPUs without an image,
 * several machines in a Compose file). */
bool tn_emit(const struct tn_launch_plan *plan, struct tn_str target, struct tn_arena *arena, struct tn_str *text,
             struct tn_error *error);

#endif
