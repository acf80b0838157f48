/* The metadata of a GGUF file: pairs of a key and a value. Knows no key but general.alignment. */
#include "base/number.h"
#include "format/gguf_parser.h"

#include <inttypes.h>
#include <string.h>

enum {
    FIRST_CAPACITY = 64,
    FIRST_ARRAYS = 16,
    MOST_ARRAY_ELEMENTS = 1 << 30,
};

/* The value types of metadata by their number. */
static const struct {
    uint8_t bytes; /* of one value; 0 where it says its own length */
    enum { UNSIGNED, SIGNED, REAL, BOOLEAN, STRING, ARRAY } kind;
} value_types[TN_GGUF_TYPE_COUNT] = {
    {1, UNSIGNED}, {1, SIGNED}, {2, UNSIGNED}, {2, SIGNED},   {4, UNSIGNED}, {4, SIGNED}, {4, REAL},
    {1, BOOLEAN},  {0, STRING}, {0, ARRAY},    {8, UNSIGNED}, {8, SIGNED},   {8, REAL},
};

static bool skip(struct tn_gguf *parser, uint64_t bytes)
{
    if (!tn_gguf_claim(parser, bytes)) {
        return false;
    }
    tn_feed_skip(&parser->feed, bytes);
    return true;
}

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
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, parser->start, "the key \"" TN_STR_FORMAT "\" stands twice",
                            TN_STR_ARGUMENTS(key));
    }
    metadata->as.members[metadata->count++] = (struct tn_member){key, value};
    return true;
}

static struct tn_value real_value(const char *at, size_t bytes)
{
    double real;
    if (bytes == sizeof(float)) {
        float single;
        uint32_t bits = tn_gguf_load_u32(at);
        memcpy(&single, &bits, sizeof single);
        real = single;
    } else {
        uint64_t bits = tn_load_u64(at);
        memcpy(&real, &bits, sizeof real);
    }
    return tn_value_real(real);
}

size_t tn_gguf_type_bytes(enum tn_gguf_type type)
{
    return value_types[type].bytes;
}

struct tn_value tn_gguf_scalar(enum tn_gguf_type type, const char *at)
{
    size_t bytes = value_types[type].bytes;
    uint64_t raw = 0;
    uint64_t sign = 0; /* the highest bit of the value */
    for (size_t k = 0; k < bytes; k++) {
        raw |= (uint64_t)(unsigned char)at[k] << (8 * k);
        sign = UINT64_C(0x80) << (8 * k);
    }
    if (value_types[type].kind == REAL) {
        return real_value(at, bytes);
    }
    if (value_types[type].kind == BOOLEAN) {
        return tn_value_boolean(raw != 0);
    }
    if (value_types[type].kind == SIGNED) {
        return tn_value_integer((int64_t)((raw ^ sign) - sign));
    }
    return raw > INT64_MAX ? tn_value_real((double)raw) : tn_value_integer((int64_t)raw);
}

static struct tn_value scalar_value(uint32_t type, const char *at, uint64_t offset)
{
    struct tn_value value = tn_gguf_scalar((enum tn_gguf_type)type, at);
    value.offset = (int64_t)offset;
    return value;
}

static bool set_alignment(struct tn_gguf *parser, uint32_t alignment_bytes)
{
    if (alignment_bytes == 0 || (alignment_bytes & (alignment_bytes - 1)) != 0) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, tn_gguf_offset(parser, 0),
                            "general.alignment is %" PRIu32 ", not a power of two", alignment_bytes);
    }
    parser->alignment_bytes = alignment_bytes;
    return true;
}

static bool read_scalar(struct tn_gguf *parser, const char *item)
{
    if (tn_str_is(parser->key, "general.alignment") && !set_alignment(parser, tn_gguf_load_u32(item))) {
        return false;
    }
    struct tn_value value = scalar_value(parser->type, item, tn_gguf_offset(parser, 0));
    return add_member(parser, parser->key, value) && tn_gguf_next_pair(parser);
}

static bool copy_string(struct tn_gguf *parser, const char *item, struct tn_value *value)
{
    struct tn_str copy;
    if (!tn_str_copy(parser->feed.arena, (struct tn_str){item, parser->wanted}, &copy)) {
        return tn_fail_memory(parser->feed.error);
    }
    *value = tn_value_string(copy);
    value->offset = (int64_t)tn_gguf_offset(parser, 0);
    return true;
}

static bool read_string(struct tn_gguf *parser, const char *item)
{
    struct tn_value value;
    return copy_string(parser, item, &value) && add_member(parser, parser->key, value) && tn_gguf_next_pair(parser);
}

static bool read_string_length(struct tn_gguf *parser, const char *item)
{
    uint64_t bytes = tn_load_u64(item);
    return tn_gguf_claim(parser, bytes) && tn_gguf_expect(parser, (size_t)bytes, read_string);
}

/* An array of scalars that is kept. */
static bool read_scalars(struct tn_gguf *parser, const char *item)
{
    size_t bytes = value_types[parser->type].bytes;
    for (uint32_t k = 0; k < parser->list.count; k++) {
        parser->list.as.items[k] = scalar_value(parser->type, item + k * bytes, tn_gguf_offset(parser, k * bytes));
    }
    return add_member(parser, parser->key, parser->list) && tn_gguf_next_pair(parser);
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
        return tn_gguf_claim(parser, bytes) && tn_gguf_expect(parser, (size_t)bytes, read_element);
    }
    parser->elements_left--;
    return skip(parser, bytes) && next_string(parser);
}

/* The elements of an array of strings, one by one. */
static bool next_string(struct tn_gguf *parser)
{
    if (parser->elements_left > 0) {
        return tn_gguf_expect(parser, sizeof(uint64_t), read_element_length);
    }
    return (!parser->list.as.items || add_member(parser, parser->key, parser->list)) && tn_gguf_next_pair(parser);
}

/* Two members stand for an array that is not kept: the key with null, and key#count. */
static bool count_array(struct tn_gguf *parser, uint64_t count)
{
    const struct tn_str suffix = TN_STR("#count");
    char *text = tn_arena_alloc(parser->feed.arena, parser->key.size + suffix.size);
    if (!text) {
        return tn_fail_memory(parser->feed.error);
    }
    memcpy(text, parser->key.data, parser->key.size);
    memcpy(text + parser->key.size, suffix.data, suffix.size);
    struct tn_str counted = {text, parser->key.size + suffix.size};
    struct tn_value null = {.kind = TN_NULL, .offset = parser->list.offset};
    struct tn_value length = tn_value_integer((int64_t)count);
    length.offset = parser->list.offset;
    return add_member(parser, parser->key, null) && add_member(parser, counted, length);
}

static bool note_array(struct tn_gguf *parser, uint64_t count)
{
    if (parser->array_count == parser->array_capacity) {
        size_t capacity = parser->array_capacity ? parser->array_capacity * 2 : FIRST_ARRAYS;
        parser->arrays =
            tn_arena_grow(parser->feed.arena, parser->arrays, parser->array_count, capacity, sizeof *parser->arrays);
        if (!parser->arrays) {
            return tn_fail_memory(parser->feed.error);
        }
        parser->array_capacity = capacity;
    }
    parser->arrays[parser->array_count++] =
        (struct tn_gguf_array){parser->key, (enum tn_gguf_type)parser->type, count, parser->feed.position};
    return true;
}

/* Decides what becomes of an array whose elements follow. */
static bool begin_array(struct tn_gguf *parser, uint64_t count)
{
    parser->list = (struct tn_value){.kind = TN_LIST, .offset = (int64_t)parser->feed.position};
    parser->elements_left = count;
    bool strings = parser->type == TN_GGUF_STRING;
    uint64_t bytes = count * (strings ? sizeof(uint64_t) : value_types[parser->type].bytes);
    if (!tn_gguf_claim(parser, bytes) || !note_array(parser, count)) {
        return false;
    }
    if (count > TN_GGUF_KEPT_ITEMS || count > TN_GGUF_KEPT_ITEMS_TOTAL - parser->kept_items) {
        return count_array(parser, count)
               && (strings ? next_string(parser) : skip(parser, bytes) && tn_gguf_next_pair(parser));
    }
    parser->kept_items += count;
    parser->list.count = (uint32_t)count;
    parser->list.as.items = TN_NEW_ARRAY(parser->feed.arena, struct tn_value, (size_t)count);
    if (!parser->list.as.items) {
        return tn_fail_memory(parser->feed.error);
    }
    return strings ? next_string(parser) : tn_gguf_expect(parser, (size_t)bytes, read_scalars);
}

static bool read_array_head(struct tn_gguf *parser, const char *item)
{
    uint64_t count = tn_load_u64(item + 4);
    parser->type = tn_gguf_load_u32(item);
    if (parser->type >= TN_GGUF_TYPE_COUNT) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, tn_gguf_offset(parser, 0),
                            "the array \"" TN_STR_FORMAT "\" has elements of type %" PRIu32
                            ", which is not a value type",
                            TN_STR_ARGUMENTS(parser->key), parser->type);
    }
    if (parser->type == TN_GGUF_ARRAY) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, tn_gguf_offset(parser, 0),
                            "the array \"" TN_STR_FORMAT "\" is one of arrays, which GGUF does not have",
                            TN_STR_ARGUMENTS(parser->key));
    }
    if (count > MOST_ARRAY_ELEMENTS) {
        return tn_feed_fail(&parser->feed, TN_ERROR_TOO_LARGE, tn_gguf_offset(parser, 4),
                            "the array \"" TN_STR_FORMAT "\" has %" PRIu64 " elements; the limit is %d",
                            TN_STR_ARGUMENTS(parser->key), count, MOST_ARRAY_ELEMENTS);
    }
    return begin_array(parser, count);
}

static bool read_value_type(struct tn_gguf *parser, const char *item)
{
    parser->type = tn_gguf_load_u32(item);
    if (parser->type >= TN_GGUF_TYPE_COUNT) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, tn_gguf_offset(parser, 0),
                            "the key \"" TN_STR_FORMAT "\" has type %" PRIu32 ", which is not a value type",
                            TN_STR_ARGUMENTS(parser->key), parser->type);
    }
    if (parser->type != TN_GGUF_U32 && tn_str_is(parser->key, "general.alignment")) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, tn_gguf_offset(parser, 0),
                            "general.alignment has type %" PRIu32 "; it must be a 32-bit unsigned integer (%d)",
                            parser->type, TN_GGUF_U32);
    }
    if (parser->type == TN_GGUF_STRING) {
        return tn_gguf_expect(parser, sizeof(uint64_t), read_string_length);
    }
    if (parser->type == TN_GGUF_ARRAY) {
        return tn_gguf_expect(parser, sizeof(uint32_t) + sizeof(uint64_t), read_array_head);
    }
    return tn_gguf_expect(parser, value_types[parser->type].bytes, read_scalar);
}

static bool read_key(struct tn_gguf *parser, const char *item)
{
    if (!tn_str_copy(parser->feed.arena, (struct tn_str){item, parser->wanted}, &parser->key)) {
        return tn_fail_memory(parser->feed.error);
    }
    return tn_gguf_expect(parser, sizeof(uint32_t), read_value_type);
}

static bool read_key_length(struct tn_gguf *parser, const char *item)
{
    uint64_t bytes = tn_load_u64(item);
    if (bytes == 0) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, parser->start, "a key is empty");
    }
    return tn_gguf_claim(parser, bytes) && tn_gguf_expect(parser, (size_t)bytes, read_key);
}

bool tn_gguf_next_pair(struct tn_gguf *parser)
{
    if (parser->pairs_left == 0) {
        return tn_gguf_next_tensor(parser);
    }
    parser->pairs_left--;
    parser->start = parser->feed.position;
    return tn_gguf_expect(parser, sizeof(uint64_t), read_key_length);
}
