/* A space of deployments: what may be chosen, and what is asked of the choice. */
#ifndef TN_FIT_SPACE_H
#define TN_FIT_SPACE_H

#include "plan/inverse.h"

/* GPUs of one machine. Tensor parallel stays inside; beyond it there are whole machines, divided by stages or by experts. */
enum { TN_FIT_MACHINE = 8, TN_FIT_MOST_STAGES = 16 };

/* The weights in one quantisation. */
struct tn_fit_weights {
    struct tn_str quant; /* as --quant takes it; empty: as the checkpoint has them */
    struct tn_model *model;
    struct tn_planner planner; /* of this model */
    uint32_t millibits;        /* of one weight, on average: 16000, 4500 */
};

struct tn_fit_kv {
    struct tn_str name; /* as --kv-dtype takes it; empty: as the engine chooses */
    const struct tn_dtype *dtype;
    bool is_named; /* the engine reads the name itself: it goes into the deployment */
    uint32_t millibits;
};

struct tn_fit_gpu {
    const struct tn_gpu *gpu; /* NULL: only the memory is known */
    uint64_t memory_bytes;
    uint64_t usd_millionths_per_hour; /* of one; 0: not known */
};

struct tn_fit_space {
    struct tn_fit_weights *weights; /* [weights_count], the most bits first */
    size_t weights_count;
    struct tn_fit_kv *kvs; /* [kv_count], likewise */
    size_t kv_count;
    struct tn_fit_gpu *gpus; /* [gpu_count], those first that rule out most: with a price, and large */
    size_t gpu_count;
    struct tn_deployment asked; /* context, concurrency, settings; of tp, pp, ep, dp what is not 0 is fixed */
    uint32_t least_gpus;        /* of one deployment */
    uint32_t most_gpus;
    uint64_t most_usd_millionths_per_hour; /* 0: any */
    bool is_below;                         /* the cost must be less than the most, not only no more */
    bool
        splits; /* of llama.cpp: where it does not fit as the engine divides the layers, another division is looked for */
    bool offloads;  /* of llama.cpp: on the most GPUs, layers or their experts may stay on the processor */
    bool wants_all; /* nothing is left out that cannot be the answer: the nearest miss is looked for */
};

/* A division of a number of GPUs. */
struct tn_fit_division {
    uint32_t tp;
    uint32_t pp;
    uint32_t ep;
    uint32_t dp;
};

enum { TN_FIT_MOST_DIVISIONS = 16 };

/* The divisions of so many GPUs that are looked at: tensor parallel within a machine, the rest by stages, more than 16 of them only where they
 * were asked for; of models with experts also these over the ranks of tensor parallel, or over all GPUs with attention in data parallel.
 * None for numbers that are no whole machines. */
size_t tn_fit_divisions(const struct tn_fit_space *space, const struct tn_model *model, uint32_t gpus,
                        struct tn_fit_division divisions[TN_FIT_MOST_DIVISIONS]);

/* Whether the model is a mixture of experts. */
bool tn_fit_has_experts(const struct tn_model *model);

/* The deployment of the choice. */
struct tn_deployment tn_fit_deployment(const struct tn_fit_space *space, const struct tn_fit_kv *kv,
                                       const struct tn_fit_gpu *gpu, const struct tn_fit_division *division);

#endif
