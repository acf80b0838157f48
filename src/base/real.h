/* Decimal text to double and back, exact in both directions and independent of the locale. */
#ifndef TN_BASE_REAL_H
#define TN_BASE_REAL_H

#include "base/text.h"

enum { TN_REAL_SIZE = 32 }; /* bytes; room for every double that tn_real_write writes */

/* The double nearest to a decimal number "[-+]digits[.digits][e[-+]digits]", ties to even. Digits may be missing on one
 * side of the point. Beyond the range of a double the result is an infinity or a zero. false where text is not such a
 * number. */
bool tn_real_read(struct tn_str text, double *number);

/* Writes the shortest decimal that reads back as the same double; returns its length. There is no terminator.
 * 0.1, 10000, 1e21, 1.5e-7; "NaN", "Infinity" and "-Infinity" for those. */
size_t tn_real_write(double number, char text[TN_REAL_SIZE]);

#endif
