/* Metaspace: spaces become visible characters, and each begins a word. A text may be cut in front of a space: what follows
 * begins with the character then, so that none is put in front of it. */
#include "tokens/split/split_kinds.h"
#include "tokens/split/split_rewritten.h"

#include <string.h>

enum scheme { NEVER, FIRST, ALWAYS };

struct rules {
    struct tn_str replacement;
    enum scheme scheme;
};

static bool takes_prefix(const struct tn_encoder *encoder, const struct rules *rules, struct tn_str piece)
{
    if (piece.data[0] == ' ' || tn_str_starts(piece, rules->replacement)) {
        return false;
    }
    return rules->scheme == ALWAYS || (rules->scheme == FIRST && encoder->start == piece.data);
}

bool tn_split_to_metaspaces(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece)
{
    const struct rules *rules = step->rules;
    bool prefixed = takes_prefix(encoder, rules, piece);
    const char *end = piece.data + piece.size;
    const char *space = memchr(piece.data, ' ', piece.size);
    if (!prefixed && !space) {
        return tn_split_next(encoder, step, piece);
    }
    struct tn_builder *buffer = tn_step_buffer(encoder, step);
    if (prefixed) {
        tn_builder_add(buffer, rules->replacement);
    }
    const char *at = piece.data;
    for (; space; space = memchr(at, ' ', (size_t)(end - at))) {
        tn_builder_add(buffer, (struct tn_str){at, (size_t)(space - at)});
        tn_builder_add(buffer, rules->replacement);
        at = space + 1;
    }
    tn_builder_add(buffer, (struct tn_str){at, (size_t)(end - at)});
    return tn_split_rewritten(encoder, step, piece, buffer);
}

/* Each of the characters begins a part. */
bool tn_split_at_metaspaces(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece)
{
    const struct rules *rules = step->rules;
    struct tn_str rest = piece;
    for (;;) {
        size_t skipped = tn_str_starts(rest, rules->replacement) ? rules->replacement.size : 0;
        size_t next = tn_str_find(tn_str_slice(rest, skipped, rest.size), rules->replacement);
        if (next == SIZE_MAX) {
            return rest.size == 0 || tn_split_next(encoder, step, rest);
        }
        if (!tn_split_next(encoder, step, tn_str_slice(rest, 0, skipped + next))) {
            return false;
        }
        rest = tn_str_slice(rest, skipped + next, rest.size);
    }
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static bool read_scheme(const struct tn_options *options, enum scheme *scheme)
{
    static const struct {
        const char *name;
        enum scheme scheme;
    } schemes[] = {{"always", ALWAYS}, {"first", FIRST}, {"never", NEVER}};
    struct tn_str name;
    if (!tn_option_text(options, "prepend_scheme", &name)) {
        return false;
    }
    for (size_t k = 0; k < sizeof schemes / sizeof schemes[0]; k++) {
        if (tn_str_is(name, schemes[k].name)) {
            *scheme = schemes[k].scheme;
            return true;
        }
    }
    return tn_options_refuse(options, "prepend_scheme", name);
}

/* Old files say add_prefix_space for what is prepend_scheme now; where both are there, they have to agree. */
static bool read_rules(const struct tn_options *options, struct rules *rules)
{
    bool prefixed = true;
    if (!tn_option_boolean_or(options, "add_prefix_space", &prefixed)) {
        return false;
    }
    rules->scheme = prefixed ? ALWAYS : NEVER;
    if (!tn_option_given(options, "prepend_scheme")) {
        return true;
    }
    if (!read_scheme(options, &rules->scheme)) {
        return false;
    }
    return prefixed || rules->scheme == NEVER
           || tn_options_fail(options, "add_prefix_space", "is false, against prepend_scheme");
}

/* "first" means pieces that stem from the first character of the text as it was given. Of what becomes of that one, several
 * pieces may be made where another step splits before this one: which, is not known here. */
static bool check_first(const struct tn_tokenizer *tokenizer, const struct tn_options *options, enum scheme scheme)
{
    bool known = scheme != FIRST || tokenizer->split_count == 0
                 || (tokenizer->normal_count == 0 && !tn_split_rewrites(tokenizer));
    return known
           || tn_options_fail(options, "prepend_scheme",
                              "is 'first' behind a normalizer and a splitting step, which is not supported");
}

bool tn_split_metaspace(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    struct rules *rules = TN_NEW(&tokenizer->arena, struct rules);
    bool splits = true;
    if (!rules) {
        return tn_fail_memory(options->error);
    }
    if (!tn_option_character(tokenizer, options, "replacement", &rules->replacement) || !read_rules(options, rules)
        || !check_first(tokenizer, options, rules->scheme) || !tn_option_boolean_or(options, "split", &splits)) {
        return false;
    }
    bool is_known = tn_str_is(rules->replacement, "\xE2\x96\x81"); /* to models as a space: see divides */
    bool divides = is_known ? !tn_split_rewrites(tokenizer) : !tn_split_hides_spaces(tokenizer);
    return tn_split_add(tokenizer, options,
                        (struct tn_split_step){tn_split_to_metaspaces, rules, !splits && !is_known, false})
           && (!splits
               || tn_split_add(tokenizer, options,
                               (struct tn_split_step){tn_split_at_metaspaces, rules, !divides, divides}));
}
