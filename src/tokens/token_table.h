/* From the bytes of tokens to their ids. A base/map.h would do; but looking tokens up is most of the work of loading a
 * tokenizer, nearly all are short, and here a short one costs one access to memory instead of three. */
#ifndef TN_TOKENS_TOKEN_TABLE_H
#define TN_TOKENS_TOKEN_TABLE_H

#include "base/text.h"

struct tn_token_slot {
    uint64_t start; /* the first eight bytes; zeros behind a shorter token */
    uint32_t tag; /* the length of a token of up to eight bytes; else a hash of all of it, with the highest bit set; 0:
                       empty */
    uint32_t id;
};

struct tn_token_table {
    struct tn_token_slot *slots; /* [1 << bits] */
    unsigned bits;
    size_t count;
    uint64_t seed;
};

/* Room for `count` tokens. false when memory is out. */
bool tn_token_table_reserve(struct tn_arena *arena, struct tn_token_table *table, size_t count);

/* What a piece is looked up by; valid until room is reserved. */
struct tn_token_key {
    uint64_t start;
    uint64_t hash;
    uint32_t tag;
};

/* Makes the key, and fetches into the cache what finding it will touch: several keys made at once are found in the time of
 * one. The table is not empty. */
struct tn_token_key tn_token_table_expect(const struct tn_token_table *table, struct tn_str piece);

/* Adds pieces[id] under its id, by its key, where it is not there yet. Returns the id that the piece has then: another one
 * where it was there already. There must be room.
 * pieces  by id, with this one */
uint32_t tn_token_table_add(struct tn_token_table *table, const struct tn_str *pieces, const struct tn_token_key *key,
                            uint32_t id);

/* As tn_token_table_find, by the key of the same piece. */
uint32_t tn_token_table_find_key(const struct tn_token_table *table, const struct tn_str *pieces,
                                 const struct tn_token_key *key, struct tn_str piece);

/* The id of a piece, UINT32_MAX where it is not there.
 * pieces  by id, as when they were added */
uint32_t tn_token_table_find(const struct tn_token_table *table, const struct tn_str *pieces, struct tn_str piece);

#endif
