/* The models of a tokenizer.json, by the "type" that it writes. */
#include "tokens/hub/hub.h"
#include "tokens/model/bpe.h"
#include "tokens/model/wordlevel.h"
#include "tokens/model/wordpiece.h"

static const struct tn_value *option(const struct tn_hub *hub, const char *key)
{
    const struct tn_value *value = tn_value_member(&hub->model, tn_str_of(key));
    return value && value->kind != TN_NULL ? value : NULL;
}

static bool flag(const struct tn_hub *hub, const char *key)
{
    const struct tn_value *value = option(hub, key);
    return value && value->kind == TN_BOOL && value->as.boolean;
}

/* The text of an option, copied; empty where it is not given. */
static bool text(const struct tn_hub *hub, const char *key, struct tn_str *copy, struct tn_error *error)
{
    const struct tn_value *value = option(hub, key);
    *copy = (struct tn_str){0};
    if (!value) {
        return true;
    }
    if (value->kind != TN_STRING) {
        return tn_fail(error, TN_ERROR_CONFIG, "'model.%s' is %s, not a string", key, tn_kind_name(value->kind));
    }
    return tn_str_copy(&hub->tokenizer->arena, value->as.string, copy) || tn_fail_memory(error);
}

/* ---- byte-pair encoding ------------------------------------------------------------------------------------------- */

static bool check_no_dropout(const struct tn_hub *hub, struct tn_error *error)
{
    const struct tn_value *dropout = option(hub, "dropout");
    bool none = !dropout || (dropout->kind == TN_REAL && dropout->as.real <= 0)
                || (dropout->kind == TN_INTEGER && dropout->as.integer == 0);
    return none || tn_fail(error, TN_ERROR_CONFIG, "'model.dropout' makes the tokens random: there is no one answer");
}

static bool bpe_rules(struct tn_hub *hub, struct tn_bpe_rules *rules, struct tn_error *error)
{
    struct tn_str unknown;
    *rules = (struct tn_bpe_rules){
        .symbols = hub->byte_level ? TN_SYMBOLS_BYTES : TN_SYMBOLS_CHARACTERS,
        .byte_fallback = flag(hub, "byte_fallback"),
        .fuse_unknown = flag(hub, "fuse_unk"),
        .whole_words = flag(hub, "ignore_merges"),
    };
    if (!check_no_dropout(hub, error) || !text(hub, "unk_token", &unknown, error)
        || !text(hub, "continuing_subword_prefix", &rules->word_prefix, error)
        || !text(hub, "end_of_word_suffix", &rules->word_suffix, error)) {
        return false;
    }
    rules->unknown = unknown.size ? tn_hub_id(hub, unknown) : TN_TOKEN_NONE;
    if (unknown.size && rules->unknown == TN_TOKEN_NONE) {
        return tn_fail(error, TN_ERROR_HEADER, "'model.unk_token' is '" TN_STR_FORMAT "', which is no token",
                       TN_STR_ARGUMENTS(unknown));
    }
    return true;
}

/* What a merge makes: the left token with the right one behind it, less the prefix of inner symbols. */
static bool find_merged(struct tn_hub *hub, struct tn_hub_pair pair, size_t prefix_bytes, struct tn_builder *name,
                        uint32_t *merged)
{
    const struct tn_vocabulary *vocabulary = &hub->tokenizer->vocabulary;
    if (prefix_bytes == 0 && pair.joined != TN_TOKEN_NONE) {
        *merged = pair.joined;
        return true;
    }
    struct tn_str right = tn_vocabulary_piece(vocabulary, pair.right);
    tn_builder_clear(name);
    tn_builder_add(name, tn_vocabulary_piece(vocabulary, pair.left));
    tn_builder_add(name, tn_str_slice(right, prefix_bytes, right.size));
    *merged = tn_vocabulary_find(vocabulary, tn_builder_str(name));
    return !name->failed;
}

enum { AHEAD = 16 }; /* merges */

static bool add_merges(struct tn_hub *hub, struct tn_bpe *bpe, size_t prefix_bytes, struct tn_builder *name,
                       struct tn_error *error)
{
    uint32_t merged = 0;
    for (size_t k = 0; k < hub->pairs_count; k++) {
        if (k + AHEAD < hub->pairs_count) {
            tn_bpe_expect(bpe, hub->pairs[k + AHEAD].left, hub->pairs[k + AHEAD].right);
        }
        if (!find_merged(hub, hub->pairs[k], prefix_bytes, name, &merged)) {
            return tn_fail_memory(error);
        }
        if (merged == TN_TOKEN_NONE) {
            return tn_fail(error, TN_ERROR_HEADER, "merge %zu makes '" TN_STR_FORMAT "', which is no token", k + 1,
                           TN_STR_ARGUMENTS(tn_builder_str(name)));
        }
        if (!tn_bpe_add(hub->tokenizer, bpe, hub->pairs[k].left, hub->pairs[k].right, merged, (uint32_t)k, error)) {
            return false;
        }
    }
    return true;
}

static bool read_bpe(struct tn_hub *hub, struct tn_error *error)
{
    struct tn_bpe_rules rules;
    if (!bpe_rules(hub, &rules, error)) {
        return false;
    }
    struct tn_bpe *bpe = tn_bpe_new(hub->tokenizer, &rules, hub->pairs_count, error);
    struct tn_builder name = {0};
    bool added = bpe && add_merges(hub, bpe, rules.word_prefix.size, &name, error);
    tn_builder_free(&name);
    return added && tn_bpe_append(hub->tokenizer, bpe, error);
}

/* ---- which one ---------------------------------------------------------------------------------------------------- */

static bool read_unigram(struct tn_hub *hub, struct tn_error *error)
{
    const struct tn_value *unknown = option(hub, "unk_id");
    if (!hub->scored) {
        return tn_fail(error, TN_ERROR_CONFIG, "'model.vocab' of a Unigram is not a list of names and scores");
    }
    if (unknown
        && (unknown->kind != TN_INTEGER || unknown->as.integer < 0 || unknown->as.integer >= TN_TOKEN_ID_LIMIT)) {
        return tn_fail(error, TN_ERROR_HEADER, "'model.unk_id' is no place in the list of tokens");
    }
    return tn_unigram_read(hub->tokenizer, hub->entries, hub->tokens_count,
                           unknown ? (uint32_t)unknown->as.integer : TN_TOKEN_NONE, flag(hub, "byte_fallback"), error);
}

static bool read_wordpiece(struct tn_hub *hub, struct tn_error *error)
{
    return tn_wordpiece_read(hub->tokenizer, &hub->model, error);
}

static bool read_wordlevel(struct tn_hub *hub, struct tn_error *error)
{
    return tn_wordlevel_read(hub->tokenizer, &hub->model, error);
}

static const struct {
    const char *type;
    bool (*read)(struct tn_hub *hub, struct tn_error *error);
} kinds[] = {
    {"BPE", read_bpe},
    {"Unigram", read_unigram},
    {"WordPiece", read_wordpiece},
    {"WordLevel", read_wordlevel},
};

/* Old files do not write the type: the lists tell it. */
static struct tn_str type_of(const struct tn_hub *hub)
{
    const struct tn_value *type = option(hub, "type");
    if (type && type->kind == TN_STRING) {
        return type->as.string;
    }
    return hub->has_merges ? TN_STR("BPE") : hub->scored ? TN_STR("Unigram") : TN_STR("WordPiece");
}

bool tn_hub_model(struct tn_hub *hub, struct tn_error *error)
{
    struct tn_str type = type_of(hub);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        if (tn_str_is(type, kinds[k].type)) {
            hub->tokenizer->model = kinds[k].type;
            return kinds[k].read(hub, error);
        }
    }
    return tn_fail(error, TN_ERROR_CONFIG, "'model.type' is '" TN_STR_FORMAT "', which is not supported",
                   TN_STR_ARGUMENTS(type));
}
