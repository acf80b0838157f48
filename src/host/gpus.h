/* The GPUs of this machine, whoever made them: what they are, how much of each is in use, and what processes hold of it. */
#ifndef TN_HOST_GPUS_H
#define TN_HOST_GPUS_H

#include "api/sources.h"

struct tn_nvml;
struct tn_amd_gpu;

struct tn_gpu_process {
    uint32_t pid;
    bool is_known; /* how much it holds */
    uint64_t bytes;
};

/* One of the machine's GPUs or slices at one time. */
struct tn_gpu_state {
    bool has_memory;
    uint64_t memory_bytes;
    uint64_t used_bytes;
    uint64_t free_bytes;
    bool has_processes;
    struct tn_gpu_process *processes; /* [process_count] */
    size_t process_count;
    const char *fault; /* the driver's words for what it refused; NULL: nothing */
};

struct tn_machine_gpu {
    struct tn_detected_gpu gpu; /* as it was when the machine was opened */
    void *device;               /* of NVML; NULL: the driver refuses it */
    const struct tn_amd_gpu *amd;
};

struct tn_machine {
    struct tn_arena *arena;
    struct tn_nvml *nvml; /* NULL: none */
    struct tn_machine_gpu *gpus;
    size_t count;
    struct tn_str driver;
    struct tn_str fault;
};

/* Finds the GPUs. $TONNAGE_NVML names another library than the system's, for tests. In the arena, which must outlive the machine; to be closed
 * also after an error. Errors: TN_ERROR_MEMORY. */
bool tn_machine_open(struct tn_machine *machine, struct tn_arena *arena, struct tn_error *error);
void tn_machine_close(struct tn_machine *machine);

/* What one of them has now. What cannot be known is not there; nothing fails.
 * pids  processes to ask for where the system does not list those of a GPU by itself
 * arena of the processes */
void tn_machine_sample(const struct tn_machine *machine, size_t index, const uint32_t *pids, size_t pid_count,
                       struct tn_arena *arena, struct tn_gpu_state *state);

/* As tn_gpu_source.detect; context is not used. */
bool tn_machine_detect(void *context, struct tn_arena *arena, struct tn_detected *detected, struct tn_error *error);

#endif
