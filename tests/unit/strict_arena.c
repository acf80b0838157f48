/* An arena without blocks. */
#include "strict_arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct tn_arena_block {
    struct tn_arena_block *older;
    void *allocation;
};

static size_t allowed = SIZE_MAX;

void strict_arena_allow(size_t count)
{
    allowed = count;
}

void *tn_arena_alloc(struct tn_arena *arena, size_t size)
{
    if (allowed == 0) {
        return NULL;
    }
    allowed -= allowed != SIZE_MAX;
    struct tn_arena_block *block = malloc(sizeof *block);
    void *allocation = calloc(1, size ? size : 1);
    if (!block || !allocation) {
        free(block);
        free(allocation);
        return NULL;
    }
    *block = (struct tn_arena_block){arena->blocks, allocation};
    arena->blocks = block;
    return allocation;
}

void *tn_arena_array(struct tn_arena *arena, size_t count, size_t item_size)
{
    return item_size && count > SIZE_MAX / item_size ? NULL : tn_arena_alloc(arena, count * item_size);
}

void *tn_arena_grow(struct tn_arena *arena, void *items, size_t old_count, size_t new_count, size_t item_size)
{
    void *grown = tn_arena_array(arena, new_count, item_size);
    if (grown && old_count) {
        memcpy(grown, items, old_count * item_size);
    }
    return grown;
}

void tn_arena_free(struct tn_arena *arena)
{
    while (arena->blocks) {
        struct tn_arena_block *older = arena->blocks->older;
        free(arena->blocks->allocation);
        free(arena->blocks);
        arena->blocks = older;
    }
}

void tn_arena_reset(struct tn_arena *arena)
{
    tn_arena_free(arena);
}
