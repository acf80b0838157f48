/* What the operator allows and limits, from the inputs of `serve`. */
#ifndef TONNAGE_SERVER_OPTIONS_H
#define TONNAGE_SERVER_OPTIONS_H

#include "api/inputs.h"

struct serve_options {
    struct tn_str address; /* a host's name or address, without brackets; empty: every address */
    struct tn_str port;
    bool has_listen;              /* it was asked for; else systemd's sockets go first */
    const struct tn_str *folders; /* [folder_count] that requests may name files of */
    size_t folder_count;
    const struct tn_str *hosts; /* [host_count] that requests may name models on */
    size_t host_count;
    uint64_t body_bytes;
    unsigned connections;
    unsigned silence_ms; /* for a request to come, and for an answer to be taken, beyond what its size explains */
    unsigned answer_ms;  /* for an answer to be computed */
    unsigned threads;    /* that compute */
};

/* Errors: TN_ERROR_USAGE for an address without a port, and for a host that is none. */
bool serve_options_read(const struct tn_request *request, unsigned cores, struct serve_options *options,
                        struct tn_error *error);

#endif
