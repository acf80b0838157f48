/* tokenizer.json of Hugging Face tokenizers. */
#include <string.h>

#include "text/utf8.h"
#include "tokens/byte_letters.h"
#include "tokens/hub_model.h"
#include "tokens/normalizers.h"
#include "tokens/post_processors.h"
#include "tokens/pre_tokenizers.h"

bool tn_hub_matches(struct tn_str bytes)
{
    if (tn_str_starts(bytes, TN_STR("\xEF\xBB\xBF"))) {
        bytes = tn_str_slice(bytes, 3, bytes.size);
    }
    return tn_str_starts(tn_str_trim(tn_str_slice(bytes, 0, 64)), TN_STR("{"));
}

/* ---- the vocabulary ----------------------------------------------------------------------------------------------- */

static bool note_name(struct tn_hub *hub, size_t place, struct tn_error *error)
{
    const struct tn_hub_token *token = &hub->file->tokens[place];
    uint32_t existing = TN_MAP_NONE;
    if (!tn_map_insert(hub->scratch, &hub->names, token->name, (uint32_t)place, &existing)) {
        return tn_fail_memory(error);
    }
    if (existing != TN_MAP_NONE) {
        return tn_fail(error, TN_ERROR_HEADER, "the token '" TN_STR_FORMAT "' stands twice",
                       TN_STR_ARGUMENTS(token->name));
    }
    if (token->id < 0 || token->id >= TN_TOKEN_ID_LIMIT) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "the token '" TN_STR_FORMAT "' has the id %lld; ids are 0 to %d",
                       TN_STR_ARGUMENTS(token->name), (long long)token->id, TN_TOKEN_ID_LIMIT - 1);
    }
    return true;
}

/* The bytes that a name in the byte alphabet stands for; SIZE_MAX where a character is not of the alphabet. */
static size_t bytes_of_letters(struct tn_str name, char *bytes)
{
    size_t count = 0;
    for (size_t at = 0; at < name.size;) {
        uint32_t letter = (unsigned char)name.data[at];
        size_t length = letter < 0x80 ? 1 : tn_utf8_decode(tn_str_slice(name, at, name.size), &letter);
        unsigned char byte;
        if (!length || !tn_byte_of_letter(letter, &byte)) {
            return SIZE_MAX;
        }
        bytes[count++] = (char)byte;
        at += length;
    }
    return count;
}

/* Adds one token: its bytes where the names are in the byte alphabet, else its name. A name that is not of the alphabet
 * is never made from text.
 * room  for the bytes of the piece; moved behind them */
static bool add_token(struct tn_hub *hub, const struct tn_hub_token *token, char **room, struct tn_error *error)
{
    size_t size = hub->byte_level ? bytes_of_letters(token->name, *room) : SIZE_MAX;
    bool findable = !hub->byte_level || size != SIZE_MAX;
    if (size == SIZE_MAX) {
        size = token->name.size;
        memcpy(*room, token->name.data ? token->name.data : "", size);
    }
    struct tn_str piece = {*room, size};
    *room += size;
    return tn_vocabulary_add(&hub->tokenizer->arena, &hub->tokenizer->vocabulary, piece, (uint32_t)token->id, findable,
                             error);
}

static bool read_vocabulary(struct tn_hub *hub, struct tn_error *error)
{
    const struct tn_hub_file *file = hub->file;
    size_t bytes = 0;
    for (size_t k = 0; k < file->tokens_count; k++) {
        bytes += file->tokens[k].name.size;
    }
    char *room = tn_arena_alloc(&hub->tokenizer->arena, bytes);
    if (!room || !tn_map_reserve(hub->scratch, &hub->names, file->tokens_count)) {
        return tn_fail_memory(error);
    }
    if (!tn_vocabulary_reserve(&hub->tokenizer->arena, &hub->tokenizer->vocabulary,
                               file->tokens_count + file->added_tokens.count, error)) {
        return false;
    }
    for (size_t k = 0; k < file->tokens_count; k++) {
        bool added = note_name(hub, k, error) && (file->scored || add_token(hub, &file->tokens[k], &room, error));
        if (!added) {
            return tn_fail_at(error, file->tokens[k].offset, "tokenizer.json");
        }
    }
    return true;
}

/* ---- added tokens ------------------------------------------------------------------------------------------------- */

static bool flag(const struct tn_value *token, const char *key, bool otherwise)
{
    const struct tn_value *value = tn_value_member(token, tn_str_of(key));
    return value && value->kind == TN_BOOL ? value->as.boolean : otherwise;
}

/* The id that the reference gives to an added token: that of the model, or the next one behind all; what the file writes
 * is not looked at. */
static uint32_t id_of_added(struct tn_hub *hub, struct tn_str name)
{
    uint32_t id = tn_hub_id(hub, name);
    id = id == TN_TOKEN_NONE ? hub->next_added : id;
    hub->next_added = id >= hub->next_added ? id + 1 : hub->next_added;
    return id;
}

/* The place of an added token of this name: that of an earlier one, which it replaces, or a new one. */
static struct tn_added_token *place_of_added(struct tn_hub *hub, struct tn_str name, struct tn_error *error)
{
    struct tn_added *added = &hub->tokenizer->added;
    uint32_t existing = TN_MAP_NONE;
    if (!tn_map_insert(hub->scratch, &hub->added_names, name, (uint32_t)added->count, &existing)) {
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

static bool read_added(struct tn_hub *hub, struct tn_error *error)
{
    const struct tn_value *list = &hub->file->added_tokens;
    struct tn_added *added = &hub->tokenizer->added;
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
    return true;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

static bool build(struct tn_hub *hub, struct tn_error *error)
{
    const struct tn_hub_file *file = hub->file;
    hub->next_added = (uint32_t)file->tokens_count;
    return tn_normalizer_read(hub->tokenizer, &file->normalizer, error)
           && tn_pre_tokenizer_read(hub->tokenizer, &file->pre_tokenizer, &hub->byte_level, error)
           && read_vocabulary(hub, error) && tn_hub_model(hub, error) && read_added(hub, error)
           && tn_added_prepare(&hub->tokenizer->arena, &hub->tokenizer->added, error)
           && tn_post_processor_read(hub->tokenizer, &file->post_processor, error);
}

bool tn_hub_load(struct tn_tokenizer *tokenizer, struct tn_str name, struct tn_str bytes, struct tn_error *error)
{
    struct tn_hub_file file = {0};
    struct tn_hub hub = {.tokenizer = tokenizer, .file = &file, .scratch = &file.arena};
    bool loaded = tn_hub_file_read(&file, bytes, error) && build(&hub, error);
    tn_arena_free(&file.arena);
    return loaded || tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
}
