/* The model as a container: building it up, and summing it. */
#include "model/model.h"

#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const tn_class_names[TN_CLASS_COUNT] = {"embed", "linear", "expert", "norm", "router",
                                                    "conv",  "bias",   "vision", "head"};
const char *const tn_split_names[TN_SPLIT_COUNT] = {"replicate", "column", "row",    "heads",
                                                    "kv",        "vocab",  "expert", "fused"};
const char *const tn_growth_names[TN_GROWTH_COUNT] = {"full",  "window",     "chunk", "constant", "cross",
                                                      "share", "compressed", "index", "none"};

bool tn_growth_has_values(enum tn_growth growth)
{
    return growth == TN_GROWTH_FULL || growth == TN_GROWTH_WINDOW || growth == TN_GROWTH_CHUNK
           || growth == TN_GROWTH_CROSS;
}

bool tn_split_takes(enum tn_split_kind kind, uint32_t part_count)
{
    static const struct {
        uint32_t least;
        uint32_t most;
    } parts[TN_SPLIT_COUNT] = {{0, 0}, {0, 0}, {0, 0}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {2, TN_SPLIT_PARTS}};
    return part_count >= parts[kind].least && part_count <= parts[kind].most;
}

struct tn_model *tn_model_new(void)
{
    return calloc(1, sizeof(struct tn_model));
}

void tn_model_free(struct tn_model *model)
{
    if (model && model->owner) {
        model->owner->give_back(model->owner, model);
    } else if (model) {
        tn_arena_free(&model->arena);
        tn_arena_free(&model->input);
        free(model);
    }
}

void tn_model_note(struct tn_model *model, const char *code, const char *format, ...)
{
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (model->note_count == model->note_capacity) {
        size_t capacity = model->note_capacity ? model->note_capacity * 2 : 8;
        void *grown = tn_arena_grow(&model->arena, model->notes, model->note_count, capacity, sizeof *model->notes);
        if (!grown) {
            return;
        }
        model->notes = grown;
        model->note_capacity = capacity;
    }
    struct tn_note note = {.code = code};
    if (tn_str_copy(&model->arena, tn_str_of(text), &note.message)) {
        model->notes[model->note_count++] = note;
    }
}

struct tn_group *tn_model_add_group(struct tn_model *model)
{
    if (model->group_count == model->group_capacity) {
        size_t capacity = model->group_capacity ? model->group_capacity * 2 : 64;
        void *grown = tn_arena_grow(&model->arena, model->groups, model->group_count, capacity, sizeof *model->groups);
        if (!grown) {
            return NULL;
        }
        model->groups = grown;
        model->group_capacity = capacity;
    }
    struct tn_group *group = &model->groups[model->group_count++];
    *group = (struct tn_group){.copies = 1, .active_copies = 1, .active_of = 1};
    return group;
}

bool tn_group_count(struct tn_group *group, struct tn_error *error)
{
    uint64_t elements = 1;
    bool fits = tn_mul_u64(group->layers ? group->layer_count : 1, group->copies, &group->tensors);
    for (uint32_t k = 0; k < group->dim_count; k++) {
        fits = fits && tn_mul_u64(elements, group->dims[k], &elements);
    }
    uint64_t bytes = group->bytes;
    if (!bytes) {
        fits = fits && group->dtype && tn_dtype_bytes(group->dtype, elements, &bytes)
               && tn_mul_u64(bytes, group->tensors, &bytes);
    }
    fits = fits && tn_mul_u64(elements, group->tensors, &elements);
    if (!fits) {
        tn_fail(error, TN_ERROR_TOO_LARGE, "the size of tensor " TN_STR_FORMAT " exceeds 64 bits",
                TN_STR_ARGUMENTS(group->name));
        return tn_fail_hint(error, "check the sizes in config.json");
    }
    if (!group->is_companion && !group->parameters) {
        group->parameters = elements;
    }
    group->bytes = bytes;
    return true;
}

static bool same_split(const struct tn_split *a, const struct tn_split *b)
{
    bool same = a->kind == b->kind && a->part_count == b->part_count;
    for (uint32_t k = 0; same && k < a->part_count; k++) {
        same = a->parts[k] == b->parts[k];
    }
    return same;
}

static struct tn_weight_term *find_term(struct tn_model *model, const struct tn_group *group)
{
    for (size_t k = 0; k < model->term_count; k++) {
        struct tn_weight_term *term = &model->terms[k];
        if (term->class == group->class && same_split(&term->split, &group->split)) {
            return term;
        }
    }
    struct tn_weight_term *term = &model->terms[model->term_count++];
    *term = (struct tn_weight_term){.class = group->class, .split = group->split};
    return term;
}

/* Adds the bytes of a group to the layers they lie in: first as amounts per layer, summed up later. */
static bool add_layers(struct tn_model *model, struct tn_weight_term *term, const struct tn_group *group,
                       struct tn_error *error)
{
    uint64_t *amounts = (uint64_t *)term->layer_bytes_before;
    if (!amounts) {
        amounts = TN_NEW_ARRAY(&model->arena, uint64_t, (size_t)model->layer_count + 1);
        if (!amounts) {
            return tn_fail_memory(error);
        }
        term->layer_bytes_before = amounts;
    }
    uint64_t each = group->bytes / group->layer_count;
    uint64_t rest = group->bytes - each * group->layer_count;
    for (uint32_t k = 0; k < group->layer_count; k++) {
        uint32_t layer = group->layers[k];
        uint64_t amount = each + (k < rest);
        /* a layer beyond the text stack cannot be cut from it: it stays with the last one */
        uint32_t slot = (layer < model->layer_count ? layer : model->layer_count - 1) + 1;
        if (!tn_add_u64(amounts[slot], amount, &amounts[slot])) {
            return tn_fail(error, TN_ERROR_TOO_LARGE, "the weights exceed 64 bits");
        }
    }
    return true;
}

/* Adds the bytes of a group to the term of those that split alike. */
static bool add_bytes(struct tn_model *model, const struct tn_group *group, struct tn_error *error)
{
    struct tn_weight_term *term = find_term(model, group);
    if (group->place == TN_PLACE_LAYER && group->layer_count && model->layer_count) {
        return add_layers(model, term, group, error);
    }
    uint64_t *side = group->place == TN_PLACE_LAST ? &term->last_bytes : &term->first_bytes;
    *side += group->bytes; /* bounded by checkpoint_bytes, which is checked */
    return true;
}

static bool add_group(struct tn_model *model, const struct tn_group *group, struct tn_error *error)
{
    if (!group->is_unused && !add_bytes(model, group, error)) {
        return false;
    }
    /* multi-token prediction layers guess ahead: they are no part of computing a token */
    bool is_mtp = tn_str_is(group->stack, "mtp");
    uint64_t active = 0;
    bool fits = (is_mtp || tn_mul_div_up(group->parameters, group->active_copies, group->active_of, &active))
                && tn_add_u64(model->parameters, group->parameters, &model->parameters)
                && tn_add_u64(model->parameters_active, active, &model->parameters_active)
                && tn_add_u64(model->checkpoint_bytes, group->bytes, &model->checkpoint_bytes);
    if (group->is_companion) {
        uint64_t elements = group->tensors;
        for (uint32_t k = 0; k < group->dim_count; k++) {
            fits = fits && tn_mul_u64(elements, group->dims[k], &elements);
        }
        fits = fits && tn_add_u64(model->companion_elements, elements, &model->companion_elements);
    }
    return fits || tn_fail(error, TN_ERROR_TOO_LARGE, "the weights of this model exceed 64 bits");
}

bool tn_model_finish(struct tn_model *model, struct tn_error *error)
{
    model->terms = TN_NEW_ARRAY(&model->arena, struct tn_weight_term, model->group_count + 1);
    if (!model->terms) {
        return tn_fail_memory(error);
    }
    model->term_count = 0;
    model->parameters = model->parameters_active = model->checkpoint_bytes = model->companion_elements = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        if (!add_group(model, &model->groups[k], error)) {
            return false;
        }
    }
    for (size_t k = 0; k < model->term_count; k++) {
        uint64_t *before = (uint64_t *)model->terms[k].layer_bytes_before;
        for (uint32_t layer = 0; before && layer < model->layer_count; layer++) {
            before[layer + 1] += before[layer]; /* bounded by checkpoint_bytes */
        }
    }
    return true;
}

void tn_group_tensor_name(const struct tn_group *group, uint32_t layer, uint64_t copy, struct tn_builder *name)
{
    for (size_t k = 0; k < group->name.size; k++) {
        struct tn_str rest = tn_str_slice(group->name, k, group->name.size);
        bool is_layer = tn_str_starts(rest, TN_STR("{i}"));
        if (is_layer || tn_str_starts(rest, TN_STR("{e}"))) {
            tn_builder_add_u64(name, is_layer ? layer : group->first_copy + copy);
            k += 2;
        } else {
            tn_builder_add_char(name, group->name.data[k]);
        }
    }
}
