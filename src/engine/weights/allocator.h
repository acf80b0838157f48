/* PyTorch's caching allocator, replayed: what a sequence of allocations and releases counts as. Sizes go in steps of 512 bytes; small ones
 * (up to 1 MiB) in segments of 2 MiB, larger ones in segments of 20 MiB or of their own; the smallest free block that suffices is taken,
 * and what it leaves is split off where it is worth it, else counted with the tensor. */
#ifndef TN_ENGINE_WEIGHTS_ALLOCATOR_H
#define TN_ENGINE_WEIGHTS_ALLOCATOR_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum { TN_BLOCK_NONE = 0 };

struct tn_block;

/* A free block of one pool, and what orders them. */
struct tn_free_block {
    uint64_t size_bytes;
    uint64_t address;
    uint32_t block;
};

struct tn_free_pool {
    struct tn_free_block *blocks; /* [count] by size, then address */
    uint32_t count;
    uint32_t capacity;
};

/* {.arena = ...} is an empty allocator with the default settings; the arena owns all of it. */
struct tn_allocator {
    struct tn_arena *arena;
    bool is_expandable;       /* PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True: nothing is left over */
    uint64_t allocated_bytes; /* blocks in use: torch.cuda.memory_allocated() */
    uint64_t peak_bytes;      /* the highest that it was: torch.cuda.max_memory_allocated() */
    uint64_t reserved_bytes;  /* segments: torch.cuda.memory_reserved() */
    struct tn_block *blocks;
    uint32_t block_count;
    uint32_t block_capacity;
    struct tn_free_pool small;
    struct tn_free_pool large;
    uint64_t next_address;
};

/* The bytes that may be asked for at most, in all: far beyond any GPU, so that no sum overflows. */
#define TN_MOST_ALLOCATED ((uint64_t)1 << 62)

/* The block of a new tensor; TN_BLOCK_NONE when memory is out.
 * size_bytes  0 takes a block too, as PyTorch's storage of an empty tensor does not: do not ask for it */
uint32_t tn_allocate(struct tn_allocator *allocator, uint64_t size_bytes);

/* Frees a tensor's block for the next ones; its segment stays reserved. false when memory is out. */
bool tn_release(struct tn_allocator *allocator, uint32_t block);

/* Segments that are free as a whole go back to the GPU: torch.cuda.empty_cache(). Only the count of reserved bytes changes: the
 * allocator is not to be used any more. */
void tn_allocator_trim(struct tn_allocator *allocator);

#endif
