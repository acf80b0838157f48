#include "tokens/unicode/byte_letters.h"

#include "text/utf8.h"
#include "tokens/unicode/characters.h"

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

bool tn_byte_of_letter(uint32_t letter, unsigned char *byte)
{
    uint32_t other = letter - FIRST_OTHER; /* wraps around for those that are not */
    uint32_t one = letter < FIRST_OTHER               ? letter
                   : other < CONTROLS                 ? other
                   : other < LAST_OTHER - FIRST_OTHER ? other - CONTROLS + 0x7F
                                                      : 0xAD;
    *byte = (unsigned char)one;
    return letter <= LAST_OTHER && tn_byte_letter(*byte) == letter;
}

void tn_byte_letters_write(struct tn_str bytes, struct tn_builder *out)
{
    for (size_t k = 0; k < bytes.size; k++) {
        char letter[4];
        size_t size = tn_utf8_encode(tn_byte_letter((unsigned char)bytes.data[k]), letter);
        tn_builder_add(out, (struct tn_str){letter, size});
    }
}

bool tn_byte_letters_read(struct tn_str letters, struct tn_builder *out)
{
    size_t end;
    for (size_t at = 0; at < letters.size; at = end) {
        unsigned char byte;
        if (!tn_byte_of_letter(tn_character_at(letters, at, &end), &byte)) {
            return false;
        }
        tn_builder_add_char(out, (char)byte);
    }
    return true;
}
