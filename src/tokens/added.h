/* Added tokens: those that are taken out of the text before anything else happens to it ("<|im_start|>", "[MASK]").
 *
 * Rules of Hugging Face tokenizers (AddedVocabulary): the leftmost match wins, of several there the longest; `single_word`
 * asks that no word character stands beside it, `lstrip` and `rstrip` take the white space beside it away. Tokens that are
 * not `normalized` are looked for in the text, the others in what the normalizer has left, by their normalised names. */
#ifndef TN_TOKENS_ADDED_H
#define TN_TOKENS_ADDED_H

#include "base/map.h"

struct tn_added_token {
    struct tn_str name;    /* as the file has it */
    struct tn_str content; /* what is looked for: the name, or its normalised form */
    uint32_t id;
    bool single_word;
    bool lstrip;
    bool rstrip;
    bool normalized;
    bool special;
};

struct tn_added_finder;

struct tn_added {
    struct tn_added_token *tokens; /* [count] */
    size_t count;
    const struct tn_added_finder *raw;        /* of those that are not normalized; NULL: none */
    const struct tn_added_finder *normalized; /* of the others; NULL: none */
};

/* The longest name of an added token: a limit for hostile files. */
enum { TN_ADDED_LIMIT_BYTES = 4096 };

/* Makes both finders, once all tokens are there. Errors: TN_ERROR_MEMORY. */
bool tn_added_prepare(struct tn_arena *arena, struct tn_added *added, struct tn_error *error);

/* A walk over the matches in a text. */
struct tn_added_walk {
    struct tn_str text;
    size_t scanned; /* matches end here at the latest: the next one begins at or behind it */
    size_t end;     /* of the last match with the white space that it takes; the text behind it is still to be told */
    size_t begin;   /* of the last match, likewise; may lie before the end of the one before it */
    uint32_t id;
    size_t spaces_end; /* of the white space behind a match that was looked through last */
};

/* The next match. false where there is none any more. */
bool tn_added_next(const struct tn_added_finder *finder, struct tn_added_walk *walk);

#endif
