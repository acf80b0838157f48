#include "tokens/token_table.h"

#include <string.h>

#include "base/number.h"

enum { SHORT_BYTES = 8, LEAST_BITS = 6 };

static const uint32_t long_mark = 0x80000000U;

static struct tn_token_key short_key(uint64_t seed, struct tn_str piece)
{
    uint64_t start = 0;
    for (size_t k = 0; k < piece.size; k++) {
        start |= (uint64_t)(unsigned char)piece.data[k] << 8 * k;
    }
    uint32_t tag = (uint32_t)piece.size + 1; /* 0 marks an empty slot */
    return (struct tn_token_key){start, tn_mix_u64(tn_mix_u64(seed, start), tag), tag};
}

static struct tn_token_key key_of(uint64_t seed, struct tn_str piece)
{
    if (piece.size <= SHORT_BYTES) {
        return short_key(seed, piece);
    }
    uint64_t state = tn_mix_u64(seed, piece.size);
    for (size_t at = 0; piece.size - at > SHORT_BYTES; at += 8) {
        state = tn_mix_u64(state, tn_load_u64(piece.data + at));
    }
    state = tn_mix_u64(state, tn_load_u64(piece.data + piece.size - 8)); /* overlaps what was read before */
    return (struct tn_token_key){tn_load_u64(piece.data), tn_mix_u64(state, seed), (uint32_t)state | long_mark};
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

static bool resize(struct tn_arena *arena, struct tn_token_table *table, const struct tn_str *pieces, unsigned bits)
{
    struct tn_token_table larger = {TN_NEW_ARRAY(arena, struct tn_token_slot, (size_t)1 << bits), bits, table->count,
                                    0};
    if (!larger.slots) {
        return false;
    }
    /* The author of a file cannot know an address, so he cannot make pieces that all collide. */
    larger.seed = (uintptr_t)larger.slots;
    size_t old_count = table->slots ? (size_t)1 << table->bits : 0;
    for (size_t k = 0; k < old_count; k++) {
        if (table->slots[k].tag) {
            uint32_t id = table->slots[k].id;
            struct tn_token_key key = key_of(larger.seed, pieces[id]);
            *slot_of(&larger, pieces, &key, pieces[id]) = (struct tn_token_slot){key.start, key.tag, id};
        }
    }
    *table = larger;
    return true;
}

bool tn_token_table_reserve(struct tn_arena *arena, struct tn_token_table *table, const struct tn_str *pieces,
                            size_t count)
{
    unsigned bits = LEAST_BITS;
    while (((size_t)1 << bits) / 3 * 2 <= count) {
        bits++;
    }
    return (table->slots && bits <= table->bits) || resize(arena, table, pieces, bits);
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
