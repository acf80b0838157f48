/* What `tokens` found out: shared by the operation and by what writes its answer. */
#ifndef TN_API_COUNT_COUNT_H
#define TN_API_COUNT_COUNT_H

#include "api/count/memory.h"
#include "api/count/requests.h"
#include "api/count/text.h"

/* One input: a text, or a file of requests. */
struct tn_counted {
    struct tn_str name; /* "text", "standard input", or the path */
    struct tn_tally tally;
    uint64_t requests; /* 1 of a text */
    uint64_t kv_bytes; /* of all its requests; 0 without a model */
    struct tn_id_list ids;
};

enum { TN_COUNT_ROOMS = 3, TN_COUNT_NOTES = 8 };

struct tn_count {
    struct tn_arena *arena;
    struct tn_str tokenizer; /* the file; empty: an estimate */
    struct tn_counter counter;
    bool has_requests; /* the inputs are JSON Lines of requests */
    struct tn_request_reading how;
    bool wants_ids;
    bool wants_pieces;
    struct tn_counted *texts; /* [text_count] */
    size_t text_count;
    struct tn_tally total;
    uint64_t requests;
    uint64_t kv_bytes;
    struct tn_lengths lengths; /* of requests, sorted */
    struct tn_chat_extras extras;
    struct tn_builder items; /* an object for each request, a line each, where they are wanted */
    bool has_model;
    struct tn_count_memory memory;
    struct tn_cache_totals kv; /* of the longest, for what a token takes */
    struct tn_room rooms[TN_COUNT_ROOMS];
    size_t room_count;
    struct tn_note notes[TN_COUNT_NOTES];
    size_t note_count;
    enum tn_units units;
};

/* Neither an estimate, nor with parts for which a chat format has no rule. */
bool tn_count_is_exact(const struct tn_count *count);

void tn_count_json(const struct tn_count *count, struct tn_builder *out);
void tn_count_report(const struct tn_count *count, struct tn_report *report);

/* One line of --format jsonl for a text. */
void tn_count_line(const struct tn_count *count, const struct tn_counted *text, struct tn_builder *out);

#endif
