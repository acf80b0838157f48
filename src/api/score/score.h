/* Predictions against measured records: what is compared, per record and over many. Shared by the files of the operation `score`. */
#ifndef TN_API_SCORE_H
#define TN_API_SCORE_H

#include "api/operations.h"
#include "logs/measured.h"
#include "plan/ledger.h"

enum tn_term {
    TN_TERM_WEIGHTS,
    TN_TERM_ACTIVATION,
    TN_TERM_NON_TORCH,
    TN_TERM_GRAPHS,
    TN_TERM_KV_POOL,              /* end to end: nothing measured is put in */
    TN_TERM_KV_TOKENS,            /* end to end; requests at once where no tokens are logged */
    TN_TERM_KV_TOKENS_GIVEN_POOL, /* from the pool as measured */
    TN_TERM_MODEL,                /* from here on the buffers of llama.cpp, of one device each */
    TN_TERM_KV,                   /* with the recurrent states, where the log does not tell them apart */
    TN_TERM_RECURRENT,
    TN_TERM_OUTPUT,
    TN_TERM_COMPUTE,
    TN_TERM_TOTAL, /* of a rank, or of a device */
    TN_TERM_COUNT
};

enum { TN_TERM_FIRST_OF_DEVICES = TN_TERM_MODEL };

extern const char *const tn_term_names[TN_TERM_COUNT];

enum tn_sample_state { TN_SAMPLE_NONE, TN_SAMPLE_SCORED, TN_SAMPLE_LEFT_OUT };

/* One term of one record. Bytes, tokens, or requests at once. */
struct tn_sample {
    enum tn_sample_state state;
    const char *why; /* left out; static */
    double measured;
    double rounding; /* of the measured number: half of its last digit */
    double predicted;
    double low;
    double high;
    bool exact; /* the prediction is the measured number, as far as its digits say */
};

/* In percent of the measured number; of a measured 0 that was not met: 100. */
double tn_sample_error_pct(const struct tn_sample *sample);

/* What is predicted of one device: some GPUs together, or the host. */
struct tn_scored_device {
    const struct tn_measured_device *measured;
    struct tn_sample samples[TN_TERM_COUNT];
};

/* Whether the engine starts and all that it takes fits: surely, surely not, or the range of the prediction holds both. */
enum tn_call { TN_CALL_FITS, TN_CALL_UNSURE, TN_CALL_DOES_NOT_FIT };

/* A record with what was predicted for it. */
struct tn_scored {
    const struct tn_measurement *measurement;
    struct tn_str why;    /* it could not be resolved; empty where it was */
    struct tn_str model;  /* its id in the catalog */
    bool is_derived;      /* the catalog has the model, and its name says how this copy of it is quantised */
    struct tn_str family; /* the architecture's record */
    struct tn_str engine; /* "vllm 0.19.0": as planned */
    struct tn_sample samples[TN_TERM_COUNT]; /* of one rank */
    struct tn_scored_device *devices;        /* [device_count] */
    size_t device_count;
    bool has_large_pool;     /* of at least a tenth of the GPU's memory */
    bool is_judged;          /* a GPU is named and the record says whether the engine started */
    enum tn_call call;       /* what the plan says of it */
    struct tn_str complaint; /* predicted: why it does not start */
};

/* What a statistic is made of: one point for each record that has the term. */
struct tn_point {
    double error_pct; /* predicted beside measured, signed, in percent of the measured */
    double range_pct; /* width of low..high, in percent of the measured */
    double abs_error; /* in the unit of the term */
    bool exact;
    bool is_within; /* the measured number lies in low..high, as far as its digits say */
    struct tn_str family;
};

struct tn_statistics {
    size_t n;
    size_t exact;
    double median_abs_pct;
    double p90_abs_pct; /* the smallest error that nine of ten do not exceed */
    double max_abs_pct;
    double bias_pct; /* the mean of the signed errors */
    double within_range_pct;
    double median_range_pct;
    double family_median_abs_pct; /* every family counts the same, however many records it has */
    double median_abs;            /* in the unit of the term */
};

/* The points are sorted anew. All zero where count is 0. */
void tn_statistics_of(struct tn_point *points, size_t count, struct tn_statistics *statistics);

/* Reads all files of the request's RECORDS into the list. Errors: TN_ERROR_USAGE where there are none, those of tn_measurements_read and of the
 * session's reader. */
bool tn_read_records(const struct tn_session *session, const struct tn_request *request, struct tn_measurements *list,
                     struct tn_error *error);

/* ---- one record --------------------------------------------------------------------------------------------------- */

/* Finds the model, plans it as the record asks, and compares. What goes wrong becomes scored->why; only memory is an error. Texts come from
 * the arena; scratch is reset. */
bool tn_score_record(const struct tn_session *session, const struct tn_request *request,
                     const struct tn_measurement *measurement, struct tn_arena *arena, struct tn_arena *scratch,
                     struct tn_scored *scored, struct tn_error *error);

/* Compares what a plan says with the record. */
void tn_score_terms(const struct tn_measurement *measurement, const struct tn_ledger *ledger, uint64_t gpu_memory_bytes,
                    struct tn_scored *scored);

/* The same for the tokens from the measured pool: plans with the least, the middle and the most that its digits allow. */
void tn_score_given_pool(const struct tn_measurement *measurement, const struct tn_ledger ledgers[3], bool is_plain,
                         struct tn_scored *scored);

/* ---- all of them -------------------------------------------------------------------------------------------------- */

/* The samples of a record by place: those of its rank, then those of each device. */
size_t tn_scored_places(const struct tn_scored *record);
const struct tn_sample *tn_scored_samples(const struct tn_scored *record, size_t place);         /* [TN_TERM_COUNT] */
const struct tn_measured_device *tn_scored_device(const struct tn_scored *record, size_t place); /* NULL: the rank */

struct tn_score {
    struct tn_scored *records; /* [count] */
    size_t count;
    bool wants_details;
    struct tn_arena *arena;
};

/* Which records a statistic is about. */
struct tn_selection {
    struct tn_str family; /* empty: all */
    struct tn_str engine; /* likewise */
    int pool_size;        /* 1: large pools only, -1: small ones only, 0: all */
    int device;           /* 1: GPUs only, -1: the host only, 0: all */
};

/* false where memory is out. */
bool tn_score_statistics(const struct tn_score *score, enum tn_term term, const struct tn_selection *selection,
                         struct tn_statistics *statistics);

struct tn_verdicts {
    size_t n;
    size_t failed; /* of them failed to start */
    size_t false_fits;
    size_t false_refusals;
    size_t unsure; /* called neither */
};

void tn_score_verdicts(const struct tn_score *score, struct tn_verdicts *verdicts);

/* The families or engines that occur among the scored records, in byte order. NULL where memory is out. */
struct tn_str *tn_score_groups(const struct tn_score *score, bool by_engine, size_t *count);

bool tn_score_json(const struct tn_score *score, struct tn_builder *out);
bool tn_score_report(const struct tn_score *score, struct tn_report *report);

/* The end of the report: records and figures that were not scored. */
void tn_score_report_listed(const struct tn_score *score, struct tn_report *report);

#endif
