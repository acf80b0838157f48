/* The weights of a model as a serving engine lays them on the ranks: projections merged, vocabularies padded, experts fused, quantised
 * storage turned into what the kernels read; as bytes of tensors, and as PyTorch's allocator counts them.
 * What an engine does differently is data: statements of its record (docs/engines.md, "Weights"). */
#ifndef TN_ENGINE_WEIGHTS_PLACEMENT_H
#define TN_ENGINE_WEIGHTS_PLACEMENT_H

#include "engine/record/rules.h"
#include "engine/weights/allocator.h"

/* Weights of one pipeline stage; its ranks hold the same. */
struct tn_placed_stage {
    uint32_t first_layer;
    uint32_t layer_count;
    uint64_t class_bytes[TN_CLASS_COUNT]; /* of tensors of one rank, padding included */
    uint64_t whole_bytes[TN_CLASS_COUNT]; /* of the stage before the split */
    uint64_t buffer_bytes;                /* rotary caches and the like: of no class */
    uint64_t tensor_bytes;                /* the sum of all classes and the buffers */
    uint64_t allocated_bytes;             /* the same as PyTorch's allocator counts it */
    uint64_t reserved_bytes;  /* what the allocator keeps of the GPU for it, caches of free memory emptied */
    uint64_t largest_bytes;   /* the largest tensor */
    uint64_t offloaded_bytes; /* as the layers were made: in the processor's memory, and not part of the sums above */
};

/* What a placement depends on besides the model and the rules. */
struct tn_placement_key {
    uint32_t tp;
    uint32_t pp;
    uint32_t ep;
    uint32_t dp;
    uint32_t attention_tp;  /* ranks that share one request's attention, where they are fewer than tp; 0: all of them */
    bool has_draft;         /* multi-token prediction layers are loaded */
    bool is_text_only;      /* towers are not */
    bool expert_is_divided; /* experts without expert parallel: divided over tp x dp */
    bool tower_is_whole;    /* each rank holds all of a tower (mm_encoder_tp_mode "data") */
    uint64_t offload_bytes; /* of the layers to the processor's memory, the tensor that reaches it included; 0: none */
    uint64_t step_tokens;   /* the most tokens of one step, for buffers that a model makes with its weights; 0: none */
    uint32_t compute_capability;     /* 90 for 9.0; 0 where it is not known: then as the newest */
    const struct tn_dtype *dtype;    /* of what is not quantised; NULL: the model's */
    const struct tn_record *storage; /* weights quantised while loading; NULL: as the checkpoint has them */
};

struct tn_placement {
    struct tn_placement_key key;
    bool reads_capability;  /* a rule asked for the compute capability: it holds for no other */
    bool reads_step_tokens; /* likewise */
    uint32_t stage_count;
    struct tn_placed_stage *stages; /* [stage_count] */
};

/* The placement of planner->model for the key: the planner's own where the key is the same, else computed and kept there.
 * Errors: TN_ERROR_DEPLOYMENT where a tensor does not divide as the engine wants, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
const struct tn_placement *tn_place(struct tn_planner *planner, const struct tn_placement_key *key,
                                    struct tn_error *error);

/* Adds the weights of a stage to the ledger: one entry per class, buffers, and what the allocator's blocks have beyond them. Together they
 * are allocated_bytes. */
bool tn_placement_add(const struct tn_placed_stage *stage, struct tn_ledger *ledger, struct tn_error *error);

#endif
