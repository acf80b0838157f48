/* What a record does not say: the deployment planned in the other ways that it may have been, so that ranges span them. */
#include "api/deployment.h"
#include "api/score/work.h"

/* Versions between which the account of memory changed, and when they came: an older one cannot have served a newer model. */
static const struct {
    const char *engine;
    const char *version;
    const char *released;
} versions[] = {
    {"vllm", "0.6.6", "2024-12"},     {"vllm", "0.11.0", "2025-10"},    {"vllm", "0.19.0", "2026-03"},
    {"vllm", "0.22.0", "2026-05"},    {"llamacpp", "b4701", "2025-02"}, {"llamacpp", "b9000", "2026-04"},
    {"llamacpp", "0.5.0", "2026-09"}, {"llamacpp", "0.7.0", "2026-10"},
};

/* A setting whose default depends on something that no log says: it decides where the other is not logged. */
static const struct {
    const char *engine;
    const char *unlogged;
    const char *assignment;
} settings[] = {{"vllm", "max_num_batched_tokens", "usage=llm"},
                {"llamacpp", "n_outputs_max", "server=0"},
                {"llamacpp", "kv_unified", "kv_unified=1"}};

static bool is_logged(const struct tn_measurement *measurement, const char *name)
{
    bool found = false;
    for (size_t k = 0; k < measurement->set_count; k++) {
        found = found || tn_str_is(measurement->sets[k].name, name);
    }
    return found;
}

static void widen_pool(struct tn_pool *pool, const struct tn_pool *other)
{
    pool->low = other->low.bytes < pool->low.bytes ? other->low : pool->low;
    pool->high = other->high.bytes > pool->high.bytes ? other->high : pool->high;
}

/* Of an engine without a pool: the entries that the other plan has too. */
static void widen_entries(struct tn_ledger *ledger, const struct tn_ledger *other)
{
    for (size_t k = 0; k < ledger->entry_count; k++) {
        struct tn_entry *here = &ledger->entries[k];
        for (size_t n = 0; n < other->entry_count; n++) {
            const struct tn_entry *there = &other->entries[n];
            if (here->stage == there->stage && here->category == there->category
                && tn_str_equal(here->label, there->label)) {
                here->low_bytes = there->low_bytes < here->low_bytes ? there->low_bytes : here->low_bytes;
                here->high_bytes = there->high_bytes > here->high_bytes ? there->high_bytes : here->high_bytes;
            }
        }
    }
}

static void widen_pools(struct tn_ledger *ledger, const struct tn_ledger *other)
{
    widen_pool(&ledger->pool, &other->pool);
    for (uint32_t k = 0; k < ledger->stage_count && k < other->stage_count; k++) {
        struct tn_range *here = &ledger->stages[k].available_bytes;
        const struct tn_range *there = &other->stages[k].available_bytes;
        here->low = there->low < here->low ? there->low : here->low;
        here->high = there->high > here->high ? there->high : here->high;
    }
    ledger->start = ledger->start == other->start ? ledger->start : TN_START_UNSURE;
}

/* One other way. What it cannot plan it leaves as it is: an engine that refuses did not write the log. */
static void plan_other(struct tn_score_work *work, struct tn_str engine, const char *assignment,
                       struct tn_ledger *ledger)
{
    struct tn_request varied = work->request;
    struct tn_question question = {0};
    struct tn_ledger other = {.arena = work->scratch};
    varied.values[TN_INPUT_ENGINE].text = engine;
    bool done = (!assignment || tn_request_set(&varied, TN_INPUT_SET, tn_str_of(assignment), NULL))
                && tn_question_open(work->session, &varied, &question, NULL);
    if (done) {
        done = tn_question_read(&question, work->model, NULL)
               && tn_planner_plan(&question.planner, &question.deployment, &other, NULL);
        if (done && other.pool.present && ledger->pool.present) {
            widen_pools(ledger, &other);
        } else if (done && work->measurement->device_count) {
            widen_entries(ledger, &other);
        }
    }
    tn_question_free(&question); /* also where it could not be opened */
}

static bool plan_versions(struct tn_score_work *work, const char *engine, const char *assignment,
                          struct tn_ledger *ledger)
{
    const struct tn_record *record = tn_catalog_find_model(work->session->catalog, work->model->id, NULL);
    struct tn_str released = record ? tn_record_text(record, "released") : (struct tn_str){0};
    for (size_t k = 0; k < sizeof versions / sizeof versions[0]; k++) {
        bool existed = tn_str_compare(released, tn_str_of(versions[k].released)) <= 0;
        struct tn_builder name = {0};
        struct tn_str copy;
        if (!tn_str_is(tn_str_of(engine), versions[k].engine) || !existed) {
            continue;
        }
        tn_builder_addf(&name, "%s@%s", engine, versions[k].version);
        bool done = !name.failed && tn_str_copy(work->scratch, tn_builder_str(&name), &copy);
        tn_builder_free(&name);
        if (!done) {
            return tn_fail_memory(work->error);
        }
        plan_other(work, copy, assignment, ledger);
    }
    return true;
}

bool tn_score_widen(struct tn_score_work *work, struct tn_ledger *ledger)
{
    const struct tn_measurement *measurement = work->measurement;
    const char *engine = tn_log_engine_name(measurement->engine);
    bool any_version = measurement->version_basis == TN_VERSION_UNKNOWN;
    if (any_version && !plan_versions(work, engine, NULL, ledger)) {
        return false;
    }
    for (size_t k = 0; k < sizeof settings / sizeof settings[0]; k++) {
        bool applies =
            tn_str_is(tn_str_of(engine), settings[k].engine) && !is_logged(measurement, settings[k].unlogged);
        if (!applies) {
            continue;
        }
        plan_other(work, work->request.values[TN_INPUT_ENGINE].text, settings[k].assignment, ledger);
        if (any_version && !plan_versions(work, engine, settings[k].assignment, ledger)) {
            return false;
        }
    }
    return true;
}
