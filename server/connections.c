/* Lists by age. A connection is ended by shutting its socket down: libmicrohttpd, which owns it, sees that as its end and closes it. It tells us
 * before it does, so that under the lock a descriptor is never another's. */
#include "server/connections.h"

#include "server/clock.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { LEAST_BYTES_PER_S = 16384 }; /* that an answer is taken with */

bool serve_connections_open(struct serve_connections *connections, size_t most, unsigned silence_ms)
{
    *connections = (struct serve_connections){.most = most, .silence_us = (int64_t)silence_ms * 1000};
    return pthread_mutex_init(&connections->mutex, NULL) == 0;
}

void serve_connections_close(struct serve_connections *connections)
{
    (void)pthread_mutex_destroy(&connections->mutex);
}

static void take_out(struct serve_connection_list *list, struct serve_connection *connection)
{
    *(connection->older ? &connection->older->newer : &list->oldest) = connection->newer;
    *(connection->newer ? &connection->newer->older : &list->newest) = connection->older;
}

static void append(struct serve_connection_list *list, struct serve_connection *connection)
{
    connection->older = list->newest;
    connection->newer = NULL;
    *(list->newest ? &list->newest->newer : &list->oldest) = connection;
    list->newest = connection;
}

static struct serve_connection_list *list_of(struct serve_connections *connections,
                                             const struct serve_connection *connection)
{
    if (connection->is_ended) {
        return &connections->ending;
    }
    return connection->phase == SERVE_WAITS ? &connections->waiting : &connections->busy;
}

static void end(struct serve_connections *connections, struct serve_connection *connection)
{
    take_out(list_of(connections, connection), connection);
    connection->is_ended = true;
    append(&connections->ending, connection);
    connections->count--;
    connections->ending_count++;
    (void)shutdown(connection->descriptor, SHUT_RDWR);
}

static bool end_oldest(struct serve_connections *connections)
{
    struct serve_connection *oldest = connections->waiting.oldest;
    if (!oldest || connections->ending_count >= connections->most + SERVE_MOST_ENDING) {
        return false;
    }
    end(connections, oldest);
    return true;
}

bool serve_connections_admit(struct serve_connections *connections)
{
    (void)pthread_mutex_lock(&connections->mutex);
    bool is_admitted = connections->count < connections->most || end_oldest(connections);
    (void)pthread_mutex_unlock(&connections->mutex);
    return is_admitted;
}

struct serve_connection *serve_connection_add(struct serve_connections *connections, int descriptor)
{
    struct serve_connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        return NULL;
    }
    connection->descriptor = descriptor;
    connection->phase = SERVE_WAITS;
    connection->end_us = serve_now_us() + connections->silence_us;
    (void)pthread_mutex_lock(&connections->mutex);
    append(&connections->waiting, connection);
    connections->count++;
    (void)pthread_mutex_unlock(&connections->mutex);
    return connection;
}

void serve_connection_remove(struct serve_connections *connections, struct serve_connection *connection)
{
    if (connection) {
        (void)pthread_mutex_lock(&connections->mutex);
        take_out(list_of(connections, connection), connection);
        --*(connection->is_ended ? &connections->ending_count : &connections->count);
        (void)pthread_mutex_unlock(&connections->mutex);
        free(connection);
    }
}

void serve_connection_enter(struct serve_connections *connections, struct serve_connection *connection,
                            enum serve_phase phase, uint64_t bytes)
{
    int64_t end_us = serve_now_us() + connections->silence_us + (int64_t)(bytes / LEAST_BYTES_PER_S) * SERVE_US_PER_S;
    if (!connection) {
        return;
    }
    (void)pthread_mutex_lock(&connections->mutex);
    take_out(list_of(connections, connection), connection);
    connection->phase = phase;
    connection->end_us = phase == SERVE_ANSWERS ? INT64_MAX : end_us;
    append(list_of(connections, connection), connection);
    (void)pthread_mutex_unlock(&connections->mutex);
}

static void sweep(struct serve_connections *connections, const struct serve_connection_list *list, int64_t now_us)
{
    struct serve_connection *next;
    for (struct serve_connection *one = list->oldest; one; one = next) {
        next = one->newer; /* before it moves to another list */
        if (now_us > one->end_us) {
            end(connections, one);
        }
    }
}

void serve_connections_sweep(struct serve_connections *connections, bool all_waiting)
{
    int64_t now_us = serve_now_us();
    (void)pthread_mutex_lock(&connections->mutex);
    sweep(connections, &connections->waiting, all_waiting ? INT64_MAX : now_us);
    sweep(connections, &connections->busy, now_us);
    (void)pthread_mutex_unlock(&connections->mutex);
}

size_t serve_connections_count(struct serve_connections *connections)
{
    (void)pthread_mutex_lock(&connections->mutex);
    size_t count = connections->count + connections->ending_count;
    (void)pthread_mutex_unlock(&connections->mutex);
    return count;
}
