/* From a measurement to a run that is kept: planned as `score` plans it, and compared in the terms that are fitted. */
#include "api/calibrate/calibrate.h"

#include "api/score/score.h"
#include "catalog/embedded.h"
#include "engine/record/rules.h"

/* ---- what it is compared with --------------------------------------------------------------------------------------- */

static const enum tn_term terms[TN_FITTED_COUNT] = {
    [TN_FITTED_ACTIVATION] = TN_TERM_ACTIVATION,
    [TN_FITTED_NON_TORCH] = TN_TERM_NON_TORCH,
    [TN_FITTED_GRAPHS] = TN_TERM_GRAPHS,
};

struct tn_str tn_predictor(struct tn_arena *arena)
{
    struct tn_builder text = {0};
    struct tn_str predictor = {0};
    tn_builder_addf(&text, "%s %s", TONNAGE_VERSION, tn_embedded_digest());
    bool done = !text.failed && tn_str_copy(arena, tn_builder_str(&text), &predictor);
    tn_builder_free(&text);
    return done ? predictor : (struct tn_str){0};
}

struct tn_str tn_kept_version(struct tn_str version, struct tn_arena *arena)
{
    enum { STEP = 1000 };
    uint64_t number;
    size_t size;
    struct tn_builder text = {0};
    struct tn_str kept = {0};
    if (tn_version_read(version, &number, &size) && number) {
        tn_builder_addf(&text, "%llu.%llu.%llu", (unsigned long long)(number / STEP / STEP),
                        (unsigned long long)(number / STEP % STEP), (unsigned long long)(number % STEP));
    } else {
        tn_builder_add(&text, version);
    }
    bool done = !text.failed && tn_str_copy(arena, tn_builder_str(&text), &kept);
    tn_builder_free(&text);
    return done ? kept : (struct tn_str){0};
}

/* Why a measurement cannot narrow anything, as far as it says so itself; NULL where it does not. */
static const char *refusal_of(const struct tn_measurement *measurement)
{
    if (measurement->device_count) {
        return "buffers of devices: nothing of them is fitted";
    }
    if (measurement->version_basis != TN_VERSION_GIVEN) {
        return "it does not say the version of the engine";
    }
    if (!measurement->gpu) {
        return "it names no GPU of the catalog";
    }
    if (measurement->is_unknown_build || measurement->program.size) {
        return "it is of somebody's own build";
    }
    return NULL;
}

/* ---- runs ------------------------------------------------------------------------------------------------------------ */

static bool keep_line(const struct tn_measurement *measurement, struct tn_arena *arena, struct tn_str *line)
{
    struct tn_builder text = {0};
    tn_measurement_write(measurement, &text);
    bool done = !text.failed && tn_str_copy(arena, tn_builder_str(&text), line);
    tn_builder_free(&text);
    return done;
}

/* What was asked: the record without its name and without what was measured. */
static bool keep_deployment(const struct tn_measurement *measurement, struct tn_arena *arena, struct tn_str *text)
{
    struct tn_measurement asked = *measurement;
    asked.id = asked.outcome_why = (struct tn_str){0};
    asked.outcome = TN_OUTCOME_UNKNOWN;
    asked.max_concurrency = 0;
    for (int kind = 0; kind < TN_FIGURE_COUNT; kind++) {
        asked.figures[kind] = (struct tn_figure){0};
    }
    return keep_line(&asked, arena, text);
}

static bool keep_residuals(const struct tn_scored *scored, struct tn_arena *arena, struct tn_kept_run *run)
{
    run->residuals = TN_NEW_ARRAY(arena, struct tn_residual, TN_FITTED_COUNT);
    for (int term = 0; run->residuals && term < TN_FITTED_COUNT; term++) {
        const struct tn_sample *sample = &scored->samples[terms[term]];
        if (sample->state == TN_SAMPLE_SCORED) {
            run->residuals[run->residual_count++] = (struct tn_residual){
                .deployment = run->deployment,
                .term = (enum tn_fitted_term)term,
                .measured_bytes = sample->measured,
                .predicted = {(uint64_t)sample->low, (uint64_t)sample->predicted, (uint64_t)sample->high}};
        }
    }
    return run->residuals != NULL;
}

/* "vllm 0.19.0" */
static bool split_engine(struct tn_str engine, struct tn_arena *arena, struct tn_kept_run *run)
{
    run->engine = tn_str_word(&engine);
    run->version = tn_kept_version(tn_str_word(&engine), arena);
    return run->version.size > 0 || !run->engine.size;
}

bool tn_kept_run_of(const struct tn_session *session, const struct tn_request *request,
                    const struct tn_measurement *measurement, struct tn_arena *arena, struct tn_arena *scratch,
                    struct tn_kept_run *run, struct tn_str *why, struct tn_error *error)
{
    struct tn_scored scored;
    *run = (struct tn_kept_run){.id = measurement->id};
    *why = measurement->fault.size ? measurement->fault : tn_str_of(refusal_of(measurement));
    if (why->size) {
        return true;
    }
    if (!tn_score_record(session, request, measurement, arena, scratch, &scored, error)) {
        return false;
    }
    *why = scored.why;
    run->gpu = measurement->gpu->id;
    run->predictor = tn_predictor(arena);
    return (split_engine(scored.engine, arena, run) && run->predictor.size && keep_line(measurement, arena, &run->line)
            && keep_deployment(measurement, arena, &run->deployment) && keep_residuals(&scored, arena, run))
           || tn_fail_memory(error);
}

static bool leave_out(struct tn_keeping *keeping, struct tn_arena *arena, struct tn_str id, struct tn_str why)
{
    struct tn_left_out *grown =
        tn_arena_grow(arena, keeping->left_out, keeping->left_out_count, keeping->left_out_count + 1, sizeof *grown);
    if (grown) {
        keeping->left_out = grown;
        grown[keeping->left_out_count++] = (struct tn_left_out){id, why};
    }
    return grown != NULL;
}

bool tn_keep_measurements(const struct tn_session *session, const struct tn_request *request,
                          const struct tn_measurements *list, struct tn_arena *arena, struct tn_keeping *keeping,
                          struct tn_error *error)
{
    struct tn_arena scratch = {0};
    struct tn_kept_runs runs = {.items = TN_NEW_ARRAY(arena, struct tn_kept_run, list->count + 1)};
    bool done = runs.items || tn_fail_memory(error);
    if (done && !session->runs) {
        done = tn_fail(error, TN_ERROR_USAGE, "no measurements are kept here");
    }
    for (size_t k = 0; done && k < list->count; k++) {
        struct tn_str why;
        if (session->watcher) {
            session->watcher->show(session->watcher->context, k, list->count);
        }
        done = tn_kept_run_of(session, request, &list->items[k], arena, &scratch, &runs.items[runs.count], &why, error);
        if (done && why.size) {
            done = leave_out(keeping, arena, list->items[k].id, why) || tn_fail_memory(error);
        } else {
            runs.count += done;
        }
    }
    tn_arena_free(&scratch);
    return done && session->runs->keep(session->runs->context, &runs, &keeping->change, error);
}
