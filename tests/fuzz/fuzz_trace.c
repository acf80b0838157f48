/* Any bytes through the reader of traces: what it takes are requests of some tokens, in numbers that cannot overflow where they are added. */
#include "trace/trace.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_arena arena = {0};
    struct tn_trace trace;
    struct tn_error error = {0};
    bool done = tn_trace_read(&arena, (struct tn_str){(const char *)data, size}, TN_STR("trace"), &trace, &error);
    if (done ? !trace.count : error.code == TN_OK) {
        abort();
    }
    for (size_t k = 0; done && k < trace.count; k++) {
        const struct tn_traced_request *request = &trace.requests[k];
        uint64_t tokens = request->prompt_tokens + request->output_tokens;
        if (!tokens || tokens > 2 * TN_TRACE_MOST_TOKENS || (request->arrival_us && !trace.has_arrivals)) {
            abort();
        }
    }
    tn_arena_free(&arena);
    return 0;
}
