/* What a llama.cpp process holds: the parts of src/engine/llamacpp.c. Sizes follow llama.cpp 0.5.0 (llama-context.cpp, llama-model.cpp,
 * llama-kv-cache.cpp) and what its records measured; docs/engines.md, "llama.cpp". */
#ifndef TN_ENGINE_LLAMACPP_LLAMA_H
#define TN_ENGINE_LLAMACPP_LLAMA_H

#include "engine/ggml/schedule.h"
#include "engine/llamacpp/file.h"
#include "plan/engine.h"

enum { TN_LLAMA_MOST_GPUS = TN_GGML_MOST_DEVICES - 1, TN_LLAMA_CELL_STEP = 256 };

enum tn_llama_flash { TN_LLAMA_FLASH_OFF, TN_LLAMA_FLASH_ON, TN_LLAMA_FLASH_AUTO };

/* Settings as they were asked for, with defaults filled in. */
struct tn_llama_settings {
    uint64_t version;         /* 0.5.0 is 5000000; builds, by their number, are older */
    uint64_t context_tokens;  /* n_ctx, of all sequences */
    uint64_t batch_tokens;    /* n_batch */
    uint64_t ubatch_tokens;   /* n_ubatch */
    uint64_t sequences;       /* n_seq_max */
    uint64_t outputs;         /* n_outputs_max; 0: as n_batch */
    uint64_t context_step;    /* cells: what contexts are rounded up to */
    uint64_t window_kept;     /* tokens that a layer with a window keeps of a sequence; 0: as many as the window has */
    bool is_unified;          /* one cache for all sequences */
    bool rows_by_head;        /* a row of keys is one head's */
    bool window_is_full;      /* swa_full */
    bool kv_on_gpu;           /* offload_kqv */
    bool offloads;            /* op_offload */
    bool is_mapped;           /* weights on the host stay in the mapped file */
    bool repacks;             /* weights on the host are copied for the CPU's kernels */
    bool splits_layers;       /* over all GPUs (split_mode layer) */
    bool embeds;              /* embeddings instead of text */
    bool rotates_cache;       /* a quantised cache is kept in a rotated basis */
    bool copies_unread;       /* see struct tn_ggml_schedule */
    bool counts_output;       /* n_gpu_layers counts the output as a layer, the last one */
    bool keeps_latent_values; /* a cache of latent attention has values beside its keys */
    bool measures_only;       /* as llama.cpp measures for its own fit: it forgets where nodes were asked to run */
    bool copies_inside;       /* see struct tn_ggml_device */
    enum tn_llama_flash flash;
    const struct tn_dtype *key_type;
    const struct tn_dtype *value_type;
    int64_t gpu_layers; /* n_gpu_layers; negative: all */
    uint32_t gpu_count; /* 0: the CPU alone */
    uint32_t main_gpu;  /* that has all where layers are not split */
    uint32_t compute_capabilities[TN_LLAMA_MOST_GPUS];
    float shares[TN_LLAMA_MOST_GPUS];    /* of the layers; all 0: equal */
    struct tn_str cpu;                   /* instructions of the CPU: "avx2", "avx512", "neon", "none" */
    struct tn_str overrides;             /* override_tensor: "REGEX=CPU,..." */
    bool experts_on_cpu;                 /* cpu_moe */
    uint64_t layers_with_experts_on_cpu; /* n_cpu_moe */
};

struct tn_llama_layer {
    int place;          /* of weights: a GPU or TN_GGML_HOST */
    int cache_place;    /* of its cache */
    uint32_t own_layer; /* whose cache it reads: itself, or an earlier one */
    bool has_cache;     /* of its own */
    bool is_window;
    uint64_t key_width; /* elements of one cell */
    uint64_t key_row;   /* elements that are padded together on CUDA: of one cell, or of one head */
    uint64_t value_width;
    uint64_t kv_heads;
    uint64_t index_width; /* of the keys of a sparse indexer, which have a cache of their own; 0 where there is none */
    uint64_t shift_width; /* elements of one row of the convolution's or token shift's state (r) */
    uint64_t state_width; /* of the recurrent state (s) */
};

struct tn_llama_weight {
    struct tn_str name; /* as in a GGUF */
    uint64_t ne[TN_GGML_DIMS];
    const struct tn_dtype *type;
    uint64_t bytes; /* without padding */
    uint32_t block; /* UINT32_MAX: outside of the blocks */
    int place;
    bool is_shared;                /* a head that lies where the embedding lies: not loaded again */
    struct tn_ggml_tensor *tensor; /* in the graph that is being built; NULL until it is used */
};

/* n_ctx and its kin after llama.cpp has rounded them. */
struct tn_llama_sizes {
    uint64_t context_tokens;  /* n_ctx */
    uint64_t sequence_tokens; /* n_ctx_seq: cells of a stream */
    uint64_t window_cells;    /* of a stream; 0 without windows */
    uint64_t window_tokens;   /* n_swa */
    uint64_t batch_tokens;
    uint64_t tokens;  /* of the batch for which buffers are reserved */
    uint64_t outputs; /* rows of logits in it */
    uint64_t streams;
    uint64_t state_rows;
    uint64_t value_width_max;
};

struct tn_llama {
    const struct tn_model *model;
    struct tn_llama_file *file;
    struct tn_arena *arena; /* of this plan */
    struct tn_llama_settings settings;
    struct tn_llama_sizes sizes;
    uint32_t layer_count;            /* without those for further tokens */
    uint32_t block_count;            /* with them */
    struct tn_llama_layer *layers;   /* [layer_count] */
    struct tn_llama_weight *weights; /* [weight_count] those of the file in its order, then copies of some */
    size_t weight_count;
    struct tn_llama_weight *head; /* of a file where it is the embedding; else NULL */
    int output_place;
    bool has_overrides;
    bool uses_flash;       /* after "auto" was resolved */
    bool is_exact;         /* the compute buffers come from a recipe */
    bool has_latent_cache; /* keys alone: values are a part of them */
    uint64_t vocabulary;
    uint64_t embedding;
    const struct tn_recipe *recipe; /* of the file; NULL once its graph could not be built */
    struct tn_str why_bound; /* why the recipe's graph could not be built; empty where there is none, or it could */
    struct tn_error *error;  /* not NULL */
};

/* Bytes in one place. */
struct tn_llama_share {
    uint64_t weights;
    uint64_t repacked; /* of the weights on the host */
    uint64_t kv;       /* of the ordinary cache */
    uint64_t window_kv;
    uint64_t recurrent;
    uint64_t compute;
    uint64_t output; /* logits and embeddings kept for the caller; on the host */
};

/* The same file and settings with nothing computed; it does not touch the first.
 * arena  of what will be computed
 * error  not NULL */
struct tn_llama tn_llama_anew(const struct tn_llama *llama, struct tn_arena *arena, struct tn_error *error);

/* All of it, in the order in which the parts need each other.
 * shares  [gpu_count + 1], zero; the last of the host */
bool tn_llama_compute(struct tn_llama *llama, struct tn_llama_share *shares);

/* Each fills its part of `llama`, in this order. */
bool tn_llama_size(struct tn_llama *llama); /* sizes but for windows */
bool tn_llama_read_weights(struct tn_llama *llama);
bool tn_llama_place_layers(struct tn_llama *llama); /* layers, their caches, and sizes of windows */
bool tn_llama_place_weights(struct tn_llama *llama);
bool tn_llama_resolve_flash(struct tn_llama *llama); /* uses_flash */

/* shares  [gpu_count + 1], the last of the host */
bool tn_llama_add_weights(const struct tn_llama *llama, struct tn_llama_share *shares);
bool tn_llama_add_caches(const struct tn_llama *llama, struct tn_llama_share *shares);
bool tn_llama_add_compute(struct tn_llama *llama, struct tn_llama_share *shares);

/* A number of the model's config; `otherwise` where it is absent or no integer. */
uint64_t tn_llama_fact(const struct tn_llama *llama, const char *key, uint64_t otherwise);

/* Experts that a token is sent to; 0 without experts. */
uint64_t tn_llama_experts_used(const struct tn_llama *llama);

/* Values are kept transposed without flash attention. Caches are made before "auto" is resolved: it counts as on. */
bool tn_llama_is_transposed(const struct tn_llama *llama);

/* The share of a place. */
struct tn_llama_share *tn_llama_share_of(const struct tn_llama *llama, struct tn_llama_share *shares, int place);

#endif
