/* The core as a WebAssembly module: the functions of wasm/exports.txt over the public ones. */
#include "wasm/front.h"

#include "api/operations.h"

#include <stdlib.h>

void *tonnage_allocate(size_t bytes)
{
    return malloc(bytes ? bytes : 1);
}

void tonnage_release(void *memory)
{
    free(memory);
}

struct tn_context *tonnage_open(void)
{
    return tn_context_open(NULL);
}

/* An answer with what it points into. */
struct kept {
    struct tonnage_answer answer;
    struct tn_reply *reply;  /* NULL: it is an error, whose document is */
    struct tn_builder error; /* this */
};

struct tonnage_answer *tonnage_call(const struct tn_context *context, const char *request, size_t request_bytes)
{
    struct tn_error error = {0};
    struct kept *kept = calloc(1, sizeof *kept);
    if (!kept) {
        return NULL;
    }
    kept->reply = tn_call(context, request, request_bytes, &error);
    if (kept->reply) {
        kept->answer = (struct tonnage_answer){tn_reply_text(kept->reply), (uint32_t)tn_reply_bytes(kept->reply),
                                               tn_reply_exit_code(kept->reply)};
        return &kept->answer;
    }
    tn_error_write_json(&error, &kept->error);
    if (kept->error.failed) {
        tonnage_forget(&kept->answer);
        return NULL;
    }
    kept->answer =
        (struct tonnage_answer){kept->error.data, (uint32_t)kept->error.size, (int32_t)tn_code_exit(error.code)};
    return &kept->answer;
}

void tonnage_forget(struct tonnage_answer *answer)
{
    struct kept *kept = (struct kept *)answer; /* its first member */
    if (kept) {
        tn_reply_free(kept->reply);
        tn_builder_free(&kept->error);
        free(kept);
    }
}
