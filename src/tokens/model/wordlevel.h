/* WordLevel: a word is a token, or it is unknown. */
#ifndef TN_TOKENS_WORDLEVEL_H
#define TN_TOKENS_WORDLEVEL_H

#include "text/value.h"
#include "tokens/load.h"

/* Appends the model to the steps of a tokenizer whose vocabulary is complete.
 * options  the "model" object of a tokenizer.json, with or without its "vocab"
 * Errors: TN_ERROR_CONFIG where an option is missing or of another kind, TN_ERROR_MEMORY. */
bool tn_wordlevel_read(struct tn_tokenizer *tokenizer, const struct tn_value *options, struct tn_error *error);

/* Writes the id of the unknown token. false with TN_ERROR_HEADER where it is TN_TOKEN_NONE. */
bool tn_put_unknown(struct tn_encoder *encoder, uint32_t id);

#endif
