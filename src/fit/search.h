/* The joint search: of all deployments of a space those that no other one surpasses in everything. */
#ifndef TN_FIT_SEARCH_H
#define TN_FIT_SEARCH_H

#include "fit/space.h"
#include "fit/split.h"

/* What of the model stays on the processor. */
enum tn_fit_offload { TN_FIT_OFFLOAD_NONE, TN_FIT_OFFLOAD_EXPERTS, TN_FIT_OFFLOAD_LAYERS, TN_FIT_OFFLOAD_COUNT };

/* The setting of llama.cpp that says so. */
extern const char *const tn_fit_offload_settings[TN_FIT_OFFLOAD_COUNT];

/* A deployment by its place in the space, and what it comes to. */
struct tn_fit_point {
    size_t weights;
    size_t kv;
    size_t gpu;
    struct tn_fit_division division;
    uint32_t gpus;
    enum tn_fit_offload offload;
    uint64_t offload_value;    /* of its setting */
    struct tn_fit_split split; /* of llama.cpp, where the one that it chooses does not fit; gpus 0: as it chooses */
    uint64_t host_layers;      /* that are on the processor, or whose experts are */
    uint64_t usd_millionths_per_hour; /* of all GPUs; 0: not known */
    bool has_pool;                    /* the engine takes one for its caches */
    uint64_t headroom_bytes;          /* of the fullest GPU, beside what the requests that were asked for need */
    uint64_t concurrency; /* requests of the length asked for, at once, for certain; UINT64_MAX: any number */
    uint64_t kv_tokens;   /* in the caches of all copies: of a pool for certain, else of these requests */
};

struct tn_fit_counts {
    uint64_t considered; /* deployments of the space */
    uint64_t too_small;  /* of them: an equal part of the weights is more than a GPU has */
    uint64_t surpassed;  /* not planned, as even their bounds are surpassed by another */
    uint64_t refused;    /* by the engine */
    uint64_t planned;
    uint64_t fitting;
};

struct tn_fit_front {
    struct tn_fit_point *points; /* [count] none of them surpassed, in no order */
    size_t count;
    size_t capacity;
    struct tn_fit_counts counts;
    bool has_miss;            /* of the deployments that were planned and do not fit: */
    struct tn_fit_point miss; /* the one that comes nearest */
    double miss_share; /* of its memory, or of the requests asked for, that it would need; 1 is as much as it has */
    struct tn_error refusal; /* the engine's first, where it refused one */
};

/* Searches the space. front is {0} before; its points are in the arena.
 * false where memory is out. */
bool tn_fit_search(struct tn_fit_space *space, struct tn_arena *arena, struct tn_fit_front *front);

/* Whether a is at least as good as b in number of GPUs, cost, bits of weights and KV cache, headroom, requests, tokens and
 * layers on the processor. A cost that is not
 * known counts as more than any that is. */
bool tn_fit_surpasses(const struct tn_fit_space *space, const struct tn_fit_point *a, const struct tn_fit_point *b);

#endif
