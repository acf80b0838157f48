/* A log becomes a measured record: the same line of JSON that somebody who read the log would have written (docs/measured.md), which the readers
 * of records then take. So names, checks and comparisons are those of all records. */
#ifndef TN_LOGS_TEXT_MEASURED_LOG_H
#define TN_LOGS_TEXT_MEASURED_LOG_H

#include "engine/record/rules.h"
#include "logs/text/log.h"

/* What somebody says beside the log, and in place of what it says. Empty texts and zeros say nothing. */
struct tn_log_asked {
    struct tn_str engine; /* "vllm@0.19.0" */
    struct tn_str model;
    struct tn_str gpu; /* "h100-80gbx2" */
    uint64_t gpu_memory_bytes;
    uint64_t context_tokens;
    struct tn_str dtype;
    struct tn_str quantization;
    struct tn_str kv_dtype;
    uint64_t tp;
    uint64_t pp;
    uint64_t ep;
    uint64_t dp;
    const struct tn_assignment *sets; /* [set_count], of the engine */
    size_t set_count;
};

struct tn_log_reading {
    const struct tn_catalog *catalog;
    const struct tn_log *log;
    const struct tn_log_asked *asked;
    struct tn_arena *arena;
    /* found out by tn_log_identify */
    struct tn_str engine;    /* as records name it; empty: nobody says */
    struct tn_str version;   /* empty: not known */
    bool version_is_guessed; /* from what lines the log has */
    bool version_is_outside; /* the log names one that the engine's record does not know: the newest stands for it */
    struct tn_str logged_version;
    const struct tn_rules *rules; /* NULL: of no engine */
    struct tn_str model;          /* empty: nobody says */
    bool has_devices;             /* the engine logs buffers of devices */
};

/* Finds engine, version and model. reading: catalog, log, asked and arena are set. Errors: TN_ERROR_USAGE for an engine that is asked for and not
 * known, TN_ERROR_MEMORY. */
bool tn_log_identify(struct tn_log_reading *reading, struct tn_error *error);

/* Writes the record, one line. Errors: TN_ERROR_MEMORY. */
bool tn_log_write_record(const struct tn_log_reading *reading, struct tn_builder *json, struct tn_error *error);

/* Whether the log says that the engine started: TN_OUTCOME_FAILED where it ended before it took requests. */
enum tn_outcome tn_log_outcome(const struct tn_log *log);

/* The figure of one rank that stands for all: the most of what a rank needs, the least of what it gets. known is false where the log has none. */
struct tn_figure tn_log_figure(const struct tn_log_reading *reading, enum tn_log_term term);

#endif
