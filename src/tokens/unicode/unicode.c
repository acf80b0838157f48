#include "tokens/unicode/unicode.h"

#include <utf8proc.h>

#include "tokens/unicode/unicode_16.h"

static unsigned category_in_16(uint32_t code_point, unsigned otherwise)
{
    size_t low = 0;
    size_t high = tn_unicode_16_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tn_unicode_16[middle].last < code_point) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool listed = low < tn_unicode_16_count && tn_unicode_16[low].first <= code_point;
    return listed ? tn_unicode_16[low].category : otherwise;
}

unsigned tn_unicode_category(uint32_t code_point)
{
    unsigned category = 1U << (unsigned)utf8proc_category((utf8proc_int32_t)code_point);
    bool changed = category == TN_UNASSIGNED || code_point == 0x1171E; /* the one that was assigned before */
    return changed ? category_in_16(code_point, category) : category;
}

bool tn_unicode_space(uint32_t code_point)
{
    if (code_point < 0x80) {
        return code_point == ' ' || (code_point >= '\t' && code_point <= '\r');
    }
    return code_point == 0x85
           || (tn_unicode_category(code_point) & (TN_SEPARATOR_SPACE | TN_SEPARATOR_LINE | TN_SEPARATOR_PARAGRAPH));
}

unsigned tn_unicode_class(uint32_t code_point)
{
    return tn_unicode_category(code_point) | (tn_unicode_space(code_point) ? TN_SPACE : 0U);
}

bool tn_unicode_word(uint32_t code_point)
{
    const unsigned words = TN_LETTER | TN_MARK | TN_NUMBER_DECIMAL | TN_NUMBER_LETTER | TN_PUNCTUATION_CONNECTOR;
    bool circled = (code_point >= 0x24B6 && code_point <= 0x24E9) || (code_point >= 0x1F130 && code_point <= 0x1F149)
                   || (code_point >= 0x1F150 && code_point <= 0x1F169)
                   || (code_point >= 0x1F170 && code_point <= 0x1F189); /* symbols that are Other_Alphabetic */
    bool joiner = code_point == 0x200C || code_point == 0x200D;
    return tn_unicode_category(code_point) & words || circled || joiner;
}
