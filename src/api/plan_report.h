/* What a plan says to a person. */
#ifndef TN_API_PLAN_REPORT_H
#define TN_API_PLAN_REPORT_H

#include "api/deployment.h"
#include "plan/cache.h"

/* One change that makes a plan fit that does not. */
struct tn_remedy {
    struct tn_str option;  /* as one would type it: "--kv-dtype fp8" */
    struct tn_str meaning; /* in words */
    bool has_pool;         /* of an engine with a pool, what it then has: */
    uint64_t pool_tokens;
    uint64_t requests;    /* of the length asked for, at once, for certain */
    uint64_t worst_bytes; /* of the fullest rank, mid */
};

enum { TN_REMEDIES = 8 };

struct tn_plan_chart; /* src/api/chart/chart.h */

struct tn_plan {
    struct tn_model *model;
    struct tn_question question;
    struct tn_ledger ledger;
    struct tn_cache_totals kv;
    struct tn_verdict verdict;
    struct tn_remedy remedies[TN_REMEDIES]; /* [remedy_count] */
    size_t remedy_count;
    enum tn_units units;
    const struct tn_plan_chart *chart; /* NULL: none was asked for */
    struct tn_str message;             /* the verdict in one sentence */
    struct tn_str start;   /* the command in one line, of an engine that advises; empty: none is known that fits */
    struct tn_note *notes; /* [note_count] of the question, the engine and the model */
    size_t note_count;
    struct tn_str target;  /* of --emit; empty: none was asked for */
    struct tn_str command; /* what it gave */
};

/* Where the value of a setting came from: given also where the input was that it is. */
enum tn_origin tn_plan_origin(const struct tn_plan *plan, const struct tn_used_setting *setting);

/* Fills plan->message. false when memory is out. */
bool tn_plan_message(struct tn_plan *plan, struct tn_arena *arena);

/* The category that takes most, as people call it. */
const char *tn_plan_binding_name(const struct tn_plan *plan);

/* "2 x A100 SXM4 80GB", or "GPUs of 24.00 GiB" */
void tn_plan_write_gpus(struct tn_builder *text, const struct tn_plan *plan, uint64_t count);

/* Bars, breakdown, verdict, and what would make it fit. The report points into the plan's model.
 * explain  with every setting of the engine and every formula of an entry */
void tn_plan_report(const struct tn_plan *plan, bool explain, struct tn_report *report);

/* The heading and one drawing. Charts and grids must outlive the report.
 * lines, grid  what to draw; both NULL: the bars */
void tn_plan_report_drawing(const struct tn_plan *plan, struct tn_chart *lines, struct tn_grid *grid,
                            struct tn_report *report);

/* Of engines with a record: the settings that matter, or all with their formulas; and what the log will say. */
void tn_plan_report_settings(const struct tn_plan *plan, bool explain, struct tn_report *report);
/* Of a pool that there is: what bounds the number of requests. */
void tn_plan_report_bound(const struct tn_plan *plan, struct tn_report *report);
void tn_plan_report_log(const struct tn_plan *plan, struct tn_report *report);

#endif
