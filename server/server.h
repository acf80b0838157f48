/* The HTTP server: one process, some threads that read and write, some that compute. Requests are those of the library as JSON, answers the same
 * bytes as the command line's. Whoever asks is not trusted: nothing of this machine is opened but what the operator has allowed. */
#ifndef TONNAGE_SERVER_H
#define TONNAGE_SERVER_H

#include "api/operations.h"

/* The `serve` operation, for struct tn_service: listens until it is told to stop by SIGTERM or SIGINT, and answers what it has begun.
 * Errors: TN_ERROR_USAGE for an address or a folder that cannot be, TN_ERROR_NETWORK where it cannot listen, TN_ERROR_MEMORY. */
bool serve_run(void *context, const struct tn_session *session, const struct tn_request *request,
               struct tn_error *error);

#endif
