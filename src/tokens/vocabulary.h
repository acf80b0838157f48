/* The tokens of a model: from ids to bytes and back. */
#ifndef TN_TOKENS_VOCABULARY_H
#define TN_TOKENS_VOCABULARY_H

#include "tokens/token_table.h"

struct tn_vocabulary {
    struct tn_str *pieces; /* [capacity] by id; data is NULL where no token has this id */
    uint32_t size;         /* the largest id and 1 more */
    uint32_t capacity;
    struct tn_token_table ids; /* of the pieces that stand in text */
};

/* Room for `count` tokens. Errors: TN_ERROR_MEMORY. */
bool tn_vocabulary_reserve(struct tn_arena *arena, struct tn_vocabulary *vocabulary, size_t count,
                           struct tn_error *error);

struct tn_new_token {
    struct tn_str piece; /* not copied: it must live as long as the arena */
    uint32_t id;
    bool findable; /* false: the piece is only shown, as those of special tokens */
    bool repeats;  /* it may be there already: the first one is found then */
};

enum { TN_NEW_TOKENS = 16 }; /* at once: what must be waited for is waited for together */

/* Adds at most TN_NEW_TOKENS tokens, in their order.
 * failed  gets the place of the one that an error is about; may be NULL
 * Errors: TN_ERROR_HEADER where the id, or a findable piece, is there already; TN_ERROR_TOO_LARGE for an id of
 * TN_TOKEN_ID_LIMIT and more; TN_ERROR_MEMORY. */
bool tn_vocabulary_add_all(struct tn_arena *arena, struct tn_vocabulary *vocabulary, const struct tn_new_token *tokens,
                           size_t count, size_t *failed, struct tn_error *error);

/* Adds one that does not repeat another. */
bool tn_vocabulary_add(struct tn_arena *arena, struct tn_vocabulary *vocabulary, struct tn_str piece, uint32_t id,
                       bool findable, struct tn_error *error);

/* The id of a findable piece, or TN_TOKEN_NONE. */
uint32_t tn_vocabulary_find(const struct tn_vocabulary *vocabulary, struct tn_str piece);

/* The piece of an id; empty where there is none. */
struct tn_str tn_vocabulary_piece(const struct tn_vocabulary *vocabulary, uint32_t id);

#endif
