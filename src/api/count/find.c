/* A tokenizer from bytes: of a file, or of the request itself. */
#include "api/count/find.h"

static bool open_bytes(struct tn_found_tokenizer *found, struct tn_str where, struct tn_str bytes,
                       struct tn_error *error)
{
    found->where = where;
    found->tokenizer = tn_tokenizer_open(where, bytes, error);
    return found->tokenizer || tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(where));
}

/* {"name": "tokenizer.json", "text": "..."} of a JSON request. */
static bool open_given(struct tn_found_tokenizer *found, const struct tn_value *given, struct tn_error *error)
{
    const struct tn_value *name = tn_value_member(given, TN_STR("name"));
    const struct tn_value *text = tn_value_member(given, TN_STR("text"));
    bool is_named = name && name->kind == TN_STRING;
    if (!text || text->kind != TN_STRING) {
        tn_fail(error, TN_ERROR_USAGE, "key 'tokenizer' has no \"text\"");
        tn_fail_at(error, given->offset, "tokenizer");
        return tn_fail_hint(error, "give the text of tokenizer.json or of a rank file: {\"name\": ..., \"text\": ...}");
    }
    return open_bytes(found, is_named ? name->as.string : TN_STR("tokenizer"), text->as.string, error);
}

/* The file that a name leads to; *is_found false where a model has none. */
static bool open_named(struct tn_found_tokenizer *found, const struct tn_session *session, struct tn_str name,
                       bool is_model, bool *is_found, struct tn_error *error)
{
    struct tn_tokenizer_input input = {0};
    *is_found = false;
    if (!session->tokenizers) {
        return true;
    }
    if (!session->tokenizers->find(session->tokenizers->context, name, is_model, &input, is_found, error)) {
        return false;
    }
    found->chat_template = input.chat_template;
    return !*is_found || open_bytes(found, input.where, input.bytes, error);
}

bool tn_find_tokenizer(struct tn_found_tokenizer *found, const struct tn_session *session,
                       const struct tn_request *request, struct tn_arena *arena, struct tn_error *error)
{
    const struct tn_input_value *name = &request->values[TN_INPUT_TOKENIZER];
    const struct tn_input_value *model = &request->values[TN_INPUT_MODEL];
    bool is_found = false;
    (void)arena;
    if (request->tokenizer.kind == TN_OBJECT) {
        return open_given(found, &request->tokenizer, error);
    }
    if (!name->given) {
        return !model->given || open_named(found, session, model->text, true, &is_found, error);
    }
    if (!open_named(found, session, name->text, false, &is_found, error)) {
        return false;
    }
    if (!is_found) {
        tn_fail(error, TN_ERROR_UNREADABLE, "files cannot be read here");
        tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name->text));
        return tn_fail_hint(error, "give the tokenizer itself: {\"name\": \"tokenizer.json\", \"text\": ...}");
    }
    return true;
}

void tn_found_tokenizer_free(struct tn_found_tokenizer *found)
{
    tn_tokenizer_free(found->tokenizer);
    *found = (struct tn_found_tokenizer){0};
}
