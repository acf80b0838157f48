/* A hash table from byte strings to a 32-bit index. Keys are not copied: they must outlive the map. */
#ifndef TN_BASE_MAP_H
#define TN_BASE_MAP_H

#include "base/text.h"

struct tn_map_slot;
struct tn_map_entry;

struct tn_map {
    struct tn_map_slot *slots;    /* [capacity] */
    struct tn_map_entry *entries; /* [count], in the order in which they came */
    size_t capacity;              /* a power of two, or 0 */
    size_t count;
    uint64_t seed; /* private to map.c */
};

#define TN_MAP_NONE UINT32_MAX /* never a valid index */

/* Inserts key -> index. *existing gets the index already stored under the key, or TN_MAP_NONE where it was new (then it
 * is stored). false when memory is out. Memory comes from the arena. */
bool tn_map_insert(struct tn_arena *arena, struct tn_map *map, struct tn_str key, uint32_t index, uint32_t *existing);

/* Room for `count` keys without rehashing. false when memory is out. */
bool tn_map_reserve(struct tn_arena *arena, struct tn_map *map, size_t count);

/* The index under the key, or TN_MAP_NONE. */
uint32_t tn_map_find(const struct tn_map *map, struct tn_str key);

#endif
