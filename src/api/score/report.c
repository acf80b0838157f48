/* The answer of `score` for people: what was met, what was missed by how much, and where. */
#include "api/score/score.h"

#include <math.h>
#include <stdlib.h>

enum { WORST = 3, PCT_DECIMALS = 2 };

static const double MOST_SHOWN = 1e15;

/* The nearest integer; what is too large for a table is cut. */
static uint64_t rounded(double number)
{
    return number > MOST_SHOWN ? (uint64_t)MOST_SHOWN : number > 0 ? (uint64_t)floor(number + 0.5) : 0;
}

static struct tn_cell cell_pct(double percent)
{
    return tn_cell_fixed(rounded(fabs(percent) * 1000));
}

/* "+0.31", "-12.40" */
static struct tn_cell cell_signed(struct tn_report *report, double percent)
{
    struct tn_builder text = {0};
    tn_builder_add_char(&text, percent < 0 ? '-' : '+');
    tn_builder_add_fixed(&text, rounded(fabs(percent) * 1000), 1000, PCT_DECIMALS);
    return tn_cell_text(tn_report_keep(report, &text));
}

/* ---- terms ------------------------------------------------------------------------------------------------------------ */

static const struct tn_column term_columns[] = {
    {"term", "term", false, 0},
    {"records", "n", true, 0},
    {"exact", "exact", true, 0},
    {"median %", "median_abs_pct", true, PCT_DECIMALS},
    {"90 of 100 %", "p90_abs_pct", true, PCT_DECIMALS},
    {"worst %", "max_abs_pct", true, PCT_DECIMALS},
    {"bias %", "bias_pct", true, 0},
    {"in range %", "within_range_pct", true, PCT_DECIMALS},
    {"range is %", "median_range_pct", true, PCT_DECIMALS},
    {"by family %", "family_median_abs_pct", true, PCT_DECIMALS},
};

static void add_term(struct tn_report *report, struct tn_table *table, const char *name,
                     const struct tn_statistics *statistics)
{
    struct tn_cell bias = cell_signed(report, statistics->bias_pct);
    struct tn_cell *cells = statistics->n ? tn_table_row(report, table) : NULL;
    if (cells) {
        cells[0] = tn_cell_text(tn_str_of(name));
        cells[1] = tn_cell_count(statistics->n);
        cells[2] = tn_cell_count(statistics->exact);
        cells[3] = cell_pct(statistics->median_abs_pct);
        cells[4] = cell_pct(statistics->p90_abs_pct);
        cells[5] = cell_pct(statistics->max_abs_pct);
        cells[6] = bias;
        cells[7] = cell_pct(statistics->within_range_pct);
        cells[8] = cell_pct(statistics->median_range_pct);
        cells[9] = cell_pct(statistics->family_median_abs_pct);
    }
}

static bool add_terms(const struct tn_score *score, struct tn_report *report)
{
    static const struct {
        const char *name;
        enum tn_term term;
        int pool_size;
        int device;
    } rows[] = {
        {"weights", TN_TERM_WEIGHTS, 0, 0},
        {"activation", TN_TERM_ACTIVATION, 0, 0},
        {"non_torch", TN_TERM_NON_TORCH, 0, 0},
        {"graphs", TN_TERM_GRAPHS, 0, 0},
        {"kv_pool", TN_TERM_KV_POOL, 0, 0},
        {"  large pools", TN_TERM_KV_POOL, 1, 0},
        {"  small pools", TN_TERM_KV_POOL, -1, 0},
        {"kv_tokens", TN_TERM_KV_TOKENS, 0, 0},
        {"kv_tokens_given_pool", TN_TERM_KV_TOKENS_GIVEN_POOL, 0, 0},
        {"model", TN_TERM_MODEL, 0, 0},
        {"  on GPUs", TN_TERM_MODEL, 0, 1},
        {"  of the host", TN_TERM_MODEL, 0, -1},
        {"kv", TN_TERM_KV, 0, 0},
        {"  on GPUs", TN_TERM_KV, 0, 1},
        {"  of the host", TN_TERM_KV, 0, -1},
        {"recurrent", TN_TERM_RECURRENT, 0, 0},
        {"output", TN_TERM_OUTPUT, 0, 0},
        {"compute", TN_TERM_COMPUTE, 0, 0},
        {"  on GPUs", TN_TERM_COMPUTE, 0, 1},
        {"  of the host", TN_TERM_COMPUTE, 0, -1},
        {"total", TN_TERM_TOTAL, 0, 0},
    };
    struct tn_table *table = tn_report_table(report, "Terms of the start-up, predicted beside measured", term_columns,
                                             sizeof term_columns / sizeof term_columns[0]);
    for (size_t k = 0; table && k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_statistics statistics;
        struct tn_selection selection = {.pool_size = rows[k].pool_size, .device = rows[k].device};
        if (!tn_score_statistics(score, rows[k].term, &selection, &statistics)) {
            return false;
        }
        add_term(report, table, rows[k].name, &statistics);
    }
    return true;
}

/* ---- families and engines --------------------------------------------------------------------------------------------- */

enum { GROUP_TERMS = 4 };

/* Four terms of a group, each with their number, and either the median of their errors or how many are exact. */
struct group_table {
    enum tn_term terms[GROUP_TERMS];
    bool counts_exact[GROUP_TERMS];
    struct tn_column columns[1 + 2 * GROUP_TERMS];
};

static const struct group_table group_tables[] = {
    {{TN_TERM_WEIGHTS, TN_TERM_ACTIVATION, TN_TERM_KV_POOL, TN_TERM_KV_TOKENS_GIVEN_POOL},
     {false, false, false, true},
     {{"", "group", false, 0},
      {"weights", "weights_n", true, 0},
      {"median %", "weights_median_abs_pct", true, PCT_DECIMALS},
      {"activation", "activation_n", true, 0},
      {"median %", "activation_median_abs_pct", true, PCT_DECIMALS},
      {"kv_pool", "kv_pool_n", true, 0},
      {"median %", "kv_pool_median_abs_pct", true, PCT_DECIMALS},
      {"tokens given pool", "given_pool_n", true, 0},
      {"exact", "given_pool_exact", true, 0}}},
    {{TN_TERM_MODEL, TN_TERM_KV, TN_TERM_COMPUTE, TN_TERM_COMPUTE},
     {true, true, true, false},
     {{"", "group", false, 0},
      {"model", "model_n", true, 0},
      {"exact", "model_exact", true, 0},
      {"kv", "kv_n", true, 0},
      {"exact", "kv_exact", true, 0},
      {"compute", "compute_n", true, 0},
      {"exact", "compute_exact", true, 0},
      {"compute", "compute_n", true, 0},
      {"median %", "compute_median_abs_pct", true, PCT_DECIMALS}}},
};

static bool add_group(const struct tn_score *score, const struct group_table *kind, struct tn_str name,
                      struct tn_selection selection, struct tn_report *report, struct tn_table *table)
{
    struct tn_statistics statistics[GROUP_TERMS];
    size_t records = 0;
    for (size_t k = 0; k < GROUP_TERMS; k++) {
        if (!tn_score_statistics(score, kind->terms[k], &selection, &statistics[k])) {
            return false;
        }
        records += statistics[k].n;
    }
    struct tn_cell *cells = records ? tn_table_row(report, table) : NULL;
    for (size_t k = 0; cells && k < GROUP_TERMS; k++) {
        struct tn_cell *cell = &cells[1 + 2 * k];
        cells[0] = tn_cell_text(name);
        if (statistics[k].n) {
            cell[0] = tn_cell_count(statistics[k].n);
            cell[1] =
                kind->counts_exact[k] ? tn_cell_count(statistics[k].exact) : cell_pct(statistics[k].median_abs_pct);
        }
    }
    return true;
}

/* Only of the kinds of terms that the records have. */
static bool has_terms(const struct tn_score *score, const struct group_table *kind)
{
    bool found = false;
    for (size_t k = 0; k < score->count && !found; k++) {
        for (size_t place = 0; place < tn_scored_places(&score->records[k]); place++) {
            const struct tn_sample *samples = tn_scored_samples(&score->records[k], place);
            for (size_t n = 0; n < GROUP_TERMS; n++) {
                found = found || (!score->records[k].why.size && samples[kind->terms[n]].state == TN_SAMPLE_SCORED);
            }
        }
    }
    return found;
}

static bool add_groups_of(const struct tn_score *score, struct tn_report *report, const struct group_table *kind,
                          bool by_engine)
{
    size_t count;
    struct tn_str *groups = tn_score_groups(score, by_engine, &count);
    struct tn_table *table = tn_report_table(report, by_engine ? "By engine and version" : "By architecture",
                                             kind->columns, sizeof kind->columns / sizeof kind->columns[0]);
    bool done = groups != NULL;
    for (size_t k = 0; done && table && k < count; k++) {
        struct tn_selection selection = {0};
        *(by_engine ? &selection.engine : &selection.family) = groups[k];
        done = add_group(score, kind, groups[k], selection, report, table);
    }
    return done;
}

static bool add_groups(const struct tn_score *score, struct tn_report *report, bool by_engine)
{
    bool done = true;
    for (size_t k = 0; done && k < sizeof group_tables / sizeof group_tables[0]; k++) {
        done = !has_terms(score, &group_tables[k]) || add_groups_of(score, report, &group_tables[k], by_engine);
    }
    return done;
}

/* ---- single records --------------------------------------------------------------------------------------------------- */

/* A record's sample of a term, of its rank or of one of its devices. */
struct found {
    const struct tn_scored *record; /* NULL: none */
    size_t place;
};

static const struct tn_sample *sample_of(struct found found, enum tn_term term)
{
    return &tn_scored_samples(found.record, found.place)[term];
}

static bool has_term(struct found found, enum tn_term term)
{
    return !found.record->why.size && sample_of(found, term)->state == TN_SAMPLE_SCORED;
}

static struct tn_cell cell_amount(enum tn_term term, double amount)
{
    bool is_count = term == TN_TERM_KV_TOKENS || term == TN_TERM_KV_TOKENS_GIVEN_POOL;
    uint64_t number = rounded(amount);
    return is_count ? tn_cell_count(number) : tn_cell_bytes(number);
}

/* "lc-030 CUDA1" */
static struct tn_cell cell_name(struct tn_report *report, struct found found)
{
    const struct tn_measured_device *device = tn_scored_device(found.record, found.place);
    struct tn_builder text = {0};
    if (!device) {
        return tn_cell_text(found.record->measurement->id);
    }
    tn_builder_add(&text, found.record->measurement->id);
    tn_builder_add_char(&text, ' ');
    tn_builder_add(&text, device->name);
    return tn_cell_text(tn_report_keep(report, &text));
}

static void add_record(struct tn_report *report, struct tn_table *table, struct found found, enum tn_term term)
{
    const struct tn_sample *sample = sample_of(found, term);
    struct tn_cell name = cell_name(report, found);
    struct tn_cell error = cell_signed(report, tn_sample_error_pct(sample));
    struct tn_cell *cells = tn_table_row(report, table);
    if (cells) {
        cells[0] = tn_cell_text(tn_str_of(tn_term_names[term]));
        cells[1] = name;
        cells[2] = cell_amount(term, sample->measured);
        cells[3] = cell_amount(term, sample->predicted);
        cells[4] = error;
    }
}

static const struct tn_column record_columns[] = {
    {"term", "term", false, 0},          {"record", "id", false, 0},        {"measured", "measured", true, 0},
    {"predicted", "predicted", true, 0}, {"error %", "error_pct", true, 0},
};

enum { RECORD_COLUMNS = sizeof record_columns / sizeof record_columns[0] };

/* The sample with the largest error of a term that is not shown yet; none where there are no more. */
static struct found next_worst(const struct tn_score *score, enum tn_term term, const struct found *shown, size_t count)
{
    struct found worst = {0};
    for (size_t k = 0; k < score->count; k++) {
        for (size_t place = 0; place < tn_scored_places(&score->records[k]); place++) {
            struct found found = {&score->records[k], place};
            bool is_missed = has_term(found, term) && !sample_of(found, term)->exact;
            for (size_t n = 0; n < count; n++) {
                is_missed = is_missed && (shown[n].record != found.record || shown[n].place != place);
            }
            if (is_missed
                && (!worst.record
                    || fabs(tn_sample_error_pct(sample_of(found, term)))
                           > fabs(tn_sample_error_pct(sample_of(worst, term))))) {
                worst = found;
            }
        }
    }
    return worst;
}

static void add_worst(const struct tn_score *score, struct tn_report *report)
{
    struct tn_table *table = tn_report_table(report, "Worst cases", record_columns, RECORD_COLUMNS);
    for (int term = 0; table && term < TN_TERM_COUNT; term++) {
        struct found shown[WORST];
        for (size_t count = 0; count < WORST; count++) {
            shown[count] = next_worst(score, (enum tn_term)term, shown, count);
            if (!shown[count].record) {
                break;
            }
            add_record(report, table, shown[count], (enum tn_term)term);
        }
    }
}

static void add_details(const struct tn_score *score, struct tn_report *report)
{
    struct tn_table *table = tn_report_table(report, "Records", record_columns, RECORD_COLUMNS);
    for (size_t k = 0; table && k < score->count; k++) {
        for (size_t place = 0; place < tn_scored_places(&score->records[k]); place++) {
            struct found found = {&score->records[k], place};
            for (int term = 0; term < TN_TERM_COUNT; term++) {
                if (has_term(found, (enum tn_term)term)) {
                    add_record(report, table, found, (enum tn_term)term);
                }
            }
        }
    }
}

/* ---- all together ----------------------------------------------------------------------------------------------------- */

static void add_verdicts(const struct tn_score *score, struct tn_report *report)
{
    struct tn_verdicts verdicts;
    tn_score_verdicts(score, &verdicts);
    bool is_clean = !verdicts.false_fits && !verdicts.false_refusals;
    tn_report_text(report, TN_BLOCK_TEXT, is_clean ? TN_TONE_GOOD : TN_TONE_BAD,
                   "Verdicts: of %zu starts, %zu failed. %zu of these are called fitting; %zu of the others are called "
                   "not fitting. %zu are called unsure.",
                   verdicts.n, verdicts.failed, verdicts.false_fits, verdicts.false_refusals, verdicts.unsure);
}

bool tn_score_report(const struct tn_score *score, struct tn_report *report)
{
    size_t scored = 0;
    for (size_t k = 0; k < score->count; k++) {
        scored += !score->records[k].why.size;
    }
    report->title = TN_STR("Score");
    tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "%zu of %zu records are scored.", scored, score->count);
    bool done = !scored || add_terms(score, report);
    if (done && scored) {
        add_verdicts(score, report);
        done = add_groups(score, report, false) && add_groups(score, report, true);
        add_worst(score, report);
    }
    if (score->wants_details) {
        add_details(score, report);
    }
    tn_score_report_listed(score, report);
    return done;
}
