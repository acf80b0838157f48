/* o200k and its relatives: words end where lower case turns to upper case, and marks belong to words. */
#include "tokens/scan.h"
#include "tokens/scan_part.h"

/* [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ : the first part takes all it can, and gives back the least
 * that lets the second match. */
static size_t ending_lower(struct tn_str text, size_t at)
{
    size_t both_end = at; /* behind the last character of the run that is of both classes */
    size_t end = at;
    for (struct tn_glyph glyph; (glyph = tn_glyph_at(text, end)).kind & TN_UPPERS;) {
        end = glyph.end;
        both_end = glyph.kind & TN_LOWERS ? end : both_end;
    }
    size_t lower_end = tn_run_of(text, end, TN_LOWERS);
    return lower_end > end ? lower_end : both_end;
}

/* [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*, where the above does not match. */
static size_t upper(struct tn_str text, size_t at)
{
    return tn_run_of(text, at, TN_UPPERS);
}

/* `[^\r\n\p{L}\p{N}]?` in front of one of these. */
static inline size_t with_one_before(struct tn_str text, size_t at, size_t (*word)(struct tn_str text, size_t at))
{
    struct tn_glyph first = tn_glyph_at(text, at);
    bool taken = first.kind && !(first.kind & (TN_LETTER | TN_NUMBER)) && text.data[at] != '\r' && text.data[at] != '\n';
    if (taken) {
        size_t end = word(text, first.end);
        if (end > first.end) {
            return end;
        }
    }
    return word(text, at);
}

static inline size_t cased_word(struct tn_str text, size_t at)
{
    size_t end = with_one_before(text, at, ending_lower);
    return end > at ? end : with_one_before(text, at, upper);
}

static inline size_t rest(struct tn_str text, size_t at, unsigned most_digits)
{
    size_t end = tn_digits(text, at, most_digits);
    end = end > at ? end : tn_others_and_line_ends(text, at, true);
    return end > at ? end : tn_spaces_by_lines(text, at);
}

enum tn_found tn_scan_o200k(const struct tn_pattern *pattern, struct tn_str text, size_t from, struct tn_match *match,
                            struct tn_error *error)
{
    (void)pattern;
    (void)error;
    if (from >= text.size) {
        return TN_FOUND_NOTHING;
    }
    size_t end = cased_word(text, from);
    *match = (struct tn_match){from, end > from ? tn_contraction_any_case(text, end) : rest(text, from, 3)};
    return TN_FOUND;
}

enum tn_found tn_scan_tekken(const struct tn_pattern *pattern, struct tn_str text, size_t from, struct tn_match *match,
                             struct tn_error *error)
{
    (void)pattern;
    (void)error;
    if (from >= text.size) {
        return TN_FOUND_NOTHING;
    }
    size_t end = cased_word(text, from);
    *match = (struct tn_match){from, end > from ? end : rest(text, from, 1)};
    return TN_FOUND;
}
