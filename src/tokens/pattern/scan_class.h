/* Reading a text character by character, with the class of each. For scanners only: all is inline. */
#ifndef TN_TOKENS_SCAN_CLASS_H
#define TN_TOKENS_SCAN_CLASS_H

#include "base/text.h"
#include "tokens/unicode/unicode.h"

/* Classes of ASCII, so that most text needs no table of another library. */
extern const uint32_t tn_ascii_class[128];

struct tn_glyph {
    unsigned kind; /* bits of unicode.h; 0 at the end of the text */
    size_t end;    /* of the character, bytes from the start of the text */
};

static inline uint32_t tn_code_point_at(const unsigned char *bytes, size_t *length)
{
    if (bytes[0] < 0xE0) {
        *length = 2;
        return (bytes[0] & 0x1FU) << 6 | (bytes[1] & 0x3FU);
    }
    if (bytes[0] < 0xF0) {
        *length = 3;
        return (bytes[0] & 0x0FU) << 12 | (bytes[1] & 0x3FU) << 6 | (bytes[2] & 0x3FU);
    }
    *length = 4;
    return (bytes[0] & 0x07U) << 18 | (bytes[1] & 0x3FU) << 12 | (bytes[2] & 0x3FU) << 6 | (bytes[3] & 0x3FU);
}

/* The character at `at`; text is valid UTF-8. */
static inline struct tn_glyph tn_glyph_at(struct tn_str text, size_t at)
{
    if (at >= text.size) {
        return (struct tn_glyph){0, at};
    }
    const unsigned char *bytes = (const unsigned char *)text.data + at;
    if (bytes[0] < 0x80) {
        return (struct tn_glyph){tn_ascii_class[bytes[0]], at + 1};
    }
    size_t length;
    uint32_t code_point = tn_code_point_at(bytes, &length);
    return (struct tn_glyph){tn_unicode_class(code_point), at + length};
}

/* The end of the longest run of characters of the classes in `mask` that begins at `at`. */
static inline size_t tn_run_of(struct tn_str text, size_t at, unsigned mask)
{
    for (;;) {
        struct tn_glyph glyph = tn_glyph_at(text, at);
        if (!(glyph.kind & mask)) {
            return at;
        }
        at = glyph.end;
    }
}

/* The same for characters that are of none of the classes in `excluded`. */
static inline size_t tn_run_of_others(struct tn_str text, size_t at, unsigned excluded)
{
    for (;;) {
        struct tn_glyph glyph = tn_glyph_at(text, at);
        if (!glyph.kind || glyph.kind & excluded) {
            return at;
        }
        at = glyph.end;
    }
}

static inline bool tn_byte_is(struct tn_str text, size_t at, char one)
{
    return at < text.size && text.data[at] == one;
}

#endif
