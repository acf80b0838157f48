/* Two queues, as a search over all GPUs takes a thousand times as long as a plan: slow ones leave a thread free for quick ones. */
#include "server/jobs.h"

#include <stdlib.h>

static void append(struct serve_queue *queue, struct serve_exchange *exchange)
{
    exchange->next = NULL;
    *(queue->last ? &queue->last->next : &queue->first) = exchange;
    queue->last = exchange;
}

static struct serve_exchange *take(struct serve_queue *queue)
{
    struct serve_exchange *first = queue->first;
    if (first) {
        queue->first = first->next;
        queue->last = first->next ? queue->last : NULL;
    }
    return first;
}

/* The next one that may begin; NULL where there is none. */
static struct serve_exchange *take_next(struct serve_jobs *jobs)
{
    struct serve_exchange *next = take(&jobs->quick);
    unsigned most_slow = jobs->thread_count > 1 ? jobs->thread_count - 1 : 1;
    if (!next && jobs->slow_count < most_slow) {
        next = take(&jobs->slow);
        jobs->slow_count += next != NULL;
    }
    jobs->count -= next != NULL;
    return next;
}

static void *work(void *context)
{
    struct serve_jobs *jobs = context;
    (void)pthread_mutex_lock(&jobs->mutex);
    for (;;) {
        struct serve_exchange *next = take_next(jobs);
        if (next) {
            bool is_slow = next->route->is_slow; /* it is another's as soon as it is computed */
            (void)pthread_mutex_unlock(&jobs->mutex);
            jobs->compute(next);
            (void)pthread_mutex_lock(&jobs->mutex);
            jobs->slow_count -= is_slow;
            if (is_slow && jobs->slow.first) {
                (void)pthread_cond_signal(&jobs->has_more);
            }
        } else if (jobs->is_closing && !jobs->count) {
            break;
        } else {
            (void)pthread_cond_wait(&jobs->has_more, &jobs->mutex);
        }
    }
    (void)pthread_cond_broadcast(&jobs->has_more); /* the others may end as well */
    (void)pthread_mutex_unlock(&jobs->mutex);
    return NULL;
}

bool serve_jobs_open(struct serve_jobs *jobs, unsigned threads, size_t most,
                     void (*compute)(struct serve_exchange *exchange), struct tn_error *error)
{
    *jobs = (struct serve_jobs){.most = most, .compute = compute, .threads = calloc(threads, sizeof(pthread_t))};
    if (!jobs->threads || pthread_mutex_init(&jobs->mutex, NULL) != 0
        || pthread_cond_init(&jobs->has_more, NULL) != 0) {
        return tn_fail_memory(error);
    }
    for (unsigned k = 0; k < threads; k++) {
        (void)pthread_mutex_lock(&jobs->mutex);
        bool is_started = pthread_create(&jobs->threads[jobs->thread_count], NULL, work, jobs) == 0;
        jobs->thread_count += is_started;
        (void)pthread_mutex_unlock(&jobs->mutex);
    }
    return jobs->thread_count > 0 || tn_fail_memory(error);
}

bool serve_jobs_add(struct serve_jobs *jobs, struct serve_exchange *exchange)
{
    (void)pthread_mutex_lock(&jobs->mutex);
    bool is_taken = jobs->count < jobs->most && !jobs->is_closing;
    if (is_taken) {
        append(exchange->route->is_slow ? &jobs->slow : &jobs->quick, exchange);
        jobs->count++;
        (void)pthread_cond_signal(&jobs->has_more);
    }
    (void)pthread_mutex_unlock(&jobs->mutex);
    return is_taken;
}

void serve_jobs_close(struct serve_jobs *jobs)
{
    (void)pthread_mutex_lock(&jobs->mutex);
    jobs->is_closing = true;
    (void)pthread_cond_broadcast(&jobs->has_more);
    (void)pthread_mutex_unlock(&jobs->mutex);
    for (unsigned k = 0; k < jobs->thread_count; k++) {
        (void)pthread_join(jobs->threads[k], NULL);
    }
    (void)pthread_cond_destroy(&jobs->has_more);
    (void)pthread_mutex_destroy(&jobs->mutex);
    free(jobs->threads);
}
