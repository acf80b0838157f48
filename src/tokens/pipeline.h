/* How a text becomes tokens, inside of src/tokens: the steps that a loader puts together and an encoder runs.
 *
 *     text -> added tokens are taken out -> normalizer steps -> split steps -> the model, the last step
 *
 * A split step gets a piece of text and hands its parts to the step behind it, one after the other: no list of parts is
 * ever built. The model is a split step that writes ids.
 */
#ifndef TN_TOKENS_PIPELINE_H
#define TN_TOKENS_PIPELINE_H

#include "tokens/added.h"
#include "tokens/tokenizer.h"
#include "tokens/vocabulary.h"

/* What normalizer steps tell besides the text. */
struct tn_normal_notes {
    bool
        start_dropped; /* the first character was taken away, or several were replaced by one text: to the reference what is
                           left does not stand at the start ("prepend_scheme": "first") */
    bool gave_up;      /* a pattern did: the error is filled */
    struct tn_error *error;
};

/* Where a piece of text lies in the text that the caller gave. Added tokens around it do not count: each stretch between
 * them is a text. */
struct tn_text_place {
    bool at_start;                 /* nothing stands before it */
    bool at_end;                   /* nothing stands behind it */
    struct tn_normal_notes *notes; /* of the steps of this text; set where steps are run */
};

struct tn_normal_step {
    /* The text after this step: `text` itself where nothing changes, else what it wrote into `out`, which is empty before.
     * An allocation that fails shows in out->failed. */
    struct tn_str (*run)(const struct tn_normal_step *step, const struct tn_text_place *place, struct tn_str text,
                         struct tn_builder *out);
    const void *rules; /* of this kind of step; owned by the tokenizer's arena */
    bool whole;        /* looks at more than a few neighbouring characters: the text may not be cut */
};

struct tn_split_step {
    /* Hands the parts of the piece to tn_split_next. false with encoder->error filled. */
    bool (*run)(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece);
    const void *rules; /* of this kind of step; owned by the tokenizer's arena */
    bool whole;        /* as above */
    bool divides;      /* begins a part in front of every space that stands between two letters of ASCII, whatever else
                          stands around; of the model: never joins the letter with the space */
};

enum tn_invalid {
    TN_INVALID_BY_SEQUENCE, /* one U+FFFD for each longest beginning of a character, as Python and Rust replace */
    TN_INVALID_KEPT,        /* the first normalizer step gets them as they are, and replaces them */
};

/* Something to be freed with the tokenizer. */
struct tn_release {
    struct tn_release *next;
    void (*run)(void *object);
    void *object;
};

struct tn_tokenizer {
    struct tn_arena arena; /* holds everything below, and the tokenizer's copy of all strings */
    const char *format;
    const char *model;
    struct tn_vocabulary vocabulary;
    struct tn_added added;
    struct tn_normal_step *normal; /* [normal_count] */
    size_t normal_count;
    struct tn_split_step *splits; /* [split_count], the model last */
    size_t split_count;
    uint32_t *prefix; /* [prefix_count] */
    size_t prefix_count;
    uint32_t *suffix; /* [suffix_count] */
    size_t suffix_count;
    enum tn_invalid invalid;
    bool cuttable;               /* see cut.h; set by tn_tokenizer_open */
    struct tn_release *releases; /* what is not in the arena */
};

/* The longest list of steps: loaders refuse more. */
enum { TN_STEPS_LIMIT = 32 };

struct tn_word_cache;

/* The working memory of a thread. */
struct tn_encoder {
    const struct tn_tokenizer *tokenizer;
    uint32_t *ids; /* [ids_count] of ids_capacity */
    size_t ids_count;
    size_t ids_capacity;
    struct tn_text_place place;              /* of the stretch at work */
    const char *start;                       /* the first byte of the whole normalised text; NULL behind its start */
    struct tn_builder valid;                 /* the text with its invalid bytes replaced */
    struct tn_builder normal[2];             /* texts between normalizer steps, by turns */
    struct tn_builder steps[TN_STEPS_LIMIT]; /* the text that a split step has rewritten, by the step's number */
    struct tn_word_cache *cache;
    void *work; /* of the model: allocated and grown by tn_encoder_work */
    size_t work_bytes;
    double score; /* of the best segmentation so far, for models that add scores along the whole text */
    struct tn_error *error;
};

/* A text after the normalizer's steps, copied into the arena. false when memory is out. */
bool tn_normalize(const struct tn_tokenizer *tokenizer, struct tn_arena *arena, struct tn_str text,
                  struct tn_str *normalized);

/* Hands a part to the next step. */
static inline bool tn_split_next(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str part)
{
    return step[1].run(encoder, step + 1, part);
}

/* An empty buffer that belongs to this split step, for a text that it rewrites. */
struct tn_builder *tn_step_buffer(struct tn_encoder *encoder, const struct tn_split_step *step);

/* At least `bytes` bytes of working memory, aligned for any type, kept between calls. What a model has written into it
 * stays there when it asks for more in the same call. NULL with encoder->error filled. */
void *tn_encoder_work(struct tn_encoder *encoder, size_t bytes);

/* Room for `count` more ids. false with encoder->error filled. */
bool tn_encoder_reserve(struct tn_encoder *encoder, size_t count);

/* Writes one id. */
static inline bool tn_encoder_put(struct tn_encoder *encoder, uint32_t id)
{
    if (encoder->ids_count == encoder->ids_capacity && !tn_encoder_reserve(encoder, 1)) {
        return false;
    }
    encoder->ids[encoder->ids_count++] = id;
    return true;
}

/* The tokens of a word: as they were the last time, or by `make`, which writes them and must depend on nothing but the word. */
bool tn_encoder_word(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word,
                     bool (*make)(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word));

#endif
