/* SentencePiece's normalizer: texts of its map are replaced, spaces become U+2581, and one is put in front. */
#ifndef TN_TOKENS_SENTENCEPIECE_NORMAL_H
#define TN_TOKENS_SENTENCEPIECE_NORMAL_H

#include "tokens/model/trie.h"
#include "tokens/normalize/charsmap.h"
#include "tokens/sentencepiece/sentencepiece_file.h"

/* Adds the step. The tokenizer's `invalid` must be TN_INVALID_KEPT: bytes that are not UTF-8 become U+FFFD here, one by one,
 * and the map is not asked about these.
 * user  the user defined pieces, which stay as they are
 * Errors: TN_ERROR_HEADER with the offset, TN_ERROR_CONFIG, TN_ERROR_MEMORY. */
bool tn_sentencepiece_normal_add(struct tn_tokenizer *tokenizer, const struct tn_sentencepiece_file *file,
                                 const struct tn_trie *user, struct tn_error *error);

/* The length of the longest user defined piece that begins the text; 0: none does. */
size_t tn_sentencepiece_user_defined(const struct tn_trie *user, struct tn_str text);

#endif
