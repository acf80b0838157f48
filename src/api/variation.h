/* A request with some inputs changed, read and planned as the user's own was: what proves a remedy before it is offered. */
#ifndef TN_API_VARIATION_H
#define TN_API_VARIATION_H

#include "api/deployment.h"

enum { TN_CHANGES = 8 };

struct tn_change {
    enum tn_input input;
    struct tn_str
        text; /* of TN_INPUT_SET: KEY=VALUE, in place of the pair of that key; "KEY=" leaves the setting to the engine */
};

struct tn_variation {
    struct tn_question *question;         /* read; what is varied. Its planner is used and comes back */
    struct tn_model *model;               /* of the question */
    struct tn_arena *arena;               /* of the texts of the changes */
    struct tn_change changes[TN_CHANGES]; /* [count] */
    size_t count;
};

/* What comes of it. */
struct tn_varied {
    bool planned;  /* the engine takes it */
    bool starts;   /* for certain */
    bool fits;     /* as tn_ledger_fits says */
    bool has_pool; /* of an engine with a pool, what it then has: */
    uint64_t pool_tokens;
    uint64_t requests;    /* of the length asked for, at once, for certain */
    uint64_t worst_bytes; /* mid, of the fullest rank */
};

/* Adds a change; memory that is out leaves it away. */
void tn_variation_change(struct tn_variation *variation, enum tn_input input, const char *format, ...) TN_PRINTF(3, 4);

/* Plans the request with the changes. An input that is a setting of the engine is changed there, where it was given so. A request that cannot be
 * planned is no error: *varied says so. */
void tn_variation_plan(struct tn_variation *variation, struct tn_varied *varied);

/* The changes as one would type them: "--set max_num_seqs=64 --kv-dtype fp8". Once they are planned. */
void tn_variation_write(const struct tn_variation *variation, struct tn_builder *text);

#endif
