#include "tokens/byte_alphabet.h"

#include "text/utf8.h"

enum {
    FIRST_OTHER = 0x100, /* the letter of byte 0 */
    OTHER_COUNT = 68,    /* bytes that are not printable: 0 to 20, 7F to A0 and AD, in hexadecimal */
};

static bool stands_for_itself(uint32_t code_point)
{
    return (code_point >= 0x21 && code_point <= 0x7E)
           || (code_point >= 0xA1 && code_point <= 0xFF && code_point != 0xAD);
}

/* The byte of the letter FIRST_OTHER + number. */
static uint32_t other_byte(uint32_t number)
{
    return number <= 0x20 ? number : number <= 0x42 ? number - 0x21 + 0x7F : 0xAD;
}

size_t tn_byte_alphabet_decode(struct tn_str name, char *bytes)
{
    size_t count = 0;
    for (size_t at = 0; at < name.size;) {
        uint32_t code_point;
        size_t length = tn_utf8_decode(tn_str_slice(name, at, name.size), &code_point);
        bool other = length && code_point >= FIRST_OTHER && code_point < FIRST_OTHER + OTHER_COUNT;
        if (!length || !(other || stands_for_itself(code_point))) {
            return SIZE_MAX;
        }
        bytes[count++] = (char)(unsigned char)(other ? other_byte(code_point - FIRST_OTHER) : code_point);
        at += length;
    }
    return count;
}

void tn_byte_alphabet_encode(struct tn_builder *builder, unsigned char byte)
{
    uint32_t letter = byte;
    for (uint32_t number = 0; number < OTHER_COUNT && !stands_for_itself(byte); number++) {
        letter = other_byte(number) == byte ? FIRST_OTHER + number : letter;
    }
    char bytes[4];
    size_t length = tn_utf8_encode(letter, bytes);
    tn_builder_add(builder, (struct tn_str){bytes, length});
}
