/* PyTorch's caching allocator, replayed: what a sequence of allocations counts as. Default settings: sizes in steps of 512 bytes; small ones
 * (up to 1 MiB) in segments of 2 MiB, larger ones in segments of 20 MiB or of their own. */
#ifndef TN_ENGINE_ALLOCATOR_H
#define TN_ENGINE_ALLOCATOR_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TN_ALLOCATOR_BLOCKS = 256
}; /* free blocks that are kept; beyond it the smallest are forgotten, which only costs precision */

struct tn_free_block {
    uint64_t size_bytes;
};

/* {0} is an empty allocator. */
struct tn_allocator {
    uint64_t allocated_bytes;                        /* blocks in use: torch.cuda.memory_allocated() */
    uint64_t reserved_bytes;                         /* segments: torch.cuda.memory_reserved() */
    struct tn_free_block small[TN_ALLOCATOR_BLOCKS]; /* [small_count] by size */
    uint32_t small_count;
    struct tn_free_block large[TN_ALLOCATOR_BLOCKS];
    uint32_t large_count;
};

/* One tensor that stays. Returns the bytes of the block that it got. */
uint64_t tn_allocate(struct tn_allocator *allocator, uint64_t size_bytes);

#endif
