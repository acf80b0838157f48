/* Operations that serve others: what they do is the host's. */
#include "api/operations.h"

static bool run_service(const struct tn_service *service, const struct tn_session *session,
                        const struct tn_request *request, struct tn_error *error)
{
    if (!service) {
        return tn_fail(error, TN_ERROR_USAGE, "operation '" TN_STR_FORMAT "' is of the program alone",
                       TN_STR_ARGUMENTS(request->operation));
    }
    return service->run(service->context, session, request, error);
}

bool tn_run_serve(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                  struct tn_error *error)
{
    result->is_lines = true; /* nothing is said at the end */
    return run_service(session->server, session, request, error);
}

bool tn_run_mcp(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                struct tn_error *error)
{
    (void)result;
    return run_service(session->assistant, session, request, error);
}
