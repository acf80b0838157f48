/* Tokens by the names that a tokenizer.json gives them. Where the model works on bytes, a name is a letter for each of
 * them, and only the bytes are kept. */
#include <string.h>

#include "tokens/hub/hub.h"
#include "tokens/unicode/byte_letters.h"

static bool at_offset(bool taken, int64_t offset, struct tn_error *error)
{
    return taken || tn_fail_at(error, offset, "tokenizer.json");
}

enum { ROOM_BYTES = 64 * 1024, FIRST_ITEMS = 4096 };

/* ---- pieces ------------------------------------------------------------------------------------------------------- */

/* Room for a piece of so many bytes at most. NULL when memory is out. */
static char *room_for(struct tn_hub *hub, size_t bytes)
{
    if (bytes > hub->room_bytes) {
        hub->room_bytes = bytes > ROOM_BYTES ? bytes : ROOM_BYTES;
        hub->room = tn_arena_alloc(&hub->tokenizer->arena, hub->room_bytes);
        hub->room_bytes = hub->room ? hub->room_bytes : 0;
    }
    return hub->room;
}

/* Writes the piece of a name into the room, without taking it yet. *written is false where a name should be in the letters
 * of bytes and is not; it is the piece itself then. false when memory is out. */
static bool write_piece(struct tn_hub *hub, struct tn_str name, struct tn_str *piece, bool *written)
{
    char *room = room_for(hub, name.size);
    if (!room) {
        return false;
    }
    size_t size = hub->byte_level ? tn_bytes_of_letters(name, room) : SIZE_MAX;
    *written = !hub->byte_level || size != SIZE_MAX;
    if (size == SIZE_MAX) {
        memcpy(room, name.data ? name.data : "", name.size);
        size = name.size;
    }
    *piece = (struct tn_str){room, size};
    return true;
}

static void take_room(struct tn_hub *hub, size_t bytes)
{
    hub->room += bytes;
    hub->room_bytes -= bytes;
}

uint32_t tn_hub_id(struct tn_hub *hub, struct tn_str name)
{
    struct tn_str piece;
    bool written;
    if (!hub->byte_level) {
        return tn_vocabulary_find(&hub->tokenizer->vocabulary, name);
    }
    if (!write_piece(hub, name, &piece, &written)) {
        return TN_TOKEN_NONE;
    }
    return written ? tn_vocabulary_find(&hub->tokenizer->vocabulary, piece) : tn_map_find(&hub->unwritable, name);
}

/* ---- tokens ------------------------------------------------------------------------------------------------------- */

static bool note_unwritable(struct tn_hub *hub, struct tn_str piece, uint32_t id, struct tn_error *error)
{
    uint32_t existing = TN_MAP_NONE;
    if (!tn_map_insert(&hub->scratch, &hub->unwritable, piece, id, &existing)) {
        return tn_fail_memory(error);
    }
    return existing == TN_MAP_NONE
           || tn_fail(error, TN_ERROR_HEADER, "the token '" TN_STR_FORMAT "' stands twice", TN_STR_ARGUMENTS(piece));
}

static bool note_score(struct tn_hub *hub, struct tn_str piece, double score, struct tn_error *error)
{
    if (hub->tokens_count == hub->entries_capacity) {
        size_t capacity = hub->entries_capacity ? hub->entries_capacity * 2 : FIRST_ITEMS;
        hub->entries =
            tn_arena_grow(&hub->scratch, hub->entries, hub->entries_capacity, capacity, sizeof *hub->entries);
        hub->entries_capacity = hub->entries ? capacity : 0;
    }
    if (!hub->entries) {
        return tn_fail_memory(error);
    }
    hub->entries[hub->tokens_count] = (struct tn_unigram_entry){piece, score};
    return true;
}

bool tn_hub_tokens_end(struct tn_hub *hub, struct tn_error *error)
{
    size_t count = hub->waiting;
    size_t failed = 0;
    hub->waiting = 0;
    bool added =
        tn_vocabulary_add_all(&hub->tokenizer->arena, &hub->tokenizer->vocabulary, hub->tokens, count, &failed, error);
    return at_offset(added, hub->token_offsets[failed], error);
}

static bool take_token(struct tn_hub *hub, struct tn_str name, int64_t id, double score, struct tn_error *error)
{
    struct tn_str piece;
    bool written;
    if (id < 0 || id >= TN_TOKEN_ID_LIMIT) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "the token '" TN_STR_FORMAT "' has the id %lld; ids are 0 to %d",
                       TN_STR_ARGUMENTS(name), (long long)id, TN_TOKEN_ID_LIMIT - 1);
    }
    if (!write_piece(hub, name, &piece, &written)) {
        return tn_fail_memory(error);
    }
    take_room(hub, piece.size);
    if ((hub->scored && !note_score(hub, piece, score, error))
        || (!written && !note_unwritable(hub, piece, (uint32_t)id, error))) {
        return false;
    }
    /* Of equal pieces in a list the last one counts, which the model sees to. */
    hub->tokens[hub->waiting] = (struct tn_new_token){piece, (uint32_t)id, written, hub->scored};
    hub->tokens_count++;
    return true;
}

bool tn_hub_token(struct tn_hub *hub, struct tn_str name, int64_t id, double score, int64_t offset,
                  struct tn_error *error)
{
    if (!at_offset(take_token(hub, name, id, score, error), offset, error)) {
        return false;
    }
    hub->token_offsets[hub->waiting++] = offset;
    return hub->waiting < TN_NEW_TOKENS || tn_hub_tokens_end(hub, error);
}

/* ---- merges ------------------------------------------------------------------------------------------------------- */

static bool add_pair(struct tn_hub *hub, struct tn_hub_pair pair, struct tn_error *error)
{
    if (hub->pairs_count == hub->pairs_capacity) {
        size_t capacity = hub->pairs_capacity ? hub->pairs_capacity * 2 : FIRST_ITEMS + hub->likely_pairs;
        struct tn_hub_pair *pairs =
            tn_arena_grow(&hub->pairs_arena, hub->pairs, hub->pairs_capacity, capacity, sizeof *pairs);
        if (!pairs) {
            return tn_fail_memory(error);
        }
        hub->pairs = pairs;
        hub->pairs_capacity = capacity;
    }
    hub->pairs[hub->pairs_count++] = pair;
    return true;
}

/* Begins to look a token of a merge up; *room is behind the bytes that are taken. */
static void want(struct tn_hub *hub, struct tn_hub_merge *merge, unsigned side, struct tn_str name, char **room)
{
    size_t size = SIZE_MAX;
    merge->names[side] = name;
    merge->pieces[side] = (struct tn_str){0};
    if (name.size > sizeof merge->bytes / 2 || hub->tokenizer->vocabulary.ids.count == 0) {
        return;
    }
    if (hub->byte_level) {
        size = tn_bytes_of_letters(name, *room);
    } else {
        memcpy(*room, name.data ? name.data : "", name.size);
        size = name.size;
    }
    if (size != SIZE_MAX) {
        merge->pieces[side] = (struct tn_str){*room, size};
        merge->keys[side] = tn_token_table_expect(&hub->tokenizer->vocabulary.ids, merge->pieces[side]);
        *room += size;
    }
}

static uint32_t found(struct tn_hub *hub, const struct tn_hub_merge *merge, unsigned side)
{
    const struct tn_vocabulary *vocabulary = &hub->tokenizer->vocabulary;
    return !merge->pieces[side].data
               ? tn_hub_id(hub, merge->names[side])
               : tn_token_table_find_key(&vocabulary->ids, vocabulary->pieces, &merge->keys[side], merge->pieces[side]);
}

/* The token that is both pieces. Mostly it is that of the merge before or the next one, which spares looking it up. */
static uint32_t joined(struct tn_hub *hub, const struct tn_hub_merge *merge)
{
    const struct tn_vocabulary *vocabulary = &hub->tokenizer->vocabulary;
    struct tn_str whole = {merge->bytes, merge->pieces[0].size + merge->pieces[1].size};
    if (!merge->pieces[0].data || !merge->pieces[1].data) {
        return TN_TOKEN_NONE;
    }
    for (uint32_t id = hub->last_joined; id < vocabulary->size && id <= hub->last_joined + 1; id++) {
        if (tn_str_equal(vocabulary->pieces[id], whole)) {
            return hub->last_joined = id;
        }
    }
    uint32_t id = tn_vocabulary_find(vocabulary, whole);
    hub->last_joined = id != TN_TOKEN_NONE ? id : hub->last_joined;
    return id;
}

static bool take_merge(struct tn_hub *hub, const struct tn_hub_merge *merge, struct tn_error *error)
{
    struct tn_hub_pair pair = {.left = found(hub, merge, 0), .right = found(hub, merge, 1)};
    if (pair.left == TN_TOKEN_NONE || pair.right == TN_TOKEN_NONE) {
        return tn_fail(error, TN_ERROR_HEADER, "merge %zu names '" TN_STR_FORMAT "', which is no token",
                       hub->pairs_count + 1, TN_STR_ARGUMENTS(merge->names[pair.left == TN_TOKEN_NONE ? 0 : 1]));
    }
    pair.joined = joined(hub, merge);
    return add_pair(hub, pair, error);
}

bool tn_hub_merges_end(struct tn_hub *hub, struct tn_error *error)
{
    size_t count = hub->merges_count;
    bool done = true;
    hub->merges_count = 0;
    for (size_t k = 0; done && k < count; k++) {
        done = at_offset(take_merge(hub, &hub->merges[k], error), hub->merges[k].offset, error);
    }
    return done;
}

bool tn_hub_merge(struct tn_hub *hub, struct tn_str left, struct tn_str right, int64_t offset, struct tn_error *error)
{
    struct tn_hub_merge *merge = &hub->merges[hub->merges_count++];
    char *room = merge->bytes;
    merge->offset = offset;
    want(hub, merge, 0, left, &room);
    want(hub, merge, 1, right, &room);
    return hub->merges_count < TN_HUB_AHEAD || tn_hub_merges_end(hub, error);
}
