/* Looking things up in a tree of values. Knows nothing of how the tree came to be. */
#include "text/value.h"

const struct tn_value *tn_value_member(const struct tn_value *object, struct tn_str key)
{
    if (object->kind != TN_OBJECT) {
        return NULL;
    }
    for (uint32_t k = object->count; k > 0; k--) {
        if (tn_str_equal(object->as.members[k - 1].key, key)) {
            return &object->as.members[k - 1].value;
        }
    }
    return NULL;
}

/* Takes "12]" off the path. false where it is not an index of the list. */
static bool take_index(struct tn_str *path, uint32_t count, uint32_t *index)
{
    uint64_t number = 0;
    size_t at = 0;
    for (; at < path->size && path->data[at] >= '0' && path->data[at] <= '9'; at++) {
        number = number * 10 + (uint64_t)(path->data[at] - '0');
        if (number >= count) {
            return false;
        }
    }
    if (at == 0 || at == path->size || path->data[at] != ']') {
        return false;
    }
    *path = tn_str_slice(*path, at + 1, path->size);
    *index = (uint32_t)number;
    return true;
}

/* Takes the name up to the next "." or "[" off the path. */
static struct tn_str take_name(struct tn_str *path)
{
    size_t to = 0;
    while (to < path->size && path->data[to] != '.' && path->data[to] != '[') {
        to++;
    }
    struct tn_str name = tn_str_slice(*path, 0, to);
    *path = tn_str_slice(*path, to, path->size);
    return name;
}

const struct tn_value *tn_value_path(const struct tn_value *root, struct tn_str path)
{
    const struct tn_value *value = root;
    for (bool is_first = true; value && path.size; is_first = false) {
        if (path.data[0] == '[') {
            path = tn_str_slice(path, 1, path.size);
            uint32_t index;
            bool is_there = value->kind == TN_LIST && take_index(&path, value->count, &index);
            value = is_there ? &value->as.items[index] : NULL;
            continue;
        }
        bool after_point = path.data[0] == '.';
        if (after_point == is_first) { /* ".a", or "a[0]b" */
            return NULL;
        }
        path = tn_str_slice(path, after_point, path.size);
        struct tn_str name = take_name(&path);
        value = name.size ? tn_value_member(value, name) : NULL;
    }
    return value;
}

const char *tn_kind_name(enum tn_kind kind)
{
    static const char *const names[] = {
        [TN_NULL] = "null",       [TN_BOOL] = "a boolean", [TN_INTEGER] = "an integer", [TN_REAL] = "a number",
        [TN_STRING] = "a string", [TN_LIST] = "a list",    [TN_OBJECT] = "an object",
    };
    return names[kind];
}

/* Exact: an integer beyond 2^53 equals only the double that has its very value. */
static bool integer_equals_real(int64_t integer, double real)
{
    return real >= -0x1p63 && real < 0x1p63 && (int64_t)real == integer && (double)(int64_t)real == real;
}

static bool lists_equal(const struct tn_value *a, const struct tn_value *b)
{
    for (uint32_t k = 0; k < a->count; k++) {
        if (!tn_value_equal(&a->as.items[k], &b->as.items[k])) {
            return false;
        }
    }
    return true;
}

/* The order of the members is no part of an object. Both ways are looked up because a key may stand twice. */
static bool objects_equal(const struct tn_value *a, const struct tn_value *b)
{
    for (uint32_t k = 0; k < a->count; k++) {
        if (!tn_value_member(a, b->as.members[k].key)) {
            return false;
        }
        struct tn_str key = a->as.members[k].key;
        const struct tn_value *other = tn_value_member(b, key);
        if (!other || !tn_value_equal(tn_value_member(a, key), other)) {
            return false;
        }
    }
    return true;
}

bool tn_value_equal(const struct tn_value *a, const struct tn_value *b)
{
    if (a->kind == TN_INTEGER && b->kind == TN_REAL) {
        return integer_equals_real(a->as.integer, b->as.real);
    }
    if (a->kind == TN_REAL && b->kind == TN_INTEGER) {
        return integer_equals_real(b->as.integer, a->as.real);
    }
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case TN_NULL:
        return true;
    case TN_BOOL:
        return a->as.boolean == b->as.boolean;
    case TN_INTEGER:
        return a->as.integer == b->as.integer;
    case TN_REAL:
        return a->as.real == b->as.real;
    case TN_STRING:
        return tn_str_equal(a->as.string, b->as.string);
    case TN_LIST:
        return a->count == b->count && lists_equal(a, b);
    case TN_OBJECT:
        return a->count == b->count && objects_equal(a, b);
    }
    return false;
}

struct tn_value tn_value_integer(int64_t integer)
{
    return (struct tn_value){.kind = TN_INTEGER, .offset = -1, .as.integer = integer};
}

struct tn_value tn_value_boolean(bool boolean)
{
    return (struct tn_value){.kind = TN_BOOL, .offset = -1, .as.boolean = boolean};
}

struct tn_value tn_value_real(double real)
{
    return (struct tn_value){.kind = TN_REAL, .offset = -1, .as.real = real};
}

struct tn_value tn_value_string(struct tn_str string)
{
    return (struct tn_value){.kind = TN_STRING, .offset = -1, .as.string = string};
}

uint64_t tn_value_whole(const struct tn_value *value)
{
    static const double TWO_TO_63 = 9223372036854775808.0;
    switch (value->kind) {
    case TN_BOOL:
        return value->as.boolean;
    case TN_INTEGER:
        return value->as.integer > 0 ? (uint64_t)value->as.integer : 0;
    case TN_REAL:
        return !(value->as.real > 0) ? 0 : (value->as.real < TWO_TO_63 ? (uint64_t)value->as.real : INT64_MAX);
    default:
        return 0;
    }
}
