#include "tokens/model/wordpiece.h"

#include "tokens/model/trie.h"
#include "tokens/options.h"

struct rules {
    struct tn_trie first; /* pieces that begin a word: all */
    struct tn_trie inner; /* the others, without their prefix */
    uint32_t unknown;     /* TN_TOKEN_NONE: the vocabulary has none */
    uint64_t longest;     /* characters of a word; longer ones are unknown */
};

/* The longest piece that begins the text; 0 where none does. */
static size_t longest_piece(const struct tn_trie *pieces, struct tn_str text, uint32_t *id)
{
    size_t longest = 0;
    size_t at = 0;
    uint32_t unit = TN_TRIE_ROOT;
    if (!pieces->units) {
        return 0;
    }
    while (at < text.size && tn_trie_step(pieces, &unit, text.data[at])) {
        at++;
        if (pieces->units[unit].value != TN_TRIE_NONE) {
            *id = pieces->units[unit].value;
            longest = at;
        }
    }
    const struct tn_trie_rest *rest = tn_trie_rest(pieces, unit, tn_str_slice(text, at, text.size));
    if (rest) {
        *id = rest->value;
        longest = at + rest->size;
    }
    return longest;
}

static bool too_long(const struct rules *rules, struct tn_str word)
{
    uint64_t characters = 0;
    for (size_t k = 0; word.size > rules->longest && k < word.size; k++) {
        characters += ((unsigned char)word.data[k] & 0xC0) != 0x80;
    }
    return characters > rules->longest;
}

/* The pieces of a word; where a part of it has none, the whole word is unknown. */
static bool split(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word)
{
    const struct rules *rules = step->rules;
    size_t before = encoder->ids_count;
    for (size_t at = 0; at < word.size;) {
        uint32_t id = TN_TOKEN_NONE;
        struct tn_str rest = tn_str_slice(word, at, word.size);
        size_t taken = longest_piece(at ? &rules->inner : &rules->first, rest, &id);
        if (taken == 0) {
            encoder->ids_count = before;
            return tn_put_unknown(encoder, rules->unknown);
        }
        if (!tn_encoder_put(encoder, id)) {
            return false;
        }
        at += taken;
    }
    return true;
}

static bool run(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word)
{
    const struct rules *rules = step->rules;
    return too_long(rules, word) ? tn_put_unknown(encoder, rules->unknown)
                                 : tn_encoder_word(encoder, step, word, split);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* A trie of the pieces that begin with a prefix, without it. */
static bool build(struct tn_tokenizer *tokenizer, struct tn_str prefix, struct tn_trie *trie, struct tn_error *error)
{
    const struct tn_vocabulary *vocabulary = &tokenizer->vocabulary;
    struct tn_arena scratch = {0};
    struct tn_trie_key *keys = TN_NEW_ARRAY(&scratch, struct tn_trie_key, vocabulary->size);
    size_t count = 0;
    for (uint32_t id = 0; keys && id < vocabulary->size; id++) {
        struct tn_str piece = tn_vocabulary_piece(vocabulary, id);
        if (piece.size > prefix.size && tn_str_starts(piece, prefix) && tn_vocabulary_find(vocabulary, piece) == id) {
            keys[count++] = (struct tn_trie_key){tn_str_slice(piece, prefix.size, piece.size), id};
        }
    }
    bool built = keys ? tn_trie_build(&tokenizer->arena, keys, count, trie, error) : tn_fail_memory(error);
    tn_arena_free(&scratch);
    return built;
}

bool tn_wordpiece_read(struct tn_tokenizer *tokenizer, const struct tn_value *json, struct tn_error *error)
{
    struct tn_options options = {NULL, "model", TN_OPTION_NO_INDEX, json, error};
    struct tn_str unknown;
    struct tn_str prefix;
    int64_t longest;
    if (!tn_option_text(&options, "unk_token", &unknown)
        || !tn_option_text(&options, "continuing_subword_prefix", &prefix)
        || !tn_option_integer(&options, "max_input_chars_per_word", 0, INT64_MAX, &longest)) {
        return false;
    }
    struct rules *rules = TN_NEW(&tokenizer->arena, struct rules);
    if (!rules) {
        return tn_fail_memory(error);
    }
    rules->unknown = tn_vocabulary_find(&tokenizer->vocabulary, unknown);
    rules->longest = (uint64_t)longest;
    if (!build(tokenizer, TN_STR(""), &rules->first, error) || !build(tokenizer, prefix, &rules->inner, error)) {
        return false;
    }
    struct tn_split_step *step = tn_split_step_new(tokenizer, error);
    if (step) {
        *step = (struct tn_split_step){run, rules, false, false};
    }
    return step;
}
