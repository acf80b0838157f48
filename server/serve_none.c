/* A build without libmicrohttpd. */
#include "server/server.h"

bool serve_run(void *context, const struct tn_session *session, const struct tn_request *request,
               struct tn_error *error)
{
    (void)context;
    (void)session;
    (void)request;
    tn_fail(error, TN_ERROR_USAGE, "this build of tonnage has no server");
    return tn_fail_hint(error, "install libmicrohttpd with its headers, and build again");
}
