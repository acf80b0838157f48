/* The work on one measured record, between the files of the operation `score`. */
#ifndef TN_API_SCORE_WORK_H
#define TN_API_SCORE_WORK_H

#include "api/score/score.h"

/* What a plan says of a number. */
struct tn_expected {
    double low;
    double mid;
    double high;
};

/* Makes a sample of a number and what was expected of it. */
void tn_sample_set(struct tn_sample *sample, double measured, double rounding, struct tn_expected expected);

/* Says why a number is not compared; why is static. */
void tn_sample_leave_out(struct tn_sample *sample, const char *why);

struct tn_score_work {
    const struct tn_session *session;
    const struct tn_measurement *measurement;
    struct tn_arena *arena;   /* of the answer */
    struct tn_arena *scratch; /* of this record */
    struct tn_request request;
    struct tn_model *model;
    bool has_other_weights; /* the files of the record are not of the mix that they are called by */
    struct tn_scored *scored;
    struct tn_error *error;
};

/* Compares a plan with the buffers of each device. has_other_weights: but not their weights. */
void tn_score_devices(const struct tn_ledger *ledger, bool has_other_weights, struct tn_scored *scored);

/* Whether memory, weights and graphs of all GPUs of such a record are known; and what the plan then says of the start. */
bool tn_score_knows_devices(const struct tn_measurement *measurement);
enum tn_call tn_score_call_devices(const struct tn_measurement *measurement, const struct tn_ledger *ledger);

/* Sets an input of the request; an empty text sets nothing. */
bool tn_score_input(struct tn_score_work *work, enum tn_input input, struct tn_str text);

/* Sets all inputs that the record gives: engine, GPUs, division, lengths, settings. Errors: those of tn_request_set. */
bool tn_score_request(struct tn_score_work *work);

/* Finds the model that the record names, in the catalog or by what its name says of its base, and loads it into work->model with the
 * quantisation and the dtype of the record. Errors: those of tn_request_model. */
bool tn_score_model(struct tn_score_work *work);

/* Widens the ranges of the pool, and of what devices hold, to what the deployment would have had in the other ways that the record leaves open: versions where it
 * names none, and settings that no log says. A start that not all of them share becomes unsure. Errors: TN_ERROR_MEMORY. */
bool tn_score_widen(struct tn_score_work *work, struct tn_ledger *ledger);

#endif
