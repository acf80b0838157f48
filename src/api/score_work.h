/* The work on one measured record, between the files of the operation `score`. */
#ifndef TN_API_SCORE_WORK_H
#define TN_API_SCORE_WORK_H

#include "api/score.h"

struct tn_score_work {
    const struct tn_session *session;
    const struct tn_measurement *measurement;
    struct tn_arena *arena;   /* of the answer */
    struct tn_arena *scratch; /* of this record */
    struct tn_request request;
    struct tn_model *model;
    struct tn_scored *scored;
    struct tn_error *error;
};

/* Sets an input of the request; an empty text sets nothing. */
bool tn_score_input(struct tn_score_work *work, enum tn_input input, struct tn_str text);

/* Finds the model that the record names, in the catalog or by what its name says of its base, and loads it into work->model with the
 * quantisation and the dtype of the record. Errors: those of tn_request_model. */
bool tn_score_model(struct tn_score_work *work);

/* Widens the ranges of the pool to what the deployment would have had in the other ways that the record leaves open: versions where it
 * names none, and settings that no log says. A start that not all of them share becomes unsure. Errors: TN_ERROR_MEMORY. */
bool tn_score_widen(struct tn_score_work *work, struct tn_ledger *ledger);

#endif
