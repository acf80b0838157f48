/* Commands in containers: a Compose file, Kubernetes objects. */
#ifndef TN_LAUNCH_MANIFEST_H
#define TN_LAUNCH_MANIFEST_H

#include "launch/script.h"

/* A service with the GPUs reserved. Errors: TN_ERROR_USAGE for several machines, and for GPUs that are not NVIDIA's. */
bool tn_launch_write_compose(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                             struct tn_builder *out, struct tn_error *error);

/* A Deployment and a Service; for several machines a LeaderWorkerSet, in which vLLM runs over Ray and SGLang by its own ranks.
 * Errors: TN_ERROR_USAGE for GPUs that are not NVIDIA's. */
bool tn_launch_write_kubernetes(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                                struct tn_builder *out, struct tn_error *error);

#endif
