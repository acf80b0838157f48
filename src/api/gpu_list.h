/* GPUs as people name them: "a100-80gbx2", "rtx-4090,rtx-3090x2", sizes in place of the catalog's. */
#ifndef TN_API_GPU_LIST_H
#define TN_API_GPU_LIST_H

#include "plan/deployment.h"
#include "report/report.h"

/* GPUs in the order in which they were named. */
struct tn_gpu_list {
    struct tn_device *devices; /* [count] memory_bytes 0: the catalog does not know it */
    uint32_t count;            /* 0: none was named */
    uint32_t smallest;         /* the first with the least memory; see tn_gpu_list_look */
    bool are_alike;
};

/* Fills in what the devices say together. */
void tn_gpu_list_look(struct tn_gpu_list *list);

/* The "xCOUNT" at the end of a GPU's name, or 0 where there is none; *name gets what stands before it. */
uint64_t tn_gpu_count_behind(struct tn_str text, struct tn_str *name);

/* "a100-80gbx2": the GPU of the catalog, and how many. Errors: TN_ERROR_UNKNOWN_GPU, TN_ERROR_USAGE. */
bool tn_read_gpu(const struct tn_catalog *catalog, struct tn_str text, const struct tn_gpu **gpu, uint32_t *gpu_count,
                 struct tn_error *error);

/* names     "rtx-4090x2,rtx-3060"; empty: GPUs of which only the memory is known
 * memories  in place of the catalog's: one size for all, or one for each, separated by commas; empty: the catalog's
 * list      its devices are in the arena
 * Errors: TN_ERROR_UNKNOWN_GPU, TN_ERROR_USAGE, TN_ERROR_MEMORY. */
bool tn_read_gpu_list(const struct tn_catalog *catalog, struct tn_str names, struct tn_str memories,
                      struct tn_arena *arena, struct tn_gpu_list *list, struct tn_error *error);

/* "2 x GeForce RTX 4090 + GeForce RTX 3060", or "GPU of 24.00 GiB": those of so many ranks. */
void tn_write_gpus(struct tn_builder *text, const struct tn_deployment *deployment, uint64_t ranks,
                   enum tn_units units);

#endif
