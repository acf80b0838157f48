/* Open addressing with linear probing in a table that is at most three quarters full. */
#include "base/map.h"

#include "base/number.h"

enum { LEAST_CAPACITY = 16 };

struct tn_map_slot {
    struct tn_str key;
    uint32_t hash;
    uint32_t index_plus_one; /* 0 marks an empty slot, which is what the arena gives */
};

/* Both halves of a 128-bit product, folded: each bit of the word reaches most bits of the result. */
static uint64_t mix(uint64_t state, uint64_t word)
{
    tn_u128 product = (tn_u128)(state ^ word) * 0x9E3779B97F4A7C15u;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t hash_of(uint64_t seed, struct tn_str key)
{
    uint64_t state = mix(seed, key.size);
    size_t at = 0;
    for (; key.size - at >= 8; at += 8) {
        state = mix(state, tn_load_u64(key.data + at));
    }
    uint64_t last = 0;
    for (unsigned shift = 0; at < key.size; at++, shift += 8) {
        last |= (uint64_t)(unsigned char)key.data[at] << shift;
    }
    return (uint32_t)(mix(mix(state, last), seed) >> 32);
}

/* The slot that holds the key, or the empty one where it belongs. There is always an empty one. */
static struct tn_map_slot *slot_of(const struct tn_map *map, struct tn_str key, uint32_t hash)
{
    for (size_t at = hash & (map->capacity - 1);; at = (at + 1) & (map->capacity - 1)) {
        struct tn_map_slot *slot = &map->slots[at];
        if (slot->index_plus_one == 0 || (slot->hash == hash && tn_str_equal(slot->key, key))) {
            return slot;
        }
    }
}

static bool grow(struct tn_arena *arena, struct tn_map *map, size_t capacity)
{
    struct tn_map_slot *slots = TN_NEW_ARRAY(arena, struct tn_map_slot, capacity);
    if (!slots) {
        return false;
    }
    struct tn_map old = *map;
    map->slots = slots;
    map->capacity = capacity;
    if (old.capacity == 0) {
        /* The author of a file cannot know an address, so he cannot make keys that all collide. */
        map->seed = (uintptr_t)slots;
    }
    for (size_t k = 0; k < old.capacity; k++) {
        if (old.slots[k].index_plus_one) {
            *slot_of(map, old.slots[k].key, old.slots[k].hash) = old.slots[k];
        }
    }
    return true;
}

bool tn_map_reserve(struct tn_arena *arena, struct tn_map *map, size_t count)
{
    if (count <= map->capacity / 4 * 3) {
        return true;
    }
    size_t capacity = map->capacity ? map->capacity : LEAST_CAPACITY;
    while (capacity / 4 * 3 < count) {
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
    if (slot->index_plus_one) {
        *existing = slot->index_plus_one - 1;
        return true;
    }
    *slot = (struct tn_map_slot){.key = key, .hash = hash, .index_plus_one = index + 1};
    map->count++;
    return true;
}

uint32_t tn_map_find(const struct tn_map *map, struct tn_str key)
{
    /* An empty slot holds 0, and 0 - 1 is TN_MAP_NONE. */
    return map->capacity ? slot_of(map, key, hash_of(map->seed, key))->index_plus_one - 1 : TN_MAP_NONE;
}
