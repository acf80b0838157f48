/* Finding the key by walking the expression that came out wrong, through the params that came out wrong, to the facts. */
#include "model/blame.h"

struct blame {
    struct tn_evaluator *evaluator;
    struct tn_str key; /* the first key that cannot be right; empty while none is found */
    const struct tn_value *value;
    const struct tn_value *wrong; /* of a wrong kind: the fact that is equal to it is to blame; NULL where not known */
    bool any_kind;                /* true and false and objects are not right either */
    struct tn_str *absent;        /* keys that would have been read, had they been there */
    size_t absent_count;
    unsigned depth;
};

enum { MOST_ABSENT = 12, DEEPEST_BLAME = 16 };

static bool is_suspicious(const struct blame *blame, const struct tn_value *value)
{
    if (blame->wrong && tn_value_equal(value, blame->wrong)) {
        return true;
    }
    if (value->kind == TN_INTEGER) {
        return value->as.integer <= 0 || value->as.integer > TN_LARGEST_SIZE;
    }
    return blame->any_kind || (value->kind != TN_BOOL && value->kind != TN_OBJECT);
}

static void blame_name(void *context, struct tn_str name, bool is_fact);

/* Only a param that came out wrong leads to the key: the keys of the others are as they should be. */
static void blame_param(struct blame *blame, const struct tn_param *param)
{
    struct tn_scope scope = tn_evaluator_scope(blame->evaluator);
    struct tn_value value;
    bool known = tn_expression_evaluate(param->expression, &scope, blame->evaluator->arena, &value, NULL);
    if (!known || is_suspicious(blame, &value) || value.kind == TN_NULL) {
        blame->depth++;
        tn_expression_names(param->expression, blame_name, blame);
        blame->depth--;
    }
}

static void blame_name(void *context, struct tn_str name, bool is_fact)
{
    struct blame *blame = context;
    if (blame->key.size || blame->depth > DEEPEST_BLAME) {
        return;
    }
    if (!is_fact) {
        const struct tn_param *param = tn_architecture_param(blame->evaluator->architecture, name);
        if (param && !blame->absent_count) { /* the first that is missing is enough */
            blame_param(blame, param);
        }
        return;
    }
    const struct tn_value *value = tn_facts_find(blame->evaluator->facts, name, NULL);
    if (value && is_suspicious(blame, value)) {
        blame->key = name;
        blame->value = value;
    } else if (!value && blame->absent_count < MOST_ABSENT) {
        blame->absent[blame->absent_count++] = name;
    }
}

static void write_value(struct tn_builder *text, const struct tn_value *value)
{
    if (value->kind == TN_INTEGER) {
        tn_builder_addf(text, "%lld", (long long)value->as.integer);
    } else if (value->kind == TN_REAL) {
        tn_builder_add_real(text, value->as.real);
    } else {
        tn_builder_add_text(text, tn_kind_name(value->kind));
    }
}

/* "{p}layers.x" -> "layers.x": what a prefix stands for is not known yet */
static struct tn_str without_prefix(struct tn_str name)
{
    size_t end = tn_str_find(name, TN_STR("}"));
    bool has_prefix = tn_str_starts(name, TN_STR("{")) && end != SIZE_MAX;
    return has_prefix ? tn_str_slice(name, end + 1, name.size) : name;
}

static bool fail_key(const struct blame *blame, struct tn_str what, struct tn_error *error)
{
    struct tn_builder value = {0};
    write_value(&value, blame->value);
    tn_fail(error, TN_ERROR_CONFIG,
            "key '" TN_STR_FORMAT "' is " TN_STR_FORMAT ": no model has that (needed for " TN_STR_FORMAT ")",
            TN_STR_ARGUMENTS(blame->key), TN_STR_ARGUMENTS(tn_builder_str(&value)),
            TN_STR_ARGUMENTS(without_prefix(what)));
    tn_builder_free(&value);
    tn_fail_at(error, blame->value->offset, "key " TN_STR_FORMAT, TN_STR_ARGUMENTS(blame->key));
    return tn_fail_hint(error, "correct it, or compare the file with the published one");
}

static bool fail_absent(const struct blame *blame, struct tn_str what, struct tn_error *error)
{
    struct tn_builder names = {0};
    for (size_t k = 0; k < blame->absent_count; k++) {
        tn_builder_addf(&names, "%s" TN_STR_FORMAT, k ? ", " : "", TN_STR_ARGUMENTS(blame->absent[k]));
    }
    tn_fail(error, TN_ERROR_CONFIG,
            blame->absent_count == 1 ? "key " TN_STR_FORMAT " is missing or null (needed for " TN_STR_FORMAT ")"
                                     : "none of the keys " TN_STR_FORMAT " is there (needed for " TN_STR_FORMAT ")",
            TN_STR_ARGUMENTS(tn_builder_str(&names)), TN_STR_ARGUMENTS(without_prefix(what)));
    tn_builder_free(&names);
    tn_fail_at(error, -1, "key " TN_STR_FORMAT, TN_STR_ARGUMENTS(blame->absent[0]));
    return tn_fail_hint(error, "correct it, or compare the file with the published one");
}

/* Nothing is too small, too large or a text: the fact that is the number, or something of another wrong kind. */
static void look_again(struct blame *blame, const struct tn_expression *expression, const int64_t *number)
{
    struct tn_scope scope = tn_evaluator_scope(blame->evaluator);
    struct tn_value value = tn_value_integer(number ? *number : 0);
    bool is_param = tn_architecture_param(blame->evaluator->architecture, tn_expression_text(expression)) != NULL;
    bool is_known =
        number || (is_param && tn_expression_evaluate(expression, &scope, blame->evaluator->arena, &value, NULL));
    blame->wrong = is_known ? &value : NULL;
    blame->any_kind = blame->any_kind || !is_known;
    tn_expression_names(expression, blame_name, blame);
    blame->wrong = NULL;
}

bool tn_blame(struct tn_evaluator *evaluator, const struct tn_expression *expression, struct tn_str what,
              const int64_t *number, struct tn_error *error)
{
    struct tn_str absent[MOST_ABSENT];
    struct blame blame = {.evaluator = evaluator, .absent = absent};
    bool is_formula = number || (error && (error->code == TN_ERROR_EXPRESSION || error->code == TN_ERROR_TOO_LARGE));
    if (!error || !is_formula) {
        return false;
    }
    tn_expression_names(expression, blame_name, &blame);
    if (!blame.key.size && (number || !blame.absent_count)) {
        look_again(&blame, expression, number);
    }
    if (blame.key.size) {
        return fail_key(&blame, what, error);
    }
    if (!number && blame.absent_count) {
        return fail_absent(&blame, what, error);
    }
    if (number) {
        struct tn_str text = tn_expression_text(expression);
        tn_fail(error, TN_ERROR_CONFIG, "'" TN_STR_FORMAT "' is %lld: no model has that (needed for " TN_STR_FORMAT ")",
                TN_STR_ARGUMENTS(text), (long long)*number, TN_STR_ARGUMENTS(without_prefix(what)));
        tn_fail_hint(error, "correct it, or compare the file with the published one");
    }
    return false;
}
