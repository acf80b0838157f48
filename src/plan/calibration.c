/* The statistical rule. Of n exchangeable deployments the next one lies within the smallest and the largest residual of them with probability
 * (n - 1) / (n + 1), whatever the distribution: so much is the observed range trusted, and the fitted one as much as is left. What was
 * observed is never outside of the result. */
#include "plan/calibration.h"

#include "base/map.h"

#include <math.h>

const char *const tn_fitted_term_names[TN_FITTED_COUNT] = {"activation", "non_torch", "graphs"};

static const struct tn_correction unchanged = {.low = -1, .high = 1};

enum tn_fitted_term tn_fitted_term_of(enum tn_category category, enum tn_basis basis, bool is_beside)
{
    if (basis != TN_BASIS_FITTED) {
        return TN_FITTED_COUNT;
    }
    if (category == TN_CATEGORY_GRAPHS) {
        return TN_FITTED_GRAPHS;
    }
    if (category == TN_CATEGORY_ACTIVATION && !is_beside) {
        return TN_FITTED_ACTIVATION;
    }
    bool is_non_torch = category == TN_CATEGORY_RUNTIME || category == TN_CATEGORY_COMMUNICATION;
    return is_non_torch && !is_beside ? TN_FITTED_NON_TORCH : TN_FITTED_COUNT;
}

bool tn_residual_place(const struct tn_residual *residual, double *place)
{
    double mid = (double)residual->predicted.mid;
    double below = mid - (double)residual->predicted.low;
    double above = (double)residual->predicted.high - mid;
    double away = residual->measured_bytes - mid;
    double half = away < 0 ? below : above;
    half = half > 0 ? half : fmax(below, above); /* a range that ends at its mid has the width of its other side */
    *place = half > 0 ? away / half : 0;
    return half > 0;
}

/* ---- residuals of one term ------------------------------------------------------------------------------------------ */

/* The residuals of one deployment count once in the mean, however often it was measured. */
struct deployment {
    double sum;
    size_t runs;
};

struct observed {
    struct tn_arena *scratch;
    struct tn_map names;
    struct deployment *deployments; /* [count] */
    size_t count;
    size_t runs;
    double least;
    double most;
};

/* false where memory is out. */
static bool observe(struct observed *observed, struct tn_str name, double place)
{
    uint32_t existing;
    if (!tn_map_insert(observed->scratch, &observed->names, name, (uint32_t)observed->count, &existing)) {
        return false;
    }
    struct deployment *deployment = &observed->deployments[existing == TN_MAP_NONE ? observed->count++ : existing];
    deployment->sum += place;
    deployment->runs++;
    observed->least = observed->runs ? fmin(observed->least, place) : place;
    observed->most = observed->runs ? fmax(observed->most, place) : place;
    observed->runs++;
    return true;
}

static double mean_of(const struct observed *observed)
{
    double sum = 0;
    for (size_t k = 0; k < observed->count; k++) {
        sum += observed->deployments[k].sum / (double)observed->deployments[k].runs;
    }
    return sum / (double)observed->count;
}

static struct tn_correction correction_of(const struct observed *observed)
{
    struct tn_correction correction = unchanged;
    correction.runs = observed->runs;
    correction.deployments = observed->count;
    if (!observed->runs) {
        return correction;
    }
    double n = (double)observed->count;
    double trust = observed->count >= TN_CALIBRATION_LEAST ? (n - 1) / (n + 1) : 0;
    correction.low = fmin(observed->least, trust * observed->least - (1 - trust));
    correction.high = fmax(observed->most, trust * observed->most + (1 - trust));
    correction.mid = trust * mean_of(observed);
    return correction;
}

bool tn_calibrate(const struct tn_residual *residuals, size_t count, size_t runs, struct tn_arena *scratch,
                  struct tn_calibration *calibration)
{
    calibration->runs = runs;
    for (int term = 0; term < TN_FITTED_COUNT; term++) {
        struct observed observed = {.scratch = scratch,
                                    .deployments = TN_NEW_ARRAY(scratch, struct deployment, count + 1)};
        bool done = observed.deployments != NULL;
        for (size_t k = 0; done && k < count; k++) {
            double place;
            if ((int)residuals[k].term == term && tn_residual_place(&residuals[k], &place) && isfinite(place)) {
                done = observe(&observed, residuals[k].deployment, place);
            }
        }
        if (!done) {
            return false;
        }
        calibration->corrections[term] = correction_of(&observed);
    }
    return true;
}

/* ---- applying ------------------------------------------------------------------------------------------------------- */

bool tn_correction_applies(const struct tn_correction *correction)
{
    return correction->low < unchanged.low || correction->low > unchanged.low || correction->high < unchanged.high
           || correction->high > unchanged.high || correction->mid < 0 || correction->mid > 0;
}

/* The bytes at a place of the range. */
static uint64_t bytes_at(struct tn_range fitted, double place)
{
    static const double TWO_TO_63 = 9223372036854775808.0;
    double mid = (double)fitted.mid;
    double below = mid - (double)fitted.low;
    double above = (double)fitted.high - mid;
    double half = place < 0 ? below : above;
    double bytes = mid + place * (half > 0 ? half : fmax(below, above));
    return bytes > 0 ? (bytes < TWO_TO_63 ? (uint64_t)bytes : INT64_MAX) : 0;
}

struct tn_range tn_corrected(const struct tn_correction *correction, struct tn_range fitted)
{
    return (struct tn_range){.low = bytes_at(fitted, correction->low),
                             .mid = bytes_at(fitted, correction->mid),
                             .high = bytes_at(fitted, correction->high)};
}
