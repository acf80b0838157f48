/* The table of codes and statuses. What cannot be understood is 400, what is understood and cannot be answered is 422. */
#include "server/status.h"

const unsigned serve_statuses[] = {200, 304, 400, 403, 404, 405, 413, 415, 422, 500, 502, 503, 0};

static const struct {
    enum tn_code code;
    unsigned status;
} rows[] = {
    {TN_ERROR_INTERNAL, 500}, {TN_ERROR_MEMORY, 500},  {TN_ERROR_USAGE, 400},
    {TN_ERROR_JSON, 400},     {TN_ERROR_NETWORK, 502}, {TN_ERROR_FORBIDDEN, 403},
    {TN_ERROR_DATABASE, 500}, {TN_ERROR_COMMAND, 500}, {TN_ERROR_COMMAND_NOT_FOUND, 500},
};

unsigned serve_status_of(enum tn_code code)
{
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if (rows[k].code == code) {
            return rows[k].status;
        }
    }
    return 422;
}

size_t serve_status_row(unsigned status)
{
    size_t k = 0;
    while (serve_statuses[k] && serve_statuses[k] != status) {
        k++;
    }
    return k;
}
