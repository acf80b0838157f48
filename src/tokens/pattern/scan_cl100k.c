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

size_t tn_scan_cl100k(struct tn_str text, size_t at)
{
    return end_of_part(text, at, 3);
}

size_t tn_scan_cl100k_trailing(struct tn_str text, size_t at)
{
    /* `\s++$` stands in front of `\s*[\r\n]`; parts that begin otherwise than with white space end before it anyway. */
    return tn_run_of(text, at, TN_SPACE) == text.size ? text.size : tn_scan_cl100k(text, at);
}

size_t tn_scan_qwen2(struct tn_str text, size_t at)
{
    return end_of_part(text, at, 1);
}
