/* Measurements that narrow the fitted terms of plans: kept, listed, forgotten, used. */
#ifndef TN_API_CALIBRATE_CALIBRATE_H
#define TN_API_CALIBRATE_CALIBRATE_H

#include "api/calibrate/store.h"
#include "api/deployment.h"
#include "logs/measured.h"

/* Tells this program and its records of data from others that may predict otherwise; in the arena. Empty where memory is out. */
struct tn_str tn_predictor(struct tn_arena *arena);

/* A version as runs are kept under it: 0.22 and 0.22.0rc1 are 0.22.0, as their records of data are the same. In the arena; empty where memory
 * is out. */
struct tn_str tn_kept_version(struct tn_str version, struct tn_arena *arena);

/* Plans what a measurement was made of, without any calibration, and makes a run of the two. request gives --models.
 * why  gets the reason where it is of no use; empty where it is
 * Errors: TN_ERROR_MEMORY. */
bool tn_kept_run_of(const struct tn_session *session, const struct tn_request *request,
                    const struct tn_measurement *measurement, struct tn_arena *arena, struct tn_arena *scratch,
                    struct tn_kept_run *run, struct tn_str *why, struct tn_error *error);

/* A measurement that is not kept. */
struct tn_left_out {
    struct tn_str id;
    struct tn_str why;
};

struct tn_keeping {
    struct tn_kept_change change;
    struct tn_left_out *left_out; /* [left_out_count] */
    size_t left_out_count;
};

/* Keeps all measurements that are of use, as one change. For whoever has some: `calibrate` from files, `diagnose` from a log.
 * Errors: TN_ERROR_DATABASE, TN_ERROR_USAGE where nothing can be kept here, TN_ERROR_MEMORY. */
bool tn_keep_measurements(const struct tn_session *session, const struct tn_request *request,
                          const struct tn_measurements *list, struct tn_arena *arena, struct tn_keeping *keeping,
                          struct tn_error *error);

/* The calibration that runs make, and how many of them another predictor compared; these count for nothing.
 * rules  of the engine: terms that its record does not have as entries are left as they are; NULL: all */
bool tn_calibration_of_runs(const struct tn_kept_runs *runs, struct tn_str predictor, const struct tn_rules *rules,
                            struct tn_arena *arena, struct tn_calibration *calibration, size_t *stale,
                            struct tn_error *error);

#endif
