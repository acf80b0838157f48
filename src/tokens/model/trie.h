/* A trie over byte strings in one array: all keys that begin a text, found by one memory access for each byte.
 *
 * The children of a unit stand at `base ^ byte`, each with the unit as its `check`. Where only one key goes on behind a unit,
 * that unit has the rest of it instead of children. */
#ifndef TN_TOKENS_TRIE_H
#define TN_TOKENS_TRIE_H

#include <string.h>

#include "base/text.h"

struct tn_trie_unit {
    uint32_t base;
    uint32_t check; /* the parent's index; never one where the unit is free */
    uint32_t value; /* TN_TRIE_NONE: no key ends here */
    uint32_t rest;  /* an index; 0: it has none */
};

struct tn_trie_rest {
    uint32_t value;
    uint32_t size; /* bytes; at least 1 */
    size_t from;
};

struct tn_trie {
    const struct tn_trie_unit *units; /* [count], a multiple of 256; NULL: no keys */
    size_t count;
    const struct tn_trie_rest *rests;
    const char *bytes; /* of the rests */
};

#define TN_TRIE_NONE UINT32_MAX
#define TN_TRIE_ROOT 0U

enum { TN_TRIE_BYTES_LIMIT = 128 * 1024 * 1024 }; /* of all keys: many times the largest vocabulary */

struct tn_trie_key {
    struct tn_str text; /* need not outlive the call */
    uint32_t value;     /* not TN_TRIE_NONE */
};

/* Builds a trie; of equal keys the largest value counts, empty keys are left out. The order of `keys` is changed.
 * Errors: TN_ERROR_TOO_LARGE beyond TN_TRIE_BYTES_LIMIT, TN_ERROR_MEMORY. */
bool tn_trie_build(struct tn_arena *arena, struct tn_trie_key *keys, size_t count, struct tn_trie *trie,
                   struct tn_error *error);

/* Goes from a unit to its child. false where there is none; the trie must have keys. */
static inline bool tn_trie_step(const struct tn_trie *trie, uint32_t *unit, char byte)
{
    uint32_t child = trie->units[*unit].base ^ (unsigned char)byte;
    if (trie->units[child].check != *unit) {
        return false;
    }
    *unit = child;
    return true;
}

/* The rest of a key behind a unit, where the text begins with it; else NULL. */
static inline const struct tn_trie_rest *tn_trie_rest(const struct tn_trie *trie, uint32_t unit, struct tn_str text)
{
    if (trie->units[unit].rest == 0) {
        return NULL;
    }
    const struct tn_trie_rest *rest = &trie->rests[trie->units[unit].rest];
    return rest->size <= text.size && memcmp(trie->bytes + rest->from, text.data, rest->size) == 0 ? rest : NULL;
}

/* The length of the longest key that begins the text, 0 where there is none; of the first `most` of them that are found
 * from short to long. */
size_t tn_trie_longest(const struct tn_trie *trie, struct tn_str text, size_t most);

/* Whether some key begins with this byte. */
bool tn_trie_begins(const struct tn_trie *trie, char byte);

/* The value of a key, TN_TRIE_NONE where it is not there. */
uint32_t tn_trie_find(const struct tn_trie *trie, struct tn_str key);

#endif
