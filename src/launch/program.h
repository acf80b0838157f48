/* Which engine a line of a shell starts, and which of its words are the engine's arguments. */
#ifndef TN_LAUNCH_PROGRAM_H
#define TN_LAUNCH_PROGRAM_H

#include "launch/shell.h"
#include "launch/table.h"

struct tn_found_program {
    const struct tn_launch_table *table; /* NULL: none was found */
    struct tn_str version;               /* from the tag of an image; empty: it says none */
    struct tn_str set;                   /* "server=false": a setting that the program means; empty: none */
    struct tn_str last_word;             /* of the program's name: "run" of `ollama run` */
    bool is_image;                       /* it was known by its image alone, in which a shell may start it */
    size_t first_argument;
};

/* Looks for the program of any of the engines in the words of a command: by its name, behind "python -m", or in an image that `docker run` or the
 * like starts. */
void tn_find_program(const struct tn_launch_table *const *tables, size_t table_count,
                     const struct tn_shell_command *command, struct tn_found_program *found);

#endif
