/* What Unicode 16.0 says otherwise than utf8proc. */
#ifndef TN_TOKENS_UNICODE_16_H
#define TN_TOKENS_UNICODE_16_H

#include <stddef.h>
#include <stdint.h>

struct tn_unicode_range {
    uint32_t first;
    uint32_t last;
    uint32_t category; /* a bit of unicode.h */
};

extern const struct tn_unicode_range tn_unicode_16[]; /* in order */
extern const size_t tn_unicode_16_count;

#endif
