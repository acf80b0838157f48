/* What all threads of the server share. */
#ifndef TONNAGE_SERVER_STATE_H
#define TONNAGE_SERVER_STATE_H

#include "server/folder.h"
#include "server/jobs.h"
#include "server/metrics.h"
#include "server/options.h"
#include "server/server.h"
#include "server/shelf.h"

struct serve_server {
    struct serve_options options;
    struct serve_folders folders;
    const struct tn_catalog *catalog; /* immutable */
    struct serve_connections connections;
    struct serve_jobs jobs;
    struct serve_shelf shelf;
    struct serve_counters counters;
    struct tn_builder openapi; /* the document, written once */
    uint64_t id_seed;
    atomic_uint_fast64_t id_count;
    atomic_bool is_hurried;  /* answers that are not ready are given up */
    atomic_bool is_stopping; /* answers that are written now are the last of their connections */
};

#endif
