/* Two direct-mapped tables: short words in entries of half a cache line, longer ones (whole clauses where a script has no
 * spaces) in entries of two lines. A word whose place is taken replaces the one that is there. The tables grow with the words
 * that they have seen, so that a short text pays for a small one. */
#include "tokens/word_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/number.h"

enum {
    SHORT_BYTES = 15,
    SHORT_IDS = 4,
    LONG_BYTES = 63,
    LONG_IDS = 15,
    FIRST_BITS = 8,
    MOST_SHORT_BITS = 18, /* 8 MiB */
    MOST_LONG_BITS = 14,  /* 2 MiB */
};

struct short_entry {
    uint64_t key[2]; /* the bytes, zeros, and in the last byte the length and the number of ids; 0: empty */
    uint32_t ids[SHORT_IDS];
};

struct long_entry {
    uint8_t size; /* bytes; 0: empty */
    char bytes[LONG_BYTES];
    uint32_t count;
    uint32_t ids[LONG_IDS];
};

struct tn_word_cache {
    struct short_entry *shorts; /* [1 << short_bits] */
    struct long_entry *longs;   /* [1 << long_bits] */
    unsigned short_bits;
    unsigned long_bits;
    size_t shorts_kept; /* since the table has this size */
    size_t longs_kept;
    struct tn_arena shorts_arena;
    struct tn_arena longs_arena;
};

struct tn_word_cache *tn_word_cache_new(void)
{
    struct tn_word_cache *cache = calloc(1, sizeof *cache);
    if (!cache) {
        return NULL;
    }
    cache->short_bits = FIRST_BITS;
    cache->long_bits = FIRST_BITS;
    cache->shorts = TN_NEW_ARRAY(&cache->shorts_arena, struct short_entry, (size_t)1 << FIRST_BITS);
    cache->longs = TN_NEW_ARRAY(&cache->longs_arena, struct long_entry, (size_t)1 << FIRST_BITS);
    if (!cache->shorts || !cache->longs) {
        tn_word_cache_free(cache);
        return NULL;
    }
    return cache;
}

void tn_word_cache_free(struct tn_word_cache *cache)
{
    if (cache) {
        tn_arena_free(&cache->shorts_arena);
        tn_arena_free(&cache->longs_arena);
        free(cache);
    }
}

/* The bytes of a short word and its length, padded with zeros. Copies of fixed sizes that overlap in the middle are quicker
 * than one of any size. */
static void short_key(struct tn_str word, uint64_t key[2])
{
    char bytes[16] = {0};
    if (word.size >= 8) {
        memcpy(bytes, word.data, 8);
        memcpy(bytes + word.size - 8, word.data + word.size - 8, 8);
    } else if (word.size >= 4) {
        memcpy(bytes, word.data, 4);
        memcpy(bytes + word.size - 4, word.data + word.size - 4, 4);
    } else {
        for (size_t k = 0; k < word.size; k++) {
            bytes[k] = word.data[k];
        }
    }
    key[0] = tn_load_u64(bytes);
    key[1] = tn_load_u64(bytes + 8) | (uint64_t)word.size << 56;
}

static const uint64_t count_bits = (uint64_t)0xF0 << 56;

static size_t short_place(const uint64_t key[2], unsigned bits)
{
    return (size_t)(tn_mix_u64(tn_mix_u64(key[0], 0x243F6A8885A308D3U), key[1] & ~count_bits) >> (64 - bits));
}

static size_t long_place(const char *bytes, size_t size, unsigned bits)
{
    uint64_t state = size;
    for (size_t at = 0; size - at >= 8; at += 8) {
        state = tn_mix_u64(state, tn_load_u64(bytes + at));
    }
    return (size_t)(tn_mix_u64(tn_mix_u64(state, tn_load_u64(bytes + size - 8)), size) >> (64 - bits));
}

/* ---- growing: where there is no memory for it, the table stays ---------------------------------------------------- */

static void grow_shorts(struct tn_word_cache *cache)
{
    struct tn_arena arena = {0};
    unsigned bits = cache->short_bits + 1;
    struct short_entry *larger = TN_NEW_ARRAY(&arena, struct short_entry, (size_t)1 << bits);
    cache->shorts_kept = 0;
    if (!larger) {
        return;
    }
    for (size_t k = 0; k < (size_t)1 << cache->short_bits; k++) {
        if (cache->shorts[k].key[1]) {
            larger[short_place(cache->shorts[k].key, bits)] = cache->shorts[k];
        }
    }
    tn_arena_free(&cache->shorts_arena);
    cache->shorts_arena = arena;
    cache->shorts = larger;
    cache->short_bits = bits;
}

static void grow_longs(struct tn_word_cache *cache)
{
    struct tn_arena arena = {0};
    unsigned bits = cache->long_bits + 1;
    struct long_entry *larger = TN_NEW_ARRAY(&arena, struct long_entry, (size_t)1 << bits);
    cache->longs_kept = 0;
    if (!larger) {
        return;
    }
    for (size_t k = 0; k < (size_t)1 << cache->long_bits; k++) {
        if (cache->longs[k].size) {
            larger[long_place(cache->longs[k].bytes, cache->longs[k].size, bits)] = cache->longs[k];
        }
    }
    tn_arena_free(&cache->longs_arena);
    cache->longs_arena = arena;
    cache->longs = larger;
    cache->long_bits = bits;
}

/* ---- finding and keeping ------------------------------------------------------------------------------------------ */

const uint32_t *tn_word_cache_find(struct tn_word_cache *cache, struct tn_str word, size_t *count)
{
    if (word.size <= SHORT_BYTES) {
        uint64_t key[2];
        short_key(word, key);
        const struct short_entry *entry = &cache->shorts[short_place(key, cache->short_bits)];
        uint64_t difference = entry->key[1] ^ key[1];
        if (entry->key[0] != key[0] || difference & ~count_bits) {
            return NULL;
        }
        *count = (size_t)(difference >> 60);
        return *count ? entry->ids : NULL;
    }
    if (word.size > LONG_BYTES) {
        return NULL;
    }
    const struct long_entry *entry = &cache->longs[long_place(word.data, word.size, cache->long_bits)];
    if (entry->size != word.size || memcmp(entry->bytes, word.data, word.size) != 0) {
        return NULL;
    }
    *count = entry->count;
    return entry->ids;
}

static void keep_short(struct tn_word_cache *cache, struct tn_str word, const uint32_t *ids, size_t count)
{
    uint64_t key[2];
    if (cache->shorts_kept++ >> cache->short_bits && cache->short_bits < MOST_SHORT_BITS) {
        grow_shorts(cache);
    }
    short_key(word, key);
    struct short_entry *entry = &cache->shorts[short_place(key, cache->short_bits)];
    entry->key[0] = key[0];
    entry->key[1] = key[1] | (uint64_t)count << 60;
    memcpy(entry->ids, ids, count * sizeof *ids);
}

static void keep_long(struct tn_word_cache *cache, struct tn_str word, const uint32_t *ids, size_t count)
{
    if (cache->longs_kept++ >> cache->long_bits && cache->long_bits < MOST_LONG_BITS) {
        grow_longs(cache);
    }
    struct long_entry *entry = &cache->longs[long_place(word.data, word.size, cache->long_bits)];
    entry->size = (uint8_t)word.size;
    memcpy(entry->bytes, word.data, word.size);
    entry->count = (uint32_t)count;
    memcpy(entry->ids, ids, count * sizeof *ids);
}

void tn_word_cache_keep(struct tn_word_cache *cache, struct tn_str word, const uint32_t *ids, size_t count)
{
    if (word.size <= SHORT_BYTES && count && count <= SHORT_IDS) {
        keep_short(cache, word, ids, count);
    } else if (word.size > SHORT_BYTES && word.size <= LONG_BYTES && count <= LONG_IDS) {
        keep_long(cache, word, ids, count);
    }
}
