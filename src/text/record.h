/* Record files: the one syntax of everything in data/.
 *
 *     # a comment runs from a # at the start of a line, or after white space, to the end of the line (not inside "double quotes")
 *     type id : parent            a record begins in the first column; ": parent" is optional
 *       word rest of the line     a statement is indented; its first word says what it is
 *       word a long statement \   a backslash at the end joins the next line
 *            goes on             (indented too; empty lines and comments may stand between)
 *
 * The text is UTF-8. Any white space at the start of a line is indentation, and a line may end in CR LF. A quote ends
 * on its line.
 */
#ifndef TN_TEXT_RECORD_H
#define TN_TEXT_RECORD_H

#include "base/text.h"

struct tn_statement {
    struct tn_str word;
    struct tn_str rest; /* trimmed, without the comment; joined lines keep one space between them */
    uint32_t line;      /* counted from 1 */
};

struct tn_record {
    struct tn_str type;
    struct tn_str id;
    struct tn_str parent; /* empty where none */
    struct tn_str file;
    uint32_t line;
    uint32_t count;
    struct tn_statement *statements; /* [count] */
};

struct tn_record_list {
    struct tn_record *records; /* [count] */
    size_t count;
    size_t capacity;
};

/* Appends the records of one file to the list. text and file must outlive the list. Inheritance is not resolved here:
 * what a line replaces is known to the reader of each type.
 * Errors: TN_ERROR_RECORD with file and line, TN_ERROR_MEMORY. After an error the list holds what was read until
 * then. */
bool tn_records_read(struct tn_arena *arena, struct tn_str text, struct tn_str file, struct tn_record_list *list,
                     struct tn_error *error);

/* The rest of the first statement with this word, or an empty string. */
struct tn_str tn_record_text(const struct tn_record *record, const char *word);

/* The place of an error of an expression becomes the line of the record that it stands in; other errors stay. Always returns false. */
bool tn_fail_in_record(const struct tn_record *record, uint32_t line, struct tn_error *error);

#endif
