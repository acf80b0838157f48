/* What lines of logs tell: one row each. The shapes of lines, in data/log, name them. */
#ifndef TN_LOGS_TEXT_TERMS_H
#define TN_LOGS_TEXT_TERMS_H

#include "base/text.h"

enum tn_log_term {
    /* of which line it is: not kept by themselves */
    TN_LOG_RANK,
    TN_LOG_DEVICE,
    /* what was asked */
    TN_LOG_VERSION,
    TN_LOG_BUILD,
    TN_LOG_SETTINGS,
    TN_LOG_COMMAND,
    TN_LOG_MODEL,
    TN_LOG_MODEL_NAME,
    TN_LOG_ARCHITECTURE,
    TN_LOG_GPU,
    TN_LOG_FILE_TYPE,
    TN_LOG_FILE_BYTES,
    TN_LOG_CONTEXT,
    TN_LOG_TRAIN_CONTEXT,
    TN_LOG_TOTAL_CONTEXT,
    TN_LOG_SEQUENCES,
    TN_LOG_BATCH,
    TN_LOG_MICRO_BATCH,
    TN_LOG_FLASH,
    TN_LOG_KEY_DTYPE,
    TN_LOG_VALUE_DTYPE,
    TN_LOG_UNIFIED,
    TN_LOG_GPU_LAYERS,
    TN_LOG_ALL_LAYERS,
    TN_LOG_WINDOW,
    /* what was measured */
    TN_LOG_GPU_TOTAL,
    TN_LOG_GPU_FREE,
    TN_LOG_UTILIZATION,
    TN_LOG_REQUESTED,
    TN_LOG_WEIGHTS,
    TN_LOG_ACTIVATION,
    TN_LOG_NON_TORCH,
    TN_LOG_GRAPHS,
    TN_LOG_GRAPHS_ESTIMATED,
    TN_LOG_KV_POOL,
    TN_LOG_KEYS,
    TN_LOG_VALUES,
    TN_LOG_KV_TOKENS,
    TN_LOG_BLOCKS,
    TN_LOG_BLOCK_TOKENS,
    TN_LOG_MAX_CONCURRENCY,
    TN_LOG_WINDOW_TOKENS,
    TN_LOG_STATE_SLOTS,
    TN_LOG_PEAK,
    TN_LOG_USED,
    /* buffers of devices */
    TN_LOG_MODEL_BUFFER,
    TN_LOG_KV_BUFFER,
    TN_LOG_RECURRENT_BUFFER,
    TN_LOG_OUTPUT_BUFFER,
    TN_LOG_COMPUTE_BUFFER,
    TN_LOG_TABLE_MODEL,
    TN_LOG_TABLE_CONTEXT,
    TN_LOG_TABLE_COMPUTE,
    TN_LOG_DEVICE_FREE,
    TN_LOG_DEVICE_NAME,
    TN_LOG_HOST_FREE,
    /* why it failed */
    TN_LOG_KV_NEEDED,
    TN_LOG_KV_AVAILABLE,
    TN_LOG_SUGGESTED_TOKENS,
    TN_LOG_NO_BLOCKS,
    TN_LOG_FREE_TOO_LITTLE,
    TN_LOG_SAMPLER_FAILED,
    TN_LOG_ALLOCATION_FAILED,
    TN_LOG_OOM,
    TN_LOG_FAILED,
    TN_LOG_KILLED,
    /* out of memory, in PyTorch's words */
    TN_LOG_OOM_TRIED,
    TN_LOG_OOM_TOTAL,
    TN_LOG_OOM_FREE,
    TN_LOG_OOM_PROCESS,
    TN_LOG_OOM_OTHER,
    TN_LOG_OOM_ALLOCATED,
    TN_LOG_OOM_UNALLOCATED,
    TN_LOG_OOM_RESERVED,
    TN_LOG_OOM_PRIVATE,
    /* habits */
    TN_LOG_EAGER,
    TN_LOG_HYBRID,
    TN_LOG_ENCODER_TOKENS,
    TN_LOG_NO_FLASH,
    TN_LOG_NO_GPU,
    TN_LOG_WINDOW_FULL,
    TN_LOG_SECOND_MODEL,
    TN_LOG_TRUNCATED,
    TN_LOG_REQUIRED,
    TN_LOG_LORA,
    TN_LOG_SPECULATIVE,
    /* while it runs */
    TN_LOG_READY,
    TN_LOG_PREEMPTED,
    TN_LOG_PREEMPTIONS,
    TN_LOG_KV_USAGE,
    TN_LOG_RUNNING,
    TN_LOG_WAITING,
    TN_LOG_TERM_COUNT
};

struct tn_log_term_row {
    const char *name; /* in the records of shapes and findings */
    const char *unit; /* "bytes", "tokens" ...; "" where it has none */
    const char *help; /* in words */
};

extern const struct tn_log_term_row tn_log_terms[TN_LOG_TERM_COUNT];

/* TN_LOG_TERM_COUNT where there is none of that name. */
enum tn_log_term tn_log_term_find(struct tn_str name);

#endif
