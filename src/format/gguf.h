/* GGUF v2 and v3, little-endian, whole or split. */
#ifndef TN_FORMAT_GGUF_H
#define TN_FORMAT_GGUF_H

#include "format/header.h"

enum {
    TN_GGUF_HEADER_LIMIT_BYTES = 256 * 1024 * 1024, /* several times the largest vocabulary */
    TN_GGUF_KEPT_ITEMS = 4096,                      /* longer arrays are counted only */
    TN_GGUF_KEPT_ITEMS_TOTAL = 1 << 20,             /* and so is every array, once so many items are kept */
};

struct tn_gguf;

/* A parser for one file (one part of a split). All memory from the arena; NULL when memory is out.
 * file_name   for messages; must outlive the parser
 * file_bytes  the size of the whole file */
struct tn_gguf *tn_gguf_open(struct tn_arena *arena, struct tn_str file_name, uint64_t file_bytes);

/* What to give next. The header's size is not known beforehand, so the length is a wish that grows from 64 KiB to
 * 4 MiB. The offset can jump forward: what need not be seen is not asked for. length 0: done, or failed. */
struct tn_need tn_gguf_need(const struct tn_gguf *parser);

/* Gives bytes that begin at the offset asked for: any number, at best the length asked for or more. Bytes may be
 * released after the call: what is kept is copied. The work is linear in the bytes of the header, however they are cut.
 * Arrays of more than TN_GGUF_KEPT_ITEMS elements (vocabularies) are walked and counted, not kept.
 * Errors: TN_ERROR_TRUNCATED, TN_ERROR_HEADER, TN_ERROR_VERSION, TN_ERROR_DTYPE, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY;
 * each with the byte offset in the file of what is wrong. A tensor type newer than the table is no error: its dtype is
 * NULL and its bytes come from the offsets. After an error the parser takes no more. */
bool tn_gguf_give(struct tn_gguf *parser, struct tn_str bytes, struct tn_error *error);

/* The result, once it is complete; NULL before and after an error. Belongs to the arena. */
const struct tn_header *tn_gguf_header(const struct tn_gguf *parser);

/* ---- arrays in the file -------------------------------------------------------------------------------------------- */

/* The types of values, as the file numbers them. */
enum tn_gguf_type {
    TN_GGUF_U8,
    TN_GGUF_I8,
    TN_GGUF_U16,
    TN_GGUF_I16,
    TN_GGUF_U32,
    TN_GGUF_I32,
    TN_GGUF_F32,
    TN_GGUF_BOOL,
    TN_GGUF_STRING,
    TN_GGUF_ARRAY,
    TN_GGUF_U64,
    TN_GGUF_I64,
    TN_GGUF_F64,
    TN_GGUF_TYPE_COUNT,
};

/* An array of the metadata, kept or only counted. */
struct tn_gguf_array {
    struct tn_str key;
    enum tn_gguf_type type; /* of the items */
    uint64_t count;
    uint64_t offset; /* of the first item in the file */
};

/* A parser for the metadata alone: complete behind the last pair, whatever follows. Everything else is as above, but that
 * its header has no tensors.
 * bytes  how many there are: of the whole file or of a beginning of it */
struct tn_gguf *tn_gguf_open_metadata(struct tn_arena *arena, struct tn_str file_name, uint64_t bytes);

/* The array of a key, once the parser is complete; NULL where there is none. Belongs to the arena. */
const struct tn_gguf_array *tn_gguf_find_array(const struct tn_gguf *parser, struct tn_str key);

/* A walk over the items of an array, in the bytes of the file. For arrays longer than what the parser keeps. */
struct tn_gguf_walk {
    struct tn_str file; /* its beginning, with the whole array */
    enum tn_gguf_type type;
    uint64_t left;
    size_t at; /* of the next item in the file */
};

struct tn_gguf_walk tn_gguf_walk_of(const struct tn_gguf_array *array, struct tn_str file);

/* The next item of an array of strings; it points into the file. false at the end, or where the items are no strings. */
bool tn_gguf_next_string(struct tn_gguf_walk *walk, struct tn_str *item);

/* The next item of an array of numbers, as the nearest double. false at the end, or where the items are no numbers. */
bool tn_gguf_next_number(struct tn_gguf_walk *walk, double *item);

/* ---- files in parts ----------------------------------------------------------------------------------------------- */

/* "prefix-00002-of-00005.gguf" -> prefix "prefix", number 2, count 5; false where the name is not of that form. */
bool tn_gguf_split_name(struct tn_str file_name, struct tn_str *prefix, unsigned *number, unsigned *count);

/* Joins the headers of all parts of a split, in their order, into one: metadata of the first, tensors of all (each with
 * the offset in its own file), the sums of the sizes.
 * Errors: TN_ERROR_HEADER where split.no, split.count or split.tensors.count contradict the files, or a tensor stands
 * twice; TN_ERROR_TOO_LARGE where the sum of the files exceeds 64 bits; TN_ERROR_MEMORY. */
bool tn_gguf_join(struct tn_arena *arena, const struct tn_header *const *parts, size_t count, struct tn_header *whole,
                  struct tn_error *error);

#endif
