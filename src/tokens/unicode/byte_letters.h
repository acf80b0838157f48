/* GPT-2's alphabet: a visible character for each byte, in which vocabularies on bytes are written down. */
#ifndef TN_TOKENS_BYTE_LETTERS_H
#define TN_TOKENS_BYTE_LETTERS_H

#include "base/text.h"

/* The letter of a byte: below U+0800, so that it takes one or two bytes in UTF-8. */
uint32_t tn_byte_letter(unsigned char byte);

/* Writes the bytes that the letters of a text stand for, at most as many as the text has. Returns how many; SIZE_MAX where
 * a character is no letter, or the text is not UTF-8. */
size_t tn_bytes_of_letters(struct tn_str letters, char *bytes);

/* Appends the letters of each byte of a text. */
void tn_byte_letters_write(struct tn_str bytes, struct tn_builder *out);

/* Appends them; false where there is no such. */
bool tn_byte_letters_read(struct tn_str letters, struct tn_builder *out);

#endif
