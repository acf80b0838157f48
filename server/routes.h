/* Which path is answered by what. */
#ifndef TONNAGE_SERVER_ROUTES_H
#define TONNAGE_SERVER_ROUTES_H

#include "base/text.h"

enum serve_method { SERVE_GET = 1, SERVE_POST = 2, SERVE_OTHER = 4 };

struct serve_exchange;

struct serve_route {
    const char *path;
    const char *operation; /* that answers it; NULL: `answer` does, at once */
    unsigned methods;      /* of enum serve_method, together; HEAD is a GET without a body */
    bool is_slow;          /* may take seconds: never more at once than leave a thread for the others */
    bool is_text;          /* plain text, not JSON */
    const char *summary;   /* for people who read /openapi.json; NULL: that of the operation */
    void (*answer)(struct serve_exchange *exchange);
};

extern const struct serve_route serve_routes[];
enum { SERVE_ROUTES = 13 }; /* the last one, with no path, is of all files of the page, and of what is not there */

/* The route of a path; the last one where no other has it. */
const struct serve_route *serve_route_find(const char *path);

/* "GET" and the like; SERVE_OTHER for those that no route has. */
enum serve_method serve_method_of(const char *name);

/* "GET, HEAD, POST", as the field Allow has it. */
const char *serve_methods_text(unsigned methods);

#endif
