/* Evaluating an architecture record against the facts of one model. A rule that does not depend on the layer is evaluated once
 * per stack; the others once per layer, and equal results are merged. */
#include "model/evaluate.h"

#include "model/blame.h"

#include <string.h>

enum { MOST_LAYERS = 65536, MOST_TENSORS = 1 << 22 };

struct build {
    struct tn_model *model;
    const struct tn_architecture *architecture;
    struct tn_evaluator *evaluator;
    struct tn_scope scope;
    struct tn_error *error;
    const struct tn_stack *stack;
    const struct tn_stack *like;
    struct tn_str prefix;
    uint32_t layers;    /* of the stack */
    size_t first_group; /* of the stack */
    size_t first_cache;
};

static bool evaluate_size(struct build *build, const struct tn_expression *expression, struct tn_str what,
                          int64_t least, uint64_t *size)
{
    int64_t number;
    if (!tn_expression_integer(expression, &build->scope, build->evaluator->arena, &number, build->error)) {
        return tn_blame(build->evaluator, expression, what, NULL, build->error);
    }
    *size = (uint64_t)number;
    return (number >= least && number <= TN_LARGEST_SIZE)
           || tn_blame(build->evaluator, expression, what, &number, build->error);
}

static bool applies(struct build *build, const struct tn_expression *when, bool unless, bool *result)
{
    *result = true;
    if (!when) {
        return true;
    }
    if (!tn_expression_boolean(when, &build->scope, build->evaluator->arena, result, build->error)) {
        return tn_blame(build->evaluator, when, TN_STR("the choice of layers and tensors"), NULL, build->error);
    }
    *result = *result != unless;
    return true;
}

static bool evaluate_split(struct build *build, const struct tn_split_rule *rule, struct tn_str what,
                           struct tn_split *split)
{
    *split = (struct tn_split){.kind = rule->kind, .part_count = rule->part_count};
    for (uint32_t k = 0; k < rule->part_count; k++) {
        if (!evaluate_size(build, rule->parts[k], what, 1, &split->parts[k])) {
            return false;
        }
    }
    return true;
}

/* Replaces {p} and the like by the record's prefixes. */
static bool expand_name(struct build *build, struct tn_str prefix, struct tn_str name, struct tn_str *result)
{
    struct tn_builder text = {0};
    for (int part = 0; part < 2; part++) {
        struct tn_str from = part == 0 ? prefix : name;
        for (size_t k = 0; k < from.size; k++) {
            const struct tn_member *found = NULL;
            for (size_t p = 0; p < build->architecture->prefix_count && from.data[k] == '{'; p++) {
                const struct tn_member *member = &build->architecture->prefixes[p];
                struct tn_str rest = tn_str_slice(from, k + 1, from.size);
                bool matches = tn_str_starts(rest, member->key) && rest.size > member->key.size
                               && rest.data[member->key.size] == '}';
                found = matches ? member : found;
            }
            if (found) {
                tn_builder_add(&text, found->value.as.string);
                k += found->key.size + 1;
            } else {
                tn_builder_add_char(&text, from.data[k]);
            }
        }
    }
    bool done = !text.failed && tn_str_copy(&build->model->arena, tn_builder_str(&text), result);
    tn_builder_free(&text);
    return done || tn_fail_memory(build->error);
}

static enum tn_place place_of(const struct tn_tensor_rule *rule, const struct tn_stack *stack)
{
    if (stack) {
        return tn_str_is(stack->name, "text") ? TN_PLACE_LAYER
                                              : (tn_str_is(stack->name, "mtp") ? TN_PLACE_LAST : TN_PLACE_FIRST);
    }
    return rule->class == TN_CLASS_HEAD || rule->class == TN_CLASS_NORM ? TN_PLACE_LAST : TN_PLACE_FIRST;
}

static bool evaluate_tensor(struct build *build, const struct tn_tensor_rule *rule, struct tn_group *group)
{
    *group = (struct tn_group){.class = rule->class,
                               .copies = 1,
                               .active_copies = 1,
                               .active_of = 1,
                               .dim_count = rule->dim_count,
                               .dtype = rule->dtype ? rule->dtype : build->model->dtype,
                               .is_companion = rule->is_buffer,
                               .place = place_of(rule, rule->stack.size ? build->stack : NULL),
                               .rule = rule};
    for (uint32_t k = 0; k < rule->dim_count; k++) {
        if (!evaluate_size(build, rule->dims[k], rule->name, 1, &group->dims[k])) {
            return false;
        }
    }
    if ((rule->copies && !evaluate_size(build, rule->copies, rule->name, 1, &group->copies))
        || (rule->first && !evaluate_size(build, rule->first, rule->name, 0, &group->first_copy))
        || (rule->active && !evaluate_size(build, rule->active, rule->name, 0, &group->active_copies))
        || (rule->active_of && !evaluate_size(build, rule->active_of, rule->name, 1, &group->active_of))) {
        return false;
    }
    return evaluate_split(build, &rule->split, rule->name, &group->split);
}

static struct tn_group *find_group(struct build *build, const struct tn_tensor_rule *rule,
                                   const struct tn_group *wanted)
{
    for (size_t k = build->model->group_count; k-- > build->first_group;) {
        struct tn_group *group = &build->model->groups[k];
        if (group->rule != rule) {
            continue;
        }
        if (!wanted) {
            return group;
        }
        if (group->dim_count == wanted->dim_count && group->copies == wanted->copies
            && group->first_copy == wanted->first_copy && group->active_copies == wanted->active_copies
            && group->active_of == wanted->active_of && !memcmp(group->dims, wanted->dims, sizeof group->dims)
            && !memcmp(group->split.parts, wanted->split.parts, sizeof group->split.parts)) {
            return group;
        }
    }
    return NULL;
}

static bool add_group(struct build *build, const struct tn_group *evaluated, bool in_layer)
{
    struct tn_group group = *evaluated;
    struct tn_str prefix = in_layer ? build->prefix : (struct tn_str){0};
    if (!expand_name(build, prefix, group.rule->name, &group.name)) {
        return false;
    }
    if (in_layer) {
        group.stack = build->stack->name;
        group.layers = TN_NEW_ARRAY(&build->model->arena, uint32_t, build->layers);
        if (!group.layers) {
            return tn_fail_memory(build->error);
        }
    }
    struct tn_group *added = tn_model_add_group(build->model);
    if (!added) {
        return tn_fail_memory(build->error);
    }
    *added = group;
    return true;
}

static void add_layer(const uint32_t *layers, uint32_t *count, int64_t layer)
{
    ((uint32_t *)layers)[(*count)++] = (uint32_t)layer;
}

static bool visit_tensor(struct build *build, const struct tn_tensor_rule *rule)
{
    struct tn_group *group = rule->varies ? NULL : find_group(build, rule, NULL);
    if (!group) {
        bool wanted;
        struct tn_group evaluated;
        if (!applies(build, rule->when, rule->unless, &wanted)) {
            return false;
        }
        if (!wanted) {
            return true;
        }
        if (!evaluate_tensor(build, rule, &evaluated)) {
            return false;
        }
        group = find_group(build, rule, &evaluated);
        if (!group) {
            if (!add_group(build, &evaluated, rule->stack.size > 0)) {
                return false;
            }
            group = &build->model->groups[build->model->group_count - 1];
        }
    }
    if (group->layers) {
        add_layer(group->layers, &group->layer_count, build->evaluator->layer);
    }
    return true;
}

static bool evaluate_cache(struct build *build, const struct tn_cache_rule *rule, struct tn_str label,
                           struct tn_cache *cache)
{
    *cache = (struct tn_cache){.label = label, .growth = rule->growth, .dtype = rule->dtype, .rule = rule};
    struct tn_str what = TN_STR("a cache");
    if (rule->argument && !evaluate_size(build, rule->argument, what, 1, &cache->argument)) {
        return false;
    }
    if (rule->elements && !evaluate_size(build, rule->elements, what, 1, &cache->elements_per_unit)) {
        return false;
    }
    if (rule->rows && !evaluate_size(build, rule->rows, what, 1, &cache->rows)) {
        return false;
    }
    cache->values_per_unit = tn_growth_has_values(rule->growth) ? cache->elements_per_unit / 2 : 0;
    if (rule->values && !evaluate_size(build, rule->values, what, 0, &cache->values_per_unit)) {
        return false;
    }
    if (cache->values_per_unit > cache->elements_per_unit) {
        int64_t values = (int64_t)cache->values_per_unit;
        return tn_blame(build->evaluator, rule->values, what, &values, build->error);
    }
    if (cache->rows && cache->elements_per_unit % cache->rows) {
        tn_fail(build->error, TN_ERROR_RECORD, "a state of %llu elements is not made of %llu equal rows",
                (unsigned long long)cache->elements_per_unit, (unsigned long long)cache->rows);
        return tn_fail_at(build->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(build->architecture->record->file),
                          build->architecture->record->line);
    }
    return evaluate_split(build, &rule->split, what, &cache->split);
}

static struct tn_cache *find_cache(struct build *build, const struct tn_cache *wanted)
{
    for (size_t k = build->first_cache; k < build->model->cache_count; k++) {
        struct tn_cache *cache = &build->model->caches[k];
        if (cache->rule == wanted->rule && cache->argument == wanted->argument
            && cache->elements_per_unit == wanted->elements_per_unit
            && cache->values_per_unit == wanted->values_per_unit && cache->rows == wanted->rows
            && tn_str_equal(cache->label, wanted->label)
            && !memcmp(cache->split.parts, wanted->split.parts, sizeof cache->split.parts)) {
            return cache;
        }
    }
    return NULL;
}

static bool visit_cache(struct build *build, const struct tn_cache_rule *rule, struct tn_str label)
{
    bool wanted;
    struct tn_cache evaluated;
    if (!applies(build, rule->when, false, &wanted)) {
        return false;
    }
    if (!wanted) {
        return true;
    }
    if (!evaluate_cache(build, rule, label, &evaluated)) {
        return false;
    }
    struct tn_cache *cache = find_cache(build, &evaluated);
    if (!cache) {
        struct tn_model *model = build->model;
        void *grown =
            tn_arena_grow(&model->arena, model->caches, model->cache_count, model->cache_count + 1, sizeof *cache);
        evaluated.layers = TN_NEW_ARRAY(&model->arena, uint32_t, build->layers);
        if (!grown || !evaluated.layers) {
            return tn_fail_memory(build->error);
        }
        model->caches = grown;
        cache = &model->caches[model->cache_count++];
        *cache = evaluated;
    }
    add_layer(cache->layers, &cache->layer_count, build->evaluator->layer);
    return true;
}

/* The kind of a slot: the first choice that applies; a stack that makes none for the slot takes those of the stack it is like. */
static bool choose(struct build *build, enum tn_slot slot, struct tn_str *kind)
{
    *kind = (struct tn_str){0};
    const struct tn_stack *candidates[2] = {build->stack, build->like};
    for (int c = 0; c < 2 && candidates[c]; c++) {
        bool has_slot = false;
        for (size_t k = 0; k < candidates[c]->choice_count; k++) {
            const struct tn_choice *choice = &candidates[c]->choices[k];
            bool wanted;
            if (choice->slot != slot) {
                continue;
            }
            has_slot = true;
            if (!applies(build, choice->when, false, &wanted)) {
                return false;
            }
            if (wanted) {
                *kind = choice->kind;
                return true;
            }
        }
        if (has_slot) {
            tn_fail(build->error, TN_ERROR_CONFIG, "layer %lld is of no %s that record " TN_STR_FORMAT " knows",
                    (long long)build->evaluator->layer,
                    slot == TN_SLOT_MIXER ? "kind of mixer" : "kind of feed-forward",
                    TN_STR_ARGUMENTS(build->architecture->record->id));
            return tn_fail_hint(build->error, "look at the keys that name the layer kinds (layer_types and the like)");
        }
    }
    return true;
}

static bool visit_layer(struct build *build)
{
    struct tn_str kinds[TN_SLOT_COUNT];
    for (int slot = 0; slot < TN_SLOT_COUNT; slot++) {
        if (!choose(build, (enum tn_slot)slot, &kinds[slot])) {
            return false;
        }
    }
    build->model->layers[build->model->predicted_layer_count++] =
        (struct tn_layer){.stack = build->stack->name,
                          .number = (uint32_t)build->evaluator->layer,
                          .mixer = kinds[TN_SLOT_MIXER],
                          .ffn = kinds[TN_SLOT_FFN]};
    for (size_t k = 0; k < build->architecture->tensor_count; k++) {
        const struct tn_tensor_rule *rule = &build->architecture->tensors[k];
        bool of_stack = rule->stack.size
                        && (tn_str_equal(rule->stack, build->stack->name)
                            || (build->like && tn_str_equal(rule->stack, build->like->name)));
        if (of_stack
            && (tn_kinds_contain(rule->kinds, kinds[TN_SLOT_MIXER])
                || tn_kinds_contain(rule->kinds, kinds[TN_SLOT_FFN]))
            && !visit_tensor(build, rule)) {
            return false;
        }
    }
    for (size_t k = 0; k < build->architecture->cache_count; k++) {
        const struct tn_cache_rule *rule = &build->architecture->caches[k];
        if (tn_str_equal(rule->stack, build->stack->name) && tn_kinds_contain(rule->kinds, kinds[TN_SLOT_MIXER])
            && !visit_cache(build, rule, kinds[TN_SLOT_MIXER])) {
            return false;
        }
    }
    return true;
}

static const struct tn_stack *find_stack(const struct tn_architecture *architecture, struct tn_str name)
{
    for (size_t k = 0; name.size && k < architecture->stack_count; k++) {
        if (tn_str_equal(architecture->stacks[k].name, name)) {
            return &architecture->stacks[k];
        }
    }
    return NULL;
}

static bool visit_stack(struct build *build, const struct tn_stack *stack)
{
    uint64_t count = 0;
    uint64_t from = 0;
    tn_evaluator_set_layer(build->evaluator, -1);
    if (!evaluate_size(build, stack->layers, TN_STR("the number of layers"), 0, &count)
        || (stack->from && !evaluate_size(build, stack->from, TN_STR("the first layer"), 0, &from))) {
        return false;
    }
    if (count > MOST_LAYERS || from > MOST_LAYERS) {
        return tn_blame(build->evaluator, stack->layers, TN_STR("the number of layers"), &(int64_t){(int64_t)count},
                        build->error);
    }
    build->stack = stack;
    build->like = find_stack(build->architecture, stack->like);
    build->layers = (uint32_t)count;
    build->first_group = build->model->group_count;
    build->first_cache = build->model->cache_count;
    build->prefix = stack->prefix;
    if (tn_str_is(stack->name, "text")) {
        build->model->layer_count = (uint32_t)count;
        if (!count) {
            return tn_blame(build->evaluator, stack->layers, TN_STR("the number of layers"), &(int64_t){0},
                            build->error);
        }
    }
    struct tn_model *model = build->model;
    size_t known = model->predicted_layer_count;
    void *grown = tn_arena_grow(&model->arena, model->layers, known, known + (size_t)count, sizeof *model->layers);
    if (!grown && count) {
        return tn_fail_memory(build->error);
    }
    model->layers = grown ? grown : model->layers;
    for (uint64_t j = 0; j < count; j++) {
        tn_evaluator_set_layer(build->evaluator, (int64_t)(from + j));
        if (!visit_layer(build)) {
            return false;
        }
    }
    return true;
}

static bool visit_notes(struct build *build)
{
    for (size_t k = 0; k < build->architecture->note_count; k++) {
        const struct tn_note_rule *note = &build->architecture->notes[k];
        bool wanted;
        if (!applies(build, note->when, false, &wanted)) {
            return false;
        }
        char *code = wanted ? tn_str_terminated(&build->model->arena, note->code) : NULL;
        if (code) {
            tn_model_note(build->model, code, TN_STR_FORMAT, TN_STR_ARGUMENTS(note->text));
        }
    }
    return true;
}

/* The weakest source is the one that should have had the key. */
static bool blame_source(struct tn_error *error, const struct tn_facts *facts)
{
    return facts->source_count && tn_fail_in_source(error, facts->sources[facts->source_count - 1].where);
}

static bool visit_all(struct build *build)
{
    build->first_group = 0;
    for (size_t k = 0; k < build->architecture->tensor_count; k++) {
        if (!build->architecture->tensors[k].stack.size && !visit_tensor(build, &build->architecture->tensors[k])) {
            return false;
        }
    }
    for (size_t k = 0; k < build->architecture->stack_count; k++) {
        if (!visit_stack(build, &build->architecture->stacks[k])) {
            return false;
        }
    }
    tn_evaluator_set_layer(build->evaluator, -1);
    int64_t context;
    if (!visit_notes(build) || !tn_evaluator_integer(build->evaluator, "context", 0, &context, build->error)) {
        return false;
    }
    if (context > TN_LARGEST_SIZE) {
        const struct tn_param *param = tn_architecture_param(build->architecture, TN_STR("context"));
        return tn_blame(build->evaluator, param->expression, TN_STR("the longest context"), &context, build->error);
    }
    build->model->max_context_tokens = context > 0 ? (uint64_t)context : 0;
    return true;
}

/* Each tensor is looked up by its name: what lies about their number must not cost hours. */
static bool fail_tensors(const struct tn_model *model, uint64_t tensors, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_TOO_LARGE, "this would be %llu tensors: no model has more than %d",
            (unsigned long long)tensors, MOST_TENSORS);
    tn_fail_hint(error, "check the numbers of layers and of experts");
    return blame_source(error, &model->facts);
}

bool tn_model_evaluate(struct tn_model *model, const struct tn_architecture *architecture, struct tn_error *error)
{
    struct build build = {.model = model, .architecture = architecture, .error = error};
    build.evaluator = tn_evaluator_new(architecture, &model->facts, &model->arena);
    if (!build.evaluator) {
        return tn_fail_memory(error);
    }
    build.scope = tn_evaluator_scope(build.evaluator);
    if (!visit_all(&build)) {
        return blame_source(error, &model->facts);
    }
    uint64_t tensors = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        if (!tn_group_count(&model->groups[k], error)) {
            return blame_source(error, &model->facts);
        }
        tensors += model->groups[k].tensors; /* at most MOST_LAYERS * TN_LARGEST_SIZE each, and few groups */
    }
    return tensors <= MOST_TENSORS || fail_tensors(model, tensors, error);
}
