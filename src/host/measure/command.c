/* Beginning and following a command. Orphans of its tree come to us and not to init (PR_SET_CHILD_SUBREAPER), so that a daemon of it stays in
 * sight, and waiting for any child says when the last one has ended. Signals are held back and taken one by one: there is no handler. */
#include "host/measure/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIGNAL_STATUS = 128, CANNOT_RUN = 127, MS_PER_S = 1000, NS_PER_MS = 1000000 };

/* Passed on to the command. */
static const int passed_on[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM};

static sigset_t held_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    for (size_t k = 0; k < sizeof passed_on / sizeof passed_on[0]; k++) {
        (void)sigaddset(&set, passed_on[k]);
    }
    return set;
}

bool tn_command_prepare(struct tn_command_run *run)
{
    sigset_t held = held_signals();
    struct sigaction usual = {.sa_handler = SIG_DFL};
    *run = (struct tn_command_run){0};
    (void)sigemptyset(&usual.sa_mask);
    return sigaction(SIGCHLD, &usual, NULL) == 0 && sigprocmask(SIG_BLOCK, &held, &run->before) == 0
           && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

void tn_command_end(struct tn_command_run *run)
{
    (void)prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    (void)sigprocmask(SIG_SETMASK, &run->before, NULL);
}

/* In the child: becomes the command, or says through the pipe why not. */
static void become(const struct tn_command_run *run, char **words, int pipe_end)
{
    (void)sigprocmask(SIG_SETMASK, &run->before, NULL);
    (void)execvp(words[0], words);
    int number = errno;
    ssize_t written = write(pipe_end, &number, sizeof number);
    _exit(written == sizeof number ? CANNOT_RUN : CANNOT_RUN - 1);
}

static bool fail_command(const char *name, int number, struct tn_error *error)
{
    bool is_missing = number == ENOENT;
    tn_fail(error, is_missing ? TN_ERROR_COMMAND_NOT_FOUND : TN_ERROR_COMMAND, "cannot run %s: %s", name,
            strerror(number));
    return is_missing ? tn_fail_hint(error, "name a program, and for what a shell does: sh -c '...'") : false;
}

bool tn_command_begin(struct tn_command_run *run, char **words, struct tn_error *error)
{
    int ends[2];
    int number = 0;
    if (pipe(ends) != 0 || fcntl(ends[0], F_SETFD, FD_CLOEXEC) != 0 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) != 0) {
        return fail_command(words[0], errno, error);
    }
    run->pid = fork();
    if (run->pid == 0) {
        become(run, words, ends[1]);
    }
    number = run->pid < 0 ? errno : 0;
    (void)close(ends[1]);
    while (run->pid > 0 && read(ends[0], &number, sizeof number) < 0 && errno == EINTR) {
    }
    (void)close(ends[0]);
    if (number && run->pid > 0) {
        (void)waitpid(run->pid, NULL, 0);
    }
    return !number || fail_command(words[0], number, error);
}

/* Takes note of all that have ended. */
static void reap(struct tn_command_run *run)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == run->pid) {
            run->has_ended = true;
            run->wait_status = status;
        }
        run->is_alone = pid < 0 && errno == ECHILD;
        if (pid == 0 || (pid < 0 && errno != EINTR)) {
            return;
        }
    }
}

/* What the terminal sends, it sends to the command as well: that is not sent twice. */
static void pass_on(struct tn_command_run *run, const siginfo_t *info)
{
    bool is_an_end =
        info->si_signo == SIGINT || info->si_signo == SIGTERM || info->si_signo == SIGHUP || info->si_signo == SIGQUIT;
    if (run->has_ended) {
        run->is_interrupted = run->is_interrupted || is_an_end;
    } else if (info->si_code <= 0) {
        (void)kill(run->pid, info->si_signo);
    }
}

void tn_command_wait(struct tn_command_run *run, uint64_t most_ms)
{
    sigset_t held = held_signals();
    siginfo_t info;
    struct timespec most = {.tv_sec = (time_t)(most_ms / MS_PER_S), .tv_nsec = (long)(most_ms % MS_PER_S) * NS_PER_MS};
    reap(run);
    if (run->is_alone || run->is_interrupted) {
        return;
    }
    int number = sigtimedwait(&held, &info, &most);
    if (number == SIGCHLD) {
        reap(run);
    } else if (number > 0) {
        pass_on(run, &info);
    }
}

int tn_command_status(const struct tn_command_run *run)
{
    return WIFSIGNALED(run->wait_status) ? SIGNAL_STATUS + WTERMSIG(run->wait_status) : WEXITSTATUS(run->wait_status);
}

int tn_command_signal(const struct tn_command_run *run)
{
    return WIFSIGNALED(run->wait_status) ? WTERMSIG(run->wait_status) : 0;
}
