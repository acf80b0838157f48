/* What was made of the catalog's records, kept for whoever asks next: compiling an engine's record takes longer than most plans with it.
 * Nothing that is kept is ever changed, so that threads may share it; they may ask and keep at the same time. */
#ifndef TN_CATALOG_KEPT_H
#define TN_CATALOG_KEPT_H

#include "catalog/catalog.h"

/* Makes a thing of records. NULL with the error filled.
 * what   as it was given to tn_catalog_make
 * arena  all of the thing lies in it, or in the catalog */
typedef const void *tn_make(const struct tn_catalog *catalog, const void *what, struct tn_arena *arena,
                            struct tn_error *error);

/* What is kept under the name. Where nothing is: what `make` makes, which is then kept until the catalog is closed; with the caller's arena
 * where the catalog keeps no more. NULL with the error filled, by `make` or TN_ERROR_MEMORY.
 * name   of the kind of the thing and of all that is asked for: two things that differ have two names */
const void *tn_catalog_make(const struct tn_catalog *catalog, struct tn_str name, tn_make *make, const void *what,
                            struct tn_arena *arena, struct tn_error *error);

/* ---- for the catalog ---------------------------------------------------------------------------------------------- */

struct tn_kept_things;

struct tn_kept_things *tn_kept_open(struct tn_arena *arena); /* NULL when memory is out */
void tn_kept_close(struct tn_kept_things *things);           /* frees what is kept; NULL is allowed */
struct tn_kept_things *tn_catalog_things(const struct tn_catalog *catalog);

#endif
