#include "tokens/gguf/gguf_file.h"

#include <stdio.h>

#include "tokens/tokenizer.h"

enum { LONGEST_KEY = 64, LAST_KIND = TN_PIECE_BYTE };

struct key {
    char name[LONGEST_KEY];
};

static struct key key_of(const char *name)
{
    struct key key;
    (void)snprintf(key.name, sizeof key.name, "tokenizer.ggml.%s", name);
    return key;
}

static const struct tn_value *find_value(const struct tn_gguf_file *file, const char *key)
{
    struct key whole = key_of(key);
    return tn_value_member(file->metadata, tn_str_of(whole.name));
}

bool tn_gguf_file_fail_at(const struct tn_gguf_file *file, int64_t offset, struct tn_error *error)
{
    return tn_fail_at(error, offset, TN_STR_FORMAT, TN_STR_ARGUMENTS(file->name));
}

static bool fail_kind(const struct tn_gguf_file *file, const char *key, const struct tn_value *value,
                      const char *wanted, struct tn_error *error)
{
    const char *kind = value->kind == TN_NULL ? "a list" : tn_kind_name(value->kind); /* a long one is not kept */
    tn_fail(error, TN_ERROR_HEADER, "tokenizer.ggml.%s is %s, not %s", key, kind, wanted);
    return tn_gguf_file_fail_at(file, value->offset, error);
}

static bool read_text(const struct tn_gguf_file *file, const char *key, struct tn_str *text, struct tn_error *error)
{
    const struct tn_value *value = find_value(file, key);
    if (value && value->kind != TN_STRING) {
        return fail_kind(file, key, value, "a string", error);
    }
    *text = value ? value->as.string : (struct tn_str){0};
    return true;
}

bool tn_gguf_file_flag(const struct tn_gguf_file *file, const char *key, bool *value, struct tn_error *error)
{
    const struct tn_value *given = find_value(file, key);
    if (given && given->kind != TN_BOOL) {
        return fail_kind(file, key, given, "a boolean", error);
    }
    *value = given ? given->as.boolean : *value;
    return true;
}

bool tn_gguf_file_id(const struct tn_gguf_file *file, const char *key, uint32_t *value, struct tn_error *error)
{
    const struct tn_value *given = find_value(file, key);
    if (!given) {
        return true;
    }
    if (given->kind != TN_INTEGER) {
        return fail_kind(file, key, given, "an integer", error);
    }
    if (given->as.integer < 0 || given->as.integer >= file->count) {
        tn_fail(error, TN_ERROR_HEADER, "tokenizer.ggml.%s is %lld, but ids end at %u", key,
                (long long)given->as.integer, file->count - 1);
        return tn_gguf_file_fail_at(file, given->offset, error);
    }
    *value = (uint32_t)given->as.integer;
    return true;
}

bool tn_gguf_file_array(const struct tn_gguf_file *file, const char *key, enum tn_gguf_type type,
                        enum tn_gguf_type or_type, const struct tn_gguf_array **array, struct tn_error *error)
{
    struct key whole = key_of(key);
    const struct tn_value *value = find_value(file, key);
    *array = tn_gguf_find_array(file->parser, tn_str_of(whole.name));
    if (value && !*array) {
        return fail_kind(file, key, value, "a list", error);
    }
    if (*array && (*array)->type != type && (*array)->type != or_type) {
        tn_fail(error, TN_ERROR_HEADER, "the items of tokenizer.ggml.%s are of type %d, not %d", key,
                (int)(*array)->type, (int)type);
        return tn_gguf_file_fail_at(file, (int64_t)(*array)->offset, error);
    }
    return true;
}

/* ---- tokens ------------------------------------------------------------------------------------------------------- */

/* What converters write for an id without a token: "[PAD32011]". */
static bool is_padding(struct tn_str text)
{
    if (text.size < 6 || !tn_str_starts(text, TN_STR("[PAD")) || text.data[text.size - 1] != ']') {
        return false;
    }
    for (size_t k = 4; k + 1 < text.size; k++) {
        if (text.data[k] < '0' || text.data[k] > '9') {
            return false;
        }
    }
    return true;
}

/* Paddings have been written with several kinds over the years. */
static void note_placeholder(struct tn_gguf_token *token)
{
    bool may_be =
        token->kind == TN_PIECE_UNUSED || token->kind == TN_PIECE_UNKNOWN || token->kind == TN_PIECE_USER_DEFINED;
    token->placeholder |= token->text.size == 0 || (may_be && is_padding(token->text));
}

static bool add_text(struct tn_gguf_file *file, uint32_t id, struct tn_error *error)
{
    struct tn_gguf_token *token = &file->tokens[id];
    uint32_t existing = TN_MAP_NONE;
    if (token->text.size && !tn_map_insert(&file->arena, &file->ids, token->text, id, &existing)) {
        return tn_fail_memory(error);
    }
    if (existing == TN_MAP_NONE) {
        return true;
    }
    tn_fail(error, TN_ERROR_HEADER, "the token '" TN_STR_FORMAT "' stands twice, as %u and as %u",
            TN_STR_ARGUMENTS(token->text), existing, id);
    return tn_gguf_file_fail_at(file, token->offset, error);
}

static bool read_texts(struct tn_gguf_file *file, const struct tn_gguf_array *array, struct tn_error *error)
{
    file->tokens = TN_NEW_ARRAY(&file->arena, struct tn_gguf_token, file->count);
    if (!file->tokens || !tn_map_reserve(&file->arena, &file->ids, file->count)) {
        return tn_fail_memory(error);
    }
    struct tn_gguf_walk walk = tn_gguf_walk_of(array, file->bytes);
    for (uint32_t id = 0; id < file->count; id++) {
        struct tn_gguf_token *token = &file->tokens[id];
        *token = (struct tn_gguf_token){.kind = TN_PIECE_NORMAL, .offset = (int64_t)walk.at};
        tn_gguf_next_string(&walk, &token->text);
        if (!add_text(file, id, error)) {
            return false;
        }
    }
    return true;
}

/* An array with a number for each token. More of them are passed over, as engines do. */
static bool begin_numbers(const struct tn_gguf_file *file, const char *key, const struct tn_gguf_array *array,
                          struct tn_gguf_walk *walk, struct tn_error *error)
{
    *walk = tn_gguf_walk_of(array, file->bytes);
    if (array->count >= file->count) {
        return true;
    }
    tn_fail(error, TN_ERROR_HEADER, "tokenizer.ggml.%s has %llu items for %u tokens", key,
            (unsigned long long)array->count, file->count);
    return tn_gguf_file_fail_at(file, (int64_t)array->offset, error);
}

static bool read_scores(struct tn_gguf_file *file, struct tn_error *error)
{
    const struct tn_gguf_array *array;
    struct tn_gguf_walk walk;
    if (!tn_gguf_file_array(file, "scores", TN_GGUF_F32, TN_GGUF_I32, &array, error)) {
        return false;
    }
    if (!array) {
        return true;
    }
    file->scored = true;
    if (!begin_numbers(file, "scores", array, &walk, error)) {
        return false;
    }
    for (uint32_t id = 0; id < file->count; id++) {
        double score = 0;
        tn_gguf_next_number(&walk, &score);
        file->tokens[id].score = (float)score;
    }
    return true;
}

static bool set_kind(const struct tn_gguf_file *file, uint32_t id, double number, int64_t offset,
                     struct tn_error *error)
{
    if (number < 0 || number > LAST_KIND) {
        tn_fail(error, TN_ERROR_HEADER, "token %u is of the unknown kind %.0f", id, number);
        return tn_gguf_file_fail_at(file, offset, error);
    }
    file->tokens[id].placeholder = number < TN_PIECE_NORMAL; /* "undefined" */
    file->tokens[id].kind = number < TN_PIECE_NORMAL ? TN_PIECE_UNUSED : (enum tn_sentencepiece_kind)number;
    return true;
}

static bool read_kinds(struct tn_gguf_file *file, struct tn_error *error)
{
    const struct tn_gguf_array *array;
    struct tn_gguf_walk walk = {0};
    if (!tn_gguf_file_array(file, "token_type", TN_GGUF_I32, TN_GGUF_U32, &array, error)
        || (array && !begin_numbers(file, "token_type", array, &walk, error))) {
        return false;
    }
    for (uint32_t id = 0; id < file->count; id++) {
        int64_t offset = (int64_t)walk.at;
        double number = TN_PIECE_NORMAL;
        if (tn_gguf_next_number(&walk, &number) && !set_kind(file, id, number, offset, error)) {
            return false;
        }
        note_placeholder(&file->tokens[id]);
    }
    return true;
}

/* ---- the file ----------------------------------------------------------------------------------------------------- */

static bool parse(struct tn_gguf_file *file, struct tn_error *error)
{
    struct tn_gguf *parser = tn_gguf_open_metadata(&file->arena, file->name, file->bytes.size);
    if (!parser) {
        return tn_fail_memory(error);
    }
    for (struct tn_need need = tn_gguf_need(parser); need.length; need = tn_gguf_need(parser)) {
        if (!tn_gguf_give(parser, tn_str_slice(file->bytes, (size_t)need.offset, file->bytes.size), error)) {
            return false;
        }
    }
    file->parser = parser;
    file->metadata = &tn_gguf_header(parser)->metadata;
    return true;
}

static bool fail_without(const struct tn_gguf_file *file, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_NOT_A_MODEL, "a GGUF without a vocabulary");
    tn_fail_hint(error, "of a model in parts give the first one; else give the model's tokenizer.json");
    return tn_gguf_file_fail_at(file, -1, error);
}

bool tn_gguf_file_read(struct tn_gguf_file *file, struct tn_str name, struct tn_str bytes, struct tn_error *error)
{
    const struct tn_gguf_array *tokens;
    *file = (struct tn_gguf_file){.name = name, .bytes = bytes};
    if (!parse(file, error) || !read_text(file, "model", &file->model, error)
        || !read_text(file, "pre", &file->pre, error)) {
        return false;
    }
    bool none = tn_str_is(file->model, "none") || tn_str_is(file->model, "no_vocab");
    if (none || file->model.size == 0) {
        return fail_without(file, error);
    }
    if (!tn_gguf_file_array(file, "tokens", TN_GGUF_STRING, TN_GGUF_STRING, &tokens, error)) {
        return false;
    }
    if (!tokens || tokens->count == 0) {
        return fail_without(file, error);
    }
    if (tokens->count > TN_TOKEN_ID_LIMIT) {
        tn_fail(error, TN_ERROR_TOO_LARGE, "%llu tokens; at most %d are possible", (unsigned long long)tokens->count,
                TN_TOKEN_ID_LIMIT);
        return tn_gguf_file_fail_at(file, (int64_t)tokens->offset, error);
    }
    file->count = (uint32_t)tokens->count;
    return read_texts(file, tokens, error) && read_scores(file, error) && read_kinds(file, error);
}

uint32_t tn_gguf_file_find(const struct tn_gguf_file *file, struct tn_str text)
{
    return tn_map_find(&file->ids, text); /* TN_MAP_NONE is TN_TOKEN_NONE */
}
