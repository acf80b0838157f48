/* One tree of values for JSON documents, catalog facts and results of expressions: what any formula can see. */
#ifndef TN_TEXT_VALUE_H
#define TN_TEXT_VALUE_H

#include "base/text.h"

enum tn_kind { TN_NULL, TN_BOOL, TN_INTEGER, TN_REAL, TN_STRING, TN_LIST, TN_OBJECT };

struct tn_member;

struct tn_value {
    enum tn_kind kind;
    uint32_t count; /* items of a list, members of an object */
    int64_t offset; /* byte offset in the source text; -1 where the value has none */
    union {
        bool boolean;
        int64_t integer;
        double real; /* also integers of a source that do not fit in 64 signed bits */
        struct tn_str string;
        struct tn_value *items;    /* [count] */
        struct tn_member *members; /* [count], in the order of the source */
    } as;
};

struct tn_member {
    struct tn_str key;
    struct tn_value value;
};

/* The member of an object, or NULL where the value is not an object or has no such key. Where a key stands twice the
 * last one wins, as in the reference readers. */
const struct tn_value *tn_value_member(const struct tn_value *object, struct tn_str key);

/* Follows a path of member names and list indices, "text_config.rope.theta" or "block_configs[3].ffn"; NULL where it
 * ends early. */
const struct tn_value *tn_value_path(const struct tn_value *root, struct tn_str path);

/* "null", "a boolean", "an integer", "a number", "a string", "a list", "an object": for messages. Static storage. */
const char *tn_kind_name(enum tn_kind kind);

bool tn_value_equal(const struct tn_value *a, const struct tn_value *b); /* 1 equals 1.0 */

/* A number rounded down; what is below 0, or no number, is 0. true is 1. */
uint64_t tn_value_whole(const struct tn_value *value);

struct tn_value tn_value_integer(int64_t integer); /* offset -1, as the next ones */
struct tn_value tn_value_boolean(bool boolean);
struct tn_value tn_value_real(double real);
struct tn_value tn_value_string(struct tn_str string);

#endif
