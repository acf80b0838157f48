/* How much processor time it takes to inspect a model by its config: parse the JSON, find the record, evaluate it, and write the answer as JSON; one
 * process, one core, files already read.
 *
 *     bench_inspect FOLDER...       whose *.json are configs, or hold one under "config"
 *
 * Prints the mean over all configs. Exit code 1 where it takes more than MOST_MILLISECONDS. Without folders nothing is measured.
 */
#include "api/operations.h"
#include "host/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 5, PATH_SIZE = 4096 };

static const double MOST_MILLISECONDS = 1.0;

struct configs {
    struct tn_arena arena;
    struct tn_str *texts; /* [count] */
    size_t count;
    size_t capacity;
};

static double cpu_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare_numbers(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;
    return (first > second) - (first < second);
}

static bool add_file(struct configs *configs, const char *path, struct tn_error *error)
{
    struct tn_file file;
    if (configs->count == configs->capacity) {
        size_t capacity = configs->capacity ? 2 * configs->capacity : 64;
        void *grown = tn_arena_grow(&configs->arena, configs->texts, configs->count, capacity, sizeof *configs->texts);
        if (!grown) {
            return tn_fail_memory(error);
        }
        configs->texts = grown;
        configs->capacity = capacity;
    }
    if (!tn_file_map(path, &file, error)) {
        return false;
    }
    bool done = tn_str_copy(&configs->arena, file.bytes, &configs->texts[configs->count]);
    configs->count += done;
    tn_file_unmap(&file);
    return done || tn_fail_memory(error);
}

static bool add_folder(struct configs *configs, const char *folder, struct tn_error *error)
{
    DIR *directory = opendir(folder);
    bool done = true;
    for (struct dirent *entry = directory ? readdir(directory) : NULL; done && entry; entry = readdir(directory)) {
        char path[PATH_SIZE];
        if (tn_str_ends(tn_str_of(entry->d_name), TN_STR(".json"))) {
            (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            done = add_file(configs, path, error);
        }
    }
    if (directory) {
        (void)closedir(directory);
    }
    return done;
}

/* false where there is no answer: the architecture is unknown, or the config lacks a key. */
static bool inspect(const struct tn_session *session, struct tn_str text, struct tn_arena *arena,
                    uint64_t *answer_bytes)
{
    struct tn_request request = {.arena = arena, .operation = TN_STR("inspect")};
    struct tn_result result = {0};
    struct tn_value root;
    bool done = tn_json_read(arena, text, &root, NULL);
    const struct tn_value *config = done ? tn_value_member(&root, TN_STR("config")) : NULL;
    if (done) {
        request.config = config && config->kind == TN_OBJECT ? *config : root;
        done = tn_operation_run(session, &request, &result, NULL);
        *answer_bytes += result.json.size;
    }
    tn_result_free(&result);
    return done;
}

static void measure(const struct tn_session *session, const struct configs *configs, double *milliseconds,
                    size_t *answered, uint64_t *answer_bytes)
{
    double seconds[RUNS];
    struct tn_arena arena = {0};
    for (int run = 0; run < RUNS; run++) {
        double start = cpu_seconds();
        *answered = 0;
        *answer_bytes = 0;
        for (size_t k = 0; k < configs->count; k++) {
            tn_arena_reset(&arena);
            *answered += inspect(session, configs->texts[k], &arena, answer_bytes);
        }
        seconds[run] = cpu_seconds() - start;
    }
    tn_arena_free(&arena);
    qsort(seconds, RUNS, sizeof seconds[0], compare_numbers);
    *milliseconds = seconds[RUNS / 2] * 1e3 / (double)configs->count;
}

int main(int argc, char **argv)
{
    struct tn_error error = {0};
    struct configs configs = {0};
    struct tn_catalog *catalog = tn_catalog_open(&error);
    bool done = catalog != NULL;
    bool fast = true;
    for (int k = 1; done && k < argc; k++) {
        done = add_folder(&configs, argv[k], &error);
    }
    if (done && configs.count) {
        struct tn_session session = {.catalog = catalog};
        double milliseconds;
        size_t answered;
        uint64_t answer_bytes;
        measure(&session, &configs, &milliseconds, &answered, &answer_bytes);
        fast = milliseconds <= MOST_MILLISECONDS;
        printf(
            "inspecting a config.json: %.3f ms each on average, wanted at most %.0f (%zu configs, %zu of them with an "
            "answer, of %.1f KB)\n",
            milliseconds, MOST_MILLISECONDS, configs.count, answered,
            (double)answer_bytes / 1e3 / (double)(answered ? answered : 1));
    } else if (done) {
        puts("inspecting a config.json: skipped, there are no configs beside the checkout");
    }
    if (!done) {
        (void)fprintf(stderr, "bench_inspect: %s\n", error.message);
    }
    tn_catalog_close(catalog);
    tn_arena_free(&configs.arena);
    return done && fast ? 0 : 1;
}
