/* Open addressing with linear probing in a table that is at most three quarters full. The keys stand apart from the slots, so that
 * the slots of a hundred thousand names stay in the cache: probing is where the time goes. */
#include "base/map.h"

#include "base/number.h"

enum { LEAST_CAPACITY = 16 };

struct tn_map_slot {
    uint32_t hash;
    uint32_t entry_plus_one; /* 0 marks an empty slot, which is what the arena gives */
};

struct tn_map_entry {
    struct tn_str key;
    uint32_t index;
};

static uint32_t hash_of(uint64_t seed, struct tn_str key)
{
    uint64_t state = tn_mix_u64(seed, key.size);
    size_t at = 0;
    for (; key.size - at >= 8; at += 8) {
        state = tn_mix_u64(state, tn_load_u64(key.data + at));
    }
    uint64_t last = 0;
    for (unsigned shift = 0; at < key.size; at++, shift += 8) {
        last |= (uint64_t)(unsigned char)key.data[at] << shift;
    }
    return (uint32_t)(tn_mix_u64(tn_mix_u64(state, last), seed) >> 32);
}

static size_t most_keys(size_t capacity)
{
    return capacity / 4 * 3;
}

/* The slot that holds the key, or the empty one where it belongs. There is always an empty one. */
static struct tn_map_slot *slot_of(const struct tn_map *map, struct tn_str key, uint32_t hash)
{
    for (size_t at = hash & (map->capacity - 1);; at = (at + 1) & (map->capacity - 1)) {
        struct tn_map_slot *slot = &map->slots[at];
        if (slot->entry_plus_one == 0
            || (slot->hash == hash && tn_str_equal(map->entries[slot->entry_plus_one - 1].key, key))) {
            return slot;
        }
    }
}

static bool grow(struct tn_arena *arena, struct tn_map *map, size_t capacity)
{
    struct tn_map_slot *slots = TN_NEW_ARRAY(arena, struct tn_map_slot, capacity);
    struct tn_map_entry *entries = tn_arena_grow(arena, map->entries, map->count, most_keys(capacity), sizeof *entries);
    if (!slots || !entries) {
        return false;
    }
    if (map->capacity == 0) {
        /* The author of a file cannot know an address, so he cannot make keys that all collide. */
        map->seed = (uintptr_t)slots;
    }
    for (size_t k = 0; k < map->capacity; k++) {
        size_t at = map->slots[k].hash & (capacity - 1);
        while (slots[at].entry_plus_one) { /* no key stands twice: the next empty slot is the right one */
            at = (at + 1) & (capacity - 1);
        }
        slots[at] = map->slots[k]; /* an empty one leaves it empty */
    }
    map->slots = slots;
    map->entries = entries;
    map->capacity = capacity;
    return true;
}

bool tn_map_reserve(struct tn_arena *arena, struct tn_map *map, size_t count)
{
    if (count <= most_keys(map->capacity)) {
        return true;
    }
    size_t capacity = map->capacity ? map->capacity : LEAST_CAPACITY;
    while (most_keys(capacity) < count) {
        if (capacity > SIZE_MAX / 2) {
            return false;
        }
        capacity *= 2;
    }
    return grow(arena, map, capacity);
}

bool tn_map_insert(struct tn_arena *arena, struct tn_map *map, struct tn_str key, uint32_t index, uint32_t *existing)
{
    *existing = TN_MAP_NONE;
    if (!tn_map_reserve(arena, map, map->count + 1)) {
        return false;
    }
    uint32_t hash = hash_of(map->seed, key);
    struct tn_map_slot *slot = slot_of(map, key, hash);
    if (slot->entry_plus_one) {
        *existing = map->entries[slot->entry_plus_one - 1].index;
        return true;
    }
    map->entries[map->count++] = (struct tn_map_entry){.key = key, .index = index};
    *slot = (struct tn_map_slot){.hash = hash, .entry_plus_one = (uint32_t)map->count};
    return true;
}

uint32_t tn_map_find(const struct tn_map *map, struct tn_str key)
{
    if (map->capacity == 0) {
        return TN_MAP_NONE;
    }
    uint32_t entry_plus_one = slot_of(map, key, hash_of(map->seed, key))->entry_plus_one;
    return entry_plus_one ? map->entries[entry_plus_one - 1].index : TN_MAP_NONE;
}
