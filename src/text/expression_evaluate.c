/* From the tree of an expression to its value. Everything is checked: overflow, division by zero, wrong kinds, absent keys. */
#include "text/expression_tree.h"

#include "base/number.h"

#include <math.h>
#include <string.h>

struct evaluation {
    const struct tn_scope *scope;
    struct tn_arena *arena;
    struct tn_error *error;
};

struct tn_function {
    const char *name;
    uint32_t least;
    uint32_t most;
    bool (*apply)(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value);
};

static bool evaluate(struct evaluation *evaluation, const struct tn_expression *node, struct tn_value *value);

static bool is_path(const struct tn_expression *node)
{
    return node->kind == TN_NODE_FACT
           || ((node->kind == TN_NODE_MEMBER || node->kind == TN_NODE_INDEX) && is_path(node->children[0]));
}

/* The default operator hides the key that the user has to look at: the one that gave the value, or the first where none did. */
static const struct tn_expression *culprit(const struct evaluation *evaluation, const struct tn_expression *node,
                                           const struct tn_value *value)
{
    struct evaluation quiet = {evaluation->scope, evaluation->arena, NULL};
    while (node->kind == TN_NODE_BINARY && node->operation == TN_OPERATION_DEFAULT) {
        struct tn_value left = {0};
        bool is_right = value->kind != TN_NULL && evaluate(&quiet, node->children[0], &left) && left.kind == TN_NULL;
        node = node->children[is_right ? 1 : 0];
    }
    return node;
}

static bool fail(struct evaluation *evaluation, const struct tn_expression *node, const char *what)
{
    return tn_fail(evaluation->error, TN_ERROR_EXPRESSION, "%s in '" TN_STR_FORMAT "'", what,
                   TN_STR_ARGUMENTS(node->text));
}

/* The message for a value of the wrong kind: about the key where the node is a key, else about the expression. */
static bool fail_kind(struct evaluation *evaluation, const struct tn_expression *node, const struct tn_value *value,
                      const char *wanted)
{
    node = culprit(evaluation, node, value);
    if (!is_path(node)) {
        return tn_fail(evaluation->error, TN_ERROR_EXPRESSION, "'" TN_STR_FORMAT "' is %s where %s is needed",
                       TN_STR_ARGUMENTS(node->text), tn_kind_name(value->kind), wanted);
    }
    struct tn_str key = tn_str_slice(node->text, 1, node->text.size);
    if (value->kind == TN_NULL) {
        tn_fail(evaluation->error, TN_ERROR_CONFIG, "key '" TN_STR_FORMAT "' is missing or null; %s is needed",
                TN_STR_ARGUMENTS(key), wanted);
    } else {
        tn_fail(evaluation->error, TN_ERROR_CONFIG, "key '" TN_STR_FORMAT "' is %s where %s is needed",
                TN_STR_ARGUMENTS(key), tn_kind_name(value->kind), wanted);
    }
    return tn_fail_at(evaluation->error, value->offset, "key " TN_STR_FORMAT, TN_STR_ARGUMENTS(key));
}

static bool fail_overflow(struct evaluation *evaluation, const struct tn_expression *node)
{
    return tn_fail(evaluation->error, TN_ERROR_TOO_LARGE, "'" TN_STR_FORMAT "' exceeds 64 bits",
                   TN_STR_ARGUMENTS(node->text));
}

static bool evaluate_boolean(struct evaluation *evaluation, const struct tn_expression *node, bool *boolean)
{
    struct tn_value value = {0};
    *boolean = false; /* gcc cannot see through the recursion that it is set where this succeeds */
    if (!evaluate(evaluation, node, &value)) {
        return false;
    }
    if (value.kind != TN_BOOL) {
        return fail_kind(evaluation, node, &value, "true or false");
    }
    *boolean = value.as.boolean;
    return true;
}

static bool as_integer(struct evaluation *evaluation, const struct tn_expression *node, struct tn_value value,
                       int64_t *integer)
{
    /* 4096.0 is how some writers spell 4096; the comparison is exact below 2^53 */
    if (value.kind == TN_REAL && fabs(value.as.real) < 9007199254740992.0 && floor(value.as.real) >= value.as.real) {
        *integer = (int64_t)value.as.real;
        return true;
    }
    if (value.kind != TN_INTEGER) {
        return fail_kind(evaluation, node, &value, "an integer");
    }
    *integer = value.as.integer;
    return true;
}

static bool evaluate_integer(struct evaluation *evaluation, const struct tn_expression *node, int64_t *integer)
{
    struct tn_value value;
    return evaluate(evaluation, node, &value) && as_integer(evaluation, node, value, integer);
}

static bool evaluate_list(struct evaluation *evaluation, const struct tn_expression *node, struct tn_value *list)
{
    return evaluate(evaluation, node, list) && (list->kind == TN_LIST || fail_kind(evaluation, node, list, "a list"));
}

static double as_real(const struct tn_value *value)
{
    return value->kind == TN_INTEGER ? (double)value->as.integer : value->as.real;
}

static bool is_number(const struct tn_value *value)
{
    return value->kind == TN_INTEGER || value->kind == TN_REAL;
}

/* ---- functions ---------------------------------------------------------------------------------------------------- */

/* Keeps the larger or the smaller of *value and next; *value is null before the first one. */
static bool take_extreme(struct evaluation *evaluation, const struct tn_expression *node, const struct tn_value *next,
                         bool largest, struct tn_value *value)
{
    if (!is_number(next)) {
        return fail_kind(evaluation, node, next, "a number");
    }
    bool is_first = value->kind == TN_NULL;
    bool exact = next->kind == TN_INTEGER && value->kind == TN_INTEGER;
    bool larger = exact ? next->as.integer > value->as.integer : !is_first && as_real(next) > as_real(value);
    if (is_first || larger == largest) {
        *value = *next;
    }
    return true;
}

/* Of the arguments, or of the items of the only one. */
static bool apply_extreme(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value,
                          bool largest)
{
    *value = (struct tn_value){.kind = TN_NULL, .offset = -1};
    for (uint32_t k = 0; k < call->child_count; k++) {
        struct tn_value next;
        if (!evaluate(evaluation, call->children[k], &next)) {
            return false;
        }
        bool is_items = call->child_count == 1 && next.kind == TN_LIST && next.count;
        const struct tn_value *items = is_items ? next.as.items : &next;
        for (uint32_t j = 0; j < (is_items ? next.count : 1); j++) {
            if (!take_extreme(evaluation, call->children[k], &items[j], largest, value)) {
                return false;
            }
        }
    }
    return true;
}

static bool apply_min(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value)
{
    return apply_extreme(evaluation, call, value, false);
}

static bool apply_max(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value)
{
    return apply_extreme(evaluation, call, value, true);
}

/* ceil(a / b) for a >= 0, b > 0 */
static bool divide_up(struct evaluation *evaluation, const struct tn_expression *call, int64_t *a, int64_t *b)
{
    if (!evaluate_integer(evaluation, call->children[0], a) || !evaluate_integer(evaluation, call->children[1], b)) {
        return false;
    }
    if (*b == 0) {
        return fail(evaluation, call, "a division by zero");
    }
    return (*a >= 0 && *b > 0) || fail(evaluation, call, "a negative number");
}

static bool apply_ceil_div(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value)
{
    int64_t a = 0;
    int64_t b = 0;
    if (!divide_up(evaluation, call, &a, &b)) {
        return false;
    }
    *value = tn_value_integer(a / b + (a % b != 0));
    return true;
}

static bool apply_round_up(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value)
{
    int64_t a = 0;
    int64_t b = 0;
    if (!divide_up(evaluation, call, &a, &b)) {
        return false;
    }
    int64_t rounded;
    if (!tn_mul_i64(a / b + (a % b != 0), b, &rounded)) {
        return fail_overflow(evaluation, call);
    }
    *value = tn_value_integer(rounded);
    return true;
}

static bool round_to_integer(struct evaluation *evaluation, const struct tn_expression *call,
                             double (*rounding)(double), struct tn_value *value)
{
    if (!evaluate(evaluation, call->children[0], value)) {
        return false;
    }
    if (value->kind == TN_INTEGER) {
        return true;
    }
    if (value->kind != TN_REAL) {
        return fail_kind(evaluation, call->children[0], value, "a number");
    }
    double rounded = rounding(value->as.real);
    if (!(rounded > -9.2e18 && rounded < 9.2e18)) {
        return fail_overflow(evaluation, call);
    }
    *value = tn_value_integer((int64_t)rounded);
    return true;
}

static bool apply_floor(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value)
{
    return round_to_integer(evaluation, call, floor, value);
}

static bool apply_ceil(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value)
{
    return round_to_integer(evaluation, call, ceil, value);
}

static bool apply_has(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value)
{
    struct tn_value inner;
    if (!evaluate(evaluation, call->children[0], &inner)) {
        return false;
    }
    *value = tn_value_boolean(inner.kind != TN_NULL);
    return true;
}

static bool apply_is_list(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value)
{
    struct tn_value inner;
    if (!evaluate(evaluation, call->children[0], &inner)) {
        return false;
    }
    *value = tn_value_boolean(inner.kind == TN_LIST);
    return true;
}

static bool apply_count(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value)
{
    struct tn_value list;
    if (!evaluate(evaluation, call->children[0], &list)) {
        return false;
    }
    if (list.kind == TN_STRING && call->child_count == 1) {
        *value = tn_value_integer((int64_t)list.as.string.size);
        return true;
    }
    if (list.kind != TN_LIST) {
        return fail_kind(evaluation, call->children[0], &list, "a list");
    }
    struct tn_value wanted = {0};
    int64_t end = list.count;
    if ((call->child_count > 1 && !evaluate(evaluation, call->children[1], &wanted))
        || (call->child_count > 2 && !evaluate_integer(evaluation, call->children[2], &end))) {
        return false;
    }
    int64_t count = 0;
    for (uint32_t k = 0; k < list.count && (int64_t)k < end; k++) {
        count += call->child_count == 1 || tn_value_equal(&list.as.items[k], &wanted);
    }
    *value = tn_value_integer(count);
    return true;
}

static bool apply_sum(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value)
{
    struct tn_value list;
    if (!evaluate_list(evaluation, call->children[0], &list)) {
        return false;
    }
    int64_t sum = 0;
    for (uint32_t k = 0; k < list.count; k++) {
        if (list.as.items[k].kind != TN_INTEGER) {
            return fail(evaluation, call, "an item that is no integer");
        }
        if (!tn_add_i64(sum, list.as.items[k].as.integer, &sum)) {
            return fail_overflow(evaluation, call);
        }
    }
    *value = tn_value_integer(sum);
    return true;
}

static bool apply_if(struct evaluation *evaluation, const struct tn_expression *call, struct tn_value *value)
{
    bool condition = false;
    return evaluate_boolean(evaluation, call->children[0], &condition)
           && evaluate(evaluation, call->children[condition ? 1 : 2], value);
}

static const struct tn_function functions[] = {
    {"min", 1, 8, apply_min},           {"max", 1, 8, apply_max},         {"ceil_div", 2, 2, apply_ceil_div},
    {"round_up", 2, 2, apply_round_up}, {"floor", 1, 1, apply_floor},     {"ceil", 1, 1, apply_ceil},
    {"has", 1, 1, apply_has},           {"is_list", 1, 1, apply_is_list}, {"count", 1, 3, apply_count},
    {"sum", 1, 1, apply_sum},           {"if", 3, 3, apply_if},
};

const struct tn_function *tn_function_find(struct tn_str name, uint32_t *least, uint32_t *most)
{
    for (size_t k = 0; k < sizeof functions / sizeof functions[0]; k++) {
        if (tn_str_is(name, functions[k].name)) {
            *least = functions[k].least;
            *most = functions[k].most;
            return &functions[k];
        }
    }
    return NULL;
}

/* ---- operators ---------------------------------------------------------------------------------------------------- */

static bool integer_arithmetic(struct evaluation *evaluation, const struct tn_expression *node, int64_t a, int64_t b,
                               struct tn_value *value)
{
    int64_t result = 0;
    bool fits = true;
    bool divides = node->operation == TN_OPERATION_DIVIDE || node->operation == TN_OPERATION_FLOOR_DIVIDE
                   || node->operation == TN_OPERATION_REMAINDER;
    if (divides && b == 0) {
        return fail(evaluation, node, "a division by zero");
    }
    if (divides && a == INT64_MIN
        && b == -1) { /* the one quotient that does not fit, and C leaves its remainder undefined */
        return fail_overflow(evaluation, node);
    }
    if (node->operation == TN_OPERATION_ADD) {
        fits = tn_add_i64(a, b, &result);
    } else if (node->operation == TN_OPERATION_SUBTRACT) {
        fits = tn_sub_i64(a, b, &result);
    } else if (node->operation == TN_OPERATION_MULTIPLY) {
        fits = tn_mul_i64(a, b, &result);
    } else {
        bool toward_minus = a % b != 0 && (a < 0) != (b < 0);
        if (node->operation == TN_OPERATION_DIVIDE && a % b != 0) {
            return tn_fail(evaluation->error, TN_ERROR_CONFIG,
                           "'" TN_STR_FORMAT "' does not come out even: %lld / %lld", TN_STR_ARGUMENTS(node->text),
                           (long long)a, (long long)b);
        }
        result = node->operation == TN_OPERATION_REMAINDER ? a % b + (toward_minus ? b : 0) : a / b - toward_minus;
    }
    *value = tn_value_integer(result);
    return fits || fail_overflow(evaluation, node);
}

static bool real_arithmetic(struct evaluation *evaluation, const struct tn_expression *node, double a, double b,
                            struct tn_value *value)
{
    double result;
    if (node->operation == TN_OPERATION_ADD) {
        result = a + b;
    } else if (node->operation == TN_OPERATION_SUBTRACT) {
        result = a - b;
    } else if (node->operation == TN_OPERATION_MULTIPLY) {
        result = a * b;
    } else if (node->operation == TN_OPERATION_REMAINDER) {
        result = fmod(a, b);
        result += result != 0 && (result < 0) != (b < 0) ? b : 0; /* rounded down, as of integers */
    } else {
        result = node->operation == TN_OPERATION_DIVIDE ? a / b : floor(a / b);
    }
    *value = tn_value_real(result);
    return isfinite(result) || fail(evaluation, node, "a number that is not finite");
}

static bool join_lists(struct evaluation *evaluation, const struct tn_expression *node, const struct tn_value *a,
                       const struct tn_value *b, int64_t times, struct tn_value *value)
{
    uint64_t total;
    if (times < 0 || !tn_mul_u64(a->count, (uint64_t)times, &total) || total + b->count > TN_EXPRESSION_LIST_LIMIT) {
        return fail(evaluation, node, times < 0 ? "a list less than no times" : "a list that is too long");
    }
    struct tn_value *items = TN_NEW_ARRAY(evaluation->arena, struct tn_value, (size_t)total + b->count);
    if (!items) {
        return tn_fail_memory(evaluation->error);
    }
    for (uint64_t k = 0; k < total; k++) {
        items[k] = a->as.items[k % a->count];
    }
    for (uint32_t k = 0; k < b->count; k++) {
        items[total + k] = b->as.items[k];
    }
    *value = (struct tn_value){.kind = TN_LIST, .count = (uint32_t)total + b->count, .offset = -1, .as.items = items};
    return true;
}

static bool apply_arithmetic(struct evaluation *evaluation, const struct tn_expression *node, const struct tn_value *a,
                             const struct tn_value *b, struct tn_value *value)
{
    static const struct tn_value nothing = {.kind = TN_LIST};
    if (a->kind == TN_INTEGER && b->kind == TN_INTEGER) {
        return integer_arithmetic(evaluation, node, a->as.integer, b->as.integer, value);
    }
    if (is_number(a) && is_number(b)) {
        return real_arithmetic(evaluation, node, as_real(a), as_real(b), value);
    }
    if (a->kind == TN_LIST && b->kind == TN_LIST && node->operation == TN_OPERATION_ADD) {
        return join_lists(evaluation, node, a, b, 1, value);
    }
    if (a->kind == TN_LIST && b->kind == TN_INTEGER && node->operation == TN_OPERATION_MULTIPLY) {
        return join_lists(evaluation, node, a, &nothing, b->as.integer, value);
    }
    bool left = !is_number(a);
    return fail_kind(evaluation, node->children[left ? 0 : 1], left ? a : b, "a number");
}

static bool apply_comparison(struct evaluation *evaluation, const struct tn_expression *node, const struct tn_value *a,
                             const struct tn_value *b, struct tn_value *value)
{
    if (node->operation == TN_OPERATION_EQUAL || node->operation == TN_OPERATION_UNEQUAL) {
        *value = tn_value_boolean(tn_value_equal(a, b) == (node->operation == TN_OPERATION_EQUAL));
        return true;
    }
    if (!is_number(a) || !is_number(b)) {
        bool left = !is_number(a);
        return fail_kind(evaluation, node->children[left ? 0 : 1], left ? a : b, "a number");
    }
    int order;
    if (a->kind == TN_INTEGER && b->kind == TN_INTEGER) {
        order = (a->as.integer > b->as.integer) - (a->as.integer < b->as.integer);
    } else {
        order = (as_real(a) > as_real(b)) - (as_real(a) < as_real(b));
    }
    bool holds = (node->operation == TN_OPERATION_LESS && order < 0)
                 || (node->operation == TN_OPERATION_LESS_EQUAL && order <= 0)
                 || (node->operation == TN_OPERATION_GREATER && order > 0)
                 || (node->operation == TN_OPERATION_GREATER_EQUAL && order >= 0);
    *value = tn_value_boolean(holds);
    return true;
}

static bool apply_in(struct evaluation *evaluation, const struct tn_expression *node, const struct tn_value *a,
                     const struct tn_value *b, struct tn_value *value)
{
    bool found = false;
    if (a->kind == TN_STRING && b->kind == TN_STRING) {
        found = tn_str_find(b->as.string, a->as.string) != SIZE_MAX;
    } else if (b->kind != TN_LIST) {
        return fail_kind(evaluation, node->children[1], b, "a list");
    }
    for (uint32_t k = 0; b->kind == TN_LIST && k < b->count && !found; k++) {
        found = tn_value_equal(a, &b->as.items[k]);
    }
    *value = tn_value_boolean(found);
    return true;
}

static bool evaluate_logic(struct evaluation *evaluation, const struct tn_expression *node, struct tn_value *value)
{
    bool left = false;
    if (!evaluate_boolean(evaluation, node->children[0], &left)) {
        return false;
    }
    bool decided = left == (node->operation == TN_OPERATION_OR);
    bool right = left;
    if (!decided && !evaluate_boolean(evaluation, node->children[1], &right)) {
        return false;
    }
    *value = tn_value_boolean(right);
    return true;
}

static bool evaluate_binary(struct evaluation *evaluation, const struct tn_expression *node, struct tn_value *value)
{
    if (node->operation == TN_OPERATION_OR || node->operation == TN_OPERATION_AND) {
        return evaluate_logic(evaluation, node, value);
    }
    struct tn_value a;
    if (!evaluate(evaluation, node->children[0], &a)) {
        return false;
    }
    if (node->operation == TN_OPERATION_DEFAULT && a.kind != TN_NULL) {
        *value = a;
        return true;
    }
    struct tn_value b;
    if (!evaluate(evaluation, node->children[1], &b)) {
        return false;
    }
    if (node->operation == TN_OPERATION_DEFAULT) {
        *value = b;
        return true;
    }
    if (node->operation == TN_OPERATION_IN) {
        return apply_in(evaluation, node, &a, &b, value);
    }
    return node->operation >= TN_OPERATION_ADD ? apply_arithmetic(evaluation, node, &a, &b, value)
                                               : apply_comparison(evaluation, node, &a, &b, value);
}

static bool evaluate_unary(struct evaluation *evaluation, const struct tn_expression *node, struct tn_value *value)
{
    if (node->operation == TN_OPERATION_NOT) {
        bool operand = false;
        if (!evaluate_boolean(evaluation, node->children[0], &operand)) {
            return false;
        }
        *value = tn_value_boolean(!operand);
        return true;
    }
    if (!evaluate(evaluation, node->children[0], value)) {
        return false;
    }
    if (value->kind == TN_REAL) {
        value->as.real = -value->as.real;
        return true;
    }
    if (value->kind != TN_INTEGER) {
        return fail_kind(evaluation, node->children[0], value, "a number");
    }
    int64_t negated;
    if (!tn_sub_i64(0, value->as.integer, &negated)) {
        return fail_overflow(evaluation, node);
    }
    *value = tn_value_integer(negated);
    return true;
}

/* A list or a text by a number, an object by the name of a member. What is not there is null. */
static bool evaluate_index(struct evaluation *evaluation, const struct tn_expression *node, struct tn_value *value)
{
    struct tn_value container;
    struct tn_value key;
    if (!evaluate(evaluation, node->children[0], &container) || !evaluate(evaluation, node->children[1], &key)) {
        return false;
    }
    *value = (struct tn_value){.kind = TN_NULL, .offset = container.offset};
    if (key.kind == TN_STRING) {
        const struct tn_value *member = tn_value_member(&container, key.as.string);
        *value = member ? *member : *value;
        return container.kind == TN_OBJECT || container.kind == TN_NULL
               || fail_kind(evaluation, node->children[0], &container, "an object");
    }
    int64_t index = 0;
    if (!as_integer(evaluation, node->children[1], key, &index)) {
        return false;
    }
    if (container.kind == TN_LIST && index >= 0 && index < (int64_t)container.count) {
        *value = container.as.items[index];
    } else if (container.kind == TN_STRING && index >= 0 && (uint64_t)index < container.as.string.size) {
        *value = tn_value_string(tn_str_slice(container.as.string, (size_t)index, (size_t)index + 1));
    }
    return true;
}

static bool evaluate_member(struct evaluation *evaluation, const struct tn_expression *node, struct tn_value *value)
{
    struct tn_value container;
    if (!evaluate(evaluation, node->children[0], &container)) {
        return false;
    }
    const struct tn_value *member = tn_value_member(&container, node->name);
    *value = member ? *member : (struct tn_value){.kind = TN_NULL, .offset = container.offset};
    return true;
}

static bool build_list(struct evaluation *evaluation, const struct tn_expression *node, struct tn_value *value)
{
    struct tn_value *items = TN_NEW_ARRAY(evaluation->arena, struct tn_value, node->child_count);
    if (!items) {
        return tn_fail_memory(evaluation->error);
    }
    for (uint32_t k = 0; k < node->child_count; k++) {
        if (!evaluate(evaluation, node->children[k], &items[k])) {
            return false;
        }
    }
    *value = (struct tn_value){.kind = TN_LIST, .count = node->child_count, .offset = -1, .as.items = items};
    return true;
}

static bool build_object(struct evaluation *evaluation, const struct tn_expression *node, struct tn_value *value)
{
    uint32_t count = node->child_count / 2;
    struct tn_member *members = TN_NEW_ARRAY(evaluation->arena, struct tn_member, count);
    if (!members) {
        return tn_fail_memory(evaluation->error);
    }
    for (uint32_t k = 0; k < count; k++) {
        members[k].key = node->children[(size_t)k * 2]->value.as.string;
        if (!evaluate(evaluation, node->children[(size_t)k * 2 + 1], &members[k].value)) {
            return false;
        }
    }
    *value = (struct tn_value){.kind = TN_OBJECT, .count = count, .offset = -1, .as.members = members};
    return true;
}

static bool evaluate(struct evaluation *evaluation, const struct tn_expression *node, struct tn_value *value)
{
    switch (node->kind) {
    case TN_NODE_CONSTANT:
        *value = node->value;
        return true;
    case TN_NODE_SYMBOL:
        if (node->number_plus_one && evaluation->scope->numbered) {
            return evaluation->scope->numbered(evaluation->scope->context, node->number_plus_one - 1, value,
                                               evaluation->error);
        }
        return evaluation->scope->symbol(evaluation->scope->context, node->name, value, evaluation->error);
    case TN_NODE_FACT: {
        const struct tn_value *fact = evaluation->scope->fact(evaluation->scope->context, node->name);
        *value = fact ? *fact : (struct tn_value){.kind = TN_NULL, .offset = -1};
        return true;
    }
    case TN_NODE_MEMBER:
        return evaluate_member(evaluation, node, value);
    case TN_NODE_INDEX:
        return evaluate_index(evaluation, node, value);
    case TN_NODE_LIST:
        return build_list(evaluation, node, value);
    case TN_NODE_OBJECT:
        return build_object(evaluation, node, value);
    case TN_NODE_UNARY:
        return evaluate_unary(evaluation, node, value);
    case TN_NODE_BINARY:
        return evaluate_binary(evaluation, node, value);
    case TN_NODE_CALL:
        return node->function->apply(evaluation, node, value);
    }
    return fail(evaluation, node, "an unknown node");
}

bool tn_expression_evaluate(const struct tn_expression *expression, const struct tn_scope *scope,
                            struct tn_arena *arena, struct tn_value *value, struct tn_error *error)
{
    struct evaluation evaluation = {.scope = scope, .arena = arena, .error = error};
    return evaluate(&evaluation, expression, value);
}

bool tn_expression_integer(const struct tn_expression *expression, const struct tn_scope *scope, struct tn_arena *arena,
                           int64_t *integer, struct tn_error *error)
{
    struct evaluation evaluation = {.scope = scope, .arena = arena, .error = error};
    return evaluate_integer(&evaluation, expression, integer);
}

bool tn_expression_boolean(const struct tn_expression *expression, const struct tn_scope *scope, struct tn_arena *arena,
                           bool *boolean, struct tn_error *error)
{
    struct evaluation evaluation = {.scope = scope, .arena = arena, .error = error};
    return evaluate_boolean(&evaluation, expression, boolean);
}
