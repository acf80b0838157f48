/* SentencePiece's byte-pair encoding. It has no list of merges: two neighbours are merged where both together are a piece, the
 * pair of the highest score first, the leftmost of equals. */
#ifndef TN_TOKENS_SENTENCEPIECE_BPE_H
#define TN_TOKENS_SENTENCEPIECE_BPE_H

#include "tokens/model/joins.h"
#include "tokens/model/trie.h"
#include "tokens/model/unknown.h"
#include "tokens/sentencepiece/sentencepiece_file.h"

struct tn_sentencepiece_bpe {
    const struct tn_sentencepiece_piece *pieces; /* by id */
    size_t count;
    size_t longest;        /* bytes of the longest piece */
    bool unused;           /* there are unused pieces: they are made, and then taken apart again */
    const uint32_t *order; /* by id: as the scores are ordered */
    const struct tn_trie *user;
    const struct tn_joins *joins;
    struct tn_unknown unknown;
};

/* The score as a number of the same order, which is the one of sentencepiece also for zeros of both signs. */
uint32_t tn_sentencepiece_order(float score);

/* The split step; its rules are a struct tn_sentencepiece_bpe. */
bool tn_sentencepiece_bpe_run(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str text);

#endif
