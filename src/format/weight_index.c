/* The index of a sharded model: model.safetensors.index.json. Only says which tensor lies in which file; sizes and
 * shapes stand in the files themselves.
 */
#include "base/map.h"
#include "format/safetensors.h"
#include "text/json.h"

#include <string.h>

enum { LEAST_PAIR_BYTES = 6 /* "":"a" */, FIRST_CAPACITY = 256 };

struct index_reader {
    struct tn_arena *arena;
    struct tn_str file_name; /* of the index */
    struct tn_error *error;
    struct tn_json_reader json;
    struct tn_weight_index *index;
    size_t file_capacity; /* of index->file_names */
    struct tn_map names;
    struct tn_map files;
    bool has_weight_map;
};

/* Adds the place to an error, unless memory is out. */
static bool fail_here(struct index_reader *reader, int64_t offset)
{
    return tn_fail_at(reader->error, offset, TN_STR_FORMAT, TN_STR_ARGUMENTS(reader->file_name));
}

static enum tn_json_event next(struct index_reader *reader)
{
    enum tn_json_event event = tn_json_next(&reader->json, reader->error);
    if (event == TN_JSON_ERROR && reader->error && reader->error->code == TN_ERROR_JSON) {
        (void)fail_here(reader, reader->error->offset);
    }
    return event;
}

static bool expect(struct index_reader *reader, enum tn_json_event expected, const char *what)
{
    enum tn_json_event event = next(reader);
    if (event == TN_JSON_ERROR || event == expected) {
        return event == expected;
    }
    (void)tn_fail(reader->error, TN_ERROR_HEADER, "expected %s here", what);
    return fail_here(reader, reader->json.offset);
}

static bool skip_value(struct index_reader *reader)
{
    size_t depth = reader->json.depth;
    do {
        if (next(reader) == TN_JSON_ERROR) {
            return false;
        }
    } while (reader->json.depth > depth);
    return true;
}

/* total_size. Nothing depends on it, and it is not always a number: what it cannot be is passed over. */
static bool read_total_size(struct index_reader *reader)
{
    const double largest_exact = 9007199254740992.0; /* 2^53 */
    struct tn_json_reader before = reader->json;
    enum tn_json_event event = next(reader);
    double real = reader->json.real;
    if (event == TN_JSON_INTEGER && reader->json.integer >= 0) {
        reader->index->total_size_bytes = (uint64_t)reader->json.integer;
        return true;
    }
    if (event == TN_JSON_REAL && real >= 0 && real <= largest_exact && (double)(uint64_t)real == real) {
        reader->index->total_size_bytes = (uint64_t)real;
        return true;
    }
    reader->json = before;
    return skip_value(reader);
}

static bool read_metadata(struct index_reader *reader)
{
    if (!expect(reader, TN_JSON_OBJECT_BEGIN, "metadata, an object,")) {
        return false;
    }
    for (enum tn_json_event event = next(reader); event != TN_JSON_OBJECT_END; event = next(reader)) {
        if (event == TN_JSON_ERROR) {
            return false;
        }
        if (tn_str_is(reader->json.string, "total_size") ? !read_total_size(reader) : !skip_value(reader)) {
            return false;
        }
    }
    return true;
}

/* A name that stays in the folder of the index. */
static bool is_plain_file_name(struct tn_str name)
{
    return name.size > 0 && !tn_str_is(name, ".") && !tn_str_is(name, "..") && !memchr(name.data, '/', name.size)
           && !memchr(name.data, '\\', name.size) && !memchr(name.data, '\0', name.size);
}

/* The number of a file, which is new or known. Neighbours mostly lie in the same file. */
static bool find_file(struct index_reader *reader, struct tn_str name, uint32_t *number)
{
    struct tn_weight_index *index = reader->index;
    if (index->count > 0 && tn_str_equal(name, index->file_names[index->files[index->count - 1]])) {
        *number = index->files[index->count - 1];
        return true;
    }
    if (!is_plain_file_name(name)) {
        (void)tn_fail(reader->error, TN_ERROR_HEADER, "\"" TN_STR_FORMAT "\" is not a plain file name",
                      TN_STR_ARGUMENTS(name));
        return fail_here(reader, reader->json.offset);
    }
    if (!tn_map_insert(reader->arena, &reader->files, name, (uint32_t)index->file_count, number)) {
        return tn_fail_memory(reader->error);
    }
    if (*number != TN_MAP_NONE) {
        return true;
    }
    if (index->file_count == reader->file_capacity) {
        size_t capacity = reader->file_capacity ? reader->file_capacity * 2 : FIRST_CAPACITY;
        index->file_names =
            tn_arena_grow(reader->arena, index->file_names, index->file_count, capacity, sizeof *index->file_names);
        reader->file_capacity = capacity;
        if (!index->file_names) {
            return tn_fail_memory(reader->error);
        }
    }
    *number = (uint32_t)index->file_count;
    index->file_names[index->file_count++] = name;
    return true;
}

/* One pair of weight_map; its key was the last event. */
static bool read_pair(struct index_reader *reader)
{
    struct tn_weight_index *index = reader->index;
    struct tn_str name = reader->json.string;
    int64_t offset = reader->json.offset;
    uint32_t existing;
    if (!tn_map_insert(reader->arena, &reader->names, name, (uint32_t)index->count, &existing)) {
        return tn_fail_memory(reader->error);
    }
    if (existing != TN_MAP_NONE) {
        (void)tn_fail(reader->error, TN_ERROR_HEADER, "the tensor \"" TN_STR_FORMAT "\" stands twice",
                      TN_STR_ARGUMENTS(name));
        return fail_here(reader, offset);
    }
    uint32_t file = 0;
    if (!expect(reader, TN_JSON_STRING, "a file name, a string,") || !find_file(reader, reader->json.string, &file)) {
        return false;
    }
    index->names[index->count] = name;
    index->files[index->count] = file;
    index->count++;
    return true;
}

/* Room for as many pairs as the text can hold: each has a colon and a least size. */
static bool reserve(struct index_reader *reader)
{
    struct tn_str text = reader->json.text;
    size_t colons = 0;
    const char *end = text.data + text.size;
    for (const char *at = text.data; (at = memchr(at, ':', (size_t)(end - at))) != NULL; at++) {
        colons++;
    }
    size_t most = text.size / LEAST_PAIR_BYTES;
    size_t capacity = colons < most ? colons : most;
    reader->index->names = TN_NEW_ARRAY(reader->arena, struct tn_str, capacity);
    reader->index->files = TN_NEW_ARRAY(reader->arena, uint32_t, capacity);
    return (reader->index->names && reader->index->files && tn_map_reserve(reader->arena, &reader->names, capacity))
           || tn_fail_memory(reader->error);
}

static bool read_weight_map(struct index_reader *reader)
{
    if (reader->has_weight_map) {
        (void)tn_fail(reader->error, TN_ERROR_HEADER, "weight_map stands twice");
        return fail_here(reader, reader->json.offset);
    }
    reader->has_weight_map = true;
    if (!expect(reader, TN_JSON_OBJECT_BEGIN, "weight_map, an object,") || !reserve(reader)) {
        return false;
    }
    for (enum tn_json_event event = next(reader); event != TN_JSON_OBJECT_END; event = next(reader)) {
        if (event == TN_JSON_ERROR || !read_pair(reader)) {
            return false;
        }
    }
    return true;
}

static bool read_key(struct index_reader *reader)
{
    static const struct {
        const char *key;
        bool (*read)(struct index_reader *reader);
    } keys[] = {{"weight_map", read_weight_map}, {"metadata", read_metadata}};
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        if (tn_str_is(reader->json.string, keys[k].key)) {
            return keys[k].read(reader);
        }
    }
    return skip_value(reader);
}

bool tn_weight_index_read(struct tn_arena *arena, struct tn_str file_name, struct tn_str text,
                          struct tn_weight_index *index, struct tn_error *error)
{
    struct index_reader reader = {.arena = arena, .file_name = file_name, .error = error, .index = index};
    *index = (struct tn_weight_index){0};
    tn_json_reader_open(&reader.json, arena, text);
    if (!expect(&reader, TN_JSON_OBJECT_BEGIN, "an index, an object,")) {
        return false;
    }
    for (enum tn_json_event event = next(&reader); event != TN_JSON_OBJECT_END; event = next(&reader)) {
        if (event == TN_JSON_ERROR || !read_key(&reader)) {
            return false;
        }
    }
    if (!expect(&reader, TN_JSON_END, "the end of the index")) {
        return false;
    }
    if (!reader.has_weight_map) {
        (void)tn_fail(error, TN_ERROR_HEADER, "no weight_map");
        (void)fail_here(&reader, 0);
        return tn_fail_hint(error,
                            "an index says in weight_map which tensor lies in which file; is this another JSON file?");
    }
    return true;
}
