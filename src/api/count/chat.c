/* Choosing a chat format. */
#include "api/count/chat.h"

#include "api/count/chat_record.h"
#include "catalog/names.h"

struct tn_str tn_chat_id(const struct tn_chat *chat)
{
    return chat->id;
}

size_t tn_chat_tokens(const struct tn_chat *chat, const struct tn_str **tokens)
{
    *tokens = chat->tokens.items;
    return chat->tokens.count;
}

static bool is_named(const struct tn_record *record, struct tn_str name)
{
    struct tn_str aliases = tn_record_text(record, "alias");
    bool found = tn_names_match(record->id, name);
    for (struct tn_str alias = tn_str_word(&aliases); alias.size && !found; alias = tn_str_word(&aliases)) {
        found = tn_names_match(alias, name);
    }
    return found;
}

const struct tn_chat *tn_chat_open(struct tn_arena *arena, const struct tn_catalog *catalog, struct tn_str name,
                                   struct tn_error *error)
{
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(catalog, TN_STR("chat"), &records);
    struct tn_chat *chat = TN_NEW(arena, struct tn_chat);
    struct tn_nearest nearest = {.wanted = name};
    if (!chat) {
        tn_fail_memory(error);
        return NULL;
    }
    for (size_t k = 0; k < count; k++) {
        if (is_named(records[k], name)) {
            return tn_chat_compile(arena, records[k], chat, error) ? chat : NULL;
        }
        tn_nearest_offer(&nearest, records[k]->id);
    }
    tn_fail(error, TN_ERROR_USAGE, "unknown chat format '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(name));
    tn_fail_at(error, -1, "--chat");
    tn_fail_hint(error,
                 "did you mean " TN_STR_FORMAT "? `tonnage help tokens` lists them; none counts the contents alone",
                 TN_STR_ARGUMENTS(nearest.names[0]));
    return NULL;
}

static bool template_has(struct tn_str template, struct tn_chat_texts texts, bool all)
{
    size_t found = 0;
    for (size_t k = 0; k < texts.count; k++) {
        found += tn_str_find(template, texts.items[k]) != SIZE_MAX;
    }
    return all ? found == texts.count : found > 0;
}

static bool tokenizer_has(const struct tn_tokenizer *tokenizer, struct tn_chat_texts texts, bool all)
{
    size_t found = 0;
    for (size_t k = 0; k < texts.count; k++) {
        found += tn_tokenizer_special(tokenizer, texts.items[k]) != TN_TOKEN_NONE;
    }
    return all ? found == texts.count : found > 0;
}

/* A template says more than a vocabulary: where there is one it alone decides. */
static bool matches(const struct tn_chat *chat, const struct tn_tokenizer *tokenizer, struct tn_str template)
{
    if (template.size) {
        return chat->marks.count && template_has(template, chat->marks, true)
               && !template_has(template, chat->unmarked, false);
    }
    return tokenizer && chat->tokens.count && !chat->by_template && tokenizer_has(tokenizer, chat->tokens, true)
           && !tokenizer_has(tokenizer, chat->without, false);
}

static void fail_unknown(struct tn_str template, bool has_tokenizer, struct tn_error *error)
{
    if (template.size) {
        tn_fail(error, TN_ERROR_CONFIG,
                "the request has messages, and the model's chat template is none of those known");
    } else {
        tn_fail(error, TN_ERROR_CONFIG, "the request has messages, and %s",
                has_tokenizer ? "the tokenizer has the special tokens of no chat format that is known"
                              : "without a tokenizer the chat format must be named");
    }
    tn_fail_hint(error,
                 "name the format with --chat (`tonnage help tokens` lists them); --chat none counts contents alone");
}

const struct tn_chat *tn_chat_find(struct tn_arena *arena, const struct tn_catalog *catalog,
                                   const struct tn_tokenizer *tokenizer, struct tn_str chat_template,
                                   struct tn_error *error)
{
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(catalog, TN_STR("chat"), &records);
    struct tn_chat *chat = TN_NEW(arena, struct tn_chat);
    if (!chat) {
        tn_fail_memory(error);
        return NULL;
    }
    for (size_t k = 0; k < count; k++) {
        if (!tn_chat_compile(arena, records[k], chat, error)) {
            return NULL;
        }
        if (matches(chat, tokenizer, chat_template)) {
            return chat;
        }
    }
    fail_unknown(chat_template, tokenizer != NULL, error);
    return NULL;
}
