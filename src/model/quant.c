/* Applying a quant record: tensors of the classes that it names become its `store` lines, except the modules that the checkpoint
 * keeps as they are; or every tensor gets the dtype of the first `type` line that applies. */
#include "model/quant.h"

#include "model/evaluate.h"
#include "model/modules.h"
#include "model/patterns.h"
#include "model/quant_read.h"

#include <string.h>

enum { DEEPEST_PARAM = 8, UNCHANGED = 0 };

struct quantiser {
    struct tn_model *model;
    const struct tn_value *config; /* the quantization_config */
    const struct tn_facts *facts;  /* the whole config */
    struct tn_error *error;
    struct tn_quant_rules rules;
    struct tn_value kept[TN_MOST_KEPT]; /* the values of rules.keeps */
    /* what the symbols mean now */
    const struct tn_group *group; /* NULL: no tensor */
    struct tn_str role;
    struct tn_str module;
    int64_t layer;  /* -1: none */
    unsigned depth; /* of params */
    /* what they mean in all of the model; counted where there are `type` lines */
    int64_t heads;
    int64_t kv_heads;
    int64_t experts;
    bool *has_values; /* [layer_count] the layers with a tensor of role attn_v */
    int64_t value_tensors;
};

/* ---- symbols ------------------------------------------------------------------------------------------------------ */

static int64_t dim_from_end(const struct tn_group *group, uint32_t from_end)
{
    return group->dim_count >= from_end ? (int64_t)group->dims[group->dim_count - from_end] : 1;
}

/* How many layers below this one have a tensor of role attn_v. */
static int64_t values_before(const struct quantiser *quantiser)
{
    int64_t count = 0;
    for (int64_t k = 0; k < quantiser->layer && k < (int64_t)quantiser->model->layer_count; k++) {
        count += quantiser->has_values && quantiser->has_values[k];
    }
    return count;
}

enum symbol {
    SYMBOL_ROWS,
    SYMBOL_COLS,
    SYMBOL_CLASS,
    SYMBOL_STACKED,
    SYMBOL_RANK,
    SYMBOL_STACK,
    SYMBOL_ROLE,
    SYMBOL_ARCHITECTURE,
    SYMBOL_TIED,
    SYMBOL_LAYERS,
    SYMBOL_HEADS,
    SYMBOL_KV_HEADS,
    SYMBOL_EXPERTS,
    SYMBOL_TOTAL,
    SYMBOL_NTH,
    SYMBOL_I,
    SYMBOL_MODULE,
    SYMBOL_OUTER,
    SYMBOL_COUNT
};

static const struct {
    const char *name;
    bool varies; /* from layer to layer */
} symbols[SYMBOL_COUNT] = {
    [SYMBOL_ROWS] = {"rows", false},       [SYMBOL_COLS] = {"cols", false},
    [SYMBOL_CLASS] = {"class", false},     [SYMBOL_STACKED] = {"stacked", false},
    [SYMBOL_RANK] = {"rank", false},       [SYMBOL_STACK] = {"stack", false},
    [SYMBOL_ROLE] = {"role", false},       [SYMBOL_ARCHITECTURE] = {"architecture", false},
    [SYMBOL_TIED] = {"tied", false},       [SYMBOL_LAYERS] = {"layers", false},
    [SYMBOL_HEADS] = {"heads", false},     [SYMBOL_KV_HEADS] = {"kv_heads", false},
    [SYMBOL_EXPERTS] = {"experts", false}, [SYMBOL_TOTAL] = {"total", false},
    [SYMBOL_NTH] = {"nth", true},          [SYMBOL_I] = {"i", true},
    [SYMBOL_MODULE] = {"module", true},    [SYMBOL_OUTER] = {"outer", true},
};

static enum symbol symbol_of(struct tn_str name)
{
    int k = 0;
    while (k < SYMBOL_COUNT && !tn_str_is(name, symbols[k].name)) {
        k++;
    }
    return (enum symbol)k;
}

static struct tn_value value_of(const struct quantiser *quantiser, enum symbol symbol)
{
    const struct tn_group *group = quantiser->group;
    switch (symbol) {
    case SYMBOL_ROWS:
        return tn_value_integer(dim_from_end(group, 2));
    case SYMBOL_COLS:
        return tn_value_integer(dim_from_end(group, 1));
    case SYMBOL_CLASS:
        return tn_value_string(tn_str_of(tn_class_names[group->class]));
    case SYMBOL_STACKED:
        return tn_value_boolean(group->dim_count > 2);
    case SYMBOL_RANK:
        return tn_value_integer(group->dim_count);
    case SYMBOL_STACK:
        return tn_value_string(group->stack);
    case SYMBOL_ROLE:
        return tn_value_string(quantiser->role);
    case SYMBOL_ARCHITECTURE:
        return tn_value_string(quantiser->model->architecture);
    case SYMBOL_TIED:
        return tn_value_boolean(quantiser->model->tied_bytes > 0);
    case SYMBOL_LAYERS:
        return tn_value_integer(quantiser->model->layer_count);
    case SYMBOL_HEADS:
        return tn_value_integer(quantiser->heads);
    case SYMBOL_KV_HEADS:
        return tn_value_integer(quantiser->kv_heads);
    case SYMBOL_EXPERTS:
        return tn_value_integer(quantiser->experts);
    case SYMBOL_TOTAL:
        return tn_value_integer(quantiser->value_tensors);
    case SYMBOL_NTH:
        return tn_value_integer(values_before(quantiser));
    case SYMBOL_I:
        return tn_value_integer(quantiser->layer);
    case SYMBOL_MODULE:
        return tn_value_string(quantiser->module);
    case SYMBOL_OUTER:
        return tn_value_string(tn_module_around(tn_module_around(quantiser->module)));
    case SYMBOL_COUNT:
        break;
    }
    return (struct tn_value){.kind = TN_NULL, .offset = -1};
}

static struct tn_scope scope_of(struct quantiser *quantiser);

static bool find_symbol(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error)
{
    struct quantiser *quantiser = context;
    enum symbol symbol = symbol_of(name);
    if (quantiser->group && symbol != SYMBOL_COUNT) {
        *value = value_of(quantiser, symbol);
        return true;
    }
    for (size_t k = 0; k < quantiser->rules.param_count; k++) {
        const struct tn_quant_param *param = &quantiser->rules.params[k];
        if (!tn_str_equal(param->name, name) || quantiser->depth == DEEPEST_PARAM) {
            continue;
        }
        struct tn_scope scope = scope_of(quantiser);
        quantiser->depth++;
        bool done = tn_expression_evaluate(param->expression, &scope, &quantiser->model->arena, value, error);
        quantiser->depth--;
        return done;
    }
    return tn_fail(error, TN_ERROR_EXPRESSION, "quant record " TN_STR_FORMAT " has no symbol '" TN_STR_FORMAT "'",
                   TN_STR_ARGUMENTS(quantiser->rules.record->id), TN_STR_ARGUMENTS(name));
}

static const struct tn_value *find_fact(void *context, struct tn_str name)
{
    const struct quantiser *quantiser = context;
    const struct tn_value *value = tn_value_member(quantiser->config, name);
    return value && value->kind != TN_NULL ? value : tn_facts_find(quantiser->facts, name, NULL);
}

static struct tn_scope scope_of(struct quantiser *quantiser)
{
    return (struct tn_scope){.context = quantiser, .symbol = find_symbol, .fact = find_fact};
}

static bool applies(struct quantiser *quantiser, const struct tn_expression *when, bool *result)
{
    struct tn_scope scope = scope_of(quantiser);
    *result = true;
    return !when || tn_expression_boolean(when, &scope, &quantiser->model->arena, result, quantiser->error);
}

static void note_varying(void *context, struct tn_str name, bool is_fact)
{
    enum symbol symbol = symbol_of(name);
    bool *varies = context;
    *varies = *varies || (!is_fact && (symbol == SYMBOL_COUNT || symbols[symbol].varies));
}

/* Whether the choice of store lines can differ from layer to layer. */
static bool stores_vary(const struct tn_quant_rules *rules)
{
    bool varies = false;
    for (size_t k = 0; k < rules->store_count; k++) {
        if (rules->stores[k].when) {
            tn_expression_names(rules->stores[k].when, note_varying, &varies);
        }
    }
    return varies;
}

/* ---- which record ------------------------------------------------------------------------------------------------- */

bool tn_quant_find(const struct tn_catalog *catalog, const struct tn_facts *facts, struct tn_arena *arena,
                   const struct tn_record **record, struct tn_error *error)
{
    *record = NULL;
    const struct tn_value *config = tn_facts_find(facts, TN_STR("quantization_config"), NULL);
    if (!config || config->kind != TN_OBJECT) {
        return true;
    }
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(catalog, TN_STR("quant"), &records);
    for (size_t k = 0; k < count; k++) {
        struct quantiser quantiser = {.rules.record = records[k], .config = config, .facts = facts, .error = error};
        struct tn_scope scope = scope_of(&quantiser);
        struct tn_str text = tn_record_text(records[k], "match");
        const struct tn_expression *expression;
        bool applies = false;
        if (text.size
            && (!tn_expression_parse_all(arena, text, &expression, error)
                || !tn_expression_boolean(expression, &scope, arena, &applies, error))) {
            return tn_fail_in_record(records[k], records[k]->line, error);
        }
        if (applies) {
            *record = records[k];
            return true;
        }
    }
    const struct tn_value *method = tn_value_member(config, TN_STR("quant_method"));
    struct tn_str name = method && method->kind == TN_STRING ? method->as.string : TN_STR("without a quant_method");
    tn_fail(error, TN_ERROR_DTYPE, "unknown quantisation '" TN_STR_FORMAT "' in quantization_config",
            TN_STR_ARGUMENTS(name));
    return tn_fail_hint(error,
                        "give the folder with its safetensors headers, or remove quantization_config and give --dtype");
}

/* ---- applying it -------------------------------------------------------------------------------------------------- */

static bool class_is_named(const struct quantiser *quantiser, enum tn_class class)
{
    struct tn_str classes = quantiser->rules.classes;
    for (struct tn_str word = tn_str_word(&classes); word.size; word = tn_str_word(&classes)) {
        if (tn_str_is(word, tn_class_names[class])) {
            return true;
        }
    }
    return false;
}

static bool is_kept(const struct quantiser *quantiser, struct tn_str tensor)
{
    bool kept = false;
    for (size_t k = 0; k < quantiser->rules.keep_count && !kept; k++) {
        kept = quantiser->rules.keeps[k].parts ? tn_module_has_part(&quantiser->kept[k], tensor)
                                               : tn_module_listed(&quantiser->kept[k], tensor);
    }
    return kept;
}

static bool store_name(struct quantiser *quantiser, const struct tn_quant_store *store, struct tn_str tensor,
                       struct tn_str *name)
{
    static const struct tn_str suffix = {".weight", 7};
    struct tn_str base = tn_str_ends(tensor, suffix) ? tn_str_slice(tensor, 0, tensor.size - suffix.size) : tensor;
    struct tn_builder text = {0};
    struct tn_str rest = store->name;
    if (tn_str_starts(rest, TN_STR("{base}"))) {
        tn_builder_add(&text, base);
        rest = tn_str_slice(rest, 6, rest.size);
    }
    tn_builder_add(&text, rest);
    bool done = !text.failed && tn_str_copy(&quantiser->model->arena, tn_builder_str(&text), name);
    tn_builder_free(&text);
    return done || tn_fail_memory(quantiser->error);
}

static bool add_store(struct quantiser *quantiser, const struct tn_quant_store *store, const struct tn_group *from,
                      bool is_first)
{
    struct tn_scope scope = scope_of(quantiser);
    struct tn_group group = *from;
    group.dim_count = from->dim_count - 2;
    group.dtype = store->dtype;
    group.bytes = 0;
    group.is_companion = !is_first;
    group.plain = quantiser->group;
    group.parameters = is_first ? from->parameters : 0;
    for (uint32_t k = 0; k < store->dim_count; k++) {
        int64_t size;
        if (group.dim_count == TN_MAX_DIMS) {
            return tn_fail(quantiser->error, TN_ERROR_RECORD,
                           "quantisation " TN_STR_FORMAT " gives tensor " TN_STR_FORMAT " too many dimensions",
                           TN_STR_ARGUMENTS(quantiser->rules.record->id), TN_STR_ARGUMENTS(from->name));
        }
        if (!tn_expression_integer(store->dims[k], &scope, &quantiser->model->arena, &size, quantiser->error)) {
            return false;
        }
        if (size <= 0) {
            return tn_fail(quantiser->error, TN_ERROR_CONFIG,
                           "quantisation " TN_STR_FORMAT " gives tensor " TN_STR_FORMAT " no size",
                           TN_STR_ARGUMENTS(quantiser->rules.record->id), TN_STR_ARGUMENTS(from->name));
        }
        group.dims[group.dim_count++] = (uint64_t)size;
    }
    if (!store_name(quantiser, store, from->name, &group.name) || !tn_group_count(&group, quantiser->error)) {
        return false;
    }
    struct tn_group *added = tn_model_add_group(quantiser->model);
    if (!added) {
        return tn_fail_memory(quantiser->error);
    }
    *added = group;
    return true;
}

static bool add_unchanged(struct quantiser *quantiser, const struct tn_group *group)
{
    struct tn_group *added = tn_model_add_group(quantiser->model);
    if (!added) {
        return tn_fail_memory(quantiser->error);
    }
    *added = *group;
    return true;
}

/* The dtype, or what takes its place where its blocks do not divide the rows: at last F16. */
static const struct tn_dtype *fitting(const struct quantiser *quantiser, const struct tn_dtype *dtype, uint64_t cols)
{
    for (size_t k = 0; k < quantiser->rules.fallback_count && cols % dtype->block_elements; k++) {
        const struct tn_quant_fallback *fallback = &quantiser->rules.fallbacks[k];
        dtype = fallback->from == dtype ? fallback->to : dtype;
    }
    return cols % dtype->block_elements ? tn_dtype_find(TN_STR("F16")) : dtype;
}

static bool add_type(struct quantiser *quantiser, const struct tn_dtype *dtype, const struct tn_group *from)
{
    struct tn_group group = *from;
    group.dtype = fitting(quantiser, dtype, (uint64_t)dim_from_end(from, 1));
    group.bytes = 0;
    return tn_group_count(&group, quantiser->error) && add_unchanged(quantiser, &group);
}

/* The first store that applies holds the parameters. */
static bool add_stores(struct quantiser *quantiser, uint32_t chosen, const struct tn_group *from)
{
    size_t before = quantiser->model->group_count;
    bool done = true;
    for (size_t k = 0; done && k < quantiser->rules.store_count; k++) {
        bool is_first = quantiser->model->group_count == before;
        done = !(chosen & 1U << k) || add_store(quantiser, &quantiser->rules.stores[k], from, is_first);
    }
    return done;
}

/* What a record makes of the tensor at hand: one bit for each store line that applies, or the number of the type line from 1 on;
 * UNCHANGED where none does. */
static bool choose(struct quantiser *quantiser, uint32_t *choice)
{
    const struct tn_quant_rules *rules = &quantiser->rules;
    *choice = UNCHANGED;
    for (size_t k = 0; k < rules->type_count && !*choice; k++) {
        bool wanted;
        if (!applies(quantiser, rules->types[k].when, &wanted)) {
            return false;
        }
        *choice = wanted ? (uint32_t)k + 1 : UNCHANGED;
    }
    for (size_t k = 0; k < rules->store_count; k++) {
        bool wanted;
        if (!applies(quantiser, rules->stores[k].when, &wanted)) {
            return false;
        }
        *choice |= wanted ? 1U << k : 0;
    }
    return true;
}

/* The choice for one layer; `same` says that it is that of the layer before unless the module is kept. */
static bool choose_layer(struct quantiser *quantiser, uint32_t layer, bool same, uint32_t *last, uint32_t *choice)
{
    struct tn_builder name = {0};
    tn_group_tensor_name(quantiser->group, layer, 0, &name);
    struct tn_str tensor = tn_builder_str(&name);
    quantiser->module = tn_module_of(tensor);
    quantiser->layer = quantiser->group->layers ? (int64_t)layer : -1;
    bool done = same || choose(quantiser, last);
    *choice = done && *last && is_kept(quantiser, tensor) ? UNCHANGED : *last;
    quantiser->module = (struct tn_str){0};
    tn_builder_free(&name);
    return done;
}

/* The layers of a group with one choice, as a group. */
static bool add_choice(struct quantiser *quantiser, const struct tn_group *from, const uint32_t *choices,
                       uint32_t choice)
{
    struct tn_group part = *from;
    if (from->layers) {
        uint32_t *layers = TN_NEW_ARRAY(&quantiser->model->arena, uint32_t, from->layer_count);
        if (!layers) {
            return tn_fail_memory(quantiser->error);
        }
        part.layer_count = 0;
        for (uint32_t k = 0; k < from->layer_count; k++) {
            if (choices[k] == choice) {
                layers[part.layer_count++] = from->layers[k];
            }
        }
        part.layers = layers;
        part.parameters = 0;
        part.bytes = 0;
        if (!tn_group_count(&part, quantiser->error)) {
            return false;
        }
    }
    if (choice == UNCHANGED) {
        return add_unchanged(quantiser, &part);
    }
    return quantiser->rules.type_count ? add_type(quantiser, quantiser->rules.types[choice - 1].dtype, &part)
                                       : add_stores(quantiser, choice, &part);
}

/* What stays comes first, then the choices in the order of their first layers. */
static bool quantise_group(struct quantiser *quantiser, const struct tn_group *from)
{
    uint32_t count = from->layers ? from->layer_count : 1;
    uint32_t *choices = TN_NEW_ARRAY(&quantiser->model->arena, uint32_t, count);
    bool varies = quantiser->rules.type_count || stores_vary(&quantiser->rules);
    uint32_t last = UNCHANGED;
    if (!choices) {
        return tn_fail_memory(quantiser->error);
    }
    bool has_unchanged = false;
    for (uint32_t k = 0; k < count; k++) {
        if (!choose_layer(quantiser, from->layers ? from->layers[k] : 0, k && !varies, &last, &choices[k])) {
            return false;
        }
        has_unchanged = has_unchanged || choices[k] == UNCHANGED;
    }
    bool done = !has_unchanged || add_choice(quantiser, from, choices, UNCHANGED);
    for (uint32_t k = 0; done && k < count; k++) {
        bool seen = choices[k] == UNCHANGED;
        for (uint32_t before = 0; before < k && !seen; before++) {
            seen = choices[before] == choices[k];
        }
        done = seen || add_choice(quantiser, from, choices, choices[k]);
    }
    return done;
}

static struct tn_str role_of(const struct tn_quant_rules *rules, struct tn_str name)
{
    for (size_t k = 0; k < rules->role_count; k++) {
        struct tn_str globs = rules->roles[k].globs;
        for (struct tn_str glob = tn_str_word(&globs); glob.size; glob = tn_str_word(&globs)) {
            if (tn_glob_matches(glob, name)) {
                return rules->roles[k].name;
            }
        }
    }
    return TN_STR("other");
}

/* A number of the architecture in its first layer; 1 where it has none. */
static int64_t number_of(struct tn_evaluator *evaluator, const char *param)
{
    struct tn_error ignored;
    int64_t value;
    bool known = tn_evaluator_integer(evaluator, param, 1, &value, &ignored);
    return known && value > 0 ? value : 1;
}

/* What the expressions of `type` lines read of the whole model. */
static bool survey(struct quantiser *quantiser, const struct tn_group *groups, size_t count)
{
    struct tn_model *model = quantiser->model;
    quantiser->heads = quantiser->kv_heads = quantiser->experts = 1;
    if (!quantiser->rules.type_count) {
        return true;
    }
    if (model->compiled) {
        struct tn_evaluator *evaluator = tn_evaluator_new(model->compiled, &model->facts, &model->arena);
        if (!evaluator) {
            return tn_fail_memory(quantiser->error);
        }
        tn_evaluator_set_layer(evaluator, 0);
        quantiser->heads = number_of(evaluator, "nh");
        quantiser->kv_heads = number_of(evaluator, "nkv");
        quantiser->experts = number_of(evaluator, "E");
    }
    quantiser->has_values = TN_NEW_ARRAY(&model->arena, bool, model->layer_count);
    if (!quantiser->has_values) {
        return tn_fail_memory(quantiser->error);
    }
    for (size_t k = 0; k < count; k++) {
        struct tn_str role = role_of(&quantiser->rules, groups[k].name);
        bool is_value = tn_str_is(role, "attn_v");
        bool counts = is_value || tn_str_is(role, "attn_qkv") || tn_str_is(role, "attn_kv_b");
        for (uint32_t j = 0; counts && groups[k].layers && groups[k].dim_count > 1 && j < groups[k].layer_count; j++) {
            uint32_t layer = groups[k].layers[j];
            quantiser->value_tensors += layer < model->layer_count;
            quantiser->has_values[layer < model->layer_count ? layer : 0] |= is_value && layer < model->layer_count;
        }
    }
    return true;
}

static bool evaluate_kept(struct quantiser *quantiser)
{
    struct tn_scope scope = scope_of(quantiser);
    for (size_t k = 0; k < quantiser->rules.keep_count; k++) {
        const struct tn_quant_keep *keep = &quantiser->rules.keeps[k];
        if (!tn_expression_evaluate(keep->list, &scope, &quantiser->model->arena, &quantiser->kept[k],
                                    quantiser->error)) {
            return tn_fail_in_record(quantiser->rules.record, keep->line, quantiser->error);
        }
    }
    return true;
}

static bool is_eligible(const struct quantiser *quantiser, const struct tn_group *group)
{
    if (group->is_companion) {
        return false;
    }
    return quantiser->rules.type_count
           || (class_is_named(quantiser, group->class) && group->dim_count >= 2
               && !(group->rule && group->rule->unquantised));
}

static bool take_group(struct quantiser *quantiser, const struct tn_group *group)
{
    bool drop = false;
    quantiser->group = group;
    quantiser->layer = -1;
    quantiser->role = role_of(&quantiser->rules, group->name);
    if (quantiser->rules.drop && !applies(quantiser, quantiser->rules.drop, &drop)) {
        return false;
    }
    bool done = true;
    if (drop) {
        quantiser->model->parameters_left_out += group->parameters;
    } else {
        done = is_eligible(quantiser, group) ? quantise_group(quantiser, group) : add_unchanged(quantiser, group);
    }
    quantiser->group = NULL;
    return done;
}

bool tn_quant_apply(struct tn_model *model, const struct tn_catalog *catalog, const struct tn_record *record,
                    const struct tn_value *config, struct tn_error *error)
{
    struct quantiser quantiser = {.model = model, .config = config, .facts = &model->facts, .error = error};
    struct tn_group *groups = model->groups;
    size_t count = model->group_count;
    if (!tn_quant_read(catalog, record, &model->arena, &quantiser.rules, error) || !evaluate_kept(&quantiser)
        || !survey(&quantiser, groups, count)) {
        return false;
    }
    model->groups = NULL;
    model->group_count = model->group_capacity = 0;
    for (size_t k = 0; k < count; k++) {
        if (!take_group(&quantiser, &groups[k])) {
            return false;
        }
    }
    if (model->parameters_left_out) {
        tn_model_note(model, "left_out",
                      "%llu parameters of other towers and of layers that predict further tokens are not in such files",
                      (unsigned long long)model->parameters_left_out);
    }
    model->quant = record->id;
    return true;
}

bool tn_quant_flat(struct tn_model *model, const struct tn_dtype *dtype, struct tn_error *error)
{
    for (size_t k = 0; k < model->group_count; k++) {
        struct tn_group *group = &model->groups[k];
        bool eligible = (group->class == TN_CLASS_LINEAR || group->class == TN_CLASS_EXPERT) && group->dim_count >= 2
                        && !(group->rule && group->rule->unquantised);
        if (eligible) {
            group->dtype = dtype;
            group->bytes = 0;
            if (!tn_group_count(group, error)) {
                return false;
            }
        }
    }
    model->quant = tn_str_of(dtype->name);
    return true;
}
