/* Scripts of characters, as the pre-tokenizer UnicodeScripts knows them. */
#ifndef TN_TOKENS_UNICODE_SCRIPTS_H
#define TN_TOKENS_UNICODE_SCRIPTS_H

#include <stdint.h>

/* A number for each script; Han, Hiragana and Katakana are one. 0 for the space and for characters without one, which go
 * with any. code_point is at most 0x10FFFF. */
unsigned tn_unicode_script(uint32_t code_point);

#endif
