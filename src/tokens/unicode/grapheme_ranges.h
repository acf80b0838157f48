/* The properties of characters that decide where clusters end; those of Hangul syllables follow from their numbers. */
#ifndef TN_TOKENS_GRAPHEME_RANGES_H
#define TN_TOKENS_GRAPHEME_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Grapheme_Cluster_Break, Extended_Pictographic and Indic_Conjunct_Break=Consonant, which exclude each other. */
enum tn_grapheme_kind {
    TN_GRAPHEME_ANY,
    TN_GRAPHEME_CR,
    TN_GRAPHEME_LF,
    TN_GRAPHEME_CONTROL,
    TN_GRAPHEME_EXTEND,
    TN_GRAPHEME_ZWJ,
    TN_GRAPHEME_SPACING,
    TN_GRAPHEME_PREPEND,
    TN_GRAPHEME_REGIONAL,
    TN_GRAPHEME_PICTOGRAPH,
    TN_GRAPHEME_CONSONANT,
    TN_GRAPHEME_L,
    TN_GRAPHEME_V,
    TN_GRAPHEME_T,
    TN_GRAPHEME_LV,
    TN_GRAPHEME_LVT,
};

struct tn_grapheme_range {
    uint32_t first;
    uint32_t last;
    enum tn_grapheme_kind kind;
    bool linker;          /* Indic_Conjunct_Break=Linker */
    bool conjunct_extend; /* Indic_Conjunct_Break=Extend */
};

extern const struct tn_grapheme_range tn_grapheme_ranges[]; /* in order; others are TN_GRAPHEME_ANY */
extern const size_t tn_grapheme_ranges_count;

#endif
