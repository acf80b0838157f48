/* Finding what a model is made of. */
#include "api/anatomy.h"

#include "plan/ledger.h"

#include <stdlib.h>

/* ---- kinds of layers ---------------------------------------------------------------------------------------------- */

static bool same_kind(const struct tn_layer *a, const struct tn_layer *b)
{
    return tn_str_equal(a->stack, b->stack) && tn_str_equal(a->mixer, b->mixer) && tn_str_equal(a->ffn, b->ffn);
}

/* The kind of a layer, added where it is new. */
static uint8_t find_kind(struct tn_anatomy *anatomy, const struct tn_layer *layer)
{
    for (size_t k = 0; k < anatomy->kind_count; k++) {
        if (same_kind(anatomy->kinds[k].first, layer)) {
            return (uint8_t)k;
        }
    }
    if (anatomy->kind_count < TN_MOST_LAYER_KINDS) {
        anatomy->kinds[anatomy->kind_count++].first = layer;
    }
    return (uint8_t)(anatomy->kind_count - 1);
}

static bool holds_layer(const struct tn_group *group, const struct tn_layer *layer)
{
    bool found = false;
    for (uint32_t k = 0; group->layers && !found && k < group->layer_count; k++) {
        found = group->layers[k] == layer->number;
    }
    return found && tn_str_equal(group->stack, layer->stack);
}

static void weigh_layer(const struct tn_model *model, struct tn_layer_kind *kind, bool *has_experts)
{
    *has_experts = false;
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        if (holds_layer(group, kind->first)) {
            kind->parameters += group->parameters / group->layer_count;
            *has_experts = *has_experts || group->class == TN_CLASS_EXPERT;
        }
    }
}

static bool is_taken(const struct tn_anatomy *anatomy, char letter)
{
    for (size_t k = 0; k < anatomy->kind_count; k++) {
        if (anatomy->kinds[k].letter == letter) {
            return true;
        }
    }
    return false;
}

/* The first free letter of a text, in the case that is asked for; 0 where there is none. */
static char free_letter(const struct tn_anatomy *anatomy, struct tn_str text, bool lower)
{
    for (size_t k = 0; k < text.size; k++) {
        char letter = text.data[k];
        bool is_lower = letter >= 'a' && letter <= 'z';
        bool is_upper = letter >= 'A' && letter <= 'Z';
        if (is_lower && !lower) {
            letter = (char)(letter - 'a' + 'A');
        } else if (is_upper && lower) {
            letter = (char)(letter - 'A' + 'a');
        }
        if ((is_lower || is_upper) && !is_taken(anatomy, letter)) {
            return letter;
        }
    }
    return 0;
}

/* Whether other layers of the same mixer have experts: then those without are written small. */
static bool has_larger_twin(const struct tn_anatomy *anatomy, const bool *has_experts, size_t kind)
{
    for (size_t k = 0; k < anatomy->kind_count; k++) {
        const struct tn_layer *other = anatomy->kinds[k].first;
        const struct tn_layer *own = anatomy->kinds[kind].first;
        if (has_experts[k] && !has_experts[kind] && tn_str_equal(other->mixer, own->mixer)
            && tn_str_equal(other->stack, own->stack)) {
            return true;
        }
    }
    return false;
}

static void choose_letter(struct tn_anatomy *anatomy, const bool *has_experts, size_t kind)
{
    const struct tn_layer *layer = anatomy->kinds[kind].first;
    bool lower = has_larger_twin(anatomy, has_experts, kind);
    struct tn_str texts[] = {layer->mixer, layer->ffn, layer->stack, TN_STR("abcdefghijklmnopqrstuvwxyz")};
    char letter = 0;
    for (size_t k = 0; !letter && k < 2 * sizeof texts / sizeof texts[0]; k++) {
        letter = free_letter(anatomy, texts[k / 2], (k % 2 == 1) != lower);
    }
    anatomy->kinds[kind].letter = letter ? letter : '?';
}

static bool find_kinds(struct tn_anatomy *anatomy, struct tn_arena *arena, struct tn_error *error)
{
    const struct tn_model *model = anatomy->model;
    bool has_experts[TN_MOST_LAYER_KINDS];
    anatomy->kind_of = TN_NEW_ARRAY(arena, uint8_t, model->predicted_layer_count);
    if (!anatomy->kind_of) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < model->predicted_layer_count; k++) {
        anatomy->kind_of[k] = find_kind(anatomy, &model->layers[k]);
        anatomy->kinds[anatomy->kind_of[k]].layer_count++;
    }
    for (size_t k = 0; k < anatomy->kind_count; k++) {
        weigh_layer(model, &anatomy->kinds[k], &has_experts[k]);
    }
    for (size_t k = 0; k < anatomy->kind_count; k++) {
        choose_letter(anatomy, has_experts, k);
    }
    return true;
}

/* ---- shares ------------------------------------------------------------------------------------------------------- */

static void add_share(struct tn_share *share, const char *name, const struct tn_group *group)
{
    share->name = name;
    share->tensors += group->tensors;
    share->parameters += group->parameters;
    share->bytes += group->bytes; /* tn_model_finish has checked the sum of all */
}

static void find_classes(struct tn_anatomy *anatomy)
{
    struct tn_share shares[TN_CLASS_COUNT] = {0};
    for (size_t k = 0; k < anatomy->model->group_count; k++) {
        const struct tn_group *group = &anatomy->model->groups[k];
        add_share(&shares[group->class], tn_class_labels[group->class], group);
    }
    for (size_t k = 0; k < TN_CLASS_COUNT; k++) {
        if (shares[k].tensors) {
            anatomy->classes[anatomy->class_count++] = shares[k];
        }
    }
}

static int compare_bytes(const void *a, const void *b)
{
    const struct tn_share *first = a;
    const struct tn_share *second = b;
    return (first->bytes < second->bytes) - (first->bytes > second->bytes);
}

static bool find_dtypes(struct tn_anatomy *anatomy, struct tn_arena *arena, struct tn_error *error)
{
    const struct tn_model *model = anatomy->model;
    for (size_t k = 0; k < model->group_count; k++) {
        const char *name = model->groups[k].dtype ? model->groups[k].dtype->name : "?";
        size_t at = 0;
        while (at < anatomy->dtype_count && !tn_str_is(tn_str_of(name), anatomy->dtypes[at].name)) {
            at++;
        }
        if (at == anatomy->dtype_count) {
            void *grown = tn_arena_grow(arena, anatomy->dtypes, at, at + 1, sizeof *anatomy->dtypes);
            if (!grown) {
                return tn_fail_memory(error);
            }
            anatomy->dtypes = grown;
            anatomy->dtypes[anatomy->dtype_count++] = (struct tn_share){0};
        }
        add_share(&anatomy->dtypes[at], name, &model->groups[k]);
    }
    if (anatomy->dtype_count) {
        qsort(anatomy->dtypes, anatomy->dtype_count, sizeof *anatomy->dtypes, compare_bytes);
    }
    return true;
}

/* ---- caches ------------------------------------------------------------------------------------------------------- */

static bool find_caches(struct tn_anatomy *anatomy, struct tn_error *error)
{
    const struct tn_model *model = anatomy->model;
    anatomy->kv_dtype = tn_cache_default_dtype(model);
    for (size_t k = 0; k < model->cache_count; k++) {
        uint64_t bytes = 0;
        const struct tn_cache *cache = &model->caches[k];
        bool is_limited = cache->growth == TN_GROWTH_WINDOW || cache->growth == TN_GROWTH_CHUNK;
        if (is_limited && !tn_cache_request_bytes(cache, 1, anatomy->kv_dtype, &bytes, error)) {
            return false;
        }
        anatomy->window_bytes_per_token += bytes; /* part of bytes_per_token, whose sum is checked */
    }
    return tn_cache_totals(model, model->max_context_tokens, anatomy->kv_dtype, &anatomy->totals, error);
}

bool tn_anatomy_find(const struct tn_model *model, struct tn_arena *arena, struct tn_anatomy *anatomy,
                     struct tn_error *error)
{
    *anatomy = (struct tn_anatomy){.model = model};
    find_classes(anatomy);
    return find_kinds(anatomy, arena, error) && find_dtypes(anatomy, arena, error) && find_caches(anatomy, error);
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static void write_shares(struct tn_json_writer *json, const char *key, const struct tn_share *shares, size_t count)
{
    tn_json_key(json, key);
    tn_json_begin_list(json);
    for (size_t k = 0; k < count; k++) {
        tn_json_begin_object(json);
        tn_json_key(json, "name");
        tn_json_text(json, shares[k].name);
        tn_json_key(json, "tensors");
        tn_json_u64(json, shares[k].tensors);
        tn_json_key(json, "parameters");
        tn_json_u64(json, shares[k].parameters);
        tn_json_key(json, "bytes");
        tn_json_u64(json, shares[k].bytes);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

static void write_kinds(const struct tn_anatomy *anatomy, struct tn_json_writer *json)
{
    tn_json_key(json, "layer_kinds");
    tn_json_begin_list(json);
    for (size_t k = 0; k < anatomy->kind_count; k++) {
        const struct tn_layer_kind *kind = &anatomy->kinds[k];
        tn_json_begin_object(json);
        tn_json_key(json, "letter");
        tn_json_string(json, (struct tn_str){&kind->letter, 1});
        tn_json_key(json, "stack");
        tn_json_string(json, kind->first->stack);
        tn_json_optional_string(json, "mixer", kind->first->mixer);
        tn_json_optional_string(json, "feed_forward", kind->first->ffn);
        tn_json_key(json, "layers");
        tn_json_u64(json, kind->layer_count);
        tn_json_key(json, "parameters");
        tn_json_u64(json, kind->parameters);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

/* One past the last layer of the stack that begins there. */
static size_t stack_end(const struct tn_model *model, size_t first)
{
    size_t end = first;
    while (end < model->predicted_layer_count && tn_str_equal(model->layers[end].stack, model->layers[first].stack)) {
        end++;
    }
    return end;
}

static void write_stacks(const struct tn_anatomy *anatomy, struct tn_json_writer *json)
{
    const struct tn_model *model = anatomy->model;
    struct tn_builder picture = {0};
    tn_json_key(json, "stacks");
    tn_json_begin_list(json);
    for (size_t first = 0; first < model->predicted_layer_count;) {
        size_t end = stack_end(model, first);
        tn_builder_clear(&picture);
        for (size_t k = first; k < end; k++) {
            tn_builder_add_char(&picture, anatomy->kinds[anatomy->kind_of[k]].letter);
        }
        tn_json_begin_object(json);
        tn_json_key(json, "name");
        tn_json_string(json, model->layers[first].stack);
        tn_json_key(json, "layers");
        tn_json_u64(json, end - first);
        tn_json_key(json, "picture");
        tn_json_string(json, tn_builder_str(&picture));
        tn_json_end_object(json);
        first = end;
    }
    tn_json_end_list(json);
    json->builder->failed = json->builder->failed || picture.failed;
    tn_builder_free(&picture);
}

void tn_anatomy_json(const struct tn_anatomy *anatomy, struct tn_json_writer *json)
{
    tn_json_key(json, "max_context");
    tn_json_u64(json, anatomy->model->max_context_tokens);
    tn_json_key(json, "kv");
    tn_json_begin_object(json);
    tn_json_key(json, "dtype");
    tn_json_text(json, anatomy->kv_dtype->name);
    tn_json_key(json, "bytes_per_token");
    tn_json_u64(json, anatomy->totals.bytes_per_token);
    tn_json_key(json, "window_bytes_per_token");
    tn_json_u64(json, anatomy->window_bytes_per_token);
    tn_json_key(json, "state_bytes_per_request");
    tn_json_u64(json, anatomy->totals.state_bytes_per_request);
    tn_json_key(json, "bytes_at_max_context");
    tn_json_u64(json, anatomy->totals.bytes_per_request);
    tn_json_end_object(json);
    write_stacks(anatomy, json);
    write_kinds(anatomy, json);
    write_shares(json, "classes", anatomy->classes, anatomy->class_count);
    write_shares(json, "dtypes", anatomy->dtypes, anatomy->dtype_count);
}
