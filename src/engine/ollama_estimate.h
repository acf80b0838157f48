/* How ollama divided a model among GPUs and the processor before it left that to llama-server: by an estimate of its own (to 0.12.10), then
 * by packing layers (to 0.29). Both know of a model the bytes of its layers and two sizes of a graph, and take GPUs to be alike. */
#ifndef TN_ENGINE_OLLAMA_ESTIMATE_H
#define TN_ENGINE_OLLAMA_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

enum { TN_OLLAMA_MOST_GPUS = 16 };

struct tn_ollama_model {
    const uint64_t *layer_bytes; /* [layer_count] weights and cache of each block */
    uint32_t layer_count;        /* without the output */
    uint64_t output_bytes;       /* norm and head; where the head is tied, the embedding */
    uint64_t full_graph_bytes;   /* where all layers are on GPUs */
    uint64_t partial_graph_bytes;
};

struct tn_ollama_room {
    uint32_t gpu_count;
    uint64_t free_bytes;    /* of each GPU */
    uint64_t kept_bytes;    /* of each GPU: the least that it keeps, and OLLAMA_GPU_OVERHEAD */
    uint64_t minimum_bytes; /* the first of the two, which counts as taken */
    int64_t wanted_layers;  /* num_gpu; negative: as many as fit */
    bool spreads;           /* over all GPUs also where one would do */
};

struct tn_ollama_layout {
    uint32_t layers; /* on GPUs, the output with them */
    uint32_t gpu_layers[TN_OLLAMA_MOST_GPUS];
    uint64_t gpu_bytes;   /* that it counts on GPUs */
    uint64_t all_bytes;   /* with what it leaves to the processor */
    uint64_t graph_bytes; /* on each GPU that has layers */
};

/* memory.go: from the last layer on, round robin over the GPUs that still have room. Sums must fit 63 bits. */
void tn_ollama_estimate(const struct tn_ollama_model *model, const struct tn_ollama_room *room,
                        struct tn_ollama_layout *layout);

/* server.go: the fewest GPUs that take all layers, divided evenly; without room for all, those behind the output first. */
void tn_ollama_pack(const struct tn_ollama_model *model, const struct tn_ollama_room *room,
                    struct tn_ollama_layout *layout);

#endif
