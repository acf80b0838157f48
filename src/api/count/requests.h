/* Counting requests: JSON Lines, one request a line, many lines at the same time. */
#ifndef TN_API_COUNT_REQUESTS_H
#define TN_API_COUNT_REQUESTS_H

#include "api/count/counter.h"
#include "api/count/intake.h"
#include "api/count/lengths.h"

/* How lines are to be read and answered. */
struct tn_request_reading {
    struct tn_str field;            /* where the text or the messages stand: "prompt", "body.messages" */
    bool has_chat;                  /* the counter's chat format, or none, was settled on */
    const struct tn_error *no_chat; /* why it was not: the error of a request that has messages */
    bool wants_items;               /* a JSON object for each request is written */
    bool wants_ids;                 /* with the ids of its tokens */
    bool wants_pieces;              /* with the tokens as text */
};

/* What the requests of one input have together. The caller begins it as {0} and may count several inputs into it. */
struct tn_request_sums {
    uint64_t requests;
    struct tn_tally tally;
    struct tn_lengths lengths;
    struct tn_chat_extras extras;
};

/* Counts all lines; empty ones are left out.
 * counter->chat  messages are written in this format; NULL: their contents alone
 * write          is given the objects of requests in their order, a line feed behind each; NULL where none are wanted
 * Errors: those of the intake, of parsers, of tn_chat_render and tn_encode, with file:line as the place; TN_ERROR_CONFIG where a
 * request has no such field; TN_ERROR_TOO_LARGE for a line of a GiB. */
bool tn_count_requests(struct tn_counter *counter, struct tn_intake *intake, const struct tn_request_reading *how,
                       struct tn_request_sums *sums,
                       bool (*write)(void *context, struct tn_str lines, struct tn_error *error), void *context,
                       struct tn_error *error);

#endif
