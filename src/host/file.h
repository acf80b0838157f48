/* Files and folders of this machine, for reading. */
#ifndef TN_HOST_FILE_H
#define TN_HOST_FILE_H

#include "base/text.h"

/* A whole file in memory, read-only. The mapping stays valid when the file is renamed or removed; a file that another
 * process makes shorter meanwhile ends this one with SIGBUS, as with any mapping. */
struct tn_file {
    struct tn_str bytes; /* size 0 for an empty file */
};

/* Maps a file. Only pages that are looked at are read, so a file of many gigabytes costs no more than its header.
 * Errors: TN_ERROR_UNREADABLE where it cannot be opened or is a folder, a device or a pipe; TN_ERROR_TOO_LARGE where it
 * exceeds the address space. */
bool tn_file_map(const char *path, struct tn_file *file, struct tn_error *error);

/* Ends the mapping; {0} is allowed. */
void tn_file_unmap(struct tn_file *file);

/* Fills TN_ERROR_UNREADABLE for a number of errno, with a hint. Always returns false.
 * path  the place; empty: left to the caller */
bool tn_file_fail(struct tn_error *error, int number, struct tn_str path);

/* Whether the path is a folder, or a link to one. false also where there is nothing. */
bool tn_is_folder(const char *path);

/* Makes a folder and those above it, as far as they are missing. path begins with "/". */
bool tn_folder_make(const char *path, unsigned permissions);

/* The names of all that is not a folder in a folder, in byte order; links are listed under their own name, also those
 * that lead nowhere. Names and list come from the arena.
 * Errors: TN_ERROR_UNREADABLE, TN_ERROR_MEMORY. */
bool tn_folder_list(struct tn_arena *arena, const char *path, struct tn_str **names, size_t *count,
                    struct tn_error *error);

#endif
