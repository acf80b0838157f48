/* Any bytes as a safetensors file, as the JSON in one, and as an index. The parser must accept or refuse a file alike
 * however it is cut, and what it accepts must hold together. */
#include "base/number.h"
#include "format/safetensors.h"

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
    struct tn_safetensors *parser = tn_safetensors_open(arena, TN_STR("fuzz"), file_bytes);
    for (struct tn_need need; parser && (need = tn_safetensors_need(parser)).length > 0;) {
        size_t from = (size_t)need.offset;
        random = random * 1664525 + 1013904223;
        size_t to = largest && from < file.size ? from + 1 + (random >> 8) % largest : file.size;
        if (!tn_safetensors_give(parser, tn_str_slice(file, from, to), &result.error)) {
            return result;
        }
    }
    result.header = parser ? tn_safetensors_header(parser) : NULL;
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
    for (size_t k = 0; k < header->count; k++) {
        const struct tn_tensor *tensor = &header->tensors[k];
        uint64_t elements = 1;
        uint64_t bytes;
        for (size_t d = 0; d < tensor->dim_count; d++) {
            check(tn_mul_u64(elements, tensor->dims[d], &elements));
        }
        check(tn_dtype_bytes(tensor->dtype, elements, &bytes) && bytes == tensor->bytes);
        end += tensor->bytes;
    }
    check(end == header->file_bytes);
}

static void check_file(struct tn_str file, uint64_t file_bytes)
{
    struct tn_arena arena = {0};
    struct result whole = parse(&arena, file, file_bytes, 0);
    struct result cut = parse(&arena, file, file_bytes, 20);
    check((whole.header == NULL) == (cut.header == NULL));
    check(whole.error.code == cut.error.code && whole.error.offset == cut.error.offset);
    if (whole.header) {
        check(whole.header->count == cut.header->count);
        check_header(whole.header);
    }
    tn_arena_free(&arena);
}

static void check_index(struct tn_str text)
{
    struct tn_arena arena = {0};
    struct tn_weight_index index;
    if (tn_weight_index_read(&arena, TN_STR("fuzz"), text, &index, NULL)) {
        for (size_t k = 0; k < index.count; k++) {
            check(index.files[k] < index.file_count);
        }
    }
    tn_arena_free(&arena);
}

/* Behind a length that fits it, in a file with up to 65535 bytes of data, as the last two bytes say. */
static void check_json(struct tn_str json)
{
    struct tn_builder file = {0};
    uint64_t data_bytes = 0;
    for (size_t k = 0; k < 8; k++) {
        tn_builder_add_char(&file, (char)(unsigned char)((uint64_t)json.size >> (8 * k) & 0xff));
    }
    tn_builder_add(&file, json);
    if (json.size >= 2) {
        data_bytes = (unsigned char)json.data[json.size - 2] + 256U * (unsigned char)json.data[json.size - 1];
    }
    check_file(tn_builder_str(&file), file.size + data_bytes);
    tn_builder_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_str input = {(const char *)data, size};
    check_file(input, size);
    check_json(input);
    check_index(input);
    return 0;
}
