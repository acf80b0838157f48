/* An arena: many small allocations, one free. Not thread-safe; one arena belongs to one result. */
#ifndef TN_BASE_ARENA_H
#define TN_BASE_ARENA_H

#include <stddef.h>

struct tn_arena_block;

struct tn_arena {
    struct tn_arena_block *blocks; /* newest first */
};

/* An empty arena is {0}; it owns nothing until the first allocation. */
void tn_arena_free(struct tn_arena *arena);

/* Forgets all allocations but keeps the largest block for the next use. */
void tn_arena_reset(struct tn_arena *arena);

/* size bytes set to zero, aligned for any type; NULL when memory is out. size 0 gives a valid pointer. */
void *tn_arena_alloc(struct tn_arena *arena, size_t size);

/* The same for count items of item_size bytes; NULL also where the product does not fit in size_t. */
void *tn_arena_array(struct tn_arena *arena, size_t count, size_t item_size);

/* A larger array with the old items copied; the old one stays in the arena. Grows in place where it was the last
 * allocation.
 * items  NULL where old_count is 0; new_count below old_count changes nothing. */
void *tn_arena_grow(struct tn_arena *arena, void *items, size_t old_count, size_t new_count, size_t item_size);

#define TN_NEW(arena, type) ((type *)tn_arena_alloc((arena), sizeof(type)))
#define TN_NEW_ARRAY(arena, type, count) ((type *)tn_arena_array((arena), (count), sizeof(type)))

#endif
