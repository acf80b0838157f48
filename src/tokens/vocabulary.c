#include "tokens/vocabulary.h"

#include "tokens/tokenizer.h"

static bool reserve_ids(struct tn_arena *arena, struct tn_vocabulary *vocabulary, size_t count, struct tn_error *error)
{
    if (count <= vocabulary->capacity) {
        return true;
    }
    struct tn_str *pieces = tn_arena_grow(arena, vocabulary->pieces, vocabulary->capacity, count, sizeof *pieces);
    if (!pieces) {
        return tn_fail_memory(error);
    }
    vocabulary->pieces = pieces;
    vocabulary->capacity = (uint32_t)count;
    return true;
}

bool tn_vocabulary_reserve(struct tn_arena *arena, struct tn_vocabulary *vocabulary, size_t count,
                           struct tn_error *error)
{
    if (count > TN_TOKEN_ID_LIMIT) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "%zu tokens; at most %d are possible", count, TN_TOKEN_ID_LIMIT);
    }
    return reserve_ids(arena, vocabulary, count, error)
           && (tn_token_table_reserve(arena, &vocabulary->ids, count) || tn_fail_memory(error));
}

/* Room for one more id. An id far beyond the number of tokens is a file's mistake, but a list of them is affordable. */
static bool make_room(struct tn_arena *arena, struct tn_vocabulary *vocabulary, uint32_t id, struct tn_error *error)
{
    if (id >= TN_TOKEN_ID_LIMIT) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "a token has the id %u; ids end at %d", id, TN_TOKEN_ID_LIMIT - 1);
    }
    if (id < vocabulary->capacity) {
        return true;
    }
    size_t wanted = (size_t)vocabulary->capacity * 2;
    wanted = wanted > id ? wanted : (size_t)id + 1;
    return reserve_ids(arena, vocabulary, wanted < TN_TOKEN_ID_LIMIT ? wanted : TN_TOKEN_ID_LIMIT, error);
}

static bool add(struct tn_vocabulary *vocabulary, const struct tn_new_token *token, const struct tn_token_key *key,
                struct tn_error *error)
{
    struct tn_str *piece = &vocabulary->pieces[token->id];
    if (piece->data) {
        return tn_fail(error, TN_ERROR_HEADER, "two tokens have the id %u: '" TN_STR_FORMAT "' and '" TN_STR_FORMAT "'",
                       token->id, TN_STR_ARGUMENTS(*piece), TN_STR_ARGUMENTS(token->piece));
    }
    *piece = token->piece.data ? token->piece : TN_STR("");
    vocabulary->size = token->id >= vocabulary->size ? token->id + 1 : vocabulary->size;
    if (!token->findable) {
        return true;
    }
    uint32_t first = tn_token_table_add(&vocabulary->ids, vocabulary->pieces, key, token->id);
    return first == token->id || token->repeats
           || tn_fail(error, TN_ERROR_HEADER, "the token '" TN_STR_FORMAT "' stands twice, as %u and as %u",
                      TN_STR_ARGUMENTS(*piece), first, token->id);
}

bool tn_vocabulary_add_all(struct tn_arena *arena, struct tn_vocabulary *vocabulary, const struct tn_new_token *tokens,
                           size_t count, size_t *failed, struct tn_error *error)
{
    struct tn_token_key keys[TN_NEW_TOKENS];
    size_t k = 0;
    bool done = tn_token_table_reserve(arena, &vocabulary->ids, vocabulary->ids.count + count) || tn_fail_memory(error);
    for (; done && k < count; k++) {
        done = make_room(arena, vocabulary, tokens[k].id, error);
    }
    for (size_t at = 0; done && at < count; at++) {
        keys[at] = tn_token_table_expect(&vocabulary->ids, tokens[at].piece);
    }
    for (k = done ? 0 : k; done && k < count; k++) {
        done = add(vocabulary, &tokens[k], &keys[k], error);
    }
    if (!done && failed) {
        *failed = k ? k - 1 : 0;
    }
    return done;
}

bool tn_vocabulary_add(struct tn_arena *arena, struct tn_vocabulary *vocabulary, struct tn_str piece, uint32_t id,
                       bool findable, struct tn_error *error)
{
    struct tn_new_token token = {piece, id, findable, false};
    return tn_vocabulary_add_all(arena, vocabulary, &token, 1, NULL, error);
}

uint32_t tn_vocabulary_find(const struct tn_vocabulary *vocabulary, struct tn_str piece)
{
    return tn_token_table_find(&vocabulary->ids, vocabulary->pieces, piece);
}

struct tn_str tn_vocabulary_piece(const struct tn_vocabulary *vocabulary, uint32_t id)
{
    return id < vocabulary->size ? vocabulary->pieces[id] : (struct tn_str){0};
}
