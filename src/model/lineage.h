/* The lines of an architecture record with inheritance applied: what `: parent`, `use` and `drop` leave. */
#ifndef TN_MODEL_LINEAGE_H
#define TN_MODEL_LINEAGE_H

#include "model/architecture.h"

struct tn_line {
    const struct tn_statement *statement;
    const struct tn_record *record; /* where it stands */
    struct tn_str stack;            /* the stack that was open there */
};

struct tn_lineage {
    struct tn_line *lines; /* [count] */
    size_t count;
};

/* facts decide the parent where the record leaves it to them; may be NULL.
 * Errors: TN_ERROR_RECORD with file and line, TN_ERROR_UNKNOWN_ARCHITECTURE, TN_ERROR_MEMORY. */
bool tn_lineage_collect(const struct tn_catalog *catalog, const struct tn_record *record, const struct tn_facts *facts,
                        struct tn_arena *arena, struct tn_lineage *lineage, struct tn_error *error);

/* TN_ERROR_RECORD about a line. Always returns false. */
bool tn_fail_line(const struct tn_line *line, const char *message, struct tn_error *error);

#endif
