/* One plan of an engine that has a record: the record evaluated, the weights placed, and the steps that such engines have in common. */
#ifndef TN_ENGINE_WORK_H
#define TN_ENGINE_WORK_H

#include "engine/record/rules.h"
#include "engine/weights/placement.h"

/* The ends of what is uncertain. */
enum tn_end { TN_END_LOW, TN_END_MID, TN_END_HIGH, TN_END_COUNT };

uint64_t tn_range_end(struct tn_range range, enum tn_end end);

struct tn_work {
    struct tn_planner *planner;
    const struct tn_deployment *deployment;
    struct tn_ledger *ledger;
    struct tn_evaluation *evaluation;
    const struct tn_placement *placement; /* set by the engine */
    bool failed;                          /* a formula could not be evaluated: the error says which */
    struct tn_error *error;
};

/* Evaluates the engine's record in the deployment; work has all but evaluation and placement. Errors: those of tn_evaluation_new. */
bool tn_work_begin(struct tn_work *work);

/* Values of the record; 0 or empty where work->failed. */
uint64_t tn_work_number(struct tn_work *work, const char *name);
double tn_work_real(struct tn_work *work, const char *name);
struct tn_str tn_work_text(struct tn_work *work, const char *name);
struct tn_range tn_work_range(struct tn_work *work, const char *name);

/* The dtype that a setting names, in which an engine computes: *dtype is NULL for "auto", the model's own.
 * Errors: TN_ERROR_DTYPE for a name that is no dtype of 16 or 32 bits. */
bool tn_work_dtype(struct tn_work *work, const char *setting, const struct tn_dtype **dtype);

/* The stage that formulas speak of from now on. */
void tn_work_give_stage(const struct tn_work *work, uint32_t stage);

/* Adds the weights of a stage to the ledger: those placed, or one entry where the user has measured weights_memory. */
bool tn_work_add_weights(struct tn_work *work, uint32_t stage);

/* One of an engine's checks at its start. */
struct tn_start_check {
    bool fails;
    bool may_fail;       /* at the unlucky end of the ranges */
    const char *say;     /* of the record: what it says then */
    const char *setting; /* that it is about */
};

/* Sets ledger->start, its complaint and its setting: the first check that fails, else the first that may. */
bool tn_work_judge(struct tn_work *work, const struct tn_start_check *checks, size_t count);

/* Settings, log lines, notes and offers, where the ledger wants them. */
bool tn_work_add_texts(struct tn_work *work);

#endif
