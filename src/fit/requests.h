/* How many requests of a real distribution of lengths fit at once: at a random moment each of them is somewhere between its prompt and its
 * last token. */
#ifndef TN_FIT_REQUESTS_H
#define TN_FIT_REQUESTS_H

#include "plan/inverse.h"
#include "trace/trace.h"

enum { TN_FIT_LEVELS = 4 };

/* Shares of moments, in millionths, for which numbers of requests are told: half, 95 %, 99 %, 99.9 %. */
extern const uint32_t tn_fit_levels[TN_FIT_LEVELS];

struct tn_fit_in_use {
    uint64_t p50; /* in millionths of the room */
    uint64_t p95;
    uint64_t p99;
};

struct tn_fit_moments {
    uint64_t worst_case;              /* requests that fit when all are as long as the longest; likewise: */
    uint64_t at_level[TN_FIT_LEVELS]; /* that fit together in that share of the moments */
    uint64_t most_running;            /* that the engine lets run, of all copies; UINT64_MAX: no limit */
    uint64_t asked;                   /* requests at once, as asked for, or as many as fit in 99 % of the moments */
    uint32_t share_ppm;               /* of the moments in which they fit */
    uint32_t next_share_ppm;          /* in which one more does */
    struct tn_fit_in_use in_use;      /* of the room, by so many */
    uint64_t room_tokens;             /* as the engine prints its pool, for certain; 0 where it has none */
    uint64_t longest_tokens;          /* of one request */
    uint32_t draws;                   /* moments that were drawn */
};

/* Draws moments, always the same ones: a request is met with a chance that grows with its output, and has made a uniform part of it.
 * deployment  its context is the longest request that the engine takes; longer ones of the trace are left out
 * asked       requests at once whose share is wanted; 0: as many as fit in 99 % of the moments
 * left_out    gets the number of requests that are longer
 * Errors: those of the engine's plan, TN_ERROR_DEPLOYMENT where not even one request fits, TN_ERROR_MEMORY. */
bool tn_fit_draw(struct tn_planner *planner, const struct tn_deployment *deployment, const struct tn_trace *trace,
                 uint64_t asked, struct tn_fit_moments *moments, size_t *left_out, struct tn_error *error);

#endif
