/* UnicodeScripts: a part for each run of one script. Characters of none at the beginning of a piece are lost, as in the
 * reference, and a space is one of them: what follows a cut would lose it, so a text is not cut. */
#include "tokens/split/split_kinds.h"
#include "tokens/unicode/characters.h"
#include "tokens/unicode/unicode_scripts.h"

static bool split(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece)
{
    unsigned last = 0;
    size_t begin = 0;
    size_t end;
    for (size_t at = 0; at < piece.size; at = end) {
        unsigned script = tn_unicode_script(tn_character_at(piece, at, &end));
        if (script == 0 || script == last) {
            continue;
        }
        if (last != 0 && !tn_split_next(encoder, step, (struct tn_str){piece.data + begin, at - begin})) {
            return false;
        }
        last = script;
        begin = at;
    }
    return last == 0 || tn_split_next(encoder, step, (struct tn_str){piece.data + begin, piece.size - begin});
}

bool tn_split_scripts(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return tn_split_add(tokenizer, options, (struct tn_split_step){split, NULL, true, false});
}
