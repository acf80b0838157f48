#include "tokens/sentencepiece/sentencepiece_lookup.h"

#include "text/utf8.h"
#include "tokens/model/joins.h"
#include "tokens/sentencepiece/sentencepiece_normal.h"

static bool put(struct tn_encoder *encoder, const struct tn_sentencepiece_lookup *lookup, struct tn_str piece)
{
    uint32_t id = tn_vocabulary_find(&encoder->tokenizer->vocabulary, piece);
    return id == TN_TOKEN_NONE || lookup->pieces[id].kind == TN_PIECE_UNUSED
               ? tn_unknown_put(encoder, &lookup->unknown, piece)
               : tn_encoder_put(encoder, id);
}

bool tn_sentencepiece_characters_run(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str text)
{
    const struct tn_sentencepiece_lookup *lookup = step->rules;
    while (text.size) {
        uint32_t code_point;
        size_t user = tn_sentencepiece_user_defined(lookup->user, text);
        size_t size = user ? user : tn_utf8_decode(text, &code_point);
        if (!put(encoder, lookup, tn_str_slice(text, 0, size))) {
            return false;
        }
        text = tn_str_slice(text, size, text.size);
    }
    return true;
}

bool tn_sentencepiece_words_run(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str text)
{
    size_t from = 0;
    for (size_t at = 1; at < text.size; at++) {
        if (!tn_str_starts(tn_str_slice(text, at, text.size), TN_STR(TN_METASPACE))) {
            continue;
        }
        if (!put(encoder, step->rules, tn_str_slice(text, from, at))) {
            return false;
        }
        from = at;
    }
    return put(encoder, step->rules, tn_str_slice(text, from, text.size));
}
