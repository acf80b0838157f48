/* A tokenizer.json, taken apart in one pass over its text: the two long lists as arrays, everything else as trees. */
#ifndef TN_TOKENS_HUB_FILE_H
#define TN_TOKENS_HUB_FILE_H

#include "text/json.h"

struct tn_hub_token {
    struct tn_str name; /* as the file writes it */
    int64_t id;         /* of a list: the place in it */
    double score;       /* of a unigram's list; 0 otherwise */
    int64_t offset;     /* bytes, in the file */
};

struct tn_hub_merge {
    struct tn_str left;
    struct tn_str right;
    int64_t offset;
};

struct tn_hub_file {
    struct tn_arena arena;       /* holds all of it; strings may point into the file */
    struct tn_hub_token *tokens; /* [tokens_count] */
    size_t tokens_count;
    size_t tokens_capacity;
    bool scored;                 /* "vocab" is a list of pairs */
    struct tn_hub_merge *merges; /* [merges_count] */
    size_t merges_count;
    size_t merges_capacity;
    bool has_merges;
    struct tn_value model; /* the object "model" without "vocab" and "merges" */
    struct tn_value added_tokens;
    struct tn_value normalizer;
    struct tn_value pre_tokenizer;
    struct tn_value post_processor;
};

/* Errors: TN_ERROR_JSON; TN_ERROR_CONFIG where a part has not the form that it must have, or "model" is missing;
 * TN_ERROR_MEMORY. Each with the offset. The file is to be freed with tn_arena_free(&file->arena) in any case. */
bool tn_hub_file_read(struct tn_hub_file *file, struct tn_str text, struct tn_error *error);

#endif
