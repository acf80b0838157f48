/* Shared by the readers of the formats: one line being read, and taking its members with their types checked. What is wrong with a record
 * becomes its fault, the first one staying; only memory can end the reading. */
#ifndef TN_LOGS_READING_H
#define TN_LOGS_READING_H

#include "logs/measured.h"

struct tn_reading {
    struct tn_arena *arena;
    const struct tn_catalog *catalog;
    struct tn_str line;            /* the text that offsets of values count in */
    const struct tn_value *record; /* an object */
    struct tn_measurement *measurement;
    struct tn_error *error;
};

/* Sets the fault unless there is one. false only where memory is out, with the error filled. */
bool tn_reading_fault(struct tn_reading *reading, const char *format, ...) TN_PRINTF(2, 3);

/* The member of an object; NULL where it is missing or null, or there is no object. */
const struct tn_value *tn_reading_member(const struct tn_value *object, const char *key);

/* The member as it is expected to be; missing and null leave *text, *number, *flag as they are. Anything else is a fault of the record.
 * false where memory is out. */
bool tn_reading_text(struct tn_reading *reading, const struct tn_value *object, const char *key, struct tn_str *text);
bool tn_reading_count(struct tn_reading *reading, const struct tn_value *object, const char *key, uint32_t *number);
bool tn_reading_tokens(struct tn_reading *reading, const struct tn_value *object, const char *key, uint64_t *number);
bool tn_reading_real(struct tn_reading *reading, const struct tn_value *object, const char *key, double *number);

/* A number as printed, times unit_bytes. JSON loses zeros at the end: at least least_decimals were printed. */
bool tn_reading_figure(struct tn_reading *reading, const struct tn_value *object, const char *key, uint64_t unit_bytes,
                       unsigned least_decimals, struct tn_figure *figure);

/* Adds a setting with the value as it is written in the line. */
bool tn_reading_set(struct tn_reading *reading, const char *name, const struct tn_value *value);
bool tn_reading_set_text(struct tn_reading *reading, const char *name, struct tn_str value);

/* ---- what names mean (log_engines.c, log_names.c) ----------------------------------------------------------------- */

/* Finds engine and version of the measurement. notes: what the record says of itself in words. */
bool tn_reading_engine(struct tn_reading *reading, struct tn_str engine, struct tn_str version, struct tn_str source,
                       struct tn_str notes);

/* Adds the settings that a field log names in its own way, in the engine's names. */
bool tn_reading_settings(struct tn_reading *reading, struct tn_str notes);

/* Adds the settings that the length and the dtype of the record are. Once these are read. */
bool tn_reading_own_settings(struct tn_reading *reading);

/* Finds the model's name, and the GPU in the catalog or the size of its memory. */
bool tn_reading_model(struct tn_reading *reading, struct tn_str text);
bool tn_reading_gpu(struct tn_reading *reading, struct tn_str text);

/* Whether the engine at its version refuses to start where the pool does not hold one request of the longest length. */
bool tn_log_engine_refuses_short_pools(const struct tn_measurement *measurement);

/* The keys of what was asked that differ between the formats. */
struct tn_reading_keys {
    const char *kv_dtype;
    const char *gpu_count;
    const char *context_tokens;
};

/* Takes what was asked of the engine: model, dtypes, GPUs and how the model is divided over them, context. */
bool tn_reading_asked(struct tn_reading *reading, const struct tn_reading_keys *keys);

/* ---- the formats -------------------------------------------------------------------------------------------------- */

bool tn_read_field_log(struct tn_reading *reading);
bool tn_read_own_record(struct tn_reading *reading);

/* Says from what a field log measured whether the start failed, and looks for contradictions. Last step of both readers. */
bool tn_reading_outcome(struct tn_reading *reading, struct tn_str notes);
bool tn_reading_check(struct tn_reading *reading);

#endif
