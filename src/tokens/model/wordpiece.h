/* WordPiece: of what is left of a word, the longest token that begins it is taken, until nothing is left. */
#ifndef TN_TOKENS_WORDPIECE_H
#define TN_TOKENS_WORDPIECE_H

#include "text/value.h"
#include "tokens/load.h"
#include "tokens/model/wordlevel.h"

/* Appends the model to the steps of a tokenizer whose vocabulary is complete.
 * options  the "model" object of a tokenizer.json, with or without its "vocab"
 * Errors: TN_ERROR_CONFIG where an option is missing or of another kind, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_wordpiece_read(struct tn_tokenizer *tokenizer, const struct tn_value *options, struct tn_error *error);

#endif
