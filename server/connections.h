/* The connections that are open, and an end to those that keep a place without using it. libmicrohttpd ends a connection that is silent; here
 * also one ends that brings a byte now and then, or takes one. Where all places are taken, those that wait longest for a request go first. */
#ifndef TONNAGE_SERVER_CONNECTIONS_H
#define TONNAGE_SERVER_CONNECTIONS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* That may be shut down and not closed yet, beyond as many as there are places: a thread may be slow to see it. */
enum { SERVE_MOST_ENDING = 1024 };

enum serve_phase {
    SERVE_WAITS,   /* for a request */
    SERVE_READS,   /* the rest of one */
    SERVE_ANSWERS, /* it is being computed: this ends by itself */
    SERVE_WRITES,
};

struct serve_connection {
    struct serve_connection *older; /* of those in the same list */
    struct serve_connection *newer;
    int descriptor;
    enum serve_phase phase;
    int64_t end_us; /* when its phase must be over */
    bool is_ended;
};

/* In the order in which they came into their phase. */
struct serve_connection_list {
    struct serve_connection *oldest;
    struct serve_connection *newest;
};

struct serve_connections {
    pthread_mutex_t mutex;
    struct serve_connection_list waiting;
    struct serve_connection_list busy;   /* reading, answering, writing */
    struct serve_connection_list ending; /* shut down, but not closed yet */
    size_t count;                        /* without those that end */
    size_t ending_count;
    size_t most;
    int64_t silence_us;
};

bool serve_connections_open(struct serve_connections *connections, size_t most, unsigned silence_ms);
void serve_connections_close(struct serve_connections *connections);

/* Whether there is room for one more; where there is none, the one that waits longest loses its place. */
bool serve_connections_admit(struct serve_connections *connections);

/* NULL when memory is out. */
struct serve_connection *serve_connection_add(struct serve_connections *connections, int descriptor);
void serve_connection_remove(struct serve_connections *connections, struct serve_connection *connection);

/* bytes  of the answer that is being written: it has longer where it is large */
void serve_connection_enter(struct serve_connections *connections, struct serve_connection *connection,
                            enum serve_phase phase, uint64_t bytes);

/* Ends those whose time is over; all that wait, where `all_waiting`. */
void serve_connections_sweep(struct serve_connections *connections, bool all_waiting);

/* With those that end. */
size_t serve_connections_count(struct serve_connections *connections);

#endif
