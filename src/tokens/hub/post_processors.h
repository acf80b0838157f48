/* The post-processors of a tokenizer.json: the special tokens around one text. */
#ifndef TN_TOKENS_POST_PROCESSORS_H
#define TN_TOKENS_POST_PROCESSORS_H

#include "text/value.h"
#include "tokens/pipeline.h"

/* Sets the tokenizer's prefix and suffix from the value of "post_processor", an object or null.
 * Errors: TN_ERROR_CONFIG with the path of what is not supported; TN_ERROR_MEMORY. */
bool tn_post_processor_read(struct tn_tokenizer *tokenizer, const struct tn_value *json, struct tn_error *error);

#endif
