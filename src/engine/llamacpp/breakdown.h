/* The lines of llama.cpp's log that tell of memory, as they will stand there. */
#ifndef TN_ENGINE_LLAMACPP_BREAKDOWN_H
#define TN_ENGINE_LLAMACPP_BREAKDOWN_H

#include "engine/llamacpp/llama.h"

/* Sets ledger->log: sizes of the buffers, then the table of llama_memory_breakdown_print where the memory of the GPUs is known.
 * total_bytes    of one GPU as programs see it; 0: unknown
 * outside_bytes  what the runtime takes of it outside of the buffers, which is unaccounted for there */
bool tn_llama_add_log(const struct tn_llama *llama, const struct tn_llama_share *shares, struct tn_str gpu,
                      uint64_t total_bytes, uint64_t outside_bytes, struct tn_ledger *ledger);

#endif
