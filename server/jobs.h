/* Requests that are to be computed: a queue of limited length, and the threads that take from it. */
#ifndef TONNAGE_SERVER_JOBS_H
#define TONNAGE_SERVER_JOBS_H

#include "server/exchange.h"

struct serve_queue {
    struct serve_exchange *first;
    struct serve_exchange *last;
};

struct serve_jobs {
    pthread_mutex_t mutex;
    pthread_cond_t has_more;
    struct serve_queue quick;
    struct serve_queue slow;
    size_t count; /* that wait */
    size_t most;
    unsigned slow_count; /* of the slow ones under way */
    unsigned thread_count;
    pthread_t *threads; /* [thread_count] */
    void (*compute)(struct serve_exchange *exchange);
    bool is_closing;
};

/* compute  answers one, and tells its connection; called by many threads at once
 * Errors: TN_ERROR_MEMORY. */
bool serve_jobs_open(struct serve_jobs *jobs, unsigned threads, size_t most,
                     void (*compute)(struct serve_exchange *exchange), struct tn_error *error);

/* false where too many wait already. */
bool serve_jobs_add(struct serve_jobs *jobs, struct serve_exchange *exchange);

/* Ends the threads when all that was added is computed. */
void serve_jobs_close(struct serve_jobs *jobs);

#endif
