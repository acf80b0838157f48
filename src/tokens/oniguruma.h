/* Regular expressions that no scanner knows, by Oniguruma: the engine of the reference tokenizers. */
#ifndef TN_TOKENS_ONIGURUMA_H
#define TN_TOKENS_ONIGURUMA_H

#include "tokens/pattern.h"

/* As tn_pattern_regex. */
const struct tn_pattern *tn_oniguruma_pattern(struct tn_tokenizer *tokenizer, struct tn_str regex,
                                              struct tn_error *error);

#endif
