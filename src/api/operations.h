/* The operations: from a request to a result. Pure: models on disk come through the session's loader, which host/ implements. */
#ifndef TN_API_OPERATIONS_H
#define TN_API_OPERATIONS_H

#include "api/calibrate/store.h"
#include "api/inputs.h"
#include "api/measure/run.h"
#include "api/sources.h"
#include "base/budget.h"
#include "files/given.h"
#include "report/report.h"
#include "text/json.h"
#include "text/phrases.h"

struct tn_session {
    const struct tn_catalog *catalog;
    const struct tn_model_finder *finder;         /* NULL: the catalog only */
    const struct tn_model_shelf *shelf;           /* NULL: models are loaded for each request */
    const struct tn_text_reader *reader;          /* NULL: no files */
    const struct tn_text_source *texts;           /* NULL: no texts but those of the request */
    const struct tn_tokenizer_finder *tokenizers; /* NULL: likewise */
    const struct tn_gpu_source *gpus;             /* NULL: no GPUs of a machine */
    const struct tn_runner *runner;               /* NULL: no commands */
    const struct tn_appender *appender;           /* NULL: no files to add to */
    const struct tn_run_store *runs;              /* NULL: no measurements are kept */
    const struct tn_workers *workers;             /* NULL: one thread */
    struct tn_given_files *given;                 /* files that are looked at before any other; NULL: none */
    const struct tn_sink *sink;                   /* NULL: the answer is kept until it is complete */
    const struct tn_watcher *watcher;             /* NULL: nobody */
    const struct tn_budget *budget;               /* NULL: an answer takes as long as it does */
    const struct tn_service *server;              /* NULL: no server is run here */
    const struct tn_service *assistant;           /* NULL: no assistants are served */
};

/* The answer in both forms: `json` is complete, but where a drawing alone was asked for in another format; `report` is what a person
 * reads. */
struct tn_result {
    struct tn_arena arena;
    struct tn_builder json;
    struct tn_report report;
    struct tn_str
        script; /* what stands in place of the report where that is text, to be run as it is; empty: the report */
    struct tn_model *model; /* what the report's texts point into; NULL where it needs none */
    struct tn_phrases
        phrases;     /* of the language that was asked for; none for English. The report is said in it afterwards */
    bool is_lines;   /* json is a file of JSON Lines, whatever format was asked for */
    bool fits;       /* false: a verdict that it does not fit, exit code 1 */
    int exit_status; /* of a command that was run, to be passed on; 0 else */
};

void tn_result_free(struct tn_result *result);

struct tn_operation {
    const char *name;
    const char *arguments;    /* what follows the name on the command line */
    enum tn_input positional; /* what stands there without an option's name; TN_INPUT_COUNT: nothing may */
    const char *summary;      /* one line */
    bool (*run)(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                struct tn_error *error);
};

extern const struct tn_operation tn_operations[]; /* ends with a row whose name is NULL */

const struct tn_operation *tn_operation_find(struct tn_str name); /* NULL where unknown */

/* Whether the input stands behind the operation's name without a name of its own, and is no option there. */
bool tn_operation_has_positional(const struct tn_operation *operation, enum tn_input input);

/* Runs request->operation. result must be {0} and is to be freed in any case.
 * Errors: TN_ERROR_USAGE for an unknown operation, and all of the operation's. */
bool tn_operation_run(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                      struct tn_error *error);

/* The answer in the format that the request asks for, JSON where it names none: what the library gives, and every front that is asked in JSON.
 * Errors: TN_ERROR_USAGE for a format that there is not, TN_ERROR_MEMORY. */
bool tn_write_answer(const struct tn_request *request, const struct tn_result *result, struct tn_builder *text,
                     struct tn_error *error);

/* The model that a request means: by its numbers, by the session's finder, or by the catalog.
 * name  which of several; NULL where the caller must free it with tn_model_free. */
struct tn_model *tn_request_model(const struct tn_session *session, const struct tn_request *request,
                                  struct tn_str name, struct tn_error *error);

enum tn_units tn_request_units(const struct tn_request *request);
/* How reports are written, but for colours and the width of a terminal. */
struct tn_style tn_request_style(const struct tn_request *request);

/* The error as a JSON document: tonnage.error/1. */
void tn_error_write_json(const struct tn_error *error, struct tn_builder *json);

/* ---- pieces that several operations write ------------------------------------------------------------------------- */

const char *tn_source_name(enum tn_source source);

/* "model": {...} as interfaces fix it. */
void tn_write_model_json(struct tn_json_writer *json, const struct tn_model *model);

/* The objects of a list of notes, without the brackets; and the same for people. */
void tn_write_note_items(struct tn_json_writer *json, const struct tn_note *notes, size_t count);
void tn_write_notes(struct tn_report *report, const struct tn_note *notes, size_t count);

bool tn_run_plan(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                 struct tn_error *error);
bool tn_run_fit(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                struct tn_error *error);
bool tn_run_table(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                  struct tn_error *error);
bool tn_run_inspect(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                    struct tn_error *error);
bool tn_run_diagnose(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                     struct tn_error *error);
bool tn_run_models(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                   struct tn_error *error);
bool tn_run_score(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                  struct tn_error *error);
bool tn_run_calibrate(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                      struct tn_error *error);
bool tn_run_measure(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                    struct tn_error *error);
bool tn_run_tokens(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                   struct tn_error *error);
bool tn_run_gpus(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                 struct tn_error *error);
bool tn_run_serve(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                  struct tn_error *error);
bool tn_run_mcp(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                struct tn_error *error);
bool tn_run_engines(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                    struct tn_error *error);

#endif
