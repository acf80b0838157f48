/* From text to the tree of an expression: recursive descent with one function per kind of operand and one loop for all binary
 * operators, driven by the table of their strengths. Knows nothing of values. */
#include "text/expression_tree.h"

#include "base/number.h"
#include "base/real.h"

#include <math.h>
#include <string.h>

struct parser {
    struct tn_arena *arena;
    struct tn_str text;
    size_t position;
    unsigned depth;
    struct tn_error *error;
};

struct operator_row {
    const char *text;
    enum tn_operation operation;
    unsigned strength; /* binds tighter the higher; the default operator is weakest and groups to the right */
};

/* Longer spellings before their own beginnings. */
static const struct operator_row operators[] = {
    {"or", TN_OPERATION_OR, 2},           {"and", TN_OPERATION_AND, 3},       {"==", TN_OPERATION_EQUAL, 4},
    {"!=", TN_OPERATION_UNEQUAL, 4},      {"<=", TN_OPERATION_LESS_EQUAL, 4}, {">=", TN_OPERATION_GREATER_EQUAL, 4},
    {"<", TN_OPERATION_LESS, 4},          {">", TN_OPERATION_GREATER, 4},     {"in", TN_OPERATION_IN, 4},
    {"+", TN_OPERATION_ADD, 5},           {"-", TN_OPERATION_SUBTRACT, 5},    {"*", TN_OPERATION_MULTIPLY, 6},
    {"//", TN_OPERATION_FLOOR_DIVIDE, 6}, {"/", TN_OPERATION_DIVIDE, 6},      {"%", TN_OPERATION_REMAINDER, 6},
    {"?", TN_OPERATION_DEFAULT, 1},
};

enum { STRENGTH_DEFAULT = 1, STRENGTH_NOT = 4, STRENGTH_NEGATE = 7, DEEPEST_TREE = 512, MOST_CHILDREN = 512 };

static const struct tn_expression *parse_binary(struct parser *parser, unsigned least_strength);

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const struct parser *parser)
{
    return parser->position < parser->text.size ? parser->text.data[parser->position] : '\0';
}

static void skip_space(struct parser *parser)
{
    while (peek(parser) == ' ' || peek(parser) == '\t') {
        parser->position++;
    }
}

static const struct tn_expression *fail(struct parser *parser, const char *message)
{
    tn_fail(parser->error, TN_ERROR_EXPRESSION, "%s in '" TN_STR_FORMAT "'", message, TN_STR_ARGUMENTS(parser->text));
    tn_fail_at(parser->error, (int64_t)parser->position, "expression");
    return NULL;
}

static struct tn_expression *new_node(struct parser *parser, enum tn_node_kind kind, size_t start)
{
    struct tn_expression *node = TN_NEW(parser->arena, struct tn_expression);
    if (!node) {
        tn_fail_memory(parser->error);
        return NULL;
    }
    node->kind = kind;
    node->text = tn_str_trim(tn_str_slice(parser->text, start, parser->position));
    return node;
}

static bool set_children(struct parser *parser, struct tn_expression *node, const struct tn_expression *const *children,
                         uint32_t count)
{
    node->children = TN_NEW_ARRAY(parser->arena, const struct tn_expression *, count);
    if (!node->children) {
        return tn_fail_memory(parser->error);
    }
    for (uint32_t k = 0; k < count; k++) {
        node->children[k] = children[k];
        node->depth = children[k]->depth >= node->depth ? children[k]->depth + 1 : node->depth;
    }
    if (node->depth > DEEPEST_TREE) {
        return fail(parser, "too many operations in a row") != NULL;
    }
    node->child_count = count;
    return true;
}

static struct tn_str take_name(struct parser *parser)
{
    size_t start = parser->position;
    while (is_letter(peek(parser)) || is_digit(peek(parser))) {
        parser->position++;
    }
    return tn_str_slice(parser->text, start, parser->position);
}

static const struct tn_expression *parse_number(struct parser *parser)
{
    size_t start = parser->position;
    int64_t integer = 0;
    double real = 0;
    bool whole = true;
    bool fits = true;
    for (; is_digit(peek(parser)); parser->position++) {
        fits = fits && tn_mul_i64(integer, 10, &integer) && tn_add_i64(integer, peek(parser) - '0', &integer);
    }
    if (peek(parser) == '.' && parser->position + 1 < parser->text.size
        && is_digit(parser->text.data[parser->position + 1])) {
        whole = false;
        for (parser->position++; is_digit(peek(parser));) {
            parser->position++;
        }
        fits = tn_real_read(tn_str_slice(parser->text, start, parser->position), &real) && isfinite(real);
    }
    if (!fits) {
        return fail(parser, "a number beyond 64 bits");
    }
    struct tn_expression *node = new_node(parser, TN_NODE_CONSTANT, start);
    if (node) {
        node->value = whole ? tn_value_integer(integer) : tn_value_real(real);
    }
    return node;
}

static const struct tn_expression *parse_text(struct parser *parser)
{
    size_t start = parser->position++;
    while (peek(parser) && peek(parser) != '"') {
        parser->position++;
    }
    if (peek(parser) != '"') {
        return fail(parser, "a text without its closing quote");
    }
    struct tn_str content = tn_str_slice(parser->text, start + 1, parser->position);
    parser->position++;
    struct tn_expression *node = new_node(parser, TN_NODE_CONSTANT, start);
    if (node) {
        node->value = tn_value_string(content);
    }
    return node;
}

static const struct tn_expression *parse_key(struct parser *parser)
{
    const struct tn_expression *key = peek(parser) == '"' ? parse_text(parser) : fail(parser, "expected a \"key\"");
    skip_space(parser);
    if (key && peek(parser) != ':') {
        return fail(parser, "expected ':'");
    }
    parser->position++;
    return key;
}

/* Reads "a, b, c" up to the closing character, which is consumed; of an object "key: a, key: b". */
static bool parse_items(struct parser *parser, char closing, const struct tn_expression **items, uint32_t *count)
{
    *count = 0;
    skip_space(parser);
    while (peek(parser) != closing) {
        if (*count + (closing == '}' ? 2 : 1) > MOST_CHILDREN) {
            fail(parser, "too many items");
            return false;
        }
        if (closing == '}') {
            items[*count] = parse_key(parser);
            if (!items[*count]) {
                return false;
            }
            ++*count;
        }
        items[*count] = parse_binary(parser, STRENGTH_DEFAULT);
        if (!items[*count]) {
            return false;
        }
        ++*count;
        skip_space(parser);
        if (peek(parser) == ',') {
            parser->position++;
            skip_space(parser);
        } else if (peek(parser) != closing) {
            fail(parser, "expected ',' or the closing bracket");
            return false;
        }
    }
    parser->position++;
    return true;
}

static const struct tn_expression *parse_brackets(struct parser *parser, char closing, enum tn_node_kind kind)
{
    size_t start = parser->position++;
    const struct tn_expression *items[MOST_CHILDREN];
    uint32_t count;
    if (!parse_items(parser, closing, items, &count)) {
        return NULL;
    }
    struct tn_expression *node = new_node(parser, kind, start);
    return node && set_children(parser, node, items, count) ? node : NULL;
}

static const struct tn_expression *parse_call(struct parser *parser, struct tn_str name, size_t start)
{
    uint32_t least;
    uint32_t most;
    const struct tn_function *function = tn_function_find(name, &least, &most);
    if (!function) {
        return fail(parser, "an unknown function");
    }
    parser->position++;
    const struct tn_expression *arguments[MOST_CHILDREN];
    uint32_t count;
    if (!parse_items(parser, ')', arguments, &count)) {
        return NULL;
    }
    if (count < least || count > most) {
        return fail(parser, "a wrong number of arguments");
    }
    struct tn_expression *node = new_node(parser, TN_NODE_CALL, start);
    if (!node) {
        return NULL;
    }
    node->name = name;
    node->function = function;
    return set_children(parser, node, arguments, count) ? node : NULL;
}

static const struct tn_expression *parse_unary(struct parser *parser, enum tn_operation operation, size_t start,
                                               unsigned strength)
{
    const struct tn_expression *operand = parse_binary(parser, strength);
    if (!operand) {
        return NULL;
    }
    struct tn_expression *node = new_node(parser, TN_NODE_UNARY, start);
    if (!node) {
        return NULL;
    }
    node->operation = operation;
    return set_children(parser, node, &operand, 1) ? node : NULL;
}

static const struct tn_expression *parse_word(struct parser *parser)
{
    size_t start = parser->position;
    struct tn_str name = take_name(parser);
    if (tn_str_is(name, "not")) {
        return parse_unary(parser, TN_OPERATION_NOT, start, STRENGTH_NOT);
    }
    if (peek(parser) == '(') {
        return parse_call(parser, name, start);
    }
    struct tn_expression *node = new_node(parser, TN_NODE_SYMBOL, start);
    if (!node) {
        return NULL;
    }
    node->name = name;
    if (tn_str_is(name, "true") || tn_str_is(name, "false")) {
        node->kind = TN_NODE_CONSTANT;
        node->value = tn_value_boolean(tn_str_is(name, "true"));
    } else if (tn_str_is(name, "null")) {
        node->kind = TN_NODE_CONSTANT;
        node->value = (struct tn_value){.kind = TN_NULL, .offset = -1};
    }
    return node;
}

static const struct tn_expression *parse_fact(struct parser *parser)
{
    size_t start = parser->position++;
    struct tn_str name = take_name(parser);
    if (!name.size) {
        return fail(parser, "a $ without a key");
    }
    struct tn_expression *node = new_node(parser, TN_NODE_FACT, start);
    if (node) {
        node->name = name;
    }
    return node;
}

static const struct tn_expression *parse_operand(struct parser *parser)
{
    skip_space(parser);
    size_t start = parser->position;
    char c = peek(parser);
    if (is_digit(c)) {
        return parse_number(parser);
    }
    if (is_letter(c)) {
        return parse_word(parser);
    }
    if (c == '"') {
        return parse_text(parser);
    }
    if (c == '[') {
        return parse_brackets(parser, ']', TN_NODE_LIST);
    }
    if (c == '{') {
        return parse_brackets(parser, '}', TN_NODE_OBJECT);
    }
    if (c == '$') {
        return parse_fact(parser);
    }
    if (c == '-') {
        parser->position++;
        return parse_unary(parser, TN_OPERATION_NEGATE, start, STRENGTH_NEGATE);
    }
    if (c != '(') {
        return fail(parser, c ? "an unexpected character" : "an unexpected end");
    }
    parser->position++;
    const struct tn_expression *inner = parse_binary(parser, STRENGTH_DEFAULT);
    skip_space(parser);
    if (inner && peek(parser) != ')') {
        return fail(parser, "expected ')'");
    }
    parser->position++;
    return inner;
}

/* Members and indices stand directly behind their operand: "a [b]" is two expressions, "a[b]" is one. */
static const struct tn_expression *parse_postfix(struct parser *parser)
{
    skip_space(parser);
    size_t start = parser->position;
    const struct tn_expression *operand = parse_operand(parser);
    while (operand && (peek(parser) == '[' || peek(parser) == '.')) {
        const struct tn_expression *children[2] = {operand, NULL};
        struct tn_str name = {0};
        if (parser->text.data[parser->position++] == '[') {
            children[1] = parse_binary(parser, STRENGTH_DEFAULT);
            skip_space(parser);
            if (!children[1] || peek(parser) != ']') {
                return children[1] ? fail(parser, "expected ']'") : NULL;
            }
            parser->position++;
        } else {
            name = take_name(parser);
            if (!name.size) {
                return fail(parser, "expected a name after '.'");
            }
        }
        struct tn_expression *node = new_node(parser, children[1] ? TN_NODE_INDEX : TN_NODE_MEMBER, start);
        if (!node || !set_children(parser, node, children, children[1] ? 2 : 1)) {
            return NULL;
        }
        node->name = name;
        operand = node;
    }
    return operand;
}

static const struct operator_row *find_operator(struct parser *parser)
{
    skip_space(parser);
    struct tn_str rest = tn_str_slice(parser->text, parser->position, parser->text.size);
    for (size_t k = 0; k < sizeof operators / sizeof operators[0]; k++) {
        size_t size = strlen(operators[k].text);
        if (rest.size < size || memcmp(rest.data, operators[k].text, size) != 0) {
            continue;
        }
        bool is_word = is_letter(operators[k].text[0]);
        if (is_word && rest.size > size && (is_letter(rest.data[size]) || is_digit(rest.data[size]))) {
            continue;
        }
        return &operators[k];
    }
    return NULL;
}

static const struct tn_expression *parse_binary_inner(struct parser *parser, unsigned least_strength)
{
    skip_space(parser);
    size_t start = parser->position;
    const struct tn_expression *left = parse_postfix(parser);
    while (left) {
        size_t end = parser->position;
        const struct operator_row *row = find_operator(parser);
        if (!row || row->strength < least_strength) {
            parser->position = end;
            return left;
        }
        parser->position += strlen(row->text);
        bool to_the_right = row->operation == TN_OPERATION_DEFAULT;
        const struct tn_expression *right = parse_binary(parser, to_the_right ? row->strength : row->strength + 1);
        if (!right) {
            return NULL;
        }
        struct tn_expression *node = new_node(parser, TN_NODE_BINARY, start);
        if (!node || !set_children(parser, node, (const struct tn_expression *[]){left, right}, 2)) {
            return NULL;
        }
        node->operation = row->operation;
        left = node;
    }
    return NULL;
}

static const struct tn_expression *parse_binary(struct parser *parser, unsigned least_strength)
{
    if (parser->depth == TN_EXPRESSION_DEPTH) {
        return fail(parser, "too deeply nested");
    }
    parser->depth++;
    const struct tn_expression *result = parse_binary_inner(parser, least_strength);
    parser->depth--;
    return result;
}

bool tn_expression_parse(struct tn_arena *arena, struct tn_str text, const struct tn_expression **expression,
                         size_t *consumed, struct tn_error *error)
{
    struct parser parser = {.arena = arena, .text = text, .error = error};
    *expression = parse_binary(&parser, STRENGTH_DEFAULT);
    *consumed = parser.position;
    return *expression != NULL;
}

bool tn_expression_parse_all(struct tn_arena *arena, struct tn_str text, const struct tn_expression **expression,
                             struct tn_error *error)
{
    struct parser parser = {.arena = arena, .text = text, .error = error};
    *expression = parse_binary(&parser, STRENGTH_DEFAULT);
    if (!*expression) {
        return false;
    }
    skip_space(&parser);
    if (parser.position < text.size) {
        fail(&parser, "unexpected text after the expression");
        return false;
    }
    return true;
}

struct tn_str tn_expression_text(const struct tn_expression *expression)
{
    return expression->text;
}

/* The nodes are constant to all but their owner. */
void tn_expression_number(const struct tn_expression *expression,
                          uint32_t (*number)(const void *context, struct tn_str name), const void *context)
{
    if (expression->kind == TN_NODE_SYMBOL) {
        ((struct tn_expression *)expression)->number_plus_one = number(context, expression->name) + 1;
    }
    for (uint32_t k = 0; k < expression->child_count; k++) {
        tn_expression_number(expression->children[k], number, context);
    }
}

void tn_expression_names(const struct tn_expression *expression,
                         void (*visit)(void *context, struct tn_str name, bool is_fact), void *context)
{
    if (expression->kind == TN_NODE_SYMBOL || expression->kind == TN_NODE_FACT) {
        visit(context, expression->name, expression->kind == TN_NODE_FACT);
    }
    for (uint32_t k = 0; k < expression->child_count; k++) {
        tn_expression_names(expression->children[k], visit, context);
    }
}
