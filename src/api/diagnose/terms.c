/* The terms of a log beside those of the plan: the samples of the score, and what the log has beyond them. */
#include "api/diagnose/diagnose.h"

enum { LOGGED = 4 };

/* Where in the log the terms of a rank stand. */
static const struct {
    enum tn_term term;
    const char *unit;
    enum tn_log_term logged[LOGGED]; /* the first that is there; 0: none */
} ranks[] = {
    {TN_TERM_WEIGHTS, "bytes", {TN_LOG_WEIGHTS}},
    {TN_TERM_ACTIVATION, "bytes", {TN_LOG_ACTIVATION}},
    {TN_TERM_NON_TORCH, "bytes", {TN_LOG_NON_TORCH}},
    {TN_TERM_GRAPHS, "bytes", {TN_LOG_GRAPHS}},
    {TN_TERM_KV_POOL, "bytes", {TN_LOG_KV_POOL, TN_LOG_KEYS, TN_LOG_KV_AVAILABLE}},
    {TN_TERM_KV_TOKENS, "tokens", {TN_LOG_KV_TOKENS, TN_LOG_SUGGESTED_TOKENS, TN_LOG_BLOCKS, TN_LOG_MAX_CONCURRENCY}}};

static const struct {
    enum tn_term term;
    enum tn_log_term logged;
} devices[] = {{TN_TERM_MODEL, TN_LOG_MODEL_BUFFER},         {TN_TERM_KV, TN_LOG_KV_BUFFER},
               {TN_TERM_RECURRENT, TN_LOG_RECURRENT_BUFFER}, {TN_TERM_OUTPUT, TN_LOG_OUTPUT_BUFFER},
               {TN_TERM_COMPUTE, TN_LOG_COMPUTE_BUFFER},     {TN_TERM_TOTAL, TN_LOG_TERM_COUNT}};

/* What no plan is asked for. */
static const enum tn_log_term others[] = {
    TN_LOG_GPU_TOTAL,   TN_LOG_GPU_FREE,          TN_LOG_REQUESTED,     TN_LOG_GRAPHS_ESTIMATED, TN_LOG_PEAK,
    TN_LOG_KV_NEEDED,   TN_LOG_WINDOW_TOKENS,     TN_LOG_OOM_TRIED,     TN_LOG_OOM_TOTAL,        TN_LOG_OOM_FREE,
    TN_LOG_OOM_PROCESS, TN_LOG_OOM_OTHER,         TN_LOG_OOM_ALLOCATED, TN_LOG_OOM_UNALLOCATED,  TN_LOG_OOM_RESERVED,
    TN_LOG_OOM_PRIVATE, TN_LOG_ALLOCATION_FAILED, TN_LOG_HOST_FREE};

static void add_term(struct tn_diagnosis *diagnosis, struct tn_diagnosed_term term)
{
    diagnosis->terms[diagnosis->term_count++] = term;
}

static void set_sample(struct tn_diagnosed_term *term, const struct tn_sample *sample)
{
    term->why = sample->state == TN_SAMPLE_LEFT_OUT ? sample->why : NULL;
    if (sample->state == TN_SAMPLE_SCORED) {
        term->is_measured = term->is_predicted = true;
        term->measured = sample->measured;
        term->predicted = sample->predicted;
        term->low = sample->low;
        term->high = sample->high;
        term->exact = sample->exact;
    }
}

static const struct tn_log_value *first_logged(const struct tn_log *log, const enum tn_log_term terms[LOGGED])
{
    const struct tn_log_value *value = NULL;
    for (size_t k = 0; k < LOGGED && !value; k++) {
        value = terms[k] ? tn_log_find(log, terms[k]) : NULL;
    }
    return value;
}

static void add_rank(struct tn_diagnosis *diagnosis, size_t row)
{
    const struct tn_log_value *value = first_logged(&diagnosis->log, ranks[row].logged);
    struct tn_diagnosed_term term = {.name = tn_term_names[ranks[row].term], .unit = ranks[row].unit};
    if (!value) {
        return;
    }
    bool is_blocks = value->term == TN_LOG_BLOCKS;
    struct tn_figure figure = tn_log_figure(&diagnosis->reading, is_blocks ? TN_LOG_KV_TOKENS : value->term);
    term.line = value->first_line;
    term.is_measured = figure.known;
    term.measured = (double)figure.value;
    if (value->term == TN_LOG_MAX_CONCURRENCY) {
        term.name = "max_concurrency";
        term.unit = "requests";
        term.measured = value->real;
    }
    set_sample(&term, &diagnosis->scored.samples[ranks[row].term]);
    add_term(diagnosis, term);
}

static uint64_t line_of(const struct tn_diagnosis *diagnosis, enum tn_log_term logged, struct tn_str device)
{
    const struct tn_log_value *value = logged < TN_LOG_TERM_COUNT ? tn_log_find(&diagnosis->log, logged) : NULL;
    while (value && !tn_str_is(device, value->device)) {
        value = tn_log_next(&diagnosis->log, logged, value);
    }
    return value ? value->first_line : 0;
}

static void add_device(struct tn_diagnosis *diagnosis, const struct tn_scored_device *device)
{
    for (size_t k = 0; k < sizeof devices / sizeof devices[0]; k++) {
        const struct tn_sample *sample = &device->samples[devices[k].term];
        struct tn_diagnosed_term term = {
            .name = tn_term_names[devices[k].term], .device = device->measured->name, .unit = "bytes"};
        static const enum tn_buffer buffers[] = {TN_BUFFER_MODEL,  TN_BUFFER_KV,      TN_BUFFER_RECURRENT,
                                                 TN_BUFFER_OUTPUT, TN_BUFFER_COMPUTE, TN_BUFFER_USED};
        const struct tn_figure *figure = &device->measured->buffers[buffers[k]];
        term.line = line_of(diagnosis, devices[k].logged, term.device);
        term.is_measured = figure->known;
        term.measured = (double)figure->value;
        set_sample(&term, sample);
        if (term.is_measured) {
            add_term(diagnosis, term);
        }
    }
}

bool tn_diagnose_terms(struct tn_diagnosis *diagnosis, struct tn_error *error)
{
    size_t most = sizeof ranks / sizeof ranks[0] + sizeof others / sizeof others[0]
                  + diagnosis->scored.device_count * (sizeof devices / sizeof devices[0]);
    diagnosis->terms = TN_NEW_ARRAY(diagnosis->arena, struct tn_diagnosed_term, most);
    if (!diagnosis->terms) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < sizeof ranks / sizeof ranks[0]; k++) {
        add_rank(diagnosis, k);
    }
    for (size_t k = 0; k < diagnosis->scored.device_count; k++) {
        add_device(diagnosis, &diagnosis->scored.devices[k]);
    }
    for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
        const struct tn_log_value *value = tn_log_find(&diagnosis->log, others[k]);
        if (value) {
            add_term(diagnosis, (struct tn_diagnosed_term){.name = tn_log_terms[others[k]].name,
                                                           .unit = tn_log_terms[others[k]].unit,
                                                           .device = tn_str_of(value->device),
                                                           .is_measured = value->figure.known,
                                                           .measured = (double)value->figure.value,
                                                           .line = value->first_line});
        }
    }
    return true;
}
