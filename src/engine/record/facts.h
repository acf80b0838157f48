/* What formulas of engine records may know of a model, a GPU and a deployment: gathered once, given to an evaluation. */
#ifndef TN_ENGINE_RECORD_FACTS_H
#define TN_ENGINE_RECORD_FACTS_H

#include "engine/record/rules.h"

/* Widths of a model's computation, read off its tensor groups (so that a header alone suffices). Elements, unsharded; 0 where it has none. */
struct tn_widths {
    uint64_t hidden;
    uint64_t vocab;
    uint64_t heads;
    uint64_t kv_heads;
    uint64_t
        attention_width;    /* outputs of the projections into attention: queries, keys and values; the widest layer */
    uint64_t attention_out; /* inputs of the projection out of it */
    uint64_t
        ffn_width; /* outputs of the dense feed-forward's first projections: gate and up together; the widest layer */
    uint64_t experts;
    uint64_t experts_active;
    uint64_t expert_width;  /* of one expert, gate and up together */
    uint64_t shared_width;  /* of the shared experts, gate and up together */
    uint64_t latent_width;  /* what MLA caches per token; 0 where attention has heads */
    uint64_t state_layers;  /* layers with a state per request */
    uint64_t window_layers; /* layers with a sliding window or chunks */
    uint64_t vision_width;  /* hidden size of the widest tower; 0 for text models */
};

void tn_widths_of(const struct tn_model *model, struct tn_widths *widths);

/* Bytes that a program sees on the GPU (cudaMemGetInfo, torch), which are fewer than the driver reports: a figure of the GPU's record, else
 * by the share that is usual for its kind.
 * gpu  NULL: memory_bytes is taken as it is */
uint64_t tn_gpu_total_bytes(const struct tn_gpu *gpu, uint64_t memory_bytes);

/* 90 for 9.0; 0 where it has none, or it is not known, or gpu is NULL. */
uint32_t tn_gpu_compute_capability(const struct tn_gpu *gpu);

/* Gives the memory of the smallest GPU of a stage, where GPUs are not alike. */
void tn_give_stage_device(struct tn_evaluation *evaluation, const struct tn_deployment *deployment, uint32_t stage);

/* Gives all that does not depend on a stage: the deployment, the GPU, the widths, quantisation and architecture. */
void tn_give_facts(struct tn_evaluation *evaluation, const struct tn_model *model, const struct tn_widths *widths,
                   const struct tn_deployment *deployment);

#endif
