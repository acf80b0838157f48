/* Beginning and ending: signals, limits of the process, and the order in which things stop. */
#define _GNU_SOURCE
#include "server/server.h"

#include "server/access_log.h"
#include "server/clock.h"
#include "server/front.h"
#include "server/listen.h"
#include "server/openapi.h"

#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { SWEEP_MS = 250, PAUSE_MS = 20, LAST_WORDS_MS = 1000, OTHER_DESCRIPTORS = 64, WAITING_FOR_EACH_THREAD = 64 };

/* Connections need descriptors: the limit is raised as far as it may be, and what is left is how many there can be. */
static void raise_limits(struct serve_options *options)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    rlim_t others = SERVE_MOST_ENDING + OTHER_DESCRIPTORS;
    rlim_t wanted = 2 * (rlim_t)options->connections + others; /* as many may be ending */
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || wanted < limit.rlim_max ? wanted : limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < wanted) {
        rlim_t left = limit.rlim_cur > 2 * others ? limit.rlim_cur - others : limit.rlim_cur / 2;
        options->connections = (unsigned)(left / 2);
    }
}

/* Signals are waited for, and interrupt nobody. */
static void block_signals(sigset_t *signals)
{
    (void)sigemptyset(signals);
    (void)sigaddset(signals, SIGTERM);
    (void)sigaddset(signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Until a signal comes, or the time is over; whether one came. */
static bool wait_for_signal(const sigset_t *signals, int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    return sigtimedwait(signals, NULL, &time) > 0;
}

/* Until no connection is left, those that wait for a request being ended; false where the time is over, or a signal came. */
static bool wait_for_connections(struct serve_server *server, int64_t ms, const sigset_t *signals)
{
    int64_t end_us = serve_now_us() + ms * 1000;
    bool is_signalled = false;
    while (!is_signalled && serve_connections_count(&server->connections) && serve_now_us() < end_us) {
        serve_connections_sweep(&server->connections, true);
        is_signalled = wait_for_signal(signals, PAUSE_MS);
    }
    return !serve_connections_count(&server->connections);
}

/* No new connections; those that wait for a request end, and the others when they have their answer. A second signal gives up what is not computed yet. */
static void drain(struct serve_server *server, struct MHD_Daemon *daemon, const sigset_t *signals)
{
    atomic_store(&server->is_stopping, true);
    int listener = MHD_quiesce_daemon(daemon);
    bool is_done =
        wait_for_connections(server, (int64_t)server->options.answer_ms + server->options.silence_ms, signals);
    atomic_store(&server->is_hurried, true);
    serve_jobs_close(&server->jobs);
    if (!is_done) {
        (void)wait_for_connections(server, LAST_WORDS_MS, signals);
    }
    MHD_stop_daemon(daemon);
    if (listener >= 0) {
        (void)close(listener);
    }
}

static void answer_until_stopped(struct serve_server *server, struct MHD_Daemon *daemon, const char *name,
                                 const sigset_t *signals)
{
    serve_log_event("listening", name);
    serve_notify_ready();
    while (!wait_for_signal(signals, SWEEP_MS)) {
        serve_connections_sweep(&server->connections, false);
    }
    serve_log_event("stopping", NULL);
    drain(server, daemon, signals);
    serve_log_event("stopped", NULL);
}

static bool open_server(struct serve_server *server, const struct tn_session *session, struct tn_error *error)
{
    raise_limits(&server->options);
    server->catalog = session->catalog;
    server->counters.start_unix_s = (int64_t)time(NULL);
    if (getrandom(&server->id_seed, sizeof server->id_seed, GRND_NONBLOCK) != sizeof server->id_seed) {
        server->id_seed = (uint64_t)serve_now_us();
    }
    serve_write_openapi(&server->openapi);
    if (server->openapi.failed || !serve_shelf_open(&server->shelf)
        || !serve_connections_open(&server->connections, server->options.connections, server->options.silence_ms)) {
        return tn_fail_memory(error);
    }
    return serve_jobs_open(&server->jobs, server->options.threads,
                           (size_t)server->options.threads * WAITING_FOR_EACH_THREAD, serve_front_compute, error);
}

/* The listener becomes the daemon's. */
static bool answer_on(struct serve_server *server, const struct tn_session *session,
                      const struct serve_listener *listener, struct tn_error *error)
{
    sigset_t signals;
    unsigned cores = session->workers ? session->workers->usual : 1;
    block_signals(&signals); /* before the first thread, as each inherits that */
    if (!open_server(server, session, error)) {
        (void)close(listener->descriptor);
        return false;
    }
    struct MHD_Daemon *daemon = serve_front_open(server, listener->descriptor, cores, error);
    if (!daemon) {
        (void)close(listener->descriptor);
        serve_jobs_close(&server->jobs);
        return false;
    }
    answer_until_stopped(server, daemon, listener->name, &signals);
    return true;
}

static void close_server(struct serve_server *server)
{
    tn_builder_free(&server->openapi);
    serve_connections_close(&server->connections);
    serve_shelf_close(&server->shelf);
    serve_folders_close(&server->folders);
}

bool serve_run(void *context, const struct tn_session *session, const struct tn_request *request,
               struct tn_error *error)
{
    struct serve_server server = {0};
    struct serve_listener listener;
    unsigned cores = session->workers ? session->workers->usual : 1;
    (void)context;
    bool done = serve_options_read(request, cores, &server.options, error)
                && serve_folders_open(&server.folders, server.options.folders, server.options.folder_count, error)
                && serve_listen(&server.options, &listener, error);
    done = done && answer_on(&server, session, &listener, error);
    close_server(&server);
    return done;
}
