/* The answer of `score` for people: what was met, what was missed by how much, and where. */
#include "api/score.h"

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
    } rows[] = {
        {"weights", TN_TERM_WEIGHTS, 0},
        {"activation", TN_TERM_ACTIVATION, 0},
        {"non_torch", TN_TERM_NON_TORCH, 0},
        {"graphs", TN_TERM_GRAPHS, 0},
        {"kv_pool", TN_TERM_KV_POOL, 0},
        {"  large pools", TN_TERM_KV_POOL, 1},
        {"  small pools", TN_TERM_KV_POOL, -1},
        {"kv_tokens", TN_TERM_KV_TOKENS, 0},
        {"kv_tokens_given_pool", TN_TERM_KV_TOKENS_GIVEN_POOL, 0},
        {"total", TN_TERM_TOTAL, 0},
    };
    struct tn_table *table = tn_report_table(report, "Terms of the start-up, predicted beside measured", term_columns,
                                             sizeof term_columns / sizeof term_columns[0]);
    for (size_t k = 0; table && k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_statistics statistics;
        struct tn_selection selection = {.pool_size = rows[k].pool_size};
        if (!tn_score_statistics(score, rows[k].term, &selection, &statistics)) {
            return false;
        }
        add_term(report, table, rows[k].name, &statistics);
    }
    return true;
}

/* ---- families and engines --------------------------------------------------------------------------------------------- */

static bool add_groups(const struct tn_score *score, struct tn_report *report, bool by_engine)
{
    static const enum tn_term terms[] = {TN_TERM_WEIGHTS, TN_TERM_ACTIVATION, TN_TERM_KV_POOL,
                                         TN_TERM_KV_TOKENS_GIVEN_POOL};
    static const struct tn_column columns[] = {
        {"", "group", false, 0},
        {"weights", "weights_n", true, 0},
        {"median %", "weights_median_abs_pct", true, PCT_DECIMALS},
        {"activation", "activation_n", true, 0},
        {"median %", "activation_median_abs_pct", true, PCT_DECIMALS},
        {"kv_pool", "kv_pool_n", true, 0},
        {"median %", "kv_pool_median_abs_pct", true, PCT_DECIMALS},
        {"tokens given pool", "given_pool_n", true, 0},
        {"exact", "given_pool_exact", true, 0},
    };
    enum { TERMS = sizeof terms / sizeof terms[0] };
    size_t count;
    struct tn_str *groups = tn_score_groups(score, by_engine, &count);
    struct tn_table *table = tn_report_table(report, by_engine ? "By engine and version" : "By architecture", columns,
                                             sizeof columns / sizeof columns[0]);
    for (size_t k = 0; groups && table && k < count; k++) {
        struct tn_selection selection = {0};
        struct tn_cell *cells = tn_table_row(report, table);
        *(by_engine ? &selection.engine : &selection.family) = groups[k];
        for (size_t n = 0; cells && n < TERMS; n++) {
            struct tn_statistics statistics;
            if (!tn_score_statistics(score, terms[n], &selection, &statistics)) {
                return false;
            }
            bool is_count = terms[n] == TN_TERM_KV_TOKENS_GIVEN_POOL;
            cells[0] = tn_cell_text(groups[k]);
            cells[1 + 2 * n] = statistics.n ? tn_cell_count(statistics.n) : (struct tn_cell){0};
            cells[2 + 2 * n] = !statistics.n ? (struct tn_cell){0}
                               : is_count    ? tn_cell_count(statistics.exact)
                                             : cell_pct(statistics.median_abs_pct);
        }
    }
    return groups != NULL;
}

/* ---- single records --------------------------------------------------------------------------------------------------- */

static double error_of(const struct tn_scored *record, enum tn_term term)
{
    const struct tn_sample *sample = &record->samples[term];
    return 100 * (sample->predicted - sample->measured) / sample->measured;
}

static bool has_term(const struct tn_scored *record, enum tn_term term)
{
    return !record->why.size && record->samples[term].state == TN_SAMPLE_SCORED;
}

static struct tn_cell cell_amount(enum tn_term term, double amount)
{
    bool is_count = term == TN_TERM_KV_TOKENS || term == TN_TERM_KV_TOKENS_GIVEN_POOL;
    uint64_t number = rounded(amount);
    return is_count ? tn_cell_count(number) : tn_cell_bytes(number);
}

static void add_record(struct tn_report *report, struct tn_table *table, const struct tn_scored *record,
                       enum tn_term term)
{
    struct tn_cell error = cell_signed(report, error_of(record, term));
    struct tn_cell *cells = tn_table_row(report, table);
    if (cells) {
        cells[0] = tn_cell_text(tn_str_of(tn_term_names[term]));
        cells[1] = tn_cell_text(record->measurement->id);
        cells[2] = cell_amount(term, record->samples[term].measured);
        cells[3] = cell_amount(term, record->samples[term].predicted);
        cells[4] = error;
    }
}

static const struct tn_column record_columns[] = {
    {"term", "term", false, 0},          {"record", "id", false, 0},        {"measured", "measured", true, 0},
    {"predicted", "predicted", true, 0}, {"error %", "error_pct", true, 0},
};

enum { RECORD_COLUMNS = sizeof record_columns / sizeof record_columns[0] };

/* The records with the largest errors of a term, those below a given error; NULL where there are no more. */
static const struct tn_scored *next_worst(const struct tn_score *score, enum tn_term term,
                                          const struct tn_scored *const *shown, size_t count)
{
    const struct tn_scored *worst = NULL;
    for (size_t k = 0; k < score->count; k++) {
        const struct tn_scored *record = &score->records[k];
        bool is_shown = false;
        for (size_t n = 0; n < count; n++) {
            is_shown = is_shown || shown[n] == record;
        }
        if (!is_shown && has_term(record, term) && !record->samples[term].exact
            && (!worst || fabs(error_of(record, term)) > fabs(error_of(worst, term)))) {
            worst = record;
        }
    }
    return worst;
}

static void add_worst(const struct tn_score *score, struct tn_report *report)
{
    struct tn_table *table = tn_report_table(report, "Worst cases", record_columns, RECORD_COLUMNS);
    for (int term = 0; table && term < TN_TERM_COUNT; term++) {
        const struct tn_scored *shown[WORST];
        for (size_t count = 0; count < WORST; count++) {
            shown[count] = next_worst(score, (enum tn_term)term, shown, count);
            if (!shown[count]) {
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
        for (int term = 0; term < TN_TERM_COUNT; term++) {
            if (has_term(&score->records[k], (enum tn_term)term)) {
                add_record(report, table, &score->records[k], (enum tn_term)term);
            }
        }
    }
}

/* ---- what was not scored ---------------------------------------------------------------------------------------------- */

static struct tn_str file_name(struct tn_str path)
{
    size_t start = path.size;
    while (start > 0 && path.data[start - 1] != '/') {
        start--;
    }
    return tn_str_slice(path, start, path.size);
}

/* Records that share a reason, on one row, with the first of them. */
static void add_unresolved(const struct tn_score *score, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"records", "n", true, 0}, {"why", "why", false, 0}, {"the first", "id", false, 0}};
    struct tn_table *table = NULL;
    for (size_t k = 0; k < score->count; k++) {
        struct tn_str why = score->records[k].why;
        struct tn_builder ids = {0};
        size_t count = 0;
        bool is_first = why.size > 0;
        for (size_t n = 0; n < k && is_first; n++) {
            is_first = !tn_str_equal(score->records[n].why, why);
        }
        for (size_t n = k; n < score->count && is_first; n++) {
            count += tn_str_equal(score->records[n].why, why);
        }
        if (is_first) {
            const struct tn_measurement *measurement = score->records[k].measurement;
            tn_builder_addf(&ids, TN_STR_FORMAT ", " TN_STR_FORMAT ":%u%s", TN_STR_ARGUMENTS(measurement->id),
                            TN_STR_ARGUMENTS(file_name(measurement->file)), measurement->line, count > 1 ? " ..." : "");
        }
        struct tn_str which = tn_report_keep(report, &ids);
        table = is_first && !table ? tn_report_table(report, "Not scored", columns, 3) : table;
        struct tn_cell *cells = is_first && table ? tn_table_row(report, table) : NULL;
        if (cells) {
            cells[0] = tn_cell_count(count);
            cells[1] = tn_cell_text(why);
            cells[2] = tn_cell_text(which);
        }
    }
}

static void add_left_out(const struct tn_score *score, struct tn_report *report)
{
    for (size_t k = 0; k < score->count; k++) {
        const struct tn_scored *record = &score->records[k];
        for (int term = 0; term < TN_TERM_COUNT && !record->why.size; term++) {
            if (record->samples[term].state == TN_SAMPLE_LEFT_OUT) {
                tn_report_text(
                    report, TN_BLOCK_NOTE, TN_TONE_DIM, TN_STR_FORMAT " (" TN_STR_FORMAT ":%u): %s is left out: %s",
                    TN_STR_ARGUMENTS(record->measurement->id), TN_STR_ARGUMENTS(file_name(record->measurement->file)),
                    record->measurement->line, tn_term_names[term], record->samples[term].why);
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
    add_unresolved(score, report);
    add_left_out(score, report);
    return done;
}
