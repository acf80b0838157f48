/* Finding this machine's GPUs in the catalog, and showing them. */
#include "api/detect.h"

/* ---- in the catalog ------------------------------------------------------------------------------------------------- */

const struct tn_gpu *tn_detected_in_catalog(const struct tn_catalog *catalog, const struct tn_detected_gpu *gpu)
{
    struct tn_str name = tn_str_slice(gpu->name, 0, tn_str_find(gpu->name, TN_STR(" MIG ")));
    return tn_catalog_reported_gpu(catalog, name, gpu->memory_bytes);
}

/* ---- --gpu auto ----------------------------------------------------------------------------------------------------- */

static uint64_t memory_of(const struct tn_catalog *catalog, const struct tn_detected_gpu *gpu)
{
    const struct tn_gpu *known = gpu->has_memory ? NULL : tn_detected_in_catalog(catalog, gpu);
    return known ? known->memory_bytes : gpu->memory_bytes;
}

static bool is_same_kind(const struct tn_catalog *catalog, const struct tn_detected_gpu *a,
                         const struct tn_detected_gpu *b)
{
    return !b->is_divided && tn_str_equal(a->name, b->name) && memory_of(catalog, a) == memory_of(catalog, b);
}

/* Counts the kind of one GPU and what of it is in use. Below a hundredth of its memory it is the driver's own. */
static struct tn_auto_gpu kind_of(const struct tn_catalog *catalog, const struct tn_detected *detected, size_t first,
                                  uint64_t wanted)
{
    enum { IN_USE_SHARE = 100 };
    const struct tn_detected_gpu *gpu = &detected->gpus[first];
    struct tn_auto_gpu kind = {
        .gpu = tn_detected_in_catalog(catalog, gpu), .name = gpu->name, .memory_bytes = memory_of(catalog, gpu)};
    for (size_t k = 0; k < detected->count; k++) {
        const struct tn_detected_gpu *other = &detected->gpus[k];
        if (!is_same_kind(catalog, gpu, other)) {
            kind.others += !other->is_divided && memory_of(catalog, other);
        } else if (!wanted || kind.count < wanted) {
            kind.count++;
            kind.in_use += other->used_bytes > kind.memory_bytes / IN_USE_SHARE;
            kind.most_used_bytes = other->used_bytes > kind.most_used_bytes ? other->used_bytes : kind.most_used_bytes;
        }
    }
    return kind;
}

static bool fail_none(const struct tn_detected *detected, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_UNKNOWN_GPU, "--gpu auto: no GPU was found on this machine%s" TN_STR_FORMAT,
            detected->fault.size ? ": " : "", TN_STR_ARGUMENTS(detected->fault));
    tn_fail_at(error, -1, "--gpu");
    return tn_fail_hint(error, "name one (`tonnage gpus` lists the catalog), or give --gpu-memory SIZE");
}

static bool list_whole(const struct tn_catalog *catalog, const struct tn_detected *detected, struct tn_arena *arena,
                       struct tn_auto_gpu *found)
{
    found->whole = TN_NEW_ARRAY(arena, struct tn_device, detected->count);
    for (size_t k = 0; found->whole && k < detected->count; k++) {
        const struct tn_detected_gpu *gpu = &detected->gpus[k];
        uint64_t memory = gpu->is_slice || gpu->is_divided ? 0 : memory_of(catalog, gpu);
        if (memory) {
            found->whole[found->whole_count++] = (struct tn_device){tn_detected_in_catalog(catalog, gpu), memory};
        }
    }
    return found->whole != NULL;
}

bool tn_find_auto_gpu(const struct tn_session *session, uint64_t wanted, struct tn_arena *arena,
                      struct tn_auto_gpu *found, struct tn_error *error)
{
    struct tn_detected detected = {0};
    *found = (struct tn_auto_gpu){0};
    if (session->gpus && !session->gpus->detect(session->gpus->context, arena, &detected, error)) {
        return false;
    }
    for (size_t k = 0; k < detected.count; k++) {
        if (detected.gpus[k].is_divided || !memory_of(session->catalog, &detected.gpus[k])) {
            continue;
        }
        struct tn_auto_gpu kind = kind_of(session->catalog, &detected, k, wanted);
        bool is_larger = (double)kind.memory_bytes * kind.count > (double)found->memory_bytes * found->count;
        *found = is_larger ? kind : *found;
    }
    if (!found->count) {
        return fail_none(&detected, error);
    }
    if (!list_whole(session->catalog, &detected, arena, found)) {
        return tn_fail_memory(error);
    }
    if (found->count < wanted) {
        tn_fail(error, TN_ERROR_UNKNOWN_GPU, "--gpu auto: this machine has %u " TN_STR_FORMAT ", not %llu",
                found->count, TN_STR_ARGUMENTS(found->name), (unsigned long long)wanted);
        return tn_fail_at(error, -1, "--gpu");
    }
    return true;
}

/* ---- gpus --detect -------------------------------------------------------------------------------------------------- */

static void write_gpu(struct tn_json_writer *json, const struct tn_gpu *known, const struct tn_detected_gpu *gpu)
{
    tn_json_begin_object(json);
    tn_json_key(json, "index");
    tn_json_u64(json, gpu->index);
    tn_json_optional_u64(json, "slice", gpu->is_slice, gpu->slice);
    tn_json_key(json, "divided");
    tn_json_boolean(json, gpu->is_divided);
    tn_json_key(json, "vendor");
    tn_json_string(json, gpu->vendor);
    tn_json_key(json, "name");
    tn_json_string(json, gpu->name);
    tn_json_optional_string(json, "id", known ? known->id : (struct tn_str){0});
    tn_json_optional_string(json, "uuid", gpu->uuid);
    tn_json_optional_u64(json, "memory_bytes", gpu->has_memory, gpu->memory_bytes);
    tn_json_optional_u64(json, "used_bytes", gpu->has_memory, gpu->used_bytes);
    tn_json_optional_u64(json, "free_bytes", gpu->has_memory, gpu->free_bytes);
    tn_json_optional_u64(json, "processes", gpu->has_processes, gpu->process_count);
    tn_json_optional_string(json, "fault", gpu->fault);
    tn_json_end_object(json);
}

static struct tn_cell bytes_cell(bool is_known, uint64_t bytes)
{
    return is_known ? tn_cell_bytes(bytes) : (struct tn_cell){0};
}

/* "0", "0.1" for a slice */
static struct tn_cell place_cell(struct tn_report *report, const struct tn_detected_gpu *gpu)
{
    struct tn_builder text = {0};
    tn_builder_add_u64(&text, gpu->index);
    if (gpu->is_slice) {
        tn_builder_addf(&text, ".%u", gpu->slice);
    }
    return tn_cell_text(tn_report_keep(report, &text));
}

static void report_gpu(struct tn_report *report, struct tn_table *table, const struct tn_gpu *known,
                       const struct tn_detected_gpu *gpu)
{
    struct tn_cell *cells = table ? tn_table_row(report, table) : NULL;
    if (!cells) {
        return;
    }
    cells[0] = place_cell(report, gpu);
    cells[1] = tn_cell_text(gpu->name);
    cells[2] = known ? tn_cell_text(known->id) : (struct tn_cell){0};
    cells[3] = bytes_cell(gpu->has_memory, gpu->memory_bytes);
    cells[4] = bytes_cell(gpu->has_memory, gpu->used_bytes);
    cells[5] = bytes_cell(gpu->has_memory, gpu->free_bytes);
    cells[6] = gpu->has_processes ? tn_cell_count(gpu->process_count) : (struct tn_cell){0};
}

static void report_remarks(struct tn_report *report, const struct tn_detected *detected)
{
    if (!detected->count) {
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "No GPU was found on this machine.");
        tn_report_text(
            report, TN_BLOCK_NOTE, TN_TONE_DIM,
            "looked for: NVIDIA's by libnvidia-ml.so.1, which comes with its driver, and AMD's by /sys/class/drm");
    }
    if (detected->fault.size) {
        tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM, TN_STR_FORMAT, TN_STR_ARGUMENTS(detected->fault));
    }
    for (size_t k = 0; k < detected->count; k++) {
        const struct tn_detected_gpu *gpu = &detected->gpus[k];
        if (gpu->is_divided) {
            tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM,
                           "GPU %u is in MIG mode: a program gets one of its slices, not the whole", gpu->index);
        }
        if (gpu->fault.size) {
            tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM,
                           "GPU %u: the driver does not tell all of it: " TN_STR_FORMAT, gpu->index,
                           TN_STR_ARGUMENTS(gpu->fault));
        }
    }
}

bool tn_run_detect(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                   struct tn_error *error)
{
    static const struct tn_column columns[] = {
        {"GPU", "index", false, 0},          {"name", "name", false, 0},      {"catalog", "id", false, 0},
        {"memory", "memory_bytes", true, 0}, {"used", "used_bytes", true, 0}, {"free", "free_bytes", true, 0},
        {"processes", "processes", true, 0},
    };
    struct tn_detected detected = {0};
    (void)request;
    if (session->gpus && !session->gpus->detect(session->gpus->context, &result->arena, &detected, error)) {
        return false;
    }
    struct tn_report *report = &result->report;
    struct tn_json_writer json = {.builder = &result->json, .indented = true};
    report->title = TN_STR("GPUs of this machine");
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.gpus/1");
    tn_json_optional_string(&json, "driver", detected.driver);
    tn_json_optional_string(&json, "fault", detected.fault);
    tn_json_key(&json, "detected");
    tn_json_begin_list(&json);
    struct tn_table *table =
        detected.count ? tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]) : NULL;
    for (size_t k = 0; k < detected.count; k++) {
        const struct tn_gpu *known = tn_detected_in_catalog(session->catalog, &detected.gpus[k]);
        write_gpu(&json, known, &detected.gpus[k]);
        report_gpu(report, table, known, &detected.gpus[k]);
    }
    tn_json_end_list(&json);
    tn_json_end_object(&json);
    tn_builder_add_char(&result->json, '\n');
    report_remarks(report, &detected);
    return true;
}
