/* The diagnosis for people: the verdict, measured beside predicted, what is wrong and what helps. */
#include "api/diagnose/diagnose.h"

#include <math.h>

static const double MOST_SHOWN = 9e18;

static uint64_t shown(double number)
{
    return number > MOST_SHOWN ? (uint64_t)MOST_SHOWN : number > 0 ? (uint64_t)(number + 0.5) : 0;
}

static bool is_bytes(const struct tn_diagnosed_term *term)
{
    return tn_str_is(tn_str_of(term->unit), "bytes");
}

/* Sizes and counts as such, so that formats for programs have them whole; what is below 0 or has decimals as a text. */
static struct tn_cell cell_amount(struct tn_report *report, const struct tn_diagnosed_term *term, double number,
                                  enum tn_units units)
{
    struct tn_builder text = {0};
    uint64_t amount = shown(fabs(number));
    if (number >= 0 && (is_bytes(term) || (double)amount == number)) {
        return is_bytes(term) ? tn_cell_bytes(amount) : tn_cell_count(amount);
    }
    tn_builder_add_text(&text, number < 0 ? "-" : "");
    if (is_bytes(term)) {
        tn_write_bytes(&text, amount, units);
    } else {
        tn_builder_add_fixed(&text, shown(fabs(number) * 100), 100, 2);
    }
    return tn_cell_text(tn_report_keep(report, &text));
}

/* ---- the verdict ------------------------------------------------------------------------------------------------------ */

static void write_engine(struct tn_builder *text, const struct tn_diagnosis *diagnosis)
{
    const struct tn_log_reading *reading = &diagnosis->reading;
    struct tn_str version = reading->logged_version.size ? reading->logged_version : reading->version;
    if (!reading->engine.size) {
        tn_builder_add_text(text, "The program");
        return;
    }
    tn_builder_add(text, reading->engine);
    if (version.size && !reading->version_is_guessed) {
        tn_builder_add_char(text, ' ');
        tn_builder_add(text, version);
    }
}

static const struct tn_finding *first_error(const struct tn_diagnosis *diagnosis)
{
    bool found = diagnosis->finding_count && diagnosis->findings[0].weight == TN_FINDING_ERROR;
    return found ? &diagnosis->findings[0] : NULL;
}

static void write_started(struct tn_builder *text, const struct tn_diagnosis *diagnosis)
{
    struct tn_figure tokens = tn_log_figure(&diagnosis->reading, TN_LOG_KV_TOKENS);
    tn_builder_add_text(text, " started");
    if (tokens.known && tokens.value > 0) {
        tn_builder_add_text(text, " with ");
        tn_builder_add_grouped(text, (uint64_t)tokens.value);
        tn_builder_add_text(text, " tokens of KV cache");
    }
    if (diagnosis->finding_count) {
        tn_builder_addf(text, "; %zu finding%s.", diagnosis->finding_count, diagnosis->finding_count == 1 ? "" : "s");
    } else {
        tn_builder_add_text(text, "; nothing to say of it.");
    }
}

static void write_verdict(struct tn_builder *text, const struct tn_diagnosis *diagnosis)
{
    const struct tn_finding *error = first_error(diagnosis);
    bool is_failed = diagnosis->outcome == TN_OUTCOME_FAILED;
    if (!diagnosis->log.known_lines) {
        tn_builder_add_text(text, "The log has no line that is known.");
        return;
    }
    write_engine(text, diagnosis);
    if (diagnosis->outcome == TN_OUTCOME_STARTED && !diagnosis->fails_running) {
        write_started(text, diagnosis);
        return;
    }
    bool is_of_engine = diagnosis->reading.engine.size > 0;
    tn_builder_add_text(text, diagnosis->fails_running    ? " started, and ended later"
                              : is_failed && is_of_engine ? " did not start"
                              : is_failed                 ? " ended"
                                                          : ": the log ends before it is known whether it starts");
    tn_builder_add_text(text, error ? ": " : ".");
    if (error) {
        tn_builder_add(text, error->message);
    }
}

struct tn_str tn_diagnose_verdict(const struct tn_diagnosis *diagnosis)
{
    struct tn_builder text = {0};
    struct tn_str verdict = {0};
    write_verdict(&text, diagnosis);
    (void)tn_str_copy(diagnosis->arena, tn_builder_str(&text), &verdict);
    tn_builder_free(&text);
    return verdict;
}

/* ---- terms ------------------------------------------------------------------------------------------------------------ */

static const struct tn_column term_columns[] = {
    {"term", "term", false, 0},        {"measured", "measured", true, 0},
    {"planned", "predicted", true, 0}, {"difference", "difference_pct", true, 0},
    {"line", "line", true, 0},
};

static struct tn_cell cell_difference(struct tn_report *report, const struct tn_diagnosed_term *term)
{
    struct tn_builder text = {0};
    double percent = term->measured != 0 ? (term->predicted - term->measured) / fabs(term->measured) * 100 : 0;
    if (term->exact) {
        return tn_cell_text(TN_STR("exact"));
    }
    uint64_t tenths = shown(fabs(percent) * 10);
    tn_builder_add_text(&text, !tenths ? "" : percent < 0 ? "-" : "+");
    tn_builder_add_fixed(&text, tenths, 10, 1);
    tn_builder_add_text(&text, " %");
    return tn_cell_text(tn_report_keep(report, &text));
}

static struct tn_cell cell_name(struct tn_report *report, const struct tn_diagnosed_term *term)
{
    struct tn_builder text = {0};
    for (const char *c = term->name; *c; c++) {
        tn_builder_add_char(&text, *c == '_' ? ' ' : *c);
    }
    if (term->device.size) {
        tn_builder_add_text(&text, " on ");
        tn_builder_add(&text, term->device);
    }
    return tn_cell_text(tn_report_keep(report, &text));
}

static void add_terms(const struct tn_diagnosis *diagnosis, struct tn_report *report)
{
    enum tn_units units = diagnosis->plan.units;
    struct tn_table *table = NULL;
    for (size_t k = 0; k < diagnosis->term_count; k++) {
        const struct tn_diagnosed_term *term = &diagnosis->terms[k];
        if (!term->is_measured) {
            continue;
        }
        table = table ? table
                      : tn_report_table(report, "Measured beside planned", term_columns,
                                        sizeof term_columns / sizeof term_columns[0]);
        struct tn_cell name = cell_name(report, term);
        struct tn_cell measured = cell_amount(report, term, term->measured, units);
        struct tn_cell predicted =
            term->is_predicted ? cell_amount(report, term, term->predicted, units) : (struct tn_cell){0};
        struct tn_cell difference = term->is_predicted ? cell_difference(report, term) : (struct tn_cell){0};
        struct tn_cell *cells = table ? tn_table_row(report, table) : NULL;
        if (cells) {
            cells[0] = name;
            cells[1] = measured;
            cells[2] = predicted;
            cells[3] = difference;
            cells[4] = term->line ? tn_cell_count(term->line) : (struct tn_cell){0};
        }
    }
}

/* ---- findings ---------------------------------------------------------------------------------------------------------- */

static const struct tn_column remedy_columns[] = {
    {"what helps", "remedy", false, 0},
    {"change", "settings", false, 0},
    {"after", "after", false, 0},
};

static struct tn_cell cell_after(const struct tn_diagnosis *diagnosis, struct tn_report *report,
                                 const struct tn_varied_plan *after)
{
    struct tn_builder text = {0};
    uint64_t memory = diagnosis->plan.question.deployment.gpu_memory_bytes;
    if (after->has_pool) {
        tn_builder_add_grouped(&text, after->pool_tokens);
        tn_builder_add_text(&text, " tokens");
    } else {
        tn_write_bytes(&text, after->worst_bytes, diagnosis->plan.units);
        tn_builder_add_text(&text, memory ? " of " : "");
        if (memory) {
            tn_write_bytes(&text, memory, diagnosis->plan.units);
        }
    }
    return tn_cell_text(tn_report_keep(report, &text));
}

/* "max_num_seqs=64, tp=4" */
static struct tn_cell cell_change(struct tn_report *report, const struct tn_diagnosed_remedy *remedy)
{
    struct tn_builder text = {0};
    struct tn_str option = remedy->option;
    struct tn_str name;
    struct tn_str value;
    while (tn_diagnosed_change(&option, &name, &value)) {
        tn_builder_add_text(&text, text.size ? ", " : "");
        tn_builder_add(&text, name);
        tn_builder_add_char(&text, '=');
        tn_builder_add(&text, value);
    }
    return tn_cell_text(tn_report_keep(report, &text));
}

static void add_remedies(const struct tn_diagnosis *diagnosis, const struct tn_finding *finding,
                         struct tn_report *report)
{
    struct tn_table *table = finding->remedy_count ? tn_report_table(report, NULL, remedy_columns,
                                                                     sizeof remedy_columns / sizeof remedy_columns[0])
                                                   : NULL;
    for (size_t k = 0; table && k < finding->remedy_count; k++) {
        const struct tn_diagnosed_remedy *remedy = &finding->remedies[k];
        struct tn_cell change = cell_change(report, remedy);
        struct tn_cell after = cell_after(diagnosis, report, &remedy->after);
        struct tn_cell *cells = tn_table_row(report, table);
        if (cells) {
            cells[0] = tn_cell_text(remedy->meaning);
            cells[1] = change;
            cells[2] = after;
        }
    }
}

static void add_finding(const struct tn_diagnosis *diagnosis, const struct tn_finding *finding,
                        struct tn_report *report)
{
    static const enum tn_tone tones[] = {TN_TONE_BAD, TN_TONE_STRONG, TN_TONE_PLAIN};
    struct tn_builder text = {0};
    tn_builder_addf(&text, "%s ", tn_finding_weight_names[finding->weight]);
    tn_builder_add(&text, finding->code);
    if (finding->line) {
        tn_builder_addf(&text, " (line %llu)", (unsigned long long)finding->line);
    }
    tn_builder_add_text(&text, ": ");
    tn_builder_add(&text, finding->message);
    struct tn_str line = tn_report_keep(report, &text);
    tn_report_text(report, TN_BLOCK_TEXT, tones[finding->weight], "%.*s", (int)line.size, line.data);
    add_remedies(diagnosis, finding, report);
}

bool tn_diagnose_report(const struct tn_diagnosis *diagnosis, struct tn_report *report)
{
    struct tn_str verdict = tn_diagnose_verdict(diagnosis);
    bool is_bad = diagnosis->outcome == TN_OUTCOME_FAILED || diagnosis->fails_running;
    bool is_good = diagnosis->outcome == TN_OUTCOME_STARTED && !is_bad;
    struct tn_str model = diagnosis->reading.model;
    report->title = TN_STR("Diagnosis");
    if (diagnosis->scored.engine.size && model.size) {
        tn_report_text(report, TN_BLOCK_HEADING, TN_TONE_PLAIN, "%.*s with %.*s", (int)model.size, model.data,
                       (int)diagnosis->scored.engine.size, diagnosis->scored.engine.data);
    }
    tn_report_text(report, TN_BLOCK_TEXT,
                   is_bad    ? TN_TONE_BAD
                   : is_good ? TN_TONE_GOOD
                             : TN_TONE_STRONG,
                   "%.*s", (int)verdict.size, verdict.data);
    add_terms(diagnosis, report);
    if (diagnosis->finding_count) {
        tn_report_text(report, TN_BLOCK_HEADING, TN_TONE_PLAIN, "Findings");
    }
    for (size_t k = 0; k < diagnosis->finding_count; k++) {
        add_finding(diagnosis, &diagnosis->findings[k], report);
    }
    tn_write_notes(report, diagnosis->notes, diagnosis->note_count);
    return !report->failed && verdict.data;
}
