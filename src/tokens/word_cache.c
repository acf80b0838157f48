/* Two direct-mapped tables: short words in entries of half a cache line, longer ones (whole clauses where a script has no
 * spaces) in entries of two lines. A word whose place is taken replaces the one that is there. */
#include "tokens/word_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"

enum {
    SHORT_BYTES = 15,
    SHORT_IDS = 4,
    SHORT_ENTRIES = 1 << 16,
    LONG_BYTES = 63,
    LONG_IDS = 15,
    LONG_ENTRIES = 1 << 14,
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
    struct short_entry shorts[SHORT_ENTRIES];
    struct long_entry longs[LONG_ENTRIES];
};

struct tn_word_cache *tn_word_cache_new(void)
{
    return calloc(1, sizeof(struct tn_word_cache));
}

void tn_word_cache_free(struct tn_word_cache *cache)
{
    free(cache);
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

static struct short_entry *short_place(struct tn_word_cache *cache, const uint64_t key[2])
{
    return &cache->shorts[tn_mix_u64(tn_mix_u64(key[0], 0x243F6A8885A308D3U), key[1]) % SHORT_ENTRIES];
}

static struct long_entry *long_place(struct tn_word_cache *cache, struct tn_str word)
{
    uint64_t state = word.size;
    size_t at = 0;
    for (; word.size - at >= 8; at += 8) {
        state = tn_mix_u64(state, tn_load_u64(word.data + at));
    }
    return &cache->longs[tn_mix_u64(state, tn_load_u64(word.data + word.size - 8)) % LONG_ENTRIES];
}

const uint32_t *tn_word_cache_find(struct tn_word_cache *cache, struct tn_str word, size_t *count)
{
    if (word.size <= SHORT_BYTES) {
        uint64_t key[2];
        short_key(word, key);
        const struct short_entry *entry = short_place(cache, key);
        uint64_t count_bits = entry->key[1] ^ key[1];
        if (entry->key[0] != key[0] || count_bits & ~((uint64_t)0xF0 << 56)) {
            return NULL;
        }
        *count = (size_t)(count_bits >> 60);
        return *count ? entry->ids : NULL;
    }
    if (word.size > LONG_BYTES) {
        return NULL;
    }
    const struct long_entry *entry = long_place(cache, word);
    if (entry->size != word.size || memcmp(entry->bytes, word.data, word.size) != 0) {
        return NULL;
    }
    *count = entry->count;
    return entry->ids;
}

void tn_word_cache_keep(struct tn_word_cache *cache, struct tn_str word, const uint32_t *ids, size_t count)
{
    if (word.size <= SHORT_BYTES && count && count <= SHORT_IDS) {
        uint64_t key[2];
        short_key(word, key);
        struct short_entry *entry = short_place(cache, key);
        entry->key[0] = key[0];
        entry->key[1] = key[1] | (uint64_t)count << 60;
        memcpy(entry->ids, ids, count * sizeof *ids);
    } else if (word.size > SHORT_BYTES && word.size <= LONG_BYTES && count <= LONG_IDS) {
        struct long_entry *entry = long_place(cache, word);
        entry->size = (uint8_t)word.size;
        memcpy(entry->bytes, word.data, word.size);
        entry->count = (uint32_t)count;
        memcpy(entry->ids, ids, count * sizeof *ids);
    }
}
