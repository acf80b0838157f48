#include "tokens/model/bpe.h"

#include "text/utf8.h"
#include "tokens/load.h"
#include "tokens/model/bpe_merge.h"
#include "tokens/model/joins.h"

struct tn_bpe {
    struct tn_bpe_rules rules;
    struct tn_bpe_pairs pairs;
    uint32_t ascii[128];   /* the token of each character of ASCII, or TN_TOKEN_NONE */
    uint32_t bytes[256];   /* the token of each byte: of itself, or its "<0x0A>"; TN_TOKEN_NONE: none */
    bool dividable;        /* nothing but the merges couples neighbours */
    struct tn_joins joins; /* of merged tokens */
    uint32_t last_merged;
};

/* ---- building ----------------------------------------------------------------------------------------------------- */

static uint32_t fallback_token(const struct tn_vocabulary *vocabulary, unsigned byte)
{
    static const char digits[] = "0123456789ABCDEF";
    char name[] = "<0x00>";
    name[3] = digits[byte / 16];
    name[4] = digits[byte % 16];
    return tn_vocabulary_find(vocabulary, (struct tn_str){name, sizeof name - 1});
}

static uint32_t single_byte_token(const struct tn_vocabulary *vocabulary, unsigned byte)
{
    char one = (char)(unsigned char)byte;
    return tn_vocabulary_find(vocabulary, (struct tn_str){&one, 1});
}

/* Unknown characters couple neighbours where they are fused; where each byte has a token there are none. */
static bool all_known(const struct tn_bpe *bpe)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        if (bpe->bytes[byte] == TN_TOKEN_NONE) {
            return false;
        }
    }
    return bpe->rules.byte_fallback || bpe->rules.symbols == TN_SYMBOLS_BYTES;
}

struct tn_bpe *tn_bpe_new(struct tn_tokenizer *tokenizer, const struct tn_bpe_rules *rules, size_t merges_count,
                          struct tn_error *error)
{
    struct tn_bpe *bpe = TN_NEW(&tokenizer->arena, struct tn_bpe);
    if (!bpe || !tn_bpe_pairs_reserve(&tokenizer->arena, &bpe->pairs, merges_count)) {
        tn_fail_memory(error);
        return NULL;
    }
    bpe->rules = *rules;
    bpe->last_merged = TN_TOKEN_NONE;
    bpe->joins.in_bytes = rules->symbols == TN_SYMBOLS_BYTES;
    for (unsigned byte = 0; byte < 256; byte++) {
        bpe->bytes[byte] = rules->symbols == TN_SYMBOLS_BYTES ? single_byte_token(&tokenizer->vocabulary, byte)
                                                              : fallback_token(&tokenizer->vocabulary, byte);
        if (byte < 128) {
            bpe->ascii[byte] = single_byte_token(&tokenizer->vocabulary, byte);
        }
    }
    bpe->dividable =
        rules->word_prefix.size == 0 && rules->word_suffix.size == 0 && !rules->whole_words && all_known(bpe);
    return bpe;
}

bool tn_bpe_add(struct tn_tokenizer *tokenizer, struct tn_bpe *bpe, uint32_t left, uint32_t right, uint32_t merged,
                uint32_t rank, struct tn_error *error)
{
    if (merged != bpe->last_merged) { /* several pairs that make the same token mostly stand together */
        tn_joins_add(&bpe->joins, tn_vocabulary_piece(&tokenizer->vocabulary, merged));
        bpe->last_merged = merged;
    }
    return tn_bpe_pairs_put(&tokenizer->arena, &bpe->pairs, left, right, rank, merged) || tn_fail_memory(error);
}

void tn_bpe_expect(const struct tn_bpe *bpe, uint32_t left, uint32_t right)
{
    tn_bpe_pairs_prefetch(&bpe->pairs, left, right);
}

/* The pairs that make one token. */
static bool add_pairs_of(struct tn_tokenizer *tokenizer, struct tn_bpe *bpe, uint32_t id, uint32_t rank,
                         struct tn_error *error)
{
    struct tn_str piece = tn_vocabulary_piece(&tokenizer->vocabulary, id);
    for (size_t at = 1; at < piece.size; at++) {
        uint32_t left = tn_vocabulary_find(&tokenizer->vocabulary, tn_str_slice(piece, 0, at));
        if (left == TN_TOKEN_NONE) {
            continue;
        }
        uint32_t right = tn_vocabulary_find(&tokenizer->vocabulary, tn_str_slice(piece, at, piece.size));
        if (right != TN_TOKEN_NONE && !tn_bpe_add(tokenizer, bpe, left, right, id, rank, error)) {
            return false;
        }
    }
    return true;
}

bool tn_bpe_add_all_pairs(struct tn_tokenizer *tokenizer, struct tn_bpe *bpe, const uint32_t *ranks,
                          struct tn_error *error)
{
    for (uint32_t id = 0; id < tokenizer->vocabulary.size; id++) {
        if (ranks[id] != UINT32_MAX && !add_pairs_of(tokenizer, bpe, id, ranks[id], error)) {
            return false;
        }
    }
    return true;
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

/* The symbols of a word, as the reference makes them. */
struct symbols {
    const struct tn_bpe *bpe;
    const struct tn_vocabulary *vocabulary;
    uint32_t *ids;
    size_t count;
    bool unknown; /* an unknown token waits to be written: more characters may be fused with it */
};

static void flush_unknown(struct symbols *symbols)
{
    if (symbols->unknown) {
        symbols->ids[symbols->count++] = symbols->bpe->rules.unknown;
        symbols->unknown = false;
    }
}

/* All bytes of a character must have tokens. */
static bool put_fallback(struct symbols *symbols, struct tn_str character)
{
    for (size_t k = 0; k < character.size; k++) {
        if (symbols->bpe->bytes[(unsigned char)character.data[k]] == TN_TOKEN_NONE) {
            return false;
        }
    }
    for (size_t k = 0; k < character.size; k++) {
        symbols->ids[symbols->count++] = symbols->bpe->bytes[(unsigned char)character.data[k]];
    }
    return true;
}

static void put_symbol(struct symbols *symbols, struct tn_str name, uint32_t id)
{
    const struct tn_bpe_rules *rules = &symbols->bpe->rules;
    if (id != TN_TOKEN_NONE) {
        flush_unknown(symbols);
        symbols->ids[symbols->count++] = id;
        return;
    }
    if ((rules->byte_fallback && put_fallback(symbols, name)) || rules->unknown == TN_TOKEN_NONE) {
        return;
    }
    if (!rules->fuse_unknown) {
        flush_unknown(symbols);
    }
    symbols->unknown = true;
}

static void symbols_of_bytes(struct symbols *symbols, struct tn_str word)
{
    for (size_t k = 0; k < word.size; k++) {
        put_symbol(symbols, (struct tn_str){word.data + k, 1}, symbols->bpe->bytes[(unsigned char)word.data[k]]);
    }
}

static void symbols_of_characters(struct symbols *symbols, struct tn_str word)
{
    uint32_t code_point;
    while (word.size) {
        size_t length = tn_utf8_decode(word, &code_point);
        struct tn_str name = tn_str_slice(word, 0, length ? length : 1);
        uint32_t id = name.size == 1 && code_point < 128 ? symbols->bpe->ascii[code_point]
                                                         : tn_vocabulary_find(symbols->vocabulary, name);
        put_symbol(symbols, name, id);
        word = tn_str_slice(word, name.size, word.size);
    }
}

/* With a prefix or suffix, the name of a symbol depends on its place in the word. */
static bool symbols_with_affixes(struct symbols *symbols, struct tn_str word, struct tn_builder *name)
{
    uint32_t code_point;
    for (bool first = true; word.size; first = false) {
        bool bytes = symbols->bpe->rules.symbols == TN_SYMBOLS_BYTES;
        size_t length = bytes ? 1 : tn_utf8_decode(word, &code_point);
        length = length ? length : 1;
        tn_builder_clear(name);
        tn_builder_add(name, first ? TN_STR("") : symbols->bpe->rules.word_prefix);
        tn_builder_add(name, tn_str_slice(word, 0, length));
        tn_builder_add(name, length == word.size ? symbols->bpe->rules.word_suffix : TN_STR(""));
        if (name->failed) {
            return false;
        }
        put_symbol(symbols, tn_builder_str(name), tn_vocabulary_find(symbols->vocabulary, tn_builder_str(name)));
        word = tn_str_slice(word, length, word.size);
    }
    return true;
}

static bool symbols_of(struct symbols *symbols, struct tn_str word, struct tn_builder *name)
{
    const struct tn_bpe_rules *rules = &symbols->bpe->rules;
    if (rules->word_prefix.size || rules->word_suffix.size) {
        return symbols_with_affixes(symbols, word, name);
    }
    if (rules->symbols == TN_SYMBOLS_BYTES) {
        symbols_of_bytes(symbols, word);
    } else {
        symbols_of_characters(symbols, word);
    }
    return true;
}

/* One word, without the cache. The ids are written behind those that the encoder has, and merged there. */
static bool merge_word(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word)
{
    const struct tn_bpe *bpe = step->rules;
    /* The most symbols: one for each byte, and of the affixes' bytes where characters fall back to bytes. */
    size_t most = word.size * (1 + bpe->rules.word_prefix.size) + bpe->rules.word_suffix.size;
    void *work = tn_encoder_work(encoder, tn_bpe_merge_bytes(most));
    if ((!work && tn_bpe_merge_bytes(most)) || !tn_encoder_reserve(encoder, most)) {
        return false;
    }
    struct symbols symbols = {bpe, &encoder->tokenizer->vocabulary, encoder->ids + encoder->ids_count, 0, false};
    if (!symbols_of(&symbols, word, tn_step_buffer(encoder, step))) {
        return tn_fail_memory(encoder->error);
    }
    flush_unknown(&symbols);
    encoder->ids_count += tn_bpe_merge(&bpe->pairs, symbols.ids, symbols.count, work);
    return true;
}

static bool make_word(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word)
{
    const struct tn_bpe *bpe = step->rules;
    uint32_t whole = bpe->rules.whole_words ? tn_vocabulary_find(&encoder->tokenizer->vocabulary, word) : TN_TOKEN_NONE;
    return whole != TN_TOKEN_NONE ? tn_encoder_put(encoder, whole) : merge_word(encoder, step, word);
}

enum { UNDIVIDED_BYTES = 24 };

bool tn_bpe_run(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word)
{
    const struct tn_bpe *bpe = step->rules;
    if (!bpe->dividable || word.size <= UNDIVIDED_BYTES) {
        return tn_encoder_word(encoder, step, word, make_word);
    }
    size_t from = 0;
    for (size_t at = 1; at < word.size; at++) {
        /* Inside of a character no place is safe by the table, where characters are symbols. */
        bool inside = ((unsigned char)word.data[at] & 0xC0) == 0x80;
        if (inside || tn_joins_at(&bpe->joins, word, at)) {
            continue;
        }
        if (!tn_encoder_word(encoder, step, tn_str_slice(word, from, at), make_word)) {
            return false;
        }
        from = at;
    }
    return tn_encoder_word(encoder, step, tn_str_slice(word, from, word.size), make_word);
}

bool tn_bpe_append(struct tn_tokenizer *tokenizer, const struct tn_bpe *bpe, struct tn_error *error)
{
    struct tn_split_step *step = tn_split_step_new(tokenizer, error);
    if (step) {
        *step = (struct tn_split_step){
            .run = tn_bpe_run, .rules = bpe, .divides = bpe->dividable && !tn_joins_letter_and_space(&bpe->joins)};
    }
    return step;
}
