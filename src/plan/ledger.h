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

/* An uncertain number of bytes: mid is the best guess. */
struct tn_range {
    uint64_t low;
    uint64_t mid;
    uint64_t high;
};

extern const char *const tn_category_names[TN_CATEGORY_COUNT];
extern const char *const tn_basis_names[TN_BASIS_COUNT];

/* What weights of a class are called. */
extern const char *const tn_class_labels[TN_CLASS_COUNT];

struct tn_entry {
    uint32_t stage; /* UINT32_MAX: of the host */
    enum tn_category category;
    enum tn_basis basis;
    struct tn_str label;
    bool is_beside; /* not part of the budget of which a pool takes the rest */
    uint64_t low_bytes;
    uint64_t mid_bytes;
    uint64_t high_bytes;
    uint64_t whole_bytes;         /* of this stage before the split over ranks; 0 where nothing is split */
    uint32_t layer_count;         /* of a cache: its layers in this stage */
    struct tn_str formula;        /* what was computed, in words and symbols; lives as long as engine and records */
    const struct tn_cache *cache; /* of a cache or state entry, else NULL */
};

/* Ranks of one pipeline stage hold the same: they are computed once. */
struct tn_stage {
    uint64_t memory_bytes; /* of the smallest GPU of its ranks; 0: no GPU was named */
    uint32_t first_layer;
    uint32_t layer_count;
    size_t first_entry;
    size_t entry_count;
    uint64_t low_bytes;
    uint64_t mid_bytes;
    uint64_t high_bytes;
    /* what a rank must have at the least: as high_bytes, with a pool for no more than what was asked */
    uint64_t least_bytes;
    uint64_t asked_bytes;            /* of a pool: for the requests of the deployment; 0 without a pool */
    struct tn_range available_bytes; /* left for the pool here, where the engine says so; other stages may have less */
};

/* The KV pool of an engine that takes one at its start, of one data parallel copy as its log counts it. */
struct tn_pool_size {
    uint64_t bytes; /* of one rank: what the engine allocates */
    uint64_t blocks;
    uint64_t tokens;        /* as the engine prints them: with windows or states no plain capacity */
    double max_concurrency; /* requests of the longest length that the engine takes, as it prints them */
    double
        requests; /* requests of the length that was asked for, as many as find room at once; 2^64 and more: any number */
};

struct tn_pool {
    bool present;
    struct tn_pool_size low; /* when all else takes most */
    struct tn_pool_size mid;
    struct tn_pool_size high;
    uint64_t available_bytes; /* of one rank, mid: what is left for the pool */
    uint64_t
        needed_bytes; /* of one rank: one request of the longest length that the engine takes; 0 where it does not ask */
    uint64_t suggested_tokens;          /* the longest length that would be taken; 0 where the pool suffices */
    uint64_t most_running;              /* requests that the engine runs at once, whatever the room; 0: no limit */
    struct tn_str most_running_setting; /* the setting that says so, "max_num_seqs" */
};

/* Whether the engine starts at all. */
enum tn_start {
    TN_START_YES,
    TN_START_PARTLY, /* it runs, but a part of the model that was asked for does not find room on the GPUs */
    TN_START_UNSURE,
    TN_START_NO
};

/* A setting of the engine as it was used. */
struct tn_used_setting {
    struct tn_str name;
    struct tn_value value;
    enum tn_origin origin; /* given, default, or derived from GPU, model and other settings */
    struct tn_str formula; /* of a value that was not given */
};

/* Another value of a setting, with which the engine may take less or hold more: to be planned before it is advised. */
struct tn_offer {
    struct tn_str name;
    struct tn_str value; /* as one would give it */
    struct tn_str meaning;
};

struct tn_ledger {
    struct tn_arena *arena;
    bool wants_text; /* set by the caller: settings, log lines, notes and offers are wanted too, not only numbers */
    struct tn_stage *stages; /* [stage_count] */
    uint32_t stage_count;
    uint32_t ranks_per_stage; /* tp x dp */
    bool has_host;            /* entries were added for the host's memory */
    struct tn_stage host;     /* of which totals and verdicts take no notice */
    struct tn_entry *entries; /* [entry_count] */
    size_t entry_count;
    size_t entry_capacity;
    uint64_t low_bytes; /* over all ranks */
    uint64_t mid_bytes;
    uint64_t high_bytes;
    uint64_t
        held_tokens; /* the longest request with the same plan, where the engine rounds lengths up; 0: it does not */
    struct tn_pool pool;
    enum tn_start start;
    struct tn_str complaint; /* why it does not start, or may not, as the engine puts it; empty where it does */
    struct tn_str remedy;    /* the setting that the complaint is about; empty where none */
    struct tn_used_setting *settings; /* [setting_count], where wants_text */
    size_t setting_count;
    struct tn_str *log; /* [log_count] lines that the engine's log will have, where wants_text */
    size_t log_count;
    struct tn_note *notes; /* [note_count] what the engine's record has to say of the plan, where wants_text */
    size_t note_count;
    /* [advised_count] settings in place of those that were asked for, where wants_text: as the engine fitted them itself, or so that it fits */
    struct tn_assignment *advised;
    size_t advised_count;
    struct tn_offer *offers; /* [offer_count], cheapest first, where wants_text */
    size_t offer_count;
};

/* Begins the next stage of the deployment; entries added next belong to it. NULL when memory is out.
 * deployment  NULL: no GPU is known */
struct tn_stage *tn_ledger_begin_stage(struct tn_ledger *ledger, const struct tn_deployment *deployment,
                                       uint32_t first_layer, uint32_t layer_count);

/* Entries added next belong to the host's memory; no stage may be begun after it. */
void tn_ledger_begin_host(struct tn_ledger *ledger);

/* Adds an entry to the last stage and to its sums. Errors: TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_ledger_add(struct tn_ledger *ledger, struct tn_entry entry, struct tn_error *error);

/* Sets the sums of the last stage: of an engine whose pool takes what the rest leaves, so that their ranges cancel. */
void tn_ledger_set_stage(struct tn_ledger *ledger, uint64_t low_bytes, uint64_t mid_bytes, uint64_t high_bytes,
                         uint64_t least_bytes);

/* Sums the stages over all ranks. Errors: TN_ERROR_TOO_LARGE. */
bool tn_ledger_finish(struct tn_ledger *ledger, struct tn_error *error);

/* The stage that decides: whose need exceeds its GPU most, or comes nearest to it. */
const struct tn_stage *tn_ledger_worst(const struct tn_ledger *ledger);

/* The same by what it must have at the least. */
const struct tn_stage *tn_ledger_tightest(const struct tn_ledger *ledger);

/* Requests of the length that was asked for that one data parallel copy runs at once: those that find room, within what it lets run.
 * UINT64_MAX: any number, as where the engine has no pool. */
uint64_t tn_pool_requests(const struct tn_pool *pool, const struct tn_pool_size *size);

/* Sum of the mid bytes of one category in one stage (of one rank). */
uint64_t tn_ledger_category(const struct tn_ledger *ledger, const struct tn_stage *stage, enum tn_category category);

/* The same over all ranks. */
uint64_t tn_ledger_category_bytes(const struct tn_ledger *ledger, enum tn_category category);

#endif
