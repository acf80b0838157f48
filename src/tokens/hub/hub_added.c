/* The added tokens of a tokenizer.json. */
#include "tokens/hub/hub.h"

static bool flag(const struct tn_value *token, const char *key, bool otherwise)
{
    const struct tn_value *value = tn_value_member(token, tn_str_of(key));
    return value && value->kind == TN_BOOL ? value->as.boolean : otherwise;
}

/* The id that the reference gives to an added token: that of the model, or the next one behind as many as the model has
 * tokens, gaps between their ids or not; what the file writes is not looked at. */
static uint32_t id_of_added(struct tn_hub *hub, struct tn_str name)
{
    uint32_t id = tn_hub_id(hub, name);
    return id == TN_TOKEN_NONE ? hub->next_added++ : id;
}

/* The place of an added token of this name: that of an earlier one, which it replaces, or a new one. */
static struct tn_added_token *place_of_added(struct tn_hub *hub, struct tn_str name, struct tn_error *error)
{
    struct tn_added *added = &hub->tokenizer->added;
    uint32_t existing = TN_MAP_NONE;
    if (!tn_map_insert(&hub->scratch, &hub->added_names, name, (uint32_t)added->count, &existing)) {
        tn_fail_memory(error);
        return NULL;
    }
    if (existing != TN_MAP_NONE) {
        return &added->tokens[existing];
    }
    struct tn_added_token *token = &added->tokens[added->count++];
    token->id = id_of_added(hub, name);
    return token;
}

static bool read_added_token(struct tn_hub *hub, const struct tn_value *json, struct tn_error *error)
{
    const struct tn_value *content = tn_value_member(json, TN_STR("content"));
    if (!content || content->kind != TN_STRING) {
        return tn_fail(error, TN_ERROR_CONFIG, "an added token without 'content'");
    }
    if (content->as.string.size == 0) {
        return true; /* the reference passes over it */
    }
    struct tn_added_token *token = place_of_added(hub, content->as.string, error);
    if (!token) {
        return false;
    }
    token->special = flag(json, "special", false);
    token->single_word = flag(json, "single_word", false);
    token->lstrip = flag(json, "lstrip", false);
    token->rstrip = flag(json, "rstrip", false);
    token->normalized = flag(json, "normalized", !token->special);
    if (!tn_str_copy(&hub->tokenizer->arena, content->as.string, &token->name)) {
        return tn_fail_memory(error);
    }
    bool known = tn_vocabulary_piece(&hub->tokenizer->vocabulary, token->id).data;
    return known
           || tn_vocabulary_add(&hub->tokenizer->arena, &hub->tokenizer->vocabulary, token->name, token->id, false,
                                error);
}

static bool set_content(struct tn_hub *hub, struct tn_added_token *token, struct tn_error *error)
{
    token->content = token->name;
    if (token->normalized && !tn_normalize(hub->tokenizer, &hub->tokenizer->arena, token->name, &token->content)) {
        return tn_fail_memory(error);
    }
    return token->content.size <= TN_ADDED_LIMIT_BYTES
           || tn_fail(error, TN_ERROR_CONFIG, "an added token of more than %d bytes", TN_ADDED_LIMIT_BYTES);
}

bool tn_hub_added(struct tn_hub *hub, struct tn_error *error)
{
    const struct tn_value *list = &hub->added_tokens;
    struct tn_added *added = &hub->tokenizer->added;
    hub->next_added = (uint32_t)hub->tokens_count;
    if (list->kind == TN_NULL) {
        return true;
    }
    if (list->kind != TN_LIST) {
        return tn_fail(error, TN_ERROR_CONFIG, "'added_tokens' is %s, not a list", tn_kind_name(list->kind));
    }
    added->tokens = TN_NEW_ARRAY(&hub->tokenizer->arena, struct tn_added_token, list->count);
    if (!added->tokens) {
        return tn_fail_memory(error);
    }
    for (uint32_t k = 0; k < list->count; k++) {
        if (!read_added_token(hub, &list->as.items[k], error)) {
            return tn_fail_at(error, list->as.items[k].offset, "tokenizer.json: added_tokens[%u]", k);
        }
    }
    for (size_t k = 0; k < added->count; k++) {
        if (!set_content(hub, &added->tokens[k], error)) {
            return false;
        }
    }
    return tn_added_prepare(&hub->tokenizer->arena, added, error);
}
