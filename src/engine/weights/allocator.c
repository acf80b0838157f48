/* The rules stand in c10/cuda/CUDACachingAllocator.cpp of PyTorch: round_size, get_allocation_size, should_split. */
#include "engine/weights/allocator.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)

static const uint64_t step_bytes = 512;
static const uint64_t small_most_bytes = MIB; /* the largest size of the small pool */
static const uint64_t small_segment_bytes = 2 * MIB;
static const uint64_t large_segment_bytes = 20 * MIB; /* for sizes below own_segment_bytes */
static const uint64_t own_segment_bytes = 10 * MIB;
static const uint64_t own_segment_step_bytes = 2 * MIB;

struct tn_block {
    uint64_t size_bytes;
    uint64_t address;
    uint32_t before; /* neighbours in the segment; TN_BLOCK_NONE at its ends */
    uint32_t after;
    bool is_small;
    bool is_free;
};

static uint64_t round_up(uint64_t size, uint64_t step)
{
    return (size + step - 1) / step * step;
}

static struct tn_free_pool *pool_of(struct tn_allocator *allocator, bool is_small)
{
    return is_small ? &allocator->small : &allocator->large;
}

/* ---- free blocks --------------------------------------------------------------------------------------------------- */

/* The place of the first free block that is not before (size, address). */
static uint32_t find_free(const struct tn_free_pool *pool, uint64_t size_bytes, uint64_t address)
{
    uint32_t low = 0;
    uint32_t high = pool->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct tn_free_block *at = &pool->blocks[middle];
        bool is_before = at->size_bytes < size_bytes || (at->size_bytes == size_bytes && at->address < address);
        low = is_before ? middle + 1 : low;
        high = is_before ? high : middle;
    }
    return low;
}

static void take_out(struct tn_free_pool *pool, uint32_t place)
{
    memmove(&pool->blocks[place], &pool->blocks[place + 1], (pool->count - place - 1) * sizeof *pool->blocks);
    pool->count--;
}

static bool put_in(struct tn_allocator *allocator, uint32_t block)
{
    const struct tn_block *free = &allocator->blocks[block];
    struct tn_free_pool *pool = pool_of(allocator, free->is_small);
    if (pool->count == pool->capacity) {
        uint32_t capacity = pool->capacity ? 2 * pool->capacity : 64;
        void *grown = tn_arena_grow(allocator->arena, pool->blocks, pool->count, capacity, sizeof *pool->blocks);
        if (!grown) {
            return false;
        }
        pool->blocks = grown;
        pool->capacity = capacity;
    }
    uint32_t place = find_free(pool, free->size_bytes, free->address);
    memmove(&pool->blocks[place + 1], &pool->blocks[place], (pool->count - place) * sizeof *pool->blocks);
    pool->blocks[place] = (struct tn_free_block){free->size_bytes, free->address, block};
    pool->count++;
    return true;
}

/* ---- blocks and segments ------------------------------------------------------------------------------------------- */

/* Number 0 is no block. */
static uint32_t new_block(struct tn_allocator *allocator, struct tn_block block)
{
    if (allocator->block_count + 1 >= allocator->block_capacity) {
        uint32_t capacity = allocator->block_capacity ? 2 * allocator->block_capacity : 512;
        void *grown = tn_arena_grow(allocator->arena, allocator->blocks, allocator->block_capacity, capacity,
                                    sizeof *allocator->blocks);
        if (!grown) {
            return TN_BLOCK_NONE;
        }
        allocator->blocks = grown;
        allocator->block_capacity = capacity;
    }
    allocator->blocks[++allocator->block_count] = block;
    return allocator->block_count;
}

static uint32_t new_segment(struct tn_allocator *allocator, uint64_t size_bytes, bool is_small)
{
    uint64_t segment = is_small                         ? small_segment_bytes
                       : size_bytes < own_segment_bytes ? large_segment_bytes
                                                        : round_up(size_bytes, own_segment_step_bytes);
    uint64_t address = allocator->next_address;
    allocator->reserved_bytes += segment;
    allocator->next_address += segment;
    return new_block(allocator, (struct tn_block){.size_bytes = segment, .address = address, .is_small = is_small});
}

/* Gives back what the block has beyond the size, where that is worth a block of its own. */
static bool split(struct tn_allocator *allocator, uint32_t block, uint64_t size_bytes)
{
    struct tn_block whole = allocator->blocks[block];
    uint64_t rest = whole.size_bytes - size_bytes;
    bool is_fine = whole.is_small || allocator->is_expandable;
    if (is_fine ? rest < step_bytes : rest <= small_most_bytes) {
        return true;
    }
    struct tn_block behind = {.size_bytes = rest,
                              .address = whole.address + size_bytes,
                              .before = block,
                              .after = whole.after,
                              .is_small = whole.is_small,
                              .is_free = true};
    uint32_t number = new_block(allocator, behind);
    if (!number) {
        return false;
    }
    allocator->blocks[block].size_bytes = size_bytes;
    allocator->blocks[block].after = number;
    allocator->blocks[whole.after].before = number; /* block 0 takes it where there is none */
    return put_in(allocator, number);
}

uint32_t tn_allocate(struct tn_allocator *allocator, uint64_t size_bytes)
{
    uint64_t size = size_bytes ? round_up(size_bytes, step_bytes) : step_bytes;
    bool is_small = size <= small_most_bytes;
    struct tn_free_pool *pool = pool_of(allocator, is_small);
    uint32_t place = find_free(pool, size, 0);
    uint32_t block;
    if (place < pool->count) {
        block = pool->blocks[place].block;
        take_out(pool, place);
    } else {
        block = new_segment(allocator, size, is_small);
    }
    if (!block || !split(allocator, block, size)) {
        return TN_BLOCK_NONE;
    }
    allocator->blocks[block].is_free = false;
    allocator->allocated_bytes += allocator->blocks[block].size_bytes;
    if (allocator->allocated_bytes > allocator->peak_bytes) {
        allocator->peak_bytes = allocator->allocated_bytes;
    }
    return block;
}

/* Joins a block with the one behind it. */
static void join(struct tn_allocator *allocator, uint32_t block, uint32_t behind)
{
    struct tn_block *first = &allocator->blocks[block];
    const struct tn_block *second = &allocator->blocks[behind];
    first->size_bytes += second->size_bytes;
    first->after = second->after;
    allocator->blocks[second->after].before = block;
}

static void unlist(struct tn_allocator *allocator, uint32_t block)
{
    const struct tn_block *free = &allocator->blocks[block];
    struct tn_free_pool *pool = pool_of(allocator, free->is_small);
    take_out(pool, find_free(pool, free->size_bytes, free->address));
}

bool tn_release(struct tn_allocator *allocator, uint32_t block)
{
    allocator->allocated_bytes -= allocator->blocks[block].size_bytes;
    uint32_t after = allocator->blocks[block].after;
    if (after && allocator->blocks[after].is_free) {
        unlist(allocator, after);
        join(allocator, block, after);
    }
    uint32_t before = allocator->blocks[block].before;
    if (before && allocator->blocks[before].is_free) {
        unlist(allocator, before);
        join(allocator, before, block);
        block = before;
    }
    allocator->blocks[block].is_free = true;
    return put_in(allocator, block);
}

void tn_allocator_trim(struct tn_allocator *allocator)
{
    const struct tn_free_pool *pools[] = {&allocator->small, &allocator->large};
    for (size_t p = 0; p < 2; p++) {
        for (uint32_t k = 0; k < pools[p]->count; k++) {
            const struct tn_block *block = &allocator->blocks[pools[p]->blocks[k].block];
            allocator->reserved_bytes -= block->before || block->after ? 0 : block->size_bytes;
        }
    }
}
