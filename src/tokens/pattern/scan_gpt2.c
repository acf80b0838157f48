/* GPT-2 and all that apply a ByteLevel pre-tokenizer. */
#include "tokens/pattern/scan.h"
#include "tokens/pattern/scan_part.h"

/* 's|'t|'re|'ve|'m|'ll|'d */
static size_t contraction(struct tn_str text, size_t at)
{
    if (!tn_byte_is(text, at, '\'') || at + 1 >= text.size) {
        return at;
    }
    char first = text.data[at + 1];
    if (first == 's' || first == 't' || first == 'm' || first == 'd') {
        return at + 2;
    }
    bool two = (first == 'r' && tn_byte_is(text, at + 2, 'e')) || (first == 'v' && tn_byte_is(text, at + 2, 'e'))
               || (first == 'l' && tn_byte_is(text, at + 2, 'l'));
    return two ? at + 3 : at;
}

size_t tn_scan_gpt2(struct tn_str text, size_t at)
{
    size_t end = contraction(text, at);
    if (end > at) {
        return end;
    }
    size_t from = text.data[at] == ' ' ? at + 1 : at;
    struct tn_glyph glyph = tn_glyph_at(text, from);
    if (glyph.kind & TN_LETTER) {
        return tn_run_of(text, glyph.end, TN_LETTER);
    }
    if (glyph.kind & TN_NUMBER) {
        return tn_run_of(text, glyph.end, TN_NUMBER);
    }
    if (glyph.kind && !(glyph.kind & TN_SPACE)) {
        return tn_run_of_others(text, glyph.end, TN_SPACE | TN_LETTER | TN_NUMBER);
    }
    return tn_spaces_but_last(text, at);
}
