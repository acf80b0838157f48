/* safetensors: 8 bytes of length, a JSON header, the data. And the index of a sharded model. */
#ifndef TN_FORMAT_SAFETENSORS_H
#define TN_FORMAT_SAFETENSORS_H

#include "format/header.h"

enum { TN_SAFETENSORS_HEADER_LIMIT_BYTES = 100 * 1000 * 1000 }; /* the limit of the reference implementation */

struct tn_safetensors;

/* A parser for one file. All memory from the arena; NULL when memory is out.
 * file_name   for messages; must outlive the parser
 * file_bytes  the size of the whole file */
struct tn_safetensors *tn_safetensors_open(struct tn_arena *arena, struct tn_str file_name, uint64_t file_bytes);

/* What to give next: the length, then the whole JSON. length 0: done, or failed. */
struct tn_need tn_safetensors_need(const struct tn_safetensors *parser);

/* Gives bytes that begin at the offset asked for: any number, at best the length asked for or more (a mapping gives
 * all). A JSON that lies whole in them is not copied, so they must outlive the header: names point into them. One that
 * comes in pieces is put together in the arena.
 * Errors: TN_ERROR_TRUNCATED, TN_ERROR_HEADER, TN_ERROR_DTYPE, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY; each with the byte
 * offset in the file of what is wrong. Checked: length against the file, JSON, dtype known, begin <= end <= data size,
 * dims product x dtype == end - begin, no overlap, no hole, no duplicate name, data covers the file to its end. After
 * an error the parser takes no more. */
bool tn_safetensors_give(struct tn_safetensors *parser, struct tn_str bytes, struct tn_error *error);

/* The result, once it is complete; NULL before and after an error. Belongs to the arena. Tensors stand in the order of
 * the JSON. */
const struct tn_header *tn_safetensors_header(const struct tn_safetensors *parser);

/* model.safetensors.index.json: which tensor lies in which file. */
struct tn_weight_index {
    struct tn_str *names; /* [count] tensor names */
    uint32_t *files;      /* [count] index into file_names */
    size_t count;
    struct tn_str *file_names; /* [file_count] in order of first appearance; plain names without a folder */
    size_t file_count;
    uint64_t total_size_bytes; /* metadata.total_size; 0 where it is absent or not a whole number */
};

/* Reads a whole index. text must outlive it.
 * Errors: TN_ERROR_JSON, TN_ERROR_HEADER (no weight_map, wrong types, a file name with a path separator, a duplicate
 * tensor), TN_ERROR_MEMORY. */
bool tn_weight_index_read(struct tn_arena *arena, struct tn_str file_name, struct tn_str text,
                          struct tn_weight_index *index, struct tn_error *error);

#endif
