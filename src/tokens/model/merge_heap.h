/* The merges that wait while a text is merged pair by pair: the lowest rank first, of equals the leftmost. */
#ifndef TN_TOKENS_MERGE_HEAP_H
#define TN_TOKENS_MERGE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tn_merge {
    uint32_t rank;
    uint32_t at;   /* the symbol at the left */
    uint32_t made; /* what it makes: a merge is out of date where its symbols would make something else now */
};

struct tn_merge_heap {
    struct tn_merge *merges; /* [count]; room for as many as may wait is the caller's */
    size_t count;
};

static inline bool tn_merge_before(const struct tn_merge *a, const struct tn_merge *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static inline void tn_merge_heap_push(struct tn_merge_heap *heap, struct tn_merge merge)
{
    size_t at = heap->count++;
    while (at && tn_merge_before(&merge, &heap->merges[(at - 1) / 2])) {
        heap->merges[at] = heap->merges[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->merges[at] = merge;
}

/* The heap is not empty. */
static inline struct tn_merge tn_merge_heap_pop(struct tn_merge_heap *heap)
{
    struct tn_merge top = heap->merges[0];
    struct tn_merge last = heap->merges[--heap->count];
    size_t at = 0;
    for (size_t child = 1; child < heap->count; child = 2 * at + 1) {
        if (child + 1 < heap->count && tn_merge_before(&heap->merges[child + 1], &heap->merges[child])) {
            child++;
        }
        if (!tn_merge_before(&heap->merges[child], &last)) {
            break;
        }
        heap->merges[at] = heap->merges[child];
        at = child;
    }
    heap->merges[at] = last;
    return top;
}

#endif
