/* Walking through valid UTF-8, character by character. For inner loops: all is inline. */
#ifndef TN_TOKENS_CHARACTERS_H
#define TN_TOKENS_CHARACTERS_H

#include "base/number.h"
#include "base/text.h"

/* The character at `at`, which is below text.size and the beginning of one; *end is where the next one begins. */
static inline uint32_t tn_character_at(struct tn_str text, size_t at, size_t *end)
{
    const unsigned char *bytes = (const unsigned char *)text.data + at;
    if (bytes[0] < 0x80) {
        *end = at + 1;
        return bytes[0];
    }
    if (bytes[0] < 0xE0) {
        *end = at + 2;
        return (bytes[0] & 0x1FU) << 6 | (bytes[1] & 0x3FU);
    }
    if (bytes[0] < 0xF0) {
        *end = at + 3;
        return (bytes[0] & 0x0FU) << 12 | (bytes[1] & 0x3FU) << 6 | (bytes[2] & 0x3FU);
    }
    *end = at + 4;
    return (bytes[0] & 0x07U) << 18 | (bytes[1] & 0x3FU) << 12 | (bytes[2] & 0x3FU) << 6 | (bytes[3] & 0x3FU);
}

/* The beginning of the character in front of `at`, which is above 0. */
static inline size_t tn_character_before(struct tn_str text, size_t at)
{
    do {
        at--;
    } while (at > 0 && ((unsigned char)text.data[at] & 0xC0) == 0x80);
    return at;
}

/* The first byte at or behind `at` that is not ASCII, or text.size. */
static inline size_t tn_skip_ascii(struct tn_str text, size_t at)
{
    while (text.size - at >= 8 && (tn_load_u64(text.data + at) & 0x8080808080808080U) == 0) {
        at += 8;
    }
    while (at < text.size && (unsigned char)text.data[at] < 0x80) {
        at++;
    }
    return at;
}

#endif
