/* JSON as models publish it: RFC 8259, and NaN, Infinity and -Infinity as numbers. Integers are exact in 64 signed bits.
 *
 * Two ways to read. tn_json_read builds a tree. struct tn_json_reader walks the text and builds nothing, for headers of 100 MB.
 * Both refuse: depth over TN_JSON_DEPTH, invalid UTF-8, unescaped control characters, bytes after the document.
 */
#ifndef TN_TEXT_JSON_H
#define TN_TEXT_JSON_H

#include "text/value.h"

enum { TN_JSON_DEPTH = 128 };

/* Parses a whole document. text must outlive the tree (strings without escapes point into it); the rest comes from the arena.
 * Errors: TN_ERROR_JSON with the byte offset, TN_ERROR_MEMORY. A UTF-8 byte order mark at the start is skipped.
 * Duplicate keys are kept, both in order (tn_value_member returns the last). */
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
    uint8_t stack[TN_JSON_DEPTH]; /* what encloses the position; private to json_read.c */
    uint8_t state;                /* private to json_read.c */
    /* of the last event: */
    int64_t offset; /* bytes, where it starts */
    struct tn_str string;
    int64_t integer;
    double real;
    bool boolean;
};

void tn_json_reader_open(struct tn_json_reader *reader, struct tn_arena *arena, struct tn_str text);
enum tn_json_event tn_json_next(struct tn_json_reader *reader, struct tn_error *error);

/* Passes over the value that follows (after a key, or in a list), whatever it is. */
bool tn_json_skip(struct tn_json_reader *reader, struct tn_error *error);

/* A writer that keeps track of commas and indentation. Write errors stay in builder->failed. */
struct tn_json_writer {
    struct tn_builder *builder;
    bool indented; /* two spaces a level, or all on one line */
    unsigned depth;
    uint64_t has_items; /* one bit a level */
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
/* numerator / denominator with `decimals` digits, e.g. 15.41; denominator 0 writes null */
void tn_json_fixed(struct tn_json_writer *writer, uint64_t numerator, uint64_t denominator, unsigned decimals);
void tn_json_boolean(struct tn_json_writer *writer, bool boolean);
void tn_json_null(struct tn_json_writer *writer);
void tn_json_value(struct tn_json_writer *writer, const struct tn_value *value);

#endif
