/* Which bytes stand side by side inside of tokens: between others a text can be divided. */
#ifndef TN_TOKENS_JOINS_H
#define TN_TOKENS_JOINS_H

#include <string.h>

#include "base/text.h"

struct tn_joins {
    bool in_bytes; /* tokens may end inside of a character: then a byte is a byte, also where U+2581 begins */
    uint8_t right_of[256][32]; /* bit (a, b): the byte b stands behind the byte a */
};

#define TN_METASPACE "\xE2\x96\x81" /* U+2581, which stands for a space in many vocabularies */

/* The byte behind a place, but one that is never a byte of UTF-8 where U+2581 begins there: the first byte of that
 * character is also the first of curly quotes, which do follow letters inside of tokens. */
static inline unsigned char tn_joins_right(const struct tn_joins *joins, struct tn_str text, size_t at)
{
    bool space = !joins->in_bytes && text.size - at >= 3 && memcmp(text.data + at, TN_METASPACE, 3) == 0;
    return space ? 0xFF : (unsigned char)text.data[at];
}

static inline void tn_joins_add(struct tn_joins *joins, struct tn_str piece)
{
    for (size_t at = 1; at < piece.size; at++) {
        unsigned char right = tn_joins_right(joins, piece, at);
        joins->right_of[(unsigned char)piece.data[at - 1]][right / 8] |= (uint8_t)(1U << right % 8);
    }
}

/* Whether some token may span this place, which has a byte on each side. */
static inline bool tn_joins_at(const struct tn_joins *joins, struct tn_str text, size_t at)
{
    unsigned char right = tn_joins_right(joins, text, at);
    return joins->right_of[(unsigned char)text.data[at - 1]][right / 8] >> right % 8 & 1;
}

/* Whether some token has a letter of ASCII in front of a space, as itself or as U+2581. */
bool tn_joins_letter_and_space(const struct tn_joins *joins);

#endif
