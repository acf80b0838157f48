/* Steps of tokenizers made from parts of a tokenizer.json. */
#ifndef TN_TESTS_TOKEN_STEPS_H
#define TN_TESTS_TOKEN_STEPS_H

#include "text/value.h"
#include "tokens/pipeline.h"

struct token_steps {
    struct tn_tokenizer *tokenizer;
    struct tn_encoder *encoder;
    struct tn_arena arena;   /* of the JSON, which is gone once the steps are read, and of results */
    struct tn_builder parts; /* "a|b|c" */
    bool byte_level;         /* parts are written as letters, as the reference does */
    struct tn_error error;
};

typedef bool (*token_part_read)(struct tn_tokenizer *tokenizer, const struct tn_value *json, struct tn_error *error);

/* An empty tokenizer. */
void token_steps_open(struct token_steps *steps);
void token_steps_close(struct token_steps *steps);

/* Reads a part; false with steps->error filled. Fails the test where the JSON is none. */
bool token_steps_read(struct token_steps *steps, token_part_read read, const char *json);
bool token_steps_read_pre_tokenizer(struct token_steps *steps, const char *json);

/* The text after the normalizer. */
struct tn_str token_steps_normalized(struct token_steps *steps, const char *text);

/* The parts after the pre-tokenizer, joined by "|". */
const char *token_steps_parts(struct token_steps *steps, const char *text);

/* The ids of a text as "1 2 3", after the pipeline with a model. */
const char *token_steps_ids(struct token_steps *steps, const char *text);

#endif
