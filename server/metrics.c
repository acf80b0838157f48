/* Counters that threads add to without a lock, and the text format of Prometheus (version 0.0.4). */
#include "server/metrics.h"

#include "server/exchange.h"
#include "server/state.h"

#include <inttypes.h>

/* Upper ends of the buckets; the last one has none. */
static const struct {
    int64_t us;
    const char *seconds;
} bounds[SERVE_BUCKETS] = {
    {100, "0.0001"}, {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},     {2500, "0.0025"},
    {5000, "0.005"}, {10000, "0.01"},  {25000, "0.025"}, {100000, "0.1"},     {250000, "0.25"},
    {1000000, "1"},  {2500000, "2.5"}, {10000000, "10"}, {INT64_MAX, "+Inf"},
};

void serve_count(struct serve_counters *counters, const struct serve_route *route, unsigned status, int64_t us)
{
    struct serve_route_counters *row = &counters->routes[route - serve_routes];
    size_t bucket = 0;
    while (us > bounds[bucket].us) {
        bucket++;
    }
    atomic_fetch_add_explicit(&row->statuses[serve_status_row(status)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&row->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&row->sum_us, (uint64_t)us, memory_order_relaxed);
}

static const char *name_of(const struct serve_route *route)
{
    return route->path ? route->path : "other";
}

static void head(struct tn_builder *out, const char *name, const char *type, const char *help)
{
    tn_builder_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static uint64_t read_counter(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void write_requests(struct tn_builder *out, const struct serve_counters *counters)
{
    head(out, "tonnage_http_requests_total", "counter", "Requests answered, by route and status.");
    for (size_t route = 0; route < SERVE_ROUTES; route++) {
        for (size_t k = 0; serve_statuses[k]; k++) {
            uint64_t count = read_counter(&counters->routes[route].statuses[k]);
            if (count) {
                tn_builder_addf(out, "tonnage_http_requests_total{route=\"%s\",status=\"%u\"} %" PRIu64 "\n",
                                name_of(&serve_routes[route]), serve_statuses[k], count);
            }
        }
    }
}

static void write_durations(struct tn_builder *out, const struct serve_counters *counters)
{
    static const char name[] = "tonnage_http_request_duration_seconds";
    head(out, name, "histogram", "From the first line of a request until its answer is written.");
    for (size_t route = 0; route < SERVE_ROUTES; route++) {
        const struct serve_route_counters *row = &counters->routes[route];
        const char *path = name_of(&serve_routes[route]);
        uint64_t count = 0;
        for (size_t k = 0; k < SERVE_BUCKETS; k++) {
            count += read_counter(&row->buckets[k]);
            tn_builder_addf(out, "%s_bucket{route=\"%s\",le=\"%s\"} %" PRIu64 "\n", name, path, bounds[k].seconds,
                            count);
        }
        uint64_t us = read_counter(&row->sum_us);
        tn_builder_addf(out, "%s_sum{route=\"%s\"} %" PRIu64 ".%06" PRIu64 "\n", name, path, us / 1000000,
                        us % 1000000);
        tn_builder_addf(out, "%s_count{route=\"%s\"} %" PRIu64 "\n", name, path, count);
    }
}

static void write_now(struct tn_builder *out, struct serve_server *server)
{
    head(out, "tonnage_http_requests_in_flight", "gauge", "Requests that are read, computed or answered now.");
    tn_builder_addf(out, "tonnage_http_requests_in_flight %" PRIdFAST64 "\n",
                    atomic_load_explicit(&server->counters.in_flight, memory_order_relaxed));
    head(out, "tonnage_http_connections", "gauge", "Connections that are open now.");
    tn_builder_addf(out, "tonnage_http_connections %zu\n", serve_connections_count(&server->connections));
    head(out, "process_start_time_seconds", "gauge", "When the server was started.");
    tn_builder_addf(out, "process_start_time_seconds %" PRId64 "\n", server->counters.start_unix_s);
    head(out, "tonnage_build_info", "gauge", "Always 1; the version is a label.");
    tn_builder_addf(out, "tonnage_build_info{version=\"%s\"} 1\n", tn_version());
}

void serve_metrics(struct serve_exchange *exchange)
{
    struct serve_server *server = exchange->server;
    write_requests(&exchange->answer, &server->counters);
    write_durations(&exchange->answer, &server->counters);
    write_now(&exchange->answer, server);
    exchange->type = "text/plain; version=0.0.4; charset=utf-8";
    exchange->status = 200;
}
