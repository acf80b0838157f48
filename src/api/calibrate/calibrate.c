/* calibrate: takes measurements in, gives them out, forgets them, and shows what they make of the fitted terms. */
#include "api/calibrate/work.h"

#include "api/score/score.h"

static bool read_all(struct tn_calibrating *calibrating, struct tn_error *error)
{
    const struct tn_run_store *store = calibrating->session->runs;
    static const struct tn_kept_key all;
    return store->read(store->context, &all, false, &calibrating->runs, error);
}

/* ---- measurements of another predictor ------------------------------------------------------------------------------ */

/* Each line by itself: two that are kept may have the same id. */
static bool read_stale(struct tn_calibrating *calibrating, struct tn_measurements *list, struct tn_error *error)
{
    const struct tn_kept_runs *runs = &calibrating->runs;
    struct tn_str predictor = tn_predictor(calibrating->arena);
    list->items = TN_NEW_ARRAY(calibrating->arena, struct tn_measurement, runs->count + 1);
    bool done = (predictor.size && list->items) || tn_fail_memory(error);
    for (size_t k = 0; done && k < runs->count; k++) {
        struct tn_measurements one = {0};
        if (tn_str_equal(runs->items[k].predictor, predictor)) {
            continue;
        }
        done = tn_measurements_read(calibrating->arena, calibrating->session->catalog, runs->items[k].line,
                                    TN_STR("kept"), &one, error);
        if (done && one.count) {
            list->items[list->count++] = one.items[0];
        }
    }
    return done;
}

/* Compares them anew, and reads all again where there were some. */
static bool renew(struct tn_calibrating *calibrating, struct tn_error *error)
{
    struct tn_measurements list = {0};
    struct tn_keeping keeping = {0};
    if (!read_stale(calibrating, &list, error)) {
        return false;
    }
    if (!list.count) {
        return true;
    }
    bool done =
        tn_keep_measurements(calibrating->session, calibrating->request, &list, calibrating->arena, &keeping, error);
    calibrating->keeping.change.renewed = keeping.change.renewed;
    return done && read_all(calibrating, error);
}

/* ---- groups --------------------------------------------------------------------------------------------------------- */

static bool is_of(const struct tn_kept_run *run, const struct tn_kept_key *key)
{
    return tn_str_equal(run->engine, key->engine) && tn_str_equal(run->version, key->version)
           && tn_str_equal(run->gpu, key->gpu);
}

static bool has_group(const struct tn_calibrating *calibrating, const struct tn_kept_run *run)
{
    bool found = false;
    for (size_t k = 0; k < calibrating->group_count; k++) {
        found = found || is_of(run, &calibrating->groups[k].key);
    }
    return found;
}

static bool add_group(struct tn_calibrating *calibrating, const struct tn_kept_run *first, struct tn_error *error)
{
    struct tn_calibrated_group *group = &calibrating->groups[calibrating->group_count++];
    struct tn_kept_runs runs = {.items = TN_NEW_ARRAY(calibrating->arena, struct tn_kept_run, calibrating->runs.count)};
    size_t stale;
    *group = (struct tn_calibrated_group){.key = {first->engine, first->version, first->gpu}};
    if (!runs.items) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < calibrating->runs.count; k++) {
        if (is_of(&calibrating->runs.items[k], &group->key)) {
            runs.items[runs.count++] = calibrating->runs.items[k];
        }
    }
    group->runs = runs.count;
    bool done = tn_calibration_of_runs(&runs, tn_predictor(calibrating->arena), NULL, calibrating->arena,
                                       &group->calibration, &stale, error);
    calibrating->stale += done ? stale : 0;
    for (int term = 0; done && term < TN_FITTED_COUNT; term++) {
        size_t deployments = group->calibration.corrections[term].deployments;
        group->deployments = deployments > group->deployments ? deployments : group->deployments;
    }
    return done;
}

static bool make_groups(struct tn_calibrating *calibrating, struct tn_error *error)
{
    const struct tn_kept_runs *runs = &calibrating->runs;
    calibrating->groups = TN_NEW_ARRAY(calibrating->arena, struct tn_calibrated_group, runs->count + 1);
    bool done = calibrating->groups || tn_fail_memory(error);
    for (size_t k = 0; done && k < runs->count; k++) {
        done = has_group(calibrating, &runs->items[k]) || add_group(calibrating, &runs->items[k], error);
    }
    return done;
}

/* ---- the operation -------------------------------------------------------------------------------------------------- */

static bool import(struct tn_calibrating *calibrating, struct tn_error *error)
{
    struct tn_measurements list = {0};
    return !calibrating->request->values[TN_INPUT_RECORDS].given
           || (tn_read_records(calibrating->session, calibrating->request, &list, error)
               && tn_keep_measurements(calibrating->session, calibrating->request, &list, calibrating->arena,
                                       &calibrating->keeping, error));
}

static bool forget(struct tn_calibrating *calibrating, struct tn_error *error)
{
    const struct tn_input_value *ids = &calibrating->request->values[TN_INPUT_FORGET];
    const struct tn_run_store *store = calibrating->session->runs;
    bool is_all = ids->item_count == 1 && tn_str_is(ids->items[0], "all");
    if (!ids->given
        || !store->forget(store->context, ids->items, is_all ? 0 : ids->item_count, &calibrating->keeping.change,
                          error)) {
        return !ids->given;
    }
    if (!is_all && !calibrating->keeping.change.forgotten) {
        tn_fail(error, TN_ERROR_USAGE, "no measurement '" TN_STR_FORMAT "' is kept", TN_STR_ARGUMENTS(ids->items[0]));
        tn_fail_at(error, -1, "--forget");
        return tn_fail_hint(error, "`tonnage calibrate --list` shows their ids");
    }
    return true;
}

/* The lines as they are kept. */
static bool give_out(struct tn_calibrating *calibrating, struct tn_result *result)
{
    for (size_t k = 0; k < calibrating->runs.count; k++) {
        tn_builder_add(&result->json, calibrating->runs.items[k].line);
        tn_builder_add_char(&result->json, '\n');
    }
    result->is_lines = true;
    return true;
}

bool tn_run_calibrate(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                      struct tn_error *error)
{
    struct tn_calibrating calibrating = {.session = session, .request = request, .arena = &result->arena};
    const struct tn_input_value *values = request->values;
    bool changes = values[TN_INPUT_RECORDS].given || values[TN_INPUT_FORGET].given;
    if (!session->runs) {
        return tn_fail(error, TN_ERROR_USAGE, "no measurements are kept here");
    }
    if (values[TN_INPUT_EXPORT].flag && changes) {
        tn_fail(error, TN_ERROR_USAGE, "--export gives out what is kept and changes nothing");
        return tn_fail_at(error, -1, "--export");
    }
    if (!import(&calibrating, error) || !forget(&calibrating, error) || !read_all(&calibrating, error)) {
        return false;
    }
    if (values[TN_INPUT_EXPORT].flag) {
        return give_out(&calibrating, result);
    }
    if (!renew(&calibrating, error) || !make_groups(&calibrating, error)) {
        return false;
    }
    tn_calibrating_json(&calibrating, &result->json);
    tn_calibrating_report(&calibrating, &result->report);
    return true;
}
