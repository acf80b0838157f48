/* How fast the JSON reader is: events and tree, in MB/s.
 *
 *     bench_json [FILE [TIMES]]
 *
 * Without a FILE it reads the safetensors header of a model of 90,000 tensors, made here.
 */
#include "text/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LAYERS = 60, EXPERTS = 500, DEFAULT_TIMES = 20 };

static double seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void make_header(struct tn_builder *text)
{
    static const char *const projections[] = {"gate_proj", "up_proj", "down_proj"};
    uint64_t offset = 0;
    tn_builder_add_text(text, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (int layer = 0; layer < LAYERS; layer++) {
        for (int expert = 0; expert < EXPERTS; expert++) {
            for (size_t k = 0; k < sizeof projections / sizeof projections[0]; k++) {
                tn_builder_addf(text, ",\"model.layers.%d.mlp.experts.%d.%s.weight\":", layer, expert, projections[k]);
                tn_builder_add_text(text, "{\"dtype\":\"BF16\",\"shape\":[7168,2048],\"data_offsets\":[");
                tn_builder_add_u64(text, offset);
                tn_builder_add_char(text, ',');
                offset += 2ULL * 7168 * 2048;
                tn_builder_add_u64(text, offset);
                tn_builder_add_text(text, "]}");
            }
        }
    }
    tn_builder_add_char(text, '}');
}

static bool read_file(const char *path, struct tn_builder *text)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return false;
    }
    static char block[1 << 16];
    size_t size;
    while ((size = fread(block, 1, sizeof block, file)) > 0) {
        tn_builder_add(text, (struct tn_str){block, size});
    }
    bool is_read = !ferror(file) && !text->failed;
    return fclose(file) == 0 && is_read;
}

static bool walk(struct tn_arena *arena, struct tn_str text, struct tn_error *error)
{
    struct tn_json_reader reader;
    tn_json_reader_open(&reader, arena, text);
    return tn_json_skip(&reader, error) && tn_json_next(&reader, error) == TN_JSON_END;
}

static bool build(struct tn_arena *arena, struct tn_str text, struct tn_error *error)
{
    struct tn_value root;
    return tn_json_read(arena, text, &root, error);
}

static bool measure(const char *name, bool (*read)(struct tn_arena *, struct tn_str, struct tn_error *),
                    struct tn_str text, long times)
{
    double best_seconds = 1e9;
    struct tn_arena arena = {0};
    for (long k = 0; k < times; k++) {
        struct tn_error error;
        double start = seconds_now();
        if (!read(&arena, text, &error)) {
            (void)fprintf(stderr, "bench_json: %s\n", error.message);
            tn_arena_free(&arena);
            return false;
        }
        double seconds = seconds_now() - start;
        best_seconds = seconds < best_seconds ? seconds : best_seconds;
        tn_arena_reset(&arena);
    }
    tn_arena_free(&arena);
    printf("%-6s %8.1f MB/s  %8.2f ms\n", name, (double)text.size / 1e6 / best_seconds, best_seconds * 1e3);
    return true;
}

int main(int count, char **arguments)
{
    struct tn_builder builder = {0};
    if (count < 2) {
        make_header(&builder);
    } else if (!read_file(arguments[1], &builder)) {
        (void)fprintf(stderr, "bench_json: cannot read %s\n", arguments[1]);
        return 3;
    }
    long times = count > 2 ? strtol(arguments[2], NULL, 10) : DEFAULT_TIMES;
    struct tn_str text = tn_builder_str(&builder);
    printf("%.1f MB, best of %ld\n", (double)text.size / 1e6, times);
    bool is_done = measure("events", walk, text, times) && measure("tree", build, text, times);
    tn_builder_free(&builder);
    return is_done ? 0 : 3;
}
