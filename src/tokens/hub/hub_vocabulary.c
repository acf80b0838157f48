/* Tokens by the names that a tokenizer.json gives them. Where the model works on bytes, a name is a letter for each of
 * them, and only the bytes are kept. */
#include <string.h>

#include "text/utf8.h"
#include "tokens/hub/hub.h"
#include "tokens/unicode/byte_letters.h"

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

/* The bytes that the letters of a name stand for; SIZE_MAX where a character is no such letter. */
static size_t bytes_of_letters(struct tn_str name, char *bytes)
{
    size_t count = 0;
    for (size_t at = 0; at < name.size;) {
        uint32_t letter = (unsigned char)name.data[at];
        size_t length = letter < 0x80 ? 1 : tn_utf8_decode(tn_str_slice(name, at, name.size), &letter);
        unsigned char byte;
        if (!length || !tn_byte_of_letter(letter, &byte)) {
            return SIZE_MAX;
        }
        bytes[count++] = (char)byte;
        at += length;
    }
    return count;
}

/* Writes the piece of a name into the room, without taking it yet. *written is false where a name should be in the letters
 * of bytes and is not; it is the piece itself then. false when memory is out. */
static bool write_piece(struct tn_hub *hub, struct tn_str name, struct tn_str *piece, bool *written)
{
    char *room = room_for(hub, name.size);
    if (!room) {
        return false;
    }
    size_t size = hub->byte_level ? bytes_of_letters(name, room) : SIZE_MAX;
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

bool tn_hub_token(struct tn_hub *hub, struct tn_str name, int64_t id, double score, struct tn_error *error)
{
    struct tn_vocabulary *vocabulary = &hub->tokenizer->vocabulary;
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
    /* Of equal pieces in a list the last one counts, which the model sees to. */
    bool repeated = hub->scored && tn_vocabulary_find(vocabulary, piece) != TN_TOKEN_NONE;
    if ((hub->scored && !note_score(hub, piece, score, error))
        || (!written && !note_unwritable(hub, piece, (uint32_t)id, error))) {
        return false;
    }
    hub->tokens_count++;
    return tn_vocabulary_add(&hub->tokenizer->arena, vocabulary, piece, (uint32_t)id, written && !repeated, error);
}

/* ---- merges ------------------------------------------------------------------------------------------------------- */

static bool absent(const struct tn_hub *hub, struct tn_str name, struct tn_error *error)
{
    return tn_fail(error, TN_ERROR_HEADER, "merge %zu names '" TN_STR_FORMAT "', which is no token",
                   hub->pairs_count + 1, TN_STR_ARGUMENTS(name));
}

static bool add_pair(struct tn_hub *hub, struct tn_hub_pair pair, struct tn_error *error)
{
    if (hub->pairs_count == hub->pairs_capacity) {
        size_t capacity = hub->pairs_capacity ? hub->pairs_capacity * 2 : FIRST_ITEMS;
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

/* Begins to look a token up. */
static void want(struct tn_hub *hub, struct tn_hub_wanted *wanted, struct tn_str name)
{
    wanted->name = name;
    wanted->size = SIZE_MAX;
    if (name.size > sizeof wanted->bytes || hub->tokenizer->vocabulary.ids.count == 0) {
        return;
    }
    if (hub->byte_level) {
        wanted->size = bytes_of_letters(name, wanted->bytes);
    } else {
        memcpy(wanted->bytes, name.data ? name.data : "", name.size);
        wanted->size = name.size;
    }
    if (wanted->size != SIZE_MAX) {
        wanted->key =
            tn_token_table_expect(&hub->tokenizer->vocabulary.ids, (struct tn_str){wanted->bytes, wanted->size});
    }
}

static uint32_t found(struct tn_hub *hub, const struct tn_hub_wanted *wanted)
{
    const struct tn_vocabulary *vocabulary = &hub->tokenizer->vocabulary;
    return wanted->size == SIZE_MAX ? tn_hub_id(hub, wanted->name)
                                    : tn_token_table_find_key(&vocabulary->ids, vocabulary->pieces, &wanted->key,
                                                              (struct tn_str){wanted->bytes, wanted->size});
}

bool tn_hub_merges_end(struct tn_hub *hub, struct tn_error *error)
{
    for (size_t k = 0; k < hub->wanted_count; k++) {
        const struct tn_hub_wanted *wanted = hub->wanted[k];
        struct tn_hub_pair pair = {found(hub, &wanted[0]), found(hub, &wanted[1])};
        if (pair.left == TN_TOKEN_NONE || pair.right == TN_TOKEN_NONE) {
            return absent(hub, wanted[pair.left == TN_TOKEN_NONE ? 0 : 1].name, error);
        }
        if (!add_pair(hub, pair, error)) {
            return false;
        }
    }
    hub->wanted_count = 0;
    return true;
}

bool tn_hub_merge(struct tn_hub *hub, struct tn_str left, struct tn_str right, struct tn_error *error)
{
    want(hub, &hub->wanted[hub->wanted_count][0], left);
    want(hub, &hub->wanted[hub->wanted_count][1], right);
    hub->wanted_count++;
    return hub->wanted_count < TN_HUB_AHEAD || tn_hub_merges_end(hub, error);
}
