/* The tokens of words seen lately: text repeats its words, and merging them again is what takes time. */
#ifndef TN_TOKENS_WORD_CACHE_H
#define TN_TOKENS_WORD_CACHE_H

#include "base/text.h"

struct tn_word_cache;

/* NULL when memory is out. It grows with the words that it keeps, up to 10 MiB. */
struct tn_word_cache *tn_word_cache_new(void);
void tn_word_cache_free(struct tn_word_cache *cache); /* NULL is allowed */

/* The ids of a word, or NULL; *count is their number. Valid until the next call of tn_word_cache_keep. */
const uint32_t *tn_word_cache_find(struct tn_word_cache *cache, struct tn_str word, size_t *count);

/* Remembers a word in place of another. Long words and words of many tokens are not kept. */
void tn_word_cache_keep(struct tn_word_cache *cache, struct tn_str word, const uint32_t *ids, size_t count);

#endif
