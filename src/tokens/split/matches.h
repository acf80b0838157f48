/* All matches of a pattern in a text, as the reference goes through them. */
#ifndef TN_TOKENS_MATCHES_H
#define TN_TOKENS_MATCHES_H

#include "tokens/pattern/pattern.h"
#include "tokens/unicode/characters.h"

struct tn_matches {
    const struct tn_pattern *pattern;
    struct tn_str text;
    struct tn_error *error;
    size_t from;     /* where the search goes on */
    size_t last_end; /* of the match before; SIZE_MAX: none */
};

static inline struct tn_matches tn_matches_of(const struct tn_pattern *pattern, struct tn_str text,
                                              struct tn_error *error)
{
    return (struct tn_matches){pattern, text, error, 0, SIZE_MAX};
}

/* The next match. One that is empty counts, unless it stands right behind the one before. */
static inline enum tn_found tn_matches_next(struct tn_matches *matches, struct tn_match *match)
{
    while (matches->from <= matches->text.size) {
        enum tn_found found =
            matches->pattern->next(matches->pattern, matches->text, matches->from, match, matches->error);
        if (found != TN_FOUND) {
            return found;
        }
        if (match->end > match->begin || match->end != matches->last_end) {
            matches->from = match->end;
            matches->last_end = match->end;
            return TN_FOUND;
        }
        size_t next = matches->from + 1;
        if (matches->from < matches->text.size) {
            tn_character_at(matches->text, matches->from, &next);
        }
        matches->from = next;
    }
    return TN_FOUND_NOTHING;
}

#endif
