/* Grapheme clusters: what a reader takes for one character. The extended clusters of Unicode 17.0 (UAX #29), as the crate
 * unicode-segmentation 1.13 finds them. */
#ifndef TN_TOKENS_GRAPHEME_H
#define TN_TOKENS_GRAPHEME_H

#include "base/text.h"

/* The bytes of the first cluster of a text of valid UTF-8 that is not empty. */
size_t tn_grapheme_length(struct tn_str text);

#endif
