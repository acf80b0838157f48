/* The processes of this machine as Linux tells of them in /proc: who began whom, and the memory of the host that each holds. */
#ifndef TN_HOST_MEASURE_PROCESSES_H
#define TN_HOST_MEASURE_PROCESSES_H

#include "base/text.h"

enum { TN_PROCESS_NAME = 64 };

struct tn_process {
    uint32_t pid;
    uint32_t parent;
    uint64_t began; /* in ticks of the kernel: with the pid it names one process for ever */
    char name[TN_PROCESS_NAME];
    uint64_t resident_bytes; /* RSS: what is shared with others counts in full */
    bool is_below;           /* of the ancestor that was asked for */
};

/* All that descend from a process, by their pids; in the arena. false where memory is out or the system does not tell. */
bool tn_processes_below(uint32_t ancestor, struct tn_arena *arena, struct tn_process **processes, size_t *count);

enum tn_proportional {
    TN_PROPORTIONAL_KNOWN,
    TN_PROPORTIONAL_GONE,   /* the process has ended meanwhile */
    TN_PROPORTIONAL_REFUSED /* it is another user's, or the kernel is older than 4.14 */
};

/* PSS: what is shared with others counts in part. */
enum tn_proportional tn_process_proportional(uint32_t pid, uint64_t *bytes);

#endif
