/* A plan with the runs that are kept for its engine, version and GPU. Where they cannot be read the plan goes on without them, and says so. */
#include "api/calibrate/calibrate.h"

#include "engine/record/rules.h"

bool tn_calibration_of_runs(const struct tn_kept_runs *runs, struct tn_str predictor, const struct tn_rules *rules,
                            struct tn_arena *arena, struct tn_calibration *calibration, size_t *stale,
                            struct tn_error *error)
{
    struct tn_residual *residuals = TN_NEW_ARRAY(arena, struct tn_residual, runs->count * TN_FITTED_COUNT + 1);
    size_t count = 0;
    size_t used = 0;
    *stale = 0;
    for (size_t k = 0; residuals && k < runs->count; k++) {
        const struct tn_kept_run *run = &runs->items[k];
        bool is_stale = !tn_str_equal(run->predictor, predictor);
        bool counts = false;
        *stale += is_stale;
        for (size_t at = 0; !is_stale && at < run->residual_count && at < TN_FITTED_COUNT; at++) {
            if (!rules || tn_rules_have_term(rules, run->residuals[at].term)) {
                residuals[count++] = run->residuals[at];
                counts = true;
            }
        }
        used += counts;
    }
    return (residuals && tn_calibrate(residuals, count, used, arena, calibration)) || tn_fail_memory(error);
}

/* "activation, graphs": the terms that are other than fitted. */
static void write_terms(struct tn_builder *text, const struct tn_calibration *calibration)
{
    const char *before = "";
    for (int term = 0; term < TN_FITTED_COUNT; term++) {
        if (tn_correction_applies(&calibration->corrections[term])) {
            tn_builder_addf(text, "%s%s", before, tn_fitted_term_names[term]);
            before = ", ";
        }
    }
}

static size_t deployments_of(const struct tn_calibration *calibration)
{
    size_t most = 0;
    for (int term = 0; term < TN_FITTED_COUNT; term++) {
        size_t count = calibration->corrections[term].deployments;
        most = count > most ? count : most;
    }
    return most;
}

/* Of runs whose terms are as fitted nothing is to be said but that there are too few. */
static void note_calibration(struct tn_question *question, const struct tn_calibration *calibration)
{
    struct tn_builder terms = {0};
    struct tn_str version = tn_rules_version(question->planner.rules);
    size_t deployments = deployments_of(calibration);
    write_terms(&terms, calibration);
    if (terms.size) {
        tn_question_note(question, "calibrated",
                         "calibrated on %zu run%s of %zu deployment%s of %s " TN_STR_FORMAT " on " TN_STR_FORMAT
                         ": %s; --no-calibration plans without",
                         calibration->runs, calibration->runs == 1 ? "" : "s", deployments, deployments == 1 ? "" : "s",
                         question->planner.engine->name, TN_STR_ARGUMENTS(version), TN_STR_ARGUMENTS(question->gpu->id),
                         terms.data);
    } else if (calibration->runs) {
        tn_question_note(
            question, "calibration_few",
            "%zu run%s of %zu deployment%s are kept for this engine and GPU: a term is narrowed from %d deployments on",
            calibration->runs, calibration->runs == 1 ? "" : "s", deployments, deployments == 1 ? "" : "s",
            TN_CALIBRATION_LEAST);
    }
    tn_builder_free(&terms);
}

static bool apply(struct tn_question *question, const struct tn_kept_runs *runs, struct tn_error *error)
{
    struct tn_arena *arena = question->request.arena;
    struct tn_calibration *calibration = TN_NEW(arena, struct tn_calibration);
    size_t stale;
    if (!calibration
        || !tn_calibration_of_runs(runs, tn_predictor(arena), question->planner.rules, arena, calibration, &stale,
                                   error)) {
        return tn_fail_memory(error);
    }
    calibration->gpu = question->gpu;
    question->planner.calibration = calibration;
    note_calibration(question, calibration);
    if (stale) {
        tn_question_note(
            question, "calibration_stale",
            "%zu run%s were compared by another version of tonnage: `tonnage calibrate` compares them anew", stale,
            stale == 1 ? "" : "s");
    }
    return true;
}

bool tn_question_calibrate(struct tn_question *question, struct tn_error *error)
{
    const struct tn_run_store *store = question->session->runs;
    const struct tn_rules *rules = question->planner.rules;
    struct tn_kept_runs runs = {0};
    struct tn_error own = {.offset = -1};
    question->planner.calibration = NULL;
    if (!store || !rules || !question->gpu || question->deployment.device_count
        || question->request.values[TN_INPUT_NO_CALIBRATION].flag) {
        return true;
    }
    struct tn_kept_key key = {tn_str_of(question->planner.engine->name),
                              tn_kept_version(tn_rules_version(rules), question->request.arena), question->gpu->id};
    if (store->read(store->context, &key, true, &runs, &own)) {
        return !runs.count || apply(question, &runs, error);
    }
    tn_question_note(question, "calibration_unavailable", "planned without calibration: %s", own.message);
    return own.code != TN_ERROR_MEMORY || tn_fail_memory(error);
}
