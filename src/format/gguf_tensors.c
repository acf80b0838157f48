/* The tensors of a GGUF file: names, dimensions, types and offsets, and what they say about the data. */
#include "base/number.h"
#include "format/gguf_parser.h"

#include <inttypes.h>

enum { FIRST_CAPACITY = 64, MOST_NAME_BYTES = 63, MOST_DIMS = 4 };

static bool add_tensor(struct tn_gguf *parser, struct tn_str name)
{
    struct tn_header *header = &parser->header;
    if (header->count == header->capacity) {
        size_t capacity = header->capacity ? header->capacity * 2 : FIRST_CAPACITY;
        header->tensors =
            tn_arena_grow(parser->feed.arena, header->tensors, header->count, capacity, sizeof *header->tensors);
        if (!header->tensors) {
            return tn_fail_memory(parser->feed.error);
        }
        header->capacity = capacity;
    }
    uint32_t existing;
    if (!tn_map_insert(parser->feed.arena, &parser->names, name, (uint32_t)header->count, &existing)) {
        return tn_fail_memory(parser->feed.error);
    }
    if (existing != TN_MAP_NONE) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, parser->start,
                            "the tensor \"" TN_STR_FORMAT "\" stands twice", TN_STR_ARGUMENTS(name));
    }
    parser->tensor = &header->tensors[header->count++];
    parser->tensor->name = name;
    return true;
}

static bool fail_tensor(struct tn_gguf *parser, enum tn_code code, size_t field, const char *what)
{
    return tn_feed_fail(&parser->feed, code, tn_gguf_offset(parser, field), "the tensor \"" TN_STR_FORMAT "\" %s",
                        TN_STR_ARGUMENTS(parser->tensor->name), what);
}

/* The dimensions, and their product. The file has the contiguous dimension first, a tn_tensor has it last. */
static bool read_dims(struct tn_gguf *parser, const char *item, uint64_t *elements)
{
    struct tn_tensor *tensor = parser->tensor;
    *elements = 1;
    for (size_t k = 0; k < tensor->dim_count; k++) {
        uint64_t dim = tn_load_u64(item + k * sizeof dim);
        if (dim > INT64_MAX) {
            return fail_tensor(parser, TN_ERROR_HEADER, k * sizeof dim, "has a negative dimension");
        }
        if (!tn_mul_u64(*elements, dim, elements) || *elements > INT64_MAX) {
            return fail_tensor(parser, TN_ERROR_TOO_LARGE, k * sizeof dim, "has more elements than 63 bits can count");
        }
        tensor->dims[tensor->dim_count - 1 - k] = dim;
    }
    return true;
}

/* The type, and with it the bytes; those of a type newer than the table stay 0 until the next offset tells them. */
static bool set_type(struct tn_gguf *parser, uint32_t type, uint64_t elements)
{
    struct tn_tensor *tensor = parser->tensor;
    size_t type_field = tensor->dim_count * sizeof(uint64_t);
    tensor->dtype = tn_dtype_of_ggml(type);
    if (!tensor->dtype) {
        return (type >= TN_GGML_TYPE_COUNT && type <= INT32_MAX)
               || fail_tensor(parser, TN_ERROR_DTYPE, type_field, "has a type that GGUF does not have, or no longer");
    }
    uint64_t row = tensor->dim_count ? tensor->dims[tensor->dim_count - 1] : 1;
    if (row % tensor->dtype->block_elements != 0) {
        return fail_tensor(parser, TN_ERROR_HEADER, 0,
                           "has a first dimension that is not a multiple of its type's block");
    }
    if (!tn_dtype_bytes(tensor->dtype, elements, &tensor->bytes)) {
        return fail_tensor(parser, TN_ERROR_TOO_LARGE, 0, "has more bytes than 64 bits can count");
    }
    return true;
}

/* bytes rounded up to the alignment; false where the result exceeds 64 bits. */
static bool align(const struct tn_gguf *parser, uint64_t bytes, uint64_t *aligned)
{
    uint64_t mask = parser->alignment_bytes - 1;
    if (!tn_add_u64(bytes, mask, aligned)) {
        return false;
    }
    *aligned &= ~mask;
    return true;
}

/* Tensors lie one after the other, each at the next multiple of the alignment: engines refuse a file that has it
 * otherwise. Where the one before is of an unknown type, this one says where that ends. */
static bool set_offset(struct tn_gguf *parser, uint64_t offset)
{
    struct tn_tensor *tensor = parser->tensor;
    struct tn_tensor *before = parser->header.count > 1 ? tensor - 1 : NULL;
    size_t field = tensor->dim_count * sizeof(uint64_t) + sizeof(uint32_t);
    uint64_t expected;
    if (!align(parser, parser->data_end, &expected)) {
        return fail_tensor(parser, TN_ERROR_TOO_LARGE, field, "ends beyond 64 bits");
    }
    if (before && !before->dtype && offset >= expected && offset % parser->alignment_bytes == 0) {
        before->bytes = offset - before->offset;
    } else if (offset != expected) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, tn_gguf_offset(parser, field),
                            "the tensor \"" TN_STR_FORMAT "\" lies at %" PRIu64
                            " of the data; behind the tensor before it is %" PRIu64,
                            TN_STR_ARGUMENTS(tensor->name), offset, expected);
    }
    tensor->offset = offset;
    return tn_add_u64(offset, tensor->bytes, &parser->data_end)
           || fail_tensor(parser, TN_ERROR_TOO_LARGE, field, "ends beyond 64 bits");
}

static bool read_tensor(struct tn_gguf *parser, const char *item)
{
    size_t type_field = parser->tensor->dim_count * sizeof(uint64_t);
    uint64_t elements;
    return read_dims(parser, item, &elements) && set_type(parser, tn_gguf_load_u32(item + type_field), elements)
           && set_offset(parser, tn_load_u64(item + type_field + sizeof(uint32_t))) && tn_gguf_next_tensor(parser);
}

/* The name and the number of dimensions. */
static bool read_name(struct tn_gguf *parser, const char *item)
{
    size_t bytes = parser->wanted - sizeof(uint32_t);
    uint32_t dim_count = tn_gguf_load_u32(item + bytes);
    struct tn_str name;
    if (!tn_str_copy(parser->feed.arena, (struct tn_str){item, bytes}, &name)) {
        return tn_fail_memory(parser->feed.error);
    }
    if (!add_tensor(parser, name)) {
        return false;
    }
    if (dim_count > MOST_DIMS) {
        return fail_tensor(parser, TN_ERROR_HEADER, bytes, "has more than 4 dimensions");
    }
    parser->tensor->dim_count = (uint8_t)dim_count;
    return tn_gguf_expect(parser, dim_count * sizeof(uint64_t) + sizeof(uint32_t) + sizeof(uint64_t), read_tensor);
}

static bool read_name_length(struct tn_gguf *parser, const char *item)
{
    uint64_t bytes = tn_load_u64(item);
    if (bytes > MOST_NAME_BYTES) {
        return tn_feed_fail(&parser->feed, TN_ERROR_HEADER, parser->start,
                            "a tensor name has %" PRIu64 " bytes; the limit of the format is %d", bytes,
                            MOST_NAME_BYTES);
    }
    return tn_gguf_expect(parser, (size_t)bytes + sizeof(uint32_t), read_name);
}

/* Checks that the data fit into the file, and lets offsets count from the start of the file. */
static bool place_tensors(struct tn_gguf *parser, uint64_t data_start)
{
    struct tn_header *header = &parser->header;
    struct tn_feed *feed = &parser->feed;
    uint64_t end;
    if (!tn_add_u64(data_start, parser->data_end, &end) || end > feed->file_bytes) {
        (void)tn_feed_fail(feed, TN_ERROR_TRUNCATED, feed->file_bytes,
                           "the tensors take %" PRIu64 " bytes from %" PRIu64 " on, but the file ends here",
                           parser->data_end, data_start);
        return tn_fail_hint(feed->error, "the file is incomplete or damaged: download it again");
    }
    for (size_t k = 0; k < header->count; k++) {
        header->tensors[k].offset += data_start;
    }
    if (!parser->tensor->dtype) {
        parser->tensor->bytes = feed->file_bytes - parser->tensor->offset;
    }
    return true;
}

/* The description is complete: now the data's place in the file is known. */
static bool finish(struct tn_gguf *parser)
{
    uint64_t data_start;
    (void)align(parser, parser->feed.position, &data_start); /* the header's limit is far below 64 bits */
    if (parser->tensor && !place_tensors(parser, data_start)) {
        return false;
    }
    /* A part without tensors may end without the padding. */
    uint64_t file_bytes = parser->header.file_bytes;
    parser->header.header_bytes = data_start < file_bytes ? data_start : file_bytes;
    parser->complete = true;
    return tn_gguf_expect(parser, 0, NULL);
}

bool tn_gguf_next_tensor(struct tn_gguf *parser)
{
    if (parser->tensors_left == 0) {
        return finish(parser);
    }
    parser->tensors_left--;
    parser->start = parser->feed.position;
    return tn_gguf_expect(parser, sizeof(uint64_t), read_name_length);
}
