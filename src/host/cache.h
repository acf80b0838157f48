/* Beginnings of remote files, kept on this machine. What cannot be kept is read again: no function here fails. */
#ifndef TN_HOST_CACHE_H
#define TN_HOST_CACHE_H

#include "base/text.h"

struct tn_cache_entry {
    struct tn_str etag;  /* of the file when it was read; empty where the URL itself never changes its meaning */
    struct tn_str bytes; /* the beginning of the file */
    uint64_t file_bytes; /* the size of the whole */
};

/* $XDG_CACHE_HOME/tonnage, or ~/.cache/tonnage; NULL where neither variable says where, or memory is out. */
const char *tn_cache_folder(struct tn_arena *arena);

/* What is kept under a URL; false where nothing is, or something that is damaged. All memory from the arena.
 * folder  NULL: there is no cache */
bool tn_cache_read(const char *folder, struct tn_arena *arena, struct tn_str url, struct tn_cache_entry *entry);

/* Keeps it, in place of what was there: written aside and renamed, so that no reader ever sees a part. */
void tn_cache_write(const char *folder, struct tn_str url, const struct tn_cache_entry *entry);

#endif
