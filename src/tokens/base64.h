/* Base64 (RFC 4648), as rank files and tokenizer.json write bytes. */
#ifndef TN_TOKENS_BASE64_H
#define TN_TOKENS_BASE64_H

#include "base/text.h"

/* Writes the decoded bytes, at most text.size / 4 * 3 of them. Returns their number, SIZE_MAX where the text is not
 * base64 with its padding. */
size_t tn_base64_decode(struct tn_str text, char *bytes);

#endif
