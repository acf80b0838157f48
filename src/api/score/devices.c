/* From a ledger to the buffers that a log of llama.cpp has of each device: which entries of which stages are which of them. All that is
 * known here of how the engine lays its devices out. */
#include "api/score/work.h"

#include <math.h>

/* ---- what the plan says of a device ----------------------------------------------------------------------------------- */

/* What is no buffer of the engine counts where all of the process is measured; so does what stands beside the buffers. */
static const enum tn_buffer buffers[TN_CATEGORY_COUNT] = {
    [TN_CATEGORY_WEIGHTS] = TN_BUFFER_MODEL,      [TN_CATEGORY_CACHE] = TN_BUFFER_KV,
    [TN_CATEGORY_STATE] = TN_BUFFER_RECURRENT,    [TN_CATEGORY_ACTIVATION] = TN_BUFFER_COMPUTE,
    [TN_CATEGORY_WORKSPACE] = TN_BUFFER_OUTPUT,   [TN_CATEGORY_COMMUNICATION] = TN_BUFFER_USED,
    [TN_CATEGORY_RUNTIME] = TN_BUFFER_USED,       [TN_CATEGORY_GRAPHS] = TN_BUFFER_USED,
    [TN_CATEGORY_FRAGMENTATION] = TN_BUFFER_USED, [TN_CATEGORY_RESERVE] = TN_BUFFER_USED,
};

/* Stages of a ledger that are one device of a record. */
struct stages {
    const struct tn_stage *first;
    uint32_t count;
};

static struct stages stages_of(const struct tn_ledger *ledger, const struct tn_measured_device *device)
{
    if (device->is_host) {
        return (struct stages){&ledger->host, ledger->has_host};
    }
    uint32_t first = device->first_gpu < ledger->stage_count ? device->first_gpu : ledger->stage_count;
    uint32_t rest = ledger->stage_count - first;
    return (struct stages){ledger->stages + first, device->gpu_count < rest ? device->gpu_count : rest};
}

static void add(struct tn_expected *sum, double low, double mid, double high)
{
    sum->low += low;
    sum->mid += mid;
    sum->high += high;
}

/* expected: [TN_BUFFER_COUNT], of which USED is all of the stages. */
static void expect_buffers(const struct tn_ledger *ledger, struct stages stages, struct tn_expected *expected)
{
    for (int buffer = 0; buffer < TN_BUFFER_COUNT; buffer++) {
        expected[buffer] = (struct tn_expected){0};
    }
    for (uint32_t k = 0; k < stages.count; k++) {
        const struct tn_stage *stage = &stages.first[k];
        for (size_t n = 0; n < stage->entry_count; n++) {
            const struct tn_entry *entry = &ledger->entries[stage->first_entry + n];
            enum tn_buffer buffer = entry->is_beside ? TN_BUFFER_USED : buffers[entry->category];
            double low = (double)entry->low_bytes;
            double mid = (double)entry->mid_bytes;
            double high = (double)entry->high_bytes;
            add(&expected[TN_BUFFER_USED], low, mid, high);
            if (buffer != TN_BUFFER_USED) {
                add(&expected[buffer], low, mid, high);
            }
            if (buffer == TN_BUFFER_KV || buffer == TN_BUFFER_RECURRENT) {
                add(&expected[TN_BUFFER_CONTEXT], low, mid, high);
            }
        }
    }
}

/* ---- comparing -------------------------------------------------------------------------------------------------------- */

/* A buffer that is neither there nor expected says nothing. */
static void compare(const struct tn_measured_device *device, enum tn_buffer buffer, struct tn_expected expected,
                    struct tn_sample *sample)
{
    const struct tn_figure *figure = &device->buffers[buffer];
    bool is_nothing = figure->value == 0 && figure->rounding == 0 && expected.high <= 0;
    if (!figure->known || is_nothing) {
        return;
    }
    if (device->left_out[buffer]) {
        tn_sample_leave_out(sample, device->left_out[buffer]);
    } else {
        tn_sample_set(sample, (double)figure->value, (double)figure->rounding, expected);
    }
}

/* All that the driver counts, where weights and graph are what was planned. */
static void compare_used(const struct tn_measured_device *device, struct tn_expected expected, struct tn_sample *total)
{
    static const enum tn_buffer parts[] = {TN_BUFFER_MODEL, TN_BUFFER_COMPUTE};
    compare(device, TN_BUFFER_USED, expected, total);
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        if (total->state == TN_SAMPLE_SCORED && device->left_out[parts[k]]) {
            tn_sample_leave_out(total, device->left_out[parts[k]]);
        }
    }
}

/* The parts of the engine's own sum. A host without a line for caches has none. */
static bool has_all_parts(const struct tn_measured_device *device, const struct tn_expected *expected)
{
    const struct tn_figure *figures = device->buffers;
    bool has_states = figures[TN_BUFFER_RECURRENT].known || expected[TN_BUFFER_RECURRENT].high <= 0;
    bool has_caches = figures[TN_BUFFER_CONTEXT].known || (figures[TN_BUFFER_KV].known && has_states)
                      || (device->is_host && expected[TN_BUFFER_CONTEXT].high <= 0);
    return figures[TN_BUFFER_MODEL].known && figures[TN_BUFFER_COMPUTE].known && has_caches;
}

/* Model, caches, states and computation together, as the engine's own table sums them, where each of them is compared. */
static void compare_sum(const struct tn_measured_device *device, const struct tn_expected *expected,
                        struct tn_sample *total)
{
    static const enum tn_buffer measured_parts[] = {TN_BUFFER_MODEL, TN_BUFFER_KV, TN_BUFFER_RECURRENT,
                                                    TN_BUFFER_CONTEXT, TN_BUFFER_COMPUTE};
    static const enum tn_buffer expected_parts[] = {TN_BUFFER_MODEL, TN_BUFFER_CONTEXT, TN_BUFFER_COMPUTE};
    struct tn_expected sum = {0};
    double measured = 0;
    double rounding = 0;
    bool comparable = has_all_parts(device, expected);
    for (size_t k = 0; k < sizeof measured_parts / sizeof measured_parts[0]; k++) {
        const struct tn_figure *figure = &device->buffers[measured_parts[k]];
        comparable = comparable && !(figure->known && device->left_out[measured_parts[k]]);
        measured += (double)figure->value;
        rounding += (double)figure->rounding;
    }
    for (size_t k = 0; k < sizeof expected_parts / sizeof expected_parts[0]; k++) {
        const struct tn_expected *part = &expected[expected_parts[k]];
        add(&sum, part->low, part->mid, part->high);
    }
    if (comparable && (measured > 0 || sum.high > 0)) {
        tn_sample_set(total, measured, rounding, sum);
    }
}

static void compare_device(const struct tn_ledger *ledger, struct tn_scored_device *scored)
{
    static const struct {
        enum tn_term term;
        enum tn_buffer buffer;
    } rows[] = {{TN_TERM_MODEL, TN_BUFFER_MODEL},         {TN_TERM_KV, TN_BUFFER_KV},
                {TN_TERM_RECURRENT, TN_BUFFER_RECURRENT}, {TN_TERM_KV, TN_BUFFER_CONTEXT},
                {TN_TERM_OUTPUT, TN_BUFFER_OUTPUT},       {TN_TERM_COMPUTE, TN_BUFFER_COMPUTE}};
    const struct tn_measured_device *device = scored->measured;
    struct tn_expected expected[TN_BUFFER_COUNT];
    expect_buffers(ledger, stages_of(ledger, device), expected);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        compare(device, rows[k].buffer, expected[rows[k].buffer], &scored->samples[rows[k].term]);
    }
    if (device->buffers[TN_BUFFER_USED].known) {
        compare_used(device, expected[TN_BUFFER_USED], &scored->samples[TN_TERM_TOTAL]);
    } else {
        compare_sum(device, expected, &scored->samples[TN_TERM_TOTAL]);
    }
}

static void leave_out_weights(struct tn_sample *samples)
{
    static const enum tn_term terms[] = {TN_TERM_MODEL, TN_TERM_TOTAL};
    for (size_t k = 0; k < sizeof terms / sizeof terms[0]; k++) {
        if (samples[terms[k]].state == TN_SAMPLE_SCORED) {
            tn_sample_leave_out(&samples[terms[k]], "its file is not of the mix of types that it is called by");
        }
    }
}

void tn_score_devices(const struct tn_ledger *ledger, bool has_other_weights, struct tn_scored *scored)
{
    for (size_t k = 0; k < scored->device_count; k++) {
        compare_device(ledger, &scored->devices[k]);
        if (has_other_weights) {
            leave_out_weights(scored->devices[k].samples);
        }
    }
}

/* ---- the verdict ------------------------------------------------------------------------------------------------------ */

/* Nothing can be said where not all GPUs have a known memory, or what decides weights or graphs is not logged. */
bool tn_score_knows_devices(const struct tn_measurement *measurement)
{
    bool known = measurement->gpu_count > 0;
    for (size_t k = 0; k < measurement->device_count; k++) {
        const struct tn_measured_device *device = &measurement->devices[k];
        bool is_planned = !device->left_out[TN_BUFFER_MODEL] && !device->left_out[TN_BUFFER_COMPUTE];
        known = known && (device->is_host || (device->memory_bytes && is_planned));
    }
    return known;
}

enum tn_call tn_score_call_devices(const struct tn_measurement *measurement, const struct tn_ledger *ledger)
{
    enum tn_call call = ledger->start == TN_START_NO       ? TN_CALL_DOES_NOT_FIT
                        : ledger->start == TN_START_UNSURE ? TN_CALL_UNSURE
                                                           : TN_CALL_FITS;
    for (size_t k = 0; k < measurement->device_count; k++) {
        const struct tn_measured_device *device = &measurement->devices[k];
        struct stages stages = stages_of(ledger, device);
        uint64_t low = 0;
        uint64_t high = 0;
        for (uint32_t n = 0; n < stages.count; n++) {
            low += stages.first[n].low_bytes;
            high += stages.first[n].high_bytes;
        }
        if (!device->is_host && low > device->memory_bytes) {
            return TN_CALL_DOES_NOT_FIT;
        }
        call = !device->is_host && high > device->memory_bytes && call == TN_CALL_FITS ? TN_CALL_UNSURE : call;
    }
    return call;
}
