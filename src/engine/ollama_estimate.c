/* Layers on GPUs by ollama's older rules, as its llm/memory.go (0.11) and llm/server.go (0.17) have them. */
#include "engine/ollama_estimate.h"

#include <string.h>

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* ---- the estimate ------------------------------------------------------------------------------------------------- */

struct estimate {
    const struct tn_ollama_model *model;
    const struct tn_ollama_room *room;
    struct tn_ollama_layout *layout;
    uint64_t graph_bytes; /* held free while layers are placed: the larger of the two */
    uint64_t taken_bytes[TN_OLLAMA_MOST_GPUS];
    uint32_t open[TN_OLLAMA_MOST_GPUS]; /* [open_count] GPUs with room */
    uint32_t open_count;
    uint64_t left_bytes; /* for the processor */
};

static bool has_room(const struct estimate *estimate, uint32_t gpu, uint64_t bytes)
{
    uint64_t overhead = estimate->room->kept_bytes - estimate->room->minimum_bytes;
    return estimate->room->free_bytes > overhead + estimate->taken_bytes[gpu] + estimate->graph_bytes + bytes;
}

/* Only GPUs that take the graph, the least that is kept, one layer as a buffer, and one more. */
static void open_gpus(struct estimate *estimate)
{
    const struct tn_ollama_room *room = estimate->room;
    uint64_t first = estimate->model->layer_count ? estimate->model->layer_bytes[0] : 0;
    for (uint32_t k = 0; k < room->gpu_count; k++) {
        if (room->free_bytes >= estimate->graph_bytes + room->kept_bytes + 2 * first) {
            estimate->open[estimate->open_count++] = k;
            estimate->taken_bytes[k] = room->minimum_bytes + first;
        }
    }
}

static void put(struct estimate *estimate, uint32_t gpu, uint64_t bytes)
{
    estimate->taken_bytes[gpu] += bytes;
    estimate->layout->gpu_layers[gpu]++;
    estimate->layout->layers++;
}

static bool is_wanted(const struct estimate *estimate)
{
    int64_t wanted = estimate->room->wanted_layers;
    return wanted < 0 || estimate->layout->layers < wanted;
}

/* A GPU without room for a layer gets no further ones. */
static void place_layer(struct estimate *estimate, uint32_t layer)
{
    uint64_t bytes = estimate->model->layer_bytes[layer];
    while (is_wanted(estimate) && estimate->open_count) {
        uint32_t at = layer % estimate->open_count;
        if (has_room(estimate, estimate->open[at], bytes)) {
            put(estimate, estimate->open[at], bytes);
            return;
        }
        estimate->open_count--;
        memmove(&estimate->open[at], &estimate->open[at + 1], (estimate->open_count - at) * sizeof estimate->open[0]);
    }
    estimate->left_bytes += bytes;
}

static void place_output(struct estimate *estimate)
{
    uint64_t bytes = estimate->model->output_bytes;
    for (uint32_t count = is_wanted(estimate) ? estimate->open_count : 0; count > 0; count--) {
        uint32_t gpu = estimate->open[estimate->layout->layers % count];
        if (has_room(estimate, gpu, bytes)) {
            put(estimate, gpu, bytes);
            break;
        }
    }
    estimate->left_bytes += estimate->layout->layers <= estimate->model->layer_count ? bytes : 0;
}

/* Several GPUs always have the larger kind of graph. */
static uint64_t graph_of(const struct tn_ollama_model *model, const struct tn_ollama_room *room, bool is_full)
{
    return is_full && room->gpu_count == 1 ? model->full_graph_bytes : model->partial_graph_bytes;
}

static void estimate_on(const struct tn_ollama_model *model, const struct tn_ollama_room *room,
                        struct tn_ollama_layout *layout)
{
    struct estimate estimate = {.model = model, .room = room, .layout = layout};
    *layout = (struct tn_ollama_layout){0};
    estimate.graph_bytes = larger(graph_of(model, room, true), graph_of(model, room, false));
    open_gpus(&estimate);
    for (uint32_t k = model->layer_count; k-- > 0;) {
        place_layer(&estimate, k);
    }
    place_output(&estimate);
    layout->graph_bytes = graph_of(model, room, layout->layers > model->layer_count);
    for (uint32_t k = 0; k < room->gpu_count; k++) {
        layout->gpu_bytes += estimate.taken_bytes[k] + (layout->gpu_layers[k] ? layout->graph_bytes : 0);
    }
    layout->all_bytes = layout->gpu_bytes + estimate.left_bytes;
    layout->gpu_bytes = layout->layers ? layout->gpu_bytes : 0;
}

void tn_ollama_estimate(const struct tn_ollama_model *model, const struct tn_ollama_room *room,
                        struct tn_ollama_layout *layout)
{
    struct tn_ollama_room one = *room;
    one.gpu_count = 1;
    estimate_on(model, room->spreads ? room : &one, layout);
    if (layout->layers <= model->layer_count && room->gpu_count > 1) {
        estimate_on(model, room, layout);
    }
}

/* ---- packing ------------------------------------------------------------------------------------------------------ */

struct packing {
    const struct tn_ollama_model *model;
    uint64_t room_bytes[TN_OLLAMA_MOST_GPUS]; /* for layers */
    int64_t wanted_layers;
    uint32_t layer_count; /* that are to be placed: with the output, or without */
};

static uint64_t layer_bytes(const struct packing *packing, uint32_t layer)
{
    return layer < packing->model->layer_count ? packing->model->layer_bytes[layer] : packing->model->output_bytes;
}

/* From the last layer and the last GPU on, each GPU filled up to a share of its room. */
static uint32_t fill(const struct packing *packing, uint32_t gpu_count, float capacity, uint32_t *gpu_layers)
{
    uint32_t gpu = gpu_count - 1;
    uint32_t placed = 0;
    uint64_t room = (uint64_t)((float)packing->room_bytes[gpu] * capacity);
    memset(gpu_layers, 0, gpu_count * sizeof *gpu_layers);
    for (uint32_t k = packing->layer_count; k-- > 0;) {
        uint64_t bytes = layer_bytes(packing, k);
        if (packing->wanted_layers >= 0 && placed >= packing->wanted_layers) {
            break;
        }
        while (bytes > room) {
            if (gpu == 0) {
                return placed;
            }
            gpu--;
            room = (uint64_t)((float)packing->room_bytes[gpu] * capacity);
        }
        room -= bytes;
        gpu_layers[gpu]++;
        placed++;
    }
    return placed;
}

/* The smallest share of the room that takes as many layers as all of it: so they are divided evenly. */
static uint32_t balance(const struct packing *packing, uint32_t gpu_count, bool is_forced, uint32_t *gpu_layers)
{
    enum { FORCED_ROOM = 1000 }; /* a wish is granted as if there were room */
    const float step = 1e-6F;
    float low = 0;
    float high = packing->wanted_layers >= 0 && is_forced ? FORCED_ROOM : 1;
    uint32_t most = fill(packing, gpu_count, high, gpu_layers);
    while (high - low > step) {
        float middle = (low + high) / 2;
        if (middle <= low || middle >= high) {
            break; /* the numbers between them are used up */
        }
        bool is_enough = fill(packing, gpu_count, middle, gpu_layers) == most;
        high = is_enough ? middle : high;
        low = is_enough ? low : middle;
    }
    return fill(packing, gpu_count, high, gpu_layers);
}

/* The fewest GPUs that take all that is wanted, from so many on. */
static uint32_t balance_on_few(const struct packing *packing, const struct tn_ollama_room *room, uint32_t fewest,
                               uint32_t *gpu_layers)
{
    uint32_t placed = 0;
    for (uint32_t count = room->spreads ? room->gpu_count : fewest; count <= room->gpu_count; count++) {
        placed = balance(packing, count, count == room->gpu_count, gpu_layers);
        if (placed == packing->layer_count || placed == packing->wanted_layers) {
            break;
        }
    }
    return placed;
}

/* Where not all find room, the output is the first that stays out. */
static uint32_t assign(struct packing *packing, const struct tn_ollama_room *room, uint32_t fewest,
                       uint32_t *gpu_layers)
{
    uint32_t all = packing->model->layer_count + 1;
    packing->layer_count = all;
    packing->wanted_layers = room->wanted_layers > all ? all : room->wanted_layers;
    uint32_t placed = balance_on_few(packing, room, fewest, gpu_layers);
    if (placed < all) {
        packing->layer_count = all - 1;
        placed = balance_on_few(packing, room, fewest, gpu_layers);
    }
    return placed;
}

static uint32_t used(const uint32_t *gpu_layers, uint32_t gpu_count)
{
    uint32_t count = 0;
    for (uint32_t k = 0; k < gpu_count; k++) {
        count += gpu_layers[k] > 0;
    }
    return count;
}

static void sum_up(const struct packing *packing, uint32_t gpu_count, struct tn_ollama_layout *layout)
{
    const struct tn_ollama_model *model = packing->model;
    bool is_full = layout->layers > model->layer_count;
    uint32_t last = packing->layer_count; /* behind those that were placed */
    layout->graph_bytes = is_full ? model->full_graph_bytes : model->partial_graph_bytes;
    for (uint32_t k = 0; k <= model->layer_count; k++) {
        uint64_t bytes = k < model->layer_count ? model->layer_bytes[k] : model->output_bytes;
        bool is_on_gpu = k < last && k + layout->layers >= last;
        layout->gpu_bytes += is_on_gpu ? bytes : 0;
        layout->all_bytes += bytes;
    }
    uint64_t graphs = used(layout->gpu_layers, gpu_count) * layout->graph_bytes;
    layout->gpu_bytes += graphs;
    layout->all_bytes += graphs;
}

/* Room for a graph is held on each GPU that has got layers, which may push layers to the next: so until no further one is needed. */
void tn_ollama_pack(const struct tn_ollama_model *model, const struct tn_ollama_room *room,
                    struct tn_ollama_layout *layout)
{
    struct packing packing = {.model = model};
    uint64_t graph = larger(model->full_graph_bytes, model->partial_graph_bytes);
    uint32_t with_graph = 0;
    *layout = (struct tn_ollama_layout){0};
    for (bool grows = room->gpu_count > 0; grows;) {
        for (uint32_t k = 0; k < room->gpu_count; k++) {
            packing.room_bytes[k] = less(room->free_bytes, room->kept_bytes + (k < with_graph ? graph : 0));
        }
        layout->layers = assign(&packing, room, with_graph ? with_graph : 1, layout->gpu_layers);
        uint32_t now = used(layout->gpu_layers, room->gpu_count);
        grows = now > with_graph;
        with_graph = now;
    }
    sum_up(&packing, room->gpu_count, layout);
}
