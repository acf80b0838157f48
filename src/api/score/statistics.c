/* Numbers over many records: medians, shares, the largest error; all records alike, and families alike. */
#include "api/score/score.h"

#include <math.h>
#include <stdlib.h>

static int compare_doubles(double a, double b)
{
    return (a > b) - (a < b);
}

static int by_error(const void *a, const void *b)
{
    return compare_doubles(fabs(((const struct tn_point *)a)->error_pct),
                           fabs(((const struct tn_point *)b)->error_pct));
}

static int by_range(const void *a, const void *b)
{
    return compare_doubles(((const struct tn_point *)a)->range_pct, ((const struct tn_point *)b)->range_pct);
}

static int by_abs_error(const void *a, const void *b)
{
    return compare_doubles(((const struct tn_point *)a)->abs_error, ((const struct tn_point *)b)->abs_error);
}

static size_t size_of_family(const struct tn_point *points, size_t count, struct tn_str family)
{
    size_t size = 0;
    for (size_t k = 0; k < count; k++) {
        size += tn_str_equal(points[k].family, family);
    }
    return size;
}

/* The weighted median of points sorted by error: each family weighs 1, shared by its records. */
static double family_median(const struct tn_point *points, size_t count)
{
    double all = 0;
    for (size_t k = 0; k < count; k++) {
        all += 1.0 / (double)size_of_family(points, count, points[k].family);
    }
    double below = 0;
    for (size_t k = 0; k < count; k++) {
        below += 1.0 / (double)size_of_family(points, count, points[k].family);
        if (below >= all / 2 - 1e-9) {
            bool is_tie = fabs(below - all / 2) < 1e-9 && k + 1 < count;
            double here = fabs(points[k].error_pct);
            return is_tie ? (here + fabs(points[k + 1].error_pct)) / 2 : here;
        }
    }
    return 0;
}

static double abs_pct(const struct tn_point *point)
{
    return fabs(point->error_pct);
}

static double range_pct(const struct tn_point *point)
{
    return point->range_pct;
}

static double abs_error(const struct tn_point *point)
{
    return point->abs_error;
}

/* Of points sorted by that number: the mean of the two in the middle where their count is even. */
static double median(const struct tn_point *points, size_t count, double (*number)(const struct tn_point *point))
{
    return (number(&points[(count - 1) / 2]) + number(&points[count / 2])) / 2;
}

void tn_statistics_of(struct tn_point *points, size_t count, struct tn_statistics *statistics)
{
    *statistics = (struct tn_statistics){.n = count};
    if (!count) {
        return;
    }
    double sum = 0;
    size_t within = 0;
    for (size_t k = 0; k < count; k++) {
        statistics->exact += points[k].exact;
        within += points[k].is_within;
        sum += points[k].error_pct;
    }
    statistics->bias_pct = sum / (double)count;
    statistics->within_range_pct = 100.0 * (double)within / (double)count;
    qsort(points, count, sizeof *points, by_range);
    statistics->median_range_pct = median(points, count, range_pct);
    qsort(points, count, sizeof *points, by_abs_error);
    statistics->median_abs = median(points, count, abs_error);
    qsort(points, count, sizeof *points, by_error);
    statistics->median_abs_pct = median(points, count, abs_pct);
    statistics->p90_abs_pct = fabs(points[(count * 9 + 9) / 10 - 1].error_pct);
    statistics->max_abs_pct = fabs(points[count - 1].error_pct);
    statistics->family_median_abs_pct = family_median(points, count);
}

/* ---- samples ------------------------------------------------------------------------------------------------------ */

double tn_sample_error_pct(const struct tn_sample *sample)
{
    double error = sample->predicted - sample->measured;
    return sample->measured > 0 ? 100 * error / sample->measured : sample->exact ? 0 : 100;
}

size_t tn_scored_places(const struct tn_scored *record)
{
    return 1 + record->device_count;
}

const struct tn_sample *tn_scored_samples(const struct tn_scored *record, size_t place)
{
    return place ? record->devices[place - 1].samples : record->samples;
}

const struct tn_measured_device *tn_scored_device(const struct tn_scored *record, size_t place)
{
    return place ? record->devices[place - 1].measured : NULL;
}

/* ---- which records ------------------------------------------------------------------------------------------------ */

static bool is_selected(const struct tn_scored *record, size_t place, enum tn_term term,
                        const struct tn_selection *selection)
{
    const struct tn_measured_device *device = tn_scored_device(record, place);
    bool is_scored = !record->why.size && tn_scored_samples(record, place)[term].state == TN_SAMPLE_SCORED;
    bool family_fits = !selection->family.size || tn_str_equal(selection->family, record->family);
    bool engine_fits = !selection->engine.size || tn_str_equal(selection->engine, record->engine);
    bool pool_fits = !selection->pool_size || (selection->pool_size > 0) == record->has_large_pool;
    bool device_fits = !selection->device || (device && (selection->device < 0) == device->is_host);
    return is_scored && family_fits && engine_fits && pool_fits && device_fits;
}

static struct tn_point point_of(const struct tn_scored *record, const struct tn_sample *sample)
{
    return (struct tn_point){
        .error_pct = tn_sample_error_pct(sample),
        .range_pct = sample->measured > 0 ? 100 * (sample->high - sample->low) / sample->measured : 0,
        .abs_error = fabs(sample->predicted - sample->measured),
        .exact = sample->exact,
        .is_within =
            sample->measured + sample->rounding >= sample->low && sample->measured - sample->rounding <= sample->high,
        .family = record->family,
    };
}

bool tn_score_statistics(const struct tn_score *score, enum tn_term term, const struct tn_selection *selection,
                         struct tn_statistics *statistics)
{
    size_t room = 0;
    size_t count = 0;
    for (size_t k = 0; k < score->count; k++) {
        room += tn_scored_places(&score->records[k]);
    }
    struct tn_point *points = TN_NEW_ARRAY(score->arena, struct tn_point, room);
    for (size_t k = 0; points && k < score->count; k++) {
        const struct tn_scored *record = &score->records[k];
        for (size_t place = 0; place < tn_scored_places(record); place++) {
            if (is_selected(record, place, term, selection)) {
                points[count++] = point_of(record, &tn_scored_samples(record, place)[term]);
            }
        }
    }
    if (points) {
        tn_statistics_of(points, count, statistics);
    }
    return points != NULL;
}

void tn_score_verdicts(const struct tn_score *score, struct tn_verdicts *verdicts)
{
    *verdicts = (struct tn_verdicts){0};
    for (size_t k = 0; k < score->count; k++) {
        const struct tn_scored *record = &score->records[k];
        if (!record->is_judged) {
            continue;
        }
        bool failed = record->measurement->outcome == TN_OUTCOME_FAILED;
        verdicts->n++;
        verdicts->failed += failed;
        verdicts->false_fits += failed && record->call == TN_CALL_FITS;
        verdicts->false_refusals += !failed && record->call == TN_CALL_DOES_NOT_FIT;
        verdicts->unsure += record->call == TN_CALL_UNSURE;
    }
}

static int by_bytes(const void *a, const void *b)
{
    return tn_str_compare(*(const struct tn_str *)a, *(const struct tn_str *)b);
}

struct tn_str *tn_score_groups(const struct tn_score *score, bool by_engine, size_t *count)
{
    struct tn_str *groups = TN_NEW_ARRAY(score->arena, struct tn_str, score->count);
    *count = 0;
    for (size_t k = 0; groups && k < score->count; k++) {
        struct tn_str name = by_engine ? score->records[k].engine : score->records[k].family;
        bool is_new = !score->records[k].why.size && name.size;
        for (size_t n = 0; n < *count && is_new; n++) {
            is_new = !tn_str_equal(groups[n], name);
        }
        if (is_new) {
            groups[(*count)++] = name;
        }
    }
    if (groups && *count) {
        qsort(groups, *count, sizeof *groups, by_bytes);
    }
    return groups;
}
