/* Plans of GGUF files by llama.cpp: bytes of each device. Every function fails the test where it cannot do its work, unless it says so. */
#ifndef TESTS_LLAMACPP_PLAN_H
#define TESTS_LLAMACPP_PLAN_H

#include "model_load.h"

#include "engine/engines.h"

enum { HOST = -1 }; /* in place of a GPU's number */

struct llamacpp_plan {
    const struct tn_catalog *catalog;
    const struct tn_model *model;
    struct tn_planner planner;
    struct tn_arena arena;
    struct tn_ledger ledger;
    struct tn_error error;
    uint64_t memory_bytes;   /* of each GPU; 0: not judged */
    uint64_t context_tokens; /* the model's maximum, where no n_ctx is given; 0: 512 */
};

void llamacpp_open(struct llamacpp_plan *plan, const struct tn_catalog *catalog, const struct tn_model *model,
                   const char *version);
void llamacpp_close(struct llamacpp_plan *plan);

/* False with plan->error filled where the engine refuses.
 * settings  "n_ctx=8192 flash_attn=on"; what is left out is as the library has it, not the server, with a context of 512 */
bool llamacpp_try(struct llamacpp_plan *plan, uint32_t gpu_count, const char *settings);
void llamacpp_run(struct llamacpp_plan *plan, uint32_t gpu_count, const char *settings);

/* Bytes of the entry with that label on a GPU or the HOST; 0 where there is none: "model", "KV cache", "compute" ... */
uint64_t llamacpp_bytes(const struct llamacpp_plan *plan, int device, const char *label);

#endif
