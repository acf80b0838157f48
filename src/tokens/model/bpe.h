/* Byte-pair encoding: of a word's symbols, the pair of the lowest rank is merged, the leftmost of equals first, until no
 * pair has a rank. */
#ifndef TN_TOKENS_BPE_H
#define TN_TOKENS_BPE_H

#include "tokens/pipeline.h"

enum tn_symbols {
    TN_SYMBOLS_BYTES,      /* each byte is a symbol at first */
    TN_SYMBOLS_CHARACTERS, /* each character */
};

/* What a loader sets. All strings must live as long as the tokenizer. */
struct tn_bpe_rules {
    enum tn_symbols symbols;
    bool byte_fallback;        /* a character without a token becomes those of its bytes, "<0xE4>" ... */
    bool fuse_unknown;         /* neighbouring unknown characters are one unknown token */
    bool whole_words;          /* a word that is a token is that token, whatever the merges say (ignore_merges) */
    uint32_t unknown;          /* TN_TOKEN_NONE: such characters are left out, as the reference does */
    struct tn_str word_prefix; /* put in front of all symbols but the first of a word ("##"); empty: none */
    struct tn_str word_suffix; /* put behind the last symbol of a word ("</w>"); empty: none */
};

struct tn_bpe;

/* A model without merges; the vocabulary of the tokenizer must be complete.
 * merges_count  how many will be added; more are possible, but slow
 * NULL when memory is out (the error is filled). */
struct tn_bpe *tn_bpe_new(struct tn_tokenizer *tokenizer, const struct tn_bpe_rules *rules, size_t merges_count,
                          struct tn_error *error);

/* Adds a merge; the last of several with the same pair counts, as in the reference.
 * left, right, merged  ids of the vocabulary. Errors: TN_ERROR_MEMORY. */
bool tn_bpe_add(struct tn_tokenizer *tokenizer, struct tn_bpe *bpe, uint32_t left, uint32_t right, uint32_t merged,
                uint32_t rank, struct tn_error *error);

/* Says that this merge will be added soon: fetching it from memory then overlaps with other work. */
void tn_bpe_expect(const struct tn_bpe *bpe, uint32_t left, uint32_t right);

/* Adds every pair of tokens whose joined pieces are a token, with the rank of that token: what rank files and
 * SentencePiece mean.
 * ranks  [size of the vocabulary], UINT32_MAX for a token that no pair makes; equal ranks are equal in order
 * Errors: TN_ERROR_MEMORY. */
bool tn_bpe_add_all_pairs(struct tn_tokenizer *tokenizer, struct tn_bpe *bpe, const uint32_t *ranks,
                          struct tn_error *error);

/* Adds the model as the last split step, once all merges are there. Errors: TN_ERROR_CONFIG, TN_ERROR_MEMORY. */
bool tn_bpe_append(struct tn_tokenizer *tokenizer, const struct tn_bpe *bpe, struct tn_error *error);

/* The split step that is this model: its rules are the struct tn_bpe. */
bool tn_bpe_run(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word);

#endif
