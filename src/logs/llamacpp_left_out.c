/* Figures of field logs of llama.cpp that say nothing about a plan: what decides them is not logged, or they are no evidence. */
#include "engine/record/rules.h"
#include "logs/reading.h"

static bool says(struct tn_str notes, const char *part)
{
    return tn_str_find(notes, tn_str_of(part)) != SIZE_MAX;
}

/* ---- caches, states and outputs ----------------------------------------------------------------------------------------- */

/* "circular: ..." */
static bool leave_out_inferred(struct tn_reading *reading)
{
    static const enum tn_buffer caches[] = {TN_BUFFER_KV, TN_BUFFER_RECURRENT, TN_BUFFER_CONTEXT};
    struct tn_str check = {0};
    if (!tn_reading_text(reading, reading->record, "kv_check", &check)) {
        return false;
    }
    for (size_t k = 0; tn_str_starts(check, TN_STR("circular")) && k < sizeof caches / sizeof caches[0]; k++) {
        tn_reading_leave_out(reading->measurement, caches[k], "its settings were inferred from the size of its caches");
    }
    return true;
}

/* Where the fork's caches are not those of llama.cpp, as its version or an option decides. */
static bool leave_out_fork_caches(struct tn_reading *reading)
{
    static const struct {
        const char *architecture;
        int64_t way_before; /* of -mla */
        const char *why;
    } rows[] = {
        {"deepseek2", 2, "the fork laid latent caches out in another way"},
        {"glm4moe", INT64_MAX, "some versions of the fork keep caches of layers for further tokens"},
        {"glm-dsa", INT64_MAX, "the fork keeps no keys of the indexer"},
    };
    const struct tn_value *value = tn_reading_member(reading->record, "mla_attn");
    int64_t way = value && value->kind == TN_INTEGER ? value->as.integer : INT64_MAX - 1;
    struct tn_str architecture = {0};
    if (!tn_reading_text(reading, reading->record, "arch", &architecture)) {
        return false;
    }
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if (tn_log_engine_is_fork(reading->measurement->engine) && tn_str_is(architecture, rows[k].architecture)
            && way < rows[k].way_before) {
            tn_reading_leave_out(reading->measurement, TN_BUFFER_KV, rows[k].why);
        }
    }
    return true;
}

static void leave_out_states_and_outputs(struct tn_reading *reading, struct tn_str notes)
{
    struct tn_measurement *measurement = reading->measurement;
    if (says(notes, "rs_seq")) {
        tn_reading_leave_out(measurement, TN_BUFFER_RECURRENT, "states to take draft tokens back with are in it");
    }
    if (says(notes, "(old layout)")) {
        tn_reading_leave_out(measurement, TN_BUFFER_OUTPUT,
                             "its output buffer holds embeddings and logits of a whole batch");
    }
    if (!tn_reading_member(reading->record, "n_seq_max")) {
        tn_reading_leave_out(measurement, TN_BUFFER_OUTPUT, "how many sequences there may be is not logged");
    }
}

/* ---- weights and graphs ------------------------------------------------------------------------------------------------- */

/* Where the weights are. */
struct placement {
    bool all_offloaded;
    bool has_patterns; /* some weights of offloaded layers stay in the host's memory */
    bool has_rows;     /* rows of the weights are divided */
};

static bool read_placement(struct tn_reading *reading, struct tn_str notes, struct placement *placement)
{
    const struct tn_value *value = tn_reading_member(reading->record, "n_gpu_layers");
    bool is_count = value && value->kind == TN_INTEGER && value->as.integer >= 0;
    uint64_t layers = 0;
    struct tn_str split = {0};
    if (!tn_reading_tokens(reading, tn_reading_member(reading->record, "hparams"), "n_layer", &layers)
        || !tn_reading_text(reading, reading->record, "split_mode", &split)) {
        return false;
    }
    bool all_offloaded = !is_count || (uint64_t)value->as.integer > layers;
    bool is_divided = says(notes, "part of the weights") || says(notes, "no expert weights");
    *placement = (struct placement){all_offloaded, all_offloaded && is_divided, tn_str_starts(split, TN_STR("row"))};
    return true;
}

static void leave_out_weights(struct tn_measurement *measurement, const struct placement *placement)
{
    bool is_unknown = !measurement->quant.size;
    const struct {
        bool applies;
        enum tn_buffer buffer;
        const char *why;
    } rows[] = {
        {placement->has_patterns, TN_BUFFER_MODEL, "which weights were kept in the host's memory is not logged"},
        {placement->has_patterns, TN_BUFFER_COMPUTE, "which weights were kept in the host's memory is not logged"},
        {placement->has_rows, TN_BUFFER_MODEL, "rows of the weights are divided over the GPUs"},
        {placement->has_rows, TN_BUFFER_COMPUTE, "rows of the weights are divided over the GPUs"},
        {is_unknown, TN_BUFFER_MODEL, "how the weights are quantised is not logged, or not known here"},
        {is_unknown && !placement->all_offloaded, TN_BUFFER_COMPUTE,
         "how the weights are quantised is not logged, or not known here"},
        {tn_log_engine_is_fork(measurement->engine), TN_BUFFER_COMPUTE, "the fork computes with graphs of its own"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if (rows[k].applies) {
            tn_reading_leave_out(measurement, rows[k].buffer, rows[k].why);
        }
    }
    if (!placement->all_offloaded) {
        tn_reading_leave_out_host(measurement, TN_BUFFER_MODEL, tn_mapped_in_part);
    }
}

/* Graphs change from build to build, and with settings that the log does not say. */
static bool leave_out_graphs(struct tn_reading *reading)
{
    enum { SLOTS = 4, FIRST_BUILD = 3000 }; /* llama-server's own number of sequences, which share one cache */
    struct tn_measurement *measurement = reading->measurement;
    uint64_t sequences = 1;
    bool done = tn_reading_tokens(reading, reading->record, "n_seq_max", &sequences);
    uint64_t build;
    if (tn_build_read(measurement->version, &build) && build < FIRST_BUILD) {
        tn_reading_leave_out(measurement, TN_BUFFER_COMPUTE, "graphs of builds before b3000 are not known here");
    } else if (measurement->version_basis == TN_VERSION_UNKNOWN) {
        tn_reading_leave_out(measurement, TN_BUFFER_COMPUTE, "its graph is that of a build that is not logged");
    } else if (sequences > 1 && sequences != SLOTS && !tn_reading_member(reading->record, "kv_unified")) {
        tn_reading_leave_out(measurement, TN_BUFFER_COMPUTE, "whether its sequences share one cache is not logged");
    }
    return done;
}

bool tn_leave_out_llamacpp(struct tn_reading *reading, struct tn_str notes)
{
    struct placement placement;
    if (!leave_out_inferred(reading) || !leave_out_fork_caches(reading)
        || !read_placement(reading, notes, &placement)) {
        return false;
    }
    leave_out_states_and_outputs(reading, notes);
    leave_out_weights(reading->measurement, &placement);
    return leave_out_graphs(reading);
}
