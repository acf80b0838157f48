/* Many literals looked for at once: the automaton of Aho and Corasick as a table, over classes of bytes. It looks at each byte once and is
 * the only thing that most lines of a log ever meet. */
#ifndef TN_LOGS_TEXT_LITERALS_H
#define TN_LOGS_TEXT_LITERALS_H

#include "base/text.h"

struct tn_literals; /* immutable, in the arena */

/* The state before the first byte, and after a line whose end is known. */
#define TN_LITERALS_START 0U

/* literals  [count], none empty; they need not live on. Fewer than 65535.
 * NULL with the error filled: TN_ERROR_TOO_LARGE where they have more than 32767 beginnings together, TN_ERROR_MEMORY. */
const struct tn_literals *tn_literals_new(const struct tn_str *literals, size_t count, struct tn_arena *arena,
                                          struct tn_error *error);

/* Goes on until a byte at which literals end, or to the end of the text. true where some end before *position, which is moved.
 * state  of the bytes before *position */
bool tn_literals_next(const struct tn_literals *literals, struct tn_str text, size_t *position, unsigned *state);

/* The literals that end in this state: their numbers. */
const uint16_t *tn_literals_found(const struct tn_literals *literals, unsigned state, size_t *count);

#endif
