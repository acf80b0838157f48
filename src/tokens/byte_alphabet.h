/* The letters that byte-level vocabularies write for bytes: printable Latin-1 for itself, U+0100 and on for the rest, in
 * their order (GPT-2's bytes_to_unicode). */
#ifndef TN_TOKENS_BYTE_ALPHABET_H
#define TN_TOKENS_BYTE_ALPHABET_H

#include "base/text.h"

/* Writes the bytes that the letters of `name` stand for; at most name.size of them.
 * Returns their number, or SIZE_MAX where a character is not of the alphabet. */
size_t tn_byte_alphabet_decode(struct tn_str name, char *bytes);

/* Appends the letter of a byte. */
void tn_byte_alphabet_encode(struct tn_builder *builder, unsigned char byte);

#endif
