/* Building the model's groups from a header, and saying where prediction and header differ. */
#include "model/match.h"

#include "base/map.h"
#include "base/number.h"
#include "model/patterns.h"

#include <string.h>

enum { LAYER_LIMIT = 4096, FIRST_LAYERS = 8, MOST_LIKE = 256 };

struct match {
    struct tn_model *model;
    const struct tn_header *header;
    struct tn_map names; /* of the header's tensors */
    bool *seen;          /* [header->count] */
    struct tn_evaluator *evaluator;
    struct tn_error *error;
    uint64_t expert_active; /* the share of experts that a token uses, from the prediction */
    uint64_t expert_of;
    struct tn_map kinds; /* of unpredicted tensors: template, dtype and shape -> group */
};

static bool list_name(struct match *match, struct tn_str **list, size_t *count, struct tn_str name)
{
    if (*count < TN_CHECK_NAMES) {
        void *grown = tn_arena_grow(&match->model->arena, *list, *count, *count + 1, sizeof **list);
        if (!grown) {
            return tn_fail_memory(match->error);
        }
        *list = grown;
        if (!tn_str_copy(&match->model->arena, name, &(*list)[*count])) {
            return tn_fail_memory(match->error);
        }
    }
    ++*count;
    return true;
}

static bool index_names(struct match *match)
{
    struct tn_arena *arena = &match->model->arena;
    match->seen = TN_NEW_ARRAY(arena, bool, match->header->count);
    if (!match->seen || !tn_map_reserve(arena, &match->names, match->header->count)) {
        return tn_fail_memory(match->error);
    }
    for (size_t k = 0; k < match->header->count; k++) {
        uint32_t existing;
        if (!tn_map_insert(arena, &match->names, match->header->tensors[k].name, (uint32_t)k, &existing)) {
            return tn_fail_memory(match->error);
        }
        if (existing != TN_MAP_NONE) {
            return tn_fail(match->error, TN_ERROR_HEADER, "tensor " TN_STR_FORMAT " stands in two files",
                           TN_STR_ARGUMENTS(match->header->tensors[k].name));
        }
    }
    return true;
}

static uint64_t elements_of(const struct tn_tensor *tensor)
{
    uint64_t elements = 1; /* the parser has checked the product */
    for (uint32_t k = 0; k < tensor->dim_count; k++) {
        elements *= tensor->dims[k];
    }
    return elements;
}

static uint64_t elements_predicted(const struct tn_group *group)
{
    uint64_t elements = 1; /* tn_group_count has checked the product */
    for (uint32_t k = 0; k < group->dim_count; k++) {
        elements *= group->dims[k];
    }
    return elements;
}

static bool same_shape(const struct tn_group *group, const struct tn_tensor *tensor)
{
    return group->dim_count == tensor->dim_count
           && !memcmp(group->dims, tensor->dims, tensor->dim_count * sizeof *tensor->dims);
}

/* Adds one tensor of the header to a group of the result. parameters: what it counts for. */
static bool add_tensor(struct match *match, struct tn_group *group, const struct tn_tensor *tensor, uint64_t parameters)
{
    group->tensors++;
    bool fits = tn_add_u64(group->bytes, tensor->bytes, &group->bytes)
                && tn_add_u64(group->parameters, parameters, &group->parameters);
    return fits || tn_fail(match->error, TN_ERROR_TOO_LARGE, "the weights exceed 64 bits");
}

/* Among the last ones: a header in which every layer is of another shape must not cost the square of its layers. */
static struct tn_group *find_like(struct match *match, size_t first, const struct tn_tensor *tensor, struct tn_str name)
{
    size_t count = match->model->group_count;
    first = count > first + MOST_LIKE ? count - MOST_LIKE : first;
    for (size_t k = count; k-- > first;) {
        struct tn_group *group = &match->model->groups[k];
        if (group->dtype == tensor->dtype && same_shape(group, tensor) && tn_str_equal(group->name, name)) {
            return group;
        }
    }
    return NULL;
}

static struct tn_group *new_group(struct match *match, const struct tn_group *like, const struct tn_tensor *tensor)
{
    struct tn_group *added = tn_model_add_group(match->model);
    if (!added) {
        tn_fail_memory(match->error);
        return NULL;
    }
    *added = *like;
    added->dtype = tensor->dtype;
    added->dim_count = tensor->dim_count;
    memset(added->dims, 0, sizeof added->dims);
    memcpy(added->dims, tensor->dims, tensor->dim_count * sizeof *tensor->dims);
    added->tensors = added->parameters = added->bytes = 0;
    added->layers = NULL;
    added->layer_count = 0;
    return added;
}

/* Room for one more layer: the capacities are FIRST_LAYERS and its doubles. */
static uint32_t *grow_layers(struct match *match, const struct tn_group *group)
{
    uint32_t count = group->layer_count;
    bool is_full = !count || (count >= FIRST_LAYERS && (count & (count - 1)) == 0);
    if (!is_full) {
        return (uint32_t *)group->layers;
    }
    void *layers = (void *)group->layers;
    return tn_arena_grow(&match->model->arena, layers, count, count ? 2 * (size_t)count : FIRST_LAYERS, sizeof count);
}

/* Layers are kept sorted and unique; files hold them in any order. */
static bool note_layer(struct match *match, struct tn_group *group, uint32_t layer)
{
    uint32_t low = 0;
    uint32_t high = group->layer_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        low = group->layers[middle] < layer ? middle + 1 : low;
        high = group->layers[middle] < layer ? high : middle;
    }
    if (low < group->layer_count && group->layers[low] == layer) {
        return true;
    }
    uint32_t *layers = grow_layers(match, group);
    if (!layers) {
        return tn_fail_memory(match->error);
    }
    memmove(&layers[low + 1], &layers[low], (group->layer_count - low) * sizeof *layers);
    layers[low] = layer;
    group->layers = layers;
    group->layer_count++;
    return true;
}

/* One predicted tensor: looked up, compared, added. */
static bool match_one(struct match *match, const struct tn_group *predicted, size_t first, uint32_t layer,
                      struct tn_str name)
{
    struct tn_check *check = &match->model->check;
    uint32_t index = tn_map_find(&match->names, name);
    if (index == TN_MAP_NONE) {
        return list_name(match, &check->missing, &check->missing_count, name);
    }
    const struct tn_tensor *tensor = &match->header->tensors[index];
    match->seen[index] = true;
    if (!same_shape(predicted, tensor) && !list_name(match, &check->different, &check->different_count, name)) {
        return false;
    }
    struct tn_group *group = find_like(match, first, tensor, predicted->name);
    if (!group) {
        group = new_group(match, predicted, tensor);
        if (!group) {
            return false;
        }
    }
    if (predicted->layers && !note_layer(match, group, layer)) {
        return false;
    }
    uint64_t parameters = predicted->is_companion ? 0 : predicted->parameters / predicted->tensors;
    /* of a packed tensor only the prediction knows how many parameters it holds */
    bool is_plain = tensor->dtype && tensor->dtype->block_elements == 1 && tensor->dtype->block_bytes >= 2
                    && parameters == elements_predicted(predicted);
    return add_tensor(match, group, tensor, is_plain ? elements_of(tensor) : parameters);
}

static bool match_group(struct match *match, const struct tn_group *predicted)
{
    struct tn_builder name = {0};
    size_t first = match->model->group_count;
    bool done = true;
    if (predicted->class == TN_CLASS_EXPERT && predicted->active_of) {
        match->expert_active = predicted->active_copies;
        match->expert_of = predicted->active_of;
    }
    for (uint32_t k = 0; done && k < (predicted->layers ? predicted->layer_count : 1); k++) {
        uint32_t layer = predicted->layers ? predicted->layers[k] : 0;
        for (uint64_t copy = 0; done && copy < predicted->copies; copy++) {
            tn_builder_clear(&name);
            tn_group_tensor_name(predicted, layer, copy, &name);
            done = name.failed ? tn_fail_memory(match->error)
                               : match_one(match, predicted, first, layer, tn_builder_str(&name));
        }
    }
    tn_builder_free(&name);
    return done;
}

/* The number that a part of a name is, below LAYER_LIMIT; false where it is none. */
static bool part_number(struct tn_str part, uint32_t *number)
{
    *number = 0;
    for (size_t k = 0; k < part.size; k++) {
        if (part.data[k] < '0' || part.data[k] > '9' || k == 4) {
            return false;
        }
        *number = *number * 10 + (uint32_t)(part.data[k] - '0');
    }
    return part.size > 0 && *number < LAYER_LIMIT;
}

/* Takes the part before the next dot off a name. */
static struct tn_str take_part(struct tn_str *name)
{
    size_t size = tn_str_find(*name, TN_STR("."));
    struct tn_str part = tn_str_slice(*name, 0, size == SIZE_MAX ? name->size : size);
    *name = tn_str_slice(*name, part.size + 1, name->size);
    return part;
}

/* "blk.12.attn_q.weight" -> "blk.{i}.attn_q.weight", 12: the first number between dots is the layer, the second the expert. */
static bool template_of(struct match *match, struct tn_str name, struct tn_str *template, uint32_t *layer,
                        bool *has_layer)
{
    struct tn_builder text = {0};
    unsigned numbers = 0;
    while (name.size) {
        struct tn_str part = take_part(&name);
        uint32_t number;
        if (numbers < 2 && part_number(part, &number)) {
            tn_builder_add_text(&text, numbers ? "{e}" : "{i}");
            *layer = numbers ? *layer : number;
            numbers++;
        } else {
            tn_builder_add(&text, part);
        }
        if (name.size) {
            tn_builder_add_char(&text, '.');
        }
    }
    *has_layer = numbers > 0;
    bool done = !text.failed && tn_str_copy(&match->model->arena, tn_builder_str(&text), template);
    tn_builder_free(&text);
    return done || tn_fail_memory(match->error);
}

static bool is_tied_head(const struct tn_model *model, const struct tn_tensor *tensor)
{
    return tn_str_ends(tensor->name, TN_STR("lm_head.weight")) && model->tied_bytes > 0;
}

static bool pattern_split(struct match *match, const struct tn_pattern *pattern, const struct tn_tensor *tensor,
                          struct tn_split *split)
{
    *split = (struct tn_split){.kind = pattern->split.kind, .part_count = pattern->split.part_count};
    if (split->kind == TN_SPLIT_VOCAB && !split->part_count) {
        split->part_count = 1;
        split->parts[0] = tensor->dim_count ? tensor->dims[0] : 1;
    }
    for (uint32_t k = 0; k < pattern->split.part_count; k++) {
        int64_t number = 0;
        struct tn_scope scope = match->evaluator ? tn_evaluator_scope(match->evaluator) : (struct tn_scope){0};
        bool known = match->evaluator
                     && tn_expression_integer(pattern->split.parts[k], &scope, &match->model->arena, &number, NULL)
                     && number > 0;
        if (!known) { /* a symbol that this architecture does not have: every rank holds it all, which is never too little */
            *split = (struct tn_split){.kind = TN_SPLIT_REPLICATE};
            return true;
        }
        split->parts[k] = (uint64_t)number;
    }
    return true;
}

static bool describe_group(struct match *match, const struct tn_patterns *patterns, const struct tn_tensor *tensor,
                           bool has_layer, struct tn_group *like)
{
    const struct tn_pattern *pattern = tn_patterns_find(patterns, tensor->name);
    like->copies = like->active_copies = like->active_of = 1;
    like->class = pattern ? pattern->class : TN_CLASS_LINEAR;
    like->is_unused = is_tied_head(match->model, tensor);
    like->is_companion = (pattern && pattern->is_companion) || like->is_unused;
    bool is_last = like->class == TN_CLASS_HEAD || like->class == TN_CLASS_NORM;
    bool in_text = has_layer && like->class != TN_CLASS_VISION;
    like->place = in_text ? TN_PLACE_LAYER : (is_last ? TN_PLACE_LAST : TN_PLACE_FIRST);
    if (like->class == TN_CLASS_EXPERT && match->expert_of) {
        like->active_copies = match->expert_active;
        like->active_of = match->expert_of;
    }
    return !pattern || pattern_split(match, pattern, tensor, &like->split);
}

/* The group of the result for tensors of this template, dtype and shape; its index in the model. */
static bool find_kind(struct match *match, const struct tn_patterns *patterns, const struct tn_tensor *tensor,
                      struct tn_str template, bool has_layer, uint32_t *index)
{
    struct tn_builder text = {0};
    struct tn_str key;
    tn_builder_add(&text, template);
    tn_builder_addf(&text, "|%s", tensor->dtype ? tensor->dtype->name : "");
    for (uint32_t k = 0; k < tensor->dim_count; k++) {
        tn_builder_add_char(&text, '|');
        tn_builder_add_u64(&text, tensor->dims[k]);
    }
    *index = text.failed ? TN_MAP_NONE : tn_map_find(&match->kinds, tn_builder_str(&text));
    bool is_new = *index == TN_MAP_NONE;
    bool done = !is_new || (!text.failed && tn_str_copy(&match->model->arena, tn_builder_str(&text), &key));
    tn_builder_free(&text);
    if (!done) {
        return tn_fail_memory(match->error);
    }
    if (!is_new) {
        return true;
    }
    struct tn_group like = {.name = template};
    *index = (uint32_t)match->model->group_count;
    uint32_t existing;
    if (!describe_group(match, patterns, tensor, has_layer, &like) || !new_group(match, &like, tensor)) {
        return false;
    }
    return tn_map_insert(&match->model->arena, &match->kinds, key, *index, &existing) || tn_fail_memory(match->error);
}

/* A tensor that no record predicted: classified by the look of its name. */
static bool add_unpredicted(struct match *match, const struct tn_patterns *patterns, const struct tn_tensor *tensor)
{
    struct tn_str template;
    uint32_t layer = 0;
    bool has_layer;
    uint32_t index;
    if (!template_of(match, tensor->name, &template, &layer, &has_layer)
        || !find_kind(match, patterns, tensor, template, has_layer, &index)) {
        return false;
    }
    struct tn_group *group = &match->model->groups[index];
    if (has_layer && !note_layer(match, group, layer)) {
        return false;
    }
    return add_tensor(match, group, tensor, group->is_companion ? 0 : elements_of(tensor));
}

static bool add_rest(struct match *match, const struct tn_patterns *patterns, bool is_extra)
{
    struct tn_check *check = &match->model->check;
    for (size_t k = 0; k < match->header->count; k++) {
        const struct tn_tensor *tensor = &match->header->tensors[k];
        if (match->seen[k]) {
            continue;
        }
        if (is_extra && !list_name(match, &check->extra, &check->extra_count, tensor->name)) {
            return false;
        }
        if (!add_unpredicted(match, patterns, tensor)) {
            return false;
        }
    }
    return true;
}

static uint64_t fact_of(const struct match *match, const char *key)
{
    const struct tn_value *value = tn_facts_find(&match->model->facts, tn_str_of(key), NULL);
    return value && value->kind == TN_INTEGER && value->as.integer > 0 ? (uint64_t)value->as.integer : 0;
}

/* By the prediction, else by the usual keys. */
static void take_expert_share(struct match *match, const struct tn_group *groups, size_t count)
{
    static const char *const keys[] = {"num_experts", "num_local_experts", "n_routed_experts"};
    for (size_t k = 0; k < count; k++) {
        if (groups[k].class == TN_CLASS_EXPERT && groups[k].active_of > 1) {
            match->expert_active = groups[k].active_copies;
            match->expert_of = groups[k].active_of;
        }
    }
    uint64_t active = fact_of(match, "num_experts_per_tok");
    for (size_t k = 0; active && !match->expert_of && k < sizeof keys / sizeof keys[0]; k++) {
        match->expert_of = fact_of(match, keys[k]);
        match->expert_active = active < match->expert_of ? active : match->expert_of;
    }
}

/* How many tensors of a group lie in each of its layers, as far as it is the same number. */
static void settle_copies(struct tn_model *model)
{
    for (size_t k = 0; k < model->group_count; k++) {
        struct tn_group *group = &model->groups[k];
        uint64_t layers = group->layers ? group->layer_count : 1;
        group->copies = group->tensors % layers ? group->copies : group->tensors / layers;
    }
}

bool tn_match_header(struct tn_model *model, const struct tn_catalog *catalog, const char *names,
                     const struct tn_header *header, bool by_name, struct tn_evaluator *evaluator,
                     struct tn_error *error)
{
    struct match match = {.model = model, .header = header, .evaluator = evaluator, .error = error};
    struct tn_patterns patterns;
    if (!index_names(&match) || !tn_patterns_read(catalog, names, &model->arena, &patterns, error)) {
        return false;
    }
    struct tn_group *predicted = model->groups;
    size_t predicted_count = model->group_count;
    model->groups = NULL;
    model->group_count = model->group_capacity = 0;
    take_expert_share(&match, predicted, predicted_count);
    for (size_t k = 0; by_name && k < predicted_count; k++) {
        if (!match_group(&match, &predicted[k])) {
            return false;
        }
    }
    model->check.done = true;
    if (!add_rest(&match, &patterns, by_name && predicted_count > 0)) {
        return false;
    }
    settle_copies(model);
    return true;
}

bool tn_match_names(struct tn_model *model, const struct tn_str *names, size_t count, struct tn_error *error)
{
    struct tn_header header = {.count = count};
    header.tensors = TN_NEW_ARRAY(&model->arena, struct tn_tensor, count);
    struct match match = {.model = model, .header = &header, .error = error};
    if (!header.tensors) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < count; k++) {
        header.tensors[k].name = names[k];
    }
    if (!index_names(&match)) {
        return false;
    }
    struct tn_check *check = &model->check;
    check->done = check->names_only = true;
    struct tn_builder name = {0};
    bool done = true;
    for (size_t g = 0; done && g < model->group_count; g++) {
        const struct tn_group *group = &model->groups[g];
        for (uint64_t t = 0; done && t < group->tensors; t++) {
            tn_builder_clear(&name);
            tn_group_tensor_name(group, group->layers ? group->layers[t / group->copies] : 0, t % group->copies, &name);
            uint32_t index = tn_map_find(&match.names, tn_builder_str(&name));
            if (index != TN_MAP_NONE) {
                match.seen[index] = true;
            } else {
                done = list_name(&match, &check->missing, &check->missing_count, tn_builder_str(&name));
            }
        }
    }
    tn_builder_free(&name);
    for (size_t k = 0; done && k < count; k++) {
        done = match.seen[k] || list_name(&match, &check->extra, &check->extra_count, names[k]);
    }
    return done;
}
