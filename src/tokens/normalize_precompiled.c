/* Precompiled: SentencePiece's table of replacements, in base64. */
#include "tokens/base64.h"
#include "tokens/charsmap.h"
#include "tokens/normalize_kinds.h"

bool tn_normalize_precompiled(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    struct tn_str text;
    struct tn_str bytes;
    if (!tn_option_text(options, "precompiled_charsmap", &text)) {
        return false;
    }
    char *room = TN_NEW_ARRAY(&tokenizer->arena, char, text.size);
    if (!room) {
        return tn_fail_memory(options->error);
    }
    bytes = (struct tn_str){room, tn_base64_decode(text, room)};
    if (bytes.size == SIZE_MAX) {
        return tn_options_fail(options, "precompiled_charsmap", "is not base64");
    }
    const struct tn_charsmap *map = tn_charsmap_read(&tokenizer->arena, bytes, -1, options->error);
    return map
           && tn_normalize_add(tokenizer, options,
                               (struct tn_normal_step){tn_charsmap_run, map, !tn_charsmap_cuttable(map)});
}
