/* AMD's GPUs as the kernel's amdgpu tells of them in /sys, and what processes hold of them in /proc/PID/fdinfo. */
#ifndef TN_HOST_AMD_GPUS_H
#define TN_HOST_AMD_GPUS_H

#include "base/text.h"

struct tn_amd_gpu {
    unsigned card;           /* of /sys/class/drm */
    struct tn_str name;      /* as its firmware says; else by the number of the device */
    struct tn_str address;   /* on the PCI bus, "0000:03:00.0"; empty where unknown */
    struct tn_str unique_id; /* empty where unknown */
};

/* All of them, in the arena. false where memory is out. */
bool tn_amd_gpus(struct tn_arena *arena, struct tn_amd_gpu **gpus, size_t *count);

/* false where the kernel does not say. */
bool tn_amd_memory(const struct tn_amd_gpu *gpu, uint64_t *total_bytes, uint64_t *used_bytes);

/* What a process holds. false where it has not opened the GPU, or where its files may not be read. */
bool tn_amd_process(const struct tn_amd_gpu *gpu, uint32_t pid, uint64_t *bytes);

#endif
