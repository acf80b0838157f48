/* The safetensors parser. The JSON is walked event by event into the list of tensors; no tree is built. */
#include "format/safetensors.h"

#include "base/map.h"
#include "base/number.h"
#include "format/feed.h"
#include "text/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LENGTH_BYTES = 8,
    LEAST_TENSOR_BYTES = 49, /* "":{"dtype":"F4","shape":[],"data_offsets":[0,0]} */
    FIRST_CAPACITY = 16,
};

struct tn_safetensors {
    struct tn_feed feed;
    struct tn_header header;
    uint64_t json_bytes; /* 0 until it is known */
    bool complete;
    bool failed;

    /* While the JSON is read: */
    struct tn_json_reader reader;
    struct tn_map names;
    uint32_t *places;  /* [header.capacity] where in the JSON each tensor begins, for messages */
    uint64_t data_end; /* of the tensors so far, as long as they follow each other */
    bool in_order;
    bool has_metadata;
    size_t metadata_capacity;
};

/* The data of one tensor, to be sorted by place. */
struct span {
    uint64_t begin;
    uint64_t end;
    size_t index;
};

/* ---- JSON ---- */

/* The offset in the file of the last event. */
static uint64_t here(const struct tn_safetensors *parser)
{
    return LENGTH_BYTES + (uint64_t)parser->reader.offset;
}

static enum tn_json_event next(struct tn_safetensors *parser)
{
    struct tn_error *error = parser->feed.error;
    enum tn_json_event event = tn_json_next(&parser->reader, error);
    if (event == TN_JSON_ERROR && error && error->code == TN_ERROR_JSON) {
        error->code = TN_ERROR_HEADER;
        (void)tn_fail_at(error, LENGTH_BYTES + error->offset, TN_STR_FORMAT, TN_STR_ARGUMENTS(parser->feed.file_name));
    }
    return event;
}

/* Passes over the value that follows. */
static bool skip_value(struct tn_safetensors *parser)
{
    size_t depth = parser->reader.depth;
    do {
        if (next(parser) == TN_JSON_ERROR) {
            return false;
        }
    } while (parser->reader.depth > depth);
    return true;
}

/* Whether the next event is the one expected. */
static bool expect(struct tn_safetensors *parser, enum tn_json_event expected, const char *what)
{
    enum tn_json_event event = next(parser);
    if (event == TN_JSON_ERROR || event == expected) {
        return event == expected;
    }
    return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, here(parser), "expected %s here", what);
}

/* Whether the event, which was the last one, is a number that is not negative. */
static bool is_u64(struct tn_safetensors *parser, enum tn_json_event event, const char *what, uint64_t *number)
{
    if (event == TN_JSON_INTEGER && parser->reader.integer >= 0) {
        *number = (uint64_t)parser->reader.integer;
        return true;
    }
    return event != TN_JSON_ERROR
           && tn_feed_fail(&parser->feed, TN_ERROR_HEADER, here(parser), "expected %s, a whole number from 0 on, here",
                           what);
}

/* ---- one tensor ---- */

static bool read_dtype(struct tn_safetensors *parser, struct tn_tensor *tensor)
{
    if (!expect(parser, TN_JSON_STRING, "a dtype, a string,")) {
        return false;
    }
    tensor->dtype = tn_dtype_of_safetensors(parser->reader.string);
    return tensor->dtype
           || tn_feed_fail(&parser->feed, TN_ERROR_DTYPE, here(parser),
                           "the tensor \"" TN_STR_FORMAT "\" has the dtype \"" TN_STR_FORMAT "\", which is not known",
                           TN_STR_ARGUMENTS(tensor->name), TN_STR_ARGUMENTS(parser->reader.string));
}

static bool read_shape(struct tn_safetensors *parser, struct tn_tensor *tensor)
{
    if (!expect(parser, TN_JSON_LIST_BEGIN, "a shape, a list,")) {
        return false;
    }
    for (enum tn_json_event event = next(parser); event != TN_JSON_LIST_END; event = next(parser)) {
        uint64_t dim = 0;
        if (!is_u64(parser, event, "a dimension", &dim)) {
            return false;
        }
        if (tensor->dim_count == TN_MAX_DIMS) {
            return tn_feed_fail(&parser->feed, TN_ERROR_TOO_LARGE, here(parser),
                                "the tensor \"" TN_STR_FORMAT "\" has more than %d dimensions",
                                TN_STR_ARGUMENTS(tensor->name), TN_MAX_DIMS);
        }
        tensor->dims[tensor->dim_count++] = dim;
    }
    return true;
}

static bool read_offsets(struct tn_safetensors *parser, struct tn_tensor *tensor)
{
    uint64_t end = 0;
    if (!expect(parser, TN_JSON_LIST_BEGIN, "data_offsets, a list,")
        || !is_u64(parser, next(parser), "an offset", &tensor->offset)
        || !is_u64(parser, next(parser), "an offset", &end)) {
        return false;
    }
    if (end < tensor->offset) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, here(parser),
                            "the tensor \"" TN_STR_FORMAT "\" ends at %" PRIu64 ", before it begins at %" PRIu64,
                            TN_STR_ARGUMENTS(tensor->name), end, tensor->offset);
    }
    tensor->bytes = end - tensor->offset;
    return expect(parser, TN_JSON_LIST_END, "the end of data_offsets");
}

static const struct {
    const char *name;
    bool (*read)(struct tn_safetensors *parser, struct tn_tensor *tensor);
} fields[] = {{"dtype", read_dtype}, {"shape", read_shape}, {"data_offsets", read_offsets}};

enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

/* Reads the value of the key that was the last event. Unknown fields are passed over, as in the reference. */
static bool read_field(struct tn_safetensors *parser, struct tn_tensor *tensor, bool seen[FIELD_COUNT])
{
    for (size_t k = 0; k < FIELD_COUNT; k++) {
        if (!tn_str_is(parser->reader.string, fields[k].name)) {
            continue;
        }
        if (seen[k]) {
            return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, here(parser),
                                "the tensor \"" TN_STR_FORMAT "\" has two %s", TN_STR_ARGUMENTS(tensor->name),
                                fields[k].name);
        }
        seen[k] = true;
        return fields[k].read(parser, tensor);
    }
    return skip_value(parser);
}

static bool fail_tensor(struct tn_safetensors *parser, enum tn_code code, size_t index, const char *what)
{
    return tn_feed_fail(&parser->feed, code, LENGTH_BYTES + parser->places[index],
                        "the tensor \"" TN_STR_FORMAT "\" %s", TN_STR_ARGUMENTS(parser->header.tensors[index].name),
                        what);
}

/* Whether the shape and the dtype give the bytes that the offsets give. */
static bool check_bytes(struct tn_safetensors *parser, size_t index)
{
    const struct tn_tensor *tensor = &parser->header.tensors[index];
    uint64_t elements = 1;
    uint64_t bytes;
    for (size_t k = 0; k < tensor->dim_count; k++) {
        if (!tn_mul_u64(elements, tensor->dims[k], &elements)) {
            return fail_tensor(parser, TN_ERROR_TOO_LARGE, index, "has more elements than 64 bits can count");
        }
    }
    if (!tn_dtype_bytes(tensor->dtype, elements, &bytes)) {
        return fail_tensor(parser, TN_ERROR_TOO_LARGE, index, "has more bytes than 64 bits can count");
    }
    if (elements % tensor->dtype->block_elements != 0) {
        return fail_tensor(parser, TN_ERROR_HEADER, index, "does not fill whole bytes");
    }
    return bytes == tensor->bytes
           || tn_feed_fail(&parser->feed, TN_ERROR_HEADER, LENGTH_BYTES + parser->places[index],
                           "the tensor \"" TN_STR_FORMAT "\" has %" PRIu64 " bytes by its offsets, but %" PRIu64
                           " by its shape and dtype",
                           TN_STR_ARGUMENTS(tensor->name), tensor->bytes, bytes);
}

/* Makes a tensor of the key that was the last event. */
static bool add_tensor(struct tn_safetensors *parser, size_t *index)
{
    struct tn_header *header = &parser->header;
    uint32_t existing;
    *index = header->count;
    header->tensors[*index].name = parser->reader.string;
    parser->places[*index] = (uint32_t)parser->reader.offset;
    header->count++;
    if (!tn_map_insert(parser->feed.arena, &parser->names, parser->reader.string, (uint32_t)*index, &existing)) {
        return tn_fail_memory(parser->feed.error);
    }
    return existing == TN_MAP_NONE || fail_tensor(parser, TN_ERROR_HEADER, *index, "stands twice");
}

static bool read_tensor(struct tn_safetensors *parser)
{
    bool seen[FIELD_COUNT] = {false};
    size_t index;
    if (!add_tensor(parser, &index) || !expect(parser, TN_JSON_OBJECT_BEGIN, "a tensor, an object,")) {
        return false;
    }
    struct tn_tensor *tensor = &parser->header.tensors[index];
    for (enum tn_json_event event = next(parser); event != TN_JSON_OBJECT_END; event = next(parser)) {
        if (event == TN_JSON_ERROR || !read_field(parser, tensor, seen)) {
            return false;
        }
    }
    for (size_t k = 0; k < FIELD_COUNT; k++) {
        if (!seen[k]) {
            return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, LENGTH_BYTES + parser->places[index],
                                "the tensor \"" TN_STR_FORMAT "\" has no %s", TN_STR_ARGUMENTS(tensor->name),
                                fields[k].name);
        }
    }
    parser->in_order = parser->in_order && tensor->offset == parser->data_end;
    parser->data_end = tensor->offset + tensor->bytes;
    return check_bytes(parser, index);
}

/* ---- the whole header ---- */

static bool add_metadata(struct tn_safetensors *parser, struct tn_str key, struct tn_value value)
{
    struct tn_value *metadata = &parser->header.metadata;
    if (metadata->count == parser->metadata_capacity) {
        size_t capacity = parser->metadata_capacity ? parser->metadata_capacity * 2 : FIRST_CAPACITY;
        metadata->as.members = tn_arena_grow(parser->feed.arena, metadata->as.members, metadata->count, capacity,
                                             sizeof *metadata->as.members);
        if (!metadata->as.members) {
            return tn_fail_memory(parser->feed.error);
        }
        parser->metadata_capacity = capacity;
    }
    metadata->as.members[metadata->count++] = (struct tn_member){key, value};
    return true;
}

/* __metadata__: strings only, or null. */
static bool read_metadata(struct tn_safetensors *parser)
{
    if (parser->has_metadata) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, here(parser), "__metadata__ stands twice");
    }
    parser->has_metadata = true;
    enum tn_json_event event = next(parser);
    if (event == TN_JSON_NULL || event == TN_JSON_ERROR) {
        return event == TN_JSON_NULL;
    }
    if (event != TN_JSON_OBJECT_BEGIN) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, here(parser), "expected an object as __metadata__ here");
    }
    for (event = next(parser); event != TN_JSON_OBJECT_END; event = next(parser)) {
        struct tn_str key = parser->reader.string;
        if (event == TN_JSON_ERROR || !expect(parser, TN_JSON_STRING, "a value of __metadata__, a string,")) {
            return false;
        }
        struct tn_value value = tn_value_string(parser->reader.string);
        value.offset = (int64_t)here(parser);
        if (!add_metadata(parser, key, value)) {
            return false;
        }
    }
    return true;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* By place; empty tensors before the one that begins where they lie. */
static int compare_spans(const void *left, const void *right)
{
    const struct span *a = left;
    const struct span *b = right;
    int order = compare_u64(a->begin, b->begin);
    if (order == 0) {
        order = compare_u64(a->end, b->end);
    }
    return order ? order : compare_u64(a->index, b->index);
}

/* Whether tensors that do not stand in the order of their data lie without holes and overlaps. */
static bool check_spans(struct tn_safetensors *parser)
{
    const struct tn_header *header = &parser->header;
    struct span *spans = TN_NEW_ARRAY(parser->feed.arena, struct span, header->count);
    if (!spans) {
        return tn_fail_memory(parser->feed.error);
    }
    for (size_t k = 0; k < header->count; k++) {
        const struct tn_tensor *tensor = &header->tensors[k];
        spans[k] = (struct span){tensor->offset, tensor->offset + tensor->bytes, k};
    }
    qsort(spans, header->count, sizeof *spans, compare_spans);
    parser->data_end = 0;
    for (size_t k = 0; k < header->count; k++) {
        if (spans[k].begin != parser->data_end) {
            return fail_tensor(parser, TN_ERROR_HEADER, spans[k].index,
                               spans[k].begin < parser->data_end ? "overlaps another one"
                                                                 : "leaves a hole between it and the one before it");
        }
        parser->data_end = spans[k].end;
    }
    return true;
}

static bool check_layout(struct tn_safetensors *parser)
{
    struct tn_header *header = &parser->header;
    if (!parser->in_order && !check_spans(parser)) {
        return false;
    }
    uint64_t data_bytes = header->file_bytes - header->header_bytes;
    if (parser->data_end > data_bytes) {
        (void)tn_feed_fail(&parser->feed, TN_ERROR_TRUNCATED, header->file_bytes,
                           "the tensors take %" PRIu64 " bytes, but the file has only %" PRIu64 " for them",
                           parser->data_end, data_bytes);
        return tn_fail_hint(parser->feed.error, "the file is incomplete: download it again");
    }
    if (parser->data_end < data_bytes) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, header->header_bytes + parser->data_end,
                            "the file goes on for %" PRIu64 " bytes behind its last tensor",
                            data_bytes - parser->data_end);
    }
    for (size_t k = 0; k < header->count; k++) {
        header->tensors[k].offset += header->header_bytes;
    }
    return true;
}

/* Room for as many tensors as the text can hold: each has a brace and a least size. */
static bool reserve(struct tn_safetensors *parser, struct tn_str text)
{
    size_t braces = 0;
    const char *end = text.data + text.size;
    for (const char *at = text.data; (at = memchr(at, '{', (size_t)(end - at))) != NULL; at++) {
        braces++;
    }
    size_t most = text.size / LEAST_TENSOR_BYTES + 1;
    size_t capacity = braces < most ? braces : most;
    struct tn_arena *arena = parser->feed.arena;
    parser->header.tensors = TN_NEW_ARRAY(arena, struct tn_tensor, capacity);
    parser->header.capacity = capacity;
    parser->places = TN_NEW_ARRAY(arena, uint32_t, capacity);
    return (parser->header.tensors && parser->places && tn_map_reserve(arena, &parser->names, capacity))
           || tn_fail_memory(parser->feed.error);
}

static bool read_json(struct tn_safetensors *parser, struct tn_str text)
{
    tn_json_reader_open(&parser->reader, parser->feed.arena, text);
    if (!reserve(parser, text) || !expect(parser, TN_JSON_OBJECT_BEGIN, "the header, an object,")) {
        return false;
    }
    for (enum tn_json_event event = next(parser); event != TN_JSON_OBJECT_END; event = next(parser)) {
        if (event == TN_JSON_ERROR) {
            return false;
        }
        bool is_metadata = tn_str_is(parser->reader.string, "__metadata__");
        if (is_metadata ? !read_metadata(parser) : !read_tensor(parser)) {
            return false;
        }
    }
    return expect(parser, TN_JSON_END, "the end of the header") && check_layout(parser);
}

/* ---- outside ---- */

struct tn_safetensors *tn_safetensors_open(struct tn_arena *arena, struct tn_str file_name, uint64_t file_bytes)
{
    struct tn_safetensors *parser = TN_NEW(arena, struct tn_safetensors);
    if (parser) {
        parser->feed = (struct tn_feed){.arena = arena, .file_name = file_name, .file_bytes = file_bytes};
        parser->header = (struct tn_header){.metadata.kind = TN_OBJECT, .file_bytes = file_bytes};
        parser->in_order = true;
    }
    return parser;
}

struct tn_need tn_safetensors_need(const struct tn_safetensors *parser)
{
    struct tn_need need = {.offset = tn_feed_offset(&parser->feed)};
    if (!parser->complete && !parser->failed) {
        need.length = (parser->json_bytes ? LENGTH_BYTES + parser->json_bytes : LENGTH_BYTES) - need.offset;
    }
    return need;
}

static bool read_length(struct tn_safetensors *parser, const char *item)
{
    struct tn_feed *feed = &parser->feed;
    uint64_t bytes = tn_load_u64(item);
    if (bytes > TN_SAFETENSORS_HEADER_LIMIT_BYTES) {
        return tn_feed_recognize(feed, (struct tn_str){item, LENGTH_BYTES}, "safetensors")
               && tn_feed_fail(feed, TN_ERROR_TOO_LARGE, 0,
                               "the header has %" PRIu64 " bytes by its length; the limit of the format is %d", bytes,
                               TN_SAFETENSORS_HEADER_LIMIT_BYTES);
    }
    if (bytes == 0) {
        return tn_feed_fail(feed, TN_ERROR_HEADER, 0, "the header is empty");
    }
    parser->json_bytes = bytes;
    parser->header.header_bytes = LENGTH_BYTES + bytes;
    return true;
}

/* Takes the length, then the JSON, as far as the input goes. */
static bool take_items(struct tn_safetensors *parser)
{
    struct tn_feed *feed = &parser->feed;
    const char *item;
    if (parser->json_bytes == 0) {
        if (!tn_feed_claim(feed, LENGTH_BYTES) || !tn_feed_take(feed, LENGTH_BYTES, &item)) {
            return false;
        }
        if (!item) {
            return true;
        }
        if (!read_length(parser, item) || !tn_feed_claim(feed, parser->json_bytes)) {
            return false;
        }
    }
    size_t json_bytes = (size_t)parser->json_bytes;
    if (!tn_feed_take(feed, json_bytes, &item)) {
        return false;
    }
    parser->complete = item && read_json(parser, (struct tn_str){item, json_bytes});
    return parser->complete || !item;
}

bool tn_safetensors_give(struct tn_safetensors *parser, struct tn_str bytes, struct tn_error *error)
{
    if (parser->complete) {
        return true;
    }
    if (parser->failed) {
        return tn_fail(error, TN_ERROR_INTERNAL, "bytes given to a parser that has failed");
    }
    parser->failed = !tn_feed_give(&parser->feed, bytes, error) || !take_items(parser);
    return !parser->failed;
}

const struct tn_header *tn_safetensors_header(const struct tn_safetensors *parser)
{
    return parser->complete ? &parser->header : NULL;
}
