/* Counting the tokens of one text, by a tokenizer or by an estimate; with working memory for each thread. */
#ifndef TN_API_COUNT_COUNTER_H
#define TN_API_COUNT_COUNTER_H

#include "api/count/chat.h"
#include "api/count/estimate.h"
#include "api/operations.h"

/* What was counted. Of an estimate tokens is the best guess and low and high are its range; else all three are equal. */
struct tn_tally {
    uint64_t bytes;
    uint64_t characters;
    uint64_t tokens;
    uint64_t low_tokens;
    uint64_t high_tokens;
};

/* A part of one text that has been counted. */
struct tn_part_tally {
    uint64_t bytes;
    uint64_t characters;
    uint64_t tokens;
    uint64_t scripts[TN_SCRIPT_COUNT]; /* where it is an estimate */
};

/* Of one thread. */
struct tn_count_worker {
    struct tn_encoder *encoder; /* NULL until first used */
    struct tn_arena arena;      /* for one request */
    struct tn_builder text;     /* of one request */
};

struct tn_counter {
    const struct tn_tokenizer *tokenizer; /* NULL: estimates */
    struct tn_estimate estimate;
    const struct tn_chat *chat; /* NULL: none */
    bool with_special;          /* what the tokenizer puts around a text is counted */
    const struct tn_workers *threads;
    unsigned worker_count;
    struct tn_count_worker *workers; /* [worker_count] */
};

/* The fields above `worker_count` are set by the caller. Errors: TN_ERROR_MEMORY. */
bool tn_counter_open(struct tn_counter *counter, unsigned worker_count, struct tn_error *error);
void tn_counter_close(struct tn_counter *counter);

/* Counts a text, or a part of one that may be cut there.
 * parts  as of tn_encode
 * ids    the tokens, valid until the next call for this worker; none of an estimate. NULL: not wanted
 * Errors: those of tn_encode. */
bool tn_counter_part(struct tn_counter *counter, unsigned worker, struct tn_str text, unsigned parts,
                     struct tn_part_tally *tally, struct tn_token_ids *ids, struct tn_error *error);

/* From the parts of one text to what is said of it. */
struct tn_tally tn_counter_sum(const struct tn_counter *counter, const struct tn_part_tally *whole);

void tn_part_tally_add(struct tn_part_tally *sum, const struct tn_part_tally *part);
void tn_tally_add(struct tn_tally *sum, const struct tn_tally *more);

/* Runs work for each item on the threads of the counter, or here where there is one thread or one item. */
void tn_counter_run(const struct tn_counter *counter, size_t items,
                    void (*work)(void *task, unsigned worker, size_t item), void *task);

#endif
