/* What holds for every tokenizer and every text. */
#ifndef TESTS_FUZZ_TOKENIZER_CHECKS_H
#define TESTS_FUZZ_TOKENIZER_CHECKS_H

#include "tokens/tokenizer.h"

/* Aborts where the tokens of a text are not of the vocabulary, or differ from those of its parts where it may be cut. */
void check_text(const struct tn_tokenizer *tokenizer, struct tn_str text);

/* A file, behind it a text, and in the last byte how many bytes the text has: loads what `matches` takes for its format and
 * checks the text, or the error. */
void check_file_and_text(const char *file_name, bool (*matches)(struct tn_str bytes), const uint8_t *data, size_t size);

#endif
