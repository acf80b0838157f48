#include "tokens/hub/post_processors.h"

#include <string.h>

#include "tokens/options.h"

static bool read_sequence(struct tn_tokenizer *tokenizer, const struct tn_options *options);

/* ---- tokens around the text --------------------------------------------------------------------------------------- */

struct ids {
    uint32_t *items;
    size_t count;
};

/* `first` and `second` as one list. */
static bool join(struct tn_arena *arena, struct ids first, struct ids second, struct ids *joined)
{
    joined->count = first.count + second.count;
    joined->items = TN_NEW_ARRAY(arena, uint32_t, joined->count);
    if (!joined->items) {
        return false;
    }
    if (first.count) {
        memcpy(joined->items, first.items, first.count * sizeof *joined->items);
    }
    if (second.count) {
        memcpy(joined->items + first.count, second.items, second.count * sizeof *joined->items);
    }
    return true;
}

/* What a second processor would make of the parts of the first one is no list of tokens around a text. */
static bool put_around(struct tn_tokenizer *tokenizer, const struct tn_options *options, struct ids before,
                       struct ids behind)
{
    struct ids none = {0};
    struct ids prefix;
    struct ids suffix;
    if (tokenizer->prefix_count || tokenizer->suffix_count) {
        return tn_options_fail(options, NULL, "adds tokens to those of another one, which is not supported");
    }
    if (!join(&tokenizer->arena, before, none, &prefix) || !join(&tokenizer->arena, behind, none, &suffix)) {
        return tn_fail_memory(options->error);
    }
    tokenizer->prefix = prefix.items;
    tokenizer->prefix_count = prefix.count;
    tokenizer->suffix = suffix.items;
    tokenizer->suffix_count = suffix.count;
    return true;
}

static bool read_id(const struct tn_options *options, const struct tn_value *value, uint32_t *id)
{
    if (value->kind != TN_INTEGER || value->as.integer < 0 || value->as.integer >= TN_TOKEN_ID_LIMIT) {
        return tn_options_fail(options, NULL, "has no id of a token");
    }
    *id = (uint32_t)value->as.integer;
    return true;
}

/* ---- BertProcessing and RobertaProcessing: ["[CLS]", 101] and ["[SEP]", 102] -------------------------------------- */

static bool read_pair(const struct tn_options *options, const char *key, uint32_t *id)
{
    struct tn_options pair;
    if (!tn_option_list(options, key, &pair)) {
        return false;
    }
    return pair.value->count == 2 ? read_id(&pair, &pair.value->as.items[1], id)
                                  : tn_options_fail(&pair, NULL, "is not a token and its id");
}

static bool read_bert(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    uint32_t first;
    uint32_t last;
    return read_pair(options, "cls", &first) && read_pair(options, "sep", &last)
           && put_around(tokenizer, options, (struct ids){&first, 1}, (struct ids){&last, 1});
}

/* ByteLevel changes offsets only. */
static bool read_byte_level(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    (void)tokenizer;
    (void)options;
    return true;
}

/* ---- TemplateProcessing ------------------------------------------------------------------------------------------- */

/* The ids of a special token of the template, appended. */
static bool add_special(struct tn_tokenizer *tokenizer, const struct tn_options *options,
                        const struct tn_options *piece, struct ids *ids)
{
    struct tn_options specials;
    struct tn_options special;
    struct tn_options list;
    struct tn_str name;
    char *key = NULL;
    if (!tn_option_text(piece, "id", &name) || !tn_option_object(options, "special_tokens", &specials)) {
        return false;
    }
    key = tn_str_terminated(&tokenizer->arena, name);
    if (!key) {
        return tn_fail_memory(options->error);
    }
    if (!tn_option_object(&specials, key, &special) || !tn_option_list(&special, "ids", &list)) {
        return false;
    }
    struct ids added = {TN_NEW_ARRAY(&tokenizer->arena, uint32_t, list.value->count), list.value->count};
    if (!added.items) {
        return tn_fail_memory(options->error);
    }
    for (size_t k = 0; k < added.count; k++) {
        if (!read_id(&list, &list.value->as.items[k], &added.items[k])) {
            return false;
        }
    }
    return join(&tokenizer->arena, *ids, added, ids) || tn_fail_memory(options->error);
}

struct template
{
    struct ids before;
    struct ids behind;
    bool has_text;
};

/* {"Sequence": {"id": "A", ...}} or {"SpecialToken": {"id": "<s>", ...}}. */
static bool add_piece(struct tn_tokenizer *tokenizer, const struct tn_options *options, const struct tn_options *piece,
                      struct template *template)
{
    struct tn_options part;
    if (tn_option_given(piece, "SpecialToken")) {
        struct ids *ids = template->has_text ? &template->behind : &template->before;
        return tn_option_object(piece, "SpecialToken", &part) && add_special(tokenizer, options, &part, ids);
    }
    struct tn_str id;
    if (!tn_option_object(piece, "Sequence", &part) || !tn_option_text(&part, "id", &id)) {
        return false;
    }
    if (!tn_str_is(id, "A") || template->has_text) {
        return tn_options_fail(options, "single", "does not hold the text once");
    }
    template->has_text = true;
    return true;
}

static bool read_template(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    struct tn_options single;
    struct template template = {0};
    if (!tn_option_list(options, "single", &single)) {
        return false;
    }
    for (size_t k = 0; k < single.value->count; k++) {
        struct tn_options piece = tn_option_item(&single, k);
        if (!add_piece(tokenizer, options, &piece, &template)) {
            return false;
        }
    }
    if (!template.has_text) {
        return tn_options_fail(options, "single", "does not hold the text once");
    }
    return put_around(tokenizer, options, template.before, template.behind);
}

/* ---- all kinds ---------------------------------------------------------------------------------------------------- */

static const struct tn_kind_reader kinds[] = {
    {"BertProcessing", read_bert}, {"ByteLevel", read_byte_level},        {"RobertaProcessing", read_bert},
    {"Sequence", read_sequence},   {"TemplateProcessing", read_template},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

static bool read_sequence(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return tn_kinds_read(tokenizer, kinds, KINDS, options, "processors");
}

bool tn_post_processor_read(struct tn_tokenizer *tokenizer, const struct tn_value *json, struct tn_error *error)
{
    struct tn_options options = {NULL, "post_processor", TN_OPTION_NO_INDEX, json, error};
    return json->kind == TN_NULL || tn_kind_read(tokenizer, kinds, KINDS, &options);
}
