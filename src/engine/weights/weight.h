/* A weight as a serving engine creates it: projections merged, experts of a layer in one tensor, divided over ranks. And what formulas of
 * `weights` and `storage` records may know of it. */
#ifndef TN_ENGINE_WEIGHTS_WEIGHT_H
#define TN_ENGINE_WEIGHTS_WEIGHT_H

#include "engine/weights/placement.h"
#include "engine/weights/weight_rules.h"

/* One tensor group of the model that went into a weight. */
struct tn_weight_part {
    const struct tn_group *group;
    uint64_t outputs; /* of one rank */
};

/* A tensor of a weight in one layer of one rank. */
struct tn_weight_tensor {
    uint64_t bytes;
    bool is_loaded;    /* made with the layer; else after all is loaded */
    bool is_passing;   /* freed as soon as the next tensor is made */
    bool is_freed;     /* after all is loaded, or before */
    uint32_t replaces; /* 1 + the index of the tensor that is freed when this one is made; 0: none */
};

/* The same in each of its layers. */
struct tn_weight {
    struct tn_str name;                         /* "model.layers.{i}.self_attn.qkv_proj" */
    struct tn_str module;                       /* "qkv_proj": the end of the name */
    struct tn_str kind;                         /* "weight", "bias"; empty where the name ends in neither */
    const struct tn_merge *merge;               /* NULL: as the checkpoint has it */
    struct tn_weight_part parts[TN_MOST_PARTS]; /* [part_count] */
    uint32_t part_count;
    enum tn_class class;
    enum tn_place place;
    bool is_draft;
    const uint32_t *layers; /* [layer_count]; NULL: it stands alone */
    uint32_t layer_count;
    uint64_t experts; /* of one rank; 0: not of experts */
    uint64_t outputs; /* of one rank, the parts together */
    uint64_t inputs;
    const struct tn_dtype *dtype; /* where no storage applies */
    struct tn_str quant;          /* the quant record; empty: not quantised */
    bool is_online;               /* quantised while loading */
    size_t order;
    struct tn_weight_tensor *tensors; /* [tensor_count] */
    uint32_t tensor_count;
    uint64_t kept_bytes; /* of those that stay, in one layer */
    uint64_t largest_bytes;
};

/* What expressions are evaluated in. */
struct tn_weight_scope {
    const struct tn_weight_rules *rules;
    const struct tn_model *model;
    const struct tn_placement_key *key;
    struct tn_placement *placement; /* notes what of the key was asked for */
    uint64_t version;               /* as tn_rules_version_number */
    uint64_t hidden;                /* width of the embedding; 0 where it has none */
    uint64_t head_width;            /* of one head of keys; 0 where there is none */
    struct tn_arena *arena;
    struct tn_error *error;
    /* what the symbols mean now */
    const struct tn_weight *weight;   /* NULL: none */
    const struct tn_storage *storage; /* whose params are meant, too; NULL: none */
    uint64_t part_outputs;            /* of the part that an `each` is evaluated for */
    unsigned depth;
};

/* NULL is true. */
bool tn_weight_applies(struct tn_weight_scope *scope, const struct tn_expression *when, struct tn_rule_line line,
                       bool *result);

bool tn_weight_number(struct tn_weight_scope *scope, const struct tn_expression *expression, struct tn_rule_line line,
                      uint64_t *number);

/* The product of a list of sizes. */
bool tn_weight_elements(struct tn_weight_scope *scope, const struct tn_expression *dims, struct tn_rule_line line,
                        uint64_t *elements);

/* elements of a dtype in bytes; NULL: the dtype that the model is computed in. Errors: TN_ERROR_TOO_LARGE. */
bool tn_weight_bytes(struct tn_weight_scope *scope, const struct tn_dtype *dtype, uint64_t elements, uint64_t *bytes);

/* The dtype of what is not quantised. */
const struct tn_dtype *tn_weight_model_dtype(const struct tn_weight_scope *scope);

/* Fails with the engine's rule (TN_ERROR_DEPLOYMENT) where one of the refusals is true. */
bool tn_weight_check(struct tn_weight_scope *scope, const struct tn_refusal_rule *refusals, size_t count);

#endif
