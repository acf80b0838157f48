/* From tensor groups of a model to weights of an engine. */
#include "engine/weights/load_order.h"

#include "base/number.h"
#include "model/architecture.h"
#include "model/patterns.h"
#include "plan/shard.h"

#include <string.h>

struct loading {
    struct tn_weight_scope *scope;
    struct tn_deployment division;
    struct tn_load_order *order;
    size_t capacity;
};

/* A tensor as it was before quantisation. */
struct shape {
    uint64_t experts; /* 0: not of experts */
    uint64_t outputs;
    uint64_t inputs;
};

/* ---- names ------------------------------------------------------------------------------------------------------------ */

static const struct tn_group *plain_of(const struct tn_group *group)
{
    return group->plain ? group->plain : group;
}

/* "a.q_proj.weight" -> "a.q_proj" and "weight" */
static struct tn_str without_kind(struct tn_str name, struct tn_str *kind)
{
    static const char *const kinds[] = {"weight", "bias"};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        size_t size = strlen(kinds[k]);
        if (name.size > size && name.data[name.size - size - 1] == '.' && tn_str_ends(name, tn_str_of(kinds[k]))) {
            *kind = tn_str_of(kinds[k]);
            return tn_str_slice(name, 0, name.size - size - 1);
        }
    }
    *kind = (struct tn_str){0};
    return name;
}

/* Whether a name ends in a part: the whole of it, or behind a dot. */
static bool ends_in(struct tn_str name, struct tn_str part)
{
    return tn_str_ends(name, part) && (name.size == part.size || name.data[name.size - part.size - 1] == '.');
}

/* The merge that takes the name, and the size of the part. */
static const struct tn_merge *find_merge(const struct tn_weight_rules *rules, struct tn_str name, size_t *part_size)
{
    for (size_t m = 0; m < rules->merge_count; m++) {
        const struct tn_merge *merge = &rules->merges[m];
        for (size_t p = 0; p < merge->part_count; p++) {
            if (ends_in(name, merge->parts[p])) {
                *part_size = merge->parts[p].size;
                return merge;
            }
        }
    }
    return NULL;
}

static bool glob_applies(struct loading *loading, const struct tn_glob_rule *rule, struct tn_str name, bool *applies)
{
    *applies = tn_globs_find(&rule->globs, name) < rule->globs.count;
    return !*applies || tn_weight_applies(loading->scope, rule->when, rule->line, applies);
}

/* ---- sizes ------------------------------------------------------------------------------------------------------------ */

static uint64_t product_from(const struct tn_group *group, uint32_t from)
{
    uint64_t product = 1; /* tn_group_count has checked the product */
    for (uint32_t k = from; k < group->dim_count; k++) {
        product *= group->dims[k];
    }
    return product;
}

static struct shape shape_of(const struct tn_group *group, const struct tn_merge *merge, uint64_t hidden)
{
    const struct tn_group *plain = plain_of(group);
    bool of_experts = plain->split.kind == TN_SPLIT_EXPERT;
    bool stacked = of_experts && plain->copies == 1 && (plain->dim_count > 2 || plain->class == TN_CLASS_BIAS);
    uint32_t first = stacked ? 1 : 0;
    while (!of_experts && first + 1 < plain->dim_count && plain->dims[first] == 1) {
        first++;
    }
    struct shape shape = {.outputs = plain->dim_count > first ? plain->dims[first] : 1,
                          .inputs = product_from(plain, first + 1)};
    if (!of_experts) {
        return shape;
    }
    shape.experts = stacked ? plain->dims[0] : plain->copies;
    if (!stacked && plain->copies == 1) { /* all below one another in one matrix */
        shape.experts = plain->split.parts[0];
        shape.outputs /= shape.experts;
    }
    /* files that stack the experts of a layer may have the inputs before the outputs */
    bool is_turned = merge && plain->class != TN_CLASS_BIAS && hidden
                     && (merge->divides_inputs ? shape.outputs != hidden && shape.inputs == hidden
                                               : shape.inputs != hidden && shape.outputs == hidden);
    return is_turned ? (struct shape){shape.experts, shape.inputs, shape.outputs} : shape;
}

static bool fail_division(struct loading *loading, struct tn_str name, const char *what, uint64_t number,
                          uint64_t ranks)
{
    tn_fail(loading->scope->error, TN_ERROR_DEPLOYMENT, "%llu ranks do not divide the %llu %s of " TN_STR_FORMAT,
            (unsigned long long)ranks, (unsigned long long)number, what, TN_STR_ARGUMENTS(name));
    tn_fail_at(loading->scope->error, -1, "--tp");
    return tn_fail_hint(loading->scope->error, "choose a --tp that divides them, and --pp for the other GPUs");
}

/* size x share, which must come out even but in towers: those that do not divide are whole on each rank in practice. */
static bool divide(struct loading *loading, const struct tn_group *group, uint64_t *size, struct tn_share share,
                   const char *what)
{
    if (share.numerator == share.denominator) {
        return true;
    }
    uint64_t whole = *size;
    if (!tn_mul_div_up(whole, share.numerator, share.denominator, size)) {
        return tn_fail(loading->scope->error, TN_ERROR_TOO_LARGE, "a tensor exceeds 64 bits");
    }
    bool is_even = (tn_u128)*size * share.denominator == (tn_u128)whole * share.numerator;
    return is_even || group->class == TN_CLASS_VISION
           || fail_division(loading, group->name, what, whole, share.denominator);
}

/* ep ranks hold whole experts; where fewer than all do, the ranks of one such group divide each expert. */
static bool divide_experts(struct loading *loading, const struct tn_group *group, const struct tn_merge *merge,
                           struct shape *shape)
{
    const struct tn_placement_key *key = loading->scope->key;
    uint64_t ranks = (uint64_t)key->tp * (key->expert_is_divided ? key->dp : 1);
    uint64_t within = ranks > key->ep ? ranks / key->ep : 1;
    bool of_inputs = merge && merge->divides_inputs;
    shape->experts = tn_ceil_div(shape->experts, key->ep);
    if (of_inputs && plain_of(group)->class == TN_CLASS_BIAS) {
        return true;
    }
    return divide(loading, group, of_inputs ? &shape->inputs : &shape->outputs, (struct tn_share){1, within},
                  of_inputs ? "inputs" : "outputs");
}

static bool add_rows(struct loading *loading, struct tn_str name, struct shape *shape)
{
    const struct tn_weight_rules *rules = loading->scope->rules;
    for (size_t k = 0; k < rules->row_count; k++) {
        bool applies = tn_glob_matches(rules->rows[k].glob, name);
        uint64_t more = 0;
        if (applies
            && (!tn_weight_applies(loading->scope, rules->rows[k].when, rules->rows[k].line, &applies)
                || (applies && !tn_weight_number(loading->scope, rules->rows[k].size, rules->rows[k].line, &more)))) {
            return false;
        }
        shape->outputs += more;
    }
    return true;
}

/* What one rank holds of a tensor. */
static bool divide_group(struct loading *loading, const struct tn_group *group, const struct tn_merge *merge,
                         struct tn_str name, struct shape *shape)
{
    const struct tn_weight_rules *rules = loading->scope->rules;
    const struct tn_split *split = &group->split;
    bool is_whole = group->class == TN_CLASS_VISION && loading->scope->key->tower_is_whole;
    for (size_t k = 0; k < rules->whole_count && !is_whole; k++) {
        if (!glob_applies(loading, &rules->wholes[k], name, &is_whole)) {
            return false;
        }
    }
    if (!add_rows(loading, name, shape)) {
        return false;
    }
    if (is_whole) {
        return true;
    }
    if (split->kind == TN_SPLIT_EXPERT) {
        return divide_experts(loading, group, merge, shape);
    }
    if (split->kind == TN_SPLIT_VOCAB) {
        uint64_t padded = tn_ceil_div(shape->outputs, rules->vocab_multiple) * rules->vocab_multiple;
        shape->outputs = tn_ceil_div(padded, loading->scope->key->tp);
        return true;
    }
    struct tn_share share;
    struct tn_deployment division = loading->division;
    uint32_t attention_tp = loading->scope->key->attention_tp;
    bool of_inputs = split->kind == TN_SPLIT_ROW && plain_of(group)->dim_count > 1;
    if (attention_tp && tn_globs_find(&rules->grouped, name) < rules->grouped.count) {
        division.tp = attention_tp;
    }
    return tn_split_share(split, &division, &share, loading->scope->error)
           && divide(loading, group, of_inputs ? &shape->inputs : &shape->outputs, share,
                     of_inputs ? "inputs" : "outputs");
}

/* ---- weights ---------------------------------------------------------------------------------------------------------- */

static bool same_layers(const struct tn_group *a, const struct tn_group *b)
{
    return a->layer_count == b->layer_count
           && (a->layers == b->layers
               || (a->layers && b->layers && !memcmp(a->layers, b->layers, a->layer_count * sizeof *a->layers)));
}

/* The weight that the part of a merge belongs to, or NULL. */
static struct tn_weight *find_weight(const struct loading *loading, const struct tn_merge *merge, struct tn_str path,
                                     struct tn_str kind, const struct tn_group *group)
{
    for (size_t k = loading->order->count; k-- > 0;) {
        struct tn_weight *weight = &loading->order->weights[k];
        struct tn_str weight_path = tn_str_slice(weight->name, 0, weight->name.size - weight->module.size);
        if (weight->merge == merge && tn_str_equal(weight->kind, kind) && tn_str_equal(weight_path, path)
            && weight->parts[0].group->dtype == group->dtype && weight->part_count < TN_MOST_PARTS
            && same_layers(group, weight->parts[0].group)) {
            return weight;
        }
    }
    return NULL;
}

static struct tn_weight *new_weight(struct loading *loading)
{
    struct tn_load_order *order = loading->order;
    if (order->count == loading->capacity) {
        size_t capacity = loading->capacity ? 2 * loading->capacity : 64;
        void *grown =
            tn_arena_grow(loading->scope->arena, order->weights, order->count, capacity, sizeof *order->weights);
        if (!grown) {
            (void)tn_fail_memory(loading->scope->error);
            return NULL;
        }
        order->weights = grown;
        loading->capacity = capacity;
    }
    return &order->weights[order->count++];
}

/* path + module in one text */
static bool name_weight(struct loading *loading, struct tn_weight *weight, struct tn_str path, struct tn_str module)
{
    char *text = tn_arena_alloc(loading->scope->arena, path.size + module.size);
    if (!text) {
        return tn_fail_memory(loading->scope->error);
    }
    memcpy(text, path.data, path.size);
    memcpy(text + path.size, module.data, module.size);
    weight->name = (struct tn_str){text, path.size + module.size};
    weight->module = tn_str_slice(weight->name, path.size, weight->name.size);
    return true;
}

/* What is loaded in another dtype than the files have it. */
static bool choose_dtype(struct loading *loading, const struct tn_group *group, struct tn_weight *weight)
{
    const struct tn_weight_rules *rules = loading->scope->rules;
    bool is_fixed = group->plain || (group->rule && group->rule->dtype)
                    || (group->dtype && group->dtype->block_elements > 1)
                    || (group->dtype && group->dtype->block_bytes == 1);
    weight->dtype = is_fixed ? group->dtype : tn_weight_model_dtype(loading->scope);
    for (size_t k = 0; k < rules->keep_count; k++) {
        bool applies;
        if (!glob_applies(loading, &rules->keeps[k], weight->name, &applies)) {
            return false;
        }
        weight->dtype = applies ? rules->keeps[k].dtype : weight->dtype;
    }
    return true;
}

/* The layers that are loaded: of some towers not the last ones. */
static bool count_layers(struct loading *loading, const struct tn_group *group, struct tn_weight *weight)
{
    const struct tn_weight_rules *rules = loading->scope->rules;
    weight->layers = group->layers;
    weight->layer_count = group->layer_count;
    for (size_t k = 0; k < rules->layer_count; k++) {
        bool applies;
        uint64_t layers;
        if (!glob_applies(loading, &rules->layers[k], weight->name, &applies)
            || (applies
                && !tn_weight_number(loading->scope, rules->layers[k].layers, rules->layers[k].line, &layers))) {
            return false;
        }
        while (applies && weight->layer_count && weight->layers[weight->layer_count - 1] >= layers) {
            weight->layer_count--;
        }
    }
    return true;
}

static bool is_draft(const struct tn_weight_rules *rules, const struct tn_group *group)
{
    return tn_str_is(group->stack, "mtp") || tn_globs_find(&rules->draft, group->name) < rules->draft.count;
}

static bool fill_weight(struct loading *loading, const struct tn_group *group, struct tn_weight *weight)
{
    const struct tn_placement_key *key = loading->scope->key;
    weight->class = group->class;
    weight->place = group->place;
    weight->is_draft = is_draft(loading->scope->rules, group);
    weight->order = tn_globs_find(&loading->scope->rules->order, weight->name);
    bool is_eligible = (group->class == TN_CLASS_LINEAR || group->class == TN_CLASS_EXPERT) && group->dim_count > 1
                       && !(group->rule && group->rule->unquantised);
    weight->is_online = key->storage && !group->plain && is_eligible;
    weight->quant = group->plain        ? loading->scope->model->quant
                    : weight->is_online ? key->storage->id
                                        : (struct tn_str){0};
    return choose_dtype(loading, group, weight) && count_layers(loading, group, weight);
}

/* Takes one group up: as a part of a weight that is there, or as one of its own. */
static bool take_group(struct loading *loading, const struct tn_group *group)
{
    struct tn_weight_scope *scope = loading->scope;
    struct tn_str kind;
    struct tn_str name = without_kind(plain_of(group)->name, &kind);
    size_t part_size = 0;
    const struct tn_merge *merge = find_merge(scope->rules, name, &part_size);
    struct shape shape = shape_of(group, merge, scope->hidden);
    if (!divide_group(loading, group, merge, name, &shape)) {
        return false;
    }
    size_t dot = name.size;
    while (!merge && dot && name.data[dot - 1] != '.') {
        dot--;
    }
    struct tn_str path = tn_str_slice(name, 0, merge ? name.size - part_size : dot);
    struct tn_weight *weight = merge ? find_weight(loading, merge, path, kind, group) : NULL;
    if (!weight) {
        weight = new_weight(loading);
        if (!weight || !name_weight(loading, weight, path, merge ? merge->name : tn_str_slice(name, dot, name.size))) {
            return false;
        }
        weight->kind = kind;
        weight->merge = merge;
        weight->experts = shape.experts;
        weight->inputs = shape.inputs;
        if (!fill_weight(loading, group, weight)) {
            return false;
        }
    }
    weight->parts[weight->part_count++] = (struct tn_weight_part){group, shape.outputs};
    weight->outputs += shape.outputs;
    return true;
}

/* ---- which, and in which order ---------------------------------------------------------------------------------------- */

/* Embedding and head of a draft are the target's where both lie on one rank. */
static bool is_left_out(struct loading *loading, const struct tn_group *group, bool *left_out)
{
    const struct tn_weight_scope *scope = loading->scope;
    bool of_draft = is_draft(scope->rules, group);
    bool is_shared = group->class == TN_CLASS_EMBED || group->class == TN_CLASS_HEAD;
    struct tn_str kind;
    struct tn_str name = without_kind(plain_of(group)->name, &kind);
    bool goes_with_another = group->is_companion && (group->plain || group->rule);
    *left_out = group->is_unused || goes_with_another
                || (of_draft && (!scope->key->has_draft || (is_shared && scope->key->pp == 1)))
                || (group->class == TN_CLASS_VISION && scope->key->is_text_only);
    for (size_t k = 0; k < scope->rules->skip_count && !*left_out; k++) {
        if (!glob_applies(loading, &scope->rules->skips[k], name, left_out)) {
            return false;
        }
    }
    return true;
}

/* Towers come before the text, drafts behind it. */
static unsigned section_of(const struct tn_weight *weight)
{
    if (weight->place == TN_PLACE_FIRST) {
        return weight->class == TN_CLASS_VISION ? 0 : 1;
    }
    return weight->place == TN_PLACE_LAYER ? 2 : 3 + weight->is_draft;
}

static bool comes_after(const struct tn_weight *a, const struct tn_weight *b)
{
    unsigned section_a = section_of(a);
    unsigned section_b = section_of(b);
    return section_a > section_b || (section_a == section_b && a->order > b->order);
}

/* By insertion: they are few, and nearly in order. */
static void sort_weights(struct tn_load_order *order)
{
    for (size_t k = 1; k < order->count; k++) {
        struct tn_weight weight = order->weights[k];
        size_t at = k;
        for (; at && comes_after(&order->weights[at - 1], &weight); at--) {
            order->weights[at] = order->weights[at - 1];
        }
        order->weights[at] = weight;
    }
}

/* The width of the embedding, and of one head of the first projection to keys, or to queries where there is none. */
static void find_widths(struct tn_weight_scope *scope)
{
    enum tn_split_kind found = TN_SPLIT_REPLICATE;
    for (size_t k = 0; k < scope->model->group_count; k++) {
        const struct tn_group *plain = plain_of(&scope->model->groups[k]);
        enum tn_split_kind kind = plain->split.kind;
        if (plain->class == TN_CLASS_EMBED && kind == TN_SPLIT_VOCAB && plain->dim_count == 2 && !scope->hidden) {
            scope->hidden = plain->dims[1];
        }
        bool is_projection = plain->class == TN_CLASS_LINEAR && plain->dim_count == 2 && plain->layers;
        bool has_heads = kind == TN_SPLIT_KV || kind == TN_SPLIT_HEADS || kind == TN_SPLIT_FUSED;
        if (!is_projection || !has_heads || found == TN_SPLIT_KV
            || (found != TN_SPLIT_REPLICATE && kind != TN_SPLIT_KV)) {
            continue;
        }
        uint64_t heads = 0;
        for (uint32_t p = 0; p < plain->split.part_count; p++) {
            heads += plain->split.parts[p];
        }
        scope->head_width = heads ? plain->dims[0] / heads : 0;
        found = kind;
    }
}

bool tn_load_order_of(struct tn_weight_scope *scope, struct tn_load_order *order)
{
    const struct tn_placement_key *key = scope->key;
    struct loading loading = {
        .scope = scope, .division = {.tp = key->tp, .pp = key->pp, .ep = key->ep, .dp = key->dp}, .order = order};
    find_widths(scope);
    *order = (struct tn_load_order){.buffer_order = tn_globs_find(&scope->rules->order, TN_STR("buffers")),
                                    .scalar_order = tn_globs_find(&scope->rules->order, TN_STR("scalars"))};
    for (size_t k = 0; k < scope->model->group_count; k++) {
        const struct tn_group *group = &scope->model->groups[k];
        bool left_out;
        if (!is_left_out(&loading, group, &left_out) || (!left_out && !take_group(&loading, group))) {
            return false;
        }
    }
    sort_weights(order);
    return true;
}
