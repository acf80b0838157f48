/* Counting texts of any size: cut into pieces where the tokenizer allows it, pieces at the same time, in constant memory. */
#ifndef TN_API_COUNT_TEXT_H
#define TN_API_COUNT_TEXT_H

#include "api/count/counter.h"
#include "api/count/intake.h"

/* Ids of tokens on the heap. {0} is empty. */
struct tn_id_list {
    uint32_t *ids; /* [count] */
    size_t count;
    size_t capacity;
};

/* Errors: TN_ERROR_MEMORY. */
bool tn_id_list_add(struct tn_id_list *list, struct tn_token_ids ids, struct tn_error *error);
void tn_id_list_free(struct tn_id_list *list);

/* Counts all of a text. Where the pieces end does not depend on the number of threads.
 * ids  gets the tokens, with the tokenizer's prefix and suffix where those are counted; NULL: not wanted
 * Errors: those of the intake and of tn_encode; TN_ERROR_TOO_LARGE for a text of a GiB that can be cut nowhere. */
bool tn_count_text(struct tn_counter *counter, struct tn_intake *intake, struct tn_tally *tally, struct tn_id_list *ids,
                   struct tn_error *error);

#endif
