/* What the formulas of findings may read: terms of the log by their names, the plan, the model, and what was asked. */
#include "api/diagnose/diagnose.h"

#include "engine/record/rules.h"

/* ---- terms of the log ------------------------------------------------------------------------------------------------- */

/* How the values of several ranks and lines become one. */
enum gathering {
    GATHER_ONE,
    GATHER_LEAST,
    GATHER_MOST,
    GATHER_COUNT,
    GATHER_RANKS,
    GATHER_FIRST_LINE,
    GATHER_LAST_LINE,
    GATHERINGS
};

static const char *const endings[GATHERINGS] = {"", "_least", "_most", "_count", "_ranks", "_line", "_last_line"};

static bool take_term(struct tn_str name, enum tn_log_term *term, enum gathering *gathering)
{
    for (int k = 0; k < GATHERINGS; k++) {
        struct tn_str ending = tn_str_of(endings[k]);
        if (tn_str_ends(name, ending)) {
            *gathering = (enum gathering)k;
            *term = tn_log_term_find(tn_str_slice(name, 0, name.size - ending.size));
            if (*term < TN_LOG_TERM_COUNT) {
                return true;
            }
        }
    }
    return false;
}

/* A number as it is: with decimals only where it has some, and is no size. */
static struct tn_value value_of_line(const struct tn_diagnosis *diagnosis, const struct tn_log_value *value)
{
    struct tn_figure figure = tn_log_figure(&diagnosis->reading, value->term);
    bool is_size = tn_str_is(tn_str_of(tn_log_terms[value->term].unit), "bytes");
    if (!value->figure.known) {
        return value->text[0] ? tn_value_string(tn_str_of(value->text)) : tn_value_boolean(true);
    }
    return is_size || (double)value->figure.value == value->real ? tn_value_integer(figure.value)
                                                                 : tn_value_real(value->real);
}

static struct tn_value gathered(const struct tn_diagnosis *diagnosis, enum tn_log_term term, enum gathering gathering)
{
    const struct tn_log *log = &diagnosis->log;
    const struct tn_log_value *first = tn_log_find(log, term);
    if (!first) {
        bool counts = gathering == GATHER_COUNT || gathering == GATHER_RANKS;
        return counts ? tn_value_integer(0) : (struct tn_value){.kind = TN_NULL, .offset = -1};
    }
    int64_t sums[GATHERINGS] = {
        [GATHER_LEAST] = first->least, [GATHER_MOST] = first->most, [GATHER_FIRST_LINE] = (int64_t)first->first_line};
    for (const struct tn_log_value *value = first; value; value = tn_log_next(log, term, value)) {
        sums[GATHER_LEAST] = value->least < sums[GATHER_LEAST] ? value->least : sums[GATHER_LEAST];
        sums[GATHER_MOST] = value->most > sums[GATHER_MOST] ? value->most : sums[GATHER_MOST];
        sums[GATHER_COUNT] += (int64_t)value->count;
        sums[GATHER_RANKS]++;
        sums[GATHER_LAST_LINE] =
            (int64_t)value->last_line > sums[GATHER_LAST_LINE] ? (int64_t)value->last_line : sums[GATHER_LAST_LINE];
    }
    return gathering == GATHER_ONE ? value_of_line(diagnosis, first) : tn_value_integer(sums[gathering]);
}

/* ---- the plan --------------------------------------------------------------------------------------------------------- */

static struct tn_value none(void)
{
    return (struct tn_value){.kind = TN_NULL, .offset = -1};
}

static struct tn_value whole(uint64_t number)
{
    return tn_value_integer(number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

/* "plan_weights": what the plan says of a term of the log. */
static bool find_predicted(const struct tn_diagnosis *diagnosis, struct tn_str name, struct tn_value *value)
{
    struct tn_str prefix = TN_STR("plan_");
    if (!tn_str_starts(name, prefix)) {
        return false;
    }
    for (size_t k = 0; k < TN_TERM_COUNT; k++) {
        if (tn_str_is(tn_str_slice(name, prefix.size, name.size), tn_term_names[k])) {
            const struct tn_sample *sample = &diagnosis->scored.samples[k];
            bool is_there = sample->state == TN_SAMPLE_SCORED;
            *value = is_there ? tn_value_integer((int64_t)sample->predicted) : none();
            return true;
        }
    }
    return false;
}

static struct tn_value engine_name(const struct tn_diagnosis *diagnosis)
{
    const struct tn_measurement *measurement = diagnosis->measurement;
    bool is_known = measurement && measurement->engine;
    return tn_value_string(is_known ? tn_str_of(tn_log_engine_name(measurement->engine)) : (struct tn_str){0});
}

static struct tn_value version_number(const struct tn_diagnosis *diagnosis)
{
    return diagnosis->reading.rules ? whole(tn_rules_version_number(diagnosis->reading.rules)) : none();
}

static struct tn_value has_started(const struct tn_diagnosis *diagnosis)
{
    return tn_value_boolean(diagnosis->outcome == TN_OUTCOME_STARTED);
}

static struct tn_value has_failed(const struct tn_diagnosis *diagnosis)
{
    return tn_value_boolean(diagnosis->outcome == TN_OUTCOME_FAILED);
}

static struct tn_value fails_running(const struct tn_diagnosis *diagnosis)
{
    return tn_value_boolean(diagnosis->fails_running);
}

static struct tn_value is_planned(const struct tn_diagnosis *diagnosis)
{
    return tn_value_boolean(diagnosis->is_planned);
}

static struct tn_value plan_fits(const struct tn_diagnosis *diagnosis)
{
    return diagnosis->is_planned ? tn_value_boolean(diagnosis->base.fits) : none();
}

static struct tn_value plan_tokens(const struct tn_diagnosis *diagnosis)
{
    return diagnosis->is_planned && diagnosis->base.has_pool ? whole(diagnosis->base.pool_tokens) : none();
}

static struct tn_value gpu_memory(const struct tn_diagnosis *diagnosis)
{
    uint64_t bytes = diagnosis->is_planned ? diagnosis->plan.question.deployment.gpu_memory_bytes : 0;
    return bytes ? whole(bytes) : none();
}

static struct tn_value asked_context(const struct tn_diagnosis *diagnosis)
{
    return diagnosis->is_planned ? whole(diagnosis->plan.question.deployment.context_tokens) : none();
}

static struct tn_value asked_concurrency(const struct tn_diagnosis *diagnosis)
{
    return diagnosis->is_planned ? whole(diagnosis->plan.question.deployment.concurrency) : none();
}

static struct tn_value tp(const struct tn_diagnosis *diagnosis)
{
    return whole(diagnosis->is_planned ? diagnosis->plan.question.deployment.tp : 1);
}

static struct tn_value gpus_needed(const struct tn_diagnosis *diagnosis)
{
    return diagnosis->is_planned && diagnosis->plan.verdict.gpus_needed ? whole(diagnosis->plan.verdict.needed_tp)
                                                                        : none();
}

static struct tn_value longest_context(const struct tn_diagnosis *diagnosis)
{
    uint64_t tokens = diagnosis->is_planned ? diagnosis->plan.verdict.most_context_tokens : 0;
    return tokens && tokens != UINT64_MAX ? whole(tokens) : none();
}

/* ---- the model -------------------------------------------------------------------------------------------------------- */

static struct tn_value model_context(const struct tn_diagnosis *diagnosis)
{
    const struct tn_model *model = diagnosis->plan.model;
    return model && model->max_context_tokens ? whole(model->max_context_tokens) : none();
}

static bool has_growth(const struct tn_diagnosis *diagnosis, enum tn_growth first, enum tn_growth second)
{
    const struct tn_model *model = diagnosis->plan.model;
    bool found = false;
    for (size_t k = 0; model && k < model->cache_count; k++) {
        found = found || model->caches[k].growth == first || model->caches[k].growth == second;
    }
    return found;
}

static struct tn_value has_windows(const struct tn_diagnosis *diagnosis)
{
    return tn_value_boolean(has_growth(diagnosis, TN_GROWTH_WINDOW, TN_GROWTH_CHUNK));
}

static struct tn_value has_states(const struct tn_diagnosis *diagnosis)
{
    return tn_value_boolean(has_growth(diagnosis, TN_GROWTH_CONSTANT, TN_GROWTH_CONSTANT));
}

static struct tn_value has_tower(const struct tn_diagnosis *diagnosis)
{
    const struct tn_model *model = diagnosis->plan.model;
    bool found = false;
    for (size_t k = 0; model && k < model->group_count; k++) {
        found = found || model->groups[k].class == TN_CLASS_VISION;
    }
    return tn_value_boolean(found);
}

/* ---- buffers of devices ------------------------------------------------------------------------------------------------- */

static struct tn_value sum_of(const struct tn_diagnosis *diagnosis, enum tn_buffer buffer, bool of_host)
{
    const struct tn_measurement *measurement = diagnosis->measurement;
    uint64_t sum = 0;
    bool found = false;
    for (size_t k = 0; measurement && k < measurement->device_count; k++) {
        const struct tn_measured_device *device = &measurement->devices[k];
        if (device->is_host == of_host && device->buffers[buffer].known && device->buffers[buffer].value >= 0) {
            sum += (uint64_t)device->buffers[buffer].value;
            found = true;
        }
    }
    return found ? whole(sum) : none();
}

static struct tn_value gpu_model(const struct tn_diagnosis *diagnosis)
{
    return sum_of(diagnosis, TN_BUFFER_MODEL, false);
}

static struct tn_value gpu_kv(const struct tn_diagnosis *diagnosis)
{
    return sum_of(diagnosis, TN_BUFFER_KV, false);
}

static struct tn_value gpu_compute(const struct tn_diagnosis *diagnosis)
{
    return sum_of(diagnosis, TN_BUFFER_COMPUTE, false);
}

static struct tn_value host_model(const struct tn_diagnosis *diagnosis)
{
    return sum_of(diagnosis, TN_BUFFER_MODEL, true);
}

static struct tn_value host_kv(const struct tn_diagnosis *diagnosis)
{
    return sum_of(diagnosis, TN_BUFFER_KV, true);
}

/* ---- names ------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    struct tn_value (*value)(const struct tn_diagnosis *diagnosis);
} symbols[] = {{"engine", engine_name},
               {"version_number", version_number},
               {"started", has_started},
               {"is_failed", has_failed},
               {"fails_running", fails_running},
               {"planned", is_planned},
               {"plan_fits", plan_fits},
               {"plan_pool_tokens", plan_tokens},
               {"gpu_memory", gpu_memory},
               {"asked_context", asked_context},
               {"asked_concurrency", asked_concurrency},
               {"tp", tp},
               {"needed_tp", gpus_needed},
               {"longest_context", longest_context},
               {"model_context", model_context},
               {"has_windows", has_windows},
               {"has_states", has_states},
               {"has_tower", has_tower},
               {"gpu_model", gpu_model},
               {"gpu_kv", gpu_kv},
               {"gpu_compute", gpu_compute},
               {"host_model", host_model},
               {"host_kv", host_kv}};

/* "given_max_model_len": whether log or user say the setting, and not the engine's default. */
static bool find_given(const struct tn_diagnosis *diagnosis, struct tn_str name, struct tn_value *value)
{
    struct tn_str prefix = TN_STR("given_");
    if (!tn_str_starts(name, prefix)) {
        return false;
    }
    struct tn_str setting = tn_str_slice(name, prefix.size, name.size);
    const struct tn_measurement *measurement = diagnosis->measurement;
    bool found = false;
    for (size_t k = 0; measurement && k < measurement->set_count; k++) {
        found = found || tn_str_equal(measurement->sets[k].name, setting);
    }
    *value = tn_value_boolean(found);
    return true;
}

bool tn_diagnose_symbol(struct tn_diagnosis *diagnosis, struct tn_str name, struct tn_value *value,
                        struct tn_error *error)
{
    enum tn_log_term term;
    enum gathering gathering;
    for (size_t k = 0; k < sizeof symbols / sizeof symbols[0]; k++) {
        if (tn_str_is(name, symbols[k].name)) {
            *value = symbols[k].value(diagnosis);
            return true;
        }
    }
    if (find_predicted(diagnosis, name, value) || find_given(diagnosis, name, value)) {
        return true;
    }
    if (take_term(name, &term, &gathering)) {
        *value = gathered(diagnosis, term, gathering);
        return true;
    }
    return tn_fail(error, TN_ERROR_EXPRESSION, "a finding knows no '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(name));
}

const struct tn_value *tn_diagnose_setting(const struct tn_diagnosis *diagnosis, struct tn_str name)
{
    const struct tn_ledger *ledger = &diagnosis->plan.ledger;
    for (size_t k = 0; diagnosis->is_planned && k < ledger->setting_count; k++) {
        if (tn_str_equal(ledger->settings[k].name, name)) {
            return &ledger->settings[k].value;
        }
    }
    return NULL;
}
