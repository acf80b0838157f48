/* What the user asks: on what, how divided, how much text, for how many at once. */
#ifndef TN_PLAN_DEPLOYMENT_H
#define TN_PLAN_DEPLOYMENT_H

#include "catalog/catalog.h"
#include "format/dtype.h"

enum { TN_MOST_RANKS = 4096 };

/* An engine's own setting, as the user gave it: "max_num_seqs", "256". */
struct tn_assignment {
    struct tn_str name;
    struct tn_str value;
};

struct tn_deployment {
    const struct tn_gpu *gpu;  /* NULL: none of the catalog was named */
    uint64_t gpu_memory_bytes; /* of one GPU; 0: no GPU named, then nothing is judged */
    uint32_t tp;               /* tensor parallel, at least 1; likewise the next three */
    uint32_t pp;               /* pipeline parallel: stages of consecutive layers */
    uint32_t ep;               /* expert parallel: over ranks of tp and dp */
    uint32_t dp;               /* data parallel: whole copies, requests divided among them */
    uint64_t context_tokens;   /* of one request, prompt and output */
    bool context_is_given;     /* by the user; else it is the model's maximum */
    uint64_t concurrency;      /* requests at once */
    const struct tn_dtype *kv_dtype;
    struct tn_str kv_dtype_name; /* as it was asked for, in the engine's own word; empty: not, or by kv_dtype alone */
    const struct tn_assignment *sets; /* [set_count] */
    size_t set_count;
    struct tn_str
        context_setting;   /* the engine's own setting that context_tokens is, "max_model_len"; empty: it has none */
    uint32_t overhead_ppm; /* generic engine: millionths of weights and caches */
};

#endif
