/* Building a tree from the events of the JSON reader. Knows nothing of the syntax. */
#include "text/json.h"

#include <string.h>

enum { FIRST_MEMBERS = 64 };

/* The items and members of all containers that are still open lie one after the other in a stack; those of a
 * container move to the arena at once when it ends, in an array of the right size. An item of a list is a member
 * without a key. */
struct tree {
    struct tn_arena *arena;
    struct tn_arena scratch;
    struct tn_value root;
    struct tn_member *members; /* [count], in scratch */
    size_t count;
    size_t capacity;
    size_t depth;
    struct {
        enum tn_kind kind;
        int64_t offset;
        size_t first;      /* index of its first member */
        struct tn_str key; /* of the value that follows; empty in a list */
    } open[TN_JSON_DEPTH];
};

static bool add(struct tree *tree, struct tn_value value)
{
    if (tree->depth == 0) {
        tree->root = value;
        return true;
    }
    if (!tree->members || tree->count == tree->capacity) {
        size_t capacity = tree->capacity ? tree->capacity * 2 : FIRST_MEMBERS;
        struct tn_member *members =
            tn_arena_grow(&tree->scratch, tree->members, tree->count, capacity, sizeof *members);
        if (!members) {
            return false;
        }
        tree->members = members;
        tree->capacity = capacity;
    }
    tree->members[tree->count++] = (struct tn_member){.key = tree->open[tree->depth - 1].key, .value = value};
    return true;
}

static void begin(struct tree *tree, enum tn_kind kind, int64_t offset)
{
    tree->open[tree->depth].kind = kind;
    tree->open[tree->depth].offset = offset;
    tree->open[tree->depth].first = tree->count;
    tree->open[tree->depth].key = (struct tn_str){0};
    tree->depth++;
}

/* Makes a value of the innermost container out of what was pushed since it began. */
static bool end(struct tree *tree)
{
    tree->depth--;
    enum tn_kind kind = tree->open[tree->depth].kind;
    size_t first = tree->open[tree->depth].first;
    size_t count = tree->count - first;
    struct tn_value value = {.kind = kind, .count = (uint32_t)count, .offset = tree->open[tree->depth].offset};
    void *array = tn_arena_array(tree->arena, count, kind == TN_OBJECT ? sizeof(struct tn_member) : sizeof value);
    if (!array) {
        return false;
    }
    if (kind == TN_OBJECT) {
        value.as.members = array;
        if (count) {
            memcpy(array, tree->members + first, count * sizeof *tree->members);
        }
    } else {
        value.as.items = array;
        for (size_t k = 0; k < count; k++) {
            value.as.items[k] = tree->members[first + k].value;
        }
    }
    tree->count = first;
    return add(tree, value);
}

/* The value of an event that is a whole value in itself. */
static struct tn_value scalar(const struct tn_json_reader *reader, enum tn_json_event event)
{
    struct tn_value value = {.kind = TN_NULL};
    if (event == TN_JSON_STRING) {
        value = tn_value_string(reader->string);
    } else if (event == TN_JSON_INTEGER) {
        value = tn_value_integer(reader->integer);
    } else if (event == TN_JSON_REAL) {
        value = tn_value_real(reader->real);
    } else if (event == TN_JSON_BOOLEAN) {
        value = tn_value_boolean(reader->boolean);
    }
    value.offset = reader->offset;
    return value;
}

static bool take(struct tree *tree, const struct tn_json_reader *reader, enum tn_json_event event)
{
    switch (event) {
    case TN_JSON_OBJECT_BEGIN:
        begin(tree, TN_OBJECT, reader->offset);
        return true;
    case TN_JSON_LIST_BEGIN:
        begin(tree, TN_LIST, reader->offset);
        return true;
    case TN_JSON_OBJECT_END:
    case TN_JSON_LIST_END:
        return end(tree);
    case TN_JSON_KEY:
        tree->open[tree->depth - 1].key = reader->string;
        return true;
    default:
        return add(tree, scalar(reader, event));
    }
}

bool tn_json_next_value(struct tn_json_reader *reader, struct tn_value *value, struct tn_error *error)
{
    struct tree tree = {.arena = reader->arena};
    bool read;
    do {
        enum tn_json_event event = tn_json_next(reader, error);
        read = event != TN_JSON_ERROR;
        if (read && !take(&tree, reader, event)) {
            read = tn_fail_memory(error);
        }
    } while (read && tree.depth);
    *value = tree.root;
    tn_arena_free(&tree.scratch);
    return read;
}

bool tn_json_read(struct tn_arena *arena, struct tn_str text, struct tn_value *root, struct tn_error *error)
{
    if ((uint64_t)text.size
        > (uint64_t)UINT32_MAX * 2) { /* an item takes two bytes: so the items of a list fit in 32 bits */
        return tn_fail(error, TN_ERROR_TOO_LARGE, "a JSON document of 8 GiB or more");
    }
    struct tn_json_reader reader;
    tn_json_reader_open(&reader, arena, text);
    return tn_json_next_value(&reader, root, error) && tn_json_next(&reader, error) == TN_JSON_END;
}
