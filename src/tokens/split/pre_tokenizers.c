#include "tokens/split/pre_tokenizers.h"

#include "tokens/normalize/normalizers.h"
#include "tokens/split/split_kinds.h"

static bool read_sequence(struct tn_tokenizer *tokenizer, const struct tn_options *options);

static const struct tn_kind_reader kinds[] = {
    {"BertPreTokenizer", tn_split_as_bert},
    {"ByteLevel", tn_split_byte_level},
    {"CharDelimiterSplit", tn_split_at_delimiter},
    {"Digits", tn_split_digits},
    {"FixedLength", tn_split_fixed_length},
    {"Metaspace", tn_split_metaspace},
    {"Punctuation", tn_split_punctuation},
    {"Sequence", read_sequence},
    {"Split", tn_split_pattern},
    {"UnicodeScripts", tn_split_scripts},
    {"Whitespace", tn_split_words},
    {"WhitespaceSplit", tn_split_at_spaces},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

static bool read_sequence(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return tn_kinds_read(tokenizer, kinds, KINDS, options, "pretokenizers");
}

bool tn_split_rewrites(const struct tn_tokenizer *tokenizer)
{
    bool rewrites = false;
    for (size_t k = 0; k < tokenizer->split_count; k++) {
        rewrites |=
            tokenizer->splits[k].run == tn_split_to_metaspaces || tokenizer->splits[k].run == tn_split_to_letters;
    }
    return rewrites;
}

bool tn_split_hides_spaces(const struct tn_tokenizer *tokenizer)
{
    return tn_normalizer_hides_spaces(tokenizer) || tn_split_rewrites(tokenizer);
}

bool tn_split_add(struct tn_tokenizer *tokenizer, const struct tn_options *options, struct tn_split_step step)
{
    step.divides &= step.run == tn_split_at_metaspaces || !tn_split_hides_spaces(tokenizer);
    struct tn_split_step *added = tn_split_step_new(tokenizer, options->error);
    if (added) {
        *added = step;
    }
    return added;
}

/* To steps behind one that divides, a place where the text may be cut is a place between pieces, whatever they do. */
static void free_from_cuts(struct tn_tokenizer *tokenizer)
{
    bool divided = false;
    for (size_t k = 0; k < tokenizer->split_count; k++) {
        tokenizer->splits[k].whole &= !divided;
        divided |= tokenizer->splits[k].divides;
    }
}

/* The last step that writes bytes as letters. The model wants bytes: where nothing comes after it, the words are left as they
 * are, else their letters become bytes again at the end. (Where letters were written as letters before, one kind remains, as
 * in the reference.) */
static bool end_with_bytes(struct tn_tokenizer *tokenizer, const struct tn_options *options, size_t letters)
{
    if (letters + 1 == tokenizer->split_count) {
        tokenizer->split_count--;
        return true;
    }
    for (size_t k = letters + 1; k < tokenizer->split_count; k++) {
        if (tokenizer->splits[k].run == tn_split_to_metaspaces) {
            return tn_options_fail(options, NULL, "has a Metaspace behind a ByteLevel, which is not supported");
        }
    }
    return tn_split_add(tokenizer, options, (struct tn_split_step){tn_split_from_letters, NULL, false, false});
}

bool tn_pre_tokenizer_read(struct tn_tokenizer *tokenizer, const struct tn_value *json, bool *byte_level,
                           struct tn_error *error)
{
    struct tn_options options = {NULL, "pre_tokenizer", TN_OPTION_NO_INDEX, json, error};
    *byte_level = false;
    if (json->kind == TN_NULL) {
        return true;
    }
    if (!tn_kind_read(tokenizer, kinds, KINDS, &options)) {
        return false;
    }
    free_from_cuts(tokenizer);
    for (size_t k = tokenizer->split_count; k > 0; k--) {
        if (tokenizer->splits[k - 1].run == tn_split_to_letters) {
            *byte_level = true;
            return end_with_bytes(tokenizer, &options, k - 1);
        }
    }
    return true;
}
