/* How large ggml's allocator (ggml-alloc.c, llama.cpp 0.5.0) makes the compute buffer of each device for a graph. */
#ifndef TN_ENGINE_GGML_ALLOCATE_H
#define TN_ENGINE_GGML_ALLOCATE_H

#include "engine/ggml/schedule.h"

/* Runs over a divided graph.
 * bytes  [schedule->device_count]
 * Errors: TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_ggml_allocate(const struct tn_ggml_schedule *schedule, uint64_t *bytes, struct tn_error *error);

#endif
