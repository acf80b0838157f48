/* Unigram models: of all ways to cut a text into tokens, the one with the largest sum of scores.
 *
 * Two references add in two ways, and where two sums are nearly equal that decides:
 *
 *   Hugging Face tokenizers  adds in double precision, each word from 0 on
 *   sentencepiece            adds in single precision, from the start of the whole text on; it takes a sum beyond 100,000
 *                            off what follows (since 0.2.2)
 */
#ifndef TN_TOKENS_UNIGRAM_H
#define TN_TOKENS_UNIGRAM_H

#include "tokens/model/trie.h"
#include "tokens/model/unknown.h"
#include "tokens/pipeline.h"

enum { TN_UNIGRAM_PIECE_LIMIT = 8000 }; /* bytes, as in sentencepiece: the time is text x longest piece */

struct tn_unigram_entry {
    struct tn_str piece; /* need not outlive the call */
    double score;
};

/* The model of a tokenizer.json: adds the split step, which is to be the last one. The id of an entry is its index; the
 * vocabulary is left alone. Sums start anew with each word that the step gets, so that a text may be cut wherever a split step
 * before it always begins a part.
 * unknown  its id, TN_TOKEN_NONE where the file has none: then tn_encode fails on a character without a token
 * Errors: TN_ERROR_HEADER (an unknown id beyond the entries, a score that is not finite), TN_ERROR_TOO_LARGE,
 * TN_ERROR_CONFIG (too many steps), TN_ERROR_MEMORY. Of equal pieces the last one counts, as in the reference. */
bool tn_unigram_read(struct tn_tokenizer *tokenizer, const struct tn_unigram_entry *entries, size_t count,
                     uint32_t unknown, bool byte_fallback, struct tn_error *error);

enum tn_unigram_sums { TN_UNIGRAM_DOUBLE_BY_WORD, TN_UNIGRAM_SINGLE_BY_TEXT };

struct tn_unigram {
    enum tn_unigram_sums sums;
    struct tn_trie trie; /* of the tokens that are looked for */
    double *scores;      /* by id */
    size_t longest;      /* bytes of the longest of them */
    struct tn_unknown unknown;
    double unknown_score; /* of a character without a token of its own */
};

/* The split step; its rules are a struct tn_unigram. With TN_UNIGRAM_SINGLE_BY_TEXT the sum goes on from encoder->score. */
bool tn_unigram_run(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word);

#endif
