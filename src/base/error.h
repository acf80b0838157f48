/* Filling the one error type of the library. Knows nothing of any subject. */
#ifndef TN_BASE_ERROR_H
#define TN_BASE_ERROR_H

#include "tonnage/tonnage.h"

#if defined(__GNUC__)
#define TN_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#else
#define TN_PRINTF(format_index, first)
#endif

/* Sets the code and the message and clears the rest. Always returns false, so that callers write `return tn_fail(...)`.
 * error  may be NULL: then nothing is written. */
bool tn_fail(struct tn_error *error, enum tn_code code, const char *format, ...) TN_PRINTF(3, 4);

/* Adds the place to an error already set, unless it has one (the innermost place wins). Always returns false.
 * offset  bytes from the start of what `where` names; -1 keeps what the error has, as from a parser that knows no file name. */
bool tn_fail_at(struct tn_error *error, int64_t offset, const char *where_format, ...) TN_PRINTF(3, 4);

/* Adds what to do next, unless the error has a hint already. Always returns false. */
bool tn_fail_hint(struct tn_error *error, const char *format, ...) TN_PRINTF(2, 3);

/* Out of memory, said without allocating. Always returns false. */
bool tn_fail_memory(struct tn_error *error);

/* The analyser looks at one file at a time: this tells it that the results are always false. */
#if defined(__clang_analyzer__) && !defined(TN_BASE_ERROR_C)
#define tn_fail(...) ((tn_fail)(__VA_ARGS__), false)
#define tn_fail_at(...) ((tn_fail_at)(__VA_ARGS__), false)
#define tn_fail_hint(...) ((tn_fail_hint)(__VA_ARGS__), false)
#define tn_fail_memory(error) ((tn_fail_memory)(error), false)
#endif

#endif
