/* How the tokenizers split text whose vocabularies are byte pairs in a GGUF: the file has but a name for that. */
#ifndef TN_TOKENS_GGUF_PATTERN_H
#define TN_TOKENS_GGUF_PATTERN_H

#include "tokens/pipeline.h"

struct tn_gguf_pattern {
    const char *names; /* all that mean this, with spaces between them */
    const char *const
        *steps;       /* regular expressions, whose matches are isolated, or pre-tokenizers in JSON; NULL ends */
    bool composes;    /* text is normalised to NFC */
    bool whole_words; /* words that are tokens are not merged: ignore_merges */
    bool begins;      /* a text begins with the bos token, where the file does not say otherwise */
};

/* The row of a name; NULL where there is none. */
const struct tn_gguf_pattern *tn_gguf_pattern_find(struct tn_str name);

/* Adds the normalizer and the split steps. Errors: TN_ERROR_CONFIG, TN_ERROR_MEMORY. */
bool tn_gguf_pattern_add(struct tn_tokenizer *tokenizer, const struct tn_gguf_pattern *pattern, struct tn_error *error);

#endif
