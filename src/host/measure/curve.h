/* Memory over time in a bounded number of points, however long it is looked at: when there are too many, two become one, with the larger
 * figure. So no peak is lost. */
#ifndef TN_HOST_MEASURE_CURVE_H
#define TN_HOST_MEASURE_CURVE_H

#include "api/measure/run.h"

enum { TN_CURVE_POINTS = 1024 }; /* at most; an even number */

struct tn_curve {
    struct tn_run_point points[TN_CURVE_POINTS];
    size_t count;
    uint64_t samples_per_point; /* 0 before the first */
    uint64_t samples_in_last;
    struct tn_run_point peak; /* of all samples, the first where several are equal */
};

void tn_curve_add(struct tn_curve *curve, uint64_t ms, uint64_t bytes);

#endif
