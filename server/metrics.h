/* What the server counts, and how Prometheus reads it. */
#ifndef TONNAGE_SERVER_METRICS_H
#define TONNAGE_SERVER_METRICS_H

#include "server/routes.h"
#include "server/status.h"

#include <stdatomic.h>

enum { SERVE_BUCKETS = 14 };

struct serve_route_counters {
    atomic_uint_fast64_t statuses[SERVE_STATUSES]; /* requests by status, in the order of serve_statuses */
    atomic_uint_fast64_t buckets[SERVE_BUCKETS];   /* by duration, each for itself */
    atomic_uint_fast64_t sum_us;
};

struct serve_counters {
    struct serve_route_counters routes[SERVE_ROUTES];
    atomic_int_fast64_t in_flight;
    int64_t start_unix_s;
};

struct serve_exchange;

void serve_count(struct serve_counters *counters, const struct serve_route *route, unsigned status, int64_t us);

/* GET /metrics */
void serve_metrics(struct serve_exchange *exchange);

#endif
