/* o200k and its relatives: words end where lower case turns to upper case, and marks belong to words. */
#include "tokens/pattern/scan.h"
#include "tokens/pattern/scan_han.h"
#include "tokens/pattern/scan_part.h"

/* The run of characters of the classes in mask; with `no_han`, it ends in front of a character of the script Han. */
static inline size_t run(struct tn_str text, size_t at, unsigned mask, bool no_han)
{
    return no_han ? tn_run_of_no_han(text, at, mask) : tn_run_of(text, at, mask);
}

/* [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ : the first part takes all it can, and gives back the least
 * that lets the second match. */
static inline size_t ending_lower(struct tn_str text, size_t at, bool no_han)
{
    size_t both_end = at; /* behind the last character of the run that is of both classes */
    size_t end = at;
    for (struct tn_glyph glyph; (glyph = tn_glyph_at(text, end)).kind & TN_UPPERS;) {
        if (no_han && tn_is_han_at(text, end)) {
            break;
        }
        end = glyph.end;
        both_end = glyph.kind & TN_LOWERS ? end : both_end;
    }
    size_t lower_end = run(text, end, TN_LOWERS, no_han);
    return lower_end > end ? lower_end : both_end;
}

/* `[^\r\n\p{L}\p{N}]?` */
static inline size_t behind_one(struct tn_str text, size_t at)
{
    struct tn_glyph first = tn_glyph_at(text, at);
    bool taken =
        first.kind && !(first.kind & (TN_LETTER | TN_NUMBER)) && text.data[at] != '\r' && text.data[at] != '\n';
    return taken ? first.end : at;
}

/* A word that ends in lower case, else one of upper case only; each with one character before it, if that can be. */
static inline size_t cased_word(struct tn_str text, size_t at, bool no_han)
{
    size_t behind = behind_one(text, at);
    size_t end = ending_lower(text, behind, no_han);
    if (end > behind) {
        return end;
    }
    end = behind > at ? ending_lower(text, at, no_han) : at;
    if (end > at) {
        return end;
    }
    end = run(text, behind, TN_UPPERS, no_han); /* nothing of lower case follows: that was tried above */
    if (end > behind) {
        return end;
    }
    return behind > at ? run(text, at, TN_UPPERS, no_han) : at;
}

static inline size_t rest(struct tn_str text, size_t at, unsigned most_digits, bool slashes)
{
    size_t end = tn_digits(text, at, most_digits);
    end = end > at ? end : tn_others_and_line_ends(text, at, slashes);
    return end > at ? end : tn_spaces_by_lines(text, at);
}

size_t tn_scan_o200k(struct tn_str text, size_t at)
{
    size_t end = cased_word(text, at, false);
    return end > at ? tn_contraction_any_case(text, end) : rest(text, at, 3, true);
}

size_t tn_scan_tekken(struct tn_str text, size_t at)
{
    size_t end = cased_word(text, at, false);
    return end > at ? end : rest(text, at, 1, true);
}

size_t tn_scan_kimi(struct tn_str text, size_t at)
{
    size_t end = tn_run_of_han(text, at);
    if (end > at) {
        return end;
    }
    end = cased_word(text, at, true);
    return end > at ? tn_contraction_any_case(text, end) : rest(text, at, 3, false);
}
