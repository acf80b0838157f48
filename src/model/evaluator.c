/* Symbols on demand: a param is evaluated when a formula first needs it, and again for each layer where it depends on the layer. */
#include "model/evaluator.h"

static bool find_symbol(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error)
{
    struct tn_evaluator *evaluator = context;
    if (tn_str_is(name, "i") && evaluator->layer >= 0) {
        *value = tn_value_integer(evaluator->layer);
        return true;
    }
    const struct tn_architecture *architecture = evaluator->architecture;
    for (size_t k = 0; k < architecture->param_count; k++) {
        if (!tn_str_equal(architecture->params[k].name, name)) {
            continue;
        }
        if (evaluator->states[k] == TN_PARAM_BUSY) {
            return tn_fail(error, TN_ERROR_EXPRESSION,
                           "param " TN_STR_FORMAT " of record " TN_STR_FORMAT " needs itself", TN_STR_ARGUMENTS(name),
                           TN_STR_ARGUMENTS(architecture->record->id));
        }
        if (evaluator->states[k] == TN_PARAM_UNKNOWN) {
            struct tn_scope scope = tn_evaluator_scope(evaluator);
            evaluator->states[k] = TN_PARAM_BUSY;
            bool done = tn_expression_evaluate(architecture->params[k].expression, &scope, evaluator->arena,
                                               &evaluator->values[k], error);
            evaluator->states[k] = done ? TN_PARAM_KNOWN : TN_PARAM_UNKNOWN;
            if (!done) {
                return false;
            }
        }
        *value = evaluator->values[k];
        return true;
    }
    return tn_fail(error, TN_ERROR_EXPRESSION, "record " TN_STR_FORMAT " has no symbol '" TN_STR_FORMAT "'",
                   TN_STR_ARGUMENTS(architecture->record->id), TN_STR_ARGUMENTS(name));
}

static const struct tn_value *find_fact(void *context, struct tn_str name)
{
    return tn_facts_find(((struct tn_evaluator *)context)->facts, name, NULL);
}

struct tn_evaluator *tn_evaluator_new(const struct tn_architecture *architecture, const struct tn_facts *facts,
                                      struct tn_arena *arena)
{
    struct tn_evaluator *evaluator = TN_NEW(arena, struct tn_evaluator);
    if (!evaluator) {
        return NULL;
    }
    evaluator->architecture = architecture;
    evaluator->facts = facts;
    evaluator->arena = arena;
    evaluator->layer = -1;
    evaluator->values = TN_NEW_ARRAY(arena, struct tn_value, architecture->param_count);
    evaluator->states = TN_NEW_ARRAY(arena, enum tn_param_state, architecture->param_count);
    return evaluator->values && evaluator->states ? evaluator : NULL;
}

void tn_evaluator_set_layer(struct tn_evaluator *evaluator, int64_t layer)
{
    evaluator->layer = layer;
    for (size_t k = 0; k < evaluator->architecture->param_count; k++) {
        if (evaluator->architecture->params[k].varies) {
            evaluator->states[k] = TN_PARAM_UNKNOWN;
        }
    }
}

struct tn_scope tn_evaluator_scope(struct tn_evaluator *evaluator)
{
    return (struct tn_scope){.context = evaluator, .symbol = find_symbol, .fact = find_fact};
}

bool tn_evaluator_integer(struct tn_evaluator *evaluator, const char *param, int64_t fallback, int64_t *value,
                          struct tn_error *error)
{
    const struct tn_param *found = tn_architecture_param(evaluator->architecture, tn_str_of(param));
    *value = fallback;
    if (!found) {
        return true;
    }
    struct tn_scope scope = tn_evaluator_scope(evaluator);
    return tn_expression_integer(found->expression, &scope, evaluator->arena, value, error);
}

bool tn_evaluator_is_true(struct tn_evaluator *evaluator, const char *param)
{
    const struct tn_param *found = tn_architecture_param(evaluator->architecture, tn_str_of(param));
    struct tn_scope scope = tn_evaluator_scope(evaluator);
    bool value = false;
    return found && tn_expression_boolean(found->expression, &scope, evaluator->arena, &value, NULL) && value;
}
