/* llama.cpp's tensor_split: how many layers each GPU gets, so that each has room for its own. */
#ifndef TN_FIT_SPLIT_H
#define TN_FIT_SPLIT_H

#include "plan/inverse.h"

enum { TN_FIT_MOST_SPLIT = 16, TN_FIT_SPLIT_TEXT = 5 * TN_FIT_MOST_SPLIT };

struct tn_fit_split {
    uint32_t gpus;                      /* 0: none; the engine divides by itself */
    uint32_t layers[TN_FIT_MOST_SPLIT]; /* [gpus] the last one with the output, which counts as a layer */
    char text[TN_FIT_SPLIT_TEXT];       /* "20,13", as the setting takes it */
};

/* The deployment with the split in place of the tensor_split that it has. sets  room for set_count + 1; the split must outlive the result. */
struct tn_deployment tn_fit_with_split(const struct tn_deployment *deployment, const struct tn_fit_split *split,
                                       struct tn_assignment *sets);

/* The split with which the deployment fits and the GPU with the least room keeps most, to about a fiftieth of the largest GPU. Each GPU from the
 * first on gets as many layers as leave it so much room: what a GPU takes grows with its layers, so that no other split fits where this one
 * does not, but for the holes of an allocator.
 * true where one fits; memory that is out counts as none */
bool tn_fit_find_split(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_fit_split *split);

/* The most of the input (TN_VARIED_CONTEXT or TN_VARIED_CONCURRENCY) with any split.
 * most   at which the search ends
 * limit  as tn_find_limit found it without a split; set where a split allows more
 * split  gpus is 0 where none does
 * false where memory is out */
bool tn_fit_split_limit(struct tn_planner *planner, const struct tn_deployment *deployment, enum tn_varied what,
                        uint64_t most, struct tn_limit *limit, struct tn_fit_split *split);

#endif
