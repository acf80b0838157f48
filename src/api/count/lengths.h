/* How long requests are: how many there are of each length. Memory depends on the lengths that occur, not on how many requests. */
#ifndef TN_API_COUNT_LENGTHS_H
#define TN_API_COUNT_LENGTHS_H

#include "base/error.h"

struct tn_length {
    uint64_t tokens;
    uint64_t requests; /* 0: an empty slot */
};

/* {0} has none. */
struct tn_lengths {
    struct tn_length *slots; /* [capacity] a hash table; sorted by tn_lengths_sort */
    size_t capacity;         /* a power of two, or 0 */
    size_t distinct;
    uint64_t requests;
    uint64_t tokens; /* the sum */
};

/* Adds some requests of one length. Not after tn_lengths_sort.
 * requests  at least 1
 * Errors: TN_ERROR_TOO_LARGE where the sum exceeds 64 bits, TN_ERROR_MEMORY. */
bool tn_lengths_add(struct tn_lengths *lengths, uint64_t tokens, uint64_t requests, struct tn_error *error);

/* Adds all that another has. */
bool tn_lengths_merge(struct tn_lengths *lengths, const struct tn_lengths *more, struct tn_error *error);

/* Afterwards slots[0 .. distinct - 1] are all lengths that occur, the shortest first. */
void tn_lengths_sort(struct tn_lengths *lengths);

/* The shortest length that at least `percent` of 100 requests do not exceed; 0 where there are none. Sorted only. */
uint64_t tn_lengths_percentile(const struct tn_lengths *lengths, unsigned percent);
uint64_t tn_lengths_most(const struct tn_lengths *lengths); /* the longest; sorted only */

void tn_lengths_free(struct tn_lengths *lengths);

#endif
