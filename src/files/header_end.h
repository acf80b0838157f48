/* How many of the first bytes of a file hold its header, found out from those that are at hand. The parsers are run for that alone. */
#ifndef TN_FILES_HEADER_END_H
#define TN_FILES_HEADER_END_H

#include "files/source.h"
#include "format/gguf.h"
#include "format/safetensors.h"

/* One file, between one look and the next. {0} to begin with. */
struct tn_header_end {
    struct tn_arena arena; /* to be freed in the end */
    struct tn_safetensors *safetensors;
    struct tn_gguf *gguf;
};

/* *end: the bytes that are needed from the beginning; the header is complete where it is at most bytes.size. It may be more than the file
 * has. A GGUF does not say where its header ends: until it has been seen the limit is named, or less where it is known to go on.
 * bytes  from the beginning of the file; those of the look before must be their beginning
 * Errors: those of the parsers. */
bool tn_header_end(struct tn_header_end *state, enum tn_file_kind kind, struct tn_str file_name, struct tn_str bytes,
                   uint64_t file_bytes, uint64_t *end, struct tn_error *error);

#endif
