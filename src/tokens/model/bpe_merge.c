/* Short words are scanned for the lowest rank again and again, which is quick because nothing but two small arrays is
 * touched. Long ones have a heap of all pairs; an entry whose symbols have changed since is passed over. */
#include "tokens/model/bpe_merge.h"

#include <string.h>

#include "tokens/model/merge_heap.h"

enum { SCANNED_SYMBOLS = 48 };

static const uint32_t no_rank = UINT32_MAX;

/* ---- short words -------------------------------------------------------------------------------------------------- */

struct next_merge {
    uint32_t rank; /* no_rank: the symbol does not merge with the next one */
    uint32_t merged;
};

static struct next_merge look_up(const struct tn_bpe_pairs *pairs, uint32_t left, uint32_t right)
{
    const struct tn_bpe_pair *pair = tn_bpe_pairs_find(pairs, left, right);
    return pair ? (struct next_merge){pair->rank, pair->merged} : (struct next_merge){no_rank, 0};
}

static size_t lowest(const struct next_merge *merges, size_t count)
{
    size_t best = 0;
    for (size_t k = 1; k < count; k++) {
        best = merges[k].rank < merges[best].rank ? k : best;
    }
    return best;
}

static size_t merge_scanning(const struct tn_bpe_pairs *pairs, uint32_t *symbols, size_t count)
{
    struct next_merge merges[SCANNED_SYMBOLS]; /* of each symbol with the next */
    for (size_t k = 0; k + 1 < count; k++) {   /* all are fetched at once, then looked at */
        merges[k].rank = tn_bpe_pairs_expect(pairs, symbols[k], symbols[k + 1]) ? 0 : no_rank;
    }
    for (size_t k = 0; k + 1 < count; k++) {
        merges[k] = merges[k].rank == no_rank ? merges[k] : look_up(pairs, symbols[k], symbols[k + 1]);
    }
    while (count > 1) {
        size_t best = lowest(merges, count - 1);
        if (merges[best].rank == no_rank) {
            break;
        }
        symbols[best] = merges[best].merged;
        size_t behind = count - best - 2;
        memmove(symbols + best + 1, symbols + best + 2, behind * sizeof *symbols);
        if (behind) {
            memmove(merges + best + 1, merges + best + 2, (behind - 1) * sizeof *merges);
            merges[best] = look_up(pairs, symbols[best], symbols[best + 1]);
        }
        if (best) {
            merges[best - 1] = look_up(pairs, symbols[best - 1], symbols[best]);
        }
        count--;
    }
    return count;
}

/* ---- long words --------------------------------------------------------------------------------------------------- */

struct chain {
    uint32_t *symbols;
    uint32_t *next; /* the index of the symbol behind; `end` behind the last */
    uint32_t *previous;
    struct tn_merge_heap heap; /* 3 x count: each merge removes one pair and makes at most two */
    uint32_t end;
};

static const uint32_t gone = UINT32_MAX; /* a symbol that became part of the one before it */

size_t tn_bpe_merge_bytes(size_t count)
{
    return count <= SCANNED_SYMBOLS ? 0 : count * (2 * sizeof(uint32_t) + 3 * sizeof(struct tn_merge));
}

static void push_pair(struct chain *chain, const struct tn_bpe_pairs *pairs, uint32_t left)
{
    uint32_t right = chain->next[left];
    if (right == chain->end) {
        return;
    }
    const struct tn_bpe_pair *pair = tn_bpe_pairs_find(pairs, chain->symbols[left], chain->symbols[right]);
    if (pair) {
        tn_merge_heap_push(&chain->heap, (struct tn_merge){pair->rank, left, pair->merged});
    }
}

/* The symbol at the right is still there, and the pair still the one that was pushed. */
static bool holds(const struct chain *chain, const struct tn_bpe_pairs *pairs, const struct tn_merge *merge)
{
    if (chain->previous[merge->at] == gone || chain->next[merge->at] == chain->end) {
        return false;
    }
    const struct tn_bpe_pair *pair =
        tn_bpe_pairs_find(pairs, chain->symbols[merge->at], chain->symbols[chain->next[merge->at]]);
    return pair && pair->rank == merge->rank && pair->merged == merge->made;
}

static void apply(struct chain *chain, const struct tn_bpe_pairs *pairs, const struct tn_merge *merge)
{
    uint32_t left = merge->at;
    uint32_t right = chain->next[left];
    uint32_t behind = chain->next[right];
    chain->symbols[left] = merge->made;
    chain->next[left] = behind;
    chain->previous[right] = gone;
    if (behind != chain->end) {
        chain->previous[behind] = left;
    }
    push_pair(chain, pairs, left);
    if (chain->previous[left] != chain->end) {
        push_pair(chain, pairs, chain->previous[left]);
    }
}

static size_t merge_with_heap(const struct tn_bpe_pairs *pairs, uint32_t *symbols, size_t count, void *work)
{
    struct chain chain = {.symbols = symbols, .heap.merges = work, .end = (uint32_t)count};
    chain.next = (uint32_t *)(chain.heap.merges + 3 * count);
    chain.previous = chain.next + count;
    for (uint32_t k = 0; k < count; k++) {
        chain.next[k] = k + 1;
        chain.previous[k] = k ? k - 1 : chain.end; /* `end` also stands in front of the first */
    }
    for (uint32_t k = 0; k + 1 < count; k++) {
        push_pair(&chain, pairs, k);
    }
    while (chain.heap.count) {
        struct tn_merge top = tn_merge_heap_pop(&chain.heap);
        if (holds(&chain, pairs, &top)) {
            apply(&chain, pairs, &top);
        }
    }
    size_t kept = 0;
    for (uint32_t k = 0; k != chain.end; k = chain.next[k]) {
        symbols[kept++] = symbols[k];
    }
    return kept;
}

size_t tn_bpe_merge(const struct tn_bpe_pairs *pairs, uint32_t *symbols, size_t count, void *work)
{
    return count <= SCANNED_SYMBOLS ? merge_scanning(pairs, symbols, count)
                                    : merge_with_heap(pairs, symbols, count, work);
}
