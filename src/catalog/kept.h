/* Things that are made once and kept for whoever asks next: compiling an engine's record takes longer than most plans with it. Nothing that is
 * kept is ever changed, so that threads may share it; they may ask at the same time. */
#ifndef TN_CATALOG_KEPT_H
#define TN_CATALOG_KEPT_H

#include "base/text.h"

struct tn_kept;

/* In the arena, where it takes the room of its places alone; NULL when memory is out. */
struct tn_kept *tn_kept_open(struct tn_arena *arena);
void tn_kept_close(struct tn_kept *kept); /* frees all that is kept; NULL is allowed */

/* Makes a thing. NULL with the error filled.
 * what   as it was given to tn_kept_make
 * arena  all of the thing lies in it, or in what lives longer than what is kept */
typedef const void *tn_make(const void *what, struct tn_arena *arena, struct tn_error *error);

/* What is kept under the name. Where nothing is: what `make` makes, which is then kept; with the caller's arena where no more is kept, which is
 * after 64 things, and of names over 64 bytes. NULL with the error of `make`.
 * name  of the kind of the thing and of all that is asked for: two things that differ have two names */
const void *tn_kept_make(struct tn_kept *kept, struct tn_str name, tn_make *make, const void *what,
                         struct tn_arena *arena, struct tn_error *error);

#endif
