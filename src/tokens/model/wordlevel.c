#include "tokens/model/wordlevel.h"

#include "tokens/options.h"

bool tn_put_unknown(struct tn_encoder *encoder, uint32_t id)
{
    if (id == TN_TOKEN_NONE) {
        return tn_fail(encoder->error, TN_ERROR_HEADER,
                       "a word has no tokens, and the vocabulary no token for unknown ones");
    }
    return tn_encoder_put(encoder, id);
}

static bool run(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word)
{
    uint32_t id = tn_vocabulary_find(&encoder->tokenizer->vocabulary, word);
    return id == TN_TOKEN_NONE ? tn_put_unknown(encoder, *(const uint32_t *)step->rules) : tn_encoder_put(encoder, id);
}

bool tn_wordlevel_read(struct tn_tokenizer *tokenizer, const struct tn_value *json, struct tn_error *error)
{
    struct tn_options options = {NULL, "model", TN_OPTION_NO_INDEX, json, error};
    struct tn_str name;
    if (!tn_option_text(&options, "unk_token", &name)) {
        return false;
    }
    uint32_t *unknown = TN_NEW(&tokenizer->arena, uint32_t);
    if (!unknown) {
        return tn_fail_memory(error);
    }
    *unknown = tn_vocabulary_find(&tokenizer->vocabulary, name);
    struct tn_split_step *step = tn_split_step_new(tokenizer, error);
    if (step) {
        *step = (struct tn_split_step){run, unknown, false, false};
    }
    return step;
}
