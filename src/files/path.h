/* Paths and URLs as text: the name at the end, and the folder before it. */
#ifndef TN_FILES_PATH_H
#define TN_FILES_PATH_H

#include "base/text.h"

/* What stands behind the last "/", not counting one at the very end. */
struct tn_str tn_path_name(struct tn_str path);

/* What stands before that, with its "/"; "./" where there is nothing. */
struct tn_str tn_path_folder(struct tn_str path);

/* folder "/" name, terminated, in the arena. NULL when memory is out. */
char *tn_path_join(struct tn_arena *arena, struct tn_str folder, struct tn_str name);

#endif
