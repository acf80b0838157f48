/* Threads for pieces of work that do not depend on each other. */
#ifndef TN_HOST_WORKERS_H
#define TN_HOST_WORKERS_H

#include <stddef.h>

enum { TN_USUAL_WORKERS = 8 }; /* at most, unless more are asked for */

/* One for each core that this process may use, at most TN_USUAL_WORKERS. */
unsigned tn_workers_usual(void);

/* As tn_workers.run; context is not used. Where the system has no more threads, fewer do the work. */
void tn_workers_run(void *context, unsigned count, size_t items, void (*work)(void *task, unsigned worker, size_t item),
                    void *task);

#endif
