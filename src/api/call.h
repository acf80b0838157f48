/* tn_call with files that are known only in part. */
#ifndef TN_API_CALL_H
#define TN_API_CALL_H

#include "files/given.h"

/* As tn_call, with files that the request may name besides its own.
 * given  NULL: none. Where tn_given_is_lacking(given) afterwards, neither reply nor error is final: give more of the files, and ask again */
struct tn_reply *tn_call_given(const struct tn_context *context, struct tn_given_files *given, const char *request,
                               size_t request_bytes, struct tn_error *error);

#endif
