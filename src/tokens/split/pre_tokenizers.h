/* The pre-tokenizers of a tokenizer.json. */
#ifndef TN_TOKENS_PRE_TOKENIZERS_H
#define TN_TOKENS_PRE_TOKENIZERS_H

#include "text/value.h"
#include "tokens/load.h"
#include "tokens/pattern/pattern.h"

/* Appends the steps of the value of "pre_tokenizer", an object or null.
 * byte_level  set to whether the words are bytes then, and the vocabulary is written in the letters of byte_letters.h
 * Errors: TN_ERROR_CONFIG with the path of what is not supported ("pre_tokenizer.pretokenizers[1].type"); TN_ERROR_MEMORY. */
bool tn_pre_tokenizer_read(struct tn_tokenizer *tokenizer, const struct tn_value *json, bool *byte_level,
                           struct tn_error *error);

/* Appends a step that hands on the matches of a pattern and drops what stands between them, as tiktoken does.
 * Errors: TN_ERROR_CONFIG, TN_ERROR_MEMORY. */
bool tn_split_matches_only(struct tn_tokenizer *tokenizer, const struct tn_pattern *pattern, struct tn_error *error);

#endif
