/* serve and mcp: answering the requests of others, by a front of the program. */
#include "api/operations.h"

/* The front has written all there was to say: there is no answer of its own. */
static bool run(const struct tn_service *service, const struct tn_session *session, const struct tn_request *request,
                struct tn_result *result, struct tn_error *error)
{
    if (!service) {
        tn_fail(error, TN_ERROR_USAGE, "'" TN_STR_FORMAT "' is of the program, and no question to be answered",
                TN_STR_ARGUMENTS(request->operation));
        return tn_fail_hint(error, "run `tonnage " TN_STR_FORMAT "`", TN_STR_ARGUMENTS(request->operation));
    }
    result->is_lines = true;
    return service->run(service->context, session, request, error);
}

bool tn_run_serve(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                  struct tn_error *error)
{
    return run(session->server, session, request, result, error);
}

bool tn_run_mcp(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                struct tn_error *error)
{
    return run(session->assistant, session, request, result, error);
}
