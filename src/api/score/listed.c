/* What was not scored, for people: records that share a reason on one row, and one note for each term and reason. */
#include "api/score/score.h"

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

/* How many samples of a term are left out for that reason (static texts, which are the same), and the record of the first of them. */
static size_t count_left_out(const struct tn_score *score, int term, const char *why, const struct tn_scored **first)
{
    size_t count = 0;
    for (size_t k = 0; k < score->count; k++) {
        const struct tn_scored *record = &score->records[k];
        for (size_t place = 0; !record->why.size && place < tn_scored_places(record); place++) {
            const struct tn_sample *sample = &tn_scored_samples(record, place)[term];
            if (sample->state == TN_SAMPLE_LEFT_OUT && sample->why == why) {
                *first = count++ ? *first : record;
            }
        }
    }
    return count;
}

/* The reasons of one record, but for those that an earlier one has too. */
static void add_reasons(const struct tn_score *score, struct tn_report *report, const struct tn_scored *record,
                        int term)
{
    const struct tn_measurement *measurement = record->measurement;
    const char *said = NULL;
    for (size_t place = 0; !record->why.size && place < tn_scored_places(record); place++) {
        const struct tn_sample *sample = &tn_scored_samples(record, place)[term];
        bool is_new = sample->state == TN_SAMPLE_LEFT_OUT && sample->why != said;
        const struct tn_scored *first = NULL;
        size_t count = is_new ? count_left_out(score, term, sample->why, &first) : 0;
        if (first == record) {
            said = sample->why;
            tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM,
                           TN_STR_FORMAT " (" TN_STR_FORMAT ":%u)%s: %s is left out: %s",
                           TN_STR_ARGUMENTS(measurement->id), TN_STR_ARGUMENTS(file_name(measurement->file)),
                           measurement->line, count > 1 ? " and others" : "", tn_term_names[term], said);
        }
    }
}

void tn_score_report_listed(const struct tn_score *score, struct tn_report *report)
{
    add_unresolved(score, report);
    for (int term = 0; term < TN_TERM_COUNT; term++) {
        for (size_t k = 0; k < score->count; k++) {
            add_reasons(score, report, &score->records[k], term);
        }
    }
}
