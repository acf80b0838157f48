/* Inside vLLM's KV planning: DeepSeek V4, whose layers keep pages of several sizes. */
#ifndef TN_ENGINE_VLLM_TUPLES_H
#define TN_ENGINE_VLLM_TUPLES_H

#include "engine/vllm_pages.h"

struct tn_vllm_tuples {
    struct tn_vllm_kv *kv;
    struct tn_vllm_spec *specs;      /* [kv->spec_count]; pages of windows may be padded */
    struct tn_vllm_kv_group *groups; /* with room for all */
    uint64_t *block_bytes;           /* [stages] */
    uint64_t *guard_bytes;           /* [stages] */
};

/* Fills groups, block and guard bytes, kv->group_count and kv->first_block_bytes.
 * Errors: TN_ERROR_DEPLOYMENT where vLLM's own assertions fail, TN_ERROR_TOO_LARGE. */
bool tn_vllm_make_tuples(struct tn_vllm_tuples *tuples, struct tn_error *error);

#endif
