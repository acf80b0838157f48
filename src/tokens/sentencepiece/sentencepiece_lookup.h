/* SentencePiece's models that look pieces up without choosing among them: characters and words. */
#ifndef TN_TOKENS_SENTENCEPIECE_LOOKUP_H
#define TN_TOKENS_SENTENCEPIECE_LOOKUP_H

#include "tokens/model/trie.h"
#include "tokens/model/unknown.h"
#include "tokens/sentencepiece/sentencepiece_file.h"

struct tn_sentencepiece_lookup {
    const struct tn_sentencepiece_piece *pieces; /* by id */
    const struct tn_trie *user;
    struct tn_unknown unknown;
};

/* Split steps; their rules are a struct tn_sentencepiece_lookup. A word begins in front of each U+2581. */
bool tn_sentencepiece_characters_run(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str text);
bool tn_sentencepiece_words_run(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str text);

#endif
