/* The operations: from a request to a result. Pure: models on disk come through the session's loader, which host/ implements. */
#ifndef TN_API_OPERATIONS_H
#define TN_API_OPERATIONS_H

#include "api/inputs.h"
#include "model/load.h"
#include "report/report.h"
#include "text/json.h"

/* Finds what MODEL names outside of the catalog. */
struct tn_model_finder {
    void *context;
    /* Fills the input (id, config, header ...) where the name is a file, a folder, or a model of `folder` (--models); *found false where it
     * is neither. What the input points to must live until the context is closed.
     * Errors: TN_ERROR_UNREADABLE, TN_ERROR_NOT_A_MODEL, and those of the parsers. */
    bool (*find)(void *context, struct tn_str name, struct tn_str folder, struct tn_model_input *input, bool *found,
                 struct tn_error *error);
};

/* Reads files that are no models. */
struct tn_text_reader {
    void *context;
    /* The whole file; the text must live until the context is closed. Errors: TN_ERROR_UNREADABLE, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
    bool (*read)(void *context, struct tn_str path, struct tn_str *text, struct tn_error *error);
};

/* Is told how far a long operation is. */
struct tn_watcher {
    void *context;
    void (*show)(void *context, size_t done, size_t count);
};

struct tn_session {
    const struct tn_catalog *catalog;
    const struct tn_model_finder *finder; /* NULL: the catalog only */
    const struct tn_text_reader *reader;  /* NULL: no files */
    const struct tn_watcher *watcher;     /* NULL: nobody */
};

/* The answer in both forms: `json` is complete; `report` is what a person reads. */
struct tn_result {
    struct tn_arena arena;
    struct tn_builder json;
    struct tn_report report;
    struct tn_model *model; /* what the report's texts point into; NULL where it needs none */
    bool fits;              /* false: a verdict that it does not fit, exit code 1 */
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

/* Runs request->operation. result must be {0} and is to be freed in any case.
 * Errors: TN_ERROR_USAGE for an unknown operation, and all of the operation's. */
bool tn_operation_run(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                      struct tn_error *error);

/* The model that a request means: by its numbers, by the session's finder, or by the catalog.
 * name  which of several; NULL where the caller must free it with tn_model_free. */
struct tn_model *tn_request_model(const struct tn_session *session, const struct tn_request *request,
                                  struct tn_str name, struct tn_error *error);

enum tn_units tn_request_units(const struct tn_request *request);

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
bool tn_run_table(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                  struct tn_error *error);
bool tn_run_inspect(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                    struct tn_error *error);
bool tn_run_models(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                   struct tn_error *error);
bool tn_run_score(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                  struct tn_error *error);
bool tn_run_gpus(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                 struct tn_error *error);
bool tn_run_engines(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                    struct tn_error *error);

#endif
