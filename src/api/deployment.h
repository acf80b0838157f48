/* From inputs to a deployment: what was given, what follows from the model and the GPU, and where each value came from. */
#ifndef TN_API_DEPLOYMENT_H
#define TN_API_DEPLOYMENT_H

#include "api/operations.h"
#include "engine/engines.h"
#include "plan/verdict.h"

struct tn_setting {
    const char *name;
    uint64_t number;
    struct tn_str text; /* shown in place of the number where not empty */
    enum tn_origin origin;
};

enum { TN_SETTINGS = 10 };

struct tn_question {
    struct tn_planner planner; /* free the question with tn_question_free */
    const struct tn_gpu *gpu; /* NULL: none named */
    uint32_t gpu_count;
    struct tn_deployment deployment;
    struct tn_setting settings[TN_SETTINGS];
    size_t setting_count;
    struct tn_note notes[8];
    size_t note_count;
};

/* To be freed also after an error.
 * Errors: TN_ERROR_UNKNOWN_GPU, TN_ERROR_USAGE, TN_ERROR_DTYPE, TN_ERROR_DEPLOYMENT. */
bool tn_question_read(const struct tn_session *session, const struct tn_request *request, const struct tn_model *model,
                      struct tn_question *question, struct tn_error *error);

void tn_question_free(struct tn_question *question);

#endif
