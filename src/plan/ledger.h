/* The ledger: a list of memory entries per rank. Everything that answers a question reads it. */
#ifndef TN_PLAN_LEDGER_H
#define TN_PLAN_LEDGER_H

#include "model/model.h"
#include "plan/deployment.h"

enum tn_category {
    TN_CATEGORY_WEIGHTS,
    TN_CATEGORY_CACHE,
    TN_CATEGORY_STATE,
    TN_CATEGORY_ACTIVATION,
    TN_CATEGORY_WORKSPACE,
    TN_CATEGORY_COMMUNICATION,
    TN_CATEGORY_RUNTIME,
    TN_CATEGORY_GRAPHS,
    TN_CATEGORY_FRAGMENTATION,
    TN_CATEGORY_RESERVE,
    TN_CATEGORY_COUNT
};

enum tn_basis {
    TN_BASIS_EXACT,    /* integer arithmetic of the engine: low = mid = high */
    TN_BASIS_REPLAYED, /* the engine's allocator re-run */
    TN_BASIS_FITTED,   /* from measurements, with a range */
    TN_BASIS_ASSUMED,  /* a rule of thumb, or the user's word */
    TN_BASIS_COUNT
};

extern const char *const tn_category_names[TN_CATEGORY_COUNT];
extern const char *const tn_basis_names[TN_BASIS_COUNT];

struct tn_entry {
    uint32_t stage;
    enum tn_category category;
    enum tn_basis basis;
    struct tn_str label;
    uint64_t low_bytes;
    uint64_t mid_bytes;
    uint64_t high_bytes;
    uint64_t whole_bytes;         /* of this stage before the split over ranks; 0 where nothing is split */
    uint32_t layer_count;         /* of a cache: its layers in this stage */
    const char *formula;          /* what was computed, in words and symbols; static */
    const struct tn_cache *cache; /* of a cache or state entry, else NULL */
};

/* Ranks of one pipeline stage hold the same: they are computed once. */
struct tn_stage {
    uint32_t first_layer;
    uint32_t layer_count;
    size_t first_entry;
    size_t entry_count;
    uint64_t low_bytes;
    uint64_t mid_bytes;
    uint64_t high_bytes;
};

struct tn_ledger {
    struct tn_arena *arena;
    struct tn_stage *stages; /* [stage_count] */
    uint32_t stage_count;
    uint32_t ranks_per_stage; /* tp x dp */
    struct tn_entry *entries; /* [entry_count] */
    size_t entry_count;
    size_t entry_capacity;
    uint64_t low_bytes; /* over all ranks */
    uint64_t mid_bytes;
    uint64_t high_bytes;
};

/* Begins a stage; entries added next belong to it. NULL when memory is out. */
struct tn_stage *tn_ledger_begin_stage(struct tn_ledger *ledger, uint32_t first_layer, uint32_t layer_count);

/* Adds an entry to the last stage and to its sums. Errors: TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_ledger_add(struct tn_ledger *ledger, struct tn_entry entry, struct tn_error *error);

/* Sums the stages over all ranks. Errors: TN_ERROR_TOO_LARGE. */
bool tn_ledger_finish(struct tn_ledger *ledger, struct tn_error *error);

/* The stage with the highest need: the one that decides. */
const struct tn_stage *tn_ledger_worst(const struct tn_ledger *ledger);

/* Sum of the mid bytes of one category in one stage (of one rank). */
uint64_t tn_ledger_category(const struct tn_ledger *ledger, const struct tn_stage *stage, enum tn_category category);

/* The same over all ranks. */
uint64_t tn_ledger_category_bytes(const struct tn_ledger *ledger, enum tn_category category);

#endif
