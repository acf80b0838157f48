/* Viterbi's algorithm over the bytes of a text. Where no token spans a place, all that stands before it is settled: it is
 * written, and the table begins anew there. So the table is as long as the longest stretch of overlapping tokens. */
#include "tokens/model/unigram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tokens/load.h"

static const double unknown_penalty = 10; /* below the lowest score, in both references */
static const float score_limit = 100000;

/* ---- building ----------------------------------------------------------------------------------------------------- */

static bool check_entries(const struct tn_unigram_entry *entries, size_t count, uint32_t unknown,
                          struct tn_error *error)
{
    if (unknown != TN_TOKEN_NONE && unknown >= count) {
        return tn_fail(error, TN_ERROR_HEADER, "the unknown token has the id %u; there are %zu tokens", unknown, count);
    }
    for (size_t k = 0; k < count; k++) {
        if (!isfinite(entries[k].score)) {
            return tn_fail(error, TN_ERROR_HEADER, "the score of token %zu is not a finite number", k);
        }
        if (entries[k].piece.size > TN_UNIGRAM_PIECE_LIMIT) {
            return tn_fail(error, TN_ERROR_TOO_LARGE, "token %zu has %zu bytes; at most %d are possible", k,
                           entries[k].piece.size, TN_UNIGRAM_PIECE_LIMIT);
        }
    }
    return true;
}

static struct tn_unigram *new_unigram(struct tn_arena *arena, size_t count, uint32_t unknown, bool byte_fallback)
{
    struct tn_unigram *unigram = TN_NEW(arena, struct tn_unigram);
    double *scores = TN_NEW_ARRAY(arena, double, count);
    if (!unigram || !scores) {
        return NULL;
    }
    *unigram = (struct tn_unigram){.sums = TN_UNIGRAM_DOUBLE_BY_WORD, .scores = scores};
    unigram->unknown.id = unknown;
    unigram->unknown.byte_fallback = byte_fallback;
    for (size_t byte = 0; byte < 256; byte++) {
        unigram->unknown.bytes[byte] = TN_TOKEN_NONE;
    }
    return unigram;
}

static void fill(struct tn_unigram *unigram, const struct tn_unigram_entry *entries, size_t count)
{
    double lowest = INFINITY;
    for (uint32_t id = 0; id < count; id++) {
        int byte = tn_unknown_byte(entries[id].piece);
        if (byte >= 0) {
            unigram->unknown.bytes[byte] = id;
        }
        unigram->scores[id] = entries[id].score;
        lowest = fmin(lowest, entries[id].score);
        unigram->longest = entries[id].piece.size > unigram->longest ? entries[id].piece.size : unigram->longest;
    }
    unigram->unknown_score = lowest - unknown_penalty;
}

static bool build_trie(struct tn_arena *arena, struct tn_trie *trie, const struct tn_unigram_entry *entries,
                       size_t count, struct tn_error *error)
{
    struct tn_trie_key *keys = malloc((count + 1) * sizeof *keys);
    if (!keys) {
        return tn_fail_memory(error);
    }
    for (uint32_t id = 0; id < count; id++) {
        keys[id] = (struct tn_trie_key){entries[id].piece, id};
    }
    bool built = tn_trie_build(arena, keys, count, trie, error);
    free(keys);
    return built;
}

bool tn_unigram_read(struct tn_tokenizer *tokenizer, const struct tn_unigram_entry *entries, size_t count,
                     uint32_t unknown, bool byte_fallback, struct tn_error *error)
{
    if (!check_entries(entries, count, unknown, error)) {
        return false;
    }
    struct tn_unigram *unigram = new_unigram(&tokenizer->arena, count, unknown, byte_fallback);
    if (!unigram) {
        return tn_fail_memory(error);
    }
    fill(unigram, entries, count);
    struct tn_split_step *step = build_trie(&tokenizer->arena, &unigram->trie, entries, count, error)
                                     ? tn_split_step_new(tokenizer, error)
                                     : NULL;
    if (!step) {
        return false;
    }
    *step = (struct tn_split_step){.run = tn_unigram_run, .rules = unigram};
    return true;
}

/* ---- the table ---------------------------------------------------------------------------------------------------- */

/* The best way from the table's origin to a place. */
struct node {
    double score;
    uint32_t length; /* bytes of its last token; 0: no token ends here */
    uint32_t id;
};

struct lattice {
    struct tn_encoder *encoder;
    const struct tn_unigram *unigram;
    struct tn_str text;
    struct node *nodes; /* [capacity], of the places behind the origin; set up to the frontier */
    size_t capacity;
    size_t origin;
    size_t frontier; /* the furthest place behind the origin at which a token ends */
    size_t unknown; /* where a stretch of unknown characters begins that was not written yet; SIZE_MAX: there is none */
};

static const size_t nowhere = SIZE_MAX;

static size_t character_length(struct tn_str text, size_t at)
{
    unsigned char lead = (unsigned char)text.data[at];
    size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return length < text.size - at ? length : text.size - at;
}

/* Rounded as the reference rounds. */
static inline double sum(const struct tn_unigram *unigram, double a, double b)
{
    return unigram->sums == TN_UNIGRAM_SINGLE_BY_TEXT ? (double)((float)a + (float)b) : a + b;
}

static bool make_room(struct lattice *lattice, size_t at)
{
    size_t wanted = at + lattice->unigram->longest + 5; /* a token or a character may begin here, and one place more */
    if (lattice->nodes && wanted <= lattice->capacity) {
        return true;
    }
    struct node *nodes = tn_encoder_work(lattice->encoder, 2 * wanted * sizeof *nodes);
    if (!nodes) {
        return false;
    }
    lattice->nodes = nodes;
    lattice->capacity = 2 * wanted;
    return true;
}

/* A token that ends at `end` with this sum. The first of equal sums stays. false where another one is as good. */
static inline bool offer(struct lattice *lattice, size_t end, double score, size_t length, uint32_t id)
{
    while (lattice->frontier < end) {
        lattice->nodes[++lattice->frontier].length = 0;
    }
    struct node *node = &lattice->nodes[end];
    if (node->length && !(score > node->score)) {
        return false;
    }
    *node = (struct node){score, (uint32_t)length, id};
    return true;
}

/* Keeps single precision precise, as the reference does it. */
static void limit_scores(struct lattice *lattice, size_t at)
{
    double offset = lattice->nodes[at].score;
    if (lattice->unigram->sums != TN_UNIGRAM_SINGLE_BY_TEXT
        || !(offset < -(double)score_limit || offset > (double)score_limit)) {
        return;
    }
    for (size_t k = at; k <= lattice->frontier; k++) {
        if (k == at || lattice->nodes[k].length) {
            lattice->nodes[k].score = (double)((float)lattice->nodes[k].score - (float)offset);
        }
    }
    lattice->nodes[at].score = 0;
}

/* All tokens that begin at a place; whether one of them is the character there. */
static bool offer_tokens(struct lattice *lattice, size_t at, size_t character)
{
    const struct tn_unigram *unigram = lattice->unigram;
    const struct tn_trie *trie = &unigram->trie;
    if (!trie->units) {
        return false;
    }
    const struct tn_str text = tn_str_slice(lattice->text, lattice->origin + at, lattice->text.size);
    double before = lattice->nodes[at].score;
    bool single = false;
    uint32_t unit = TN_TRIE_ROOT;
    size_t size = 0;
    while (size < text.size && tn_trie_step(trie, &unit, text.data[size])) {
        size++;
        uint32_t id = trie->units[unit].value;
        if (id != TN_TRIE_NONE) {
            offer(lattice, at + size, sum(unigram, unigram->scores[id], before), size, id);
            single |= size == character;
        }
    }
    const struct tn_trie_rest *rest = tn_trie_rest(trie, unit, tn_str_slice(text, size, text.size));
    if (rest) {
        size += rest->size;
        offer(lattice, at + size, sum(unigram, unigram->scores[rest->value], before), size, rest->value);
        single |= size == character;
    }
    return single;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static bool all_bytes_known(const struct tn_unknown *unknown, struct tn_str text)
{
    for (size_t k = 0; k < text.size; k++) {
        if (unknown->bytes[(unsigned char)text.data[k]] == TN_TOKEN_NONE) {
            return false;
        }
    }
    return true;
}

/* Hugging Face looks for what it has fused among the tokens. */
static bool put_fused(struct lattice *lattice, struct tn_str text)
{
    const struct tn_unigram *unigram = lattice->unigram;
    struct tn_encoder *encoder = lattice->encoder;
    uint32_t id = tn_trie_find(&unigram->trie, text);
    if (id != TN_TRIE_NONE) {
        return tn_encoder_put(encoder, id);
    }
    if (unigram->unknown.byte_fallback && all_bytes_known(&unigram->unknown, text)) {
        return tn_unknown_put_bytes(encoder, &unigram->unknown, text);
    }
    return tn_encoder_put(encoder, unigram->unknown.id);
}

static bool flush_unknown(struct lattice *lattice, size_t end)
{
    if (lattice->unknown == nowhere) {
        return true;
    }
    struct tn_str text = tn_str_slice(lattice->text, lattice->unknown, end);
    lattice->unknown = nowhere;
    return lattice->unigram->sums == TN_UNIGRAM_SINGLE_BY_TEXT
               ? tn_unknown_put(lattice->encoder, &lattice->unigram->unknown, text)
               : put_fused(lattice, text);
}

static bool put(struct lattice *lattice, size_t from, uint32_t id)
{
    if (id == lattice->unigram->unknown.id) {
        lattice->unknown = lattice->unknown == nowhere ? from : lattice->unknown;
        return true;
    }
    return flush_unknown(lattice, from) && tn_encoder_put(lattice->encoder, id);
}

/* Turns the best way to `end` around: afterwards each place on it has the token that begins there. */
static void reverse(struct node *nodes, size_t end)
{
    struct node ending = nodes[end];
    for (size_t at = end - ending.length;; at -= ending.length) {
        struct node before = nodes[at];
        nodes[at] = ending;
        if (at == 0) {
            break;
        }
        ending = before;
    }
}

/* Everything before `end` is settled: writes it and lets the table begin there. */
static bool settle(struct lattice *lattice, size_t end)
{
    double score = lattice->nodes[end].score;
    reverse(lattice->nodes, end);
    for (size_t at = 0; at < end; at += lattice->nodes[at].length) {
        if (!put(lattice, lattice->origin + at, lattice->nodes[at].id)) {
            return false;
        }
    }
    lattice->origin += end;
    lattice->frontier = 0;
    lattice->nodes[0] = (struct node){.score = score};
    return true;
}

/* ---- the words ---------------------------------------------------------------------------------------------------- */

static bool offer_unknown(struct lattice *lattice, size_t at, size_t character)
{
    const struct tn_unigram *unigram = lattice->unigram;
    double score = sum(unigram, unigram->unknown_score, lattice->nodes[at].score);
    bool chosen = offer(lattice, at + character, score, character, unigram->unknown.id);
    if (chosen && unigram->sums == TN_UNIGRAM_DOUBLE_BY_WORD && unigram->unknown.id == TN_TOKEN_NONE) {
        return tn_fail(lattice->encoder->error, TN_ERROR_HEADER,
                       "a character has no token, and the tokenizer names none for unknown ones");
    }
    return true;
}

static bool walk(struct lattice *lattice)
{
    while (lattice->origin < lattice->text.size) {
        size_t at = 0;
        do {
            if (!make_room(lattice, at)) {
                return false;
            }
            limit_scores(lattice, at);
            size_t character = character_length(lattice->text, lattice->origin + at);
            if (!offer_tokens(lattice, at, character) && !offer_unknown(lattice, at, character)) {
                return false;
            }
            at += character;
        } while (at < lattice->frontier);
        if (!settle(lattice, at)) {
            return false;
        }
    }
    return flush_unknown(lattice, lattice->text.size);
}

static bool segment(struct tn_encoder *encoder, const struct tn_unigram *unigram, struct tn_str word)
{
    struct lattice lattice = {.encoder = encoder, .unigram = unigram, .text = word, .unknown = nowhere};
    if (!make_room(&lattice, 0)) {
        return false;
    }
    bool goes_on = unigram->sums == TN_UNIGRAM_SINGLE_BY_TEXT;
    lattice.nodes[0] = (struct node){.score = goes_on ? encoder->score : 0};
    if (!walk(&lattice)) {
        return false;
    }
    encoder->score = lattice.nodes[0].score;
    return true;
}

static bool make_word(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word)
{
    return segment(encoder, step->rules, word);
}

bool tn_unigram_run(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word)
{
    const struct tn_unigram *unigram = step->rules;
    return unigram->sums == TN_UNIGRAM_SINGLE_BY_TEXT ? segment(encoder, unigram, word)
                                                      : tn_encoder_word(encoder, step, word, make_word);
}
