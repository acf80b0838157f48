/* Scanners: the patterns that many tokenizers share, written by hand. Each gives the matches of one regular expression, which
 * stands in the table of pattern.c. */
#ifndef TN_TOKENS_SCAN_H
#define TN_TOKENS_SCAN_H

#include "tokens/pattern/pattern.h"

/* Patterns that match every character: the end of the part that begins at `at`, which is not the end of the text. */
typedef size_t tn_scan_part(struct tn_str text, size_t at);

tn_scan_part tn_scan_gpt2;
tn_scan_part tn_scan_cl100k;          /* digits by threes */
tn_scan_part tn_scan_cl100k_trailing; /* the same, but all white space at the end of the text is one part */
tn_scan_part tn_scan_qwen2;           /* each digit by itself */
tn_scan_part tn_scan_o200k;
tn_scan_part tn_scan_tekken;
tn_scan_part tn_scan_kimi; /* o200k, but Chinese characters apart */

/* Patterns that leave characters between their matches: as tn_pattern's next; they never fail. */
typedef enum tn_found tn_scan(const struct tn_pattern *pattern, struct tn_str text, size_t from, struct tn_match *match,
                              struct tn_error *error);

tn_scan tn_scan_deepseek;
tn_scan tn_scan_deepseek_cjk;
tn_scan tn_scan_three_digits;

#endif
