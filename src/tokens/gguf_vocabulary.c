#include "tokens/load.h"
bool tn_gguf_vocabulary_matches(struct tn_str bytes)
{
    return tn_str_starts(bytes, TN_STR("GGUF"));
}
bool tn_gguf_vocabulary_load(struct tn_tokenizer *tokenizer, struct tn_str name, struct tn_str bytes,
                             struct tn_error *error)
{
    (void)tokenizer;
    (void)name;
    (void)bytes;
    return tn_fail(error, TN_ERROR_CONFIG, "not yet");
}
