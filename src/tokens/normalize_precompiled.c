/* Precompiled: SentencePiece's table of replacements. */
#include "tokens/normalize_kinds.h"

/* The hook for charsmap.h: `map` is the table in base64; the step is to be appended as the reference of tokenizer.json runs
 * it (by grapheme clusters, which is not how SentencePiece itself does). */
static bool add_charsmap(struct tn_tokenizer *tokenizer, const struct tn_options *options, struct tn_str map)
{
    (void)tokenizer;
    (void)map;
    return tn_options_refuse(options, "type", TN_STR("Precompiled"));
}

bool tn_normalize_precompiled(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    struct tn_str map;
    return tn_option_text(options, "precompiled_charsmap", &map) && add_charsmap(tokenizer, options, map);
}
