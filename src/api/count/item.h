/* What is written of single tokens. */
#ifndef TN_API_COUNT_ITEM_H
#define TN_API_COUNT_ITEM_H

#include "text/json.h"
#include "tokens/tokenizer.h"

/* "ids": [1, 2] */
void tn_write_ids(struct tn_json_writer *json, struct tn_token_ids ids);

/* "pieces": ["He", "llo", "\\xF0\\x9F"] */
void tn_write_pieces(struct tn_json_writer *json, const struct tn_tokenizer *tokenizer, struct tn_token_ids ids);

/* A token as it may be shown: bytes that are no character of their own, and control characters but line feeds, as \xHH. */
void tn_write_piece(struct tn_builder *out, struct tn_str piece);

#endif
