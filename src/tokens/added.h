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

struct tn_added_match {
    size_t begin; /* bytes */
    size_t end;
    uint32_t id;
};

/* A finder of the tokens for which `normalized` is as given. NULL with *failed set when memory is out, NULL without where
 * there are none. */
const struct tn_added_finder *tn_added_finder_new(struct tn_arena *arena, const struct tn_added *added, bool normalized,
                                                  bool *failed);

/* The first match at or behind `from`; false where there is none.  */
bool tn_added_find(const struct tn_added_finder *finder, const struct tn_added *added, struct tn_str text, size_t from,
                   struct tn_added_match *match);

#endif
