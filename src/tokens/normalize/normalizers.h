/* The normalizers of a tokenizer.json. */
#ifndef TN_TOKENS_NORMALIZERS_H
#define TN_TOKENS_NORMALIZERS_H

#include "text/value.h"
#include "tokens/load.h"

/* Appends the steps of the value of "normalizer", an object or null.
 * Errors: TN_ERROR_CONFIG with the path of what is not supported ("normalizer.normalizers[2].type"); TN_ERROR_MEMORY. */
bool tn_normalizer_read(struct tn_tokenizer *tokenizer, const struct tn_value *json, struct tn_error *error);

/* Whether the last step of a tokenizer writes U+2581 in the place of every space. */
bool tn_normalizer_hides_spaces(const struct tn_tokenizer *tokenizer);

#endif
