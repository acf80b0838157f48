/* plan --chart: one drawing of a plan, and the plans that it takes. */
#ifndef TN_API_CHART_CHART_H
#define TN_API_CHART_CHART_H

#include "api/plan_report.h"
#include "plan/vary.h"

enum tn_chart_kind { TN_CHART_BARS, TN_CHART_CONTEXT, TN_CHART_GRID };

/* What was asked for, and what it came to. Of the arena of the result. */
struct tn_plan_chart {
    enum tn_chart_kind kind;
    struct tn_chart *lines; /* CONTEXT; else NULL */
    struct tn_grid *grid;   /* GRID; else NULL */
    uint32_t plan_count;    /* that it took beside the plan itself */
};

/* Fills the chart of a plan whose ledger is there.
 * name  bars, context or grid
 * Errors: TN_ERROR_USAGE where it needs a GPU and none was named, TN_ERROR_MEMORY. */
bool tn_plan_draw(struct tn_plan *plan, struct tn_str name, struct tn_arena *arena, struct tn_plan_chart *chart,
                  struct tn_error *error);

/* "chart": {...} of a plan that has one: docs/json.md. */
void tn_plan_chart_json(struct tn_json_writer *json, const struct tn_plan *plan);

/* ---- points: the same deployment with another length and another number of requests --------------------------------- */

struct tn_chart_point {
    enum tn_fits fits;
    uint64_t bytes; /* that the fullest GPU must have for it, a pool counted by what was asked of it; 0: refused */
};

struct tn_chart_points {
    struct tn_plan *plan;
    struct tn_varying varying;
    struct tn_arena arena; /* of one plan */
    uint32_t plan_count;
};

/* false where memory is out; to be freed also then. */
bool tn_chart_points_open(struct tn_chart_points *points, struct tn_plan *plan);
struct tn_chart_point tn_chart_try(struct tn_chart_points *points, uint64_t context_tokens, uint64_t concurrency);
/* The last that fits between two of which the first fits and the second does not: of contexts, all with as many requests, or of numbers of
 * requests, all of that length. */
uint64_t tn_chart_last_context(struct tn_chart_points *points, uint64_t concurrency, uint64_t fits, uint64_t fails);
uint64_t tn_chart_last_concurrency(struct tn_chart_points *points, uint64_t context_tokens, uint64_t fits,
                                   uint64_t fails);
void tn_chart_points_free(struct tn_chart_points *points);

/* What the plan needs of the fullest GPU, and what there is for it: where it starts, it fits with as much or less. An engine with a pool has
 * no more than it takes. */
uint64_t tn_chart_needed_bytes(const struct tn_ledger *ledger);
uint64_t tn_chart_limit_bytes(const struct tn_plan *plan);

/* The longest request that an axis shows. */
uint64_t tn_chart_longest(const struct tn_plan *plan);

/* Each fills one kind; NULL when memory is out. */
struct tn_chart *tn_chart_context(struct tn_chart_points *points, struct tn_arena *arena);
struct tn_grid *tn_chart_grid(struct tn_chart_points *points, struct tn_arena *arena);

#endif
