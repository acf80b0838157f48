/* A tokenizer.json on its way to a tokenizer. Its text is walked once: the vocabulary and the merges, of which there are
 * hundreds of thousands, are taken in as they come, everything else becomes trees. */
#ifndef TN_TOKENS_HUB_H
#define TN_TOKENS_HUB_H

#include "base/map.h"
#include "text/json.h"
#include "tokens/load.h"
#include "tokens/model/unigram.h"

/* A merge whose tokens are to be looked up soon. */
struct tn_hub_merge {
    int64_t offset;         /* in the file */
    struct tn_str names[2]; /* as the file writes them */
    struct tn_str pieces
        [2]; /* in `bytes`, one behind the other; data is NULL where too long for them, or not in the letters of bytes */
    struct tn_token_key keys[2];
    char bytes[96];
};

enum { TN_HUB_AHEAD = 16 }; /* merges that are looked up together */

struct tn_hub_pair {
    uint32_t left;
    uint32_t right;
    uint32_t joined; /* the token that is one behind the other, where it was found on the way; else TN_TOKEN_NONE */
};

struct tn_hub {
    struct tn_tokenizer *tokenizer;
    struct tn_arena scratch; /* what lives as long as the loading; strings of the trees may point into the file */
    struct tn_value added_tokens;
    struct tn_value normalizer;
    struct tn_value pre_tokenizer;
    struct tn_value post_processor;
    struct tn_value model; /* the object "model" without "vocab" and "merges" */
    bool byte_level;       /* names are written in the letters of bytes (byte_letters.h) */

    /* the vocabulary */
    size_t tokens_count;
    bool scored;                      /* a list of pairs */
    struct tn_unigram_entry *entries; /* [tokens_count], where it is */
    size_t entries_capacity;
    struct tn_map unwritable; /* names that are not in the letters of bytes though the others are, to ids */
    char *room;               /* for the next piece, in the tokenizer's arena */
    size_t room_bytes;
    struct tn_new_token tokens[TN_NEW_TOKENS]; /* [waiting] that are not in the vocabulary yet */
    int64_t token_offsets[TN_NEW_TOKENS];
    size_t waiting;

    /* the merges, in their order */
    bool has_merges;
    size_t likely_pairs;
    struct tn_arena pairs_arena; /* apart, so that the array grows in place */
    struct tn_hub_pair *pairs;   /* [pairs_count] */
    size_t pairs_count;
    size_t pairs_capacity;
    struct tn_hub_merge merges[TN_HUB_AHEAD]; /* [merges_count] that are no pairs yet */
    size_t merges_count;
    uint32_t last_joined; /* of the pair before */

    /* the added tokens */
    struct tn_map added_names; /* to their places */
    uint32_t next_added;       /* the id of the next one that is no token of the model */
};

/* hub_file.c: walks the text. Errors: TN_ERROR_JSON; TN_ERROR_NOT_A_MODEL without "model"; TN_ERROR_CONFIG where a part has
 * not the form that it must have; those of the functions below. Each with the offset. */
bool tn_hub_walk(struct tn_hub *hub, struct tn_str text, struct tn_error *error);

/* hub_vocabulary.c */

/* Takes in one token; behind the last one the end is to be told.
 * offset  of the name in the file
 * Errors, with the offset: TN_ERROR_HEADER where the id or the name is there already, also of one of the last tokens before
 * it; TN_ERROR_TOO_LARGE; TN_ERROR_MEMORY. */
bool tn_hub_token(struct tn_hub *hub, struct tn_str name, int64_t id, double score, int64_t offset,
                  struct tn_error *error);
bool tn_hub_tokens_end(struct tn_hub *hub, struct tn_error *error);

/* The id of a token by the name that the file writes; TN_TOKEN_NONE. */
uint32_t tn_hub_id(struct tn_hub *hub, struct tn_str name);

/* Takes in one merge; all tokens are known. The names must live until the end is told.
 * offset  in the file
 * Errors, with the offset: TN_ERROR_HEADER where one of the two, or of the last merges before it, is no token;
 * TN_ERROR_MEMORY. */
bool tn_hub_merge(struct tn_hub *hub, struct tn_str left, struct tn_str right, int64_t offset, struct tn_error *error);
bool tn_hub_merges_end(struct tn_hub *hub, struct tn_error *error);

/* hub_model.c: adds the model as the last split step. Errors: TN_ERROR_CONFIG, TN_ERROR_HEADER, TN_ERROR_MEMORY. */
bool tn_hub_model(struct tn_hub *hub, struct tn_error *error);

/* hub_added.c: the added tokens, with the finders. Errors: TN_ERROR_CONFIG, TN_ERROR_HEADER, TN_ERROR_MEMORY. */
bool tn_hub_added(struct tn_hub *hub, struct tn_error *error);

#endif
