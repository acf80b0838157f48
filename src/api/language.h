/* The language of what people read: English, or a record of data/language in which what was said is said again. */
#ifndef TN_API_LANGUAGE_H
#define TN_API_LANGUAGE_H

#include "api/operations.h"

/* The phrases of the language that the request asks for; none for English. Errors: TN_ERROR_RECORD, TN_ERROR_MEMORY. */
bool tn_language_open(const struct tn_session *session, const struct tn_request *request, struct tn_arena *arena,
                      struct tn_phrases *phrases, struct tn_error *error);

/* All of a report but commands, outputs of programs and texts that are counted. */
void tn_report_say(struct tn_report *report, const struct tn_phrases *phrases);

#endif
