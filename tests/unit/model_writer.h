/* Writes models for tests: real headers, and holes in place of the data, so that a model of any size takes no disk. */
#ifndef TESTS_MODEL_WRITER_H
#define TESTS_MODEL_WRITER_H

#include "format/header.h"

struct model_tensor {
    const char *name;
    const char *dtype; /* a name or alias of the table in format/dtype.c */
    uint8_t dim_count;
    uint64_t dims[TN_MAX_DIMS]; /* outermost first */
};

/* Writes a safetensors model into a folder that exists: model.safetensors where file_count is 1, otherwise
 * model-00001-of-0000N.safetensors and so on, with the tensors in their order and about as many in each, and
 * model.safetensors.index.json. */
bool model_write_safetensors(const char *folder, const struct model_tensor *tensors, size_t count, size_t file_count);

/* Writes a GGUF v3 file. metadata_json is an object with the keys as they stand in the file:
 *     {"general.architecture": "llama", "llama.block_count": 32, "llama.rope.freq_base": 10000.0,
 *      "llama.attention.head_count_kv": [8, 8, 4], "tokenizer.ggml.tokens": {"tokens": 32000}}
 * Integers become u32 where they fit, else i32, u64 or i64; reals f32; a list takes the type of its first item, with
 * i32 for integers; {"tokens": N} becomes an array of N different strings. */
bool model_write_gguf(const char *path, const char *metadata_json, const struct model_tensor *tensors, size_t count);

/* The same in parts, PREFIX-00001-of-0000N.gguf and so on, with split.no, split.count and split.tensors.count. */
bool model_write_gguf_split(const char *folder, const char *prefix, const char *metadata_json,
                            const struct model_tensor *tensors, size_t count, size_t part_count);

/* The pieces that GGUF files are made of, for tests of broken ones. */
enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64
};

void gguf_add_number(struct tn_builder *file, uint64_t number, size_t bytes);  /* little-endian */
void gguf_add_real(struct tn_builder *file, double real, enum gguf_type type); /* GGUF_F32 or GGUF_F64 */
void gguf_add_string(struct tn_builder *file, struct tn_str text);             /* the length, then the bytes */
void gguf_add_start(struct tn_builder *file, uint32_t version, uint64_t tensor_count, uint64_t pair_count);
void gguf_add_key(struct tn_builder *file, const char *key, enum gguf_type type);
void gguf_add_array(struct tn_builder *file, const char *key, enum gguf_type type,
                    uint64_t count);                                         /* without elements */
void gguf_add_pair(struct tn_builder *file, const struct tn_member *member); /* as in metadata_json */
void gguf_add_tensor(struct tn_builder *file, const struct model_tensor *tensor, uint32_t type, uint64_t offset);
void gguf_add_padding(struct tn_builder *file, size_t alignment_bytes);

#endif
