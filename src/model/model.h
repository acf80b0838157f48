/* The model: what an architecture is, before any deployment. Tensor groups, caches, and totals; no memory of any GPU yet. */
#ifndef TN_MODEL_MODEL_H
#define TN_MODEL_MODEL_H

#include "format/header.h"
#include "model/facts.h"
#include "text/expression.h"

/* ---- the closed lists ---------------------------------------------------------------------------------------------- */

enum tn_class {
    TN_CLASS_EMBED,
    TN_CLASS_LINEAR,
    TN_CLASS_EXPERT,
    TN_CLASS_NORM,
    TN_CLASS_ROUTER,
    TN_CLASS_CONV,
    TN_CLASS_BIAS,
    TN_CLASS_VISION, /* any tower that is not text: vision, audio */
    TN_CLASS_HEAD,
    TN_CLASS_COUNT
};

enum tn_split_kind {
    TN_SPLIT_REPLICATE, /* every rank holds all */
    TN_SPLIT_COLUMN,    /* rows of the weight (outputs) divided by tp */
    TN_SPLIT_ROW,       /* columns of the weight (inputs) divided by tp */
    TN_SPLIT_HEADS,     /* heads(n): n must be a multiple of tp */
    TN_SPLIT_KV,        /* kv(n): as heads, but fewer heads than ranks are replicated */
    TN_SPLIT_VOCAB,     /* vocab(n): n rows divided by tp, rounded up */
    TN_SPLIT_EXPERT,    /* expert(n): n experts over ep, the rest over tp */
    TN_SPLIT_FUSED,     /* fused(q, k, v): q as heads, the others as kv, in units of one head */
    TN_SPLIT_COUNT
};

enum { TN_SPLIT_PARTS = 4 };

struct tn_split {
    enum tn_split_kind kind;
    uint32_t part_count;
    uint64_t parts[TN_SPLIT_PARTS]; /* the numbers in the brackets */
};

enum tn_growth {
    TN_GROWTH_FULL,       /* one unit per token */
    TN_GROWTH_WINDOW,     /* window(w): at most w tokens */
    TN_GROWTH_CHUNK,      /* chunk(c): at most c tokens, then begins anew */
    TN_GROWTH_CONSTANT,   /* one unit per request: recurrent and convolution states */
    TN_GROWTH_CROSS,      /* cross(n): n units per request, the encoder's length */
    TN_GROWTH_SHARE,      /* reads the cache of an earlier layer: nothing of its own */
    TN_GROWTH_COMPRESSED, /* compressed(r): one unit per r tokens */
    TN_GROWTH_INDEX,      /* one unit per token: keys of a sparse indexer */
    TN_GROWTH_NONE,
    TN_GROWTH_COUNT
};

extern const char *const tn_class_names[TN_CLASS_COUNT];
extern const char *const tn_split_names[TN_SPLIT_COUNT];
extern const char *const tn_growth_names[TN_GROWTH_COUNT];

/* Whether a cache of that growth holds keys and values of heads, half and half where its record says nothing else. */
bool tn_growth_has_values(enum tn_growth growth);

/* Whether a split rule is complete with that many numbers in its brackets. */
bool tn_split_takes(enum tn_split_kind kind, uint32_t part_count);

/* ---- what a model consists of ------------------------------------------------------------------------------------- */

enum tn_place { TN_PLACE_FIRST, TN_PLACE_LAYER, TN_PLACE_LAST }; /* with pipeline parallel: which stage holds it */

struct tn_tensor_rule;
struct tn_cache_rule;

struct tn_group {
    struct tn_str name;  /* with {i} for the layer and {e} for the expert */
    struct tn_str stack; /* "text", "vision", "mtp" ...; empty for tensors that stand alone */
    enum tn_class class;
    enum tn_place place;
    struct tn_split split;
    uint32_t dim_count;
    uint64_t dims[TN_MAX_DIMS]; /* of one tensor as stored */
    const uint32_t *layers;     /* [layer_count] the numbers that {i} takes; NULL for a tensor that stands alone */
    uint32_t layer_count;
    uint64_t copies;        /* tensors per layer; at least 1 */
    uint64_t first_copy;    /* {e} takes the numbers from here on */
    uint64_t active_copies; /* parameters used per token are parameters * active_copies / active_of */
    uint64_t active_of;
    const struct tn_dtype *dtype;
    uint64_t tensors;    /* layers x copies */
    uint64_t parameters; /* all tensors of the group, logical (before quantisation); 0 for scales */
    uint64_t bytes;      /* all tensors of the group, as stored */
    bool is_companion;   /* a scale or a zero point that came with quantisation, or a buffer: no parameter */
    bool is_unused;      /* in the files, but not loaded: a head that is tied to the embedding */
    const struct tn_tensor_rule *rule; /* NULL where the header alone knows it */
    const struct tn_group *plain;      /* of a quantised tensor: what it was before; else NULL */
};

struct tn_cache {
    struct tn_str label; /* the layer kind: "attention", "sliding", "mamba" */
    enum tn_growth growth;
    uint64_t argument;          /* w, c, n or r of the growth rule; 0 where it has none */
    uint64_t elements_per_unit; /* of one layer, unsharded */
    uint64_t
        values_per_unit; /* of these the values; the rest are keys. 0 for latent attention, and for what is no attention */
    uint64_t rows;       /* of a state that holds one row for each of the last tokens; 0 for others */
    const struct tn_dtype *dtype; /* NULL: the KV dtype of the deployment */
    struct tn_split split;
    const uint32_t *layers; /* [layer_count] */
    uint32_t layer_count;
    const struct tn_cache_rule *rule;
};

struct tn_note {
    const char *code; /* static */
    struct tn_str message;
};

/* Weights summed over groups that split alike, so that a plan costs a few additions. */
struct tn_weight_term {
    enum tn_class class;
    struct tn_split split;
    uint64_t first_bytes;               /* on the first stage */
    uint64_t last_bytes;                /* on the last stage */
    const uint64_t *layer_bytes_before; /* [layer_count + 1]: bytes in layers below the index; NULL where none */
};

enum tn_source { TN_SOURCE_CATALOG, TN_SOURCE_CONFIG, TN_SOURCE_SAFETENSORS, TN_SOURCE_GGUF, TN_SOURCE_PARAMETERS };

enum { TN_CHECK_NAMES = 1000 }; /* names kept of each list; the counts go on */

struct tn_check {
    struct tn_str *missing; /* predicted, not in the files */
    size_t missing_count;
    struct tn_str *extra; /* in the files, not predicted */
    size_t extra_count;
    struct tn_str *different; /* both, with another shape */
    size_t different_count;
    bool done;       /* there was a header or an index to check against */
    bool names_only; /* an index: names without shapes */
};

/* What a layer is: the choices that its record made for it. */
struct tn_layer {
    struct tn_str stack;
    uint32_t number; /* what `i` was */
    struct tn_str mixer;
    struct tn_str ffn; /* empty where the stack makes no such choice */
};

struct tn_architecture;
struct tn_model;

/* Somebody who keeps models that several use at once. */
struct tn_model_owner {
    /* One of them needs it no more. */
    void (*give_back)(struct tn_model_owner *owner, struct tn_model *model);
};

struct tn_model {
    struct tn_arena arena;        /* owns everything below */
    struct tn_arena input;        /* what it was loaded from, where that is its own */
    struct tn_model_owner *owner; /* tn_model_free gives it back; NULL: it frees it */
    struct tn_str id;
    struct tn_str architecture;       /* the record's id */
    struct tn_str architecture_class; /* as the config names it: LlamaForCausalLM */
    enum tn_source source;
    bool verified;
    struct tn_group *groups; /* [group_count] */
    size_t group_count;
    size_t group_capacity;
    struct tn_cache *caches; /* [cache_count] */
    size_t cache_count;
    struct tn_layer *layers; /* [predicted_layer_count] of all stacks, in their order; none where no record predicts */
    size_t predicted_layer_count;
    struct tn_weight_term *terms; /* [term_count] */
    size_t term_count;
    struct tn_note *notes; /* [note_count] */
    size_t note_count;
    size_t note_capacity;
    struct tn_check check;
    struct tn_facts facts;
    const struct tn_header *header;         /* what the files hold; NULL without files; lives as long as the input */
    const struct tn_architecture *compiled; /* NULL for a model by its numbers alone */
    uint32_t layer_count;                   /* of the text stack: what pipeline parallel divides */
    uint64_t parameters;                    /* each counted once; tied tensors once; scales not */
    uint64_t parameters_active;             /* per token */
    uint64_t parameters_left_out;           /* of the architecture, but not in files of this quantisation */
    uint64_t companion_elements;            /* scales and zero points stored beside the weights */
    uint64_t checkpoint_bytes;              /* as stored */
    uint64_t tied_bytes;                    /* the embedding that the head shares; 0 where untied */
    uint64_t max_context_tokens;            /* 0 where unknown */
    uint64_t published_parameters;          /* a total somebody published; 0 where unknown */
    const struct tn_dtype *dtype;           /* of unquantised weights */
    struct tn_str quant;                    /* the quantisation record's id; empty where none */
};

/* The arch record that stands in where no record matches: the header alone speaks. */
#define TN_UNKNOWN_ARCHITECTURE "unknown"

struct tn_model *tn_model_new(void); /* NULL when memory is out; free with tn_model_free of the public header */

/* Adds a note; the message is copied. Silently dropped when memory is out. */
void tn_model_note(struct tn_model *model, const char *code, const char *format, ...) TN_PRINTF(3, 4);

/* A new empty group; NULL when memory is out. */
struct tn_group *tn_model_add_group(struct tn_model *model);

/* Computes tensors, parameters and bytes of a group from dims, layers, copies and dtype (bytes only where they are still 0).
 * Errors: TN_ERROR_TOO_LARGE. */
bool tn_group_count(struct tn_group *group, struct tn_error *error);

/* Sums the groups into totals and weight terms. Call once, when the groups are complete. Errors: TN_ERROR_TOO_LARGE, _MEMORY. */
bool tn_model_finish(struct tn_model *model, struct tn_error *error);

/* Writes the name of one tensor of a group: {i} and {e} filled in. */
void tn_group_tensor_name(const struct tn_group *group, uint32_t layer, uint64_t copy, struct tn_builder *name);

#endif
