/* The kinds of vocabularies in a GGUF, for the table in gguf_vocabulary.c alone. Each fills the vocabulary and adds the
 * steps. */
#ifndef TN_TOKENS_GGUF_KINDS_H
#define TN_TOKENS_GGUF_KINDS_H

#include "tokens/gguf/gguf_file.h"
#include "tokens/load.h"

/* What a kind, or a way to split, says where the file says nothing. */
struct tn_gguf_around {
    bool bos; /* a text begins with the token for that */
    bool eos;
};

typedef bool tn_gguf_kind(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file,
                          struct tn_gguf_around *around, struct tn_error *error);

/* gguf_bpe.c */
tn_gguf_kind tn_gguf_bytes;      /* byte pairs on bytes, with merges */
tn_gguf_kind tn_gguf_characters; /* on characters, with merges, spaces as U+2581 */

/* gguf_pieces.c */
tn_gguf_kind tn_gguf_piece_pairs; /* SentencePiece's byte pairs, with scores */
tn_gguf_kind tn_gguf_unigram;

/* gguf_words.c */
tn_gguf_kind tn_gguf_words;

#endif
