/* What becomes of the delimiters at which a piece is split, and the one way in which a sequence of matches and of the stretches
 * between them becomes parts: as the reference of tokenizer.json does. */
#ifndef TN_TOKENS_BEHAVIORS_H
#define TN_TOKENS_BEHAVIORS_H

#include "tokens/options.h"
#include "tokens/pipeline.h"

struct tn_behavior;

/* The splitting of one piece. */
struct tn_splitting {
    struct tn_encoder *encoder;
    const struct tn_split_step *step;
    struct tn_str piece;
    const struct tn_behavior *behavior;
    size_t begin; /* of what is kept back, as the next stretch may be joined to it */
    size_t end;
    bool keeps_back;
    bool last_is_match; /* of the stretches so far */
};

struct tn_behavior {
    const char *name;
    /* Takes the next stretch piece[begin, end). false with the encoder's error filled. */
    bool (*take)(struct tn_splitting *splitting, size_t begin, size_t end, bool is_match);
};

extern const struct tn_behavior tn_removed;
extern const struct tn_behavior tn_isolated;
extern const struct tn_behavior tn_merged_with_previous;
extern const struct tn_behavior tn_merged_with_next;
extern const struct tn_behavior tn_contiguous;

/* The behavior that an option names. NULL with the error filled. */
const struct tn_behavior *tn_option_behavior(const struct tn_options *options, const char *key);

static inline struct tn_splitting tn_splitting_of(struct tn_encoder *encoder, const struct tn_split_step *step,
                                                  struct tn_str piece, const struct tn_behavior *behavior)
{
    return (struct tn_splitting){.encoder = encoder, .step = step, .piece = piece, .behavior = behavior};
}

/* Hands the part piece[begin, end) on; an empty one is dropped. */
static inline bool tn_splitting_part(const struct tn_splitting *splitting, size_t begin, size_t end)
{
    return begin == end
           || tn_split_next(splitting->encoder, splitting->step,
                            (struct tn_str){splitting->piece.data + begin, end - begin});
}

static inline bool tn_splitting_take(struct tn_splitting *splitting, size_t begin, size_t end, bool is_match)
{
    return splitting->behavior->take(splitting, begin, end, is_match);
}

/* Hands on what was kept back: after the last stretch. */
bool tn_splitting_end(struct tn_splitting *splitting);

#endif
