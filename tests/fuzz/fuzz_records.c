/* Any bytes through the reader of measured records. What it takes is either sound or has a fault that says why; what it refuses is a
 * line that is no JSON object, named with its number. */
#include "catalog/embedded.h"
#include "checks.h"
#include "logs/measured.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One GPU is enough: names that are not found take the longer way. Open until the process ends. */
static const struct tn_catalog *catalog(void)
{
    static const char text[] = "gpu h100-80gb\n  name H100 80GB\n  memory_driver_mib 81559 @x\n";
    static const struct tn_embedded file = {"gpu.rec", text, sizeof text - 1};
    static struct tn_catalog *opened;
    if (!opened) {
        opened = tn_catalog_open_files(&file, 1, NULL);
        require(opened != NULL);
    }
    return opened;
}

static void check(const struct tn_measurement *measurement)
{
    require(measurement->line > 0);
    if (measurement->fault.size) {
        return;
    }
    require(measurement->id.size > 0 && measurement->model.size > 0);
    require(measurement->engine != NULL && tn_log_engine_name(measurement->engine) != NULL);
    require(measurement->tp >= 1 && measurement->pp >= 1 && measurement->ep >= 1 && measurement->dp >= 1);
    require(measurement->max_concurrency >= 0);
    for (size_t k = 0; k < measurement->set_count; k++) {
        require(measurement->sets[k].name.size > 0);
    }
    require(!measurement->is_described || measurement->described != NULL);
    for (size_t k = 0; k < measurement->device_count; k++) {
        const struct tn_measured_device *device = &measurement->devices[k];
        require(device->name.size > 0 && device->is_host == !device->gpu_count);
        for (int buffer = 0; buffer < TN_BUFFER_COUNT; buffer++) {
            require(device->buffers[buffer].value >= 0);
        }
    }
    for (int k = 0; k < TN_FIGURE_COUNT; k++) {
        const struct tn_figure *figure = &measurement->figures[k];
        require(!figure->known || figure->value >= 0 || k == TN_FIGURE_GRAPHS);
    }
}

/* What is written in the own format reads as the same: writing that again gives the same line. */
static void check_written(struct tn_arena *arena, const struct tn_measurement *measurement)
{
    struct tn_builder line = {0};
    struct tn_builder again = {0};
    struct tn_measurements list = {0};
    if (!measurement->fault.size && !measurement->device_count && !measurement->is_described) {
        tn_measurement_write(measurement, &line);
        require(tn_measurements_read(arena, catalog(), tn_builder_str(&line), TN_STR("own"), &list, NULL));
        require(list.count == 1 && !list.items[0].fault.size);
        tn_measurement_write(&list.items[0], &again);
        require(tn_str_equal(tn_builder_str(&line), tn_builder_str(&again)));
    }
    tn_builder_free(&line);
    tn_builder_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_arena arena = {0};
    struct tn_measurements list = {0};
    struct tn_error error = {.offset = -1};
    if (tn_measurements_read(&arena, catalog(), (struct tn_str){(const char *)data, size}, TN_STR("fuzz"), &list,
                             &error)) {
        for (size_t k = 0; k < list.count; k++) {
            check(&list.items[k]);
            check_written(&arena, &list.items[k]);
        }
    } else {
        require(error.code == TN_ERROR_JSON || error.code == TN_ERROR_TOO_LARGE);
        require(error.message[0] != '\0' && strncmp(error.where, "fuzz:", 5) == 0);
    }
    tn_arena_free(&arena);
    return 0;
}
