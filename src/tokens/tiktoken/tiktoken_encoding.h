/* What rank files do not say: the pattern and the special tokens of each encoding. One row each. */
#ifndef TN_TOKENS_TIKTOKEN_ENCODING_H
#define TN_TOKENS_TIKTOKEN_ENCODING_H

#include "base/text.h"

struct tn_special_row {
    const char *name; /* "#" stands for a number; NULL ends the list */
    uint32_t id;      /* of the first */
    uint32_t count;   /* of a series with rising numbers; otherwise 1 */
    uint32_t number;  /* the first one */
};

struct tn_tiktoken_encoding {
    const char *name;
    size_t ranks_count; /* lines of its file: what it is known by */
    const char *pattern;
    const struct tn_special_row *specials;
};

/* The encoding whose file has so many ranks, else the one whose name the file's name contains; NULL where none is known. */
const struct tn_tiktoken_encoding *tn_tiktoken_encoding_of(size_t ranks_count, struct tn_str file_name);

size_t tn_tiktoken_specials_count(const struct tn_tiktoken_encoding *encoding);

/* A walk over the special tokens. Start with {.encoding = ...}. */
struct tn_special_walk {
    const struct tn_tiktoken_encoding *encoding;
    size_t row;
    uint32_t done; /* of the row */
    char name[64]; /* of the current one */
};

struct tn_special_name {
    struct tn_str name; /* valid until the next step of the walk */
    uint32_t id;
};

/* false at the end. */
bool tn_tiktoken_next_special(struct tn_special_walk *walk, struct tn_special_name *special);

#endif
