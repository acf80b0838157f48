/* Pre-tokenizers whose parts are runs of characters that belong together: Whitespace, UnicodeScripts, FixedLength. */
#include "tokens/split/split_kinds.h"
#include "tokens/unicode/characters.h"
#include "tokens/unicode/unicode.h"

static bool hand_on(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece, size_t from,
                    size_t to)
{
    return tn_split_next(encoder, step, (struct tn_str){piece.data + from, to - from});
}

/* ---- Whitespace: words and runs of all else but white space, so that a word ends at any space --------------------- */

enum class { SPACE, WORD, OTHER };

static enum class class_of(uint32_t code_point) {
    return tn_unicode_space(code_point)  ? SPACE
           : tn_unicode_word(code_point) ? WORD
                                         : OTHER;
}

static bool split_words(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece)
{
    enum class last = SPACE;
    size_t begin = 0;
    size_t end;
    for (size_t at = 0; at < piece.size; at = end) {
        enum class class = class_of(tn_character_at(piece, at, &end));
        if (class == last) {
            continue;
        }
        if (last != SPACE && !hand_on(encoder, step, piece, begin, at)) {
            return false;
        }
        last = class;
        begin = at;
    }
    return last == SPACE || hand_on(encoder, step, piece, begin, piece.size);
}

bool tn_split_words(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return tn_split_add(tokenizer, options, (struct tn_split_step){split_words, NULL, false, true});
}

/* ---- FixedLength: counted from the beginning, so that a text cannot be cut ---------------------------------------- */

static bool split_fixed_length(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece)
{
    const int64_t *length = step->rules;
    int64_t count = 0;
    size_t begin = 0;
    size_t end;
    for (size_t at = 0; at < piece.size; at = end, count++) {
        if (count == *length) {
            if (!hand_on(encoder, step, piece, begin, at)) {
                return false;
            }
            begin = at;
            count = 0;
        }
        tn_character_at(piece, at, &end);
    }
    return hand_on(encoder, step, piece, begin, piece.size);
}

bool tn_split_fixed_length(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    int64_t *length = TN_NEW(&tokenizer->arena, int64_t);
    if (!length) {
        return tn_fail_memory(options->error);
    }
    *length = 5;
    if (tn_option_given(options, "length") && !tn_option_integer(options, "length", 1, INT64_MAX, length)) {
        return false;
    }
    return tn_split_add(tokenizer, options, (struct tn_split_step){split_fixed_length, length, true, false});
}
