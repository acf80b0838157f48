/* Where measurements are kept between calls: the host's. */
#ifndef TN_API_CALIBRATE_STORE_H
#define TN_API_CALIBRATE_STORE_H

#include "plan/calibration.h"

/* A measurement as it is kept. */
struct tn_kept_run {
    struct tn_str id;     /* of the record */
    struct tn_str line;   /* the record, in the project's own format; two of the same line are one */
    struct tn_str engine; /* as planned: "vllm", "0.19.0" and the catalog's id of the GPU */
    struct tn_str version;
    struct tn_str gpu;
    struct tn_str predictor;       /* tells programs and records of data apart that predict differently */
    struct tn_residual *residuals; /* [residual_count] predicted by that one; their deployment is that of the run */
    size_t residual_count;
    struct tn_str deployment;
};

struct tn_kept_runs {
    struct tn_kept_run *items; /* [count] in the order in which they were added */
    size_t count;
};

/* Which runs; an empty text: of all. */
struct tn_kept_key {
    struct tn_str engine;
    struct tn_str version;
    struct tn_str gpu;
};

struct tn_kept_change {
    size_t added;
    size_t renewed; /* there before, of another predictor */
    size_t known;   /* there before */
    size_t forgotten;
};

struct tn_run_store {
    void *context;
    /* The runs that are kept, which live until the context is closed; none where nothing was ever kept. is_brief: a plan asks, which is better
     * made without them than late. Errors: TN_ERROR_DATABASE where they cannot be read, TN_ERROR_MEMORY. */
    bool (*read)(void *context, const struct tn_kept_key *key, bool is_brief, struct tn_kept_runs *runs,
                 struct tn_error *error);
    /* Keeps runs, or nothing of them where it fails. Errors: TN_ERROR_DATABASE, TN_ERROR_MEMORY. */
    bool (*keep)(void *context, const struct tn_kept_runs *runs, struct tn_kept_change *change, struct tn_error *error);
    /* Forgets the runs of these ids, or all where there are none. */
    bool (*forget)(void *context, const struct tn_str *ids, size_t count, struct tn_kept_change *change,
                   struct tn_error *error);
};

#endif
