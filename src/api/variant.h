/* A request with some inputs changed: read and planned as the user's own was, and shown as one would type it. */
#ifndef TN_API_VARIANT_H
#define TN_API_VARIANT_H

#include "api/deployment.h"

enum { TN_MOST_CHANGES = 12 };

struct tn_change {
    enum tn_input input;
    struct tn_str
        text; /* of TN_INPUT_SET: KEY=VALUE, in place of the pair of that key; "KEY=" leaves the setting to the engine */
};

/* {0} changes nothing. */
struct tn_variant {
    struct tn_change changes[TN_MOST_CHANGES];
    size_t count;
};

/* Adds a change; the text is copied into the arena. Where memory is out, or there are too many, nothing is added. */
void tn_variant_change(struct tn_variant *variant, struct tn_arena *arena, enum tn_input input, const char *format, ...)
    TN_PRINTF(4, 5);

/* Turns changes of inputs that the question has in the engine's own words into changes of these: --set max_model_len=4096. */
void tn_variant_use_settings(const struct tn_question *question, struct tn_variant *variant, struct tn_arena *arena);

/* The question's request as it was asked, with the changes. request->arena is set by the caller. false where memory is out or a text is
 * no value of its input. */
bool tn_variant_request(const struct tn_question *question, const struct tn_variant *variant,
                        struct tn_request *request);

/* "--context 4096 --tp 2" */
void tn_variant_write(const struct tn_variant *variant, struct tn_builder *text);

/* The command line of a request of `tonnage plan`: "tonnage plan llama-2-13b --gpu a100-80gb". */
void tn_request_write_command(const struct tn_request *request, struct tn_builder *text);

/* What is done with a plan; model, deployment and ledger are gone afterwards.
 * error  not NULL: why there is no ledger, which is then NULL, as may be the others */
typedef void tn_variant_reader(void *context, const struct tn_model *model, const struct tn_question *question,
                               const struct tn_ledger *ledger, const struct tn_error *error);

/* Plans the request with the changes, by the question's own planner where the model stays the same.
 * model       of the question
 * wants_text  the ledger is to have texts */
void tn_variant_plan(struct tn_question *question, struct tn_model *model, const struct tn_variant *variant,
                     bool wants_text, tn_variant_reader *read, void *context);

/* What comes of a variant, in short. */
struct tn_varied_plan {
    bool planned;  /* the engine takes it */
    bool starts;   /* for certain */
    bool fits;     /* as tn_ledger_fits says */
    bool has_pool; /* of an engine with a pool, what it then has: */
    uint64_t pool_tokens;
    uint64_t requests;    /* of the length asked for, at once, for certain */
    uint64_t worst_bytes; /* of the fullest rank, mid */
};

/* Plans the request with the changes, which are turned into those of settings where the question has them so. */
void tn_variant_try(struct tn_question *question, struct tn_model *model, struct tn_variant *variant,
                    struct tn_arena *arena, struct tn_varied_plan *varied);

#endif
