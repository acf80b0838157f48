/* Split: at the matches of a pattern. */
#include "tokens/normalize/normalizers.h"
#include "tokens/split/behaviors.h"
#include "tokens/split/matches.h"
#include "tokens/split/pre_tokenizers.h"
#include "tokens/split/split_kinds.h"

struct rules {
    const struct tn_pattern *pattern;
    const struct tn_behavior *behavior;
    bool invert;
};

/* The way of almost all text: nothing but the pattern and the next step. */
static bool split_isolated(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece)
{
    struct tn_matches matches = tn_matches_of(step->rules, piece, encoder->error);
    struct tn_match match;
    enum tn_found found;
    size_t done = 0;
    while ((found = tn_matches_next(&matches, &match)) == TN_FOUND) {
        if (match.begin > done
            && !tn_split_next(encoder, step, (struct tn_str){piece.data + done, match.begin - done})) {
            return false;
        }
        done = match.end;
        if (match.end > match.begin
            && !tn_split_next(encoder, step, (struct tn_str){piece.data + match.begin, match.end - match.begin})) {
            return false;
        }
    }
    return found == TN_FOUND_NOTHING
           && (done == piece.size
               || tn_split_next(encoder, step, (struct tn_str){piece.data + done, piece.size - done}));
}

static bool split(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece)
{
    const struct rules *rules = step->rules;
    struct tn_splitting splitting = tn_splitting_of(encoder, step, piece, rules->behavior);
    struct tn_matches matches = tn_matches_of(rules->pattern, piece, encoder->error);
    struct tn_match match;
    enum tn_found found;
    size_t done = 0;
    while ((found = tn_matches_next(&matches, &match)) == TN_FOUND) {
        if ((match.begin > done && !tn_splitting_take(&splitting, done, match.begin, rules->invert))
            || !tn_splitting_take(&splitting, match.begin, match.end, !rules->invert)) {
            return false;
        }
        done = match.end;
    }
    return found == TN_FOUND_NOTHING
           && (done == piece.size || tn_splitting_take(&splitting, done, piece.size, rules->invert))
           && tn_splitting_end(&splitting);
}

/* Whether a text may be cut in front of a space between letters. Where matches are isolated or removed, the pattern tells.
 * A match at the space that goes with what follows is as good; other joins reach over the place. */
static struct tn_split_step as_cut(const struct tn_tokenizer *tokenizer, const struct tn_pattern *pattern,
                                   const struct tn_behavior *behavior, bool invert, struct tn_split_step step)
{
    bool spaces_stay = !tn_split_hides_spaces(tokenizer);
    bool as_pattern = behavior == &tn_isolated || behavior == &tn_removed;
    bool goes_with_next = behavior == &tn_merged_with_next && !invert;
    step.divides = spaces_stay && pattern->divides && (as_pattern || goes_with_next);
    step.whole = !step.divides && !(spaces_stay && pattern->local && as_pattern);
    return step;
}

bool tn_split_add_isolated(struct tn_tokenizer *tokenizer, const struct tn_options *options,
                           const struct tn_pattern *pattern)
{
    return tn_split_add(tokenizer, options,
                        as_cut(tokenizer, pattern, &tn_isolated, false,
                               (struct tn_split_step){.run = split_isolated, .rules = pattern}));
}

/* The text of the pattern; empty for a regular expression. */
static struct tn_str text_of(const struct tn_options *options)
{
    struct tn_options pattern;
    struct tn_str text;
    bool is_text = tn_option_object(options, "pattern", &pattern) && tn_option_given(&pattern, "String")
                   && tn_option_text(&pattern, "String", &text);
    return is_text ? text : (struct tn_str){0};
}

/* Spaces in a pattern where there are none left. */
static bool never_matches(const struct tn_tokenizer *tokenizer, struct tn_str text)
{
    return tokenizer->split_count == 0 && tn_normalizer_hides_spaces(tokenizer)
           && tn_str_find(text, TN_STR(" ")) != SIZE_MAX;
}

bool tn_split_pattern(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    struct rules *rules = TN_NEW(&tokenizer->arena, struct rules);
    if (!rules) {
        return tn_fail_memory(options->error);
    }
    rules->pattern = tn_option_pattern(tokenizer, options, "pattern");
    rules->behavior = rules->pattern ? tn_option_behavior(options, "behavior") : NULL;
    if (!rules->behavior || !tn_option_boolean(options, "invert", &rules->invert)) {
        return false;
    }
    if (!rules->invert && never_matches(tokenizer, text_of(options))) {
        return true;
    }
    if (rules->behavior == &tn_isolated) { /* whatever is a match then */
        return tn_split_add_isolated(tokenizer, options, rules->pattern);
    }
    struct tn_split_step step = {.run = split, .rules = rules};
    step = as_cut(tokenizer, rules->pattern, rules->behavior, rules->invert, step);
    step.whole &= !tn_text_is_apart(text_of(options));
    return tn_split_add(tokenizer, options, step);
}

/* The matches, and nothing of what stands between them. */
static bool split_matches(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece)
{
    struct tn_matches matches = tn_matches_of(step->rules, piece, encoder->error);
    struct tn_match match;
    enum tn_found found;
    while ((found = tn_matches_next(&matches, &match)) == TN_FOUND) {
        if (match.end > match.begin
            && !tn_split_next(encoder, step, (struct tn_str){piece.data + match.begin, match.end - match.begin})) {
            return false;
        }
    }
    return found == TN_FOUND_NOTHING;
}

bool tn_split_matches_only(struct tn_tokenizer *tokenizer, const struct tn_pattern *pattern, struct tn_error *error)
{
    struct tn_split_step *step = tn_split_step_new(tokenizer, error);
    if (step) {
        *step = (struct tn_split_step){split_matches, pattern, !pattern->local, pattern->divides};
    }
    return step;
}
