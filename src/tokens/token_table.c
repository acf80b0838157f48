#include "tokens/token_table.h"

#include <string.h>

#include "base/number.h"

enum { SHORT_BYTES = 8, LEAST_BITS = 6 };

static const uint32_t long_mark = 0x80000000U;

/* At most eight bytes as a number, without a loop: loads that overlap agree where they do. */
static uint64_t load_short(const char *data, size_t size)
{
    if (size >= 4) {
        return tn_load_u32(data) | (uint64_t)tn_load_u32(data + size - 4) << 8 * (size - 4);
    }
    if (size == 0) {
        return 0;
    }
    return (uint64_t)(unsigned char)data[0] | (uint64_t)(unsigned char)data[size / 2] << 8 * (size / 2)
           | (uint64_t)(unsigned char)data[size - 1] << 8 * (size - 1);
}

/* What a slot holds of a key is all that its place follows from: a table grows without a look at the pieces. */
static uint64_t hash_of(uint64_t seed, uint64_t start, uint32_t tag)
{
    return tn_mix_u64(seed + tag, start);
}

static struct tn_token_key key_of(uint64_t seed, struct tn_str piece)
{
    struct tn_token_key key = {.tag = (uint32_t)piece.size + 1}; /* 0 marks an empty slot */
    if (piece.size <= SHORT_BYTES) {
        key.start = load_short(piece.data, piece.size);
    } else {
        uint64_t state = tn_mix_u64(seed, piece.size);
        for (size_t at = 0; piece.size - at > SHORT_BYTES; at += 8) {
            state = tn_mix_u64(state, tn_load_u64(piece.data + at));
        }
        state = tn_mix_u64(state, tn_load_u64(piece.data + piece.size - 8)); /* overlaps what was read before */
        key.start = tn_load_u64(piece.data);
        key.tag = (uint32_t)(state ^ state >> 32) | long_mark;
    }
    key.hash = hash_of(seed, key.start, key.tag);
    return key;
}

/* The slot that has the piece, or the empty one where it belongs. There is always an empty one. */
static struct tn_token_slot *slot_of(const struct tn_token_table *table, const struct tn_str *pieces,
                                     const struct tn_token_key *key, struct tn_str piece)
{
    size_t mask = ((size_t)1 << table->bits) - 1;
    for (size_t at = (size_t)(key->hash >> (64 - table->bits));; at = (at + 1) & mask) {
        struct tn_token_slot *slot = &table->slots[at];
        if (slot->tag == 0) {
            return slot;
        }
        if (slot->start == key->start && slot->tag == key->tag
            && (piece.size <= SHORT_BYTES || tn_str_equal(pieces[slot->id], piece))) {
            return slot;
        }
    }
}

static bool resize(struct tn_arena *arena, struct tn_token_table *table, unsigned bits)
{
    struct tn_token_table larger = {TN_NEW_ARRAY(arena, struct tn_token_slot, (size_t)1 << bits), bits, table->count,
                                    table->seed};
    if (!larger.slots) {
        return false;
    }
    /* The author of a file cannot know an address, so he cannot make pieces that all collide. */
    larger.seed = table->slots ? table->seed : (uintptr_t)larger.slots;
    size_t old_count = table->slots ? (size_t)1 << table->bits : 0;
    size_t mask = ((size_t)1 << bits) - 1;
    for (size_t k = 0; k < old_count; k++) {
        const struct tn_token_slot *old = &table->slots[k];
        if (old->tag) {
            size_t at = (size_t)(hash_of(larger.seed, old->start, old->tag) >> (64 - bits));
            while (larger.slots[at].tag) {
                at = (at + 1) & mask;
            }
            larger.slots[at] = *old;
        }
    }
    *table = larger;
    return true;
}

static size_t room(unsigned bits)
{
    return ((size_t)1 << bits) / 3 * 2;
}

bool tn_token_table_reserve(struct tn_arena *arena, struct tn_token_table *table, size_t count)
{
    unsigned bits = table->slots ? table->bits : LEAST_BITS;
    while (room(bits) <= count) {
        bits++;
    }
    return (table->slots && bits == table->bits) || resize(arena, table, bits);
}

uint32_t tn_token_table_add(struct tn_token_table *table, const struct tn_str *pieces, const struct tn_token_key *key,
                            uint32_t id)
{
    struct tn_token_slot *slot = slot_of(table, pieces, key, pieces[id]);
    if (slot->tag == 0) {
        *slot = (struct tn_token_slot){key->start, key->tag, id};
        table->count++;
    }
    return slot->id;
}

struct tn_token_key tn_token_table_expect(const struct tn_token_table *table, struct tn_str piece)
{
    struct tn_token_key key = key_of(table->seed, piece);
    __builtin_prefetch(&table->slots[key.hash >> (64 - table->bits)]);
    return key;
}

uint32_t tn_token_table_find_key(const struct tn_token_table *table, const struct tn_str *pieces,
                                 const struct tn_token_key *key, struct tn_str piece)
{
    const struct tn_token_slot *slot = slot_of(table, pieces, key, piece);
    return slot->tag ? slot->id : UINT32_MAX;
}

uint32_t tn_token_table_find(const struct tn_token_table *table, const struct tn_str *pieces, struct tn_str piece)
{
    if (table->count == 0) {
        return UINT32_MAX;
    }
    struct tn_token_key key = key_of(table->seed, piece);
    return tn_token_table_find_key(table, pieces, &key, piece);
}
