/* Numbers as people write them: 4k, 13B, 24GiB, 10%. No floating point: what is written is what is counted. */
#ifndef TN_TEXT_QUANTITY_H
#define TN_TEXT_QUANTITY_H

#include "base/text.h"

/* Each returns false where the text is not of its form, or the result is no whole number of 64 bits. Letters in any case.
 * Sizes in KB and up may have decimals that end within a byte (7.39GiB, as a log prints it): rounded down. */
bool tn_quantity_tokens(struct tn_str text, uint64_t *tokens);    /* 4096, 4k (4096), 1m (1048576) */
bool tn_quantity_number(struct tn_str text, uint64_t *number);    /* 8, 1.5B, 13B, 405b, 360M */
bool tn_quantity_bytes(struct tn_str text, uint64_t *bytes);      /* 512, 512B, 1.5GB (10^9), 80GiB (2^30) */
bool tn_quantity_time(struct tn_str text, uint64_t *ms);          /* 100ms, 0.5s, 2 (s), 1m */
bool tn_quantity_share(struct tn_str text, uint64_t *millionths); /* 10%, 0.1 */
/* 2.50, $2.50, 20/h, 20/hr: in millionths of a US dollar */
bool tn_quantity_usd_per_hour(struct tn_str text, uint64_t *usd_millionths);

#endif
