/* UTF-8: checking, decoding, and the width of text on a terminal. */
#ifndef TN_TEXT_UTF8_H
#define TN_TEXT_UTF8_H

#include "base/text.h"

/* The number of leading bytes that are valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
size_t tn_utf8_valid(struct tn_str text);

/* Decodes one character; returns its length in bytes, 0 at the end or at an invalid byte. */
size_t tn_utf8_decode(struct tn_str text, uint32_t *code_point);

/* Encodes a character that is not a surrogate and at most U+10FFFF; returns its length in bytes, 1 to 4. */
size_t tn_utf8_encode(uint32_t code_point, char bytes[4]);

/* Columns on a terminal: 2 for East Asian wide characters, 0 for combining marks, 1 otherwise. Invalid bytes count
 * 1. */
size_t tn_utf8_columns(struct tn_str text);

#endif
