/* Tokens of a text where no tokenizer is at hand: characters by their script, and measured tokens per character.
 * data/tokens/estimate.rec has the figures, tools/tokens/estimate.py measures them. */
#ifndef TN_API_COUNT_ESTIMATE_H
#define TN_API_COUNT_ESTIMATE_H

#include "catalog/catalog.h"

enum tn_script {
    TN_SCRIPT_LATIN,    /* a to z */
    TN_SCRIPT_CAPITAL,  /* A to Z */
    TN_SCRIPT_ACCENTED, /* the other letters of Latin: few in a text, but they tell that it is not English */
    TN_SCRIPT_CYRILLIC,
    TN_SCRIPT_GREEK,
    TN_SCRIPT_ARABIC,
    TN_SCRIPT_HEBREW,
    TN_SCRIPT_INDIC, /* Devanagari and its relatives, to Sinhala */
    TN_SCRIPT_THAI,  /* with Lao, Khmer and Burmese: words without spaces */
    TN_SCRIPT_KANA,
    TN_SCRIPT_HANGUL,
    TN_SCRIPT_HAN,
    TN_SCRIPT_DIGIT,       /* 0 to 9 */
    TN_SCRIPT_SPACE,       /* one space between words */
    TN_SCRIPT_INDENT,      /* further spaces of a run, tabs and line ends */
    TN_SCRIPT_PUNCTUATION, /* of ASCII */
    TN_SCRIPT_OTHER,       /* all else: emoji, other scripts, invalid bytes */
    TN_SCRIPT_SPECIAL,     /* special tokens of a chat format: each one token */
    TN_SCRIPT_COUNT
};

extern const char *const tn_script_names[TN_SCRIPT_COUNT];

/* Millionths of a token per character. */
struct tn_estimate {
    uint64_t low[TN_SCRIPT_COUNT];
    uint64_t mid[TN_SCRIPT_COUNT];
    uint64_t high[TN_SCRIPT_COUNT];
    struct tn_str tokenizers; /* over which it was measured, in words */
    struct tn_str error;      /* how far it is off on text that it was not fitted to, in words */
};

/* The figures for tokenizers with about that many tokens.
 * vocabulary  0: not known
 * Errors: TN_ERROR_RECORD, TN_ERROR_MEMORY. */
bool tn_estimate_read(const struct tn_catalog *catalog, uint64_t vocabulary, struct tn_estimate *estimate,
                      struct tn_error *error);

/* Adds the characters of a text, by their script; returns how many characters it has. A text may be given in parts that end
 * behind a character: then `in_space` tells the next part whether it follows a space; false at first. */
uint64_t tn_script_add(struct tn_str text, bool *in_space, uint64_t counts[TN_SCRIPT_COUNT]);

/* The script of one character; INDENT is never the answer for a space. */
enum tn_script tn_script_of(uint32_t code_point);

/* The sum of counts and rates, rounded to the nearest token; at least 1 where there is any character. */
uint64_t tn_estimate_tokens(const uint64_t rates[TN_SCRIPT_COUNT], const uint64_t counts[TN_SCRIPT_COUNT]);

#endif
