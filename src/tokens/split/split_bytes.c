/* ByteLevel: the words of GPT-2's pattern, on bytes. The reference writes each byte as a letter; here that is only done where
 * other pre-tokenizers come after it, for which an "²" may then be a byte of any character (see pre_tokenizers.c). */
#include "tokens/split/split_kinds.h"
#include "tokens/split/split_rewritten.h"
#include "tokens/unicode/byte_letters.h"

/* A space in front of each piece that has none. What follows a cut begins with one. */
static bool add_space(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece)
{
    if (piece.data[0] == ' ') {
        return tn_split_next(encoder, step, piece);
    }
    struct tn_builder *buffer = tn_step_buffer(encoder, step);
    tn_builder_add_char(buffer, ' ');
    tn_builder_add(buffer, piece);
    return tn_split_rewritten(encoder, step, piece, buffer);
}

bool tn_split_to_letters(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece)
{
    struct tn_builder *buffer = tn_step_buffer(encoder, step);
    tn_byte_letters_write(piece, buffer);
    return tn_split_rewritten(encoder, step, piece, buffer);
}

bool tn_split_from_letters(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece)
{
    struct tn_builder *buffer = tn_step_buffer(encoder, step);
    tn_byte_letters_read(piece, buffer); /* all are letters: pre_tokenizers.c lets nothing else between */
    return tn_split_rewritten(encoder, step, piece, buffer);
}

bool tn_split_byte_level(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    bool adds_space = false;
    bool splits = true;
    if (!tn_option_boolean(options, "add_prefix_space", &adds_space)
        || !tn_option_boolean_or(options, "use_regex", &splits)) {
        return false;
    }
    return (!adds_space || tn_split_add(tokenizer, options, (struct tn_split_step){add_space, NULL, false, false}))
           && (!splits || tn_split_add_isolated(tokenizer, options, &tn_pattern_gpt2))
           && tn_split_add(tokenizer, options, (struct tn_split_step){tn_split_to_letters, NULL, false, false});
}
