/* Replaying how an engine loads one stage of a model. */
#include "engine/weights/replay.h"

#include "base/number.h"

/* A tensor that is freed when all is loaded. */
struct passing {
    const struct tn_weight *weight;
    uint32_t tensor;
    uint32_t block;
};

/* Stands for the block of a tensor in the processor's memory. */
static const uint32_t host_block = UINT32_MAX;

struct replay {
    struct tn_weight_scope *scope;
    const struct tn_load_order *order;
    struct tn_placed_stage *stage;
    bool is_first;
    bool is_last;
    uint64_t scalars; /* of each layer of attention */
    bool has_buffers; /* the rotary caches and the like are made */
    struct tn_allocator allocator;
    uint64_t host_bytes[TN_CLASS_COUNT]; /* of tensors that stay, in the processor's memory */
    struct passing *passing;             /* [passing_count] in the order in which they were made */
    size_t passing_count;
    size_t passing_capacity;
};

static uint32_t allocate(struct replay *replay, uint64_t bytes)
{
    if (replay->allocator.allocated_bytes + bytes > TN_MOST_ALLOCATED) {
        (void)tn_fail(replay->scope->error, TN_ERROR_TOO_LARGE, "the weights of one rank exceed 64 bits");
        return TN_BLOCK_NONE;
    }
    uint32_t block = tn_allocate(&replay->allocator, bytes);
    if (!block) {
        (void)tn_fail_memory(replay->scope->error);
    }
    return block;
}

static bool release(struct replay *replay, uint32_t block)
{
    return block == host_block || tn_release(&replay->allocator, block) || tn_fail_memory(replay->scope->error);
}

/* ---- which weights lie here ------------------------------------------------------------------------------------------- */

/* The embedding that the head shares is needed at both ends of a pipeline. */
static bool is_tied_copy(const struct replay *replay, const struct tn_weight *weight)
{
    return replay->is_last && replay->scope->model->tied_bytes && weight->class == TN_CLASS_EMBED && !weight->layers
           && weight->parts[0].group->split.kind == TN_SPLIT_VOCAB;
}

static bool lies_here(const struct replay *replay, const struct tn_weight *weight)
{
    return weight->place == TN_PLACE_LAYER   ? true
           : weight->place == TN_PLACE_FIRST ? replay->is_first || is_tied_copy(replay, weight)
                                             : replay->is_last;
}

/* The layers of a weight that lie in the stage: all, unless pipeline parallel cuts its stack. */
static uint32_t layers_here(const struct replay *replay, const struct tn_weight *weight)
{
    const struct tn_placed_stage *stage = replay->stage;
    if (!lies_here(replay, weight)) {
        return 0;
    }
    if (!weight->layers || weight->place != TN_PLACE_LAYER) {
        return weight->layers ? weight->layer_count : 1;
    }
    uint32_t count = 0;
    for (uint32_t k = 0; k < weight->layer_count; k++) {
        count += weight->layers[k] >= stage->first_layer && weight->layers[k] - stage->first_layer < stage->layer_count;
    }
    return count;
}

/* ---- making ----------------------------------------------------------------------------------------------------------- */

static bool keep_passing(struct replay *replay, const struct tn_weight *weight, uint32_t tensor, uint32_t block)
{
    if (replay->passing_count == replay->passing_capacity) {
        size_t capacity = replay->passing_capacity ? 2 * replay->passing_capacity : 64;
        void *grown = tn_arena_grow(replay->scope->arena, replay->passing, replay->passing_count, capacity,
                                    sizeof *replay->passing);
        if (!grown) {
            return tn_fail_memory(replay->scope->error);
        }
        replay->passing = grown;
        replay->passing_capacity = capacity;
    }
    replay->passing[replay->passing_count++] = (struct passing){weight, tensor, block};
    return true;
}

/* Layers of the text go to the processor's memory tensor by tensor, in the order in which they are made, until the limit is reached. */
static bool goes_to_host(const struct replay *replay, const struct tn_weight *weight)
{
    return replay->stage->offloaded_bytes < replay->scope->key->offload_bytes && weight->place == TN_PLACE_LAYER
           && weight->layers && weight->class != TN_CLASS_VISION && !weight->is_draft;
}

static uint32_t make_tensor(struct replay *replay, const struct tn_weight *weight,
                            const struct tn_weight_tensor *tensor)
{
    if (!goes_to_host(replay, weight)) {
        return allocate(replay, tensor->bytes);
    }
    replay->stage->offloaded_bytes += tensor->bytes;
    replay->host_bytes[weight->class] += tensor->is_freed ? 0 : tensor->bytes;
    return host_block;
}

/* A tensor of the weight at hand. *passing: the block of one that is in use until this one is made; the block of this one where it is such. */
static bool make_loaded(struct replay *replay, const struct tn_weight *weight, uint32_t index, uint32_t *passing)
{
    const struct tn_weight_tensor *tensor = &weight->tensors[index];
    uint32_t block = tensor->is_passing ? allocate(replay, tensor->bytes) : make_tensor(replay, weight, tensor);
    if (!block || (*passing && !release(replay, *passing))) {
        return false;
    }
    *passing = tensor->is_passing ? block : TN_BLOCK_NONE;
    return tensor->is_passing || !tensor->is_freed || keep_passing(replay, weight, index, block);
}

/* The weight in one of its layers. */
static bool make_weight(struct replay *replay, const struct tn_weight *weight)
{
    uint32_t passing = TN_BLOCK_NONE;
    for (uint32_t k = 0; k < weight->tensor_count; k++) {
        bool done = weight->tensors[k].is_loaded ? make_loaded(replay, weight, k, &passing)
                                                 : keep_passing(replay, weight, k, TN_BLOCK_NONE);
        if (!done) {
            return false;
        }
    }
    return !passing || release(replay, passing);
}

/* A table of cosines and sines is computed in 32 bits: angles, then both halves, then both in one; what is kept has its own dtype. */
static bool make_rotary(struct replay *replay, uint64_t elements, uint64_t bytes)
{
    enum { HALVES = 3 };
    uint32_t halves[HALVES];
    uint64_t table_bytes;
    if (!tn_mul_u64(elements, 4, &table_bytes)) {
        return tn_fail(replay->scope->error, TN_ERROR_TOO_LARGE, "the rotary cache exceeds 64 bits");
    }
    for (int k = 0; k < HALVES; k++) {
        halves[k] = allocate(replay, table_bytes / 2);
        if (!halves[k]) {
            return false;
        }
    }
    uint32_t table = allocate(replay, table_bytes);
    bool done = table != TN_BLOCK_NONE;
    for (int k = 0; k < HALVES && done; k++) {
        done = release(replay, halves[k]);
    }
    return done && (bytes == table_bytes || (allocate(replay, bytes) && release(replay, table)));
}

static bool make_buffer(struct replay *replay, const struct tn_sized_rule *rule)
{
    struct tn_weight_scope *scope = replay->scope;
    uint64_t elements;
    uint64_t bytes;
    if (!tn_weight_elements(scope, rule->size, rule->line, &elements)
        || !tn_weight_bytes(scope, rule->dtype, elements, &bytes)) {
        return false;
    }
    replay->stage->buffer_bytes += bytes;
    replay->stage->largest_bytes = bytes > replay->stage->largest_bytes ? bytes : replay->stage->largest_bytes;
    return !bytes || (rule->is_rotary ? make_rotary(replay, elements, bytes) : allocate(replay, bytes));
}

static bool make_buffers(struct replay *replay)
{
    struct tn_weight_scope *scope = replay->scope;
    for (size_t k = 0; k < scope->rules->buffer_count && !replay->has_buffers; k++) {
        const struct tn_sized_rule *rule = &scope->rules->buffers[k];
        bool applies;
        if (!tn_weight_applies(scope, rule->when, rule->line, &applies) || (applies && !make_buffer(replay, rule))) {
            return false;
        }
    }
    replay->has_buffers = true;
    return true;
}

static bool make_scalars(struct replay *replay)
{
    for (uint64_t k = 0; k < replay->scalars; k++) {
        if (!allocate(replay, 4)) {
            return false;
        }
        replay->stage->buffer_bytes += 4;
    }
    return true;
}

/* ---- layer by layer --------------------------------------------------------------------------------------------------- */

/* Weights that follow one another in the order and whose layers are made together: those of one place and kind. */
struct run {
    size_t first;
    size_t end;
    uint32_t *next; /* [end - first] the place in the weight's list of layers */
};

static bool same_run(const struct tn_weight *a, const struct tn_weight *b)
{
    return a->place == b->place && a->is_draft == b->is_draft
           && (a->class == TN_CLASS_VISION) == (b->class == TN_CLASS_VISION);
}

static bool is_attention(const struct replay *replay, const struct tn_weight *weight)
{
    const struct tn_globs *globs = &replay->scope->rules->attention;
    return weight->class != TN_CLASS_VISION && weight->layers && tn_globs_find(globs, weight->name) < globs->count;
}

/* Rotary caches and scalars of a layer of attention, where the order has them before the weight at hand. */
struct extras {
    bool wanted;
    bool has_buffers;
    bool has_scalars;
};

static bool make_extras(struct replay *replay, struct extras *extras, size_t order)
{
    if (extras->wanted && !extras->has_buffers && order > replay->order->buffer_order) {
        extras->has_buffers = true;
        if (!make_buffers(replay)) {
            return false;
        }
    }
    if (extras->wanted && !extras->has_scalars && order > replay->order->scalar_order) {
        extras->has_scalars = true;
        return make_scalars(replay);
    }
    return true;
}

static bool has_layer(const struct tn_weight *weight, uint32_t next, uint32_t layer)
{
    return weight->layers ? next < weight->layer_count && weight->layers[next] == layer : layer == 0 && !next;
}

static bool make_layer(struct replay *replay, const struct run *run, uint32_t layer)
{
    const struct tn_weight *weights = replay->order->weights;
    struct extras extras = {0};
    for (size_t k = run->first; k < run->end; k++) {
        extras.wanted =
            extras.wanted
            || (has_layer(&weights[k], run->next[k - run->first], layer) && is_attention(replay, &weights[k]));
    }
    for (size_t k = run->first; k < run->end; k++) {
        uint32_t *next = &run->next[k - run->first];
        if (!has_layer(&weights[k], *next, layer)) {
            continue;
        }
        ++*next;
        if (!make_extras(replay, &extras, weights[k].order) || !make_weight(replay, &weights[k])) {
            return false;
        }
    }
    return make_extras(replay, &extras, SIZE_MAX);
}

/* Layers that lie here, from the first to the last that any weight of the run has. */
static bool make_run(struct replay *replay, struct run *run)
{
    const struct tn_placed_stage *stage = replay->stage;
    const struct tn_weight *weights = replay->order->weights;
    bool is_cut = weights[run->first].place == TN_PLACE_LAYER;
    uint32_t first = is_cut ? stage->first_layer : 0;
    uint32_t end = first;
    run->next = TN_NEW_ARRAY(replay->scope->arena, uint32_t, run->end - run->first);
    if (!run->next) {
        return tn_fail_memory(replay->scope->error);
    }
    for (size_t k = run->first; k < run->end; k++) {
        const struct tn_weight *weight = &weights[k];
        uint32_t last = weight->layer_count ? weight->layers[weight->layer_count - 1] : 0;
        end = lies_here(replay, weight) && last >= end ? last + 1 : end;
        uint32_t *next = &run->next[k - run->first];
        *next = lies_here(replay, weight) ? 0 : UINT32_MAX;
        while (*next < weight->layer_count && weight->layers[*next] < first) {
            ++*next;
        }
    }
    end = is_cut && end > first + stage->layer_count ? first + stage->layer_count : end;
    for (uint32_t layer = first; layer < end; layer++) {
        if (!make_layer(replay, run, layer)) {
            return false;
        }
    }
    return true;
}

/* ---- what the kernels read ---------------------------------------------------------------------------------------------- */

/* The block of an earlier tensor of the same weight and layer. */
static uint32_t block_of(const struct replay *replay, size_t at, uint32_t tensor)
{
    while (replay->passing[at].tensor != tensor) {
        at--;
    }
    return replay->passing[at].block;
}

/* What takes another's place is made before that is freed, and lies where that did. */
static bool make_turned(struct replay *replay, size_t at)
{
    const struct tn_weight *weight = replay->passing[at].weight;
    const struct tn_weight_tensor *tensor = &weight->tensors[replay->passing[at].tensor];
    uint32_t replaced = tensor->replaces ? block_of(replay, at, tensor->replaces - 1) : TN_BLOCK_NONE;
    if (replaced == host_block) {
        replay->host_bytes[weight->class] += tensor->bytes;
        return true;
    }
    return allocate(replay, tensor->bytes) && (!tensor->replaces || release(replay, replaced));
}

/* In the order of the weights. */
static bool turn_all(struct replay *replay)
{
    for (size_t k = 0; k < replay->passing_count; k++) {
        const struct passing *passing = &replay->passing[k];
        const struct tn_weight_tensor *tensor = &passing->weight->tensors[passing->tensor];
        bool done = true;
        if (!tensor->is_loaded) {
            done = make_turned(replay, k);
        } else {
            bool is_replaced = false;
            for (uint32_t t = passing->tensor + 1; t < passing->weight->tensor_count; t++) {
                is_replaced = is_replaced || passing->weight->tensors[t].replaces == passing->tensor + 1;
            }
            done = is_replaced || release(replay, passing->block);
        }
        if (!done) {
            return false;
        }
    }
    return true;
}

/* ---- sums --------------------------------------------------------------------------------------------------------------- */

static bool add(struct replay *replay, uint64_t bytes, uint64_t layers, uint64_t *sum)
{
    return (tn_mul_u64(bytes, layers, &bytes) && tn_add_u64(*sum, bytes, sum) && *sum < TN_MOST_ALLOCATED)
           || tn_fail(replay->scope->error, TN_ERROR_TOO_LARGE, "the weights of one rank exceed 64 bits");
}

/* Bytes of a weight in one layer as the files have them, scales and all. */
static uint64_t whole_bytes(const struct tn_model *model, const struct tn_weight *weight)
{
    const struct tn_group *end = model->groups + model->group_count;
    uint64_t bytes = 0; /* of the checkpoint, whose sum is checked */
    for (uint32_t p = 0; p < weight->part_count; p++) {
        const struct tn_group *part = weight->parts[p].group;
        const struct tn_group *at = part;
        do {
            bytes += at->bytes / (at->layer_count ? at->layer_count : 1);
            at++;
        } while (part->plain && at < end && at->is_companion && at->plain == part->plain);
    }
    return bytes;
}

static bool sum_up(struct replay *replay)
{
    struct tn_placed_stage *stage = replay->stage;
    for (size_t k = 0; k < replay->order->count; k++) {
        const struct tn_weight *weight = &replay->order->weights[k];
        uint32_t layers = layers_here(replay, weight);
        if (!layers) {
            continue;
        }
        if (!add(replay, weight->kept_bytes, layers, &stage->class_bytes[weight->class])
            || !add(replay, whole_bytes(replay->scope->model, weight), layers, &stage->whole_bytes[weight->class])) {
            return false;
        }
        stage->largest_bytes =
            weight->largest_bytes > stage->largest_bytes ? weight->largest_bytes : stage->largest_bytes;
    }
    stage->tensor_bytes = stage->buffer_bytes;
    for (int class = 0; class < TN_CLASS_COUNT; class ++) {
        stage->class_bytes[class] -= replay->host_bytes[class];
        if (!add(replay, stage->class_bytes[class], 1, &stage->tensor_bytes)) {
            return false;
        }
    }
    return true;
}

bool tn_replay(struct tn_weight_scope *scope, const struct tn_load_order *order, bool is_first, bool is_last,
               struct tn_placed_stage *stage)
{
    struct replay replay = {.scope = scope,
                            .order = order,
                            .stage = stage,
                            .is_first = is_first,
                            .is_last = is_last,
                            .allocator = {.arena = scope->arena}};
    const struct tn_weight_rules *rules = scope->rules;
    if (rules->scalars && !tn_weight_number(scope, rules->scalars, rules->scalars_line, &replay.scalars)) {
        return false;
    }
    if (rules->exact_blocks
        && !tn_weight_applies(scope, rules->exact_blocks, rules->exact_blocks_line, &replay.allocator.is_expandable)) {
        return false;
    }
    for (size_t k = 0; k < order->count;) {
        struct run run = {.first = k, .end = k + 1};
        while (run.end < order->count && same_run(&order->weights[k], &order->weights[run.end])) {
            run.end++;
        }
        if (!make_run(&replay, &run)) {
            return false;
        }
        k = run.end;
    }
    if (!turn_all(&replay) || !sum_up(&replay)) {
        return false;
    }
    stage->allocated_bytes = replay.allocator.allocated_bytes;
    tn_allocator_trim(&replay.allocator);
    stage->reserved_bytes = replay.allocator.reserved_bytes;
    return true;
}
