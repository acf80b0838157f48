/* A tokenizer from what a SentencePiece .model says: the one who reads it need not be the reader of .model files. */
#ifndef TN_TOKENS_SENTENCEPIECE_H
#define TN_TOKENS_SENTENCEPIECE_H

#include "tokens/pipeline.h"
#include "tokens/sentencepiece/sentencepiece_file.h"

/* Fills the tokenizer: vocabulary, steps and the model. Control and unknown pieces have names in `added`, but are not looked
 * for in text.
 * file  its pieces, their texts and the map must live as long as the tokenizer; kinds of pieces may change
 * Errors: TN_ERROR_HEADER with the offset of the piece, TN_ERROR_CONFIG, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_sentencepiece_build(struct tn_tokenizer *tokenizer, const struct tn_sentencepiece_file *file,
                            struct tn_error *error);

#endif
