/* The tree of an expression: shared by its parser and its evaluator, and by nobody else. */
#ifndef TN_TEXT_EXPRESSION_TREE_H
#define TN_TEXT_EXPRESSION_TREE_H

#include "text/expression.h"

enum tn_node_kind {
    TN_NODE_CONSTANT, /* value */
    TN_NODE_SYMBOL,   /* name */
    TN_NODE_FACT,     /* name */
    TN_NODE_MEMBER,   /* children[0] . name */
    TN_NODE_INDEX,    /* children[0] [ children[1] ] */
    TN_NODE_LIST,     /* children */
    TN_NODE_OBJECT,   /* children, one after the other a constant key and its value */
    TN_NODE_UNARY,    /* operation, children[0] */
    TN_NODE_BINARY,   /* operation, children[0], children[1] */
    TN_NODE_CALL,     /* function, children */
};

enum tn_operation {
    TN_OPERATION_NONE,
    TN_OPERATION_DEFAULT,
    TN_OPERATION_OR,
    TN_OPERATION_AND,
    TN_OPERATION_NOT,
    TN_OPERATION_EQUAL,
    TN_OPERATION_UNEQUAL,
    TN_OPERATION_LESS,
    TN_OPERATION_LESS_EQUAL,
    TN_OPERATION_GREATER,
    TN_OPERATION_GREATER_EQUAL,
    TN_OPERATION_IN,
    TN_OPERATION_ADD,
    TN_OPERATION_SUBTRACT,
    TN_OPERATION_MULTIPLY,
    TN_OPERATION_DIVIDE,
    TN_OPERATION_FLOOR_DIVIDE,
    TN_OPERATION_REMAINDER,
    TN_OPERATION_NEGATE,
};

struct tn_function; /* a row of the table in expression_evaluate.c */

struct tn_expression {
    enum tn_node_kind kind;
    enum tn_operation operation;
    const struct tn_function *function;
    struct tn_str name;
    uint32_t number_plus_one; /* of a symbol; 0: it has none */
    struct tn_value value;
    const struct tn_expression **children; /* [child_count] */
    uint32_t child_count;
    uint32_t depth;     /* of the tree below, so that evaluation can not exhaust the stack */
    struct tn_str text; /* the source of this node */
};

/* The function of that name, or NULL. least and most get its number of arguments. */
const struct tn_function *tn_function_find(struct tn_str name, uint32_t *least, uint32_t *most);

#endif
