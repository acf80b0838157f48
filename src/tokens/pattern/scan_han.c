#include "tokens/pattern/scan_han.h"

#include "tokens/pattern/scan_class.h"

static const struct {
    uint32_t first;
    uint32_t last;
} han[] = {
    {0x2E80, 0x2E99},   {0x2E9B, 0x2EF3},   {0x2F00, 0x2FD5},   {0x3005, 0x3005},   {0x3007, 0x3007},
    {0x3021, 0x3029},   {0x3038, 0x303B},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFA6D},
    {0xFA70, 0xFAD9},   {0x16FE2, 0x16FE3}, {0x16FF0, 0x16FF1}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B739},
    {0x2B740, 0x2B81D}, {0x2B820, 0x2CEA1}, {0x2CEB0, 0x2EBE0}, {0x2EBF0, 0x2EE5D}, {0x2F800, 0x2FA1D},
    {0x30000, 0x3134A}, {0x31350, 0x323AF},
};

bool tn_is_han_at(struct tn_str text, size_t at)
{
    if (at >= text.size || (unsigned char)text.data[at] < 0xE2) {
        return false;
    }
    size_t length;
    uint32_t code_point = tn_code_point_at((const unsigned char *)text.data + at, &length);
    for (size_t k = 0; k < sizeof han / sizeof han[0] && code_point >= han[k].first; k++) {
        if (code_point <= han[k].last) {
            return true;
        }
    }
    return false;
}

size_t tn_run_of_han(struct tn_str text, size_t at)
{
    while (tn_is_han_at(text, at)) {
        at = tn_glyph_at(text, at).end;
    }
    return at;
}

size_t tn_run_of_no_han(struct tn_str text, size_t at, unsigned mask)
{
    for (;;) {
        struct tn_glyph glyph = tn_glyph_at(text, at);
        if (!(glyph.kind & mask) || tn_is_han_at(text, at)) {
            return at;
        }
        at = glyph.end;
    }
}
