/* Graph recipes: which nodes llama.cpp's graph of an architecture has, as data (data/graph, docs/graphs.md). Here they are read and run;
 * what weights, caches and settings mean is the caller's. */
#ifndef TN_ENGINE_LLAMACPP_RECIPE_H
#define TN_ENGINE_LLAMACPP_RECIPE_H

#include "catalog/catalog.h"
#include "engine/ggml/op.h"
#include "text/expression.h"

/* What the caller gives by a name: integers but for `architecture`. They may change with the layer. */
enum tn_recipe_given {
    TN_RECIPE_TOKENS,       /* T: of the batch */
    TN_RECIPE_SEQUENCES,    /* n_seqs */
    TN_RECIPE_OUTPUTS,      /* n_outputs: rows of logits */
    TN_RECIPE_STREAMS,      /* streams of the caches */
    TN_RECIPE_CELLS,        /* n_kv: of one stream of the ordinary cache */
    TN_RECIPE_WINDOW_CELLS, /* n_kv_swa */
    TN_RECIPE_FLASH,        /* fa */
    TN_RECIPE_TRANSPOSED,   /* v_trans: the cache of values is transposed */
    TN_RECIPE_KV_OFFLOAD,   /* offload_kqv */
    TN_RECIPE_VERSION,      /* version: as tn_rules_version_number */
    TN_RECIPE_LAYERS,       /* n_layer: without those for further tokens */
    TN_RECIPE_LAYER,        /* il */
    TN_RECIPE_HEAD_SIZE, /* head_size: of a key of layer il; before the first layer that of the first one with a cache */
    TN_RECIPE_KEY_WIDTH,             /* k_width: elements of a cell of layer il */
    TN_RECIPE_VALUE_WIDTH,           /* v_width */
    TN_RECIPE_VALUE_WIDTH_MAX,       /* v_width_max: of all layers */
    TN_RECIPE_IS_WINDOW,             /* is_swa */
    TN_RECIPE_IS_RECURRENT,          /* is_recurrent */
    TN_RECIPE_HAS_WINDOW,            /* has_swa: some layer has one */
    TN_RECIPE_KEY_ROTATION,          /* k_rot: edge of the matrix by which a quantised cache is rotated; 0: none */
    TN_RECIPE_VALUE_ROTATION,        /* v_rot */
    TN_RECIPE_WINDOW_KEY_ROTATION,   /* k_rot_swa */
    TN_RECIPE_WINDOW_VALUE_ROTATION, /* v_rot_swa */
    TN_RECIPE_STATE_ROWS,            /* n_rs */
    TN_RECIPE_VOCABULARY,            /* n_vocab */
    TN_RECIPE_EMBEDDING,             /* n_embd */
    TN_RECIPE_EXPERTS_USED,          /* n_expert_used: by a token; 0 without experts */
    TN_RECIPE_EMBEDDINGS,            /* embeddings: a boolean, the context yields them */
    TN_RECIPE_POOLING,               /* pooling: a text, none, mean, cls, last or rank */
    TN_RECIPE_ARCHITECTURE,          /* a text */
    TN_RECIPE_GIVEN_COUNT
};

enum tn_recipe_cache {
    TN_RECIPE_KEYS,
    TN_RECIPE_VALUES,
    TN_RECIPE_SHIFTS,
    TN_RECIPE_STATES,
    TN_RECIPE_INDEX, /* keys of a sparse indexer */
    TN_RECIPE_CACHE_COUNT
};

struct tn_recipe;

/* Weights go by numbers, so that who runs a recipe can look them up once. `dotted` is the name with which the model may know a bias: what
 * a recipe asks for as has_attn_q_bias may be attn_q.bias. */
struct tn_recipe_weight {
    struct tn_str name;   /* "attn_q", "attn_q.bias" */
    struct tn_str dotted; /* empty where the name cannot be meant so */
};

/* All weights that a recipe names; a weight's number is its index. */
size_t tn_recipe_weights(const struct tn_recipe *recipe, const struct tn_recipe_weight **weights);

/* The number of the weight of that name; UINT32_MAX where the recipe names none such. recipe may be NULL. */
uint32_t tn_recipe_find_weight(const struct tn_recipe *recipe, struct tn_str name);

/* The recipe of an architecture, compiled.
 * *recipe  NULL where the catalog has none. In the arena.
 * Errors: TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_MEMORY. */
bool tn_recipe_open(const struct tn_catalog *catalog, struct tn_str architecture, struct tn_arena *arena,
                    const struct tn_recipe **recipe, struct tn_error *error);

/* Where llama.cpp puts a weight of the architecture that it does not put where its name says. */
enum tn_recipe_place {
    TN_RECIPE_BY_NAME,
    TN_RECIPE_WITH_INPUT, /* on the CPU */
    TN_RECIPE_WITH_FIRST, /* with the first layer */
    TN_RECIPE_WITH_OUTPUT,
    TN_RECIPE_SHARED, /* a head that is tied: the embedding itself, and no copy of it elsewhere */
    TN_RECIPE_TWICE   /* a head that is tied, although it lies where the embedding lies */
};

/* recipe  NULL: by name */
enum tn_recipe_place tn_recipe_place_of(const struct tn_recipe *recipe, struct tn_str weight);

/* Whether llama.cpp keeps no more tokens than the window in layers that have one; for some architectures it ignores windows. */
bool tn_recipe_has_windows(const struct tn_recipe *recipe);

/* Whether its attention is not causal: batches are then not cut to the context. recipe may be NULL. */
bool tn_recipe_is_encoder(const struct tn_recipe *recipe);

/* Whether llama.cpp does without flash attention whatever it is asked for. recipe may be NULL. */
bool tn_recipe_never_flashes(const struct tn_recipe *recipe);

/* What a recipe reads while it runs. */
struct tn_recipe_world {
    void *context;
    struct tn_value given[TN_RECIPE_GIVEN_COUNT];
    /* A config key; NULL where absent. */
    const struct tn_value *(*fact)(void *context, struct tn_str name);
    /* A weight by its number: of the layer if that has one, else of the model. NULL where there is none. */
    struct tn_ggml_tensor *(*weight)(void *context, uint32_t weight, uint64_t layer);
    /* The cache tensor of a layer; NULL where it has none. */
    struct tn_ggml_tensor *(*cache)(void *context, enum tn_recipe_cache which, uint64_t layer);
    /* Changes `given` to what holds in that layer. */
    void (*enter_layer)(void *context, struct tn_recipe_world *world, uint64_t layer);
    /* Makes a node run where the layer lies, as far as llama.cpp asks for it. */
    void (*keep_in_layer)(void *context, struct tn_ggml_tensor *tensor, uint64_t layer);
    /* Makes a node run on the CPU. */
    void (*keep_on_host)(void *context, struct tn_ggml_tensor *tensor);
};

/* Builds the graph.
 * Errors: TN_ERROR_RECORD and TN_ERROR_EXPRESSION with the line of the recipe, TN_ERROR_CONFIG where the model lacks a key, TN_ERROR_TOO_LARGE,
 * TN_ERROR_MEMORY. */
bool tn_recipe_run(const struct tn_recipe *recipe, struct tn_recipe_world *world, struct tn_ggml_graph *graph,
                   struct tn_error *error);

#endif
