/* A command of ours: begun with our streams, told the signals that we are told, followed until it and all that it began have ended. */
#ifndef TN_HOST_MEASURE_COMMAND_H
#define TN_HOST_MEASURE_COMMAND_H

#include "base/text.h"

#include <signal.h>
#include <sys/types.h>

struct tn_command_run {
    sigset_t before; /* the signals that were blocked before, as the command is to have them */
    pid_t pid;       /* of the command; 0 before it is begun */
    bool has_ended;
    bool is_alone;       /* nothing that it began is there any more */
    bool is_interrupted; /* after the command's end somebody wants the measuring to end, whatever is left */
    int wait_status;     /* once it has ended */
};

/* Makes orphans ours, and holds back the signals that are to be passed on. To be undone by tn_command_end. false where this system cannot. */
bool tn_command_prepare(struct tn_command_run *run);

/* Begins it. words ends with NULL. Errors: TN_ERROR_COMMAND_NOT_FOUND, TN_ERROR_COMMAND. */
bool tn_command_begin(struct tn_command_run *run, char **words, struct tn_error *error);

/* Waits, at most so long, for a signal or for a process to end, and does what is to be done. */
void tn_command_wait(struct tn_command_run *run, uint64_t most_ms);

void tn_command_end(struct tn_command_run *run);

/* As a shell gives it. */
int tn_command_status(const struct tn_command_run *run);
int tn_command_signal(const struct tn_command_run *run); /* that ended it; 0: none did */

#endif
