/* A hash table from lengths to numbers of requests. */
#include "api/count/lengths.h"

#include "base/number.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

static struct tn_length *find_slot(struct tn_length *slots, size_t capacity, uint64_t tokens)
{
    size_t at = (size_t)(tokens * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (capacity - 1);
    while (slots[at].requests && slots[at].tokens != tokens) {
        at = (at + 1) & (capacity - 1);
    }
    return &slots[at];
}

static bool grow(struct tn_lengths *lengths)
{
    size_t capacity = lengths->capacity ? lengths->capacity * 2 : FIRST_CAPACITY;
    struct tn_length *slots = calloc(capacity, sizeof *slots);
    for (size_t k = 0; slots && k < lengths->capacity; k++) {
        if (lengths->slots[k].requests) {
            *find_slot(slots, capacity, lengths->slots[k].tokens) = lengths->slots[k];
        }
    }
    if (slots) {
        free(lengths->slots);
        lengths->slots = slots;
        lengths->capacity = capacity;
    }
    return slots != NULL;
}

bool tn_lengths_add(struct tn_lengths *lengths, uint64_t tokens, uint64_t requests, struct tn_error *error)
{
    uint64_t sum;
    if (lengths->distinct * 2 >= lengths->capacity && !grow(lengths)) {
        return tn_fail_memory(error);
    }
    struct tn_length *slot = find_slot(lengths->slots, lengths->capacity, tokens);
    lengths->distinct += !slot->requests;
    slot->tokens = tokens;
    slot->requests += requests;
    lengths->requests += requests;
    return (tn_mul_u64(tokens, requests, &sum) && tn_add_u64(lengths->tokens, sum, &lengths->tokens))
           || tn_fail(error, TN_ERROR_TOO_LARGE, "the tokens of all requests exceed 64 bits");
}

bool tn_lengths_merge(struct tn_lengths *lengths, const struct tn_lengths *more, struct tn_error *error)
{
    bool done = true;
    for (size_t k = 0; done && k < more->capacity; k++) {
        const struct tn_length *slot = &more->slots[k];
        done = !slot->requests || tn_lengths_add(lengths, slot->tokens, slot->requests, error);
    }
    return done;
}

static int compare(const void *left, const void *right)
{
    const struct tn_length *a = left;
    const struct tn_length *b = right;
    return (a->tokens > b->tokens) - (a->tokens < b->tokens);
}

void tn_lengths_sort(struct tn_lengths *lengths)
{
    size_t count = 0;
    for (size_t k = 0; k < lengths->capacity; k++) {
        if (lengths->slots[k].requests) {
            lengths->slots[count++] = lengths->slots[k];
        }
    }
    if (count) {
        qsort(lengths->slots, count, sizeof *lengths->slots, compare);
    }
}

uint64_t tn_lengths_percentile(const struct tn_lengths *lengths, unsigned percent)
{
    tn_u128 wanted = (tn_u128)lengths->requests * percent; /* of 100 x the requests that are not longer */
    tn_u128 seen = 0;
    for (size_t k = 0; k < lengths->distinct; k++) {
        seen += (tn_u128)lengths->slots[k].requests * 100;
        if (seen >= wanted) {
            return lengths->slots[k].tokens;
        }
    }
    return 0;
}

uint64_t tn_lengths_most(const struct tn_lengths *lengths)
{
    return lengths->distinct ? lengths->slots[lengths->distinct - 1].tokens : 0;
}

void tn_lengths_free(struct tn_lengths *lengths)
{
    free(lengths->slots);
    *lengths = (struct tn_lengths){0};
}
