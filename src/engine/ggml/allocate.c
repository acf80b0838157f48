#include "engine/ggml/allocate.h"

#include "base/number.h"
#include "engine/ggml/op.h"

#include <string.h>

/* ---- free blocks of one buffer ------------------------------------------------------------------------------------ */

struct block {
    uint64_t offset;
    uint64_t size;
};

struct buffer {
    struct block *blocks; /* [count] by offset; the last is the open end */
    size_t count;
    size_t capacity;
    uint64_t alignment; /* a power of two */
    uint64_t used;      /* the furthest byte so far */
};

struct run {
    const struct tn_ggml_schedule *schedule;
    struct buffer buffers[TN_GGML_MOST_DEVICES];
    struct tn_error *error;
};

static void remove_block(struct buffer *buffer, size_t index)
{
    memmove(&buffer->blocks[index], &buffer->blocks[index + 1], (--buffer->count - index) * sizeof *buffer->blocks);
}

static bool insert_block(struct run *run, struct buffer *buffer, struct block block)
{
    if (buffer->count == buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity * 2 : 64;
        struct block *blocks =
            tn_arena_grow(run->schedule->graph->arena, buffer->blocks, buffer->count, capacity, sizeof *blocks);
        if (!blocks) {
            return tn_fail_memory(run->error);
        }
        buffer->blocks = blocks;
        buffer->capacity = capacity;
    }
    size_t index = 0;
    while (index < buffer->count && buffer->blocks[index].offset < block.offset) {
        index++;
    }
    memmove(&buffer->blocks[index + 1], &buffer->blocks[index], (buffer->count++ - index) * sizeof block);
    buffer->blocks[index] = block;
    return true;
}

static uint64_t aligned(const struct buffer *buffer, uint64_t bytes)
{
    return (bytes + buffer->alignment - 1) & ~(buffer->alignment - 1);
}

/* The smallest hole that is large enough, of equal ones the last; else the open end. */
static size_t fitting_block(const struct buffer *buffer, uint64_t size)
{
    size_t best = buffer->count - 1;
    uint64_t best_size = UINT64_MAX;
    for (size_t k = 0; k + 1 < buffer->count; k++) {
        if (buffer->blocks[k].size >= size && buffer->blocks[k].size <= best_size) {
            best = k;
            best_size = buffer->blocks[k].size;
        }
    }
    return best;
}

static bool take(struct run *run, struct buffer *buffer, uint64_t bytes, uint64_t *offset)
{
    uint64_t size = aligned(buffer, bytes);
    struct block *block = buffer->blocks ? &buffer->blocks[fitting_block(buffer, size)] : NULL;
    if (!block || block->size < size) {
        return tn_fail(run->error, TN_ERROR_TOO_LARGE, "the compute buffer exceeds 62 bits");
    }
    *offset = block->offset;
    block->offset += size;
    block->size -= size;
    if (*offset + size > buffer->used) {
        buffer->used = *offset + size;
    }
    if (!block->size) {
        remove_block(buffer, (size_t)(block - buffer->blocks));
    }
    return true;
}

static void join(struct buffer *buffer, size_t index)
{
    struct block *block = &buffer->blocks[index];
    if (index + 1 < buffer->count && block->offset + block->size == block[1].offset) {
        block->size += block[1].size;
        remove_block(buffer, index + 1);
    }
}

static bool give_back(struct run *run, struct buffer *buffer, uint64_t offset, uint64_t bytes)
{
    uint64_t size = aligned(buffer, bytes);
    for (size_t k = 0; k < buffer->count; k++) {
        struct block *block = &buffer->blocks[k];
        if (block->offset + block->size == offset) {
            block->size += size;
            join(buffer, k);
            return true;
        }
        if (offset + size == block->offset) {
            block->offset = offset; /* no block ends there: it would have been met before */
            block->size += size;
            return true;
        }
    }
    return insert_block(run, buffer, (struct block){offset, size});
}

/* ---- tensors ------------------------------------------------------------------------------------------------------ */

static uint64_t bytes_on(const struct run *run, const struct tn_ggml_tensor *tensor, int device)
{
    return tn_ggml_allocated_bytes(&run->schedule->devices[device], tensor);
}

static bool is_placed(const struct tn_ggml_tensor *tensor)
{
    return tensor->place != TN_GGML_NOWHERE || tensor->allocated;
}

/* Whether a node may be written where this source lies: it is nobody else's, and nobody will read it again. */
static bool can_replace(const struct tn_ggml_tensor *node, const struct tn_ggml_tensor *source)
{
    return source->allocated && !(source->flags & TN_GGML_OUTPUT) && !source->viewed && source->children == 1
           && source->views == 0 && tn_ggml_same_layout(node, source);
}

/* The source may have been given more than the node needs. */
static bool trim(struct run *run, const struct tn_ggml_tensor *node, const struct tn_ggml_tensor *source)
{
    struct buffer *buffer = &run->buffers[source->allocator];
    uint64_t had = aligned(buffer, bytes_on(run, source, source->allocator));
    uint64_t needs = aligned(buffer, bytes_on(run, node, node->allocator));
    return had <= needs || give_back(run, buffer, source->offset + needs, had - needs);
}

static bool place(struct run *run, struct tn_ggml_tensor *tensor, int device)
{
    if (is_placed(tensor) || tensor->viewed) {
        return true;
    }
    tensor->allocated = true;
    for (int k = 0; tensor->row && tensor->row->traits & TN_GGML_IN_PLACE && k < TN_GGML_SOURCES; k++) {
        struct tn_ggml_tensor *source = tensor->sources[k];
        if (source && can_replace(tensor, source)) {
            tensor->allocator = source->allocator;
            tensor->offset = source->offset;
            source->allocated = false;
            return trim(run, tensor, source);
        }
    }
    tensor->allocator = device;
    return take(run, &run->buffers[device], bytes_on(run, tensor, device), &tensor->offset);
}

static bool release(struct run *run, struct tn_ggml_tensor *tensor)
{
    if (!tensor->allocated || tensor->flags & TN_GGML_OUTPUT) {
        return true;
    }
    tensor->allocated = false;
    return give_back(run, &run->buffers[tensor->allocator], tensor->offset, bytes_on(run, tensor, tensor->allocator));
}

/* A source was read for the last time. */
static bool leave(struct run *run, struct tn_ggml_tensor *source)
{
    if (--source->children || source->views) {
        return true;
    }
    if (!source->viewed) {
        return release(run, source);
    }
    struct tn_ggml_tensor *viewed = source->viewed;
    viewed->views--;
    return viewed->views || viewed->children || release(run, viewed);
}

/* Counts who reads what, and places the inputs before anything else, so that no result takes their place. */
static bool count(struct run *run, struct tn_ggml_tensor *node, int device)
{
    if (node->viewed && node->op != TN_GGML_NONE) {
        node->viewed->views++;
    }
    bool done = !(node->flags & TN_GGML_INPUT) || place(run, node, device);
    for (int k = 0; done && k < TN_GGML_SOURCES; k++) {
        struct tn_ggml_tensor *source = node->sources[k];
        if (source) {
            source->children++;
            done = !(source->flags & TN_GGML_INPUT) || place(run, source, device);
        }
    }
    return done;
}

static bool execute(struct run *run, struct tn_ggml_tensor *node, int device)
{
    bool done = true;
    for (int k = 0; done && k < TN_GGML_SOURCES; k++) {
        done = !node->sources[k] || place(run, node->sources[k], device);
    }
    done = done && place(run, node, device);
    for (int k = 0; done && k < TN_GGML_SOURCES; k++) {
        done = !node->sources[k] || leave(run, node->sources[k]);
    }
    return done;
}

bool tn_ggml_allocate(const struct tn_ggml_schedule *schedule, uint64_t *bytes, struct tn_error *error)
{
    struct run run = {.schedule = schedule, .error = error};
    bool done = true;
    for (int d = 0; done && d < schedule->device_count; d++) {
        run.buffers[d].alignment = tn_ggml_alignment(schedule->devices[d].kind);
        done = insert_block(&run, &run.buffers[d], (struct block){0, UINT64_C(1) << 62});
    }
    for (size_t k = 0; done && k < schedule->leafs.count; k++) {
        done = place(&run, schedule->leafs.items[k], schedule->leaf_devices[k]);
    }
    for (size_t k = 0; done && k < schedule->nodes.count; k++) {
        done = count(&run, schedule->nodes.items[k], schedule->node_devices[k]);
    }
    for (size_t k = 0; done && k < schedule->nodes.count; k++) {
        done = execute(&run, schedule->nodes.items[k], schedule->node_devices[k]);
    }
    for (int d = 0; done && d < schedule->device_count; d++) {
        bytes[d] = run.buffers[d].used;
    }
    return done;
}
