/* The socket that is listened on: one of our own, or one that systemd has opened for us. */
#ifndef TONNAGE_SERVER_LISTEN_H
#define TONNAGE_SERVER_LISTEN_H

#include "server/options.h"

struct serve_listener {
    int descriptor;    /* to be closed by its user */
    bool is_activated; /* systemd's */
    char name[128];    /* "http://127.0.0.1:8080", for people */
};

/* Errors: TN_ERROR_NETWORK with the reason. */
bool serve_listen(const struct serve_options *options, struct serve_listener *listener, struct tn_error *error);

/* Tells systemd, where it waits for that, that requests are answered now. */
void serve_notify_ready(void);

#endif
