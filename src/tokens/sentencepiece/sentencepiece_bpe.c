#include "tokens/sentencepiece/sentencepiece_bpe.h"

#include "tokens/model/merge_heap.h"
#include "tokens/sentencepiece/sentencepiece_normal.h"
#include "tokens/word_cache.h"

struct symbol {
    uint32_t from;
    uint32_t size; /* bytes; 0: it became part of the one before it */
    uint32_t previous;
    uint32_t next; /* `none` behind the last */
    bool frozen;   /* a user defined piece: it is not merged */
};

struct chain {
    struct tn_encoder *encoder;
    const struct tn_sentencepiece_bpe *bpe;
    struct tn_str text;
    struct symbol *symbols; /* [count] */
    size_t count;
    struct tn_merge_heap heap; /* 2 x count: each merge takes one away and adds two at most */
    uint32_t *left_sizes;      /* by id, of unused pieces: how the last one of this text was made; 0: none was */
};

static const uint32_t none = UINT32_MAX;

uint32_t tn_sentencepiece_order(float score)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    return bits >> 31 ? ~bits : bits | 1U << 31;
}

/* ---- merging ------------------------------------------------------------------------------------------------------ */

static uint32_t find(const struct chain *chain, uint32_t from, uint32_t size)
{
    struct tn_str piece = {chain->text.data + from, size};
    return size > chain->bpe->longest ? TN_TOKEN_NONE
                                      : tn_vocabulary_find(&chain->encoder->tokenizer->vocabulary, piece);
}

static void push_pair(struct chain *chain, uint32_t left, uint32_t right)
{
    if (left == none || right == none) {
        return;
    }
    const struct symbol *a = &chain->symbols[left];
    const struct symbol *b = &chain->symbols[right];
    if (a->frozen || b->frozen) {
        return;
    }
    uint32_t id = find(chain, a->from, a->size + b->size);
    if (id == TN_TOKEN_NONE) {
        return;
    }
    /* The larger order goes first. Two symbols of this size together are the same two, as symbols only grow. */
    tn_merge_heap_push(&chain->heap, (struct tn_merge){~chain->bpe->order[id], left, a->size + b->size});
    if (chain->left_sizes) {
        chain->left_sizes[id] = a->size;
    }
}

static void merge_all(struct chain *chain)
{
    for (uint32_t k = 0; k + 1 < chain->count; k++) {
        push_pair(chain, k, k + 1);
    }
    while (chain->heap.count) {
        struct tn_merge top = tn_merge_heap_pop(&chain->heap);
        struct symbol *left = &chain->symbols[top.at];
        if (left->size == 0 || left->next == none || left->size + chain->symbols[left->next].size != top.made) {
            continue;
        }
        struct symbol *right = &chain->symbols[left->next];
        left->size = top.made;
        left->next = right->next;
        right->size = 0;
        if (left->next != none) {
            chain->symbols[left->next].previous = top.at;
        }
        push_pair(chain, left->previous, top.at);
        push_pair(chain, top.at, left->next);
    }
}

static size_t character_size(struct tn_str text)
{
    unsigned char lead = (unsigned char)text.data[0];
    size_t size = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return size < text.size ? size : text.size;
}

static void make_symbols(struct chain *chain)
{
    for (size_t at = 0; at < chain->text.size;) {
        struct tn_str rest = tn_str_slice(chain->text, at, chain->text.size);
        size_t user = tn_sentencepiece_user_defined(chain->bpe->user, rest);
        size_t size = user ? user : character_size(rest);
        uint32_t index = (uint32_t)chain->count++;
        chain->symbols[index] = (struct symbol){
            .from = (uint32_t)at,
            .size = (uint32_t)size,
            .previous = index ? index - 1 : none,
            .next = at + size < chain->text.size ? index + 1 : none,
            .frozen = user != 0,
        };
        at += size;
    }
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

enum { DEPTH_LIMIT = 100 }; /* sentencepiece stops taking unused pieces apart there */

static bool put(struct chain *chain, uint32_t from, uint32_t size, unsigned depth)
{
    uint32_t id = find(chain, from, size);
    bool whole = id != TN_TOKEN_NONE && (depth > DEPTH_LIMIT || chain->bpe->pieces[id].kind != TN_PIECE_UNUSED);
    if (whole) {
        return tn_encoder_put(chain->encoder, id);
    }
    uint32_t left = id == TN_TOKEN_NONE || !chain->left_sizes ? 0 : chain->left_sizes[id];
    if (left == 0) {
        return tn_unknown_put(chain->encoder, &chain->bpe->unknown, (struct tn_str){chain->text.data + from, size});
    }
    return put(chain, from, left, depth + 1) && put(chain, from + left, size - left, depth + 1);
}

static bool merge_text(struct tn_encoder *encoder, const struct tn_sentencepiece_bpe *bpe, struct tn_str text)
{
    size_t sizes_bytes = bpe->unused ? bpe->count * sizeof(uint32_t) : 0;
    char *work =
        tn_encoder_work(encoder, text.size * (sizeof(struct symbol) + 2 * sizeof(struct tn_merge)) + sizes_bytes);
    if (!work) {
        return false;
    }
    struct chain chain = {.encoder = encoder, .bpe = bpe, .text = text};
    chain.heap.merges = (struct tn_merge *)(void *)work;
    chain.symbols = (struct symbol *)(void *)(chain.heap.merges + 2 * text.size);
    if (bpe->unused) {
        chain.left_sizes = (uint32_t *)(void *)(chain.symbols + text.size);
        memset(chain.left_sizes, 0, sizes_bytes);
    }
    make_symbols(&chain);
    merge_all(&chain);
    for (uint32_t k = 0; k != none; k = chain.symbols[k].next) {
        if (!put(&chain, chain.symbols[k].from, chain.symbols[k].size, 0)) {
            return false;
        }
    }
    return true;
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

/* Whether unknown text at the start of what comes next belongs to the token that was written last. */
static bool ends_unknown(const struct tn_encoder *encoder, const struct tn_unknown *unknown)
{
    return !unknown->byte_fallback && encoder->ids_count && encoder->ids[encoder->ids_count - 1] == unknown->id;
}

static bool encode_word(struct tn_encoder *encoder, const struct tn_sentencepiece_bpe *bpe, struct tn_str word)
{
    size_t count;
    size_t before = encoder->ids_count;
    bool goes_on = ends_unknown(encoder, &bpe->unknown);
    const uint32_t *known = tn_word_cache_find(encoder->cache, word, &count);
    if (!known) {
        if (!merge_text(encoder, bpe, word)) {
            return false;
        }
        if (!goes_on) {
            tn_word_cache_keep(encoder->cache, word, encoder->ids + before, encoder->ids_count - before);
        }
        return true;
    }
    if (!tn_encoder_reserve(encoder, count)) {
        return false;
    }
    size_t fused = goes_on && known[0] == bpe->unknown.id ? 1 : 0;
    memcpy(encoder->ids + before, known + fused, (count - fused) * sizeof *known);
    encoder->ids_count += count - fused;
    return true;
}

bool tn_sentencepiece_bpe_run(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str text)
{
    const struct tn_sentencepiece_bpe *bpe = step->rules;
    if (bpe->unused) { /* how a piece is taken apart depends on all of the text */
        return merge_text(encoder, bpe, text);
    }
    size_t from = 0;
    for (size_t at = 1; at < text.size; at++) {
        bool inside = ((unsigned char)text.data[at] & 0xC0) == 0x80;
        if (inside || tn_joins_at(bpe->joins, text, at)) {
            continue;
        }
        if (!encode_word(encoder, bpe, tn_str_slice(text, from, at))) {
            return false;
        }
        from = at;
    }
    return encode_word(encoder, bpe, tn_str_slice(text, from, text.size));
}
