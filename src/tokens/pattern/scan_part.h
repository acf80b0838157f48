/* The alternatives that the well-known patterns are made of. Each returns the end of its match at `at`, or `at` itself where
 * it does not match (none of them matches nothing). For scanners only: all is inline. */
#ifndef TN_TOKENS_SCAN_PART_H
#define TN_TOKENS_SCAN_PART_H

#include "tokens/pattern/scan_class.h"

enum {
    TN_UPPERS = TN_LETTER_UPPER | TN_LETTER_TITLE | TN_LETTER_MODIFIER | TN_LETTER_OTHER | TN_MARK,
    TN_LOWERS = TN_LETTER_LOWER | TN_LETTER_MODIFIER | TN_LETTER_OTHER | TN_MARK,
};

/* A letter of ASCII in lower case, of `at`; the long s is an s without its case, too. 0 for all else. */
static inline char tn_folded_at(struct tn_str text, size_t at, size_t *end)
{
    *end = at + 1;
    if (at >= text.size) {
        return 0;
    }
    if (text.size - at >= 2 && text.data[at] == '\xC5' && text.data[at + 1] == '\xBF') { /* U+017F */
        *end = at + 2;
        return 's';
    }
    return tn_lower(text.data[at]);
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d) */
static inline size_t tn_contraction_any_case(struct tn_str text, size_t at)
{
    if (!tn_byte_is(text, at, '\'')) {
        return at;
    }
    size_t first_end;
    size_t second_end;
    char first = tn_folded_at(text, at + 1, &first_end);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') {
        return first_end;
    }
    char second = tn_folded_at(text, first_end, &second_end);
    bool two = (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l');
    return two ? second_end : at;
}

/* [^\r\n\p{L}\p{N}]?\p{L}+ */
static inline size_t tn_letters_with_one_before(struct tn_str text, size_t at)
{
    struct tn_glyph first = tn_glyph_at(text, at);
    if (first.kind & TN_LETTER) {
        return tn_run_of(text, first.end, TN_LETTER);
    }
    if (!first.kind || first.kind & TN_NUMBER || text.data[at] == '\r' || text.data[at] == '\n') {
        return at;
    }
    size_t end = tn_run_of(text, first.end, TN_LETTER);
    return end > first.end ? end : at;
}

/* \p{N}{1,most} */
static inline size_t tn_digits(struct tn_str text, size_t at, unsigned most)
{
    for (; most; most--) {
        struct tn_glyph glyph = tn_glyph_at(text, at);
        if (!(glyph.kind & TN_NUMBER)) {
            break;
        }
        at = glyph.end;
    }
    return at;
}

/* ` ?[...]+` for the classes in mask. */
static inline size_t tn_run_with_space_before(struct tn_str text, size_t at, unsigned mask)
{
    size_t from = tn_byte_is(text, at, ' ') ? at + 1 : at;
    size_t end = tn_run_of(text, from, mask);
    return end > from ? end : at;
}

static inline size_t tn_line_ends(struct tn_str text, size_t at, bool slashes)
{
    while (at < text.size && (text.data[at] == '\r' || text.data[at] == '\n' || (slashes && text.data[at] == '/'))) {
        at++;
    }
    return at;
}

/* ` ?[^\s\p{L}\p{N}]+[\r\n]*`, or with the slash `[\r\n/]*`. */
static inline size_t tn_others_and_line_ends(struct tn_str text, size_t at, bool slashes)
{
    size_t from = tn_byte_is(text, at, ' ') ? at + 1 : at;
    size_t end = tn_run_of_others(text, from, TN_SPACE | TN_LETTER | TN_NUMBER);
    return end > from ? tn_line_ends(text, end, slashes) : at;
}

/* `\s+(?!\S)|\s+`: white space but for its last character, which belongs to the word behind it. */
static inline size_t tn_spaces_but_last(struct tn_str text, size_t at)
{
    size_t last = at;
    size_t end = at;
    for (struct tn_glyph glyph; (glyph = tn_glyph_at(text, end)).kind & TN_SPACE;) {
        last = end;
        end = glyph.end;
    }
    return end == text.size || last == at ? end : last;
}

/* `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line end of the white space, else as above. */
static inline size_t tn_spaces_by_lines(struct tn_str text, size_t at)
{
    size_t line_end = at;
    size_t last = at;
    size_t end = at;
    for (struct tn_glyph glyph; (glyph = tn_glyph_at(text, end)).kind & TN_SPACE;) {
        bool ends_line = text.data[end] == '\r' || text.data[end] == '\n';
        last = end;
        end = glyph.end;
        line_end = ends_line ? end : line_end;
    }
    if (line_end > at) {
        return line_end;
    }
    return end == text.size || last == at ? end : last;
}

#endif
