/* tokenizer.json of Hugging Face tokenizers. */
#include "tokens/hub/hub.h"

#include "tokens/hub/post_processors.h"

enum { BYTES_PER_TOKEN = 64, BYTES_PER_MERGE = 32 }; /* of a file with its merges: 40 to 110, and 20 to 60 */

bool tn_hub_matches(struct tn_str bytes)
{
    if (tn_str_starts(bytes, TN_STR("\xEF\xBB\xBF"))) {
        bytes = tn_str_slice(bytes, 3, bytes.size);
    }
    return tn_str_starts(tn_str_trim(tn_str_slice(bytes, 0, 64)), TN_STR("{"));
}

bool tn_hub_load(struct tn_tokenizer *tokenizer, struct tn_str name, struct tn_str bytes, struct tn_error *error)
{
    struct tn_hub hub = {.tokenizer = tokenizer};
    hub.likely_pairs = bytes.size / BYTES_PER_MERGE;
    size_t likely = bytes.size / BYTES_PER_TOKEN; /* so that the tables need not grow again and again */
    likely = likely < TN_TOKEN_ID_LIMIT ? likely : TN_TOKEN_ID_LIMIT;
    bool loaded = tn_vocabulary_reserve(&tokenizer->arena, &tokenizer->vocabulary, likely, error)
                  && tn_hub_walk(&hub, bytes, error) && tn_hub_model(&hub, error) && tn_hub_added(&hub, error)
                  && tn_post_processor_read(tokenizer, &hub.post_processor, error);
    tn_arena_free(&hub.scratch);
    tn_arena_free(&hub.pairs_arena);
    return loaded || tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
}
