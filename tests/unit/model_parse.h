/* Gives a parser of headers a file in slices, as networks and browsers do. */
#ifndef TESTS_MODEL_PARSE_H
#define TESTS_MODEL_PARSE_H

#include "format/header.h"

/* How large the slices are: a number of bytes, or one of these. */
enum { AT_ONCE = 0, RANDOM = -1, AS_ASKED = -2 };

/* Parses a file of file_bytes bytes of which `file` is the beginning. NULL with the error filled. *given, unless NULL,
 * counts the bytes that the parser was given. Fails the test where the parser contradicts itself. */
const struct tn_header *parse_gguf(struct tn_arena *arena, struct tn_str file, uint64_t file_bytes, int slice,
                                   uint64_t *given, struct tn_error *error);
const struct tn_header *parse_safetensors(struct tn_arena *arena, struct tn_str file, uint64_t file_bytes, int slice,
                                          uint64_t *given, struct tn_error *error);

#endif
