/* tonnage.score/1 */
#include "api/score/score.h"

#include <math.h>

/* Four decimals: more would be of the arithmetic, not of the measurement. */
static void write_real(struct tn_json_writer *json, const char *key, double number)
{
    tn_json_key(json, key);
    tn_json_real(json, floor(number * 1e4 + 0.5) / 1e4);
}

static void write_count(struct tn_json_writer *json, const char *key, size_t number)
{
    tn_json_key(json, key);
    tn_json_u64(json, number);
}

static void write_str(struct tn_json_writer *json, const char *key, struct tn_str text)
{
    tn_json_key(json, key);
    if (text.size) {
        tn_json_string(json, text);
    } else {
        tn_json_null(json);
    }
}

/* ---- statistics ------------------------------------------------------------------------------------------------------- */

/* Fields of an object that is open. */
static void write_statistics(struct tn_json_writer *json, const struct tn_statistics *statistics)
{
    const struct {
        const char *key;
        double number;
    } rows[] = {
        {"median_abs_pct", statistics->median_abs_pct},
        {"p90_abs_pct", statistics->p90_abs_pct},
        {"max_abs_pct", statistics->max_abs_pct},
        {"bias_pct", statistics->bias_pct},
        {"within_range_pct", statistics->within_range_pct},
        {"median_range_pct", statistics->median_range_pct},
        {"family_median_abs_pct", statistics->family_median_abs_pct},
    };
    write_count(json, "n", statistics->n);
    write_count(json, "exact", statistics->exact);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if (statistics->n) {
            write_real(json, rows[k].key, rows[k].number);
        } else {
            tn_json_key(json, rows[k].key);
            tn_json_null(json);
        }
    }
}

static bool write_pools(struct tn_json_writer *json, const struct tn_score *score, struct tn_selection selection)
{
    static const struct {
        const char *key;
        int pool_size;
    } rows[] = {{"large_pools", 1}, {"small_pools", -1}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_statistics statistics;
        selection.pool_size = rows[k].pool_size;
        if (!tn_score_statistics(score, TN_TERM_KV_POOL, &selection, &statistics)) {
            return false;
        }
        tn_json_key(json, rows[k].key);
        tn_json_begin_object(json);
        write_statistics(json, &statistics);
        if (statistics.n) {
            write_real(json, "median_abs_gib", statistics.median_abs / 0x1p30);
        } else {
            tn_json_key(json, "median_abs_gib");
            tn_json_null(json);
        }
        tn_json_end_object(json);
    }
    return true;
}

/* Of llama.cpp: its GPUs, and the memory of the host. */
static bool write_devices(struct tn_json_writer *json, const struct tn_score *score, enum tn_term term,
                          struct tn_selection selection)
{
    static const struct {
        const char *key;
        int device;
    } rows[] = {{"gpu", 1}, {"host", -1}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_statistics statistics;
        selection.device = rows[k].device;
        if (!tn_score_statistics(score, term, &selection, &statistics)) {
            return false;
        }
        tn_json_key(json, rows[k].key);
        tn_json_begin_object(json);
        write_statistics(json, &statistics);
        tn_json_end_object(json);
    }
    return true;
}

/* Fields of an object that is open, one per term; those that no record has only where all are wanted. */
static bool write_terms(struct tn_json_writer *json, const struct tn_score *score, struct tn_selection selection,
                        bool wants_all)
{
    bool done = true;
    for (int term = 0; done && term < TN_TERM_COUNT; term++) {
        struct tn_statistics statistics;
        done = tn_score_statistics(score, (enum tn_term)term, &selection, &statistics);
        if (!done || !(statistics.n || wants_all)) {
            continue;
        }
        tn_json_key(json, tn_term_names[term]);
        tn_json_begin_object(json);
        write_statistics(json, &statistics);
        done = (term != TN_TERM_KV_POOL || write_pools(json, score, selection))
               && (term < TN_TERM_FIRST_OF_DEVICES || write_devices(json, score, (enum tn_term)term, selection));
        tn_json_end_object(json);
    }
    return done;
}

static bool write_groups(struct tn_json_writer *json, const struct tn_score *score, const char *key, bool by_engine)
{
    size_t count;
    struct tn_str *groups = tn_score_groups(score, by_engine, &count);
    bool done = groups != NULL;
    tn_json_key(json, key);
    tn_json_begin_object(json);
    for (size_t k = 0; done && k < count; k++) {
        struct tn_selection selection = {0};
        *(by_engine ? &selection.engine : &selection.family) = groups[k];
        tn_json_key_str(json, groups[k]);
        tn_json_begin_object(json);
        done = write_terms(json, score, selection, false);
        tn_json_end_object(json);
    }
    tn_json_end_object(json);
    return done;
}

/* ---- records ---------------------------------------------------------------------------------------------------------- */

static void write_place(struct tn_json_writer *json, const struct tn_measurement *measurement)
{
    write_str(json, "id", measurement->id);
    write_str(json, "file", measurement->file);
    write_count(json, "line", measurement->line);
}

static void write_unresolved(struct tn_json_writer *json, const struct tn_score *score)
{
    tn_json_key(json, "unresolved");
    tn_json_begin_list(json);
    for (size_t k = 0; k < score->count; k++) {
        const struct tn_scored *record = &score->records[k];
        if (record->why.size) {
            tn_json_begin_object(json);
            write_place(json, record->measurement);
            write_str(json, "why", record->why);
            tn_json_end_object(json);
        }
    }
    tn_json_end_list(json);
}

/* Terms of records that are scored otherwise. */
static void write_left_out(struct tn_json_writer *json, const struct tn_scored *record, size_t place)
{
    const struct tn_measured_device *device = tn_scored_device(record, place);
    for (int term = 0; term < TN_TERM_COUNT; term++) {
        const struct tn_sample *sample = &tn_scored_samples(record, place)[term];
        if (sample->state == TN_SAMPLE_LEFT_OUT) {
            tn_json_begin_object(json);
            write_place(json, record->measurement);
            write_str(json, "term", tn_str_of(tn_term_names[term]));
            if (device) {
                write_str(json, "device", device->name);
            }
            write_str(json, "why", tn_str_of(sample->why));
            tn_json_end_object(json);
        }
    }
}

static void write_all_left_out(struct tn_json_writer *json, const struct tn_score *score)
{
    tn_json_key(json, "left_out");
    tn_json_begin_list(json);
    for (size_t k = 0; k < score->count; k++) {
        const struct tn_scored *record = &score->records[k];
        for (size_t place = 0; !record->why.size && place < tn_scored_places(record); place++) {
            write_left_out(json, record, place);
        }
    }
    tn_json_end_list(json);
}

static void write_sample(struct tn_json_writer *json, const struct tn_sample *sample)
{
    tn_json_begin_object(json);
    write_real(json, "measured", sample->measured);
    write_real(json, "rounding", sample->rounding);
    write_real(json, "predicted", sample->predicted);
    write_real(json, "low", sample->low);
    write_real(json, "high", sample->high);
    write_real(json, "error_pct", tn_sample_error_pct(sample));
    tn_json_key(json, "exact");
    tn_json_boolean(json, sample->exact);
    tn_json_end_object(json);
}

static void write_start(struct tn_json_writer *json, const struct tn_scored *record)
{
    static const char *const calls[] = {
        [TN_CALL_FITS] = "fits", [TN_CALL_UNSURE] = "unsure", [TN_CALL_DOES_NOT_FIT] = "does not fit"};
    enum tn_outcome outcome = record->measurement->outcome;
    tn_json_key(json, "started");
    if (outcome == TN_OUTCOME_UNKNOWN) {
        tn_json_null(json);
    } else {
        tn_json_boolean(json, outcome == TN_OUTCOME_STARTED);
    }
    write_str(json, "why_not", record->measurement->outcome_why);
    tn_json_key(json, "predicted");
    tn_json_text(json, record->is_judged ? calls[record->call] : NULL);
    write_str(json, "complaint", record->complaint);
}

static void write_samples(struct tn_json_writer *json, const struct tn_sample *samples)
{
    tn_json_key(json, "terms");
    tn_json_begin_object(json);
    for (int term = 0; term < TN_TERM_COUNT; term++) {
        if (samples[term].state == TN_SAMPLE_SCORED) {
            tn_json_key(json, tn_term_names[term]);
            write_sample(json, &samples[term]);
        }
    }
    tn_json_end_object(json);
}

static void write_record_devices(struct tn_json_writer *json, const struct tn_scored *record)
{
    tn_json_key(json, "devices");
    tn_json_begin_list(json);
    for (size_t place = 1; place < tn_scored_places(record); place++) {
        tn_json_begin_object(json);
        write_str(json, "device", tn_scored_device(record, place)->name);
        write_samples(json, tn_scored_samples(record, place));
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

static void write_record(struct tn_json_writer *json, const struct tn_scored *record)
{
    static const char *const bases[] = {"given", "inferred", "unknown"};
    tn_json_begin_object(json);
    write_place(json, record->measurement);
    write_str(json, "model", record->model);
    tn_json_key(json, "model_is_derived");
    tn_json_boolean(json, record->is_derived);
    write_str(json, "family", record->family);
    write_str(json, "engine", record->engine);
    write_str(json, "version_basis", tn_str_of(bases[record->measurement->version_basis]));
    write_start(json, record);
    write_samples(json, record->samples);
    if (record->device_count) {
        write_record_devices(json, record);
    }
    tn_json_end_object(json);
}

static void write_details(struct tn_json_writer *json, const struct tn_score *score)
{
    tn_json_key(json, "details");
    tn_json_begin_list(json);
    for (size_t k = 0; k < score->count; k++) {
        if (!score->records[k].why.size) {
            write_record(json, &score->records[k]);
        }
    }
    tn_json_end_list(json);
}

/* ---- all together ----------------------------------------------------------------------------------------------------- */

static void write_verdicts(struct tn_json_writer *json, const struct tn_score *score)
{
    struct tn_verdicts verdicts;
    tn_score_verdicts(score, &verdicts);
    tn_json_key(json, "verdicts");
    tn_json_begin_object(json);
    write_count(json, "n", verdicts.n);
    write_count(json, "failed", verdicts.failed);
    write_count(json, "false_fits", verdicts.false_fits);
    write_count(json, "false_refusals", verdicts.false_refusals);
    write_count(json, "unsure", verdicts.unsure);
    tn_json_end_object(json);
}

bool tn_score_json(const struct tn_score *score, struct tn_builder *out)
{
    struct tn_json_writer json = {.builder = out, .indented = true};
    size_t scored = 0;
    for (size_t k = 0; k < score->count; k++) {
        scored += !score->records[k].why.size;
    }
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.score/1");
    write_count(&json, "records", score->count);
    write_count(&json, "scored", scored);
    write_unresolved(&json, score);
    write_all_left_out(&json, score);
    tn_json_key(&json, "terms");
    tn_json_begin_object(&json);
    bool done = write_terms(&json, score, (struct tn_selection){0}, true);
    tn_json_end_object(&json);
    done = done && write_groups(&json, score, "families", false) && write_groups(&json, score, "versions", true);
    write_verdicts(&json, score);
    if (score->wants_details) {
        write_details(&json, score);
    }
    tn_json_end_object(&json);
    tn_builder_add_char(out, '\n');
    return done;
}
