/* Traces of requests: when they came, and how long they were. Formats as they are published (docs/fit.md, "Traces"): Azure's CSV, the JSON
 * Lines of Mooncake, Bailian and measured runs, BurstGPT's CSV, vidur's lengths, and files of lengths alone. */
#ifndef TN_TRACE_TRACE_H
#define TN_TRACE_TRACE_H

#include "base/error.h"
#include "base/text.h"

struct tn_traced_request {
    uint64_t arrival_us; /* after the first request of the file; 0 where arrivals are not known */
    uint64_t prompt_tokens;
    uint64_t output_tokens; /* 0 where only the sum is known */
};

struct tn_trace {
    struct tn_traced_request *requests; /* [count] in the order of the file */
    size_t count;
    bool has_arrivals;
    bool has_outputs;   /* lengths of prompts and outputs are known apart */
    size_t empty_count; /* requests without a token, which are left out, as failed ones */
};

enum { TN_TRACE_MOST_REQUESTS = 50000000 };
/* A request of more tokens than any model takes is a mistake of the file. */
#define TN_TRACE_MOST_TOKENS (UINT64_C(1) << 40)

/* Reads the text of a file; requests are in the arena, nothing points into the text.
 * file  for errors
 * Errors, with "FILE:LINE" as the place: TN_ERROR_UNREADABLE for a compressed file, a row or an object without lengths, and a file without
 * requests; TN_ERROR_JSON, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_trace_read(struct tn_arena *arena, struct tn_str text, struct tn_str file, struct tn_trace *trace,
                   struct tn_error *error);

#endif
