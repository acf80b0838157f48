/* Split: at the matches of a pattern. Where its matches are isolated or removed, the parts end where the pattern says; where
 * they are joined to others, a part may reach over a space, and the text is not cut. */
#include "tokens/behaviors.h"
#include "tokens/matches.h"
#include "tokens/split_kinds.h"

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

bool tn_split_add_isolated(struct tn_tokenizer *tokenizer, const struct tn_options *options,
                           const struct tn_pattern *pattern)
{
    return tn_split_add(tokenizer, options,
                        (struct tn_split_step){split_isolated, pattern, !pattern->local, pattern->divides});
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
    if (rules->behavior == &tn_isolated) { /* whatever is a match then */
        return tn_split_add_isolated(tokenizer, options, rules->pattern);
    }
    bool ends_with_matches = rules->behavior == &tn_removed;
    return tn_split_add(
        tokenizer, options,
        (struct tn_split_step){split, rules, !ends_with_matches || !rules->pattern->local, rules->pattern->divides});
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
