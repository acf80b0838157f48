/* Sockets through POSIX; systemd's protocols by their documentation (sd_listen_fds(3), sd_notify(3)): two variables and a datagram. */
#define _GNU_SOURCE
#include "server/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_PASSED_DESCRIPTOR = 3, BACKLOG = 1024 };

static bool fail_listen(const struct serve_options *options, const char *why, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_NETWORK, "cannot listen on " TN_STR_FORMAT ":" TN_STR_FORMAT ": %s",
            TN_STR_ARGUMENTS(options->address), TN_STR_ARGUMENTS(options->port), why);
    tn_fail_at(error, -1, "--listen");
    return tn_fail_hint(error, "another program may listen there: choose another port, or 0 for any that is free");
}

/* A variable of the environment as a number; 0 where there is none. */
static long variable(const char *name)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : 0;
}

/* The first socket that systemd passes; -1 where it passes none to this process. */
static int passed_socket(void)
{
    if (variable("LISTEN_PID") != (long)getpid() || variable("LISTEN_FDS") < 1) {
        return -1;
    }
    int descriptor = FIRST_PASSED_DESCRIPTOR;
    int listens = 0;
    socklen_t size = sizeof listens;
    bool is_listening = getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
    int flags = is_listening ? fcntl(descriptor, F_GETFL) : -1;
    if (flags < 0 || fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0
        || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) {
        return -1;
    }
    return descriptor;
}

static int open_socket(const struct addrinfo *address)
{
    int yes = 1;
    int descriptor =
        socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);
    if (descriptor < 0) {
        return -1;
    }
    bool done = setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0
                && bind(descriptor, address->ai_addr, address->ai_addrlen) == 0 && listen(descriptor, BACKLOG) == 0;
    if (!done) {
        int number = errno;
        (void)close(descriptor);
        errno = number;
        return -1;
    }
    return descriptor;
}

static bool open_own(const struct serve_options *options, int *descriptor, struct tn_error *error)
{
    struct tn_arena arena = {0};
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const char *host = options->address.size ? tn_str_terminated(&arena, options->address) : NULL;
    const char *port = tn_str_terminated(&arena, options->port);
    int status = getaddrinfo(host, port, &wanted, &found);
    *descriptor = -1;
    for (const struct addrinfo *address = found; status == 0 && address && *descriptor < 0;
         address = address->ai_next) {
        *descriptor = open_socket(address);
    }
    int number = errno;
    if (status == 0) {
        freeaddrinfo(found);
    }
    tn_arena_free(&arena);
    return *descriptor >= 0 || fail_listen(options, status != 0 ? gai_strerror(status) : strerror(number), error);
}

/* Where it listens: with the port that it got. */
static void name_socket(struct serve_listener *listener)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    char host[64] = "";
    char port[16] = "";
    bool is_internet = getsockname(listener->descriptor, (struct sockaddr *)&address, &size) == 0
                       && address.ss_family != AF_UNIX
                       && getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                                      NI_NUMERICHOST | NI_NUMERICSERV)
                              == 0;
    if (is_internet) {
        bool is_six = strchr(host, ':') != NULL;
        (void)snprintf(listener->name, sizeof listener->name, "http://%s%s%s:%s", is_six ? "[" : "", host,
                       is_six ? "]" : "", port);
    } else {
        (void)snprintf(listener->name, sizeof listener->name, "a socket of systemd");
    }
}

bool serve_listen(const struct serve_options *options, struct serve_listener *listener, struct tn_error *error)
{
    *listener = (struct serve_listener){.descriptor = options->has_listen ? -1 : passed_socket()};
    listener->is_activated = listener->descriptor >= 0;
    if (!listener->is_activated && !open_own(options, &listener->descriptor, error)) {
        return false;
    }
    name_socket(listener);
    return true;
}

void serve_notify_ready(void)
{
    static const char message[] = "READY=1";
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = path ? strlen(path) : 0;
    if (!size || size >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@')) {
        return;
    }
    memcpy(address.sun_path, path, size);
    if (path[0] == '@') { /* a name in no folder */
        address.sun_path[0] = '\0';
    }
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0) {
        (void)sendto(descriptor, message, sizeof message - 1, MSG_NOSIGNAL, (struct sockaddr *)&address,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
        (void)close(descriptor);
    }
}
