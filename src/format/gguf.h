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

/* "prefix-00002-of-00005.gguf" -> prefix "prefix", number 2, count 5; false where the name is not of that form. */
bool tn_gguf_split_name(struct tn_str file_name, struct tn_str *prefix, unsigned *number, unsigned *count);

/* Joins the headers of all parts of a split, in their order, into one: metadata of the first, tensors of all (each with
 * the offset in its own file), the sums of the sizes.
 * Errors: TN_ERROR_HEADER where split.no, split.count or split.tensors.count contradict the files, or a tensor stands
 * twice; TN_ERROR_TOO_LARGE where the sum of the files exceeds 64 bits; TN_ERROR_MEMORY. */
bool tn_gguf_join(struct tn_arena *arena, const struct tn_header *const *parts, size_t count, struct tn_header *whole,
                  struct tn_error *error);

#endif
