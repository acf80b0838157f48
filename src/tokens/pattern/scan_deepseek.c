/* DeepSeek V3: three patterns, one after the other; each sees what the ones before it left. */
#include "tokens/pattern/scan.h"
#include "tokens/pattern/scan_part.h"

enum tn_found tn_scan_three_digits(const struct tn_pattern *pattern, struct tn_str text, size_t from,
                                   struct tn_match *match, struct tn_error *error)
{
    (void)pattern;
    (void)error;
    for (struct tn_glyph glyph; from < text.size; from = glyph.end) {
        glyph = tn_glyph_at(text, from);
        if (glyph.kind & TN_NUMBER) {
            *match = (struct tn_match){from, tn_digits(text, from, 3)};
            return TN_FOUND;
        }
    }
    return TN_FOUND_NOTHING;
}

/* [一-龥぀-ゟ゠-ヿ]: U+4E00 to U+9FA5 and U+3040 to U+30FF. *end is that of the character. */
static bool is_cjk_at(struct tn_str text, size_t at, size_t *end)
{
    const unsigned char *bytes = (const unsigned char *)text.data + at;
    if (bytes[0] < 0x80) {
        *end = at + 1;
        return false;
    }
    size_t length;
    uint32_t code_point = tn_code_point_at(bytes, &length);
    *end = at + length;
    return (code_point >= 0x4E00 && code_point <= 0x9FA5) || (code_point >= 0x3040 && code_point <= 0x30FF);
}

enum tn_found tn_scan_deepseek_cjk(const struct tn_pattern *pattern, struct tn_str text, size_t from,
                                   struct tn_match *match, struct tn_error *error)
{
    (void)pattern;
    (void)error;
    for (size_t end; from < text.size; from = end) {
        if (!is_cjk_at(text, from, &end)) {
            continue;
        }
        match->begin = from;
        do {
            match->end = end;
        } while (end < text.size && is_cjk_at(text, end, &end));
        return TN_FOUND;
    }
    return TN_FOUND_NOTHING;
}

static bool is_ascii_letter(struct tn_str text, size_t at)
{
    return at < text.size && tn_lower(text.data[at]) >= 'a' && tn_lower(text.data[at]) <= 'z';
}

/* [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+ */
static size_t mark_and_letters(struct tn_str text, size_t at)
{
    unsigned char first = (unsigned char)text.data[at];
    if (first >= 0x80 || !(tn_ascii_class[first] & (TN_PUNCTUATION | TN_SYMBOL))) {
        return at;
    }
    size_t end = at + 1;
    while (is_ascii_letter(text, end)) {
        end++;
    }
    return end > at + 1 ? end : at;
}

/* [^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+ */
static size_t letters_and_marks(struct tn_str text, size_t at)
{
    struct tn_glyph first = tn_glyph_at(text, at);
    if (first.kind & (TN_LETTER | TN_MARK)) {
        return tn_run_of(text, first.end, TN_LETTER | TN_MARK);
    }
    if (!first.kind || first.kind & (TN_PUNCTUATION | TN_SYMBOL) || text.data[at] == '\r' || text.data[at] == '\n') {
        return at;
    }
    size_t end = tn_run_of(text, first.end, TN_LETTER | TN_MARK);
    return end > first.end ? end : at;
}

/* ` ?[\p{P}\p{S}]+[\r\n]*` */
static size_t marks_and_line_ends(struct tn_str text, size_t at)
{
    size_t end = tn_run_with_space_before(text, at, TN_PUNCTUATION | TN_SYMBOL);
    return end > at ? tn_line_ends(text, end, false) : at;
}

enum tn_found tn_scan_deepseek(const struct tn_pattern *pattern, struct tn_str text, size_t from,
                               struct tn_match *match, struct tn_error *error)
{
    (void)pattern;
    (void)error;
    while (from < text.size) {
        size_t end = mark_and_letters(text, from);
        end = end > from ? end : letters_and_marks(text, from);
        end = end > from ? end : marks_and_line_ends(text, from);
        end = end > from ? end : tn_spaces_by_lines(text, from);
        if (end > from) {
            *match = (struct tn_match){from, end};
            return TN_FOUND;
        }
        from = tn_glyph_at(text, from).end; /* a character that belongs to no part: a control, or a digit */
    }
    return TN_FOUND_NOTHING;
}
