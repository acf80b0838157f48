/* Shell text as words, as far as starting a server needs it: quotes, escapes, continued lines, comments, assignments, redirections and documents
 * that stand in the text. Nothing is expanded, and nothing is run. */
#ifndef TN_LAUNCH_SHELL_H
#define TN_LAUNCH_SHELL_H

#include "base/text.h"

enum { TN_SHELL_MOST_BYTES = 1 << 20 };

struct tn_word {
    struct tn_str text; /* without quotes */
    int64_t offset;     /* bytes, where it begins in the text; -1: in no text */
};

/* What a line sends to one program: "A=1 program word word > file" with its document. */
struct tn_shell_command {
    struct tn_word *words; /* [word_count]; assignments in front are words too */
    size_t word_count;
    struct tn_str file;     /* that it writes to (also as `tee FILE`); empty: none */
    struct tn_str document; /* what stands between <<END and END */
    bool has_document;
};

struct tn_shell {
    struct tn_shell_command *commands; /* [command_count], those without any word left out */
    size_t command_count;
};

/* Texts are in the arena.
 * Errors: TN_ERROR_USAGE with the offset for a quote or a document without an end; TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_shell_read(struct tn_arena *arena, struct tn_str text, struct tn_shell *shell, struct tn_error *error);

/* "A=1" -> "A", "1"; false where the word is no assignment. */
bool tn_shell_assignment(struct tn_str word, struct tn_str *name, struct tn_str *value);

/* The word so that a shell reads it as one, in quotes where it needs them. */
void tn_shell_write_word(struct tn_builder *out, struct tn_str word);

#endif
