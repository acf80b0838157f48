#include "engine/ggml/tensor.h"

#include <string.h>

uint64_t tn_ggml_elements(const struct tn_ggml_tensor *tensor)
{
    return tensor->ne[0] * tensor->ne[1] * tensor->ne[2] * tensor->ne[3];
}

uint64_t tn_ggml_bytes(const struct tn_ggml_tensor *tensor)
{
    uint64_t bytes;
    if (!tn_ggml_elements(tensor)) {
        return 0;
    }
    if (tensor->type->block_elements == 1) {
        bytes = tensor->type->block_bytes + (tensor->ne[0] - 1) * tensor->nb[0];
    } else {
        bytes = tensor->ne[0] * tensor->nb[0] / tensor->type->block_elements;
    }
    for (int d = 1; d < TN_GGML_DIMS; d++) {
        bytes += (tensor->ne[d] - 1) * tensor->nb[d];
    }
    return bytes;
}

bool tn_ggml_is_quantised(const struct tn_dtype *type)
{
    return type->block_elements > 1;
}

/* A dimension of one element may have any stride. */
bool tn_ggml_is_contiguous(const struct tn_ggml_tensor *tensor, int from)
{
    const struct tn_dtype *type = tensor->type;
    uint64_t next = type->block_bytes;
    if (tensor->ne[0] != type->block_elements && tensor->nb[0] != next) {
        return false;
    }
    next *= tensor->ne[0] / type->block_elements;
    for (int d = 1; d < TN_GGML_DIMS; d++) {
        if (d > from && tensor->ne[d] != 1 && tensor->nb[d] != next) {
            return false;
        }
        next = d > from ? next * tensor->ne[d] : tensor->ne[d] * tensor->nb[d];
    }
    return true;
}

bool tn_ggml_has_contiguous_rows(const struct tn_ggml_tensor *tensor)
{
    return tensor->ne[0] == tensor->type->block_elements || tensor->nb[0] == tensor->type->block_bytes;
}

bool tn_ggml_same_layout(const struct tn_ggml_tensor *a, const struct tn_ggml_tensor *b)
{
    return a->type == b->type && !memcmp(a->ne, b->ne, sizeof a->ne) && !memcmp(a->nb, b->nb, sizeof a->nb);
}
