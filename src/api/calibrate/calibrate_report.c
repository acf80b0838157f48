/* The answer of `calibrate`: what changed, what each engine version and GPU has, and on request each measurement. */
#include "api/calibrate/work.h"

#include <math.h>

/* ---- JSON: tonnage.calibrate/1 ---------------------------------------------------------------------------------------- */

static void write_count(struct tn_json_writer *json, const char *key, size_t number)
{
    tn_json_key(json, key);
    tn_json_u64(json, number);
}

static void write_str(struct tn_json_writer *json, const char *key, struct tn_str text)
{
    tn_json_key(json, key);
    tn_json_string(json, text);
}

static void write_terms(struct tn_json_writer *json, const struct tn_calibration *calibration)
{
    tn_json_key(json, "terms");
    tn_json_begin_object(json);
    for (int term = 0; term < TN_FITTED_COUNT; term++) {
        const struct tn_correction *correction = &calibration->corrections[term];
        tn_json_key(json, tn_fitted_term_names[term]);
        tn_json_begin_object(json);
        write_count(json, "runs", correction->runs);
        write_count(json, "deployments", correction->deployments);
        tn_json_key(json, "low");
        tn_json_real(json, correction->low);
        tn_json_key(json, "mid");
        tn_json_real(json, correction->mid);
        tn_json_key(json, "high");
        tn_json_real(json, correction->high);
        tn_json_end_object(json);
    }
    tn_json_end_object(json);
}

static void write_group(struct tn_json_writer *json, const struct tn_calibrated_group *group)
{
    tn_json_begin_object(json);
    write_str(json, "engine", group->key.engine);
    write_str(json, "version", group->key.version);
    write_str(json, "gpu", group->key.gpu);
    write_count(json, "runs", group->runs);
    write_count(json, "deployments", group->deployments);
    write_terms(json, &group->calibration);
    tn_json_end_object(json);
}

static void write_run(struct tn_json_writer *json, const struct tn_kept_run *run)
{
    tn_json_begin_object(json);
    write_str(json, "id", run->id);
    write_str(json, "engine", run->engine);
    write_str(json, "version", run->version);
    write_str(json, "gpu", run->gpu);
    tn_json_key(json, "places");
    tn_json_begin_object(json);
    for (size_t k = 0; k < run->residual_count; k++) {
        double place;
        if (tn_residual_place(&run->residuals[k], &place)) {
            tn_json_key(json, tn_fitted_term_names[run->residuals[k].term]);
            tn_json_real(json, place);
        }
    }
    tn_json_end_object(json);
    tn_json_end_object(json);
}

static void write_left_out(struct tn_json_writer *json, const struct tn_keeping *keeping)
{
    tn_json_key(json, "left_out");
    tn_json_begin_list(json);
    for (size_t k = 0; k < keeping->left_out_count; k++) {
        tn_json_begin_object(json);
        write_str(json, "id", keeping->left_out[k].id);
        write_str(json, "why", keeping->left_out[k].why);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

static bool wants_list(const struct tn_calibrating *calibrating)
{
    return calibrating->request->values[TN_INPUT_LIST_RUNS].flag;
}

void tn_calibrating_json(const struct tn_calibrating *calibrating, struct tn_builder *out)
{
    struct tn_json_writer json = {.builder = out, .indented = true};
    const struct tn_kept_change *change = &calibrating->keeping.change;
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.calibrate/1");
    write_count(&json, "added", change->added);
    write_count(&json, "known", change->known);
    write_count(&json, "renewed", change->renewed);
    write_count(&json, "forgotten", change->forgotten);
    write_left_out(&json, &calibrating->keeping);
    write_count(&json, "kept", calibrating->runs.count);
    write_count(&json, "stale", calibrating->stale);
    tn_json_key(&json, "groups");
    tn_json_begin_list(&json);
    for (size_t k = 0; k < calibrating->group_count; k++) {
        write_group(&json, &calibrating->groups[k]);
    }
    tn_json_end_list(&json);
    if (wants_list(calibrating)) {
        tn_json_key(&json, "runs");
        tn_json_begin_list(&json);
        for (size_t k = 0; k < calibrating->runs.count; k++) {
            write_run(&json, &calibrating->runs.items[k]);
        }
        tn_json_end_list(&json);
    }
    tn_json_end_object(&json);
    tn_builder_add_char(out, '\n');
}

/* ---- for people ------------------------------------------------------------------------------------------------------- */

enum { PERCENT = 100 };

/* "43 %": the width of the range in parts of the fitted one. */
static struct tn_cell width_cell(struct tn_report *report, const struct tn_correction *correction)
{
    static const double MOST_SHOWN = 1e9;
    static const double FITTED_WIDTH = 2;
    double percent = (correction->high - correction->low) / FITTED_WIDTH * PERCENT;
    struct tn_builder text = {0};
    if (!correction->runs) {
        return tn_cell_text(TN_STR("as fitted"));
    }
    tn_builder_add_u64(&text, percent < MOST_SHOWN ? (uint64_t)floor(percent + 0.5) : (uint64_t)MOST_SHOWN);
    tn_builder_add_text(&text, " %");
    return tn_cell_text(tn_report_keep(report, &text));
}

static void report_groups(const struct tn_calibrating *calibrating, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"engine", "engine", false, 0},
        {"version", "version", false, 0},
        {"GPU", "gpu", false, 0},
        {"runs", "runs", true, 0},
        {"deployments", "deployments", true, 0},
        {"activation", "activation_width", true, 0},
        {"non-torch", "non_torch_width", true, 0},
        {"graphs", "graphs_width", true, 0},
    };
    struct tn_table *table =
        calibrating->group_count ? tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]) : NULL;
    for (size_t k = 0; table && k < calibrating->group_count; k++) {
        const struct tn_calibrated_group *group = &calibrating->groups[k];
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(group->key.engine);
        cells[1] = tn_cell_text(group->key.version);
        cells[2] = tn_cell_text(group->key.gpu);
        cells[3] = tn_cell_count(group->runs);
        cells[4] = tn_cell_count(group->deployments);
        for (int term = 0; term < TN_FITTED_COUNT; term++) {
            cells[5 + term] = width_cell(report, &group->calibration.corrections[term]);
        }
    }
}

/* "-0.31", in half widths of the fitted range. */
static struct tn_cell place_cell(struct tn_report *report, const struct tn_kept_run *run, enum tn_fitted_term term)
{
    static const double HUNDREDTHS = 100;
    static const double MOST_SHOWN = 1e9;
    struct tn_builder text = {0};
    for (size_t k = 0; k < run->residual_count; k++) {
        double place;
        if (run->residuals[k].term == term && tn_residual_place(&run->residuals[k], &place)) {
            double shown = fmin(fabs(place) * HUNDREDTHS + 0.5, MOST_SHOWN);
            tn_builder_add_char(&text, place < 0 ? '-' : '+');
            tn_builder_add_fixed(&text, (uint64_t)shown, (uint64_t)HUNDREDTHS, 2);
        }
    }
    return tn_cell_text(tn_report_keep(report, &text));
}

static void report_runs(const struct tn_calibrating *calibrating, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"id", "id", false, 0},        {"engine", "engine", false, 0},        {"version", "version", false, 0},
        {"GPU", "gpu", false, 0},      {"activation", "activation", true, 0}, {"non-torch", "non_torch", true, 0},
        {"graphs", "graphs", true, 0},
    };
    if (!calibrating->runs.count || !wants_list(calibrating)) {
        return;
    }
    struct tn_table *table =
        tn_report_table(report, "Where each measurement lies: -1 and +1 are the ends of the fitted range", columns,
                        sizeof columns / sizeof columns[0]);
    for (size_t k = 0; table && k < calibrating->runs.count; k++) {
        const struct tn_kept_run *run = &calibrating->runs.items[k];
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(run->id);
        cells[1] = tn_cell_text(run->engine);
        cells[2] = tn_cell_text(run->version);
        cells[3] = tn_cell_text(run->gpu);
        for (int term = 0; term < TN_FITTED_COUNT; term++) {
            cells[4 + term] = place_cell(report, run, (enum tn_fitted_term)term);
        }
    }
}

/* Those that share a reason on one row. */
static void report_left_out(const struct tn_keeping *keeping, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"records", "n", true, 0}, {"why", "why", false, 0}, {"the first", "id", false, 0}};
    struct tn_table *table = NULL;
    for (size_t k = 0; k < keeping->left_out_count; k++) {
        struct tn_str why = keeping->left_out[k].why;
        size_t count = 0;
        bool is_first = true;
        for (size_t n = 0; n < keeping->left_out_count; n++) {
            bool is_same = tn_str_equal(keeping->left_out[n].why, why);
            is_first = is_first && !(is_same && n < k);
            count += is_same;
        }
        table = is_first && !table ? tn_report_table(report, "Not kept", columns, 3) : table;
        struct tn_cell *cells = is_first && table ? tn_table_row(report, table) : NULL;
        if (cells) {
            cells[0] = tn_cell_count(count);
            cells[1] = tn_cell_text(why);
            cells[2] = tn_cell_text(keeping->left_out[k].id);
        }
    }
}

static void report_change(const struct tn_calibrating *calibrating, struct tn_report *report)
{
    const struct tn_kept_change *change = &calibrating->keeping.change;
    tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "%zu measurement%s kept", calibrating->runs.count,
                   calibrating->runs.count == 1 ? " is" : "s are");
    if (calibrating->request->values[TN_INPUT_RECORDS].given) {
        tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM, "%zu added, %zu were there before, %zu not kept",
                       change->added, change->known, calibrating->keeping.left_out_count);
    }
    if (change->forgotten) {
        tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM, "%zu forgotten", change->forgotten);
    }
    if (change->renewed) {
        tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM, "%zu compared anew with what this version predicts",
                       change->renewed);
    }
}

void tn_calibrating_report(const struct tn_calibrating *calibrating, struct tn_report *report)
{
    report->title = TN_STR("Calibration");
    report_groups(calibrating, report);
    report_runs(calibrating, report);
    report_left_out(&calibrating->keeping, report);
    report_change(calibrating, report);
    if (calibrating->group_count) {
        tn_report_text(
            report, TN_BLOCK_NOTE, TN_TONE_DIM,
            "a width is that of the range in plans, in parts of the fitted one; it is narrowed from %d deployments on",
            TN_CALIBRATION_LEAST);
    }
}
