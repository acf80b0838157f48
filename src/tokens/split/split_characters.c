/* Pre-tokenizers that know a delimiter by the character alone, whatever stands beside it, so that a text may be cut in front
 * of a space. It is a delimiter to some, and then always begins a part or ends one. */
#include "tokens/split/behaviors.h"
#include "tokens/split/split_kinds.h"
#include "tokens/unicode/characters.h"
#include "tokens/unicode/unicode_versions.h"

struct rules {
    const struct tn_behavior *behavior;
    unsigned fact; /* of unicode_versions.h; 0: the delimiter */
    struct tn_str delimiter;
};

static bool is_delimiter(const struct rules *rules, uint32_t code_point, struct tn_str character)
{
    return rules->fact ? tn_unicode_facts(code_point) & rules->fact : tn_str_equal(character, rules->delimiter);
}

static bool split(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece)
{
    const struct rules *rules = step->rules;
    struct tn_splitting splitting = tn_splitting_of(encoder, step, piece, rules->behavior);
    size_t done = 0;
    size_t end;
    for (size_t at = 0; at < piece.size; at = end) {
        uint32_t code_point = tn_character_at(piece, at, &end);
        if (!is_delimiter(rules, code_point, (struct tn_str){piece.data + at, end - at})) {
            continue;
        }
        if ((at > done && !tn_splitting_take(&splitting, done, at, false))
            || !tn_splitting_take(&splitting, at, end, true)) {
            return false;
        }
        done = end;
    }
    return (done == piece.size || tn_splitting_take(&splitting, done, piece.size, false))
           && tn_splitting_end(&splitting);
}

static const struct rules spaces = {&tn_removed, TN_FACT_SPACE, {0}};
static const struct rules punctuation = {&tn_isolated, TN_FACT_PUNCTUATION, {0}};
static const struct rules single_digits = {&tn_isolated, TN_FACT_NUMERIC, {0}};
static const struct rules digits = {&tn_contiguous, TN_FACT_NUMERIC, {0}};

static bool add(struct tn_tokenizer *tokenizer, const struct tn_options *options, const struct rules *rules)
{
    bool divides = is_delimiter(rules, ' ', TN_STR(" ")); /* it is then removed */
    return tn_split_add(tokenizer, options, (struct tn_split_step){split, rules, false, divides});
}

bool tn_split_at_spaces(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return add(tokenizer, options, &spaces);
}

bool tn_split_as_bert(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return add(tokenizer, options, &spaces) && add(tokenizer, options, &punctuation);
}

bool tn_split_digits(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    bool single;
    return tn_option_boolean(options, "individual_digits", &single)
           && add(tokenizer, options, single ? &single_digits : &digits);
}

bool tn_split_punctuation(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    struct rules *rules = TN_NEW(&tokenizer->arena, struct rules);
    if (!rules) {
        return tn_fail_memory(options->error);
    }
    *rules = punctuation;
    if (tn_option_given(options, "behavior")) {
        rules->behavior = tn_option_behavior(options, "behavior");
    }
    return rules->behavior && add(tokenizer, options, rules);
}

bool tn_split_at_delimiter(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    struct rules *rules = TN_NEW(&tokenizer->arena, struct rules);
    if (!rules) {
        return tn_fail_memory(options->error);
    }
    rules->behavior = &tn_removed;
    return tn_option_character(tokenizer, options, "delimiter", &rules->delimiter) && add(tokenizer, options, rules);
}
