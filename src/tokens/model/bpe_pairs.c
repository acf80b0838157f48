#include "tokens/model/bpe_pairs.h"

enum { LEAST_BITS = 8 };

/* The slot of a pair, or the empty one where it belongs; the pair is in the filter from now on. */
static struct tn_bpe_pair *slot_for(struct tn_bpe_pairs *pairs, uint64_t key)
{
    uint64_t hash = tn_bpe_pair_hash(key);
    size_t bit = (size_t)(hash >> (64 - pairs->bits - TN_BPE_FILTER_BITS));
    pairs->filter[bit / 64] |= (uint64_t)1 << bit % 64;
    size_t mask = ((size_t)1 << pairs->bits) - 1;
    size_t at = (size_t)(hash >> (64 - pairs->bits));
    while (pairs->slots[at].key && pairs->slots[at].key != key) {
        at = (at + 1) & mask;
    }
    return &pairs->slots[at];
}

static bool resize(struct tn_arena *arena, struct tn_bpe_pairs *pairs, unsigned bits)
{
    struct tn_bpe_pairs larger = {
        .slots = TN_NEW_ARRAY(arena, struct tn_bpe_pair, (size_t)1 << bits),
        .filter = TN_NEW_ARRAY(arena, uint64_t, ((size_t)1 << (bits + TN_BPE_FILTER_BITS)) / 64),
        .bits = bits,
        .count = pairs->count,
    };
    if (!larger.slots || !larger.filter) {
        return false;
    }
    size_t old_count = pairs->slots ? (size_t)1 << pairs->bits : 0;
    for (size_t k = 0; k < old_count; k++) {
        if (pairs->slots[k].key) {
            *slot_for(&larger, pairs->slots[k].key) = pairs->slots[k];
        }
    }
    *pairs = larger;
    return true;
}

static size_t room(unsigned bits)
{
    return ((size_t)1 << bits) / 4 * 3;
}

bool tn_bpe_pairs_reserve(struct tn_arena *arena, struct tn_bpe_pairs *pairs, size_t count)
{
    unsigned bits = LEAST_BITS;
    while (room(bits) <= count) {
        bits++;
    }
    return (pairs->slots && bits <= pairs->bits) || resize(arena, pairs, bits);
}

bool tn_bpe_pairs_put(struct tn_arena *arena, struct tn_bpe_pairs *pairs, uint32_t left, uint32_t right, uint32_t rank,
                      uint32_t merged)
{
    bool has_room = pairs->slots && pairs->count + 1 < room(pairs->bits);
    if (!has_room && !tn_bpe_pairs_reserve(arena, pairs, pairs->count + 1)) {
        return false;
    }
    uint64_t key = tn_bpe_pair_key(left, right);
    struct tn_bpe_pair *slot = slot_for(pairs, key);
    pairs->count += slot->key == 0;
    *slot = (struct tn_bpe_pair){key, rank, merged};
    return true;
}
