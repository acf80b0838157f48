/* Files that came with a request, by name, whole or as far as they are known: a source of files that opens none. */
#ifndef TN_FILES_GIVEN_H
#define TN_FILES_GIVEN_H

#include "files/source.h"

/* The longest text that is taken: whole texts lie in memory, of which WebAssembly has 4 GiB. */
#define TN_GIVEN_TEXT_LIMIT_BYTES (UINT64_C(512) << 20)

struct tn_given_file {
    struct tn_str name;    /* with "/" between folders */
    struct tn_str bytes;   /* from the beginning of the file */
    uint64_t file_bytes;   /* the size of the whole file */
    struct tn_str fault;   /* why no more of it can be read; empty: it can */
    uint64_t wanted_bytes; /* set by a reader that needs more than there is: so many from the beginning; else 0 */
};

struct tn_given_files {
    struct tn_given_file *files; /* [count] */
    size_t count;
};

/* The file of that name, with or without "./" in front; NULL where there is none. */
struct tn_given_file *tn_given_find(const struct tn_given_files *given, struct tn_str name);

/* Whether a file lies in the folder; "." and "./" are where all lie. */
bool tn_given_has_folder(const struct tn_given_files *given, struct tn_str folder);

/* All of a text. Errors: TN_ERROR_TRUNCATED where only a part is known, after noting what is wanted; TN_ERROR_TOO_LARGE;
 * TN_ERROR_UNREADABLE with its fault. */
bool tn_given_text(struct tn_given_file *file, struct tn_str *text, struct tn_error *error);

/* Whether a reader noted that it needs more of a file: then the answer, or the error, may not be the one of the whole files. */
bool tn_given_is_lacking(const struct tn_given_files *given);

/* As a source; its `find` is NULL. given must outlive it. */
struct tn_file_source tn_given_source(struct tn_given_files *given);

#endif
