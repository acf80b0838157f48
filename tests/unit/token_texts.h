/* Tokenizers read from the text of a file, through the public interface alone, and their ids as text. */
#ifndef TN_TESTS_TOKEN_TEXTS_H
#define TN_TESTS_TOKEN_TEXTS_H

#include "tokens/tokenizer.h"

struct token_texts {
    struct tn_tokenizer *tokenizer;
    struct tn_encoder *encoder;
    struct tn_builder shown; /* "1 2 3" */
};

/* Fails the test with the error where the file is not taken. The file is copied and gone before anything is encoded. */
void token_texts_open(struct token_texts *texts, const char *name, struct tn_str file);
/* tokenizer.json from terminated text. */
void token_texts_open_json(struct token_texts *texts, const char *json);
void token_texts_close(struct token_texts *texts);

/* The ids; fails the test where there are none. Valid until the next call. */
struct tn_token_ids token_texts_encode(struct token_texts *texts, struct tn_str text, unsigned parts);
/* Those of a whole text as "1 2 3". */
const char *token_texts_ids(struct token_texts *texts, struct tn_str text);

/* Members of a "vocab" in the letters of ByteLevel: prefix and letter of byte b as token first_id + b, `"A": 65, `. */
void token_texts_add_bytes(struct tn_builder *json, const char *prefix, unsigned first_id);
/* A string of JSON with its quotes. */
void token_texts_add_string(struct tn_builder *json, struct tn_str text);
/* A line of a rank file. */
void token_texts_add_rank(struct tn_builder *file, struct tn_str bytes, uint64_t rank);

/* The next number of a sequence that is the same everywhere: below `count`, at most 65536. */
uint32_t token_texts_random(uint32_t *state, uint32_t count);

#endif
