/* NVIDIA's management library as far as it is needed here: GPUs, their memory, MIG slices, and what processes hold of them. Own
 * declarations, found by dlopen: nothing of NVIDIA's is needed to build, and where the library is missing nothing else is. Drivers of ten
 * years are spoken to, so that each function is tried under its newer names first. It refuses to know what is measured with it. */
#ifndef TN_HOST_NVML_H
#define TN_HOST_NVML_H

#include "base/text.h"

/* What the library's functions return, as its header numbers them. */
enum tn_nvml_result {
    TN_NVML_SUCCESS = 0,
    TN_NVML_INVALID_ARGUMENT = 2,
    TN_NVML_NOT_SUPPORTED = 3,
    TN_NVML_NO_PERMISSION = 4,
    TN_NVML_NOT_FOUND = 6,
    TN_NVML_INSUFFICIENT_SIZE = 7,
    TN_NVML_FUNCTION_NOT_FOUND = 13,
    TN_NVML_UNKNOWN = 999
};

enum { TN_NVML_TEXT = 128 }; /* bytes of any text that it gives */

/* {0} is not loaded. */
struct tn_nvml;

struct tn_nvml_memory {
    uint64_t total_bytes;
    uint64_t
        used_bytes; /* by processes, and by the driver for itself only where the library cannot tell the two apart */
    uint64_t free_bytes;
};

/* What a process holds of one GPU or slice. */
struct tn_nvml_process {
    uint32_t pid;
    bool is_known; /* the driver says how much: it does not in some containers and with some drivers for desktops */
    uint64_t bytes;
};

/* Loads the library and begins a session with the driver. NULL with the reason filled; else to be closed.
 * path    of the library; NULL: where the system has it
 * why     what does not work, for people, of TN_NVML_TEXT bytes and more
 * absent  gets whether there is no such library at all, as on a machine without such GPUs */
struct tn_nvml *tn_nvml_open(const char *path, char *why, size_t why_bytes, bool *absent);
void tn_nvml_close(struct tn_nvml *nvml); /* NULL is allowed */

/* The words of the library for a result. */
const char *tn_nvml_words(const struct tn_nvml *nvml, int result);

int tn_nvml_driver(const struct tn_nvml *nvml, char version[TN_NVML_TEXT]);
int tn_nvml_count(const struct tn_nvml *nvml, unsigned *count);
int tn_nvml_device(const struct tn_nvml *nvml, unsigned index, void **device);
int tn_nvml_name(const struct tn_nvml *nvml, void *device, char name[TN_NVML_TEXT]);
int tn_nvml_uuid(const struct tn_nvml *nvml, void *device, char uuid[TN_NVML_TEXT]);
int tn_nvml_memory(const struct tn_nvml *nvml, void *device, struct tn_nvml_memory *memory);

/* The most slices that the GPU may have; 0 where it is not divided, or its driver knows no slices. */
unsigned tn_nvml_slices(const struct tn_nvml *nvml, void *device);
/* One of them; TN_NVML_NOT_FOUND where there is none of that number. */
int tn_nvml_slice(const struct tn_nvml *nvml, void *device, unsigned index, void **slice);

/* The processes that compute or draw on it, each once. In the arena; TN_NVML_UNKNOWN also where memory is out. */
int tn_nvml_processes(const struct tn_nvml *nvml, void *device, struct tn_arena *arena,
                      struct tn_nvml_process **processes, size_t *count);

#endif
