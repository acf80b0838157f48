/* The formats of tokenizers: one row and one file each. */
#ifndef TN_TOKENS_LOAD_H
#define TN_TOKENS_LOAD_H

#include "tokens/pipeline.h"

struct tn_tokenizer_loader {
    const char *format;
    bool (*matches)(struct tn_str bytes); /* by the first bytes; rows are tried in their order */
    /* Fills the tokenizer, which is {0} but for `format`: vocabulary, steps and the model; what it keeps is copied.
     * Errors: those of tn_tokenizer_open, with the place in the bytes where there is one. */
    bool (*load)(struct tn_tokenizer *tokenizer, struct tn_str name, struct tn_str bytes, struct tn_error *error);
};

bool tn_hub_matches(struct tn_str bytes);
bool tn_hub_load(struct tn_tokenizer *tokenizer, struct tn_str name, struct tn_str bytes, struct tn_error *error);
bool tn_gguf_vocabulary_matches(struct tn_str bytes);
bool tn_gguf_vocabulary_load(struct tn_tokenizer *tokenizer, struct tn_str name, struct tn_str bytes,
                             struct tn_error *error);
bool tn_tiktoken_matches(struct tn_str bytes);
bool tn_tiktoken_load(struct tn_tokenizer *tokenizer, struct tn_str name, struct tn_str bytes, struct tn_error *error);
bool tn_sentencepiece_matches(struct tn_str bytes);
bool tn_sentencepiece_load(struct tn_tokenizer *tokenizer, struct tn_str name, struct tn_str bytes,
                           struct tn_error *error);

/* Appends a step, for loaders. NULL with the error filled: memory, or more than TN_STEPS_LIMIT steps (TN_ERROR_CONFIG). */
struct tn_normal_step *tn_normal_step_new(struct tn_tokenizer *tokenizer, struct tn_error *error);
struct tn_split_step *tn_split_step_new(struct tn_tokenizer *tokenizer, struct tn_error *error);

#endif
