/* The error type: filling it, and the one table of codes. */
#define TN_BASE_ERROR_C
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    enum tn_code code;
    int exit_code;
    const char *name;
} codes[] = {
    {TN_OK, 0, "ok"},
    {TN_ERROR_INTERNAL, 5, "internal"},
    {TN_ERROR_MEMORY, 5, "memory"},
    {TN_ERROR_USAGE, 2, "usage"},
    {TN_ERROR_UNKNOWN_MODEL, 2, "unknown_model"},
    {TN_ERROR_UNKNOWN_GPU, 2, "unknown_gpu"},
    {TN_ERROR_DEPLOYMENT, 2, "deployment"},
    {TN_ERROR_JSON, 3, "json"},
    {TN_ERROR_RECORD, 3, "record"},
    {TN_ERROR_EXPRESSION, 3, "expression"},
    {TN_ERROR_UNREADABLE, 3, "unreadable"},
    {TN_ERROR_NOT_A_MODEL, 3, "not_a_model"},
    {TN_ERROR_TRUNCATED, 3, "truncated"},
    {TN_ERROR_HEADER, 3, "header"},
    {TN_ERROR_VERSION, 3, "version"},
    {TN_ERROR_DTYPE, 3, "dtype"},
    {TN_ERROR_CONFIG, 3, "config"},
    {TN_ERROR_UNKNOWN_ARCHITECTURE, 3, "unknown_architecture"},
    {TN_ERROR_TOO_LARGE, 3, "too_large"},
    {TN_ERROR_DATABASE, 3, "database"},
    {TN_ERROR_NETWORK, 4, "network"},
    {TN_ERROR_COMMAND, 126, "command"},
    {TN_ERROR_COMMAND_NOT_FOUND, 127, "command_not_found"},
    {TN_ERROR_FORBIDDEN, 2, "forbidden"},
    {TN_ERROR_TOO_COSTLY, 2, "too_costly"},
};

bool tn_fail(struct tn_error *error, enum tn_code code, const char *format, ...)
{
    if (!error) {
        return false;
    }
    struct tn_error filled = {.code = code, .offset = -1}; /* apart: the arguments may be texts of the old error */
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(filled.message, sizeof filled.message, format, arguments);
    va_end(arguments);
    *error = filled;
    return false;
}

bool tn_fail_at(struct tn_error *error, int64_t offset, const char *where_format, ...)
{
    if (!error || error->where[0]) {
        return false;
    }
    if (offset >= 0) {
        error->offset = offset;
    }
    va_list arguments;
    va_start(arguments, where_format);
    (void)vsnprintf(error->where, sizeof error->where, where_format, arguments);
    va_end(arguments);
    return false;
}

bool tn_fail_hint(struct tn_error *error, const char *format, ...)
{
    if (!error || error->hint[0]) {
        return false;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->hint, sizeof error->hint, format, arguments);
    va_end(arguments);
    return false;
}

bool tn_fail_memory(struct tn_error *error)
{
    return tn_fail(error, TN_ERROR_MEMORY, "out of memory");
}

const char *tn_code_name(enum tn_code code)
{
    for (size_t k = 0; k < sizeof codes / sizeof codes[0]; k++) {
        if (codes[k].code == code) {
            return codes[k].name;
        }
    }
    return "unknown";
}

int tn_code_exit(enum tn_code code)
{
    for (size_t k = 0; k < sizeof codes / sizeof codes[0]; k++) {
        if (codes[k].code == code) {
            return codes[k].exit_code;
        }
    }
    return 5;
}
