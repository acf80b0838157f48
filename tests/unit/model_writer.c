/* Files of models for tests. Independent of the parsers: the formats are written here a second time. */
#define _POSIX_C_SOURCE 200809L
#include "model_writer.h"

#include "text/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, GGUF_ALIGNMENT_BYTES = 32 };

/* ---- files ---- */

/* Writes the text, then a hole. */
static bool write_file(const char *path, struct tn_str text, uint64_t hole_bytes)
{
    FILE *file = fopen(path, "wb");
    if (!file) {
        return false;
    }
    bool written = fwrite(text.data, 1, text.size, file) == text.size && fflush(file) == 0
                   && ftruncate(fileno(file), (off_t)(text.size + hole_bytes)) == 0;
    return fclose(file) == 0 && written;
}

static uint64_t tensor_bytes(const struct model_tensor *tensor)
{
    const struct tn_dtype *dtype = tn_dtype_find(tn_str_of(tensor->dtype));
    uint64_t elements = 1;
    for (size_t k = 0; k < tensor->dim_count; k++) {
        elements *= tensor->dims[k];
    }
    return elements / dtype->block_elements * dtype->block_bytes;
}

/* The first of `count` tensors that belongs to part `part` of `parts`. */
static size_t first_of_part(size_t count, size_t part, size_t parts)
{
    return count * part / parts;
}

/* ---- safetensors ---- */

static void safetensors_name(char name[PATH_SIZE], size_t file, size_t file_count)
{
    if (file_count == 1) {
        (void)snprintf(name, PATH_SIZE, "model.safetensors");
    } else {
        (void)snprintf(name, PATH_SIZE, "model-%05zu-of-%05zu.safetensors", file + 1, file_count);
    }
}

/* The bytes of the data. */
static uint64_t add_safetensors_header(struct tn_json_writer *json, const struct model_tensor *tensors, size_t count)
{
    uint64_t offset = 0;
    tn_json_begin_object(json);
    for (size_t k = 0; k < count; k++) {
        tn_json_key(json, tensors[k].name);
        tn_json_begin_object(json);
        tn_json_key(json, "dtype");
        tn_json_text(json, tn_dtype_find(tn_str_of(tensors[k].dtype))->name);
        tn_json_key(json, "shape");
        tn_json_begin_list(json);
        for (size_t d = 0; d < tensors[k].dim_count; d++) {
            tn_json_u64(json, tensors[k].dims[d]);
        }
        tn_json_end_list(json);
        tn_json_key(json, "data_offsets");
        tn_json_begin_list(json);
        tn_json_u64(json, offset);
        offset += tensor_bytes(&tensors[k]);
        tn_json_u64(json, offset);
        tn_json_end_list(json);
        tn_json_end_object(json);
    }
    tn_json_end_object(json);
    return offset;
}

static bool write_safetensors(const char *path, const struct model_tensor *tensors, size_t count)
{
    struct tn_builder header = {0};
    struct tn_builder file = {0};
    struct tn_json_writer json = {.builder = &header};
    uint64_t data_bytes = add_safetensors_header(&json, tensors, count);
    gguf_add_number(&file, header.size, sizeof(uint64_t));
    tn_builder_add(&file, tn_builder_str(&header));
    bool written = !header.failed && !file.failed && write_file(path, tn_builder_str(&file), data_bytes);
    tn_builder_free(&header);
    tn_builder_free(&file);
    return written;
}

static bool write_index(const char *folder, const struct model_tensor *tensors, size_t count, size_t file_count)
{
    char path[PATH_SIZE];
    char name[PATH_SIZE];
    struct tn_builder text = {0};
    struct tn_json_writer json = {.builder = &text, .indented = true};
    uint64_t total_bytes = 0;
    tn_json_begin_object(&json);
    tn_json_key(&json, "weight_map");
    tn_json_begin_object(&json);
    for (size_t file = 0; file < file_count; file++) {
        safetensors_name(name, file, file_count);
        for (size_t k = first_of_part(count, file, file_count); k < first_of_part(count, file + 1, file_count); k++) {
            tn_json_key(&json, tensors[k].name);
            tn_json_text(&json, name);
            total_bytes += tensor_bytes(&tensors[k]);
        }
    }
    tn_json_end_object(&json);
    tn_json_key(&json, "metadata");
    tn_json_begin_object(&json);
    tn_json_key(&json, "total_size");
    tn_json_u64(&json, total_bytes);
    tn_json_end_object(&json);
    tn_json_end_object(&json);
    (void)snprintf(path, sizeof path, "%s/model.safetensors.index.json", folder);
    bool written = !text.failed && write_file(path, tn_builder_str(&text), 0);
    tn_builder_free(&text);
    return written;
}

bool model_write_safetensors(const char *folder, const struct model_tensor *tensors, size_t count, size_t file_count)
{
    for (size_t file = 0; file < file_count; file++) {
        char path[PATH_SIZE * 2];
        char name[PATH_SIZE];
        size_t first = first_of_part(count, file, file_count);
        safetensors_name(name, file, file_count);
        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
        if (!write_safetensors(path, tensors + first, first_of_part(count, file + 1, file_count) - first)) {
            return false;
        }
    }
    return file_count == 1 || write_index(folder, tensors, count, file_count);
}

/* ---- GGUF: pieces ---- */

void gguf_add_number(struct tn_builder *file, uint64_t number, size_t bytes)
{
    for (size_t k = 0; k < bytes; k++) {
        tn_builder_add_char(file, (char)(unsigned char)(number >> (8 * k) & 0xff));
    }
}

void gguf_add_real(struct tn_builder *file, double real, enum gguf_type type)
{
    float single = (float)real;
    uint32_t single_bits;
    uint64_t bits;
    memcpy(&single_bits, &single, sizeof single_bits);
    memcpy(&bits, &real, sizeof bits);
    gguf_add_number(file, type == GGUF_F32 ? single_bits : bits, type == GGUF_F32 ? 4 : 8);
}

void gguf_add_string(struct tn_builder *file, struct tn_str text)
{
    gguf_add_number(file, text.size, sizeof(uint64_t));
    tn_builder_add(file, text);
}

void gguf_add_start(struct tn_builder *file, uint32_t version, uint64_t tensor_count, uint64_t pair_count)
{
    tn_builder_add_text(file, "GGUF");
    gguf_add_number(file, version, sizeof(uint32_t));
    gguf_add_number(file, tensor_count, sizeof(uint64_t));
    gguf_add_number(file, pair_count, sizeof(uint64_t));
}

void gguf_add_key(struct tn_builder *file, const char *key, enum gguf_type type)
{
    gguf_add_string(file, tn_str_of(key));
    gguf_add_number(file, type, sizeof(uint32_t));
}

void gguf_add_array(struct tn_builder *file, const char *key, enum gguf_type type, uint64_t count)
{
    gguf_add_key(file, key, GGUF_ARRAY);
    gguf_add_number(file, type, sizeof(uint32_t));
    gguf_add_number(file, count, sizeof(uint64_t));
}

void gguf_add_tensor(struct tn_builder *file, const struct model_tensor *tensor, uint32_t type, uint64_t offset)
{
    gguf_add_string(file, tn_str_of(tensor->name));
    gguf_add_number(file, tensor->dim_count, sizeof(uint32_t));
    for (size_t k = tensor->dim_count; k > 0; k--) {
        gguf_add_number(file, tensor->dims[k - 1], sizeof(uint64_t));
    }
    gguf_add_number(file, type, sizeof(uint32_t));
    gguf_add_number(file, offset, sizeof(uint64_t));
}

void gguf_add_padding(struct tn_builder *file, size_t alignment_bytes)
{
    while (file->size % alignment_bytes != 0) {
        tn_builder_add_char(file, '\0');
    }
}

/* ---- GGUF: files ---- */

static void add_scalar(struct tn_builder *file, const struct tn_value *value, enum gguf_type type)
{
    static const size_t bytes[] = {[GGUF_U32] = 4, [GGUF_I32] = 4, [GGUF_U64] = 8, [GGUF_I64] = 8};
    if (value->kind == TN_STRING) {
        gguf_add_string(file, value->as.string);
    } else if (value->kind == TN_BOOL) {
        gguf_add_number(file, value->as.boolean, 1);
    } else if (value->kind == TN_REAL) {
        gguf_add_real(file, value->as.real, type);
    } else {
        gguf_add_number(file, (uint64_t)value->as.integer, bytes[type]);
    }
}

static enum gguf_type type_of(const struct tn_value *value)
{
    if (value->kind != TN_INTEGER) {
        return value->kind == TN_STRING ? GGUF_STRING : value->kind == TN_BOOL ? GGUF_BOOL : GGUF_F32;
    }
    if (value->as.integer >= 0) {
        return value->as.integer <= UINT32_MAX ? GGUF_U32 : GGUF_U64;
    }
    return value->as.integer >= INT32_MIN ? GGUF_I32 : GGUF_I64;
}

void gguf_add_pair(struct tn_builder *file, const struct tn_member *member)
{
    const struct tn_value *value = &member->value;
    gguf_add_string(file, member->key);
    if (value->kind == TN_OBJECT) {
        int64_t tokens = tn_value_member(value, TN_STR("tokens"))->as.integer;
        gguf_add_number(file, GGUF_ARRAY, sizeof(uint32_t));
        gguf_add_number(file, GGUF_STRING, sizeof(uint32_t));
        gguf_add_number(file, (uint64_t)tokens, sizeof(uint64_t));
        for (int64_t k = 0; k < tokens; k++) {
            char token[32];
            (void)snprintf(token, sizeof token, "token%" PRId64, k);
            gguf_add_string(file, tn_str_of(token));
        }
    } else if (value->kind == TN_LIST) {
        enum gguf_type type =
            value->count == 0 || value->as.items[0].kind == TN_INTEGER ? GGUF_I32 : type_of(&value->as.items[0]);
        gguf_add_number(file, GGUF_ARRAY, sizeof(uint32_t));
        gguf_add_number(file, type, sizeof(uint32_t));
        gguf_add_number(file, value->count, sizeof(uint64_t));
        for (uint32_t k = 0; k < value->count; k++) {
            add_scalar(file, &value->as.items[k], type);
        }
    } else {
        gguf_add_number(file, type_of(value), sizeof(uint32_t));
        add_scalar(file, value, type_of(value));
    }
}

/* The description of the tensors and the padding; the bytes of the data. */
static uint64_t add_tensors(struct tn_builder *file, const struct model_tensor *tensors, size_t count)
{
    uint64_t offset = 0;
    for (size_t k = 0; k < count; k++) {
        uint32_t type = (uint32_t)tn_dtype_find(tn_str_of(tensors[k].dtype))->ggml_type;
        gguf_add_tensor(file, &tensors[k], type, offset);
        offset += (tensor_bytes(&tensors[k]) + GGUF_ALIGNMENT_BYTES - 1) / GGUF_ALIGNMENT_BYTES * GGUF_ALIGNMENT_BYTES;
    }
    gguf_add_padding(file, GGUF_ALIGNMENT_BYTES);
    return offset;
}

/* One part of a split, or a whole model where part_count is 0. Only the first part has the metadata. */
static bool write_gguf(const char *path, const struct tn_value *metadata, const struct model_tensor *tensors,
                       size_t count, size_t part, size_t part_count)
{
    struct tn_builder file = {0};
    size_t first = part_count ? first_of_part(count, part, part_count) : 0;
    size_t end = part_count ? first_of_part(count, part + 1, part_count) : count;
    uint32_t member_count = part == 0 ? metadata->count : 0;
    gguf_add_start(&file, 3, end - first, member_count + (part_count ? 3 : 0));
    for (uint32_t k = 0; k < member_count; k++) {
        gguf_add_pair(&file, &metadata->as.members[k]);
    }
    if (part_count) {
        gguf_add_key(&file, "split.no", GGUF_U16);
        gguf_add_number(&file, part, 2);
        gguf_add_key(&file, "split.count", GGUF_U16);
        gguf_add_number(&file, part_count, 2);
        gguf_add_key(&file, "split.tensors.count", GGUF_I32);
        gguf_add_number(&file, count, 4);
    }
    uint64_t data_bytes = add_tensors(&file, tensors + first, end - first);
    bool written = !file.failed && write_file(path, tn_builder_str(&file), data_bytes);
    tn_builder_free(&file);
    return written;
}

bool model_write_gguf(const char *path, const char *metadata_json, const struct model_tensor *tensors, size_t count)
{
    struct tn_arena arena = {0};
    struct tn_value metadata;
    bool written = tn_json_read(&arena, tn_str_of(metadata_json), &metadata, NULL)
                   && write_gguf(path, &metadata, tensors, count, 0, 0);
    tn_arena_free(&arena);
    return written;
}

bool model_write_gguf_split(const char *folder, const char *prefix, const char *metadata_json,
                            const struct model_tensor *tensors, size_t count, size_t part_count)
{
    struct tn_arena arena = {0};
    struct tn_value metadata;
    bool written = tn_json_read(&arena, tn_str_of(metadata_json), &metadata, NULL);
    for (size_t part = 0; written && part < part_count; part++) {
        char path[PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s/%s-%05zu-of-%05zu.gguf", folder, prefix, part + 1, part_count);
        written = write_gguf(path, &metadata, tensors, count, part, part_count);
    }
    tn_arena_free(&arena);
    return written;
}
