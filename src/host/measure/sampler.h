/* What a tree of processes takes of the GPUs and of the host, sample by sample. */
#ifndef TN_HOST_MEASURE_SAMPLER_H
#define TN_HOST_MEASURE_SAMPLER_H

#include "host/gpus.h"
#include "host/measure/curve.h"

struct tn_sampler;

/* Looks at the machine before the command begins. In the arena, which must outlive it. NULL with the error filled: TN_ERROR_MEMORY. Free with
 * tn_sampler_close. */
struct tn_sampler *tn_sampler_open(struct tn_arena *arena, struct tn_error *error);
void tn_sampler_close(struct tn_sampler *sampler); /* NULL is allowed */

/* Whether the system tells of processes: to be asked before a command is begun. */
bool tn_sampler_can_list(struct tn_sampler *sampler);

/* Takes a sample of all processes below this one. ms: since the command began. false where memory is out or the system does not tell of
 * processes. *processes gets how many there are. */
bool tn_sampler_take(struct tn_sampler *sampler, uint64_t ms, size_t *processes);

/* What was found, in the arena. Errors: TN_ERROR_MEMORY. */
bool tn_sampler_result(struct tn_sampler *sampler, struct tn_run *run, struct tn_error *error);

#endif
