/* A session in which the names of given files mean these files. */
#ifndef TN_API_GIVEN_H
#define TN_API_GIVEN_H

#include "api/operations.h"

/* The session for a request: one that looks among the files of the request first, then among those of the outer session, and asks the
 * outer one for any other name. The outer one itself where there are no files.
 * arena  of the result: all that is read from the files points into it, or into them
 * NULL with the error filled: TN_ERROR_USAGE where the "files" of the request are no texts, TN_ERROR_MEMORY. */
const struct tn_session *tn_given_session(const struct tn_session *outer, const struct tn_request *request,
                                          struct tn_arena *arena, struct tn_error *error);

#endif
