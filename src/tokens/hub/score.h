/* Scores in a tokenizer.json, as Hugging Face tokenizers reads them: its JSON library (serde_json without `float_roundtrip`) is
 * quick rather than exact, and one number in five comes out as a neighbour of the nearest double. Where two ways to cut a text
 * are equally good, that decides. */
#ifndef TN_TOKENS_SCORE_H
#define TN_TOKENS_SCORE_H

#include "base/text.h"

/* Reads a number of JSON. false where the text is none, or is beyond the range of a double. */
bool tn_score_read(struct tn_str text, double *score);

#endif
