/* The work of the operation `calibrate`, between its files. */
#ifndef TN_API_CALIBRATE_WORK_H
#define TN_API_CALIBRATE_WORK_H

#include "api/calibrate/calibrate.h"

/* The runs of one engine, version and GPU. */
struct tn_calibrated_group {
    struct tn_kept_key key;
    size_t runs;
    size_t deployments; /* with a figure of a fitted term */
    struct tn_calibration calibration;
};

struct tn_calibrating {
    const struct tn_session *session;
    const struct tn_request *request;
    struct tn_arena *arena; /* of the answer */
    struct tn_keeping keeping;
    size_t stale; /* of another predictor, after all that could be renewed was */
    struct tn_kept_runs runs;
    struct tn_calibrated_group *groups; /* [group_count] */
    size_t group_count;
};

void tn_calibrating_json(const struct tn_calibrating *calibrating, struct tn_builder *out);
void tn_calibrating_report(const struct tn_calibrating *calibrating, struct tn_report *report);

#endif
