#include "tokens/unicode/byte_letters.h"

#include "text/utf8.h"

/* Bytes that are visible characters of Latin-1 are these; the others get the characters from U+0100 on, in their order:
 * 0x00 to 0x20, 0x7F to 0xA0, 0xAD. */
enum { FIRST_OTHER = 0x100, CONTROLS = 0x21, HIGH_CONTROLS = 0xA1 - 0x7F, LAST_OTHER = FIRST_OTHER + 0x43 };

uint32_t tn_byte_letter(unsigned char byte)
{
    if (byte < 0x21) {
        return FIRST_OTHER + (uint32_t)byte;
    }
    if (byte >= 0x7F && byte <= 0xA0) {
        return FIRST_OTHER + CONTROLS + (uint32_t)byte - 0x7F;
    }
    return byte == 0xAD ? LAST_OTHER : byte;
}

static bool byte_of_letter(uint32_t letter, char *byte)
{
    uint32_t other = letter - FIRST_OTHER; /* wraps around for those that are not */
    uint32_t one = letter < FIRST_OTHER               ? letter
                   : other < CONTROLS                 ? other
                   : other < LAST_OTHER - FIRST_OTHER ? other - CONTROLS + 0x7F
                                                      : 0xAD;
    *byte = (char)(unsigned char)one;
    return letter <= LAST_OTHER && tn_byte_letter((unsigned char)one) == letter;
}

void tn_byte_letters_write(struct tn_str bytes, struct tn_builder *out)
{
    for (size_t k = 0; k < bytes.size; k++) {
        char letter[4];
        size_t size = tn_utf8_encode(tn_byte_letter((unsigned char)bytes.data[k]), letter);
        tn_builder_add(out, (struct tn_str){letter, size});
    }
}

/* The byte of the letter at *at, which goes behind it; false where none stands there. */
static inline bool next_byte(struct tn_str letters, size_t *at, char *byte)
{
    unsigned char first = (unsigned char)letters.data[*at];
    if (first > ' ' && first < 0x7F) {
        *byte = (char)first;
        (*at)++;
        return true;
    }
    unsigned char second = *at + 1 < letters.size ? (unsigned char)letters.data[*at + 1] : 0;
    *at += 2;
    return (first & 0xE0) == 0xC0 && (second & 0xC0) == 0x80
           && byte_of_letter((first & 0x1FU) << 6 | (second & 0x3FU), byte);
}

size_t tn_bytes_of_letters(struct tn_str letters, char *bytes)
{
    size_t count = 0;
    for (size_t at = 0; at < letters.size;) {
        if (!next_byte(letters, &at, &bytes[count++])) {
            return SIZE_MAX;
        }
    }
    return count;
}

bool tn_byte_letters_read(struct tn_str letters, struct tn_builder *out)
{
    for (size_t at = 0; at < letters.size;) {
        char byte;
        if (!next_byte(letters, &at, &byte)) {
            return false;
        }
        tn_builder_add_char(out, byte);
    }
    return true;
}
