/* The script Han (Unicode 16.0, Scripts.txt), which one pattern asks for. */
#ifndef TN_TOKENS_SCAN_HAN_H
#define TN_TOKENS_SCAN_HAN_H

#include "base/text.h"

/* Whether the character at `at` is of the script; false at the end of the text, which is valid UTF-8. */
bool tn_is_han_at(struct tn_str text, size_t at);

/* The end of the run of such characters that begins at `at`. */
size_t tn_run_of_han(struct tn_str text, size_t at);

/* The end of the run of characters of the classes in `mask` (unicode.h) that are not of the script. */
size_t tn_run_of_no_han(struct tn_str text, size_t at, unsigned mask);

#endif
