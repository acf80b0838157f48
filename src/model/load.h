/* From what is known of a model to struct tn_model: facts -> record -> prediction -> quantisation -> header. */
#ifndef TN_MODEL_LOAD_H
#define TN_MODEL_LOAD_H

#include "catalog/catalog.h"
#include "format/safetensors.h"
#include "model/model.h"

/* Everything that may be known; at least one of config and header must be there. All pointers must outlive the model. */
struct tn_model_input {
    struct tn_str id;                    /* shown as the model's name */
    const struct tn_value *config;       /* an object, or NULL */
    enum tn_origin config_origin;        /* TN_ORIGIN_CONFIG or TN_ORIGIN_CATALOG */
    struct tn_str config_where;          /* file or record, for messages */
    const struct tn_value *quant_config; /* hf_quant_config.json beside it, an object, or NULL */
    const struct tn_header *header;      /* all tensors of all files, or NULL */
    bool header_is_gguf;
    struct tn_str header_where;
    const struct tn_weight_index *index; /* tensor names alone; used where there is no header; or NULL */
    uint64_t index_bytes;                /* the total size that the index states; 0 where unknown */
    uint64_t published_parameters;       /* 0 where unknown */
    struct tn_str dtype;                 /* of the weights, asked for by the user; empty: as the checkpoint has them */
    struct tn_str quant;                 /* likewise: a quant record or a dtype */
};

/* NULL with the error filled. The caller frees with tn_model_free.
 * Errors: TN_ERROR_UNKNOWN_ARCHITECTURE (no record, and no header to count), TN_ERROR_CONFIG, TN_ERROR_DTYPE, TN_ERROR_HEADER,
 * TN_ERROR_TOO_LARGE, TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_MEMORY. */
struct tn_model *tn_model_load(const struct tn_catalog *catalog, const struct tn_model_input *input,
                               struct tn_error *error);

/* A model by its numbers alone, as texts about memory count it. */
struct tn_model_numbers {
    uint64_t parameters;
    uint64_t layers;
    uint64_t hidden;
    uint64_t heads;      /* 0: not known; then KV is 2 x layers x hidden */
    uint64_t kv_heads;   /* 0: as heads */
    uint64_t head_dim;   /* 0: hidden / heads */
    struct tn_str dtype; /* empty: fp16 */
};

/* Errors: TN_ERROR_USAGE where the numbers contradict each other, TN_ERROR_DTYPE, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
struct tn_model *tn_model_from_numbers(const struct tn_model_numbers *numbers, struct tn_error *error);

#endif
