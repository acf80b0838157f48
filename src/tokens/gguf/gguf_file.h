/* What the metadata of a GGUF say about its vocabulary, read and checked as far as one key goes. Keys are named without
 * the "tokenizer.ggml." before them. */
#ifndef TN_TOKENS_GGUF_FILE_H
#define TN_TOKENS_GGUF_FILE_H

#include "base/map.h"
#include "format/gguf.h"
#include "tokens/sentencepiece/sentencepiece_file.h"

struct tn_gguf_token {
    struct tn_str text; /* as the file writes it */
    float score;        /* 0 where the file has none */
    enum tn_sentencepiece_kind kind;
    bool placeholder; /* fills an id that the model's tokenizer does not have: "[PAD32011]" */
    int64_t offset;   /* in the file */
};

struct tn_gguf_file {
    struct tn_arena arena; /* holds all of it; texts may point into the bytes */
    struct tn_str name;    /* for messages */
    struct tn_str bytes;
    const struct tn_gguf *parser;
    const struct tn_value *metadata;
    struct tn_str model; /* the kind of vocabulary, "gpt2" */
    struct tn_str pre;   /* the name of the way in which text is split; empty: not given */
    struct tn_gguf_token *tokens;
    uint32_t count;
    bool scored;
    struct tn_map ids; /* of the tokens by their texts */
};

/* name, bytes  must outlive the file
 * Errors: TN_ERROR_NOT_A_MODEL where there is no vocabulary; those of tn_gguf_give; TN_ERROR_HEADER with the offset where a
 * key has not the form that it must have. The file is to be freed with tn_arena_free(&file->arena) in any case. */
bool tn_gguf_file_read(struct tn_gguf_file *file, struct tn_str name, struct tn_str bytes, struct tn_error *error);

/* The id of a token by the text that the file writes; TN_TOKEN_NONE. */
uint32_t tn_gguf_file_find(const struct tn_gguf_file *file, struct tn_str text);

/* A key; the value stays as it is where the key is missing. TN_ERROR_HEADER where it is of another kind, and for an id that
 * no token has. */
bool tn_gguf_file_flag(const struct tn_gguf_file *file, const char *key, bool *value, struct tn_error *error);
bool tn_gguf_file_id(const struct tn_gguf_file *file, const char *key, uint32_t *value, struct tn_error *error);

/* An array; NULL without an error where the key is missing. TN_ERROR_HEADER where it is no array, or its items are of none
 * of both types. */
bool tn_gguf_file_array(const struct tn_gguf_file *file, const char *key, enum tn_gguf_type type,
                        enum tn_gguf_type or_type, const struct tn_gguf_array **array, struct tn_error *error);

/* Adds the place in the file to an error. Always returns false. */
bool tn_gguf_file_fail_at(const struct tn_gguf_file *file, int64_t offset, struct tn_error *error);

#endif
