/* What an answer's status means, in words for people, and whether it is worth asking again. */
#ifndef TN_HOST_HTTP_STATUS_H
#define TN_HOST_HTTP_STATUS_H

#include "base/text.h"

/* Fills TN_ERROR_NETWORK for a status that is no success. Always returns false.
 * has_token  whether a token was sent */
bool tn_http_fail_status(struct tn_error *error, long status, bool has_token);

bool tn_http_is_busy(long status);   /* asking again later can help */
bool tn_http_is_absent(long status); /* there is no such file, or it is not shown */
bool tn_http_is_redirect(long status);

#endif
