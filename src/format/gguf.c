/* The GGUF parser: a chain of items, each with a length known before it is taken and a function that reads it and says which item
 * comes next. It stops between any two bytes of the file and goes on from there. Knows the format and nothing of its keys but
 * general.alignment.
 *
 *     start | counts | { key, value type, value }... | { tensor name, dimensions, type, offset }... | padding | data
 */
#include "format/gguf.h"

#include "base/map.h"
#include "base/number.h"
#include "format/feed.h"

#include <inttypes.h>

enum {
    FIRST_WISH_BYTES = 64 * 1024,
    LARGEST_WISH_BYTES = 4 * 1024 * 1024,
    LEAST_PAIR_BYTES = 8 + 1 + 4,       /* a key of one byte, the type; the smallest value is not counted */
    LEAST_TENSOR_BYTES = 8 + 0 + 4 + 4 + 8, /* an empty name, no dimensions, type, offset */
    MOST_ARRAY_ELEMENTS = 1 << 30,
    MOST_NAME_BYTES = 63,
    MOST_DIMS = 4,
    DEFAULT_ALIGNMENT_BYTES = 32,
    FIRST_CAPACITY = 64,
};

enum { TYPE_U32 = 4, TYPE_STRING = 8, TYPE_ARRAY = 9, TYPE_COUNT = 13 };

/* The value types of metadata by their number. */
static const struct {
    uint8_t bytes; /* of one value; 0 where it says its own length */
    enum { UNSIGNED, SIGNED, REAL, BOOLEAN, STRING, ARRAY } kind;
} value_types[TYPE_COUNT] = {
    {1, UNSIGNED}, {1, SIGNED}, {2, UNSIGNED}, {2, SIGNED},   {4, UNSIGNED}, {4, SIGNED}, {4, REAL},
    {1, BOOLEAN},  {0, STRING}, {0, ARRAY},    {8, UNSIGNED}, {8, SIGNED},   {8, REAL},
};

struct tn_gguf {
    struct tn_feed feed;
    struct tn_header header;
    uint64_t wish_bytes;
    bool complete;

    /* The item under way: its length, and who reads it. NULL once there is none. */
    size_t wanted;
    bool (*read)(struct tn_gguf *parser, const char *item);

    uint64_t pairs_left;
    size_t member_capacity;
    struct tn_map keys;
    uint64_t alignment_bytes;
    uint64_t kept_items;

    /* The pair under way. */
    uint64_t start; /* where it begins in the file; also that of a tensor's description */
    struct tn_str key;
    uint32_t type;
    uint64_t elements_left;
    struct tn_value list; /* .as.items NULL where the elements are only counted */

    uint64_t tensors_left;
    struct tn_map names;
    struct tn_tensor *tensor; /* under way */
    uint64_t data_end;        /* of the tensors so far, from the start of the data */
};

typedef bool (*item_reader)(struct tn_gguf *parser, const char *item);

static uint32_t load_u32(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;
    return byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24;
}

/* What comes next. Always returns true. */
static bool expect(struct tn_gguf *parser, size_t wanted, item_reader read)
{
    parser->wanted = wanted;
    parser->read = read;
    return true;
}

/* Whether so many bytes may follow, before anything is allocated for them. */
static bool claim(struct tn_gguf *parser, uint64_t bytes)
{
    struct tn_feed *feed = &parser->feed;
    if (bytes > feed->file_bytes - feed->position) {
        return tn_feed_fail_truncated(feed, bytes);
    }
    if (bytes > TN_GGUF_HEADER_LIMIT_BYTES - feed->position) {
        return tn_feed_fail(feed, TN_ERROR_TOO_LARGE, feed->position, "the header exceeds the limit of %d bytes",
                            TN_GGUF_HEADER_LIMIT_BYTES);
    }
    return true;
}

static bool skip(struct tn_gguf *parser, uint64_t bytes)
{
    if (!claim(parser, bytes)) {
        return false;
    }
    tn_feed_skip(&parser->feed, bytes);
    return true;
}

/* The offset in the file of a field of the item that is being read. */
static uint64_t offset_of(const struct tn_gguf *parser, size_t field)
{
    return parser->feed.position - parser->wanted + field;
}

/* ---- metadata ---- */

static bool next_pair(struct tn_gguf *parser);

static bool add_member(struct tn_gguf *parser, struct tn_str key, struct tn_value value)
{
    struct tn_value *metadata = &parser->header.metadata;
    if (metadata->count == parser->member_capacity) {
        size_t capacity = parser->member_capacity ? parser->member_capacity * 2 : FIRST_CAPACITY;
        metadata->as.members = tn_arena_grow(parser->feed.arena, metadata->as.members, metadata->count, capacity,
                                             sizeof *metadata->as.members);
        if (!metadata->as.members) {
            return tn_fail_memory(parser->feed.error);
        }
        parser->member_capacity = capacity;
    }
    uint32_t existing;
    if (!tn_map_insert(parser->feed.arena, &parser->keys, key, metadata->count, &existing)) {
        return tn_fail_memory(parser->feed.error);
    }
    if (existing != TN_MAP_NONE) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, parser->start,
                            "the key \"" TN_STR_FORMAT "\" stands twice", TN_STR_ARGUMENTS(key));
    }
    metadata->as.members[metadata->count++] = (struct tn_member){key, value};
    return true;
}

static struct tn_value real_value(const char *at, size_t bytes)
{
    double real;
    if (bytes == sizeof(float)) {
        float single;
        uint32_t bits = load_u32(at);
        memcpy(&single, &bits, sizeof single);
        real = single;
    } else {
        uint64_t bits = tn_load_u64(at);
        memcpy(&real, &bits, sizeof real);
    }
    return tn_value_real(real);
}

static struct tn_value scalar_value(uint32_t type, const char *at, uint64_t offset)
{
    size_t bytes = value_types[type].bytes;
    uint64_t raw = 0;
    for (size_t k = 0; k < bytes; k++) {
        raw |= (uint64_t)(unsigned char)at[k] << (8 * k);
    }
    const uint64_t sign = UINT64_C(1) << (8 * bytes - 1);
    struct tn_value value;
    if (value_types[type].kind == REAL) {
        value = real_value(at, bytes);
    } else if (value_types[type].kind == BOOLEAN) {
        value = tn_value_boolean(raw != 0);
    } else if (value_types[type].kind == SIGNED) {
        value = tn_value_integer((int64_t)((raw ^ sign) - sign));
    } else {
        value = raw > INT64_MAX ? tn_value_real((double)raw) : tn_value_integer((int64_t)raw);
    }
    value.offset = (int64_t)offset;
    return value;
}

static bool set_alignment(struct tn_gguf *parser, uint32_t alignment_bytes)
{
    if (alignment_bytes == 0 || (alignment_bytes & (alignment_bytes - 1)) != 0) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, offset_of(parser, 0),
                            "general.alignment is %" PRIu32 ", not a power of two", alignment_bytes);
    }
    parser->alignment_bytes = alignment_bytes;
    return true;
}

static bool read_scalar(struct tn_gguf *parser, const char *item)
{
    if (tn_str_is(parser->key, "general.alignment") && !set_alignment(parser, load_u32(item))) {
        return false;
    }
    struct tn_value value = scalar_value(parser->type, item, offset_of(parser, 0));
    return add_member(parser, parser->key, value) && next_pair(parser);
}

static bool copy_string(struct tn_gguf *parser, const char *item, struct tn_value *value)
{
    struct tn_str copy;
    if (!tn_str_copy(parser->feed.arena, (struct tn_str){item, parser->wanted}, &copy)) {
        return tn_fail_memory(parser->feed.error);
    }
    *value = tn_value_string(copy);
    value->offset = (int64_t)offset_of(parser, 0);
    return true;
}

static bool read_string(struct tn_gguf *parser, const char *item)
{
    struct tn_value value;
    return copy_string(parser, item, &value) && add_member(parser, parser->key, value) && next_pair(parser);
}

static bool read_string_length(struct tn_gguf *parser, const char *item)
{
    uint64_t bytes = tn_load_u64(item);
    return claim(parser, bytes) && expect(parser, (size_t)bytes, read_string);
}

/* An array of scalars that is kept. */
static bool read_scalars(struct tn_gguf *parser, const char *item)
{
    size_t bytes = value_types[parser->type].bytes;
    for (uint32_t k = 0; k < parser->list.count; k++) {
        parser->list.as.items[k] = scalar_value(parser->type, item + k * bytes, offset_of(parser, k * bytes));
    }
    return add_member(parser, parser->key, parser->list) && next_pair(parser);
}

static bool next_string(struct tn_gguf *parser);

static bool read_element(struct tn_gguf *parser, const char *item)
{
    size_t index = (size_t)(parser->list.count - parser->elements_left);
    parser->elements_left--;
    return copy_string(parser, item, &parser->list.as.items[index]) && next_string(parser);
}

static bool read_element_length(struct tn_gguf *parser, const char *item)
{
    uint64_t bytes = tn_load_u64(item);
    if (parser->list.as.items) {
        return claim(parser, bytes) && expect(parser, (size_t)bytes, read_element);
    }
    parser->elements_left--;
    return skip(parser, bytes) && next_string(parser);
}

/* The elements of an array of strings, one by one. */
static bool next_string(struct tn_gguf *parser)
{
    if (parser->elements_left > 0) {
        return expect(parser, sizeof(uint64_t), read_element_length);
    }
    return (!parser->list.as.items || add_member(parser, parser->key, parser->list)) && next_pair(parser);
}

/* Two members stand for an array that is not kept: the key with null, and key#count. */
static bool count_array(struct tn_gguf *parser, uint64_t count)
{
    struct tn_str counted = tn_str_join(parser->feed.arena, parser->key, TN_STR("#count"));
    struct tn_value null = {.kind = TN_NULL, .offset = parser->list.offset};
    struct tn_value length = tn_value_integer((int64_t)count);
    length.offset = parser->list.offset;
    if (!counted.data) {
        return tn_fail_memory(parser->feed.error);
    }
    return add_member(parser, parser->key, null) && add_member(parser, counted, length);
}

/* Decides what becomes of an array whose elements follow. */
static bool begin_array(struct tn_gguf *parser, uint64_t count)
{
    parser->list = (struct tn_value){.kind = TN_LIST, .offset = (int64_t)parser->feed.position};
    parser->elements_left = count;
    bool strings = parser->type == TYPE_STRING;
    uint64_t bytes = count * (strings ? sizeof(uint64_t) : value_types[parser->type].bytes);
    if (!claim(parser, bytes)) {
        return false;
    }
    if (count > TN_GGUF_KEPT_ITEMS || count > TN_GGUF_KEPT_ITEMS_TOTAL - parser->kept_items) {
        return count_array(parser, count)
               && (strings ? next_string(parser) : skip(parser, bytes) && next_pair(parser));
    }
    parser->kept_items += count;
    parser->list.count = (uint32_t)count;
    parser->list.as.items = TN_NEW_ARRAY(parser->feed.arena, struct tn_value, (size_t)count);
    if (!parser->list.as.items) {
        return tn_fail_memory(parser->feed.error);
    }
    return strings ? next_string(parser) : expect(parser, (size_t)bytes, read_scalars);
}

static bool read_array_head(struct tn_gguf *parser, const char *item)
{
    uint64_t count = tn_load_u64(item + 4);
    parser->type = load_u32(item);
    if (parser->type >= TYPE_COUNT) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, offset_of(parser, 0),
                            "the array \"" TN_STR_FORMAT "\" has elements of type %" PRIu32 ", which is not a value type",
                            TN_STR_ARGUMENTS(parser->key), parser->type);
    }
    if (parser->type == TYPE_ARRAY) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, offset_of(parser, 0),
                            "the array \"" TN_STR_FORMAT "\" is one of arrays, which GGUF does not have",
                            TN_STR_ARGUMENTS(parser->key));
    }
    if (count > MOST_ARRAY_ELEMENTS) {
        return tn_feed_fail(&parser->feed, TN_ERROR_TOO_LARGE, offset_of(parser, 4),
                            "the array \"" TN_STR_FORMAT "\" has %" PRIu64 " elements; the limit is %d",
                            TN_STR_ARGUMENTS(parser->key), count, MOST_ARRAY_ELEMENTS);
    }
    return begin_array(parser, count);
}

static bool read_value_type(struct tn_gguf *parser, const char *item)
{
    parser->type = load_u32(item);
    if (parser->type >= TYPE_COUNT) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, offset_of(parser, 0),
                            "the key \"" TN_STR_FORMAT "\" has type %" PRIu32 ", which is not a value type",
                            TN_STR_ARGUMENTS(parser->key), parser->type);
    }
    if (parser->type != TYPE_U32 && tn_str_is(parser->key, "general.alignment")) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, offset_of(parser, 0),
                            "general.alignment has type %" PRIu32 "; it must be a 32-bit unsigned integer (%d)",
                            parser->type, TYPE_U32);
    }
    if (parser->type == TYPE_STRING) {
        return expect(parser, sizeof(uint64_t), read_string_length);
    }
    if (parser->type == TYPE_ARRAY) {
        return expect(parser, sizeof(uint32_t) + sizeof(uint64_t), read_array_head);
    }
    return expect(parser, value_types[parser->type].bytes, read_scalar);
}

static bool read_key(struct tn_gguf *parser, const char *item)
{
    if (!tn_str_copy(parser->feed.arena, (struct tn_str){item, parser->wanted}, &parser->key)) {
        return tn_fail_memory(parser->feed.error);
    }
    return expect(parser, sizeof(uint32_t), read_value_type);
}

static bool read_key_length(struct tn_gguf *parser, const char *item)
{
    uint64_t bytes = tn_load_u64(item);
    if (bytes == 0) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, parser->start, "a key is empty");
    }
    return claim(parser, bytes) && expect(parser, (size_t)bytes, read_key);
}
