/* Patterns that split text: a hand-written scanner where the pattern is a well-known one, Oniguruma for any other. */
#ifndef TN_TOKENS_PATTERN_H
#define TN_TOKENS_PATTERN_H

#include "tokens/pipeline.h"

struct tn_match {
    size_t begin; /* bytes */
    size_t end;   /* may equal begin: an empty match */
};

enum tn_found { TN_FOUND_NOTHING, TN_FOUND, TN_FOUND_FAILED /* the error is filled */ };

struct tn_pattern {
    /* The first match at or behind `from`. text is valid UTF-8. */
    enum tn_found (*next)(const struct tn_pattern *pattern, struct tn_str text, size_t from, struct tn_match *match,
                          struct tn_error *error);
    const void *rules; /* of this kind of pattern */
    /* Of a scanner whose parts follow each other without gaps: the end of the one that begins at `at`. Else NULL. */
    size_t (*part_end)(struct tn_str text, size_t at);
    bool local;   /* looks at nothing beyond a space between two letters of ASCII, from either side */
    bool divides; /* and begins a match at every such space */
};

/* A regular expression in the notation of Oniguruma. NULL with the error filled: TN_ERROR_CONFIG where it cannot be
 * compiled, TN_ERROR_MEMORY. Belongs to the tokenizer. */
const struct tn_pattern *tn_pattern_regex(struct tn_tokenizer *tokenizer, struct tn_str regex, struct tn_error *error);

/* One of the encodings of tiktoken, as that library reads it. As above. */
const struct tn_pattern *tn_pattern_ranks(struct tn_tokenizer *tokenizer, struct tn_str regex, struct tn_error *error);

/* A fixed text. As above; an empty text is refused. */
const struct tn_pattern *tn_pattern_text(struct tn_tokenizer *tokenizer, struct tn_str text, struct tn_error *error);

/* GPT-2's pattern, which ByteLevel pre-tokenizers apply. Static storage. */
extern const struct tn_pattern tn_pattern_gpt2;

#endif
