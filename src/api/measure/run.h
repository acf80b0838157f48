/* A command that was run, and what it took: the curves of memory over time and their peaks, of each GPU and of the host. The host fills it,
 * the operation `measure` reads it. */
#ifndef TN_API_MEASURE_RUN_H
#define TN_API_MEASURE_RUN_H

#include "api/sources.h"

/* How the memory of the command was told from that of others. */
enum tn_run_basis {
    TN_RUN_PROCESSES,    /* the driver says what each process holds */
    TN_RUN_DEVICE,       /* it does not: what of the GPU is in use, less what was before the command began */
    TN_RUN_PROPORTIONAL, /* of the host: pages that processes share are divided among them (PSS) */
    TN_RUN_RESIDENT      /* likewise, but for processes that may not be asked: there such pages count in full (RSS) */
};

struct tn_run_point {
    uint64_t ms; /* since the command began */
    uint64_t bytes;
};

struct tn_run_process {
    uint32_t pid;
    struct tn_str name;
    struct tn_run_point peak;
};

struct tn_run_device {
    bool is_host;
    struct tn_detected_gpu gpu; /* of a GPU: as it was before the command began */
    enum tn_run_basis basis;
    struct tn_run_point peak;
    struct tn_run_point *curve; /* [curve_count] the largest of each stretch of time */
    size_t curve_count;
    struct tn_run_process *processes; /* [process_count] that held some of it, the largest first */
    size_t process_count;
    struct tn_str fault; /* what could not be measured; empty where all was */
};

struct tn_run {
    struct tn_str began_at; /* "2026-11-22T23:30:00Z" */
    uint32_t pid;           /* of the command itself */
    int status;             /* as a shell gives it: of an end by a signal 128 and its number */
    int signal;             /* 0: it ended by itself */
    uint64_t command_ms;    /* until it ended */
    uint64_t duration_ms;   /* until the last of the processes that it started did */
    uint64_t samples;
    uint32_t left_running;         /* processes that were still there when the measuring was interrupted */
    struct tn_run_device *devices; /* [device_count] the GPUs, then the host */
    size_t device_count;
    struct tn_str gpu_fault; /* why GPUs may be missing; empty where none are */
};

struct tn_run_ask {
    const struct tn_str *words; /* [word_count] the command, at least one */
    size_t word_count;
    uint64_t interval_ms;
};

/* Runs commands. */
struct tn_runner {
    void *context;
    /* Runs the command with the streams of this process and returns when it and all that it started have ended. A command that fails is no
     * error; in the arena. Errors: TN_ERROR_COMMAND where it cannot be begun, TN_ERROR_UNREADABLE where this system does not tell of
     * processes, TN_ERROR_MEMORY. */
    bool (*run)(void *context, const struct tn_run_ask *ask, struct tn_arena *arena, struct tn_run *run,
                struct tn_error *error);
};

/* Adds lines to the ends of files. */
struct tn_appender {
    void *context;
    /* Opens or makes the file, so that a wrong name is found before anything else is done. Errors: TN_ERROR_UNREADABLE. */
    bool (*open)(void *context, struct tn_str path, struct tn_error *error);
    /* Adds the line to the open file, as a whole also where others add to it. Errors: TN_ERROR_UNREADABLE. */
    bool (*add)(void *context, struct tn_str line, struct tn_error *error);
};

#endif
