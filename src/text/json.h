/* JSON as models publish it: RFC 8259, and NaN, Infinity and -Infinity as numbers. Integers are exact in 64 signed
 * bits.
 *
 * Reals are rounded to the nearest double, beyond its range to infinity or zero, as the reference readers do; an
 * integer beyond 64 signed bits becomes such a real. Half of a surrogate pair as an escape is refused, since it has no
 * UTF-8.
 *
 * Two ways to read. tn_json_read builds a tree. struct tn_json_reader walks the text and builds nothing, for headers of
 * 100 MB. Both refuse: depth over TN_JSON_DEPTH, invalid UTF-8, unescaped control characters, bytes after the document.
 */
#ifndef TN_TEXT_JSON_H
#define TN_TEXT_JSON_H

#include "text/value.h"

enum { TN_JSON_DEPTH = 128 };

/* Parses a whole document. text must outlive the tree (strings without escapes point into it); the rest comes from the
 * arena.
 * Errors: TN_ERROR_JSON with the byte offset, line and column in the message and `where` left to the caller;
 * TN_ERROR_TOO_LARGE for 8 GiB and more; TN_ERROR_MEMORY. A UTF-8 byte order mark at the start is skipped. Duplicate
 * keys are kept, both in order (tn_value_member returns the last). */
bool tn_json_read(struct tn_arena *arena, struct tn_str text, struct tn_value *root, struct tn_error *error);

enum tn_json_event {
    TN_JSON_ERROR, /* the error is filled */
    TN_JSON_END,   /* the document is complete */
    TN_JSON_OBJECT_BEGIN,
    TN_JSON_OBJECT_END,
    TN_JSON_LIST_BEGIN,
    TN_JSON_LIST_END,
    TN_JSON_KEY,    /* string */
    TN_JSON_STRING, /* string */
    TN_JSON_INTEGER,
    TN_JSON_REAL,
    TN_JSON_BOOLEAN,
    TN_JSON_NULL,
};

struct tn_json_reader {
    struct tn_str text;
    struct tn_arena *arena; /* for strings with escapes only */
    size_t position;        /* bytes of text consumed */
    size_t depth;
    uint8_t stack[TN_JSON_DEPTH]; /* the state after a value, of each open level; private to json_read.c */
    uint8_t state;                /* private to json_read.c */
    /* of the last event: */
    int64_t offset; /* bytes, where it starts */
    struct tn_str string;
    int64_t integer;
    double real;
    bool boolean;
};

/* text and arena must outlive the reader and its strings. */
void tn_json_reader_open(struct tn_json_reader *reader, struct tn_arena *arena, struct tn_str text);

/* The next event. TN_JSON_END comes once the whole text is known to be one document, and again at each further call; so
 * does an error.
 * Errors: as tn_json_read. */
enum tn_json_event tn_json_next(struct tn_json_reader *reader, struct tn_error *error);

/* Passes over the value that follows, whatever it is. Only where a value must follow: after a key, or at the start of
 * the text. */
bool tn_json_skip(struct tn_json_reader *reader, struct tn_error *error);

/* The value that follows as a tree. Only where a value must follow, as above. The text must be shorter than 8 GiB.
 * value  belongs to the reader's arena; its strings without escapes point into the text
 * Errors: as tn_json_read. */
bool tn_json_next_value(struct tn_json_reader *reader, struct tn_value *value, struct tn_error *error);

/* A writer that keeps track of commas and indentation. Write errors stay in builder->failed. */
struct tn_json_writer {
    struct tn_builder *builder;
    bool indented; /* two spaces a level, or all on one line */
    unsigned depth;
    bool has_items; /* of the innermost open list or object */
    bool after_key;
};

void tn_json_begin_object(struct tn_json_writer *writer);
void tn_json_end_object(struct tn_json_writer *writer);
void tn_json_begin_list(struct tn_json_writer *writer);
void tn_json_end_list(struct tn_json_writer *writer);
void tn_json_key(struct tn_json_writer *writer, const char *key);
void tn_json_key_str(struct tn_json_writer *writer, struct tn_str key);
void tn_json_string(struct tn_json_writer *writer, struct tn_str text);   /* invalid UTF-8 becomes U+FFFD */
void tn_json_text(struct tn_json_writer *writer, const char *terminated); /* NULL writes null */
void tn_json_u64(struct tn_json_writer *writer, uint64_t number);
void tn_json_i64(struct tn_json_writer *writer, int64_t number);
void tn_json_real(struct tn_json_writer *writer, double number); /* NaN and infinities become null */
void tn_json_boolean(struct tn_json_writer *writer, bool boolean);
void tn_json_null(struct tn_json_writer *writer);
void tn_json_value(struct tn_json_writer *writer, const struct tn_value *value);

/* A key with its value: null where the text is empty, or the number is not known. */
void tn_json_optional_string(struct tn_json_writer *writer, const char *key, struct tn_str string);
void tn_json_optional_u64(struct tn_json_writer *writer, const char *key, bool is_known, uint64_t number);

#endif
