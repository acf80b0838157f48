#include "tokens/hub_model.h"

#include "tokens/bpe.h"
#include "tokens/unigram.h"
#include "tokens/wordpiece.h"

struct kind {
    const char *type;
    bool (*read)(struct tn_hub *hub, struct tn_error *error);
};

static const struct tn_value *option(const struct tn_hub *hub, const char *key)
{
    const struct tn_value *value = tn_value_member(&hub->file->model, tn_str_of(key));
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

uint32_t tn_hub_id(const struct tn_hub *hub, struct tn_str name)
{
    uint32_t place = tn_map_find(&hub->names, name);
    return place == TN_MAP_NONE ? TN_TOKEN_NONE : (uint32_t)hub->file->tokens[place].id;
}

/* ---- byte-pair encoding ------------------------------------------------------------------------------------------- */

static bool check_no_dropout(const struct tn_hub *hub, struct tn_error *error)
{
    const struct tn_value *dropout = option(hub, "dropout");
    bool none = !dropout || (dropout->kind == TN_REAL && dropout->as.real <= 0)
                || (dropout->kind == TN_INTEGER && dropout->as.integer == 0);
    return none || tn_fail(error, TN_ERROR_CONFIG, "'model.dropout' makes the tokens random: there is no one answer");
}

static bool bpe_rules(const struct tn_hub *hub, struct tn_bpe_rules *rules, struct tn_error *error)
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

static bool absent(const struct tn_hub_merge *merge, size_t number, struct tn_str name, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_HEADER, "merge %zu names '" TN_STR_FORMAT "', which is no token", number + 1,
            TN_STR_ARGUMENTS(name));
    return tn_fail_at(error, merge->offset, "tokenizer.json");
}

/* The name of what a merge makes: the left token and the right one without the prefix of inner symbols. */
static bool merged_name(const struct tn_hub_merge *merge, size_t prefix_bytes, struct tn_builder *name)
{
    tn_builder_clear(name);
    tn_builder_add(name, merge->left);
    tn_builder_add(name, tn_str_slice(merge->right, prefix_bytes, merge->right.size));
    return !name->failed;
}

static bool add_merge(struct tn_hub *hub, struct tn_bpe *bpe, size_t number, size_t prefix_bytes,
                      struct tn_builder *name, struct tn_error *error)
{
    const struct tn_hub_merge *merge = &hub->file->merges[number];
    uint32_t left = tn_hub_id(hub, merge->left);
    uint32_t right = tn_hub_id(hub, merge->right);
    if (left == TN_TOKEN_NONE || right == TN_TOKEN_NONE) {
        return absent(merge, number, left == TN_TOKEN_NONE ? merge->left : merge->right, error);
    }
    if (!merged_name(merge, prefix_bytes, name)) {
        return tn_fail_memory(error);
    }
    uint32_t merged = tn_hub_id(hub, tn_builder_str(name));
    if (merged == TN_TOKEN_NONE) {
        return absent(merge, number, tn_builder_str(name), error);
    }
    return tn_bpe_add(hub->tokenizer, bpe, left, right, merged, (uint32_t)number, error);
}

static bool read_bpe(struct tn_hub *hub, struct tn_error *error)
{
    struct tn_bpe_rules rules;
    if (!bpe_rules(hub, &rules, error)) {
        return false;
    }
    struct tn_bpe *bpe = tn_bpe_new(hub->tokenizer, &rules, hub->file->merges_count, error);
    struct tn_split_step *step = bpe ? tn_split_step_new(hub->tokenizer, error) : NULL;
    struct tn_builder name = {0};
    bool added = step != NULL;
    for (size_t k = 0; added && k < hub->file->merges_count; k++) {
        added = add_merge(hub, bpe, k, rules.word_prefix.size, &name, error);
    }
    tn_builder_free(&name);
    if (!added) {
        return false;
    }
    tn_bpe_finish(hub->tokenizer, bpe);
    *step = (struct tn_split_step){.run = tn_bpe_run, .rules = bpe, .divides = tn_bpe_divides(bpe)};
    return true;
}

/* ---- which one ---------------------------------------------------------------------------------------------------- */

/* A unigram's list goes to the model with its scores, which fills the vocabulary from it. */
static bool copy_entries(struct tn_hub *hub, struct tn_unigram_entry *entries, struct tn_error *error)
{
    for (size_t k = 0; k < hub->file->tokens_count; k++) {
        entries[k].score = hub->file->tokens[k].score;
        if (!tn_str_copy(&hub->tokenizer->arena, hub->file->tokens[k].name, &entries[k].piece)) {
            return tn_fail_memory(error);
        }
    }
    return true;
}

static bool read_unigram(struct tn_hub *hub, struct tn_error *error)
{
    size_t count = hub->file->tokens_count;
    const struct tn_value *unknown = option(hub, "unk_id");
    if (!hub->file->scored) {
        return tn_fail(error, TN_ERROR_CONFIG, "'model.vocab' of a Unigram is not a list of names and scores");
    }
    if (unknown && (unknown->kind != TN_INTEGER || unknown->as.integer < 0 || (uint64_t)unknown->as.integer >= count)) {
        return tn_fail(error, TN_ERROR_HEADER, "'model.unk_id' is the place of no token");
    }
    struct tn_unigram_entry *entries = TN_NEW_ARRAY(hub->scratch, struct tn_unigram_entry, count);
    if (!entries) {
        return tn_fail_memory(error);
    }
    return copy_entries(hub, entries, error)
           && tn_unigram_read(hub->tokenizer, entries, count, unknown ? (uint32_t)unknown->as.integer : TN_TOKEN_NONE,
                              flag(hub, "byte_fallback"), error);
}

static bool read_wordpiece(struct tn_hub *hub, struct tn_error *error)
{
    return tn_wordpiece_read(hub->tokenizer, &hub->file->model, error);
}

static bool read_wordlevel(struct tn_hub *hub, struct tn_error *error)
{
    return tn_wordlevel_read(hub->tokenizer, &hub->file->model, error);
}

static const struct kind kinds[] = {
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
    return hub->file->has_merges ? TN_STR("BPE") : hub->file->scored ? TN_STR("Unigram") : TN_STR("WordPiece");
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
