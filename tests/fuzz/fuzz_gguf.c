/* Any bytes as a GGUF file. The parser must accept or refuse them alike however they are cut, and what it accepts must
 * hold together. */
#include "format/gguf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
    const struct tn_header *header; /* NULL where the file was refused */
    struct tn_error error;
};

/* Slices of 1 to largest bytes; 0 gives all at once. */
static struct result parse(struct tn_arena *arena, struct tn_str file, uint64_t file_bytes, size_t largest)
{
    struct result result = {0};
    uint32_t random = (uint32_t)file.size;
    struct tn_gguf *parser = tn_gguf_open(arena, TN_STR("fuzz"), file_bytes);
    for (struct tn_need need; parser && (need = tn_gguf_need(parser)).length > 0;) {
        size_t from = need.offset < file.size ? (size_t)need.offset : file.size;
        random = random * 1664525 + 1013904223;
        size_t to = largest && from < file.size ? from + 1 + (random >> 8) % largest : file.size;
        if (!tn_gguf_give(parser, tn_str_slice(file, from, to), &result.error)) {
            return result;
        }
    }
    result.header = parser ? tn_gguf_header(parser) : NULL;
    return result;
}

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_header(const struct tn_header *header)
{
    uint64_t end = header->header_bytes;
    check(header->header_bytes <= header->file_bytes);
    for (size_t k = 0; k < header->count; k++) {
        const struct tn_tensor *tensor = &header->tensors[k];
        check(tensor->offset >= end && tensor->bytes <= header->file_bytes - tensor->offset);
        check(tensor->dim_count <= TN_MAX_DIMS);
        end = tensor->offset + tensor->bytes;
    }
}

static void check_same(const struct result *a, const struct result *b)
{
    check((a->header == NULL) == (b->header == NULL));
    check(a->error.code == b->error.code && a->error.offset == b->error.offset);
    if (!a->header) {
        return;
    }
    check(a->header->count == b->header->count && a->header->header_bytes == b->header->header_bytes);
    check(a->header->metadata.count == b->header->metadata.count);
    for (uint32_t k = 0; k < a->header->metadata.count; k++) {
        const struct tn_member *left = &a->header->metadata.as.members[k];
        const struct tn_member *right = &b->header->metadata.as.members[k];
        check(tn_str_equal(left->key, right->key) && left->value.kind == right->value.kind);
        check(left->value.count == right->value.count && left->value.offset == right->value.offset);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t missing_bytes[] = {0, UINT64_C(1)
                                                    << 33}; /* the file as it is, and as the start of a large one */
    struct tn_str file = {(const char *)data, size};
    for (size_t k = 0; k < 2; k++) {
        struct tn_arena arena = {0};
        struct result whole = parse(&arena, file, size + missing_bytes[k], 0);
        struct result cut = parse(&arena, file, size + missing_bytes[k], 20);
        check_same(&whole, &cut);
        if (whole.header) {
            check_header(whole.header);
        }
        tn_arena_free(&arena);
    }
    return 0;
}
