/* What a model is made of, as a newcomer asks: how large, which kinds of layers, what each token keeps, what weighs how much. */
#ifndef TN_API_ANATOMY_H
#define TN_API_ANATOMY_H

#include "model/model.h"
#include "plan/cache.h"
#include "report/report.h"
#include "text/json.h"

enum { TN_MOST_LAYER_KINDS = 48 };

/* Layers of one stack that made the same choices. */
struct tn_layer_kind {
    char letter; /* its own within the model, where there are enough letters */
    const struct tn_layer *first;
    uint32_t layer_count;
    uint64_t parameters; /* of one such layer; 0 where the tensors are not known by layer */
};

struct tn_share {
    const char *name;
    uint64_t tensors;
    uint64_t parameters;
    uint64_t bytes;
};

struct tn_anatomy {
    const struct tn_model *model;
    struct tn_layer_kind
        kinds[TN_MOST_LAYER_KINDS]; /* [kind_count] in order of appearance; further kinds share the last */
    size_t kind_count;
    uint8_t *kind_of;                        /* [model->predicted_layer_count] */
    struct tn_share classes[TN_CLASS_COUNT]; /* [class_count], as they come in the closed list */
    size_t class_count;
    struct tn_share *dtypes; /* [dtype_count], the heaviest first */
    size_t dtype_count;
    const struct tn_dtype *kv_dtype;
    struct tn_cache_totals totals;   /* at the longest context, with KV in kv_dtype */
    uint64_t window_bytes_per_token; /* of bytes_per_token: what stops growing at a window or a chunk */
};

/* Errors: TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_anatomy_find(const struct tn_model *model, struct tn_arena *arena, struct tn_anatomy *anatomy,
                     struct tn_error *error);

void tn_anatomy_report(const struct tn_anatomy *anatomy, enum tn_units units, struct tn_report *report);

/* "kv", "stacks", "layer_kinds", "classes", "dtypes": docs/json.md */
void tn_anatomy_json(const struct tn_anatomy *anatomy, struct tn_json_writer *json);

#endif
