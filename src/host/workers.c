/* Threads that take the next item until none is left. They live for one call: to begin one costs far less than a piece of work. */
#include "host/workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct shared {
    void (*work)(void *task, unsigned worker, size_t item);
    void *task;
    size_t items;
    atomic_size_t next;
};

struct worker {
    struct shared *shared;
    unsigned number;
    pthread_t thread;
};

unsigned tn_workers_usual(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1) {
        return 1;
    }
    return cores < TN_USUAL_WORKERS ? (unsigned)cores : TN_USUAL_WORKERS;
}

static void *run(void *context)
{
    const struct worker *worker = context;
    struct shared *shared = worker->shared;
    for (size_t item = atomic_fetch_add(&shared->next, 1); item < shared->items;
         item = atomic_fetch_add(&shared->next, 1)) {
        shared->work(shared->task, worker->number, item);
    }
    return NULL;
}

void tn_workers_run(void *context, unsigned count, size_t items, void (*work)(void *task, unsigned worker, size_t item),
                    void *task)
{
    struct shared shared = {.work = work, .task = task, .items = items};
    struct worker first = {.shared = &shared};
    unsigned wanted = items < count ? (unsigned)items : count;
    struct worker *workers = wanted > 1 ? calloc(wanted, sizeof *workers) : NULL;
    unsigned started = 1; /* this thread is the first */
    (void)context;
    atomic_init(&shared.next, 0);
    for (; workers && started < wanted; started++) {
        workers[started] = (struct worker){.shared = &shared, .number = started};
        if (pthread_create(&workers[started].thread, NULL, run, &workers[started]) != 0) {
            break;
        }
    }
    (void)run(&first);
    for (unsigned k = 1; workers && k < started; k++) {
        (void)pthread_join(workers[k].thread, NULL);
    }
    free(workers);
}
