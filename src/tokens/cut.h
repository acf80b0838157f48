/* Where a text can be cut in two without changing its tokens (tn_tokenizer_cut). */
#ifndef TN_TOKENS_CUT_H
#define TN_TOKENS_CUT_H

#include "tokens/pipeline.h"

/* Proves from the tokenizer's rules whether a text may be cut in front of a space between two letters of ASCII, and sets
 * `cuttable`. */
void tn_cut_prepare(struct tn_tokenizer *tokenizer);

#endif
