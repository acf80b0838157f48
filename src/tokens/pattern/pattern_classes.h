/* General categories in regular expressions, by the tables of unicode.h: Oniguruma has those of the Unicode version that it
 * was built with, the references those of theirs. */
#ifndef TN_TOKENS_PATTERN_CLASSES_H
#define TN_TOKENS_PATTERN_CLASSES_H

#include "base/text.h"

/* Writes the expression with \p{L}, \p{^Lu}, \P{N}, \d ... as classes of ranges; what names no general category stays as it
 * is (scripts, \w). An allocation that fails shows in out->failed. */
void tn_pattern_classes(struct tn_str regex, struct tn_builder *out);

#endif
