#include "tokens/vocabulary.h"

#include "tokens/tokenizer.h"

bool tn_vocabulary_reserve(struct tn_arena *arena, struct tn_vocabulary *vocabulary, size_t count,
                           struct tn_error *error)
{
    if (count > TN_TOKEN_ID_LIMIT) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "%zu tokens; at most %d are possible", count, TN_TOKEN_ID_LIMIT);
    }
    if (count <= vocabulary->capacity) {
        return true;
    }
    struct tn_str *pieces = tn_arena_grow(arena, vocabulary->pieces, vocabulary->capacity, count, sizeof *pieces);
    if (!pieces || !tn_token_table_reserve(arena, &vocabulary->ids, pieces, count)) {
        return tn_fail_memory(error);
    }
    vocabulary->pieces = pieces;
    vocabulary->capacity = (uint32_t)count;
    return true;
}

/* Room for one more id. An id far beyond the number of tokens is a file's mistake, but a table of them is affordable. */
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
    return tn_vocabulary_reserve(arena, vocabulary, wanted < TN_TOKEN_ID_LIMIT ? wanted : TN_TOKEN_ID_LIMIT, error);
}

bool tn_vocabulary_add(struct tn_arena *arena, struct tn_vocabulary *vocabulary, struct tn_str piece, uint32_t id,
                       bool findable, struct tn_error *error)
{
    if (!make_room(arena, vocabulary, id, error)) {
        return false;
    }
    if (vocabulary->pieces[id].data) {
        return tn_fail(error, TN_ERROR_HEADER, "two tokens have the id %u: '" TN_STR_FORMAT "' and '" TN_STR_FORMAT "'",
                       id, TN_STR_ARGUMENTS(vocabulary->pieces[id]), TN_STR_ARGUMENTS(piece));
    }
    vocabulary->pieces[id] = piece.data ? piece : TN_STR("");
    vocabulary->size = id >= vocabulary->size ? id + 1 : vocabulary->size;
    if (!findable) {
        return true;
    }
    uint32_t first = tn_token_table_add(&vocabulary->ids, vocabulary->pieces, id);
    return first == id
           || tn_fail(error, TN_ERROR_HEADER, "the token '" TN_STR_FORMAT "' stands twice, as %u and as %u",
                      TN_STR_ARGUMENTS(piece), first, id);
}

uint32_t tn_vocabulary_find(const struct tn_vocabulary *vocabulary, struct tn_str piece)
{
    return tn_token_table_find(&vocabulary->ids, vocabulary->pieces, piece);
}

struct tn_str tn_vocabulary_piece(const struct tn_vocabulary *vocabulary, uint32_t id)
{
    return id < vocabulary->size ? vocabulary->pieces[id] : (struct tn_str){0};
}
