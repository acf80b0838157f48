/* Properties of characters, as Unicode 16.0 has them: from utf8proc, and a table of what has changed since its 15.0. */
#ifndef TN_TOKENS_UNICODE_H
#define TN_TOKENS_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

/* General categories as bits, so that a class of a pattern is a mask. */
enum {
    TN_UNASSIGNED = 1 << 0, /* Cn */
    TN_LETTER_UPPER = 1 << 1,
    TN_LETTER_LOWER = 1 << 2,
    TN_LETTER_TITLE = 1 << 3,
    TN_LETTER_MODIFIER = 1 << 4,
    TN_LETTER_OTHER = 1 << 5,
    TN_MARK_NONSPACING = 1 << 6,
    TN_MARK_SPACING = 1 << 7,
    TN_MARK_ENCLOSING = 1 << 8,
    TN_NUMBER_DECIMAL = 1 << 9,
    TN_NUMBER_LETTER = 1 << 10,
    TN_NUMBER_OTHER = 1 << 11,
    TN_PUNCTUATION_CONNECTOR = 1 << 12,
    TN_PUNCTUATION_DASH = 1 << 13,
    TN_PUNCTUATION_OPEN = 1 << 14,
    TN_PUNCTUATION_CLOSE = 1 << 15,
    TN_PUNCTUATION_INITIAL = 1 << 16,
    TN_PUNCTUATION_FINAL = 1 << 17,
    TN_PUNCTUATION_OTHER = 1 << 18,
    TN_SYMBOL_MATH = 1 << 19,
    TN_SYMBOL_CURRENCY = 1 << 20,
    TN_SYMBOL_MODIFIER = 1 << 21,
    TN_SYMBOL_OTHER = 1 << 22,
    TN_SEPARATOR_SPACE = 1 << 23,
    TN_SEPARATOR_LINE = 1 << 24,
    TN_SEPARATOR_PARAGRAPH = 1 << 25,
    TN_CONTROL = 1 << 26,
    TN_FORMAT = 1 << 27,
    TN_SURROGATE = 1 << 28,
    TN_PRIVATE = 1 << 29,
    TN_SPACE = 1 << 30, /* the property White_Space, beside the category: what \s means in the patterns of tokenizers */
    TN_LETTER = TN_LETTER_UPPER | TN_LETTER_LOWER | TN_LETTER_TITLE | TN_LETTER_MODIFIER | TN_LETTER_OTHER,
    TN_MARK = TN_MARK_NONSPACING | TN_MARK_SPACING | TN_MARK_ENCLOSING,
    TN_NUMBER = TN_NUMBER_DECIMAL | TN_NUMBER_LETTER | TN_NUMBER_OTHER,
    TN_PUNCTUATION = TN_PUNCTUATION_CONNECTOR | TN_PUNCTUATION_DASH | TN_PUNCTUATION_OPEN | TN_PUNCTUATION_CLOSE
                     | TN_PUNCTUATION_INITIAL | TN_PUNCTUATION_FINAL | TN_PUNCTUATION_OTHER,
    TN_SYMBOL = TN_SYMBOL_MATH | TN_SYMBOL_CURRENCY | TN_SYMBOL_MODIFIER | TN_SYMBOL_OTHER,
};

/* The bit of a character's general category; code_point is at most 0x10FFFF. */
unsigned tn_unicode_category(uint32_t code_point);

/* The same with TN_SPACE for white space. */
unsigned tn_unicode_class(uint32_t code_point);

/* The property White_Space. */
bool tn_unicode_space(uint32_t code_point);

/* What \w means in them: letters, marks, digits, connectors, and all else that is Alphabetic or a Join_Control. */
bool tn_unicode_word(uint32_t code_point);

#endif
