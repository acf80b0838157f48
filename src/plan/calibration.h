/* Fitted terms narrowed by what was measured on one engine version and GPU (docs/calibrate.md). Residuals go in, corrections come out: pure
 * functions that know neither where measurements are kept nor who made them. */
#ifndef TN_PLAN_CALIBRATION_H
#define TN_PLAN_CALIBRATION_H

#include "plan/ledger.h"

/* The terms of a log that are fitted, as far as a measurement tells them apart. */
enum tn_fitted_term {
    TN_FITTED_ACTIVATION,
    TN_FITTED_NON_TORCH, /* runtime and communication within the engine's account */
    TN_FITTED_GRAPHS,
    TN_FITTED_COUNT
};

extern const char *const tn_fitted_term_names[TN_FITTED_COUNT]; /* "activation" ..., as measured records have them */

/* The term that an entry of the ledger is a part of; TN_FITTED_COUNT: none. */
enum tn_fitted_term tn_fitted_term_of(enum tn_category category, enum tn_basis basis, bool is_beside);

/* One figure as it was measured, beside what was predicted of it without any calibration. */
struct tn_residual {
    struct tn_str deployment; /* tells deployments apart: model, division, settings */
    enum tn_fitted_term term;
    double measured_bytes;
    struct tn_range predicted;
};

/* A range in place of low, mid and high, in half widths of the fitted one: -1, 0 and 1 leave it as it is. A negative number counts the way from
 * mid to low, a positive one that from mid to high. */
struct tn_correction {
    double low;
    double mid;
    double high;
    size_t runs; /* measurements of the term */
    size_t
        deployments; /* different ones among them; with less than TN_CALIBRATION_LEAST the range can only become wider */
};

enum { TN_CALIBRATION_LEAST = 3 };

struct tn_calibration {
    const struct tn_gpu *gpu; /* of which it is: deployments on others are planned without. Set by the caller */
    struct tn_correction corrections[TN_FITTED_COUNT];
    size_t runs; /* measurements in all */
};

/* Where the measured figure lies: 0 at mid, -1 at low, 1 at high, beyond that outside of the range. false where the range is a point, so that
 * nothing was uncertain. */
bool tn_residual_place(const struct tn_residual *residual, double *place);

/* The corrections that residuals of one engine version and GPU make; those of points count for nothing. runs: measurements that they are of.
 * false where memory is out; scratch is for the time of the call. */
bool tn_calibrate(const struct tn_residual *residuals, size_t count, size_t runs, struct tn_arena *scratch,
                  struct tn_calibration *calibration);

/* Whether it changes anything of the term. */
bool tn_correction_applies(const struct tn_correction *correction);

/* The range after the correction: ordered, and not below 0. */
struct tn_range tn_corrected(const struct tn_correction *correction, struct tn_range fitted);

#endif
