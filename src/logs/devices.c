/* Devices by the names of llama.cpp's buffer types: which of them lie in the memory of the host, and which are GPUs of what number. */
#include "logs/reading.h"

#include "base/number.h"

const char tn_mapped_in_part[] = "a mapped file counts from the first to the last of its tensors that stay there";

/* Whether graphs are divided and buffers laid out as for CUDA; the others leave operations to the CPU, or are on another computer. */
static const struct backend {
    const char *name;
    bool is_alike;
} backends[] = {{"CUDA", true},  {"ROCm", true},  {"Vulkan", true}, {"Metal", true},
                {"SYCL", false}, {"CANN", false}, {"HTP", false},   {"RPC", false}};

/* "CUDA_Host" is pinned memory of the host; "CPU_Mapped" and "CPU_REPACK" are other kinds of it. */
static bool is_host(struct tn_str name)
{
    return tn_str_starts(name, TN_STR("CPU")) || tn_str_ends(name, TN_STR("_Host"))
           || tn_str_equal_any_case(name, TN_STR("host"));
}

/* "CUDA12": 12; "Metal": 0. NULL for what is no GPU by itself, as the parts of a "CUDA_Split". */
static const struct backend *backend_of(struct tn_str name, uint32_t *number)
{
    enum { MOST_DIGITS = 4 };
    for (size_t k = 0; k < sizeof backends / sizeof backends[0]; k++) {
        struct tn_str backend = tn_str_of(backends[k].name);
        struct tn_str digits = tn_str_slice(name, backend.size, name.size);
        bool is_number = tn_str_starts(name, backend) && digits.size <= MOST_DIGITS;
        *number = 0;
        for (size_t n = 0; is_number && n < digits.size; n++) {
            is_number = digits.data[n] >= '0' && digits.data[n] <= '9';
            *number = *number * 10 + (uint32_t)(digits.data[n] - '0');
        }
        if (is_number) {
            return &backends[k];
        }
    }
    return NULL;
}

/* GPUs by their numbers, the host behind them. */
static bool stands_before(const struct tn_measured_device *a, const struct tn_measured_device *b)
{
    return a->is_host != b->is_host ? b->is_host : a->first_gpu < b->first_gpu;
}

/* The device like this one, added where it is not there; NULL where memory is out. */
static struct tn_measured_device *device_like(struct tn_reading *reading, struct tn_measured_device device)
{
    struct tn_measurement *measurement = reading->measurement;
    size_t at = 0;
    while (at < measurement->device_count && stands_before(&measurement->devices[at], &device)) {
        at++;
    }
    if (at < measurement->device_count && !stands_before(&device, &measurement->devices[at])) {
        return &measurement->devices[at];
    }
    struct tn_measured_device *grown = tn_arena_grow(reading->arena, measurement->devices, measurement->device_count,
                                                     measurement->device_count + 1, sizeof *grown);
    if (!grown) {
        return NULL;
    }
    for (size_t k = measurement->device_count++; k > at; k--) {
        grown[k] = grown[k - 1];
    }
    grown[at] = device;
    measurement->devices = grown;
    return &grown[at];
}

static void add_figure(struct tn_figure *sum, const struct tn_figure *figure)
{
    sum->known = sum->known || figure->known;
    sum->value = tn_add_i64(sum->value, figure->value, &sum->value) ? sum->value : INT64_MAX;
    sum->rounding += figure->rounding;
}

bool tn_reading_buffer(struct tn_reading *reading, struct tn_str name, enum tn_buffer buffer,
                       const struct tn_figure *figure)
{
    struct tn_measured_device device = {.name = name, .is_host = is_host(name)};
    if (!device.is_host && !backend_of(name, &device.first_gpu)) {
        return true;
    }
    if (figure->value < 0) {
        return tn_reading_fault(reading, "contradictory: a buffer of " TN_STR_FORMAT " is below 0",
                                TN_STR_ARGUMENTS(name));
    }
    device.name = device.is_host ? TN_STR("host") : name;
    device.gpu_count = !device.is_host;
    struct tn_measured_device *found = device_like(reading, device);
    if (!found) {
        return tn_fail_memory(reading->error);
    }
    add_figure(&found->buffers[buffer], figure);
    return true;
}

void tn_reading_leave_out(struct tn_measurement *measurement, enum tn_buffer buffer, const char *why)
{
    for (size_t k = 0; k < measurement->device_count; k++) {
        const char **left_out = &measurement->devices[k].left_out[buffer];
        *left_out = *left_out ? *left_out : why;
    }
}

void tn_reading_leave_out_host(struct tn_measurement *measurement, enum tn_buffer buffer, const char *why)
{
    for (size_t k = 0; k < measurement->device_count; k++) {
        struct tn_measured_device *device = &measurement->devices[k];
        if (device->is_host && !device->left_out[buffer]) {
            device->left_out[buffer] = why;
        }
    }
}

/* All GPUs as one, of the sums; a buffer that is not logged of all of them has none. */
static void merge_gpus(struct tn_measurement *measurement)
{
    struct tn_measured_device *all = &measurement->devices[0];
    uint32_t gpus = measurement->gpu_count;
    for (uint32_t k = 1; k < gpus; k++) {
        const struct tn_measured_device *next = &measurement->devices[k];
        for (int buffer = 0; buffer < TN_BUFFER_COUNT; buffer++) {
            bool known = all->buffers[buffer].known && next->buffers[buffer].known;
            add_figure(&all->buffers[buffer], &next->buffers[buffer]);
            all->buffers[buffer].known = known;
        }
        all->memory_bytes = all->memory_bytes && next->memory_bytes ? all->memory_bytes + next->memory_bytes : 0;
    }
    all->name = TN_STR("GPUs");
    all->gpu_count = gpus;
    all->left_out[TN_BUFFER_COMPUTE] = all->left_out[TN_BUFFER_COMPUTE]
                                           ? all->left_out[TN_BUFFER_COMPUTE]
                                           : "how the layers were divided over the GPUs is not logged";
    for (size_t k = gpus; k < measurement->device_count; k++) {
        measurement->devices[k + 1 - gpus] = measurement->devices[k];
    }
    measurement->device_count -= gpus - 1;
}

bool tn_reading_number_devices(struct tn_reading *reading, bool is_division_known)
{
    struct tn_measurement *measurement = reading->measurement;
    bool is_alike = true;
    measurement->gpu_count = 0;
    for (size_t k = 0; k < measurement->device_count; k++) {
        struct tn_measured_device *device = &measurement->devices[k];
        const struct backend *backend = backend_of(device->name, &device->first_gpu);
        is_alike = is_alike && (!backend || backend->is_alike);
        measurement->gpu_count += !device->is_host;
        device->first_gpu = device->is_host ? 0 : measurement->gpu_count - 1;
    }
    if (!is_alike) {
        tn_reading_leave_out(measurement, TN_BUFFER_COMPUTE, "how its backend divides graphs is not known here");
    }
    if (!measurement->device_count) {
        return tn_reading_fault(reading, "no buffer of a device is logged");
    }
    if (measurement->gpu_count > 1 && !is_division_known) {
        merge_gpus(measurement);
    }
    return true;
}
