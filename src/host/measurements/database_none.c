/* Where the program was built without SQLite: nothing is kept, and plans are as fitted. */
#include "host/measurements/database.h"

static bool fail_none(struct tn_error *error)
{
    tn_fail(error, TN_ERROR_DATABASE, "this tonnage was built without SQLite, which keeps measurements");
    return tn_fail_hint(error, "install libsqlite3-dev and build it again");
}

bool tn_run_database_read(void *context, const struct tn_kept_key *key, bool is_brief, struct tn_kept_runs *runs,
                          struct tn_error *error)
{
    (void)context;
    (void)key;
    *runs = (struct tn_kept_runs){0};
    return is_brief || fail_none(error);
}

bool tn_run_database_keep(void *context, const struct tn_kept_runs *runs, struct tn_kept_change *change,
                          struct tn_error *error)
{
    (void)context;
    (void)runs;
    (void)change;
    return fail_none(error);
}

bool tn_run_database_forget(void *context, const struct tn_str *ids, size_t count, struct tn_kept_change *change,
                            struct tn_error *error)
{
    (void)context;
    (void)ids;
    (void)count;
    (void)change;
    return fail_none(error);
}

void tn_run_database_close(struct tn_run_database *database)
{
    tn_arena_free(&database->arena);
}
