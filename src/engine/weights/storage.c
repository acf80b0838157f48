/* Choosing a storage record for a weight, and evaluating it. */
#include "engine/weights/storage.h"

#include "base/number.h"
#include "plan/shard.h"

static struct tn_weight_tensor *add_tensor(struct tn_weight_scope *scope, struct tn_weight *weight, uint64_t bytes,
                                           bool is_loaded)
{
    void *grown = tn_arena_grow(scope->arena, weight->tensors, weight->tensor_count, (size_t)weight->tensor_count + 1,
                                sizeof *weight->tensors);
    if (!grown) {
        (void)tn_fail_memory(scope->error);
        return NULL;
    }
    weight->tensors = grown;
    struct tn_weight_tensor *tensor = &weight->tensors[weight->tensor_count++];
    *tensor = (struct tn_weight_tensor){.bytes = bytes, .is_loaded = is_loaded};
    return tensor;
}

/* ---- as the files have it ------------------------------------------------------------------------------------------- */

/* Elements of one rank, parts and experts together. */
static bool elements_of(const struct tn_weight *weight, uint64_t *elements)
{
    return tn_mul_u64(weight->outputs, weight->inputs, elements)
           && tn_mul_u64(*elements, weight->experts ? weight->experts : 1, elements);
}

/* What a packed tensor, or a scale that came with one, is on one rank: its share of the bytes. */
static bool add_share(struct tn_weight_scope *scope, struct tn_weight *weight, const struct tn_group *group)
{
    const struct tn_placement_key *key = scope->key;
    struct tn_deployment division = {.tp = key->tp, .pp = key->pp, .ep = key->ep, .dp = key->dp};
    struct tn_share share;
    uint64_t layers = group->layers ? group->layer_count : 1;
    uint64_t bytes;
    return tn_split_share(&group->split, &division, &share, scope->error)
           && tn_share_of(group->bytes / (layers ? layers : 1), share, &bytes, scope->error)
           && add_tensor(scope, weight, bytes, true);
}

static bool store_packed(struct tn_weight_scope *scope, struct tn_weight *weight)
{
    const struct tn_group *end = scope->model->groups + scope->model->group_count;
    for (uint32_t p = 0; p < weight->part_count; p++) {
        const struct tn_group *part = weight->parts[p].group;
        if (!add_share(scope, weight, part)) {
            return false;
        }
        for (const struct tn_group *at = part + 1; at < end && at->is_companion && at->plain == part->plain; at++) {
            if (!add_share(scope, weight, at)) {
                return false;
            }
        }
    }
    return true;
}

static bool store_plain(struct tn_weight_scope *scope, struct tn_weight *weight)
{
    uint64_t elements;
    uint64_t bytes;
    if (!elements_of(weight, &elements)) {
        return tn_fail(scope->error, TN_ERROR_TOO_LARGE, "the weights of one rank exceed 64 bits");
    }
    return tn_weight_bytes(scope, weight->dtype, elements, &bytes) && add_tensor(scope, weight, bytes, true);
}

/* ---- by a record ------------------------------------------------------------------------------------------------------ */

/* The index of a tensor of that name which was made with the layer and is still there; UINT32_MAX where there is none. */
static uint32_t find_loaded(const struct tn_weight *weight, const struct tn_str *names, struct tn_str name)
{
    for (uint32_t k = 0; k < weight->tensor_count; k++) {
        if (weight->tensors[k].is_loaded && !weight->tensors[k].is_freed && tn_str_equal(names[k], name)) {
            return k;
        }
    }
    return UINT32_MAX;
}

enum { MOST_TENSORS = 48 };

struct storing {
    struct tn_weight_scope *scope;
    struct tn_weight *weight;
    struct tn_str names[MOST_TENSORS]; /* of the weight's tensors */
};

/* One tensor of a statement: it takes the place of an earlier one of its name. */
static bool store_one(struct storing *storing, const struct tn_stored_rule *rule)
{
    struct tn_weight *weight = storing->weight;
    uint64_t elements;
    uint64_t bytes;
    if (weight->tensor_count == MOST_TENSORS) {
        tn_fail(storing->scope->error, TN_ERROR_RECORD, "a weight of more than %d tensors", (int)MOST_TENSORS);
        return tn_fail_at(storing->scope->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(rule->line.record->file),
                          rule->line.line);
    }
    if (!tn_weight_elements(storing->scope, rule->dims, rule->line, &elements)
        || !tn_weight_bytes(storing->scope, rule->dtype, elements, &bytes)) {
        return false;
    }
    bool is_passing = rule->phase == TN_STORED_PASSES;
    bool is_loaded = rule->phase == TN_STORED_LOADED || is_passing;
    uint32_t before = is_loaded ? UINT32_MAX : find_loaded(weight, storing->names, rule->name);
    struct tn_weight_tensor *tensor = bytes ? add_tensor(storing->scope, weight, bytes, is_loaded) : NULL;
    if (bytes && !tensor) {
        return false;
    }
    if (before != UINT32_MAX) {
        weight->tensors[before].is_freed = true;
    }
    if (tensor) {
        tensor->is_passing = is_passing;
        tensor->is_freed = is_passing;
        tensor->replaces = before == UINT32_MAX ? 0 : before + 1;
        storing->names[weight->tensor_count - 1] = rule->name;
    }
    return true;
}

static bool store_rule(struct storing *storing, const struct tn_stored_rule *rule)
{
    struct tn_weight *weight = storing->weight;
    bool applies;
    if (!tn_weight_applies(storing->scope, rule->when, rule->line, &applies)) {
        return false;
    }
    if (!applies) {
        return true;
    }
    if (rule->phase == TN_STORED_DROPPED) {
        uint32_t index = find_loaded(weight, storing->names, rule->name);
        if (index != UINT32_MAX) {
            weight->tensors[index].is_freed = true;
        }
        return true;
    }
    for (uint32_t p = 0; p < (rule->each ? weight->part_count : 1); p++) {
        storing->scope->part_outputs = weight->parts[p].outputs;
        if (!store_one(storing, rule)) {
            return false;
        }
    }
    return true;
}

static bool store_by(struct tn_weight_scope *scope, struct tn_weight *weight, const struct tn_storage *storage)
{
    struct storing storing = {.scope = scope, .weight = weight};
    for (uint32_t p = 0; p < weight->part_count; p++) {
        scope->part_outputs = weight->parts[p].outputs;
        if (!tn_weight_check(scope, storage->refusals, storage->refusal_count)) {
            return false;
        }
    }
    for (size_t k = 0; k < storage->stored_count; k++) {
        if (!store_rule(&storing, &storage->stored[k])) {
            return false;
        }
    }
    return true;
}

static bool find_storage(struct tn_weight_scope *scope, const struct tn_weight *weight,
                         const struct tn_storage **storage)
{
    const struct tn_weight_rules *rules = scope->rules;
    *storage = NULL;
    for (size_t k = 0; k < rules->storage_count && !*storage; k++) {
        bool applies = weight->quant.size || rules->storages[k].takes_plain;
        scope->storage = &rules->storages[k];
        if (applies && !tn_weight_applies(scope, rules->storages[k].when, rules->storages[k].line, &applies)) {
            return false;
        }
        *storage = applies ? scope->storage : NULL;
    }
    return true;
}

/* A copy in the model's dtype beside it, for products that cannot take it as it is. */
static bool add_copies(struct tn_weight_scope *scope, struct tn_weight *weight)
{
    const struct tn_weight_rules *rules = scope->rules;
    for (size_t k = 0; k < rules->copy_count; k++) {
        bool applies = tn_globs_find(&rules->copies[k].globs, weight->name) < rules->copies[k].globs.count;
        uint64_t elements;
        uint64_t bytes;
        if (applies && !tn_weight_applies(scope, rules->copies[k].when, rules->copies[k].line, &applies)) {
            return false;
        }
        if (applies && !elements_of(weight, &elements)) {
            return tn_fail(scope->error, TN_ERROR_TOO_LARGE, "the weights of one rank exceed 64 bits");
        }
        if (applies && !(tn_weight_bytes(scope, NULL, elements, &bytes) && add_tensor(scope, weight, bytes, false))) {
            return false;
        }
    }
    return true;
}

static bool sum_up(struct tn_weight_scope *scope, struct tn_weight *weight)
{
    for (uint32_t k = 0; k < weight->tensor_count; k++) {
        const struct tn_weight_tensor *tensor = &weight->tensors[k];
        bool fits = tensor->is_freed
                    || (tn_add_u64(weight->kept_bytes, tensor->bytes, &weight->kept_bytes)
                        && weight->kept_bytes < TN_MOST_ALLOCATED);
        if (!fits) {
            return tn_fail(scope->error, TN_ERROR_TOO_LARGE, "the weights of one rank exceed 64 bits");
        }
        if (!tensor->is_freed && tensor->bytes > weight->largest_bytes) {
            weight->largest_bytes = tensor->bytes;
        }
    }
    return true;
}

bool tn_storage_of(struct tn_weight_scope *scope, struct tn_weight *weight)
{
    const struct tn_storage *storage;
    scope->weight = weight;
    bool done = find_storage(scope, weight, &storage);
    scope->storage = storage;
    if (done && storage) {
        done = store_by(scope, weight, storage);
    } else if (done) {
        done = weight->quant.size && !weight->is_online ? store_packed(scope, weight) : store_plain(scope, weight);
    }
    done = done && add_copies(scope, weight) && sum_up(scope, weight);
    scope->weight = NULL;
    scope->storage = NULL;
    return done;
}
