/* What an operation may use of the machine, as callbacks: host/ implements them, the library leaves them out. */
#ifndef TN_API_SOURCES_H
#define TN_API_SOURCES_H

#include "files/tokenizer.h"
#include "model/load.h"

/* Finds what MODEL names outside of the catalog. */
struct tn_model_finder {
    void *context;
    /* Fills the input (id, config, header ...) where the name is a file, a folder, or a model of `folder` (--models); *found false where it
     * is neither. What the input points to must live until the context is closed.
     * Errors: TN_ERROR_UNREADABLE, TN_ERROR_NOT_A_MODEL, and those of the parsers. */
    bool (*find)(void *context, struct tn_str name, struct tn_str folder, struct tn_model_input *input, bool *found,
                 struct tn_error *error);
};

/* Keeps models of the catalog between requests, which then share them: a model is immutable. */
struct tn_model_shelf {
    void *context;
    /* The model that is kept under the key, to be given back by tn_model_free; NULL where there is none. */
    struct tn_model *(*take)(void *context, struct tn_str key);
    /* May keep a model, of which the caller has the first use: then model->owner is set. */
    void (*keep)(void *context, struct tn_str key, struct tn_model *model);
};

/* Reads files that are no models. */
struct tn_text_reader {
    void *context;
    /* The whole file; the text must live until the context is closed. Errors: TN_ERROR_UNREADABLE, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
    bool (*read)(void *context, struct tn_str path, struct tn_str *text, struct tn_error *error);
};

/* Reads texts of any size from their beginning to their end, one after the other. */
struct tn_text_source {
    void *context;
    /* name  a path, or "-" for the standard input. Errors: TN_ERROR_UNREADABLE, TN_ERROR_MEMORY. */
    bool (*open)(void *context, struct tn_str name, struct tn_error *error);
    /* Up to `size` bytes of the open one; *got is 0 only at its end. Errors: TN_ERROR_UNREADABLE. */
    bool (*read)(void *context, char *bytes, size_t size, size_t *got, struct tn_error *error);
    void (*close)(void *context); /* also where none is open */
};

struct tn_tokenizer_finder {
    void *context;
    /* Fills the input where the name is a file, a folder, or a remote model.
     * is_model  it is the name of a model, which may have no tokenizer: then *found is false, in place of an error
     * Errors: TN_ERROR_UNREADABLE, TN_ERROR_NOT_A_MODEL, TN_ERROR_TOO_LARGE, TN_ERROR_NETWORK, TN_ERROR_MEMORY. */
    bool (*find)(void *context, struct tn_str name, bool is_model, struct tn_tokenizer_input *input, bool *found,
                 struct tn_error *error);
};

/* A GPU of this machine, or a slice of one. */
struct tn_detected_gpu {
    uint32_t index;       /* as its driver counts GPUs, from 0 */
    bool is_slice;        /* of the GPU before it that is no slice */
    uint32_t slice;       /* its number there */
    bool is_divided;      /* into the slices behind it, which are what a program gets */
    struct tn_str vendor; /* as the catalog has it, "NVIDIA" */
    struct tn_str name;   /* as the driver reports it */
    struct tn_str uuid;   /* empty where unknown */
    bool has_memory;      /* the driver says how much there is */
    uint64_t memory_bytes;
    uint64_t used_bytes;
    uint64_t free_bytes;
    bool has_processes; /* the driver lists those that use it */
    uint32_t process_count;
    struct tn_str fault; /* what the driver refuses, and why; empty where nothing */
};

struct tn_detected {
    struct tn_detected_gpu *gpus; /* [count] */
    size_t count;
    struct tn_str driver; /* NVIDIA's version; empty where unknown */
    struct tn_str fault;  /* why GPUs may be missing here; empty where none are */
};

/* Finds the GPUs of this machine. */
struct tn_gpu_source {
    void *context;
    /* What there is now, in the arena; a machine without GPUs is no error. Errors: TN_ERROR_MEMORY. */
    bool (*detect)(void *context, struct tn_arena *arena, struct tn_detected *detected, struct tn_error *error);
};

/* Runs pieces of work at the same time. */
struct tn_workers {
    void *context;
    unsigned usual; /* how many are worth while on this machine */
    /* Calls work(task, worker, item) once for each item below `items`; worker is below `count`, and no two calls that
     * run at the same time have the same. Returns when all are done. */
    void (*run)(void *context, unsigned count, size_t items, void (*work)(void *task, unsigned worker, size_t item),
                void *task);
};

/* Takes parts of an answer that is written while it is computed. */
struct tn_sink {
    void *context;
    bool (*write)(void *context, struct tn_str text, struct tn_error *error);
};

struct tn_session;
struct tn_request;

/* Answers others until they have no more to ask, or until it is told to stop. */
struct tn_service {
    void *context;
    /* request  how it is to serve; what it is asked then is a request of its own, and uses what the session has
     * Errors: TN_ERROR_USAGE, TN_ERROR_UNREADABLE, TN_ERROR_MEMORY. */
    bool (*run)(void *context, const struct tn_session *session, const struct tn_request *request,
                struct tn_error *error);
};

/* Is told how far a long operation is. */
struct tn_watcher {
    void *context;
    void (*show)(void *context, size_t done, size_t count);
};

#endif
