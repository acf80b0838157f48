/* What tokens take in a model: KV cache of a request by the rules of growth, and how many requests find room. */
#ifndef TN_API_COUNT_MEMORY_H
#define TN_API_COUNT_MEMORY_H

#include "api/count/lengths.h"
#include "api/deployment.h"
#include "plan/cache.h"

struct tn_count_memory {
    struct tn_question question;
    struct tn_model *model;
    uint64_t output_tokens; /* that each request generates on top of those that were counted */
};

/* The model of the request and its deployment. To be closed also after an error.
 * Errors: those of tn_question_open, tn_request_model and tn_question_read. */
bool tn_count_memory_open(struct tn_count_memory *memory, const struct tn_session *session,
                          const struct tn_request *request, struct tn_error *error);
void tn_count_memory_close(struct tn_count_memory *memory);

/* Whether the request names a model at all. */
bool tn_count_has_model(const struct tn_request *request);

/* The entries of the vocabulary as the config says; 0 where it does not. */
uint64_t tn_count_memory_vocabulary(const struct tn_count_memory *memory);

/* Of one request with that many tokens and what it generates. Errors: TN_ERROR_TOO_LARGE. */
bool tn_count_memory_request(const struct tn_count_memory *memory, uint64_t tokens, struct tn_cache_totals *totals,
                             struct tn_error *error);

/* Of all requests together. Errors: TN_ERROR_TOO_LARGE. */
bool tn_count_memory_sum(const struct tn_count_memory *memory, const struct tn_lengths *lengths, uint64_t *bytes,
                         struct tn_error *error);

/* How many requests of one length find room at once. */
struct tn_room {
    const char *of;    /* "p50", "longest", "text": static */
    uint64_t tokens;   /* of the request, without what it generates */
    uint64_t kv_bytes; /* of one such request */
    bool is_judged;    /* a GPU was named */
    uint64_t requests; /* UINT64_MAX: any number */
    uint64_t low_requests;
    uint64_t high_requests;
    struct tn_str why; /* none: what the engine says; in the arena */
};

/* room->of and tokens are set by the caller. Errors: those of a plan but TN_ERROR_DEPLOYMENT, which becomes room->why. */
bool tn_count_memory_room(struct tn_count_memory *memory, struct tn_arena *arena, struct tn_room *room,
                          struct tn_error *error);

#endif
