/* Merging the symbols of one word. */
#ifndef TN_TOKENS_BPE_MERGE_H
#define TN_TOKENS_BPE_MERGE_H

#include "tokens/model/bpe_pairs.h"

/* The bytes of working memory that tn_bpe_merge needs for so many symbols. */
size_t tn_bpe_merge_bytes(size_t count);

/* Merges until no pair is left; returns the number of symbols that remain.
 * symbols  ids, [count]; overwritten. Time: count x log(count).
 * work     of tn_bpe_merge_bytes(count) bytes, aligned for any type */
size_t tn_bpe_merge(const struct tn_bpe_pairs *pairs, uint32_t *symbols, size_t count, void *work);

#endif
