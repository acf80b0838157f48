/* Precompiled: SentencePiece's table of replacements, as the reference of tokenizer.json runs it. */
#include <stdlib.h>

#include "tokens/base64.h"
#include "tokens/normalize/charsmap.h"
#include "tokens/normalize/normalize_kinds.h"

/* The table in base64. */
static const struct tn_charsmap *read_charsmap(struct tn_tokenizer *tokenizer, const struct tn_options *options,
                                               struct tn_str map)
{
    char *bytes = malloc(map.size + 4);
    if (!bytes) {
        tn_fail_memory(options->error);
        return NULL;
    }
    const struct tn_charsmap *charsmap = NULL;
    size_t size = tn_base64_decode(map, bytes);
    if (size == SIZE_MAX) {
        tn_options_fail(options, "precompiled_charsmap", "is not base64");
    } else {
        charsmap = tn_charsmap_read(&tokenizer->arena, (struct tn_str){bytes, size}, -1, options->error);
    }
    free(bytes);
    return charsmap;
}

bool tn_normalize_precompiled(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    struct tn_str map;
    if (!tn_option_text(options, "precompiled_charsmap", &map)) {
        return false;
    }
    const struct tn_charsmap *charsmap = read_charsmap(tokenizer, options, map);
    struct tn_normal_step *step = charsmap ? tn_normal_step_new(tokenizer, options->error) : NULL;
    if (!step) {
        return false;
    }
    *step = (struct tn_normal_step){
        .run = tn_charsmap_run,
        .rules = charsmap,
        .whole = !tn_charsmap_cuttable(charsmap),
    };
    return true;
}
