/* The GPUs of this machine: which of the catalog they are, and which of them a plan for `--gpu auto` takes. */
#ifndef TN_API_DETECT_H
#define TN_API_DETECT_H

#include "api/operations.h"
#include "plan/deployment.h"

/* The GPU of the catalog that the driver speaks of; of a slice the one that it is a part of. NULL where the catalog has none. */
const struct tn_gpu *tn_detected_in_catalog(const struct tn_catalog *catalog, const struct tn_detected_gpu *gpu);

/* What `--gpu auto` means. */
struct tn_auto_gpu {
    const struct tn_gpu *gpu; /* NULL: not in the catalog */
    struct tn_str name;       /* as the driver reports it */
    uint64_t memory_bytes;    /* of one */
    uint32_t count;
    uint32_t others;          /* GPUs of other kinds, which are left out */
    uint32_t in_use;          /* of those taken: with memory in use */
    uint64_t most_used_bytes; /* of one of them */
    struct tn_device *
        whole; /* [whole_count] all GPUs of the machine that are neither slices nor divided, of whatever kind, as it counts them */
    uint32_t whole_count;
};

/* Asks the machine: GPUs of one kind, those that have most memory together.
 * wanted  how many; 0: all of that kind
 * Errors: TN_ERROR_UNKNOWN_GPU where there is none, or fewer; TN_ERROR_MEMORY. */
bool tn_find_auto_gpu(const struct tn_session *session, uint64_t wanted, struct tn_arena *arena,
                      struct tn_auto_gpu *found, struct tn_error *error);

/* `gpus --detect` */
bool tn_run_detect(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                   struct tn_error *error);

#endif
