/* SentencePiece's .model as a tokenizer: the same ids as those of SentencePieceProcessor::Encode of sentencepiece 0.2.3. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"
#include "tokens/load.h"
#include "tokens/model/unigram.h"
#include "tokens/sentencepiece/sentencepiece.h"
#include "tokens/sentencepiece/sentencepiece_bpe.h"
#include "tokens/sentencepiece/sentencepiece_lookup.h"
#include "tokens/sentencepiece/sentencepiece_normal.h"

static const double user_defined_bonus = 0.1; /* for each byte but the first */
static const float unknown_penalty = 10;

struct loading {
    struct tn_tokenizer *tokenizer;
    struct tn_sentencepiece_file file;
    struct tn_map reserved; /* pieces that do not stand in text */
    struct tn_unknown unknown;
    struct tn_joins *joins;
    struct tn_trie *user;
    size_t longest;
    bool unused;
};

static bool fail_at_piece(const struct loading *loading, uint32_t id, struct tn_error *error)
{
    return tn_fail_at(error, loading->file.pieces[id].offset, "%s", "");
}

/* ---- checks ------------------------------------------------------------------------------------------------------- */

static bool is_zero_byte(struct tn_str text)
{
    return text.size == 1 && text.data[0] == '\0';
}

/* Some converters leave such a piece; sentencepiece passes over it. */
static bool passes_over(struct loading *loading, uint32_t id)
{
    struct tn_sentencepiece_piece *piece = &loading->file.pieces[id];
    if (is_zero_byte(piece->text) && loading->file.byte_fallback) {
        piece->kind = TN_PIECE_UNUSED;
    }
    return is_zero_byte(piece->text) && piece->kind == TN_PIECE_UNUSED;
}

static const char *fault_of(const struct loading *loading, const struct tn_sentencepiece_piece *piece)
{
    if (piece->text.size == 0) {
        return "is empty";
    }
    if (piece->text.size >= TN_UNIGRAM_PIECE_LIMIT) {
        return "is longer than 7999 bytes";
    }
    if (memchr(piece->text.data, 0, piece->text.size)) {
        return "has a zero byte";
    }
    if (tn_utf8_valid(piece->text) < piece->text.size) {
        return "is not UTF-8";
    }
    if (isnan(piece->score) || (loading->file.type == TN_SENTENCEPIECE_UNIGRAM && isinf(piece->score))) {
        return "has a score that is not a finite number";
    }
    if (piece->kind == TN_PIECE_BYTE && !loading->file.byte_fallback) {
        return "stands for a byte, but the model does not fall back to bytes";
    }
    if (piece->kind == TN_PIECE_BYTE && tn_unknown_byte(piece->text) < 0) {
        return "is to stand for a byte, but is not like <0x0A>";
    }
    if (piece->kind == TN_PIECE_UNKNOWN && loading->unknown.id != TN_TOKEN_NONE) {
        return "is a second one for unknown text";
    }
    return NULL;
}

static bool check_piece(const struct loading *loading, uint32_t id, struct tn_error *error)
{
    const struct tn_sentencepiece_piece *piece = &loading->file.pieces[id];
    const char *fault = fault_of(loading, piece);
    if (!fault) {
        return true;
    }
    tn_fail(error, TN_ERROR_HEADER, "piece %u '" TN_STR_FORMAT "' %s", id, TN_STR_ARGUMENTS(piece->text), fault);
    return fail_at_piece(loading, id, error);
}

static bool check_unknown(const struct loading *loading, struct tn_error *error)
{
    if (!loading->file.byte_fallback) {
        return loading->unknown.id != TN_TOKEN_NONE
               || tn_fail(error, TN_ERROR_HEADER, "the model has no piece for unknown text");
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        if (loading->unknown.bytes[byte] == TN_TOKEN_NONE) {
            return tn_fail(error, TN_ERROR_HEADER, "the model falls back to bytes, but has no piece <0x%02X>", byte);
        }
    }
    return true;
}

/* ---- pieces ------------------------------------------------------------------------------------------------------- */

static bool stands_in_text(const struct tn_sentencepiece_piece *piece)
{
    return piece->kind == TN_PIECE_NORMAL || piece->kind == TN_PIECE_USER_DEFINED || piece->kind == TN_PIECE_UNUSED;
}

/* In models of byte pairs all pieces must differ, in others those that stand in text and the others among themselves. */
static bool check_twice(struct loading *loading, uint32_t id, struct tn_error *error)
{
    const struct tn_sentencepiece_piece *piece = &loading->file.pieces[id];
    uint32_t existing = TN_MAP_NONE;
    if (!stands_in_text(piece)
        && !tn_map_insert(&loading->tokenizer->arena, &loading->reserved, piece->text, id, &existing)) {
        return tn_fail_memory(error);
    }
    if (existing == TN_MAP_NONE && loading->file.type == TN_SENTENCEPIECE_BPE) {
        existing = stands_in_text(piece) ? tn_map_find(&loading->reserved, piece->text)
                                         : tn_vocabulary_find(&loading->tokenizer->vocabulary, piece->text);
    }
    if (existing == TN_MAP_NONE) {
        return true;
    }
    return tn_fail(error, TN_ERROR_HEADER, "the piece '" TN_STR_FORMAT "' stands twice, as %u and as %u",
                   TN_STR_ARGUMENTS(piece->text), existing, id);
}

static void note(struct loading *loading, uint32_t id)
{
    const struct tn_sentencepiece_piece *piece = &loading->file.pieces[id];
    if (piece->kind == TN_PIECE_UNKNOWN) {
        loading->unknown.id = id;
    }
    if (piece->kind == TN_PIECE_BYTE) {
        loading->unknown.bytes[tn_unknown_byte(piece->text)] = id;
    }
    if (stands_in_text(piece)) {
        tn_joins_add(loading->joins, piece->text);
        loading->longest = piece->text.size > loading->longest ? piece->text.size : loading->longest;
        loading->unused |= piece->kind == TN_PIECE_UNUSED;
    }
}

static bool add_piece(struct loading *loading, uint32_t id, struct tn_error *error)
{
    struct tn_arena *arena = &loading->tokenizer->arena;
    const struct tn_sentencepiece_piece *piece = &loading->file.pieces[id];
    if (passes_over(loading, id)) {
        return tn_vocabulary_add(arena, &loading->tokenizer->vocabulary, piece->text, id, false, error);
    }
    if (!check_piece(loading, id, error)) {
        return false;
    }
    if (!check_twice(loading, id, error)
        || !tn_vocabulary_add(arena, &loading->tokenizer->vocabulary, piece->text, id, stands_in_text(piece), error)) {
        return fail_at_piece(loading, id, error);
    }
    note(loading, id);
    return true;
}

static bool add_pieces(struct loading *loading, struct tn_error *error)
{
    if (loading->file.count == 0) {
        return tn_fail(error, TN_ERROR_HEADER, "the model has no pieces");
    }
    if (!tn_vocabulary_reserve(&loading->tokenizer->arena, &loading->tokenizer->vocabulary, loading->file.count,
                               error)) {
        return false;
    }
    for (uint32_t id = 0; id < loading->file.count; id++) {
        if (!add_piece(loading, id, error)) {
            return false;
        }
    }
    return check_unknown(loading, error);
}

typedef bool (*tn_wanted)(const struct tn_sentencepiece_piece *piece);

static bool is_user_defined(const struct tn_sentencepiece_piece *piece)
{
    return piece->kind == TN_PIECE_USER_DEFINED;
}

static bool is_scored(const struct tn_sentencepiece_piece *piece)
{
    return piece->kind == TN_PIECE_NORMAL || piece->kind == TN_PIECE_USER_DEFINED;
}

static bool is_special(const struct tn_sentencepiece_piece *piece)
{
    return piece->kind == TN_PIECE_CONTROL || piece->kind == TN_PIECE_UNKNOWN;
}

static size_t count_of(const struct loading *loading, tn_wanted wanted)
{
    size_t count = 0;
    for (size_t id = 0; id < loading->file.count; id++) {
        count += wanted(&loading->file.pieces[id]);
    }
    return count;
}

/* Control pieces have names by which they can be asked for; in text they are nothing special. */
static bool name_specials(struct loading *loading, struct tn_error *error)
{
    struct tn_added *added = &loading->tokenizer->added;
    added->tokens = TN_NEW_ARRAY(&loading->tokenizer->arena, struct tn_added_token, count_of(loading, is_special));
    if (!added->tokens) {
        return tn_fail_memory(error);
    }
    for (uint32_t id = 0; id < loading->file.count; id++) {
        const struct tn_sentencepiece_piece *piece = &loading->file.pieces[id];
        if (is_special(piece)) {
            added->tokens[added->count++] =
                (struct tn_added_token){.name = piece->text, .content = piece->text, .id = id, .special = true};
        }
    }
    return true;
}

static bool build_trie(struct loading *loading, tn_wanted wanted, struct tn_trie *trie, struct tn_error *error)
{
    struct tn_trie_key *keys = malloc((count_of(loading, wanted) + 1) * sizeof *keys);
    if (!keys) {
        return tn_fail_memory(error);
    }
    size_t count = 0;
    for (uint32_t id = 0; id < loading->file.count; id++) {
        if (wanted(&loading->file.pieces[id])) {
            keys[count++] = (struct tn_trie_key){loading->file.pieces[id].text, id};
        }
    }
    bool built = tn_trie_build(&loading->tokenizer->arena, keys, count, trie, error);
    free(keys);
    return built;
}

/* ---- models ------------------------------------------------------------------------------------------------------- */

static bool fill_scores(const struct loading *loading, double *scores, struct tn_unigram *unigram)
{
    float lowest = FLT_MAX;
    bool any = false;
    for (size_t id = 0; id < loading->file.count; id++) {
        const struct tn_sentencepiece_piece *piece = &loading->file.pieces[id];
        scores[id] = (double)piece->score;
        if (piece->kind == TN_PIECE_USER_DEFINED) {
            scores[id] = (double)(float)(user_defined_bonus * ((double)piece->text.size - 1));
        }
        if (piece->kind == TN_PIECE_NORMAL && piece->score < lowest) {
            lowest = piece->score;
        }
        any |= stands_in_text(piece);
    }
    unigram->unknown_score = (double)(lowest - unknown_penalty);
    return any;
}

static const void *unigram_rules(struct loading *loading, struct tn_error *error)
{
    struct tn_unigram *unigram = TN_NEW(&loading->tokenizer->arena, struct tn_unigram);
    double *scores = TN_NEW_ARRAY(&loading->tokenizer->arena, double, loading->file.count);
    if (!unigram || !scores) {
        tn_fail_memory(error);
        return NULL;
    }
    *unigram = (struct tn_unigram){
        .sums = TN_UNIGRAM_SINGLE_BY_TEXT,
        .scores = scores,
        .longest = loading->longest,
        .unknown = loading->unknown,
    };
    if (!fill_scores(loading, scores, unigram)) {
        tn_fail(error, TN_ERROR_HEADER, "no piece of the model stands for text");
        return NULL;
    }
    return build_trie(loading, is_scored, &unigram->trie, error) ? unigram : NULL;
}

static const void *bpe_rules(struct loading *loading, struct tn_error *error)
{
    struct tn_sentencepiece_bpe *bpe = TN_NEW(&loading->tokenizer->arena, struct tn_sentencepiece_bpe);
    uint32_t *order = TN_NEW_ARRAY(&loading->tokenizer->arena, uint32_t, loading->file.count);
    if (!bpe || !order) {
        tn_fail_memory(error);
        return NULL;
    }
    for (size_t id = 0; id < loading->file.count; id++) {
        order[id] = tn_sentencepiece_order(loading->file.pieces[id].score);
    }
    *bpe = (struct tn_sentencepiece_bpe){
        .pieces = loading->file.pieces,
        .count = loading->file.count,
        .longest = loading->longest,
        .unused = loading->unused,
        .order = order,
        .user = loading->user,
        .joins = loading->joins,
        .unknown = loading->unknown,
    };
    return bpe;
}

static const void *lookup_rules(struct loading *loading, struct tn_error *error)
{
    struct tn_sentencepiece_lookup *lookup = TN_NEW(&loading->tokenizer->arena, struct tn_sentencepiece_lookup);
    if (!lookup) {
        tn_fail_memory(error);
        return NULL;
    }
    *lookup = (struct tn_sentencepiece_lookup){loading->file.pieces, loading->user, loading->unknown};
    return lookup;
}

/* Whether tokens on both sides of a space behind a letter depend on each other: through a piece that spans that place,
 * through unknown text on both sides, which becomes one token, or through how unused pieces were made. */
static bool spans_spaces(const struct loading *loading)
{
    uint32_t space = tn_vocabulary_find(&loading->tokenizer->vocabulary, TN_STR(TN_METASPACE));
    bool space_known = space != TN_TOKEN_NONE && is_scored(&loading->file.pieces[space]);
    bool remade = loading->unused && loading->file.type == TN_SENTENCEPIECE_BPE;
    return remade || tn_joins_letter_and_space(loading->joins)
           || !(loading->file.byte_fallback || (space_known && loading->file.escape_spaces));
}

static bool add_model(struct loading *loading, struct tn_error *error)
{
    static const struct {
        const char *name;
        const void *(*rules)(struct loading *loading, struct tn_error *error);
        bool (*run)(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str text);
    } models[] = {
        [TN_SENTENCEPIECE_UNIGRAM - 1] = {"Unigram", unigram_rules, tn_unigram_run},
        [TN_SENTENCEPIECE_BPE - 1] = {"BPE", bpe_rules, tn_sentencepiece_bpe_run},
        [TN_SENTENCEPIECE_WORD - 1] = {"Word", lookup_rules, tn_sentencepiece_words_run},
        [TN_SENTENCEPIECE_CHARACTER - 1] = {"Character", lookup_rules, tn_sentencepiece_characters_run},
    };
    const void *rules = models[loading->file.type - 1].rules(loading, error);
    struct tn_split_step *step = rules ? tn_split_step_new(loading->tokenizer, error) : NULL;
    if (!step) {
        return false;
    }
    bool words =
        loading->file.type == TN_SENTENCEPIECE_WORD; /* unknown ones are fused where they do not become bytes */
    bool whole = words ? !loading->file.byte_fallback : spans_spaces(loading);
    *step = (struct tn_split_step){
        .run = models[loading->file.type - 1].run, .rules = rules, .whole = whole, .divides = !whole};
    loading->tokenizer->model = models[loading->file.type - 1].name;
    return true;
}

/* ---- the file ----------------------------------------------------------------------------------------------------- */

static bool load(struct loading *loading, struct tn_error *error)
{
    struct tn_arena *arena = &loading->tokenizer->arena;
    loading->joins = TN_NEW(arena, struct tn_joins);
    loading->user = TN_NEW(arena, struct tn_trie);
    if (!loading->joins || !loading->user) {
        return tn_fail_memory(error);
    }
    loading->unknown = (struct tn_unknown){.id = TN_TOKEN_NONE, .byte_fallback = loading->file.byte_fallback};
    for (size_t byte = 0; byte < 256; byte++) {
        loading->unknown.bytes[byte] = TN_TOKEN_NONE;
    }
    loading->tokenizer->invalid = TN_INVALID_KEPT;
    return add_pieces(loading, error) && name_specials(loading, error)
           && build_trie(loading, is_user_defined, loading->user, error)
           && tn_sentencepiece_normal_add(loading->tokenizer, &loading->file, loading->user, error)
           && add_model(loading, error);
}

bool tn_sentencepiece_build(struct tn_tokenizer *tokenizer, const struct tn_sentencepiece_file *file,
                            struct tn_error *error)
{
    struct loading loading = {.tokenizer = tokenizer, .file = *file};
    return load(&loading, error);
}

bool tn_sentencepiece_load(struct tn_tokenizer *tokenizer, struct tn_str name, struct tn_str bytes,
                           struct tn_error *error)
{
    (void)name;
    struct tn_sentencepiece_file file;
    struct tn_str kept; /* pieces point into it */
    if (!tn_str_copy(&tokenizer->arena, bytes, &kept)) {
        return tn_fail_memory(error);
    }
    return tn_sentencepiece_file_read(&tokenizer->arena, kept, &file, error)
           && tn_sentencepiece_build(tokenizer, &file, error);
}

bool tn_sentencepiece_matches(struct tn_str bytes)
{
    return tn_sentencepiece_file_matches(bytes);
}
