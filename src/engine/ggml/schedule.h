/* Which device runs which node, and what is copied between them: ggml's scheduler (ggml-backend.cpp, llama.cpp 0.5.0). It turns a graph
 * into the list of nodes that the allocator is run over. */
#ifndef TN_ENGINE_GGML_SCHEDULE_H
#define TN_ENGINE_GGML_SCHEDULE_H

#include "engine/ggml/device.h"
#include "engine/ggml/graph.h"

enum { TN_GGML_MOST_DEVICES = 17, TN_GGML_PIPELINE_COPIES = 4 };

struct tn_ggml_schedule {
    const struct tn_ggml_device *devices; /* [device_count], best first; the last is the CPU */
    int device_count;
    int copies;         /* of inputs, for pipeline parallelism: 1 or TN_GGML_PIPELINE_COPIES */
    bool offloads;      /* nodes with weights in the host's memory run on a GPU where the batch is large (op_offload) */
    bool copies_unread; /* also inputs that no node reads have copies */
    struct tn_ggml_graph *graph;

    /* results */
    struct tn_ggml_list leafs;
    struct tn_ggml_list nodes;
    int *leaf_devices; /* [leafs.count] */
    int *node_devices; /* [nodes.count] */
    size_t split_count;
};

/* Divides schedule->graph; its first fields are set by the caller. The graph's tensors are changed: sources become copies.
 * Errors: TN_ERROR_MEMORY. */
bool tn_ggml_divide(struct tn_ggml_schedule *schedule, struct tn_error *error);

/* The device that a node is given to before anything else is known, or -1: where its weight or its result lies. */
int tn_ggml_given_device(const struct tn_ggml_schedule *schedule, const struct tn_ggml_tensor *tensor);

#endif
