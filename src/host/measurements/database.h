/* The file in which measurements are kept: $XDG_DATA_HOME/tonnage/measurements.db, or ~/.local/share/tonnage/measurements.db. A change is one
 * transaction of SQLite, so that other writers and a kill at any moment leave it whole. */
#ifndef TN_HOST_MEASUREMENTS_DATABASE_H
#define TN_HOST_MEASUREMENTS_DATABASE_H

#include "api/calibrate/store.h"

/* {0} is closed. */
struct tn_run_database {
    struct tn_arena arena;       /* of what was read */
    struct tn_kept_key last_key; /* of the plan before, which often is that of the next */
    struct tn_kept_runs last;
    bool has_last;
};

/* As tn_run_store; context is a struct tn_run_database. */
bool tn_run_database_read(void *context, const struct tn_kept_key *key, bool is_brief, struct tn_kept_runs *runs,
                          struct tn_error *error);
bool tn_run_database_keep(void *context, const struct tn_kept_runs *runs, struct tn_kept_change *change,
                          struct tn_error *error);
bool tn_run_database_forget(void *context, const struct tn_str *ids, size_t count, struct tn_kept_change *change,
                            struct tn_error *error);
void tn_run_database_close(struct tn_run_database *database);

#endif
