/* Reads the header of one model file, as the program itself does, and says how large it is. One file a process, so that
 * two processes can be compared.
 *
 *     bench_header FILE.safetensors | FILE.gguf | FILE.index.json
 */
#include "format/gguf.h"
#include "format/safetensors.h"
#include "host/file.h"

#include <inttypes.h>
#include <stdio.h>

struct counts {
    size_t tensors;
    uint64_t header_bytes;
};

static bool read_safetensors(struct tn_arena *arena, struct tn_str name, struct tn_str bytes, struct counts *counts,
                             struct tn_error *error)
{
    struct tn_safetensors *parser = tn_safetensors_open(arena, name, bytes.size);
    if (!parser || !tn_safetensors_give(parser, bytes, error)) {
        return false;
    }
    const struct tn_header *header = tn_safetensors_header(parser);
    *counts = (struct counts){header->count, header->header_bytes};
    return true;
}

static bool read_gguf(struct tn_arena *arena, struct tn_str name, struct tn_str bytes, struct counts *counts,
                      struct tn_error *error)
{
    struct tn_gguf *parser = tn_gguf_open(arena, name, bytes.size);
    if (!parser || !tn_gguf_give(parser, bytes, error)) {
        return false;
    }
    const struct tn_header *header = tn_gguf_header(parser);
    *counts = (struct counts){header->count, header->header_bytes};
    return true;
}

static bool read_index(struct tn_arena *arena, struct tn_str name, struct tn_str bytes, struct counts *counts,
                       struct tn_error *error)
{
    struct tn_weight_index index;
    if (!tn_weight_index_read(arena, name, bytes, &index, error)) {
        return false;
    }
    *counts = (struct counts){index.count, bytes.size};
    return true;
}

static const struct {
    const char *ending;
    bool (*read)(struct tn_arena *arena, struct tn_str name, struct tn_str bytes, struct counts *counts,
                 struct tn_error *error);
} formats[] = {{".safetensors", read_safetensors}, {".gguf", read_gguf}, {".index.json", read_index}};

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: bench_header FILE\n");
        return 2;
    }
    struct tn_error error = {.message = "out of memory, or no file of a known ending"};
    struct tn_arena arena = {0};
    struct tn_str name = tn_str_of(argv[1]);
    struct tn_file file;
    struct counts counts;
    bool done = false;
    if (tn_file_map(argv[1], &file, &error)) {
        for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++) {
            if (tn_str_ends(name, tn_str_of(formats[k].ending))) {
                done = formats[k].read(&arena, name, file.bytes, &counts, &error);
            }
        }
        tn_file_unmap(&file);
    }
    if (done) {
        printf("%zu tensors, %" PRIu64 " bytes of header\n", counts.tensors, counts.header_bytes);
    } else {
        (void)fprintf(stderr, "bench_header: %s: %s\n", argv[1], error.message);
    }
    tn_arena_free(&arena);
    return done ? 0 : 1;
}
