/* What an engine's log says, laid beside a plan of the same deployment, and what follows from it. Shared by the files of the operation `diagnose`. */
#ifndef TN_API_DIAGNOSE_DIAGNOSE_H
#define TN_API_DIAGNOSE_DIAGNOSE_H

#include "api/plan_report.h"
#include "api/score/work.h"
#include "api/variant.h"
#include "logs/text/measured_log.h"

/* A number of the log, and what the plan says of it. */
struct tn_diagnosed_term {
    const char *name;     /* "weights", "kv_tokens" ... */
    struct tn_str device; /* of llama.cpp: "CUDA0"; else empty */
    const char *unit;     /* "bytes", "tokens" ... */
    bool is_measured;
    double measured;
    uint64_t line; /* of the log; 0: of several, or of none */
    bool is_predicted;
    double predicted;
    double low;
    double high;
    bool exact;
    const char *why; /* it is not compared; NULL where it is, or nothing is to be said */
};

/* A change that helps, planned before it is offered. */
struct tn_diagnosed_remedy {
    struct tn_str option;  /* as tonnage takes it, "--set max_num_seqs=64"; empty where it is nothing that is set */
    struct tn_str meaning; /* in words */
    struct tn_varied_plan after;
};

enum tn_finding_weight { TN_FINDING_ERROR, TN_FINDING_WARNING, TN_FINDING_HINT, TN_FINDING_WEIGHTS };

extern const char *const tn_finding_weight_names[TN_FINDING_WEIGHTS]; /* "error" ... */

enum { TN_DIAGNOSED_REMEDIES = 4 };

struct tn_finding {
    struct tn_str code;
    enum tn_finding_weight weight;
    struct tn_str message;
    uint64_t line;                                              /* of the log, where it shows; 0: of no single one */
    struct tn_diagnosed_remedy remedies[TN_DIAGNOSED_REMEDIES]; /* [remedy_count], what costs least first */
    size_t remedy_count;
};

enum { TN_DIAGNOSED_NOTES = 8 };

struct tn_diagnosis {
    const struct tn_session *session;
    const struct tn_request *request;
    struct tn_arena *arena; /* of the answer */
    struct tn_log_shapes shapes;
    struct tn_log log;
    struct tn_log_asked asked;
    struct tn_log_reading reading;
    enum tn_outcome outcome;
    bool fails_running;                       /* it took requests, and ended later */
    const struct tn_measurement *measurement; /* NULL: the log is of no engine that is known */
    struct tn_scored scored;                  /* where there is a measurement */
    struct tn_score_work work;                /* its model is the result's */
    struct tn_plan plan;                      /* where is_planned */
    bool has_question;
    bool is_planned;
    struct tn_varied_plan base;      /* the plan as it is */
    struct tn_str why_not;           /* it could not be planned; empty where it was */
    struct tn_diagnosed_term *terms; /* [term_count] */
    size_t term_count;
    struct tn_finding *findings; /* [finding_count], the gravest first */
    size_t finding_count;
    struct tn_note notes[TN_DIAGNOSED_NOTES]; /* [note_count] */
    size_t note_count;
};

/* Adds what the command that the log has says, where the engine's own lines do not. One that cannot be read becomes a note. Errors: TN_ERROR_MEMORY. */
bool tn_diagnose_command(struct tn_diagnosis *diagnosis, struct tn_error *error);

/* Adds a note; one that finds no room is left away. */
void tn_diagnose_note(struct tn_diagnosis *diagnosis, const char *code, const char *format, ...) TN_PRINTF(3, 4);

/* Fills diagnosis->terms. Errors: TN_ERROR_MEMORY. */
bool tn_diagnose_terms(struct tn_diagnosis *diagnosis, struct tn_error *error);

/* Fills diagnosis->findings: the records of type `finding` that apply, and what helps. Errors: TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_MEMORY. */
bool tn_diagnose_findings(struct tn_diagnosis *diagnosis, struct tn_error *error);

/* The value of a name in a finding: what the log measured, what the plan says, what kind of model it is. false with TN_ERROR_EXPRESSION where no
 * such thing is known of. */
bool tn_diagnose_symbol(struct tn_diagnosis *diagnosis, struct tn_str name, struct tn_value *value,
                        struct tn_error *error);

/* The setting of that name as the plan has it; NULL where it has none. */
const struct tn_value *tn_diagnose_setting(const struct tn_diagnosis *diagnosis, struct tn_str name);

bool tn_diagnose_json(const struct tn_diagnosis *diagnosis, struct tn_builder *out);
bool tn_diagnose_report(const struct tn_diagnosis *diagnosis, struct tn_report *report);

/* Takes the next change off a remedy's option: "max_num_seqs" and "64" of "--set max_num_seqs=64 --tp 4", then "tp" and "4". false at its end. */
bool tn_diagnosed_change(struct tn_str *option, struct tn_str *name, struct tn_str *value);

/* "vLLM 0.19.0 did not start: ..." in the arena; empty where memory is out. */
struct tn_str tn_diagnose_verdict(const struct tn_diagnosis *diagnosis);

#endif
