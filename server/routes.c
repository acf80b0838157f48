/* The table of routes. */
#include "server/routes.h"

#include "server/documents.h"
#include "server/metrics.h"

#include <string.h>

#define ASKED (SERVE_GET | SERVE_POST)

const struct serve_route serve_routes[SERVE_ROUTES] = {
    {"/v1/plan", "plan", ASKED, false, false, NULL, NULL},
    {"/v1/table", "table", ASKED, true, false, NULL, NULL},
    {"/v1/fit", "fit", ASKED, true, false, NULL, NULL},
    {"/v1/inspect", "inspect", ASKED, true, false, NULL, NULL},
    {"/v1/tokens", "tokens", SERVE_POST, true, false, NULL, NULL},
    {"/v1/diagnose", "diagnose", SERVE_POST, true, false, NULL, NULL},
    {"/v1/models", "models", SERVE_GET, true, false, NULL, NULL},
    {"/v1/gpus", "gpus", SERVE_GET, false, false, NULL, NULL},
    {"/v1/engines", "engines", SERVE_GET, false, false, NULL, NULL},
    {"/healthz", NULL, SERVE_GET, false, false, "whether requests are answered", serve_health},
    {"/metrics", NULL, SERVE_GET, false, true, "what the server has done, for Prometheus", serve_metrics},
    {"/openapi.json", NULL, SERVE_GET, false, false, "this document", serve_openapi},
    {NULL, NULL, SERVE_GET | SERVE_POST | SERVE_OTHER, false, true, NULL, serve_file},
};

const struct serve_route *serve_route_find(const char *path)
{
    const struct serve_route *route = serve_routes;
    while (route->path && strcmp(route->path, path) != 0) {
        route++;
    }
    return route;
}

enum serve_method serve_method_of(const char *name)
{
    if (strcmp(name, "GET") == 0 || strcmp(name, "HEAD") == 0) {
        return SERVE_GET;
    }
    return strcmp(name, "POST") == 0 ? SERVE_POST : SERVE_OTHER;
}

const char *serve_methods_text(unsigned methods)
{
    static const char *const texts[] = {"", "GET, HEAD", "POST", "GET, HEAD, POST"};
    return texts[methods & (SERVE_GET | SERVE_POST)];
}
