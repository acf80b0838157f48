/* Folders of this machine whose files requests may name, and nothing outside of them. */
#ifndef TONNAGE_SERVER_FOLDER_H
#define TONNAGE_SERVER_FOLDER_H

#include "base/text.h"
#include "files/source.h"

struct serve_folder {
    char *path; /* absolute, without links; with "/" at its end */
    size_t path_bytes;
    int descriptor;
};

struct serve_folders {
    struct serve_folder *folders; /* [count] */
    size_t count;
};

/* Errors: TN_ERROR_USAGE for what is no folder, and where the system cannot keep names below one; TN_ERROR_MEMORY. */
bool serve_folders_open(struct serve_folders *folders, const struct tn_str *paths, size_t count,
                        struct tn_error *error);
void serve_folders_close(struct serve_folders *folders);

/* A name in one of them: absolute, or relative to any. *path gets the absolute one, in the arena; empty where nothing is there, or it is
 * outside. *is_folder  what is there. Errors: TN_ERROR_MEMORY. */
bool serve_folders_find(const struct serve_folders *folders, struct tn_arena *arena, struct tn_str name,
                        struct tn_str *path, bool *is_folder, struct tn_error *error);

/* A regular file by its absolute path, for reading; -1 with the error filled. Errors: TN_ERROR_FORBIDDEN for what lies outside,
 * TN_ERROR_UNREADABLE. */
int serve_folders_open_file(const struct serve_folders *folders, const char *path, struct tn_error *error);

/* All of a file, or its header, in the arena. Files are read, not mapped: one that is cut meanwhile would end the process.
 * Errors: those of serve_folders_open_file, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY, those of the parsers of headers. */
bool serve_folders_read(const struct serve_folders *folders, struct tn_arena *arena, const char *path,
                        enum tn_file_kind kind, struct tn_part *part, struct tn_error *error);

/* The names of what is no folder in a folder, as tn_folder_list. */
bool serve_folders_list(const struct serve_folders *folders, struct tn_arena *arena, const char *path,
                        struct tn_str **names, size_t *count, struct tn_error *error);

#endif
