/* A model as llama.cpp finds it in a file: what does not depend on the deployment, read once for all plans. */
#ifndef TN_ENGINE_LLAMACPP_FILE_H
#define TN_ENGINE_LLAMACPP_FILE_H

#include "base/map.h"
#include "engine/llamacpp/recipe.h"
#include "model/gguf_tensors.h"

enum { TN_LLAMA_MOST_BLOCKS = 512 }; /* LLAMA_MAX_LAYERS: it refuses files with more */

/* What "auto" of flash attention was resolved to, and for which deployment: it does not depend on the context. */
struct tn_llama_flash_answer {
    bool is_known;
    bool uses_flash;
    bool kv_on_gpu;
    uint32_t gpu_count;
    int64_t gpu_layers;
    uint64_t version;
    const struct tn_dtype *key_type;
    const struct tn_dtype *value_type;
};

struct tn_llama_file {
    const struct tn_model *model;
    struct tn_str architecture;           /* general.architecture; empty where it is not known */
    const struct tn_gguf_tensor *tensors; /* [tensor_count] */
    size_t tensor_count;
    uint32_t *blocks;                   /* [tensor_count] of blk.12.attn_q.weight 12; UINT32_MAX for others */
    struct tn_map names;                /* of the tensors */
    uint32_t block_count;               /* of the text, with those for further tokens */
    const struct tn_recipe *recipe;     /* NULL where there is none */
    struct tn_llama_flash_answer flash; /* the last one */
    uint32_t *
        found; /* [block_count + 1][weights of the recipe]: index of the tensor + 1, 0 where there is none; UINT32_MAX: not looked
                        for yet. The last row is that of names without a block */
};

/* Memory from the arena; NULL with the error filled.
 * Errors: those of tn_gguf_tensors and tn_recipe_open; TN_ERROR_DTYPE for a type that is newer than the program; TN_ERROR_DEPLOYMENT for more
 * layers than llama.cpp takes. */
struct tn_llama_file *tn_llama_open_file(const struct tn_catalog *catalog, const struct tn_model *model,
                                         struct tn_arena *arena, struct tn_error *error);

/* The tensor of that name; SIZE_MAX where there is none. */
size_t tn_llama_find_tensor(const struct tn_llama_file *file, struct tn_str name);

/* The tensor that a recipe names by a number: blk.{layer}.NAME.weight, blk.{layer}.NAME, the same of a decoder (dec.blk), NAME.weight, NAME,
 * the first that there is;
 * SIZE_MAX where there is none. */
size_t tn_llama_find_weight(const struct tn_llama_file *file, uint32_t weight, uint64_t layer);

#endif
