/* A text that is read from its beginning to its end: the part at hand, and more of it when that is asked for. */
#ifndef TN_API_COUNT_INTAKE_H
#define TN_API_COUNT_INTAKE_H

#include "api/sources.h"

struct tn_intake {
    struct tn_str name;                  /* for messages: a path, or "standard input" */
    const struct tn_text_source *source; /* NULL: all of it is at hand */
    struct tn_str rest;                  /* what was read and not yet dropped */
    bool at_end;                         /* nothing is behind `rest` */
    char *buffer;                        /* [capacity] holds `rest` where it is read from the source */
    size_t capacity;
};

/* A text of the memory, which must outlive the intake. */
void tn_intake_of(struct tn_intake *intake, struct tn_str name, struct tn_str text);

/* A text of the source; "-" is standard input. Close with tn_intake_close also after an error.
 * Errors: those of the source; TN_ERROR_UNREADABLE where there is none. */
bool tn_intake_open(struct tn_intake *intake, const struct tn_text_source *source, struct tn_str name,
                    struct tn_error *error);

/* Reads until `size` bytes are at hand, or all. Errors: those of the source, TN_ERROR_MEMORY. */
bool tn_intake_fill(struct tn_intake *intake, size_t size, struct tn_error *error);

/* Forgets the first bytes of the rest. */
void tn_intake_drop(struct tn_intake *intake, size_t size);

void tn_intake_close(struct tn_intake *intake);

#endif
