/* A text may be cut in front of a space that stands between two letters of ASCII, where three things hold: no step of the
 * pipeline looks farther than its neighbours, no added token can reach across, and either a step always begins a part
 * there or the model never joins a letter with a space behind it. Such places are in every text with words. */
#include "tokens/cut.h"

#include "tokens/model/bpe.h"

static bool is_letter(char one)
{
    return tn_lower(one) >= 'a' && tn_lower(one) <= 'z';
}

static bool is_place(struct tn_str text, size_t at)
{
    return text.data[at] == ' ' && is_letter(text.data[at - 1]) && is_letter(text.data[at + 1]);
}

/* An added token that has such a place inside, that begins with the space, or that ends with the letter: what is behind it
 * begins a text of its own, which a part that only goes on does not. */
static bool reaches_across(const struct tn_added_token *token)
{
    struct tn_str name = token->content;
    for (size_t at = 1; at + 1 < name.size; at++) {
        if (is_place(name, at)) {
            return true;
        }
    }
    return name.size
           && (name.data[0] == ' ' || is_letter(name.data[name.size - 1])
               || (token->lstrip && is_letter(name.data[0])));
}

static bool steps_allow(const struct tn_tokenizer *tokenizer, bool *divided)
{
    for (size_t k = 0; k < tokenizer->normal_count; k++) {
        if (tokenizer->normal[k].whole) {
            return false;
        }
    }
    for (size_t k = 0; k < tokenizer->split_count; k++) {
        if (tokenizer->splits[k].whole) {
            return false;
        }
        *divided |= tokenizer->splits[k].divides;
    }
    return true;
}

void tn_cut_prepare(struct tn_tokenizer *tokenizer)
{
    bool divided = false;
    tokenizer->cuttable = steps_allow(tokenizer, &divided) && divided;
    for (size_t k = 0; k < tokenizer->added.count; k++) {
        tokenizer->cuttable &= !reaches_across(&tokenizer->added.tokens[k]);
    }
}

size_t tn_tokenizer_cut(const struct tn_tokenizer *tokenizer, struct tn_str text)
{
    if (!tokenizer->cuttable || text.size < 3) {
        return 0;
    }
    for (size_t at = text.size - 2; at > 0; at--) {
        if (is_place(text, at)) {
            return at;
        }
    }
    return 0;
}
