/* Regular expressions, by Oniguruma: the engine of the tokenizers that tonnage is compared with. The library's own copies of
 * POSIX's regcomp and regexec hide those of libc, so there is no other way to match here. */
#ifndef TN_TEXT_REGEX_H
#define TN_TEXT_REGEX_H

#include "base/text.h"

struct tn_regex;

enum tn_regex_syntax {
    TN_REGEX_ONIGURUMA, /* its own: \h, possessive quantifiers, intersections of classes */
    TN_REGEX_PERL,      /* what is common to Perl and to ECMAScript's std::regex */
};

/* Compiles a pattern of UTF-8. NULL with the error filled: TN_ERROR_CONFIG with what is wrong; TN_ERROR_MEMORY. Free with
 * tn_regex_free. Several threads may search with one regex. */
struct tn_regex *tn_regex_new(struct tn_str pattern, enum tn_regex_syntax syntax, struct tn_error *error);
void tn_regex_free(struct tn_regex *regex); /* NULL is allowed */

enum tn_regex_result { TN_REGEX_NOTHING, TN_REGEX_FOUND, TN_REGEX_FAILED /* the error is filled */ };

/* The first match that begins at `from` or behind it; text is valid UTF-8, from is at most its size.
 * Errors: TN_ERROR_CONFIG where the search takes more steps than any honest pattern; TN_ERROR_MEMORY. */
enum tn_regex_result tn_regex_search(const struct tn_regex *regex, struct tn_str text, size_t from, size_t *begin,
                                     size_t *end, struct tn_error *error);

#endif
