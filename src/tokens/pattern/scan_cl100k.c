/* cl100k and its relatives: Llama 3, GLM-4, Qwen. */
#include "tokens/pattern/scan.h"
#include "tokens/pattern/scan_part.h"

static inline size_t end_of_part(struct tn_str text, size_t at, unsigned most_digits)
{
    size_t end = tn_contraction_any_case(text, at);
    end = end > at ? end : tn_letters_with_one_before(text, at);
    end = end > at ? end : tn_digits(text, at, most_digits);
    end = end > at ? end : tn_others_and_line_ends(text, at, false);
    return end > at ? end : tn_spaces_by_lines(text, at);
}

enum tn_found tn_scan_cl100k(const struct tn_pattern *pattern, struct tn_str text, size_t from, struct tn_match *match,
                             struct tn_error *error)
{
    (void)pattern;
    (void)error;
    if (from >= text.size) {
        return TN_FOUND_NOTHING;
    }
    *match = (struct tn_match){from, end_of_part(text, from, 3)};
    return TN_FOUND;
}

enum tn_found tn_scan_cl100k_trailing(const struct tn_pattern *pattern, struct tn_str text, size_t from,
                                      struct tn_match *match, struct tn_error *error)
{
    enum tn_found found = tn_scan_cl100k(pattern, text, from, match, error);
    /* `\s++$` stands in front of `\s*[\r\n]`; parts that begin otherwise than with white space end before it anyway. */
    bool space = found == TN_FOUND && tn_run_of(text, from, TN_SPACE) == text.size;
    match->end = space ? text.size : match->end;
    return found;
}

enum tn_found tn_scan_qwen2(const struct tn_pattern *pattern, struct tn_str text, size_t from, struct tn_match *match,
                            struct tn_error *error)
{
    (void)pattern;
    (void)error;
    if (from >= text.size) {
        return TN_FOUND_NOTHING;
    }
    *match = (struct tn_match){from, end_of_part(text, from, 1)};
    return TN_FOUND;
}
