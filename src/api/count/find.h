/* Which tokenizer a request means. */
#ifndef TN_API_COUNT_FIND_H
#define TN_API_COUNT_FIND_H

#include "api/operations.h"
#include "tokens/tokenizer.h"

struct tn_found_tokenizer {
    struct tn_tokenizer *tokenizer; /* NULL: there is none, an estimate must do */
    struct tn_str where;            /* its file */
    struct tn_str chat_template;    /* of its model; empty where there is none */
};

/* By --tokenizer, by what a JSON request holds, or as it lies beside the model. Texts live as long as request and session.
 * Errors: those of the finder and of tn_tokenizer_open; TN_ERROR_USAGE. */
bool tn_find_tokenizer(struct tn_found_tokenizer *found, const struct tn_session *session,
                       const struct tn_request *request, struct tn_arena *arena, struct tn_error *error);

void tn_found_tokenizer_free(struct tn_found_tokenizer *found);

#endif
