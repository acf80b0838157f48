/* score: predictions against measured records. Reads the files, takes record by record, and answers. */
#include "api/score/score.h"

#include "plan/ledger.h"

static bool read_file(const struct tn_session *session, const struct tn_request *request, struct tn_str path,
                      struct tn_measurements *list, struct tn_error *error)
{
    struct tn_str text;
    if (!session->reader) {
        tn_fail(error, TN_ERROR_UNREADABLE, "files cannot be read here");
        return tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(path));
    }
    return session->reader->read(session->reader->context, path, &text, error)
           && tn_measurements_read(request->arena, session->catalog, text, path, list, error);
}

bool tn_read_records(const struct tn_session *session, const struct tn_request *request, struct tn_measurements *list,
                     struct tn_error *error)
{
    const struct tn_input_value *paths = &request->values[TN_INPUT_RECORDS];
    if (!paths->item_count) {
        tn_fail(error, TN_ERROR_USAGE, "no RECORDS.jsonl given");
        return tn_fail_hint(error, "name files of measured records; docs/measured.md describes them");
    }
    for (size_t k = 0; k < paths->item_count; k++) {
        if (!read_file(session, request, paths->items[k], list, error)) {
            return false;
        }
    }
    return list->count || tn_fail(error, TN_ERROR_UNREADABLE, "there are no records in the files");
}

static bool score_all(const struct tn_session *session, const struct tn_request *request,
                      const struct tn_measurements *list, struct tn_score *score, struct tn_error *error)
{
    struct tn_arena scratch = {0};
    bool done = true;
    score->records = TN_NEW_ARRAY(score->arena, struct tn_scored, list->count);
    if (!score->records) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; done && k < list->count; k++) {
        if (session->watcher) {
            session->watcher->show(session->watcher->context, k, list->count);
        }
        done = tn_score_record(session, request, &list->items[k], score->arena, &scratch, &score->records[k], error);
        score->count += done;
    }
    tn_arena_free(&scratch);
    return done;
}

bool tn_run_score(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                  struct tn_error *error)
{
    struct tn_measurements list = {0};
    struct tn_score score = {.arena = &result->arena, .wants_details = request->values[TN_INPUT_DETAILS].flag};
    if (!tn_read_records(session, request, &list, error) || !score_all(session, request, &list, &score, error)) {
        return false;
    }
    return (tn_score_json(&score, &result->json) && tn_score_report(&score, &result->report)) || tn_fail_memory(error);
}
