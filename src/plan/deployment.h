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

/* One GPU. */
struct tn_device {
    const struct tn_gpu *gpu; /* NULL: none of the catalog was named */
    uint64_t memory_bytes;
};

struct tn_deployment {
    const struct tn_gpu *gpu;  /* NULL: none of the catalog was named; of unequal GPUs the smallest */
    uint64_t gpu_memory_bytes; /* of one GPU, of unequal ones the smallest; 0: no GPU named, then nothing is judged */
    const struct tn_device *devices; /* [device_count] of each rank, stage after stage; NULL: all are as gpu */
    uint32_t device_count;           /* 0 where they are alike */
    uint32_t tp;                     /* tensor parallel, at least 1; likewise the next three */
    uint32_t pp;                     /* pipeline parallel: stages of consecutive layers */
    uint32_t ep;                     /* expert parallel: over ranks of tp and dp */
    uint32_t dp;                     /* data parallel: whole copies, requests divided among them */
    uint64_t context_tokens;         /* of one request, prompt and output */
    bool context_is_given;           /* by the user; else it is the model's maximum */
    uint64_t concurrency;            /* requests at once */
    const struct tn_dtype *kv_dtype;
    struct tn_str kv_dtype_name; /* as it was asked for, in the engine's own word; empty: not, or by kv_dtype alone */
    const struct tn_assignment *sets; /* [set_count] */
    size_t set_count;
    struct tn_str
        context_setting;   /* the engine's own setting that context_tokens is, "max_model_len"; empty: it has none */
    uint32_t overhead_ppm; /* generic engine: millionths of weights and caches */
};

/* The GPU of a rank, counted stage after stage; of a rank that has none the smallest. */
struct tn_device tn_deployment_device(const struct tn_deployment *deployment, uint32_t rank);

/* The smallest GPU of the ranks of a stage, which hold the same. */
struct tn_device tn_deployment_stage_device(const struct tn_deployment *deployment, uint32_t stage);

#endif
