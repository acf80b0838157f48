/* Element types of model files: how many bytes a block of elements takes. */
#ifndef TN_FORMAT_DTYPE_H
#define TN_FORMAT_DTYPE_H

#include "base/text.h"

enum { TN_GGML_TYPE_COUNT = 43 }; /* ids from here on are newer than the table */

/* One row of the table of all types of safetensors and of ggml. */
struct tn_dtype {
    const char *name;        /* "BF16", "F8_E4M3", "Q4_K": as its format writes it, upper case; unique in the table */
    uint32_t block_elements; /* 1 for plain types; 2 for packed 4-bit ones */
    uint32_t block_bytes;
    int16_t ggml_type;   /* id in GGUF, -1 where GGUF has none */
    bool safetensors;    /* a dtype name of safetensors headers */
    const char *aliases; /* further names, lower case, separated by spaces: "bfloat16"; "" where none */
};

/* By name or alias, any case, with or without "torch." before it; NULL where unknown. */
const struct tn_dtype *tn_dtype_find(struct tn_str name);

/* By the exact name in a safetensors header; NULL where the format has no such type. */
const struct tn_dtype *tn_dtype_of_safetensors(struct tn_str name);

/* By the type number of a GGUF tensor; NULL for a removed one (below TN_GGML_TYPE_COUNT) or an unknown one. */
const struct tn_dtype *tn_dtype_of_ggml(uint32_t type);

/* All rows, for tests and tables; ends with a row whose name is NULL. */
const struct tn_dtype *tn_dtype_table(void);

/* Bytes of `elements` elements in whole blocks, rounded up to a block. false where the result exceeds 64 bits. */
bool tn_dtype_bytes(const struct tn_dtype *dtype, uint64_t elements, uint64_t *bytes);

#endif
