/* The lines of llama.cpp's log that tell of memory, as they will stand there. */
#ifndef TN_ENGINE_LLAMACPP_BREAKDOWN_H
#define TN_ENGINE_LLAMACPP_BREAKDOWN_H

#include "engine/llamacpp/llama.h"

/* A GPU as the log speaks of it. */
struct tn_llama_card {
    struct tn_str name;
    uint64_t total_bytes;   /* as programs see it; 0: unknown */
    uint64_t outside_bytes; /* what the runtime takes of it outside of the buffers, which is unaccounted for there */
};

/* Sets ledger->log: sizes of the buffers, then the table of llama_memory_breakdown_print where the memory of the GPUs is known.
 * cards  [gpu_count] */
bool tn_llama_add_log(const struct tn_llama *llama, const struct tn_llama_share *shares,
                      const struct tn_llama_card *cards, struct tn_ledger *ledger);

#endif
