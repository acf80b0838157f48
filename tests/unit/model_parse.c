/* Feeding parsers. Each slice is a copy that is released at once where the format allows it, so that a parser that
 * keeps a pointer into it is found out by the address sanitizer.
 */
#include "model_parse.h"

#include "format/gguf.h"
#include "format/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 1 to 100, another sequence in each parse of a program and the same in each run of it. */
static uint64_t random_bytes(void)
{
    static uint32_t random = 1;
    random = random * 1664525 + 1013904223;
    return 1 + (random >> 8) % 100;
}

/* The slice that a source answers with. */
static struct tn_str slice_of(struct tn_str file, struct tn_need need, int slice)
{
    size_t from = need.offset < file.size ? (size_t)need.offset : file.size;
    uint64_t bytes = slice == AT_ONCE    ? file.size
                     : slice == RANDOM   ? random_bytes()
                     : slice == AS_ASKED ? need.length
                                         : (uint64_t)slice;
    return tn_str_slice(file, from, bytes < file.size - from ? from + (size_t)bytes : file.size);
}

const struct tn_header *parse_gguf(struct tn_arena *arena, struct tn_str file, uint64_t file_bytes, int slice,
                                   uint64_t *given, struct tn_error *error)
{
    uint64_t sum = 0;
    struct tn_gguf *parser = tn_gguf_open(arena, TN_STR("test.gguf"), file_bytes);
    assert_non_null(parser);
    for (struct tn_need need; (need = tn_gguf_need(parser)).length > 0;) {
        assert_null(tn_gguf_header(parser));
        struct tn_str piece = slice_of(file, need, slice);
        char *copy = malloc(piece.size ? piece.size : 1);
        assert_non_null(copy);
        memcpy(copy, piece.data ? piece.data : "", piece.size);
        bool taken = tn_gguf_give(parser, (struct tn_str){copy, piece.size}, error);
        free(copy);
        sum += piece.size;
        assert_true(taken || (tn_gguf_need(parser).length == 0 && !tn_gguf_header(parser)));
    }
    if (given) {
        *given = sum;
    }
    return tn_gguf_header(parser);
}

const struct tn_header *parse_safetensors(struct tn_arena *arena, struct tn_str file, uint64_t file_bytes, int slice,
                                          uint64_t *given, struct tn_error *error)
{
    uint64_t sum = 0;
    struct tn_safetensors *parser = tn_safetensors_open(arena, TN_STR("test.safetensors"), file_bytes);
    assert_non_null(parser);
    for (struct tn_need need; (need = tn_safetensors_need(parser)).length > 0;) {
        assert_null(tn_safetensors_header(parser));
        struct tn_str piece = slice_of(file, need, slice);
        bool taken = tn_safetensors_give(parser, piece, error);
        sum += piece.size;
        assert_true(taken || (tn_safetensors_need(parser).length == 0 && !tn_safetensors_header(parser)));
    }
    if (given) {
        *given = sum;
    }
    return tn_safetensors_header(parser);
}
