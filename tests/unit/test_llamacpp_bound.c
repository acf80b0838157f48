/* What llama.cpp's compute buffers are said to be at most where no recipe tells the graph: measurements are planned without recipes, and none may
 * exceed what is said. */
#include "catalog/embedded.h"
#include "engine/engines.h"
#include "host/file.h"
#include "logs/measured.h"
#include "model/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST_FILES = 512, PATH_SIZE = 4096 };

struct test {
    struct tn_arena arena;
    struct tn_catalog *catalog; /* without recipes */
    struct tn_file file;
    struct tn_measurements measurements;
};

static struct tn_catalog *open_catalog(void)
{
    static struct tn_embedded files[MOST_FILES]; /* as long as the catalog */
    size_t embedded_count;
    const struct tn_embedded *embedded = tn_embedded_files(&embedded_count);
    size_t count = 0;
    for (size_t k = 0; k < embedded_count; k++) {
        if (!tn_str_starts(tn_str_of(embedded[k].path), TN_STR("data/graph/"))) {
            assert_true(count < MOST_FILES);
            files[count++] = embedded[k];
        }
    }
    assert_true(count < embedded_count);
    return tn_catalog_open_files(files, count, NULL);
}

static void open_test(struct test *test, const char *name)
{
    char path[PATH_SIZE];
    const char *source = getenv("SOURCE_DIR");
    *test = (struct test){.catalog = open_catalog()};
    assert_non_null(test->catalog);
    (void)snprintf(path, sizeof path, "%s/tests/measured/llamacpp/%s", source ? source : ".", name);
    assert_true(tn_file_map(path, &test->file, NULL));
    assert_true(tn_measurements_read(&test->arena, test->catalog, test->file.bytes, tn_str_of(name),
                                     &test->measurements, NULL));
}

static void close_test(struct test *test)
{
    tn_file_unmap(&test->file);
    tn_catalog_close(test->catalog);
    tn_arena_free(&test->arena);
}

static uint64_t most_bytes(const struct tn_ledger *ledger, const struct tn_stage *stage)
{
    uint64_t bytes = 0;
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &ledger->entries[stage->first_entry + k];
        bytes += entry->category == TN_CATEGORY_ACTIVATION ? entry->high_bytes : 0;
    }
    return bytes;
}

/* Architectures whose graphs hold more at once than any other's: their recipes say so. */
static const struct {
    const char *model;
    const char *why;
} unusual[] = {
    {"gemma3n-e4b", "four streams side by side, and inputs for every layer, go from GPU to GPU"},
    {"flan-t5-large", "biases of all positions lie beside the scores of all heads"},
    {"mistral-small-4", "attention runs on the CPU, with a copy of what lies on the GPUs for each layer"},
};

static bool is_unusual(struct tn_str model)
{
    for (size_t k = 0; k < sizeof unusual / sizeof unusual[0]; k++) {
        if (tn_str_is(model, unusual[k].model)) {
            return true;
        }
    }
    return false;
}

/* What is said of each device is at least what was measured of it. */
static void compare(const struct tn_measurement *measurement, const struct tn_ledger *ledger)
{
    for (size_t d = 0; d < measurement->device_count; d++) {
        const struct tn_measured_device *device = &measurement->devices[d];
        const struct tn_stage *stage = device->is_host ? &ledger->host : &ledger->stages[device->first_gpu];
        const struct tn_figure *compute = &device->buffers[TN_BUFFER_COMPUTE];
        if (compute->known && most_bytes(ledger, stage) < (uint64_t)compute->value) {
            fail_msg("line %u, " TN_STR_FORMAT ": %llu bytes at most, measured are %llu", measurement->line,
                     TN_STR_ARGUMENTS(device->name), (unsigned long long)most_bytes(ledger, stage),
                     (unsigned long long)compute->value);
        }
    }
}

static void plan_and_compare(const struct test *test, const struct tn_model *model,
                             const struct tn_measurement *measurement)
{
    struct tn_arena arena = {0};
    struct tn_error error = {0};
    struct tn_planner planner = {0};
    struct tn_ledger ledger = {.arena = &arena};
    struct tn_deployment deployment = {.tp = 1,
                                       .pp = measurement->gpu_count ? measurement->gpu_count : 1,
                                       .ep = 1,
                                       .dp = 1,
                                       .context_tokens = 512,
                                       .concurrency = 1,
                                       .kv_dtype = tn_dtype_find(TN_STR("F16")),
                                       .sets = measurement->sets,
                                       .set_count = measurement->set_count};
    const struct tn_engine *engine = tn_engine_find(TN_STR("llamacpp"));
    if (!tn_planner_open(&planner, engine, test->catalog, model, measurement->version, &error)
        || !engine->plan(&planner, &deployment, &ledger, &error)) {
        fail_msg("line %u: %s", measurement->line, error.message);
    }
    compare(measurement, &ledger);
    tn_planner_close(&planner);
    tn_arena_free(&arena);
}

static void check_file(const char *name)
{
    struct test test;
    open_test(&test, name);
    assert_true(test.measurements.count > 0);
    const struct tn_described_model *described = NULL;
    struct tn_model *model = NULL;
    for (size_t k = 0; k < test.measurements.count; k++) {
        const struct tn_measurement *measurement = &test.measurements.items[k];
        if (!measurement->described || measurement->fault.size) {
            fail_msg("line %u: " TN_STR_FORMAT, measurement->line, TN_STR_ARGUMENTS(measurement->fault));
            continue;
        }
        if (measurement->described != described) {
            tn_model_free(model);
            described = measurement->described;
            struct tn_model_input input = {.id = described->name, .header = &described->header, .header_is_gguf = true};
            model = tn_model_load(test.catalog, &input, NULL);
            assert_non_null(model);
        }
        if (!is_unusual(measurement->described->name)) {
            plan_and_compare(&test, model, measurement);
        }
    }
    tn_model_free(model);
    close_test(&test);
}

static void no_buffer_of_the_first_models_exceeds_the_bound(void **state)
{
    (void)state;
    check_file("rows.jsonl");
}

static void no_buffer_of_any_architecture_exceeds_the_bound(void **state)
{
    (void)state;
    check_file("graphs.jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_buffer_of_the_first_models_exceeds_the_bound),
        cmocka_unit_test(no_buffer_of_any_architecture_exceeds_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
