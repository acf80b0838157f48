/* For split steps that write a piece anew. */
#ifndef TN_TOKENS_SPLIT_REWRITTEN_H
#define TN_TOKENS_SPLIT_REWRITTEN_H

#include "tokens/pipeline.h"

/* Hands on what stands in `buffer` in the place of `piece`, as the start of the whole text where the piece was it. */
static inline bool tn_split_rewritten(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece,
                                      const struct tn_builder *buffer)
{
    if (buffer->failed) {
        return tn_fail_memory(encoder->error);
    }
    const char *start = encoder->start;
    encoder->start = start == piece.data ? buffer->data : start;
    bool done = tn_split_next(encoder, step, tn_builder_str(buffer));
    encoder->start = start;
    return done;
}

#endif
