/* The tensors of a model as a GGUF file has them: those of its header, or what llama.cpp's converter makes of the checkpoint that is
 * predicted, by the `gguf-names` record of its class (docs/records.md). */
#ifndef TN_MODEL_GGUF_TENSORS_H
#define TN_MODEL_GGUF_TENSORS_H

#include "catalog/catalog.h"
#include "model/model.h"

enum { TN_GGUF_DIMS = 4 };

struct tn_gguf_tensor {
    struct tn_str name;
    uint64_t ne[TN_GGUF_DIMS];    /* ne[0] is contiguous; 1 where the tensor has no such dimension */
    const struct tn_dtype *dtype; /* NULL: a type of the header newer than the table */
    uint64_t bytes;
};

/* Of a header in its order, with the tensors of a tower (mmproj) that was found beside it; else in no particular order. All from the
 * arena; names of a header point into it.
 * Of a checkpoint that is quantised otherwise (AWQ, FP8) the weights are those of its 16-bit form, as the converter writes them. A
 * checkpoint in F32 becomes a file in F16, the converter's default. Layers that predict further tokens are left out where --quant leaves
 * them out (data/quant/ggml.rec), as are towers, which are files of their own.
 * catalog  that of the model
 * Errors: TN_ERROR_UNKNOWN_ARCHITECTURE where no record tells the names of this class, or of one of its tensors;
 * TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_CONFIG, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_gguf_tensors(const struct tn_catalog *catalog, const struct tn_model *model, struct tn_arena *arena,
                     const struct tn_gguf_tensor **tensors, size_t *count, struct tn_error *error);

/* general.architecture of the file: "llama", "qwen3moe"; from the header, or the id of the record. Empty where unknown. It points into
 * the model or the catalog. */
struct tn_str tn_gguf_architecture(const struct tn_catalog *catalog, const struct tn_model *model);

#endif
