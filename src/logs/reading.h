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

/* A number as a log prints it, "12.56", times unit_bytes. *figure is not known where that is more than any memory. false where the text is
 * no such number. */
bool tn_printed_figure(struct tn_str text, uint64_t unit_bytes, unsigned least_decimals, struct tn_figure *figure);

/* The same from the text of a number. */
bool tn_reading_printed(struct tn_reading *reading, const char *key, struct tn_str text, uint64_t unit_bytes,
                        unsigned least_decimals, struct tn_figure *figure);

/* Adds a setting with the value as it is written in the line. */
bool tn_reading_set(struct tn_reading *reading, const char *name, const struct tn_value *value);
bool tn_reading_set_text(struct tn_reading *reading, const char *name, struct tn_str value);

/* ---- what names mean (log_engines.c, log_names.c) ----------------------------------------------------------------- */

/* Finds engine and version of the measurement. notes: what the record says of itself in words. */
bool tn_reading_engine(struct tn_reading *reading, struct tn_str engine, struct tn_str version, struct tn_str source,
                       struct tn_str notes);

/* The same for the engines whose records have buffers by device (llamacpp_builds.c). */
bool tn_reading_llamacpp_version(struct tn_reading *reading, struct tn_str version, struct tn_str source);
bool tn_reading_ollama_version(struct tn_reading *reading, struct tn_str version, struct tn_str source);

/* Adds the settings that a field log names in its own way, in the engine's names. */
bool tn_reading_settings(struct tn_reading *reading, struct tn_str notes);

/* Adds the settings that the length and the dtype of the record are. Once these are read. */
bool tn_reading_own_settings(struct tn_reading *reading);

/* Whether a setting is one of those, so that a record need not name it. */
bool tn_measurement_has_own_setting(const struct tn_measurement *measurement, struct tn_str name);

/* Finds the model's name, and the GPU in the catalog or the size of its memory. */
bool tn_reading_model(struct tn_reading *reading, struct tn_str text);
bool tn_reading_gpu(struct tn_reading *reading, struct tn_str text);

/* The GPU of that name, NULL where the catalog has none; *memory_bytes is its size where name or remark say another than the catalog. */
const struct tn_gpu *tn_reading_find_gpu(const struct tn_reading *reading, struct tn_str text, uint64_t *memory_bytes);

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

/* ---- devices of llama.cpp (devices.c) ----------------------------------------------------------------------------------- */

/* Adds a figure to that of a device, named as the log names its buffers: "CUDA1", "CUDA_Host", "CPU_Mapped". Names of no single device
 * are passed over. */
bool tn_reading_buffer(struct tn_reading *reading, struct tn_str name, enum tn_buffer buffer,
                       const struct tn_figure *figure);

/* Says of a buffer, on all devices or on the host alone, why its figures are not to be compared. The first reason stays. */
void tn_reading_leave_out(struct tn_measurement *measurement, enum tn_buffer buffer, const char *why);
void tn_reading_leave_out_host(struct tn_measurement *measurement, enum tn_buffer buffer, const char *why);

/* Of the host's share of a model whose file is mapped while some of its tensors lie elsewhere. */
extern const char tn_mapped_in_part[];

/* Numbers the GPUs, once all figures are there. is_division_known false: several of them become one device with the sums. */
bool tn_reading_number_devices(struct tn_reading *reading, bool is_division_known);

/* ---- the formats -------------------------------------------------------------------------------------------------- */

bool tn_read_field_log(struct tn_reading *reading);
bool tn_read_own_record(struct tn_reading *reading);
bool tn_read_llamacpp_log(struct tn_reading *reading);
bool tn_read_llamacpp_row(struct tn_reading *reading);

/* Says which figures of a field log are not to be compared (llamacpp_left_out.c). Once its devices are numbered. */
bool tn_leave_out_llamacpp(struct tn_reading *reading, struct tn_str notes);

/* A model that rows are about. The fault of the reading's measurement becomes that of the model. */
bool tn_read_described_model(struct tn_reading *reading, struct tn_described_model *model);

/* Says from what a field log measured whether the start failed, and looks for contradictions. Last step of both readers. */
bool tn_reading_outcome(struct tn_reading *reading, struct tn_str notes);
bool tn_reading_check(struct tn_reading *reading);

#endif
