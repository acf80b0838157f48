/* Hosts are compared as names: letter by letter, in any case. */
#include "server/hosts.h"

bool serve_host_is_allowed(const struct tn_str *hosts, size_t count, struct tn_str host)
{
    for (size_t k = 0; k < count; k++) {
        struct tn_str end = tn_str_slice(hosts[k], 1, hosts[k].size); /* ".huggingface.co" of "*.huggingface.co" */
        bool is_below = tn_str_starts(hosts[k], TN_STR("*.")) && host.size > end.size
                        && tn_str_equal_any_case(tn_str_slice(host, host.size - end.size, host.size), end);
        if (is_below || tn_str_equal_any_case(hosts[k], host)) {
            return true;
        }
    }
    return false;
}
