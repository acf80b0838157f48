/* What the header of a model file says, whatever its format: a list of tensors, and metadata.
 *
 * Parsers never read. They say which bytes they want next and are given them; mmap, HTTP ranges and a browser's file
 * input feed the same code. Nothing is allocated for a count or a length before it was checked against the bytes at
 * hand and the file's size.
 */
#ifndef TN_FORMAT_HEADER_H
#define TN_FORMAT_HEADER_H

#include "format/dtype.h"
#include "text/value.h"

enum { TN_MAX_DIMS = 8 };

struct tn_tensor {
    struct tn_str name;
    const struct tn_dtype
        *dtype; /* NULL where only the name is known (an index), or a GGUF type newer than the table */
    uint8_t dim_count;
    uint64_t dims[TN_MAX_DIMS]; /* outermost first, as in PyTorch; a GGUF's ne[] is turned round */
    uint64_t bytes;             /* as stored */
    uint64_t offset;            /* bytes from the start of the file */
};

struct tn_header {
    struct tn_tensor *tensors; /* [count] in the order of the file */
    size_t count;
    size_t capacity;
    /* TN_OBJECT; for GGUF flat keys, "llama.block_count"; an array that was not kept (vocabularies) is TN_NULL, and its
     * length is the integer under its key + "#count". Offsets of values count from the start of the file. */
    struct tn_value metadata;
    uint64_t file_bytes;
    uint64_t header_bytes; /* where the tensor data begins */
};

/* The bytes a parser wants next. length 0: it is done. */
struct tn_need {
    uint64_t offset;
    uint64_t length;
};

#endif
