#include "tokens/unicode.h"

#include <utf8proc.h>

unsigned tn_unicode_category(uint32_t code_point)
{
    return 1U << (unsigned)utf8proc_category((utf8proc_int32_t)code_point);
}

bool tn_unicode_space(uint32_t code_point)
{
    if (code_point < 0x80) {
        return code_point == ' ' || (code_point >= '\t' && code_point <= '\r');
    }
    return code_point == 0x85
           || (tn_unicode_category(code_point) & (TN_SEPARATOR_SPACE | TN_SEPARATOR_LINE | TN_SEPARATOR_PARAGRAPH));
}
