/* Adding samples to a curve. */
#include "host/measure/curve.h"

static void halve(struct tn_curve *curve)
{
    for (size_t k = 0; k < curve->count / 2; k++) {
        struct tn_run_point first = curve->points[2 * k];
        struct tn_run_point second = curve->points[2 * k + 1];
        curve->points[k] = (struct tn_run_point){first.ms, first.bytes > second.bytes ? first.bytes : second.bytes};
    }
    curve->count /= 2;
    curve->samples_per_point *= 2;
    curve->samples_in_last = curve->samples_per_point;
}

void tn_curve_add(struct tn_curve *curve, uint64_t ms, uint64_t bytes)
{
    bool is_first = !curve->samples_per_point;
    if (is_first) {
        curve->samples_per_point = curve->samples_in_last = 1;
    }
    if (is_first || bytes > curve->peak.bytes) {
        curve->peak = (struct tn_run_point){ms, bytes};
    }
    if (curve->samples_in_last < curve->samples_per_point) {
        struct tn_run_point *last = &curve->points[curve->count - 1];
        last->bytes = bytes > last->bytes ? bytes : last->bytes;
        curve->samples_in_last++;
        return;
    }
    if (curve->count == TN_CURVE_POINTS) {
        halve(curve);
    }
    curve->points[curve->count++] = (struct tn_run_point){ms, bytes};
    curve->samples_in_last = 1;
}
