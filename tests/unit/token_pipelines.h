/* Small tokenizer.json of the pipelines that models have: each kind of split, model and added token. */
#ifndef TN_TESTS_TOKEN_PIPELINES_H
#define TN_TESTS_TOKEN_PIPELINES_H

#include "token_texts.h"

enum { LETTERS, FACES, BLANKS, NOISE, LONG_TEXTS };

struct pipeline {
    const char *normalizer;
    const char *pre_tokenizer;
    void (*add_model)(struct tn_builder *json);
    const char *added_tokens;
    bool cuts;                 /* a text with words may be given in parts */
    size_t counts[LONG_TEXTS]; /* tokens of 1 MiB of "a", of U+1F600, of spaces and of noise (test_tokens_long.c) */
};

/* The first is that of GPT-2, in which tokens 0 to 255 are the bytes. */
enum { PIPELINES = 10 };
extern const struct pipeline pipelines[PIPELINES];

void pipeline_open(struct token_texts *texts, const struct pipeline *pipeline);

#endif
