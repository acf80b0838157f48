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
    const struct tn_session *session;
    struct tn_request asked;   /* as it was asked */
    struct tn_request request; /* with the inputs filled in that settings of the engine are */
    struct tn_planner planner; /* free the question with tn_question_free */
    const struct tn_gpu *gpu;  /* NULL: none named; of GPUs that are not alike the smallest */
    uint32_t gpu_count;
    struct tn_deployment deployment;
    struct tn_setting settings[TN_SETTINGS];
    size_t setting_count;
    struct tn_note notes[12];
    size_t note_count;
};

/* "vllm@0.19.0": the engine, and its version; empty where none stands there.
 * Errors: TN_ERROR_USAGE with the nearest names in the hint. */
bool tn_read_engine(struct tn_str text, const struct tn_engine **engine, struct tn_str *version,
                    struct tn_error *error);

/* Engine, version and the engine's own settings: what can be known before the model is. The model is then that of question->request.
 * The question is to be freed also after an error.
 * Errors: TN_ERROR_USAGE, TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_MEMORY. */
bool tn_question_open(const struct tn_session *session, const struct tn_request *request, struct tn_question *question,
                      struct tn_error *error);

/* The same for an engine that is open: a question without a planner, which the caller gives it. Nothing is to be freed.
 * rules  of the engine; NULL where it has none */
bool tn_question_settings(const struct tn_session *session, const struct tn_request *request,
                          const struct tn_rules *rules, struct tn_question *question, struct tn_error *error);

/* The deployment of an open question.
 * Errors: TN_ERROR_UNKNOWN_GPU, TN_ERROR_USAGE, TN_ERROR_DTYPE, TN_ERROR_DEPLOYMENT. */
bool tn_question_read(struct tn_question *question, const struct tn_model *model, struct tn_error *error);

/* Has the planner narrow its fitted terms by the runs that are kept for the question's engine, version and GPU, with a note that says so
 * (src/api/calibrate/use.c). Where they cannot be read a note says that. Errors: TN_ERROR_MEMORY. */
bool tn_question_calibrate(struct tn_question *question, struct tn_error *error);

/* Whether layers may be divided over the GPUs in another way than the engine does by itself: llama.cpp's tensor_split on several GPUs, where
 * nothing that was given says how. */
bool tn_may_split(const struct tn_question *question);

/* Adds a note to those of the plan; one too many is left out. */
void tn_question_note(struct tn_question *question, const char *code, const char *format, ...) TN_PRINTF(3, 4);

/* Copies the notes that are about the user's machine and command: its GPUs, the measurements that are kept, options that are not planned. For answers that have no room for what a plan
 * assumes. notes  gets `most` at the most; the count is returned. */
size_t tn_question_machine_notes(const struct tn_question *question, struct tn_arena *arena, struct tn_note *notes,
                                 size_t most);

void tn_question_free(struct tn_question *question);

#endif
