/* What the reference of tokenizer.json (tokenizers 0.23) knows of characters. Its parts have data of different versions of
 * Unicode, so that these facts are no property of any one version; unicode.h has those of regular expressions. */
#ifndef TN_TOKENS_UNICODE_VERSIONS_H
#define TN_TOKENS_UNICODE_VERSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tn_unicode_fact {
    TN_FACT_NUMERIC = 1 << 0,         /* as Digits splits: Unicode 17 */
    TN_FACT_PUNCTUATION = 1 << 1,     /* as Punctuation and BertPreTokenizer split: ASCII's, and Unicode 8 */
    TN_FACT_CONTROL = 1 << 2,         /* what BertNormalizer cleans away: Unicode 8, and U+FFFD */
    TN_FACT_MARK_NONSPACING = 1 << 3, /* what BertNormalizer takes for accents: Unicode 8 */
    TN_FACT_MARK = 1 << 4,            /* what StripAccents takes for accents: Unicode 9 */
    TN_FACT_SPACE = 1 << 5,           /* the property White_Space */
    /* Unicode 9: characters that the form changes, that are put in order, or that may join the character before them. */
    TN_FACT_NFC = 1 << 6,
    TN_FACT_NFD = 1 << 7,
    TN_FACT_NFKC = 1 << 8,
    TN_FACT_NFKD = 1 << 9,
    TN_FACT_INERT = 1 << 10, /* takes part in the normalisation of a later version, not here */
    TN_FACT_BITS = 11,
};

/* The facts of a character; code_point is at most 0x10FFFF. */
unsigned tn_unicode_facts_in_table(uint32_t code_point);

extern const uint16_t tn_ascii_facts[];

/* The same, quick for ASCII. */
static inline unsigned tn_unicode_facts(uint32_t code_point)
{
    return code_point < 0x80 ? tn_ascii_facts[code_point] : tn_unicode_facts_in_table(code_point);
}

/* The small letter of a character, or itself (Unicode 17). U+0130 has two: this is the first, U+0307 follows it. */
uint32_t tn_unicode_lower(uint32_t code_point);

#endif
