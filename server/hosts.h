/* Which hosts requests may name. */
#ifndef TONNAGE_SERVER_HOSTS_H
#define TONNAGE_SERVER_HOSTS_H

#include "base/text.h"

/* Whether the host is one of those, in any case, or lies below one that begins with "*.". */
bool serve_host_is_allowed(const struct tn_str *hosts, size_t count, struct tn_str host);

#endif
