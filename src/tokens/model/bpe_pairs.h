/* The merges of a byte-pair encoding: from a pair of ids to its rank and to the id of both. */
#ifndef TN_TOKENS_BPE_PAIRS_H
#define TN_TOKENS_BPE_PAIRS_H

#include "base/arena.h"
#include "base/number.h"

struct tn_bpe_pair {
    uint64_t key; /* (left << 32 | right) + 1; 0: empty */
    uint32_t rank;
    uint32_t merged;
};

struct tn_bpe_pairs {
    struct tn_bpe_pair *slots; /* [1 << bits] */
    uint64_t *filter;          /* a bit for each of 4 places per slot: most pairs that are asked for are not there, and
                                  the filter is small enough to say so from a near cache */
    unsigned bits;
    size_t count;
};

enum { TN_BPE_FILTER_BITS = 2 };

/* Room for `count` pairs. false when memory is out. */
bool tn_bpe_pairs_reserve(struct tn_arena *arena, struct tn_bpe_pairs *pairs, size_t count);

/* Adds a pair, or replaces what it had. false when memory is out. */
bool tn_bpe_pairs_put(struct tn_arena *arena, struct tn_bpe_pairs *pairs, uint32_t left, uint32_t right, uint32_t rank,
                      uint32_t merged);

static inline uint64_t tn_bpe_pair_key(uint32_t left, uint32_t right)
{
    return ((uint64_t)left << 32 | right) + 1;
}

static inline uint64_t tn_bpe_pair_hash(uint64_t key)
{
    uint64_t mixed = (key ^ key >> 29) * 0x9E3779B97F4A7C15U;
    return (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93U;
}

/* Fetches into the cache what adding this pair will touch. */
static inline void tn_bpe_pairs_prefetch(const struct tn_bpe_pairs *pairs, uint32_t left, uint32_t right)
{
    uint64_t hash = tn_bpe_pair_hash(tn_bpe_pair_key(left, right));
    __builtin_prefetch(&pairs->slots[hash >> (64 - pairs->bits)], 1);
    __builtin_prefetch(&pairs->filter[(hash >> (64 - pairs->bits - TN_BPE_FILTER_BITS)) / 64], 1);
    __asm__ volatile(""); /* gcc leaves out calls of functions that do nothing but prefetch */
}

/* Whether the pair may be there; if so, fetches into the cache what finding it will touch. */
static inline bool tn_bpe_pairs_expect(const struct tn_bpe_pairs *pairs, uint32_t left, uint32_t right)
{
    uint64_t hash = tn_bpe_pair_hash(tn_bpe_pair_key(left, right));
    size_t bit = (size_t)(hash >> (64 - pairs->bits - TN_BPE_FILTER_BITS));
    if (!(pairs->filter[bit / 64] >> bit % 64 & 1)) {
        return false;
    }
    __builtin_prefetch(&pairs->slots[hash >> (64 - pairs->bits)]);
    return true;
}

/* NULL where the pair is not merged. There is always an empty slot. */
static inline const struct tn_bpe_pair *tn_bpe_pairs_find(const struct tn_bpe_pairs *pairs, uint32_t left,
                                                          uint32_t right)
{
    uint64_t key = tn_bpe_pair_key(left, right);
    uint64_t hash = tn_bpe_pair_hash(key);
    size_t bit = (size_t)(hash >> (64 - pairs->bits - TN_BPE_FILTER_BITS));
    if (!(pairs->filter[bit / 64] >> bit % 64 & 1)) {
        return NULL;
    }
    size_t mask = ((size_t)1 << pairs->bits) - 1;
    for (size_t at = (size_t)(hash >> (64 - pairs->bits));; at = (at + 1) & mask) {
        if (pairs->slots[at].key == key) {
            return &pairs->slots[at];
        }
        if (pairs->slots[at].key == 0) {
            return NULL;
        }
    }
}

#endif
