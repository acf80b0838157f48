/* Bump allocation in blocks that double in size up to a limit, so that few large results do not waste half of the
 * memory. Large blocks ask the system for large pages: what is looked up at random in tables of megabytes waits half as
 * long then, and a page that is touched for the first time costs as much as 64 hits of the cache. */
#define _DEFAULT_SOURCE /* madvise */

#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { FIRST_BLOCK_BYTES = 16 * 1024, LARGEST_STEP_BYTES = 4 * 1024 * 1024, LARGE_PAGE_BYTES = 2 * 1024 * 1024 };

struct tn_arena_block {
    struct tn_arena_block *older;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char data[];
};

static size_t round_up(size_t size)
{
    size_t unit = alignof(max_align_t);
    return size > SIZE_MAX - unit ? SIZE_MAX : (size + unit - 1) / unit * unit;
}

/* Room for a block whose data has at least *size bytes; *size gets how many it has. */
static struct tn_arena_block *allocate(size_t *size)
{
    size_t bytes = sizeof(struct tn_arena_block) + *size;
#if defined(MADV_HUGEPAGE)
    if (bytes >= LARGE_PAGE_BYTES) {
        bytes = (bytes + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
        struct tn_arena_block *block = aligned_alloc(LARGE_PAGE_BYTES, bytes);
        *size = bytes - sizeof *block;
        if (block) {
            (void)madvise(block, bytes, MADV_HUGEPAGE); /* a wish */
        }
        return block;
    }
#endif
    return malloc(bytes);
}

static struct tn_arena_block *add_block(struct tn_arena *arena, size_t least)
{
    size_t size = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK_BYTES;
    if (size > LARGEST_STEP_BYTES) {
        size = LARGEST_STEP_BYTES;
    }
    if (size < least) {
        size = least;
    }
    if (size > PTRDIFF_MAX - LARGE_PAGE_BYTES - sizeof(struct tn_arena_block)) { /* more than any object can have */
        return NULL;
    }
    struct tn_arena_block *block = allocate(&size);
    if (!block) {
        return NULL;
    }
    block->older = arena->blocks;
    block->used = 0;
    block->size = size;
    arena->blocks = block;
    return block;
}

void *tn_arena_alloc(struct tn_arena *arena, size_t size)
{
    size = round_up(size ? size : 1);
    struct tn_arena_block *block = arena->blocks;
    if (!block || block->size - block->used < size) {
        block = add_block(arena, size);
        if (!block) {
            return NULL;
        }
    }
    void *result = block->data + block->used;
    block->used += size;
    return memset(result, 0, size);
}

void *tn_arena_array(struct tn_arena *arena, size_t count, size_t item_size)
{
    if (item_size && count > SIZE_MAX / item_size) {
        return NULL;
    }
    return tn_arena_alloc(arena, count * item_size);
}

void *tn_arena_grow(struct tn_arena *arena, void *items, size_t old_count, size_t new_count, size_t item_size)
{
    if (new_count < old_count) {
        new_count = old_count;
    }
    if (item_size && new_count > SIZE_MAX / item_size) {
        return NULL;
    }
    size_t old_size = round_up(old_count * item_size);
    size_t new_size = round_up(new_count * item_size);
    struct tn_arena_block *block = arena->blocks;
    if (items && old_count && block && (unsigned char *)items + old_size == block->data + block->used
        && new_size - old_size <= block->size - block->used) {
        memset(block->data + block->used, 0, new_size - old_size);
        block->used += new_size - old_size;
        return items;
    }
    void *grown = tn_arena_alloc(arena, new_count * item_size);
    if (grown && old_count) {
        memcpy(grown, items, old_count * item_size);
    }
    return grown;
}

void tn_arena_reset(struct tn_arena *arena)
{
    struct tn_arena_block *largest = arena->blocks;
    for (struct tn_arena_block *block = arena->blocks; block; block = block->older) {
        if (block->size > largest->size) {
            largest = block;
        }
    }
    for (struct tn_arena_block *block = arena->blocks; block;) {
        struct tn_arena_block *older = block->older;
        if (block != largest) {
            free(block);
        }
        block = older;
    }
    arena->blocks = largest;
    if (largest) {
        largest->older = NULL;
        largest->used = 0;
    }
}

void tn_arena_free(struct tn_arena *arena)
{
    for (struct tn_arena_block *block = arena->blocks; block;) {
        struct tn_arena_block *older = block->older;
        free(block);
        block = older;
    }
    arena->blocks = NULL;
}
