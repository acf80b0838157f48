/* Between libmicrohttpd and the exchanges. */
#ifndef TONNAGE_SERVER_FRONT_H
#define TONNAGE_SERVER_FRONT_H

#include "server/state.h"

/* Begins to answer on a socket, which is then the daemon's. NULL with the error filled. */
struct MHD_Daemon *serve_front_open(struct serve_server *server, int descriptor, unsigned threads,
                                    struct tn_error *error);

/* Computes the answer of an exchange, and wakes its connection. For struct serve_jobs. */
void serve_front_compute(struct serve_exchange *exchange);

#endif
