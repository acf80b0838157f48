/* The log: one JSON object a line on standard error, for each request when it is over. */
#ifndef TONNAGE_SERVER_ACCESS_LOG_H
#define TONNAGE_SERVER_ACCESS_LOG_H

#include "server/exchange.h"

/* is_complete  the answer was written to its end */
void serve_log(const struct serve_exchange *exchange, uint64_t bytes, int64_t us, bool is_complete);

/* What happens to the server itself. */
void serve_log_event(const char *event, const char *detail);

#endif
