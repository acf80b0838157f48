/* What names mean in the expressions of `weights` and `storage` records. */
#include "engine/weights/weight.h"

#include "base/number.h"

enum { DEEPEST_PARAM = 8 };

enum symbol {
    SYMBOL_N,
    SYMBOL_K,
    SYMBOL_E,
    SYMBOL_PARTS,
    SYMBOL_PART_N,
    SYMBOL_MODULE,
    SYMBOL_KIND,
    SYMBOL_CLASS,
    SYMBOL_QUANT,
    SYMBOL_ONLINE,
    SYMBOL_STORED,
    SYMBOL_DIVIDES,
    SYMBOL_LAST_OF_WEIGHT = SYMBOL_DIVIDES,
    SYMBOL_VERSION,
    SYMBOL_CAPABILITY,
    SYMBOL_TP,
    SYMBOL_PP,
    SYMBOL_EP,
    SYMBOL_DP,
    SYMBOL_ATTENTION_TP,
    SYMBOL_STEP_TOKENS,
    SYMBOL_HAS_DRAFT,
    SYMBOL_HIDDEN,
    SYMBOL_HEAD_WIDTH,
    SYMBOL_LAYERS,
    SYMBOL_ARCHITECTURE,
    SYMBOL_MODEL_QUANT,
    SYMBOL_COUNT
};

static const char *const symbol_names[SYMBOL_COUNT] = {
    [SYMBOL_N] = "n",
    [SYMBOL_K] = "k",
    [SYMBOL_E] = "e",
    [SYMBOL_PARTS] = "parts",
    [SYMBOL_PART_N] = "part_n",
    [SYMBOL_MODULE] = "module",
    [SYMBOL_KIND] = "kind",
    [SYMBOL_CLASS] = "class",
    [SYMBOL_QUANT] = "quant",
    [SYMBOL_ONLINE] = "online",
    [SYMBOL_STORED] = "stored",
    [SYMBOL_DIVIDES] = "divides",
    [SYMBOL_VERSION] = "version",
    [SYMBOL_CAPABILITY] = "compute_capability",
    [SYMBOL_TP] = "tp",
    [SYMBOL_PP] = "pp",
    [SYMBOL_EP] = "ep",
    [SYMBOL_DP] = "dp",
    [SYMBOL_ATTENTION_TP] = "attention_tp",
    [SYMBOL_STEP_TOKENS] = "step_tokens",
    [SYMBOL_HAS_DRAFT] = "has_draft",
    [SYMBOL_HIDDEN] = "hidden",
    [SYMBOL_HEAD_WIDTH] = "head_width",
    [SYMBOL_LAYERS] = "layers",
    [SYMBOL_ARCHITECTURE] = "architecture",
    [SYMBOL_MODEL_QUANT] = "model_quant",
};

static struct tn_value integer_of(uint64_t number)
{
    return tn_value_integer(number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

/* Which side of the weight is divided over ranks. */
static const char *divided_side(const struct tn_weight_scope *scope)
{
    const struct tn_weight *weight = scope->weight;
    const struct tn_split *split = &weight->parts[0].group->split;
    if (split->kind == TN_SPLIT_REPLICATE || scope->key->tp == 1) {
        return "";
    }
    bool of_inputs =
        split->kind == TN_SPLIT_EXPERT ? weight->merge && weight->merge->divides_inputs : split->kind == TN_SPLIT_ROW;
    return of_inputs ? "inputs" : "outputs";
}

static struct tn_value of_weight(const struct tn_weight_scope *scope, enum symbol symbol)
{
    const struct tn_weight *weight = scope->weight;
    switch (symbol) {
    case SYMBOL_N:
        return integer_of(weight->outputs);
    case SYMBOL_K:
        return integer_of(weight->inputs);
    case SYMBOL_E:
        return integer_of(weight->experts ? weight->experts : 1);
    case SYMBOL_PARTS:
        return integer_of(weight->part_count);
    case SYMBOL_PART_N:
        return integer_of(scope->part_outputs);
    case SYMBOL_MODULE:
        return tn_value_string(weight->module);
    case SYMBOL_KIND:
        return tn_value_string(weight->kind);
    case SYMBOL_CLASS:
        return tn_value_string(tn_str_of(tn_class_names[weight->class]));
    case SYMBOL_QUANT:
        return tn_value_string(weight->quant);
    case SYMBOL_ONLINE:
        return tn_value_boolean(weight->is_online);
    case SYMBOL_STORED:
        return tn_value_string(tn_str_of(weight->parts[0].group->dtype ? weight->parts[0].group->dtype->name : ""));
    default:
        return tn_value_string(tn_str_of(divided_side(scope)));
    }
}

static struct tn_value of_deployment(const struct tn_weight_scope *scope, enum symbol symbol)
{
    scope->placement->reads_capability = scope->placement->reads_capability || symbol == SYMBOL_CAPABILITY;
    scope->placement->reads_step_tokens = scope->placement->reads_step_tokens || symbol == SYMBOL_STEP_TOKENS;
    switch (symbol) {
    case SYMBOL_VERSION:
        return integer_of(scope->version);
    case SYMBOL_CAPABILITY:
        return integer_of(scope->key->compute_capability);
    case SYMBOL_TP:
        return integer_of(scope->key->tp);
    case SYMBOL_PP:
        return integer_of(scope->key->pp);
    case SYMBOL_EP:
        return integer_of(scope->key->ep);
    case SYMBOL_DP:
        return integer_of(scope->key->dp);
    case SYMBOL_ATTENTION_TP:
        return integer_of(scope->key->attention_tp ? scope->key->attention_tp : scope->key->tp);
    case SYMBOL_STEP_TOKENS:
        return integer_of(scope->key->step_tokens);
    case SYMBOL_HAS_DRAFT:
        return tn_value_boolean(scope->key->has_draft);
    case SYMBOL_HIDDEN:
        return integer_of(scope->hidden);
    case SYMBOL_HEAD_WIDTH:
        return integer_of(scope->head_width);
    case SYMBOL_LAYERS:
        return integer_of(scope->model->layer_count);
    case SYMBOL_ARCHITECTURE:
        return tn_value_string(scope->model->architecture);
    default:
        return tn_value_string(scope->model->quant);
    }
}

static const struct tn_symbol_rule *find_param(const struct tn_symbol_rule *params, size_t count, struct tn_str name)
{
    for (size_t k = count; k-- > 0;) { /* a later line replaces the parent's */
        if (tn_str_equal(params[k].name, name)) {
            return &params[k];
        }
    }
    return NULL;
}

static struct tn_scope scope_of(struct tn_weight_scope *scope);

static bool find_symbol(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error)
{
    struct tn_weight_scope *scope = context;
    for (int k = 0; k < SYMBOL_COUNT; k++) {
        if (tn_str_is(name, symbol_names[k]) && (scope->weight || k > SYMBOL_LAST_OF_WEIGHT)) {
            *value =
                k > SYMBOL_LAST_OF_WEIGHT ? of_deployment(scope, (enum symbol)k) : of_weight(scope, (enum symbol)k);
            return true;
        }
    }
    const struct tn_storage *storage = scope->storage;
    const struct tn_symbol_rule *param = storage ? find_param(storage->params, storage->param_count, name) : NULL;
    param = param ? param : find_param(scope->rules->params, scope->rules->param_count, name);
    if (!param || scope->depth == DEEPEST_PARAM) {
        return tn_fail(error, TN_ERROR_EXPRESSION, "records of weights have no symbol '" TN_STR_FORMAT "'",
                       TN_STR_ARGUMENTS(name));
    }
    struct tn_scope names = scope_of(scope);
    scope->depth++;
    bool done = tn_expression_evaluate(param->expression, &names, scope->arena, value, error)
                || tn_fail_in_record(param->line.record, param->line.line, error);
    scope->depth--;
    return done;
}

/* Keys of the quantization_config come before those of the config. */
static const struct tn_value *find_fact(void *context, struct tn_str name)
{
    const struct tn_weight_scope *scope = context;
    const struct tn_facts *facts = &scope->model->facts;
    const struct tn_value *quant = tn_facts_find(facts, TN_STR("quantization_config"), NULL);
    const struct tn_value *value = quant ? tn_value_member(quant, name) : NULL;
    return value && value->kind != TN_NULL ? value : tn_facts_find(facts, name, NULL);
}

static struct tn_scope scope_of(struct tn_weight_scope *scope)
{
    return (struct tn_scope){.context = scope, .symbol = find_symbol, .fact = find_fact};
}

bool tn_weight_applies(struct tn_weight_scope *scope, const struct tn_expression *when, struct tn_rule_line line,
                       bool *result)
{
    struct tn_scope names = scope_of(scope);
    *result = true;
    return !when || tn_expression_boolean(when, &names, scope->arena, result, scope->error)
           || tn_fail_in_record(line.record, line.line, scope->error);
}

bool tn_weight_number(struct tn_weight_scope *scope, const struct tn_expression *expression, struct tn_rule_line line,
                      uint64_t *number)
{
    struct tn_scope names = scope_of(scope);
    int64_t integer;
    if (!tn_expression_integer(expression, &names, scope->arena, &integer, scope->error)) {
        return tn_fail_in_record(line.record, line.line, scope->error);
    }
    *number = (uint64_t)integer;
    if (integer < 0) {
        tn_fail(scope->error, TN_ERROR_EXPRESSION, "a size is %lld", (long long)integer);
        return tn_fail_in_record(line.record, line.line, scope->error);
    }
    return true;
}

bool tn_weight_elements(struct tn_weight_scope *scope, const struct tn_expression *dims, struct tn_rule_line line,
                        uint64_t *elements)
{
    struct tn_scope names = scope_of(scope);
    struct tn_value list;
    if (!tn_expression_evaluate(dims, &names, scope->arena, &list, scope->error)) {
        return tn_fail_in_record(line.record, line.line, scope->error);
    }
    bool fits = list.kind == TN_LIST;
    *elements = 1;
    for (uint32_t k = 0; fits && k < list.count; k++) {
        const struct tn_value *item = &list.as.items[k];
        fits = item->kind == TN_INTEGER && item->as.integer >= 0
               && tn_mul_u64(*elements, (uint64_t)item->as.integer, elements);
    }
    if (!fits) {
        tn_fail(scope->error, TN_ERROR_EXPRESSION, "expected a list of sizes whose product fits in 64 bits");
        return tn_fail_in_record(line.record, line.line, scope->error);
    }
    return true;
}

const struct tn_dtype *tn_weight_model_dtype(const struct tn_weight_scope *scope)
{
    const struct tn_dtype *dtype = scope->model->dtype;
    dtype = dtype && dtype == scope->rules->narrow_from ? scope->rules->narrow_to : dtype;
    return scope->key->dtype ? scope->key->dtype : dtype;
}

bool tn_weight_bytes(struct tn_weight_scope *scope, const struct tn_dtype *dtype, uint64_t elements, uint64_t *bytes)
{
    const struct tn_dtype *of = dtype ? dtype : tn_weight_model_dtype(scope);
    return (of && tn_dtype_bytes(of, elements, bytes) && *bytes < TN_MOST_ALLOCATED)
           || tn_fail(scope->error, TN_ERROR_TOO_LARGE, "the weights of one rank exceed 64 bits");
}

bool tn_weight_check(struct tn_weight_scope *scope, const struct tn_refusal_rule *refusals, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        bool refused;
        if (!tn_weight_applies(scope, refusals[k].when, refusals[k].line, &refused)) {
            return false;
        }
        if (refused && scope->weight) {
            tn_fail(scope->error, TN_ERROR_DEPLOYMENT, TN_STR_FORMAT " (" TN_STR_FORMAT ": %llu outputs, %llu inputs)",
                    TN_STR_ARGUMENTS(refusals[k].text), TN_STR_ARGUMENTS(scope->weight->name),
                    (unsigned long long)scope->part_outputs, (unsigned long long)scope->weight->inputs);
            return tn_fail_at(scope->error, -1, "--tp");
        }
        if (refused) {
            return tn_fail(scope->error, TN_ERROR_DEPLOYMENT, TN_STR_FORMAT, TN_STR_ARGUMENTS(refusals[k].text));
        }
    }
    return true;
}
