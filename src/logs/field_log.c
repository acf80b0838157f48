/* Field logs of engines of data centres: settings under the names of vLLM's options, figures in GiB as the engines print them. */
#include "logs/reading.h"

static const uint64_t MIB = UINT64_C(1) << 20;
static const uint64_t GIB = UINT64_C(1) << 30;

enum { LOGGED_DECIMALS = 2 }; /* engines print GiB with two decimals or more */

static bool read_measured(struct tn_reading *reading, const struct tn_value *measured)
{
    const struct {
        const char *key;
        enum tn_figure_kind kind;
        uint64_t unit_bytes;
        unsigned least_decimals;
    } rows[] = {
        {"weights_gib_per_gpu", TN_FIGURE_WEIGHTS, GIB, LOGGED_DECIMALS},
        {"activation_gib", TN_FIGURE_ACTIVATION, GIB, LOGGED_DECIMALS},
        {"non_torch_gib", TN_FIGURE_NON_TORCH, GIB, LOGGED_DECIMALS},
        {"cuda_graph_gib", TN_FIGURE_GRAPHS, GIB, LOGGED_DECIMALS},
        {"kv_cache_gib", TN_FIGURE_KV_POOL, GIB, LOGGED_DECIMALS},
        {"kv_tokens", TN_FIGURE_KV_TOKENS, 1, 0},
        {"total_used_mib", TN_FIGURE_USED, MIB, 0},
        {"torch_peak_allocated_gib", TN_FIGURE_PEAK, GIB, LOGGED_DECIMALS},
    };
    bool done = true;
    for (size_t k = 0; done && k < sizeof rows / sizeof rows[0]; k++) {
        done = tn_reading_figure(reading, measured, rows[k].key, rows[k].unit_bytes, rows[k].least_decimals,
                                 &reading->measurement->figures[rows[k].kind]);
    }
    return done && tn_reading_real(reading, measured, "max_concurrency", &reading->measurement->max_concurrency);
}

/* "about 509k": the zeros at the end are no digits. */
static void widen_tokens(struct tn_reading *reading, const struct tn_value *measured)
{
    const struct tn_value *approximate = tn_reading_member(measured, "kv_tokens_approx");
    struct tn_figure *tokens = &reading->measurement->figures[TN_FIGURE_KV_TOKENS];
    if (!tokens->known || !approximate || approximate->kind != TN_BOOL || !approximate->as.boolean) {
        return;
    }
    uint64_t unit = 1;
    for (int64_t rest = tokens->value; rest && rest % 10 == 0; rest /= 10) {
        unit *= 10;
    }
    tokens->rounding = unit / 2;
}

/* "short prompt, 60 new tokens": the length of the run, of a prompt that does not count beside the weights. */
static bool read_workload(struct tn_reading *reading)
{
    struct tn_measurement *measurement = reading->measurement;
    struct tn_str workload = {0};
    if (!tn_reading_text(reading, reading->record, "workload", &workload)) {
        return false;
    }
    struct tn_str part = TN_STR("short prompt, ");
    uint64_t tokens = 0;
    if (tn_str_starts(workload, part)) {
        for (size_t k = part.size; k < workload.size && workload.data[k] >= '0' && workload.data[k] <= '9'; k++) {
            tokens = tokens * 10 + (uint64_t)(workload.data[k] - '0');
        }
    }
    if (!measurement->context_tokens) {
        measurement->context_tokens = tokens;
    }
    return true;
}

bool tn_read_field_log(struct tn_reading *reading)
{
    static const struct tn_reading_keys keys = {
        .kv_dtype = "kv_cache_dtype", .gpu_count = "gpu_count", .context_tokens = "max_model_len"};
    const struct tn_value *record = reading->record;
    const struct tn_value *measured = tn_reading_member(record, "measured");
    struct tn_str engine = {0};
    struct tn_str version = {0};
    struct tn_str source = {0};
    struct tn_str notes = {0};
    if (!tn_reading_text(reading, record, "engine", &engine)
        || !tn_reading_text(reading, record, "engine_version", &version)
        || !tn_reading_text(reading, record, "source", &source) || !tn_reading_text(reading, record, "notes", &notes)
        || !tn_reading_engine(reading, engine, version, source, notes) || !tn_reading_asked(reading, &keys)
        || !tn_reading_settings(reading, notes) || !read_workload(reading) || !tn_reading_own_settings(reading)
        || !read_measured(reading, measured)) {
        return false;
    }
    widen_tokens(reading, measured);
    return tn_reading_outcome(reading, notes) && tn_reading_check(reading);
}
