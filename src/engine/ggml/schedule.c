#include "engine/ggml/schedule.h"

#include "engine/ggml/op.h"

struct split {
    int device;
    size_t first;
    size_t end;
    struct tn_ggml_list inputs; /* tensors of other devices that it reads: copied when it begins */
};

struct division {
    struct tn_ggml_schedule *schedule;
    struct split *splits; /* [count] */
    size_t count;
    size_t capacity;
    struct tn_ggml_list graph_inputs; /* of which there are several copies, with pipeline parallelism */
    struct tn_error *error;
};

static int cpu_of(const struct tn_ggml_schedule *schedule)
{
    return schedule->device_count - 1;
}

static bool is_view(const struct tn_ggml_tensor *tensor)
{
    return tensor->row && tensor->row->traits & TN_GGML_IS_VIEW;
}

/* ---- where nodes run ---------------------------------------------------------------------------------------------- */

/* A GPU reads its own memory, the CPU the host's. */
static bool can_read(const struct tn_ggml_schedule *schedule, int device, int place)
{
    return place >= 0 ? device == place : device == cpu_of(schedule);
}

/* A GPU refuses what has a source in the memory of another one. */
static bool supports(const struct tn_ggml_schedule *schedule, int device, const struct tn_ggml_tensor *tensor)
{
    if (device == cpu_of(schedule)) {
        return true;
    }
    for (int k = 0; k < TN_GGML_SOURCES; k++) {
        const struct tn_ggml_tensor *source = tensor->sources[k];
        if (source && source->place >= 0 && source->place != device) {
            return false;
        }
    }
    return tn_ggml_supports(&schedule->devices[device], tensor);
}

static int place_of(const struct tn_ggml_tensor *tensor)
{
    return tensor->viewed ? tensor->viewed->place : tensor->place;
}

/* The best device that reads the memory where `holder` lies and can do the operation; -1 where it lies nowhere yet. */
static int device_of_place(const struct tn_ggml_schedule *schedule, const struct tn_ggml_tensor *holder,
                           const struct tn_ggml_tensor *operation)
{
    int place = place_of(holder);
    for (int d = 0; place != TN_GGML_NOWHERE && d < schedule->device_count; d++) {
        if (can_read(schedule, d, place) && supports(schedule, d, operation)) {
            return d;
        }
    }
    return -1;
}

/* A weight in the host's memory: a GPU takes the operation where the batch is worth the copy. Repacked weights are not the host's. */
static int offloaded(const struct tn_ggml_schedule *schedule, const struct tn_ggml_tensor *tensor,
                     const struct tn_ggml_tensor *weight, int device)
{
    if (!schedule->offloads || device != cpu_of(schedule) || weight->place != TN_GGML_HOST) {
        return device;
    }
    for (int d = 0; d < device; d++) {
        if (supports(schedule, d, tensor) && tn_ggml_offloads(&schedule->devices[d], tensor)) {
            return d;
        }
    }
    return device;
}

int tn_ggml_given_device(const struct tn_ggml_schedule *schedule, const struct tn_ggml_tensor *tensor)
{
    int device = device_of_place(schedule, tensor, tensor);
    if (device >= 0) {
        return device;
    }
    if (tensor->flags & TN_GGML_INPUT) {
        return cpu_of(schedule);
    }
    if (tensor->op == TN_GGML_ROPE
        || tensor->op == TN_GGML_FLASH_ATTENTION) { /* their weights are too small to decide */
        return -1;
    }
    for (int k = 0; k < TN_GGML_SOURCES; k++) {
        const struct tn_ggml_tensor *source = tensor->sources[k];
        if (source && source->flags & TN_GGML_WEIGHT && source->place != TN_GGML_NOWHERE) {
            return offloaded(schedule, tensor, source, device_of_place(schedule, source, tensor));
        }
    }
    return -1;
}

static void assign_given(const struct tn_ggml_schedule *schedule, const struct tn_ggml_list *list)
{
    for (size_t k = 0; k < list->count; k++) {
        if (list->items[k]->backend < 0) {
            list->items[k]->backend = tn_ggml_given_device(schedule, list->items[k]);
        }
    }
}

/* Nodes that nothing binds go with their neighbours. */
static void spread(const struct tn_ggml_schedule *schedule, bool downwards, bool gpus_only)
{
    const struct tn_ggml_list *nodes = &schedule->graph->nodes;
    int device = -1;
    for (size_t k = 0; k < nodes->count; k++) {
        struct tn_ggml_tensor *node = nodes->items[downwards ? k : nodes->count - 1 - k];
        if (is_view(node)) {
            continue;
        }
        if (node->backend >= 0) {
            device = gpus_only && node->backend == cpu_of(schedule) ? -1 : node->backend;
        } else if (device >= 0 && supports(schedule, device, node)) {
            node->backend = device;
        }
    }
}

/* Whether a device can read a tensor where it lies or will lie. */
static bool is_readable(const struct tn_ggml_schedule *schedule, const struct tn_ggml_tensor *tensor, int device)
{
    int place = place_of(tensor);
    if (place != TN_GGML_NOWHERE) {
        return can_read(schedule, device, place);
    }
    int backend = tensor->backend < 0 && tensor->viewed ? tensor->viewed->backend : tensor->backend;
    return backend == device;
}

static int readable_sources(const struct tn_ggml_schedule *schedule, const struct tn_ggml_tensor *node, int device)
{
    int count = 0;
    for (int k = 0; k < TN_GGML_SOURCES; k++) {
        const struct tn_ggml_tensor *source = node->sources[k];
        bool assigned = source && (source->backend >= 0 || (source->viewed && source->viewed->backend >= 0));
        count += assigned && is_readable(schedule, source, device);
    }
    return count;
}

/* What its neighbours' device cannot do runs where most of its sources lie. */
static void assign_by_sources(const struct tn_ggml_schedule *schedule, struct tn_ggml_tensor *node)
{
    int best = -1;
    for (int d = 0; d < schedule->device_count; d++) {
        int count = supports(schedule, d, node) ? readable_sources(schedule, node, d) : -1;
        if (count > best) {
            best = count;
            node->backend = d;
        }
    }
}

static void assign_rest(const struct tn_ggml_schedule *schedule)
{
    const struct tn_ggml_list *nodes = &schedule->graph->nodes;
    for (size_t k = 0; k < nodes->count; k++) {
        if (nodes->items[k]->backend < 0 && !is_view(nodes->items[k])) {
            assign_by_sources(schedule, nodes->items[k]);
        }
    }
}

/* Views go with what they view; sources without a device go with the node that reads them, and to the host where none but a view does. */
static void assign_sources(const struct tn_ggml_schedule *schedule)
{
    const struct tn_ggml_list *nodes = &schedule->graph->nodes;
    const struct tn_ggml_list *leafs = &schedule->graph->leafs;
    for (size_t n = 0; n < nodes->count; n++) {
        struct tn_ggml_tensor *node = nodes->items[n];
        if (node->viewed && node->backend < 0) {
            node->backend = node->viewed->backend;
        }
        for (int k = 0; k < TN_GGML_SOURCES; k++) {
            struct tn_ggml_tensor *source = node->sources[k];
            if (source && source->backend < 0) {
                source->backend = source->viewed ? source->viewed->backend : node->backend;
            }
        }
        for (int d = 0; d < schedule->device_count && node->backend < 0; d++) {
            node->backend = supports(schedule, d, node) ? d : -1;
        }
    }
    for (size_t k = 0; k < leafs->count; k++) {
        if (leafs->items[k]->backend < 0) {
            leafs->items[k]->backend = cpu_of(schedule);
        }
    }
}

/* ---- splits ------------------------------------------------------------------------------------------------------- */

static struct split *begin_split(struct division *division, int device, size_t first)
{
    if (division->count == division->capacity) {
        size_t capacity = division->capacity ? division->capacity * 2 : 16;
        struct split *splits = tn_arena_grow(division->schedule->graph->arena, division->splits, division->count,
                                             capacity, sizeof *splits);
        if (!splits) {
            tn_fail_memory(division->error);
            return NULL;
        }
        division->splits = splits;
        division->capacity = capacity;
    }
    struct split *split = &division->splits[division->count++];
    *split = (struct split){.device = device, .first = first};
    return split;
}

/* [copies] of a tensor on a device; NULL entries where there are none yet. NULL when memory is out. */
static struct tn_ggml_tensor **copies_on(const struct division *division, struct tn_ggml_tensor *tensor, int device)
{
    const struct tn_ggml_schedule *schedule = division->schedule;
    if (!tensor->copies) {
        size_t count = (size_t)schedule->device_count * (size_t)schedule->copies;
        tensor->copies = TN_NEW_ARRAY(schedule->graph->arena, struct tn_ggml_tensor *, count);
        if (!tensor->copies) {
            tn_fail_memory(division->error);
            return NULL;
        }
    }
    return &tensor->copies[(size_t)device * (size_t)schedule->copies];
}

static struct tn_ggml_tensor *copy_of(const struct division *division, const struct tn_ggml_tensor *tensor, int device)
{
    struct tn_ggml_graph *graph = division->schedule->graph;
    struct tn_ggml_tensor *copy = tn_ggml_new(graph, tensor->type, tensor->ne, NULL, 0, division->error);
    for (int d = 0; copy && d < TN_GGML_DIMS; d++) {
        copy->nb[d] = tensor->nb[d];
    }
    if (copy) {
        copy->backend = device;
        copy->flags = division->schedule->copies > 1 ? TN_GGML_INPUT | TN_GGML_OUTPUT : 0;
    }
    return copy;
}

/* Copies of a tensor on a device where it is not; the first may be the tensor itself. */
static bool make_copies(struct division *division, struct tn_ggml_tensor *tensor, int device, bool first_is_itself,
                        struct tn_ggml_list *list)
{
    struct tn_ggml_tensor **copies = copies_on(division, tensor, device);
    if (!copies) {
        return false;
    }
    if (copies[0]) {
        return true;
    }
    for (int c = 0; c < division->schedule->copies; c++) {
        copies[c] = c == 0 && first_is_itself ? tensor : copy_of(division, tensor, device);
        if (!copies[c]) {
            return false;
        }
        if (copies[c] == tensor) {
            tensor->flags |= TN_GGML_INPUT | TN_GGML_OUTPUT;
        }
    }
    return tn_ggml_append(division->schedule->graph->arena, list, tensor, division->error);
}

/* By beginning anew, the memory of a weight that was copied can be used for the next one. */
static bool wants_new_split(const struct tn_ggml_schedule *schedule, const struct split *split,
                            const struct tn_ggml_tensor *node)
{
    for (int k = 0; split->inputs.count && k < TN_GGML_SOURCES; k++) {
        const struct tn_ggml_tensor *source = node->sources[k];
        if (source && source->flags & TN_GGML_WEIGHT && source->place != TN_GGML_NOWHERE
            && source->backend != split->device && !is_readable(schedule, source, split->device)) {
            return true;
        }
    }
    return false;
}

static bool take_sources(struct division *division, struct split *split, struct tn_ggml_tensor *node)
{
    const struct tn_ggml_schedule *schedule = division->schedule;
    for (int k = 0; k < TN_GGML_SOURCES; k++) {
        struct tn_ggml_tensor *source = node->sources[k];
        if (!source) {
            continue;
        }
        if (source->flags & TN_GGML_INPUT && schedule->copies > 1
            && !make_copies(division, source, source->backend, true, &division->graph_inputs)) {
            return false;
        }
        if (source->backend != split->device && !is_readable(schedule, source, split->device)) {
            if (!make_copies(division, source, split->device, false, &split->inputs)) {
                return false;
            }
            node->sources[k] = copies_on(division, source, split->device)[0];
        }
    }
    return true;
}

/* Since llama.cpp 0.6 also inputs that no node reads are copied. */
static bool copy_inputs(struct division *division)
{
    const struct tn_ggml_list *leafs = &division->schedule->graph->leafs;
    bool done = true;
    for (size_t k = 0; done && k < leafs->count; k++) {
        struct tn_ggml_tensor *leaf = leafs->items[k];
        done =
            !(leaf->flags & TN_GGML_INPUT) || make_copies(division, leaf, leaf->backend, true, &division->graph_inputs);
    }
    return done;
}

static bool split_graph(struct division *division)
{
    const struct tn_ggml_list *nodes = &division->schedule->graph->nodes;
    struct split *split = NULL;
    for (size_t n = 0; n < nodes->count; n++) {
        struct tn_ggml_tensor *node = nodes->items[n];
        if (is_view(node)) {
            continue;
        }
        if (!split || node->backend != split->device || wants_new_split(division->schedule, split, node)) {
            if (split) {
                split->end = n;
            }
            split = begin_split(division, node->backend, split ? n : 0);
        }
        if (!split || !take_sources(division, split, node)) {
            return false;
        }
    }
    if (split) {
        split->end = nodes->count;
    }
    return true;
}

/* ---- the list for the allocator ----------------------------------------------------------------------------------- */

static bool add_to(struct division *division, struct tn_ggml_list *list, int **devices, struct tn_ggml_tensor *tensor,
                   int device)
{
    struct tn_arena *arena = division->schedule->graph->arena;
    size_t capacity = list->capacity;
    if (!tn_ggml_append(arena, list, tensor, division->error)) {
        return false;
    }
    if (list->capacity != capacity) {
        int *grown = tn_arena_grow(arena, *devices, list->count - 1, list->capacity, sizeof *grown);
        if (!grown) {
            return tn_fail_memory(division->error);
        }
        *devices = grown;
    }
    (*devices)[list->count - 1] = device;
    return true;
}

static bool add_node(struct division *division, struct tn_ggml_tensor *tensor, int device)
{
    return add_to(division, &division->schedule->nodes, &division->schedule->node_devices, tensor, device);
}

static bool add_leaf(struct division *division, struct tn_ggml_tensor *tensor, int device)
{
    return add_to(division, &division->schedule->leafs, &division->schedule->leaf_devices, tensor, device);
}

/* A node that only keeps a tensor until its copy is there. */
static struct tn_ggml_tensor *keeper_of(struct division *division, struct tn_ggml_tensor *tensor)
{
    struct tn_ggml_tensor *keeper =
        tn_ggml_new(division->schedule->graph, tensor->type, tensor->ne, tensor, 0, division->error);
    if (keeper) {
        keeper->sources[0] = tensor;
    }
    return keeper;
}

static bool add_split(struct division *division, const struct split *split)
{
    const struct tn_ggml_list *nodes = &division->schedule->graph->nodes;
    for (size_t k = 0; k < split->inputs.count; k++) {
        struct tn_ggml_tensor *input = split->inputs.items[k];
        struct tn_ggml_tensor *keeper = keeper_of(division, input);
        if (!keeper || !add_node(division, keeper, input->backend)
            || !add_node(division, copies_on(division, input, split->device)[0], split->device)) {
            return false;
        }
    }
    for (size_t k = split->first; k < split->end; k++) {
        if (!add_node(division, nodes->items[k], nodes->items[k]->backend)) {
            return false;
        }
    }
    return true;
}

/* With pipeline parallelism all copies are there from the beginning. */
static bool add_copies(struct division *division, const struct tn_ggml_list *inputs, int device)
{
    for (size_t k = 0; k < inputs->count; k++) {
        int on = device < 0 ? inputs->items[k]->backend : device;
        for (int c = 0; c < division->schedule->copies; c++) {
            if (!add_leaf(division, copies_on(division, inputs->items[k], on)[c], on)) {
                return false;
            }
        }
    }
    return true;
}

static bool list_all(struct division *division)
{
    const struct tn_ggml_list *leafs = &division->schedule->graph->leafs;
    bool done = division->schedule->copies == 1 || add_copies(division, &division->graph_inputs, -1);
    for (size_t k = 0; done && k < division->count; k++) {
        done = add_split(division, &division->splits[k])
               && (division->schedule->copies == 1
                   || add_copies(division, &division->splits[k].inputs, division->splits[k].device));
    }
    for (size_t k = 0; done && k < leafs->count; k++) {
        done = add_leaf(division, leafs->items[k], leafs->items[k]->backend);
    }
    return done;
}

bool tn_ggml_divide(struct tn_ggml_schedule *schedule, struct tn_error *error)
{
    struct division division = {.schedule = schedule, .error = error};
    assign_given(schedule, &schedule->graph->leafs);
    assign_given(schedule, &schedule->graph->nodes);
    spread(schedule, true, true);
    spread(schedule, false, true);
    spread(schedule, true, false);
    spread(schedule, false, false);
    assign_rest(schedule);
    assign_sources(schedule);
    bool copies_inputs = schedule->copies > 1 && schedule->copies_unread;
    if ((copies_inputs && !copy_inputs(&division)) || !split_graph(&division) || !list_all(&division)) {
        return false;
    }
    schedule->split_count = division.count;
    return true;
}
