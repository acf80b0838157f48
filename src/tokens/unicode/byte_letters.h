/* GPT-2's alphabet: a visible character for each byte, in which vocabularies on bytes are written down. */
#ifndef TN_TOKENS_BYTE_LETTERS_H
#define TN_TOKENS_BYTE_LETTERS_H

#include "base/text.h"

/* The letter of a byte: below U+0800, so that it takes one or two bytes in UTF-8. */
uint32_t tn_byte_letter(unsigned char byte);

/* The byte of a letter; false where the character is not one of the 256. */
bool tn_byte_of_letter(uint32_t letter, unsigned char *byte);

/* Appends the letters of each byte of a text. */
void tn_byte_letters_write(struct tn_str bytes, struct tn_builder *out);

/* Appends the bytes that the letters of a text (valid UTF-8) stand for; false where a character is no letter. */
bool tn_byte_letters_read(struct tn_str letters, struct tn_builder *out);

#endif
