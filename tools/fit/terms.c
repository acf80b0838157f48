/* Evaluates engine records, read from files, for deployments: what tools/fit/fit.py fits constants with, and a way to look at any value of a
 * record without building anything.
 *
 *     terms FILE.rec... < JOBS        JOBS has one JSON object per line:
 *
 *     {"id", "engine", "version", "model" (of the catalog) or "config" (an object), "gpu", "gpu_memory", "quant", "tp", "pp", "ep", "dp",
 *      "stage", "context", "weights" (bytes of a rank), "sets": {NAME: TEXT}, "names": [NAME...]}
 *
 * Prints one JSON object per job: {"id", "values": {NAME: [low, mid, high]}} or {"id", "error"}. The files replace those that the program was
 * built with below data/engine. */
#include "api/catalog_model.h"
#include "catalog/embedded.h"
#include "engine/record/facts.h"
#include "host/file.h"
#include "text/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FILES = 256, MOST_SETS = 64, LINE_SIZE = 1 << 22 };

struct job {
    struct tn_arena arena;
    struct tn_value root;
    struct tn_deployment deployment;
    struct tn_assignment sets[MOST_SETS];
    struct tn_model *model;
    struct tn_evaluation *evaluation;
    struct tn_error error;
};

static const struct tn_value *member(const struct job *job, const char *name)
{
    return tn_value_member(&job->root, tn_str_of(name));
}

static struct tn_str text(const struct job *job, const char *name)
{
    const struct tn_value *value = member(job, name);
    return value && value->kind == TN_STRING ? value->as.string : (struct tn_str){0};
}

static uint64_t number(const struct job *job, const char *name, uint64_t otherwise)
{
    const struct tn_value *value = member(job, name);
    return value && value->kind == TN_INTEGER && value->as.integer >= 0 ? (uint64_t)value->as.integer : otherwise;
}

static bool read_deployment(struct job *job, const struct tn_catalog *catalog)
{
    struct tn_str gpu = text(job, "gpu");
    job->deployment = (struct tn_deployment){.tp = (uint32_t)number(job, "tp", 1),
                                             .pp = (uint32_t)number(job, "pp", 1),
                                             .ep = (uint32_t)number(job, "ep", 1),
                                             .dp = (uint32_t)number(job, "dp", 1),
                                             .context_tokens = number(job, "context", 0),
                                             .concurrency = 1,
                                             .sets = job->sets};
    if (gpu.size) {
        job->deployment.gpu = tn_catalog_find_gpu(catalog, gpu, &job->error);
        if (!job->deployment.gpu) {
            return false;
        }
        job->deployment.gpu_memory_bytes = job->deployment.gpu->memory_bytes;
    }
    job->deployment.gpu_memory_bytes = number(job, "gpu_memory", job->deployment.gpu_memory_bytes);
    const struct tn_value *sets = member(job, "sets");
    for (uint32_t k = 0; sets && sets->kind == TN_OBJECT && k < sets->count && k < MOST_SETS; k++) {
        job->sets[job->deployment.set_count++] =
            (struct tn_assignment){sets->as.members[k].key, sets->as.members[k].value.as.string};
    }
    return true;
}

static bool load_model(struct job *job, const struct tn_catalog *catalog)
{
    struct tn_model_input input = {.id = text(job, "id"), .config = member(job, "config")};
    input.config_origin = TN_ORIGIN_CONFIG;
    input.config_where = TN_STR("config");
    if (!input.config) {
        const struct tn_record *record = tn_catalog_find_model(catalog, text(job, "model"), &job->error);
        if (!record || !tn_catalog_model(record, &job->arena, &input, &job->error)) {
            return false;
        }
    }
    input.quant = text(job, "quant");
    job->model = tn_model_load(catalog, &input, &job->error);
    if (job->model && !job->deployment.context_tokens) {
        job->deployment.context_tokens = job->model->max_context_tokens;
    }
    return job->model != NULL;
}

static bool evaluate(struct job *job, const struct tn_catalog *catalog)
{
    if (!read_deployment(job, catalog) || !load_model(job, catalog)) {
        return false;
    }
    const struct tn_rules *rules =
        tn_rules_open(catalog, text(job, "engine"), text(job, "version"), &job->arena, &job->error);
    job->evaluation =
        rules ? tn_evaluation_new(rules, &job->model->facts, &job->deployment, &job->arena, &job->error) : NULL;
    if (!job->evaluation) {
        return false;
    }
    struct tn_widths widths;
    tn_widths_of(job->model, &widths);
    tn_give_facts(job->evaluation, job->model, &widths, &job->deployment);
    tn_evaluation_give(job->evaluation, TN_GIVEN_STAGE, number(job, "stage", 0));
    tn_evaluation_give(job->evaluation, TN_GIVEN_WEIGHTS, number(job, "weights", 0));
    tn_evaluation_give(job->evaluation, TN_GIVEN_WEIGHTS_ALLOCATED, number(job, "weights", 0));
    return true;
}

static void write_values(struct job *job, struct tn_builder *out)
{
    const struct tn_value *names = member(job, "names");
    const char *between = "";
    for (uint32_t k = 0; names && names->kind == TN_LIST && k < names->count; k++) {
        struct tn_range range;
        const char *name = tn_str_terminated(&job->arena, names->as.items[k].as.string);
        if (!tn_evaluation_range(job->evaluation, name, &range, &job->error)) {
            return;
        }
        tn_builder_addf(out, "%s\"%s\": [%llu, %llu, %llu]", between, name, (unsigned long long)range.low,
                        (unsigned long long)range.mid, (unsigned long long)range.high);
        between = ", ";
    }
}

/* As the inside of a JSON string: what would have to be escaped becomes an apostrophe. */
static void print_plain(const char *text)
{
    for (; *text; text++) {
        putchar(*text == '"' || *text == '\\' || (unsigned char)*text < ' ' ? '\'' : *text);
    }
}

static void run(const struct tn_catalog *catalog, const char *line)
{
    struct job *job = calloc(1, sizeof *job);
    struct tn_builder values = {0};
    if (!job) {
        exit(1);
    }
    if (tn_json_read(&job->arena, tn_str_of(line), &job->root, &job->error) && evaluate(job, catalog)) {
        write_values(job, &values);
    }
    struct tn_str id = text(job, "id");
    if (job->error.code) {
        printf("{\"id\": \"" TN_STR_FORMAT "\", \"error\": \"", TN_STR_ARGUMENTS(id));
        print_plain(job->error.where);
        printf(": ");
        print_plain(job->error.message);
        printf("\"}\n");
    } else {
        printf("{\"id\": \"" TN_STR_FORMAT "\", \"values\": {", TN_STR_ARGUMENTS(id));
        (void)fwrite(values.data, 1, values.size, stdout);
        puts("}}");
    }
    tn_builder_free(&values);
    if (job->model) {
        tn_model_free(job->model);
    }
    tn_arena_free(&job->arena);
    free(job);
}

/* The files of the program without its engine records, then those of the command line. */
static struct tn_catalog *open_catalog(int argc, char **argv, struct tn_error *error)
{
    static struct tn_embedded files[MOST_FILES];
    size_t count;
    size_t used = 0;
    const struct tn_embedded *embedded = tn_embedded_files(&count);
    for (size_t k = 0; k < count && used < MOST_FILES; k++) {
        if (!tn_str_starts(tn_str_of(embedded[k].path), TN_STR("data/engine/"))) {
            files[used++] = embedded[k];
        }
    }
    for (int k = 1; k < argc && used < MOST_FILES; k++) {
        struct tn_file file;
        if (!tn_file_map(argv[k], &file, error)) {
            return NULL;
        }
        files[used++] = (struct tn_embedded){argv[k], file.bytes.data, file.bytes.size};
    }
    return tn_catalog_open_files(files, used, error);
}

int main(int argc, char **argv)
{
    static char line[LINE_SIZE];
    struct tn_error error = {0};
    struct tn_catalog *catalog = open_catalog(argc, argv, &error);
    if (!catalog) {
        fprintf(stderr, "terms: %s (%s)\n", error.message, error.where);
        return 1;
    }
    while (fgets(line, sizeof line, stdin)) {
        run(catalog, line);
    }
    tn_catalog_close(catalog);
    return 0;
}
