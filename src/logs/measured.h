/* Measured records: what serving engines took when they started, as files of JSON Lines tell it (docs/measured.md). A record becomes what
 * was asked (engine, model, GPU, settings) and what was measured; src/api/score.c plans the first and compares it with the second. Logs of
 * most engines speak of one rank; those of llama.cpp have the buffers of each device. */
#ifndef TN_LOGS_MEASURED_H
#define TN_LOGS_MEASURED_H

#include "base/map.h"
#include "catalog/catalog.h"
#include "format/header.h"
#include "plan/deployment.h"
#include "text/value.h"

/* What a start-up log says, of one rank. */
enum tn_figure_kind {
    TN_FIGURE_WEIGHTS,
    TN_FIGURE_ACTIVATION, /* the peak of the profile run */
    TN_FIGURE_NON_TORCH,  /* what does not come from PyTorch's allocator, inside the engine's account */
    TN_FIGURE_GRAPHS,     /* CUDA graphs as captured: the change of free memory, which may be negative */
    TN_FIGURE_KV_POOL,
    TN_FIGURE_KV_TOKENS,        /* "GPU KV cache size" */
    TN_FIGURE_SUGGESTED_TOKENS, /* the longest length that a start that was refused would have taken */
    TN_FIGURE_USED,             /* of the GPU, by the driver's account */
    TN_FIGURE_PEAK,             /* of PyTorch's allocator over a whole run */
    TN_FIGURE_COUNT
};

extern const char *const tn_figure_names[TN_FIGURE_COUNT]; /* "weights", "activation" ... */

/* A number as it was printed. */
struct tn_figure {
    bool known;
    int64_t value;     /* bytes or tokens */
    uint64_t rounding; /* the true value is at most this far away: half of what the last printed digit is worth */
};

/* What the buffers of a device hold that llama.cpp's log names. */
enum tn_buffer {
    TN_BUFFER_MODEL,
    TN_BUFFER_KV,
    TN_BUFFER_RECURRENT,
    TN_BUFFER_CONTEXT, /* both of these, where they are not told apart */
    TN_BUFFER_OUTPUT,
    TN_BUFFER_COMPUTE,
    TN_BUFFER_USED, /* no buffer: all that the process takes of the device, by the driver's account */
    TN_BUFFER_COUNT
};

/* One GPU, all GPUs of a record that does not say how they were divided, or the memory of the host. */
struct tn_measured_device {
    struct tn_str name;    /* "CUDA1", "GPUs", "host" */
    bool is_host;          /* the last one, where there is one */
    uint32_t first_gpu;    /* of the deployment */
    uint32_t gpu_count;    /* 0 for the host */
    uint64_t memory_bytes; /* of these GPUs together; 0: not known */
    struct tn_figure buffers[TN_BUFFER_COUNT];
    const char *left_out[TN_BUFFER_COUNT]; /* why a figure says nothing about a plan; static; NULL where it does */
};

/* A model that a file of records describes itself. */
struct tn_described_model {
    struct tn_described_model *next; /* the one before it in the file; NULL: the first */
    struct tn_str name;
    struct tn_str fault;     /* why it cannot be planned; empty where it can */
    struct tn_header header; /* as that of a GGUF */
};

enum tn_outcome { TN_OUTCOME_UNKNOWN, TN_OUTCOME_STARTED, TN_OUTCOME_FAILED };

/* Where the version of the engine comes from. */
enum tn_version_basis {
    TN_VERSION_GIVEN,
    TN_VERSION_INFERRED, /* from the number of the report in the engine's tracker, or from what the log shows */
    TN_VERSION_UNKNOWN   /* the newest is taken */
};

struct tn_log_engine; /* a row of the table in log_engines.c */

struct tn_measurement {
    struct tn_str file;
    uint32_t line; /* from 1 */
    struct tn_str id;
    struct tn_str fault; /* why the record cannot be scored; empty where it can */
    const struct tn_log_engine *engine;
    struct tn_str program; /* what the record calls it, where that is another program built on the engine; else empty */
    struct tn_str version; /* empty: the newest */
    enum tn_version_basis version_basis;
    struct tn_str model;   /* a name without remarks */
    bool is_build;         /* the record speaks of somebody's build of that model */
    bool is_unknown_build; /* and does not say how it is quantised: its weights are not those that are published */
    bool is_described;     /* the file describes the model itself */
    const struct tn_described_model *described;
    struct tn_str quantization;
    struct tn_str quant;         /* in place of quantization: as --quant takes it */
    struct tn_figure model_file; /* bytes of the model's files */
    struct tn_str dtype;
    struct tn_str kv_dtype;
    const struct tn_gpu *gpu;  /* NULL: not named, or only its memory */
    uint64_t gpu_memory_bytes; /* in place of the catalog's; 0: as the catalog has it */
    uint32_t gpu_count;
    uint32_t tp;
    uint32_t pp;
    uint32_t ep;
    uint32_t dp;
    uint64_t context_tokens;    /* 0: not logged, the engine's default */
    struct tn_assignment *sets; /* [set_count] further settings, in the engine's own names */
    size_t set_count;
    struct tn_figure figures[TN_FIGURE_COUNT];
    struct tn_measured_device *devices; /* [device_count] of llama.cpp: GPUs in their order, then the host */
    size_t device_count;
    double max_concurrency; /* as printed, two decimals; 0 where not logged */
    enum tn_outcome outcome;
    struct tn_str outcome_why; /* what in the record says that the start failed; empty where it did not */
};

/* {0} is empty. */
struct tn_measurements {
    struct tn_measurement *items; /* [count] */
    size_t count;
    size_t capacity;
    struct tn_map ids;
    struct tn_described_model *models; /* of the last file, the last one first */
};

/* Adds the records of a file, one JSON object a line; empty lines are passed over. Formats: the field logs of engines of data centres and of
 * llama.cpp, measurements of llama.cpp with the models that they were made with, and the project's own. Memory comes from the arena; text
 * and file must outlive it.
 * catalog  finds the GPUs
 * Errors: TN_ERROR_JSON for a line that is no JSON object, with "FILE:LINE" as the place; TN_ERROR_MEMORY. A record that contradicts
 * itself, or lacks what is needed, is no error: its fault says so. */
bool tn_measurements_read(struct tn_arena *arena, const struct tn_catalog *catalog, struct tn_str text,
                          struct tn_str file, struct tn_measurements *list, struct tn_error *error);

/* Writes the measurement as a line of the project's own format, without its end: what is read from it again is the same. Of what a log has of
 * devices nothing is written. measurement  without a fault */
void tn_measurement_write(const struct tn_measurement *measurement, struct tn_builder *line);

/* The engine's name as --engine takes it. */
const char *tn_log_engine_name(const struct tn_log_engine *engine);

/* Whether it is a program with changes of its own to that engine. */
bool tn_log_engine_is_fork(const struct tn_log_engine *engine);

/* ollama, which has names of its own for the settings of llama.cpp. */
bool tn_log_engine_is_ollama(const struct tn_log_engine *engine);

/* Whether the log of the engine prints what is available to the pool, and not what the pool takes of it. */
bool tn_log_engine_prints_available(const struct tn_log_engine *engine);

#endif
